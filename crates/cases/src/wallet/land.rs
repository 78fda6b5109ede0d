//! A result that is given lands among its citizen's own documents by itself, in the same write as the status it comes with.
//! Never a draft or a slip, and nothing for a case that was handed in at a desk: it has no account here.

use ::store::Tx;
use kernel::{Digest, Problem};

use super::{Entry, EntryKind, keep};
use crate::notice::Notice;
use crate::portal::note_status::StatusNote;
use crate::state::Cases;
use crate::store::{self as rows, GivenKind, ResultRow};

/// Length of a document's id that stands in an address as it is, in characters.
const PLAIN_CHARS_MAX: usize = 64;

/// Puts the results of a status away.
///
/// # Errors
/// Unavailable.
pub(crate) async fn land(
    cases: &Cases,
    tx: &Tx,
    note: &StatusNote,
    results: &[ResultRow],
) -> Result<(), Problem> {
    let given: Vec<&ResultRow> = results
        .iter()
        .filter(|result| result.kind == GivenKind::Result)
        .collect();
    if given.is_empty() {
        return Ok(());
    }
    let held = rows::case(tx, &note.code).await?.ok_or_else(Problem::not_found)?;
    let account = &held.case.applicant.account;
    if account.is_empty() {
        return Ok(());
    }
    // A refusal is a result too, and it is good for nothing that ends.
    let refused = matches!(note.notice, Some(Notice::Refused { .. }));
    let valid = cases
        .version(&held.case.version)
        .ok()
        .and_then(|procedure| procedure.result.valid);
    let valid_until = valid
        .filter(|_| !refused)
        .and_then(|valid| valid.until(note.at.date()));
    for result in given {
        let entry = Entry {
            id: id(held.case.code.as_str(), &result.document),
            kind: EntryKind::Issued,
            title: result.name.clone(),
            issuer: held.case.unit.to_string(),
            number: result.number.clone(),
            dated: Some(note.at.date()),
            valid_until,
            digest: result.digest,
            origin: held.case.code.to_string(),
            reference: result.document.clone(),
            kept_at: tx.now(),
        };
        keep(tx, account, &entry, u64::MAX).await?;
    }
    Ok(())
}

/// The id of a result among its citizen's documents, which stands in addresses.
fn id(case: &str, document: &str) -> String {
    let plain =
        document.len() <= PLAIN_CHARS_MAX && document.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plain {
        format!("{case}.{document}")
    } else {
        format!("{case}.{}", Digest::of(document.as_bytes()))
    }
}
