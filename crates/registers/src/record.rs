//! A record with two times: from when to when it holds, and from when to when we believed so.
//! Pure: never a row of a table, never a clock.

use kernel::Time;
use serde_json::{Map, Value};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// An act was begun; something it needs is still being asked for. Nobody reads it.
    Pending,
    /// It holds.
    Current,
    /// It is being taken back; what it had obtained elsewhere is still to be undone.
    Withdrawing,
    /// It was taken back; its key and numbers are never used again.
    Withdrawn,
}

impl State {
    /// The word the table holds.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Current => "current",
            Self::Withdrawing => "withdrawing",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl std::str::FromStr for State {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pending" => Ok(Self::Pending),
            "current" => Ok(Self::Current),
            "withdrawing" => Ok(Self::Withdrawing),
            "withdrawn" => Ok(Self::Withdrawn),
            _ => Err("a state is pending, current, withdrawing or withdrawn"),
        }
    }
}

/// One version of a record: immutable but for the end of our belief in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The record's key.
    pub key: String,
    /// Its order among the record's versions, from 1.
    pub version: u32,
    /// Where it stands.
    pub state: State,
    /// From when it holds.
    pub valid_from: Time,
    /// Up to when, without that instant; `None` for ever.
    pub valid_to: Option<Time>,
    /// From when we believed it.
    pub recorded_at: Time,
    /// Which system wrote it, `ORG/system`, or `pack`.
    pub source: String,
    /// The case or document it rests on.
    pub basis: String,
    /// The SHA-256 of the request that wrote it, hex; empty for a pack's rows.
    pub request: String,
    /// The fields.
    pub body: Map<String, Value>,
}

/// Why and by whom a record changes.
#[derive(Clone, Debug)]
pub struct Cause {
    /// When it is recorded.
    pub at: Time,
    /// Which system writes it.
    pub source: String,
    /// The case or document it rests on.
    pub basis: String,
    /// The SHA-256 of the request, hex.
    pub request: String,
}

/// What a change does to the table: which versions are no longer believed, which are new.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Versions whose belief ends now.
    pub superseded: Vec<u32>,
    /// Versions to write.
    pub written: Vec<Version>,
}

/// The record is `body` from `from` on; what we believed of the time before stays true.
#[must_use]
pub fn amend(
    believed: &[Version],
    last: u32,
    key: &str,
    from: Time,
    body: Map<String, Value>,
    cause: &Cause,
) -> Change {
    let mut change = Change::default();
    let mut next = last;
    for old in believed.iter().filter(|v| v.valid_to.is_none_or(|to| to > from)) {
        change.superseded.push(old.version);
        if old.valid_from < from {
            next += 1;
            // The part of the old belief that still holds is written again, with its own ground.
            change.written.push(Version {
                version: next,
                valid_to: Some(from),
                recorded_at: cause.at,
                ..old.clone()
            });
        }
    }
    change
        .written
        .push(new_version(next + 1, key, State::Current, from, body, cause));
    change
}

/// The record as a whole is `body`, in `state`, from `from` on; nothing believed before stays.
#[must_use]
pub fn replace(
    believed: &[Version],
    last: u32,
    key: &str,
    (state, from): (State, Time),
    body: Map<String, Value>,
    cause: &Cause,
) -> Change {
    Change {
        superseded: believed.iter().map(|v| v.version).collect(),
        written: vec![new_version(last + 1, key, state, from, body, cause)],
    }
}

fn new_version(
    version: u32,
    key: &str,
    state: State,
    valid_from: Time,
    body: Map<String, Value>,
    cause: &Cause,
) -> Version {
    Version {
        key: key.to_owned(),
        version,
        state,
        valid_from,
        valid_to: None,
        recorded_at: cause.at,
        source: cause.source.clone(),
        basis: cause.basis.clone(),
        request: cause.request.clone(),
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(at: i64) -> Cause {
        Cause {
            at: Time(at),
            source: "G01/population".into(),
            basis: "b".into(),
            request: String::new(),
        }
    }

    fn body(residence: &str) -> Map<String, Value> {
        Map::from_iter([("residence".to_owned(), residence.into())])
    }

    #[test]
    fn a_move_keeps_where_a_person_lived_before() {
        let first = amend(&[], 0, "k", Time(100), body("A"), &cause(1_000)).written;
        let moved = amend(&first, 1, "k", Time(500), body("B"), &cause(2_000));
        assert_eq!(moved.superseded, [1]);
        let told: Vec<(u32, i64, Option<i64>, &str)> = moved
            .written
            .iter()
            .map(|v| {
                (
                    v.version,
                    v.valid_from.0,
                    v.valid_to.map(|t| t.0),
                    v.body["residence"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(told, [(2, 100, Some(500), "A"), (3, 500, None, "B")]);
    }

    #[test]
    fn a_correction_from_the_first_day_on_leaves_nothing_of_the_mistake() {
        let first = amend(&[], 0, "k", Time(100), body("A"), &cause(1_000)).written;
        let right = amend(&first, 1, "k", Time(100), body("B"), &cause(2_000));
        assert_eq!((right.superseded.len(), right.written.len()), (1, 1));
    }

    #[test]
    fn a_belief_about_a_time_already_over_is_not_touched() {
        let mut first = amend(&[], 0, "k", Time(100), body("A"), &cause(1_000)).written;
        first[0].valid_to = Some(Time(300));
        assert!(
            amend(&first, 1, "k", Time(300), body("B"), &cause(2_000))
                .superseded
                .is_empty()
        );
    }

    #[test]
    fn states_read_back_what_they_write() {
        for state in [
            State::Pending,
            State::Current,
            State::Withdrawing,
            State::Withdrawn,
        ] {
            assert_eq!(state.word().parse(), Ok(state));
        }
        assert!("lost".parse::<State>().is_err());
    }
}
