//! How a citizen's own documents read on pages and in answers.

use ::store::Reader;
use kernel::time::iso;
use kernel::{CaseCode, OrgCode, Problem, Time};
use serde::Serialize;
use web::openapi::ToSchema;
use web::{Lang, Page};

use super::ask::Said;
use super::{Entry, EntryKind, Share, Use, store};
use crate::shown::say;
use crate::state::Cases;
use crate::store as rows;

/// What stands for a day that is not known.
const NO_DAY: &str = "–";

/// A document as a page shows it.
pub(super) struct EntryView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) issuer: String,
    pub(super) number: String,
    pub(super) dated: String,
    pub(super) valid_until: String,
    /// It holds no more.
    pub(super) over: bool,
    pub(super) kept: String,
    pub(super) digest: String,
    /// The case it came of.
    pub(super) case: Option<String>,
}

impl EntryView {
    pub(super) fn new(cases: &Cases, page: &Page, entry: &Entry) -> Self {
        let day = |day: Option<kernel::Date>| day.map_or_else(|| NO_DAY.to_owned(), |day| page.date(day));
        let or_none = |text: &str| match text {
            "" => NO_DAY.to_owned(),
            text => text.to_owned(),
        };
        Self {
            id: entry.id.clone(),
            title: entry.title.clone(),
            kind: page.t(&format!("wallet-kind-{}", entry.kind.word())),
            issuer: or_none(&issuer(cases, entry)),
            number: or_none(&entry.number),
            dated: day(entry.dated),
            valid_until: match (entry.valid_until, entry.kind) {
                (None, EntryKind::Issued) => page.t("wallet-valid-as-written"),
                (until, _) => day(until),
            },
            over: entry.is_over(cases.today()),
            kept: page.time(entry.kept_at),
            digest: entry.digest.hex(),
            case: (entry.kind == EntryKind::Issued).then(|| entry.origin.clone()),
        }
    }
}

/// Who gave a document: the organisation's name, or the citizen's words.
pub(super) fn issuer(cases: &Cases, entry: &Entry) -> String {
    match (entry.kind, entry.issuer.parse::<OrgCode>()) {
        (EntryKind::Issued | EntryKind::Register, Ok(code)) => cases.organisation_name(&code),
        _ => entry.issuer.clone(),
    }
}

/// A document of a citizen.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletEntryJson {
    /// Its id.
    id: String,
    /// `issued`, `uploaded` or `register`.
    kind: &'static str,
    /// Its name.
    title: String,
    /// Who gave it.
    issuer: String,
    /// Its number.
    number: String,
    /// The day it bears, `2026-11-23`.
    dated: Option<String>,
    /// The last day on which it holds, where that is known.
    valid_until: Option<String>,
    /// The content's SHA-256.
    digest: String,
    /// The case it came of, or the service that was asked.
    origin: String,
    /// Since when it is here, RFC 3339.
    kept_at: String,
}

impl WalletEntryJson {
    pub(super) fn new(cases: &Cases, entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            kind: entry.kind.word(),
            title: entry.title.clone(),
            issuer: issuer(cases, entry),
            number: entry.number.clone(),
            dated: entry.dated.map(iso),
            valid_until: entry.valid_until.map(iso),
            digest: entry.digest.hex(),
            origin: entry.origin.clone(),
            kept_at: entry.kept_at.rfc3339(),
        }
    }
}

/// One answer of a register, as a page shows it.
pub(super) type Lines = Vec<(String, String)>;

/// What a register said, with labels in the reader's language; nothing for a file.
///
/// # Errors
/// Internal when the content is gone or damaged.
pub(super) async fn lines(cases: &Cases, entry: &Entry, lang: Lang) -> Result<Lines, Problem> {
    if entry.is_file() {
        return Ok(Vec::new());
    }
    let bytes = cases.store.blobs().get(&entry.digest).await?;
    let said: Said = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
    let line = |line: &super::ask::SaidLine| (say(&line.label, lang).to_owned(), line.value.clone());
    Ok(said.lines.iter().map(line).collect())
}

/// A use of a document with what it led to.
pub(super) struct UseView {
    /// When, RFC 3339.
    pub(super) iso: String,
    /// When.
    pub(super) at: String,
    /// By what.
    pub(super) what: String,
    /// The case that it was handed in with.
    pub(super) case: Option<CaseCode>,
}

/// The newest uses of a document, in words.
///
/// # Errors
/// Unavailable.
pub(super) async fn uses(
    cases: &Cases,
    page: &Page,
    reader: &Reader,
    (account, entry): (&str, &Entry),
) -> Result<Vec<UseView>, Problem> {
    let limit = cases.store.limits().page_rows_max;
    let mut views = Vec::new();
    for one in store::uses(reader, account, &entry.id, limit).await? {
        views.push(use_view(page, reader, account, &one).await?);
    }
    Ok(views)
}

async fn use_view(page: &Page, reader: &Reader, account: &str, one: &Use) -> Result<UseView, Problem> {
    let (what, case) = match one.kind.as_str() {
        "draft" => {
            let draft = rows::draft(reader, account, &one.what).await?;
            let case = draft.and_then(|draft| draft.filed_as);
            let key = if case.is_some() {
                "wallet-use-case"
            } else {
                "wallet-use-draft"
            };
            (page.t(key), case)
        }
        _ => {
            let link = short(&one.what);
            (page.tw("wallet-use-share", &[("link", link)]), None)
        }
    };
    Ok(UseView {
        iso: one.at.rfc3339(),
        at: page.time(one.at),
        what,
        case,
    })
}

/// A link as a page shows it.
pub(super) struct ShareView {
    pub(super) id: String,
    /// The end of its id, by which its owner tells it from others.
    pub(super) short: String,
    pub(super) made: String,
    pub(super) until: String,
    pub(super) standing: String,
    pub(super) class: &'static str,
    /// It can be ended.
    pub(super) open: bool,
}

impl ShareView {
    pub(super) fn new(page: &Page, share: &Share, (now, tries_max): (Time, u32)) -> Self {
        let standing = share.standing(now, tries_max);
        let open = standing == super::Standing::Open;
        Self {
            id: share.id.clone(),
            short: short(&share.id),
            made: page.time(share.made_at),
            until: page.time(share.until),
            standing: page.t(&format!("wallet-share-{}", standing.word())),
            class: if open { "tag tag-now" } else { "tag tag-none" },
            open,
        }
    }
}

/// The last six characters of an id.
pub(super) fn short(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(6);
    id.chars().skip(skip).collect()
}

/// A link to a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletShareJson {
    /// Its id.
    id: String,
    /// When it was made, RFC 3339.
    made_at: String,
    /// Until when it opens, RFC 3339.
    until: String,
    /// `open`, `ended`, `over` or `blocked`.
    standing: &'static str,
}

impl WalletShareJson {
    pub(super) fn new(share: &Share, (now, tries_max): (Time, u32)) -> Self {
        Self {
            id: share.id.clone(),
            made_at: share.made_at.rfc3339(),
            until: share.until.rfc3339(),
            standing: share.standing(now, tries_max).word(),
        }
    }
}

/// A use of a document.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WalletUseJson {
    /// When, RFC 3339.
    at: String,
    /// `draft` for a form, `share` for a link.
    kind: String,
    /// The form's or the link's id.
    what: String,
}

impl From<Use> for WalletUseJson {
    fn from(one: Use) -> Self {
        Self {
            at: one.at.rfc3339(),
            kind: one.kind,
            what: one.what,
        }
    }
}
