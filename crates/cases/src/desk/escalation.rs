//! A late case is told to who is above (báo cáo hồ sơ quá hạn): by the steps of the pack, once each, in a list of theirs,
//! with an obligation of its own that ends when the case is decided or its applicant is sent an apology.
//!
//! | read | for |
//! |---|---|
//! | [`job`] | tells what has become late since the last run |
//! | [`list`] | what an official was told of, `/desk/escalations` |
//! | `settle` | a case that is saved ends what was told of it |

pub mod job;
pub mod list;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use ::store::Tx;
use kernel::{Fact, Problem, Time};
use web::openapi::{OpenApiRouter, routes};

use crate::case::Case;
use crate::desk::step::DECIDED;
use crate::merger::job::ended;
use crate::state::Cases;
use crate::store::subject;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Cases> {
    OpenApiRouter::new()
        .routes(routes!(list::show))
        .routes(routes!(list::show_json))
}

/// How what was told of a late case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The case is decided.
    Decided,
    /// Its applicant was sent an apology with another date.
    Apologised,
    /// It has ended otherwise.
    Ended,
    /// Its date moved for another reason: what was missing came, the calendar was announced otherwise.
    Moved,
}

impl Why {
    /// As rows and facts name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Apologised => "apologised",
            Self::Ended => "ended",
            Self::Moved => "moved",
        }
    }

    /// True when what was owed was done; else it is not owed any more.
    const fn is_met(self) -> bool {
        matches!(self, Self::Decided | Self::Apologised)
    }
}

/// The obligation to do something about a case that missed a date.
pub(crate) fn obligation(case: &Case, missed: Time, step: u32) -> String {
    format!("escalation/{}/{}/{step}", case.code, missed.ms())
}

/// Ends what was told of a case that is decided, has ended, or is owed by another date; in the write that saves it.
///
/// # Errors
/// The store's own problems.
pub(crate) async fn settle(tx: &Tx, case: &Case, status: u8) -> Result<(), Problem> {
    let due = case.accepted.as_ref().map(|accepted| accepted.due);
    for open in store::open(tx, &case.code).await? {
        let Some(why) = why(case, status, due, open.missed) else {
            continue;
        };
        store::end(tx, &case.code, open.missed, open.step, why.as_str()).await?;
        let id = obligation(case, open.missed, open.step);
        if why.is_met() {
            obligations::meet(tx, &id).await?;
        } else {
            obligations::lift(tx, &id, why.as_str()).await?;
        }
        let fact = Fact::CaseEscalationEnded {
            case: case.code.clone(),
            step: open.step,
            why: why.as_str().to_owned(),
        };
        tx.fact(&subject(&case.code), fact).await?;
    }
    Ok(())
}

/// Why what was told ends; `None` while the case is as late as before.
fn why(case: &Case, status: u8, due: Option<Time>, missed: Time) -> Option<Why> {
    if ended(status) && status < DECIDED {
        return Some(Why::Ended);
    }
    if status >= DECIDED {
        return Some(Why::Decided);
    }
    if due == Some(missed) {
        return None;
    }
    // By the law as read a letter comes before the date; one that a version lets come later is what was owed, too.
    let letter = case.course.apology.as_ref();
    match letter.is_some_and(|letter| Some(letter.due) == due) {
        true => Some(Why::Apologised),
        false => Some(Why::Moved),
    }
}
