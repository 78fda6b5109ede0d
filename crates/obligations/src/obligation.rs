//! What is owed and how it ends: open, then met or lifted, and never open again. Pure: no clock,
//! no SQL.

use kernel::{Kind, OrgCode, Problem, Time};
use serde::{Deserialize, Serialize};

/// Something owed by an organisation by an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Unique within the tenant; often the case's code and the kind.
    pub id: String,
    /// What kind of thing is owed: `case-result`, `reply`, `report`.
    pub kind: String,
    /// Who owes it.
    pub debtor: OrgCode,
    /// What it is about: a case code, a document number. Never personal data.
    pub about: String,
    /// The last instant at which it is still on time.
    pub due: Time,
}

/// Where an obligation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Still owed.
    Open,
    /// Done; `on_time` was settled at that moment and is never computed anew.
    Met {
        /// When it was done.
        at: Time,
        /// True when that was not after the due instant.
        on_time: bool,
    },
    /// No longer owed: withdrawn, refused elsewhere, handed to another.
    Lifted {
        /// When it was lifted.
        at: Time,
        /// The reason's key.
        reason: String,
    },
}

/// An obligation with its standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// What is owed.
    #[serde(flatten)]
    pub obligation: Obligation,
    /// When it began to be owed.
    pub opened: Time,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
}

/// What a transition did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The state changed; write it and its fact.
    Changed(Owed),
    /// It already was so: the same order given twice is no error and no second fact.
    Already(Owed),
}

impl Obligation {
    /// Done at `at` is on time when that is not after the due instant.
    #[must_use]
    pub fn on_time(&self, at: Time) -> bool {
        at <= self.due
    }
}

impl Owed {
    /// A new obligation, open from `at`.
    #[must_use]
    pub const fn open(obligation: Obligation, at: Time) -> Self {
        Self {
            obligation,
            opened: at,
            state: State::Open,
        }
    }

    /// Records that it was done at `at`.
    ///
    /// # Errors
    /// Conflict `obligation-lifted` when it is no longer owed.
    pub fn meet(self, at: Time) -> Result<Step, Problem> {
        match self.state {
            State::Open => {
                let on_time = self.obligation.on_time(at);
                Ok(Step::Changed(Self {
                    state: State::Met { at, on_time },
                    ..self
                }))
            }
            State::Met { .. } => Ok(Step::Already(self)),
            State::Lifted { .. } => Err(Problem::new(Kind::Conflict, "obligation-lifted")),
        }
    }

    /// Records that it is no longer owed.
    ///
    /// # Errors
    /// Conflict `obligation-met` when it was done already.
    pub fn lift(self, at: Time, reason: &str) -> Result<Step, Problem> {
        match self.state {
            State::Open => Ok(Step::Changed(Self {
                state: State::Lifted {
                    at,
                    reason: reason.to_owned(),
                },
                ..self
            })),
            State::Lifted { .. } => Ok(Step::Already(self)),
            State::Met { .. } => Err(Problem::new(Kind::Conflict, "obligation-met")),
        }
    }

    /// True when it is open past its due instant.
    #[must_use]
    pub fn late(&self, now: Time) -> bool {
        self.state == State::Open && !self.obligation.on_time(now)
    }

    /// Whether it was met on time; `None` while it is open and after it was lifted.
    #[must_use]
    pub const fn met_on_time(&self) -> Option<bool> {
        match self.state {
            State::Met { on_time, .. } => Some(on_time),
            State::Open | State::Lifted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed() -> Owed {
        let obligation = Obligation {
            id: "o1".to_owned(),
            kind: "case-result".to_owned(),
            debtor: "H56.14857".parse().expect("a code"),
            about: "H56.14857-261121-0001".to_owned(),
            due: Time(1_000),
        };
        Owed::open(obligation, Time(10))
    }

    fn changed(step: Result<Step, Problem>) -> Owed {
        match step {
            Ok(Step::Changed(owed)) => owed,
            other => panic!("expected a change, got {other:?}"),
        }
    }

    #[test]
    fn the_due_instant_itself_is_on_time_and_the_next_millisecond_is_late() {
        assert_eq!(changed(owed().meet(Time(1_000))).met_on_time(), Some(true));
        assert_eq!(changed(owed().meet(Time(1_001))).met_on_time(), Some(false));
        assert!(!owed().late(Time(1_000)));
        assert!(owed().late(Time(1_001)));
    }

    #[test]
    fn meeting_twice_keeps_the_first_moment() {
        let met = changed(owed().meet(Time(900)));
        assert_eq!(met.clone().meet(Time(5_000)), Ok(Step::Already(met)));
    }

    #[test]
    fn what_was_lifted_cannot_be_met_and_what_was_met_cannot_be_lifted() {
        let lifted = changed(owed().lift(Time(5), "withdrawn"));
        assert_eq!(lifted.meet(Time(6)).unwrap_err().code, "obligation-lifted");
        let met = changed(owed().meet(Time(5)));
        assert_eq!(met.lift(Time(6), "withdrawn").unwrap_err().code, "obligation-met");
    }

    #[test]
    fn what_was_lifted_is_neither_late_nor_on_time() {
        let lifted = changed(owed().lift(Time(5), "withdrawn"));
        assert!(!lifted.late(Time(9_000)));
        assert_eq!(lifted.met_on_time(), None);
        assert_eq!(lifted.clone().lift(Time(7), "again"), Ok(Step::Already(lifted)));
    }
}
