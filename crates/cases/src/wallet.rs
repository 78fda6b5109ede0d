//! A citizen's own documents at the portal (giấy tờ của tôi): results that were given to them, what they uploaded and kept,
//! what a register says of them. The noun; one file an operation below. Never shows a document to anybody but its citizen,
//! and to whom they gave a link with its code.

mod add;
mod ask;
pub(crate) mod attach;
pub(crate) mod land;
mod list;
mod open;
pub(crate) mod records;
mod remove;
mod share;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod view;

use ::store::Tx;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kernel::{Date, Digest, Fact, Kind, Problem, Time};
use web::Refusal;
use web::openapi::{OpenApiRouter, routes};

use crate::citizen::{Citizen, named};
use crate::state::Cases;

/// Where a document of a citizen comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A result that an agency gave.
    Issued,
    /// A file of the citizen's own.
    Uploaded,
    /// What a register said of the citizen, on a day.
    Register,
}

impl EntryKind {
    /// The kind's word in rows, facts and answers.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Uploaded => "uploaded",
            Self::Register => "register",
        }
    }

    /// Reads a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Issued, Self::Uploaded, Self::Register]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}

/// A document of a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its id: of a result the case and the document, else the beginning of its digest.
    pub(crate) id: String,
    /// Where it comes from.
    pub(crate) kind: EntryKind,
    /// Its name.
    pub(crate) title: String,
    /// Who gave it: an organisation's code, or the citizen's words.
    pub(crate) issuer: String,
    /// Its number; empty when it has none.
    pub(crate) number: String,
    /// The day it bears.
    pub(crate) dated: Option<Date>,
    /// The last day on which it holds; none where that is not known, or it holds for ever.
    pub(crate) valid_until: Option<Date>,
    /// The content's digest: its name among the blobs.
    pub(crate) digest: Digest,
    /// The case it came of, or the service that was asked; empty for a file of the citizen's own.
    pub(crate) origin: String,
    /// The document's id, or the exchange's request id.
    pub(crate) reference: String,
    /// Since when it is here.
    pub(crate) kept_at: Time,
}

impl Entry {
    /// True when it holds no more on a day.
    pub(crate) fn is_over(&self, on: Date) -> bool {
        self.valid_until.is_some_and(|until| until < on)
    }

    /// True when it is a PDF that can be handed in.
    pub(crate) fn is_file(&self) -> bool {
        self.kind != EntryKind::Register
    }
}

/// A link to a document of a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Its id, for its owner.
    pub(crate) id: String,
    /// Whose document it shows.
    pub(crate) account: String,
    /// The document.
    pub(crate) entry: String,
    /// The salted digest of what the link names it by.
    pub(crate) token: Digest,
    /// The salted digest of its code.
    pub(crate) code: Digest,
    /// When it was made.
    pub(crate) made_at: Time,
    /// Until when it opens.
    pub(crate) until: Time,
    /// When its owner ended it.
    pub(crate) ended_at: Option<Time>,
    /// Wrong codes that were typed, count.
    pub(crate) tries: u32,
}

/// How a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It opens with its code.
    Open,
    /// Its owner ended it.
    Ended,
    /// Its time is over.
    Over,
    /// Its code was typed wrongly too often.
    Blocked,
}

impl Standing {
    /// The standing's word in answers and texts.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
            Self::Over => "over",
            Self::Blocked => "blocked",
        }
    }
}

impl Share {
    /// How it stands at an instant.
    pub(crate) fn standing(&self, now: Time, tries_max: u32) -> Standing {
        if self.ended_at.is_some() {
            Standing::Ended
        } else if now >= self.until {
            Standing::Over
        } else if self.tries >= tries_max {
            Standing::Blocked
        } else {
            Standing::Open
        }
    }
}

/// A use of a document: it was put into a form, or looked at by a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// When.
    pub(crate) at: Time,
    /// `draft` or `share`.
    pub(crate) kind: String,
    /// The draft's or the link's id.
    pub(crate) what: String,
}

/// The subject of the facts about a citizen's documents.
pub(crate) fn subject(account: &str) -> String {
    format!("wallet/{account}")
}

/// The id of what is told apart by its content alone: the same content is kept once.
pub(crate) fn id_of(digest: &Digest) -> String {
    digest.hex().chars().take(32).collect()
}

/// Puts a document away, once; results are not counted among those that a citizen may keep.
///
/// # Errors
/// `wallet-full` (422) at `keep`.
pub(crate) async fn keep(tx: &Tx, account: &str, entry: &Entry, entries_max: u64) -> Result<(), Problem> {
    if entry.kind != EntryKind::Issued && store::count_kept(tx, account).await? >= entries_max {
        return Err(Problem::invalid("keep", "wallet-full").with("max", entries_max));
    }
    if store::insert(tx, account, entry).await? {
        let fact = Fact::WalletKept {
            entry: entry.id.clone(),
            kind: entry.kind.word().to_owned(),
        };
        tx.fact(&subject(account), fact).await?;
    }
    Ok(())
}

/// A citizen at a document of theirs, `{entry}` of the address.
pub(crate) struct OwnEntry {
    pub(crate) cases: Cases,
    pub(crate) citizen: Citizen,
    pub(crate) entry: Entry,
}

impl FromRequestParts<Cases> for OwnEntry {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, cases: &Cases) -> Result<Self, Refusal> {
        let citizen = Citizen::from_request_parts(parts, cases).await?;
        let id = named(parts, cases, "entry").await?;
        let reader = cases.store.read(&cases.tenant).await?;
        let entry = store::entry(&reader, &citizen.who.account, &id).await?;
        Ok(Self {
            cases: cases.clone(),
            citizen,
            entry: entry.ok_or_else(Problem::not_found)?,
        })
    }
}

/// What is wrong with a form is shown on its page; everything else is told as it is everywhere.
pub(crate) const fn belongs_on_page(problem: &Problem) -> bool {
    matches!(problem.kind, Kind::Invalid | Kind::TooMany)
}

/// The routes of the portal.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::page, add::by_form))
        .routes(routes!(list::api, add::by_json))
        .routes(routes!(ask::by_form))
        .routes(routes!(ask::by_json))
        .routes(routes!(open::page))
        .routes(routes!(open::api))
        .routes(routes!(open::file))
        .routes(routes!(remove::by_form))
        .routes(routes!(remove::by_json))
        .routes(routes!(share::by_form))
        .routes(routes!(share::by_json))
        .routes(routes!(share::end_by_form))
        .routes(routes!(share::end_by_json))
        .routes(routes!(shared::form, shared::by_form))
        .routes(routes!(shared::by_json))
}
