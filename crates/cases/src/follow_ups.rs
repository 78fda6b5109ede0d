//! What other agencies do once the result is there, as a chain: which one stands where, and by when it is owed. Pure
//! but for the calendar; asking them stands in [`crate::desk::follow_up`].

pub(crate) mod part;

use kernel::fact::{Channel, Outcome};
use kernel::{OrgCode, Time};

use crate::case::Case;
use crate::notice::Notice;
use crate::procedure::{FollowUp, Procedure, Starts, Term};
use crate::state::Cases;
use crate::store::StatusRow;

/// The national status of a case that has its result.
const DECIDED: u8 = 9;

/// Where a follow-up stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// Another one has to be done first.
    Waits,
    /// The agency was asked.
    Asked {
        /// Since when.
        since: Time,
    },
    /// The agency refused.
    Failed {
        /// When.
        at: Time,
        /// Why, as its system names it; not said at a portal.
        why: String,
    },
    /// It is done.
    Done {
        /// When.
        at: Time,
        /// What it gave.
        number: String,
    },
}

/// A follow-up and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    pub(crate) follow_up: &'a FollowUp,
    pub(crate) stands: Stands,
    /// From when its time is counted, once it was asked.
    pub(crate) since: Option<Time>,
}

/// The follow-ups of a case as its desk knows them; none before a result that grants what was asked.
pub(crate) fn at_desk<'a>(procedure: &'a Procedure, case: &Case) -> Vec<Step<'a>> {
    let granted = case.decided.as_ref().filter(|d| d.outcome == Outcome::Granted);
    let begun = granted
        .filter(|_| case.status(procedure) >= DECIDED)
        .map(|d| d.at);
    steps(procedure, begun, |follow_up| {
        let code = &follow_up.code;
        let done = case.course.followed_up.iter().find(|one| one.code == *code);
        let failed = || case.course.follow_failed.iter().find(|one| one.code == *code);
        done.map(|one| Stands::Done {
            at: one.at,
            number: one.number.clone(),
        })
        .or_else(|| {
            failed().map(|one| Stands::Failed {
                at: one.at,
                why: one.why.clone(),
            })
        })
    })
}

/// The same as the applicant's portal was told; a notice names a follow-up by its name.
pub(crate) fn at_portal<'a>(procedure: &'a Procedure, statuses: &[StatusRow]) -> Vec<Step<'a>> {
    let refused = |row: &StatusRow| matches!(row.notice, Some(Notice::Refused { .. }));
    let decided = statuses
        .iter()
        .find(|row| row.status >= DECIDED)
        .map(|row| row.at);
    let begun = decided.filter(|_| !statuses.iter().any(refused));
    steps(procedure, begun, |follow_up| {
        statuses.iter().rev().find_map(|row| match &row.notice {
            Some(Notice::FollowedUp { name, number }) if *name == follow_up.name => Some(Stands::Done {
                at: row.at,
                number: number.clone(),
            }),
            Some(Notice::FollowFailed { name }) if *name == follow_up.name => Some(Stands::Failed {
                at: row.at,
                why: String::new(),
            }),
            _ => None,
        })
    })
}

fn steps<'a>(
    procedure: &'a Procedure,
    begun: Option<Time>,
    told: impl Fn(&FollowUp) -> Option<Stands>,
) -> Vec<Step<'a>> {
    let Some(begun) = begun else { return Vec::new() };
    let mut all: Vec<Step<'a>> = Vec::new();
    for follow_up in &procedure.follow_ups {
        let since = match &follow_up.after {
            None => Some(begun),
            Some(first) => all.iter().find_map(|step| match &step.stands {
                Stands::Done { at, .. } if step.follow_up.code == *first => Some(*at),
                _ => None,
            }),
        };
        let asked = since.map_or(Stands::Waits, |since| Stands::Asked { since });
        all.push(Step {
            follow_up,
            stands: told(follow_up).unwrap_or(asked),
            since,
        });
    }
    all
}

impl FollowUp {
    /// True for what is asked when that one is done; with `None`, when the result is there.
    #[must_use]
    pub fn comes_after(&self, done: Option<&str>) -> bool {
        self.after.as_deref() == done
    }
}

impl Cases {
    /// By when a follow-up is owed: its term from when it was asked, by the calendar of the unit that decided.
    pub(crate) fn follow_up_due(&self, unit: &OrgCode, step: &Step<'_>) -> Option<Time> {
        let term = Term {
            channel: Channel::Online,
            starts: Starts::default(),
            when: None,
            rule: step.follow_up.term.clone()?,
        };
        let counted = crate::clock::due(Some(&term), &self.calendars.of(unit), step.since?);
        counted.ok().map(|counted| counted.due)
    }
}
