//! A paper of a form from the citizen's own documents, without uploading it again; and an uploaded paper that is kept among
//! them. Never changes a document, and never hands in what is no PDF.

use ::store::Tx;
use kernel::{Fact, Problem};
use web::Upload;

use super::{Entry, EntryKind, id_of, keep, store, subject};
use crate::citizen::{OwnDraft, paper};
use crate::draft::Attached;
use crate::procedure::Paper;
use crate::shown::say;
use crate::state::Cases;
use crate::store::Rows;

/// What happens among the citizen's own documents when a paper is attached.
#[derive(Debug)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// One of them was attached.
    Used(Box<Entry>),
    /// What was uploaded is kept as one of them.
    Kept(Box<Entry>),
}

/// The chosen document, checked as an uploaded one is.
///
/// # Errors
/// `wallet-entry-none` (422) at `own` for what is none of the citizen's, `wallet-entry-no-file` for what is no PDF; as
/// [`paper::check`].
pub(crate) async fn chosen(
    own: &OwnDraft,
    paper: &Paper,
    others: &[Attached],
    id: &str,
) -> Result<(Attached, Beside), Problem> {
    let cases = &own.cases;
    let reader = cases.store.read(&cases.tenant).await?;
    let entry = store::entry(&reader, &own.citizen.who.account, id).await?;
    let entry = entry.ok_or_else(|| Problem::invalid("own", "wallet-entry-none"))?;
    if !entry.is_file() {
        return Err(Problem::invalid("own", "wallet-entry-no-file"));
    }
    let upload = Upload {
        name: format!("{}.pdf", entry.title.replace(['/', '\\'], "-")),
        media: "application/pdf".to_owned(),
        bytes: cases.store.blobs().get(&entry.digest).await?.into(),
    };
    let attached = paper::check(cases, paper, others, Some(&upload)).await;
    let attached = attached.map_err(|problem| problem.at("own"))?;
    Ok((attached, Beside::Used(Box::new(entry))))
}

/// What was uploaded as one of the citizen's own documents, under the paper's name.
pub(crate) fn kept(cases: &Cases, paper: &Paper, attached: &Attached) -> Beside {
    Beside::Kept(Box::new(Entry {
        id: id_of(&attached.digest),
        kind: EntryKind::Uploaded,
        title: say(&paper.name, web::Lang::Vi).to_owned(),
        issuer: String::new(),
        number: String::new(),
        dated: None,
        valid_until: None,
        digest: attached.digest,
        origin: String::new(),
        reference: String::new(),
        kept_at: cases.store.world().now(),
    }))
}

/// Notes it in the write that attaches the paper.
///
/// # Errors
/// `wallet-full` (422) at `keep`; `wallet-entry-none` when the document was removed meanwhile.
pub(crate) async fn note(tx: &Tx, own: &OwnDraft, beside: &Beside) -> Result<(), Problem> {
    let account = &own.citizen.who.account;
    match beside {
        Beside::Nothing => Ok(()),
        Beside::Kept(entry) => keep(tx, account, entry, own.cases.store.limits().wallet_entries_max).await,
        Beside::Used(entry) => {
            if store::entry(tx, account, &entry.id).await?.is_none() {
                return Err(Problem::invalid("own", "wallet-entry-none"));
            }
            store::insert_use(tx, (account, &entry.id), ("draft", &own.draft.id)).await?;
            let fact = Fact::WalletUsed {
                entry: entry.id.clone(),
                by: format!("draft/{}", own.draft.id),
            };
            tx.fact(&subject(account), fact).await?;
            Ok(())
        }
    }
}

/// The documents that can be attached, by id and name, newest first.
///
/// # Errors
/// Unavailable.
pub(crate) async fn offered(
    cases: &Cases,
    rows: &impl Rows,
    account: &str,
) -> Result<Vec<(String, String)>, Problem> {
    let entries = store::files(rows, account, cases.store.limits().page_rows_max).await?;
    let named = |entry: Entry| {
        let name = match entry.number.as_str() {
            "" => entry.title,
            number => format!("{} ({number})", entry.title),
        };
        (entry.id, name)
    };
    Ok(entries.into_iter().map(named).collect())
}
