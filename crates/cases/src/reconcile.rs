//! The daily comparison of an owner's cases with what its portal shows of them (đối soát hồ sơ): a list of the cases of
//! which the two say different things, and a button that has the portal told again. Never changes what the owner holds.
//!
//! | read | for |
//! |---|---|
//! | [`Shown`], [`differs`] | what a side shows of a case, and in what two sides differ: pure |
//! | [`digests`] | the portal's service that says what it shows |
//! | [`restate`] | the portal's service that takes an owner's last word on a case |
//! | [`job`] | the comparison, page by page, once a day |
//! | `page`, `mend` | the list at the desk, and its actions |
//! | `store` | the SQL of all |

pub mod digests;
pub mod job;
pub(crate) mod mend;
pub(crate) mod page;
pub mod restate;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use kernel::digest::canonical_json;
use kernel::{CaseCode, Digest, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};
use web::openapi::{OpenApiRouter, routes};

use crate::desk::step::DECIDED;
pub use crate::reconcile::store::After;
use crate::state::{Cases, Place};
use crate::store::{Held, Rows};

/// What a side shows of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The case.
    pub code: CaseCode,
    /// The unit that handles it.
    pub unit: OrgCode,
    /// Its national status.
    pub status: u8,
    /// The number of its last change.
    pub seq: u32,
    /// When that was.
    pub at: Time,
    /// By when its result is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// Of all its changes, since its owner has said it anew if ever.
    pub digest: Digest,
}

/// A change of a case's status, as the digest counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    pub(crate) seq: u32,
    pub(crate) status: u8,
    pub(crate) at: Time,
    pub(crate) due: Option<Time>,
}

/// In what two sides differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The portal does not know the case.
    MissingThere,
    /// The owner does not have it.
    MissingHere,
    /// The status.
    Status,
    /// By when the result is owed.
    Due,
    /// The unit that handles it.
    Owner,
    /// The way to where it stands; both agree where that is.
    Steps,
}

impl What {
    const ALL: [Self; 6] = [
        Self::MissingThere,
        Self::MissingHere,
        Self::Status,
        Self::Due,
        Self::Owner,
        Self::Steps,
    ];

    /// Its word in rows and texts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingThere => "missing-there",
            Self::MissingHere => "missing-here",
            Self::Status => "status",
            Self::Due => "due",
            Self::Owner => "owner",
            Self::Steps => "steps",
        }
    }

    fn parse(word: &str) -> Result<Self, Problem> {
        let found = Self::ALL.into_iter().find(|what| what.as_str() == word);
        found.ok_or_else(|| Problem::internal(format_args!("bad row: cases_differences.what {word}")))
    }
}

/// In what the two sides of a case differ; nothing when they say the same.
#[must_use]
pub fn differs(ours: Option<&Shown>, theirs: Option<&Shown>) -> Vec<What> {
    let (ours, theirs) = match (ours, theirs) {
        (None, None) => return Vec::new(),
        (Some(_), None) => return vec![What::MissingThere],
        (None, Some(_)) => return vec![What::MissingHere],
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    let parts = [
        (What::Status, ours.status != theirs.status),
        (What::Due, ours.due != theirs.due),
        (What::Owner, ours.unit != theirs.unit),
    ];
    let mut what: Vec<What> = parts.into_iter().filter(|(_, is)| *is).map(|(w, _)| w).collect();
    if what.is_empty() && (ours.seq, ours.digest) != (theirs.seq, theirs.digest) {
        what.push(What::Steps);
    }
    what
}

impl Cases {
    /// What this place shows of a case.
    ///
    /// # Errors
    /// Unavailable.
    pub(crate) async fn shown(&self, rows: &impl Rows, held: &Held) -> Result<Shown, Problem> {
        let steps = store::steps(rows, &held.case.code).await?;
        let last = steps.last().map(|step| (step.seq, step.at));
        let (seq, at) = last.unwrap_or((0, held.case.filed_at));
        let due = match self.place() {
            // What a portal is told with a decision is by when the result was owed, not what a letter promised.
            Place::Desk if held.status >= DECIDED => steps.iter().rev().find_map(|step| step.due),
            _ => held.due_at,
        };
        let json = canonical_json(&steps).map_err(Problem::internal)?;
        Ok(Shown {
            code: held.case.code.clone(),
            unit: held.case.unit.clone(),
            status: held.status,
            seq,
            at,
            due,
            digest: Digest::of(json.as_bytes()),
        })
    }
}

/// The desk's routes.
pub(crate) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(page::show, page::compare_by_form))
        .routes(routes!(page::show_json, page::compare_by_json))
        .routes(routes!(mend::by_form))
        .routes(routes!(mend::by_json))
}
