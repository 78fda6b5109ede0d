//! How far the clocks of other nodes are from this one's, told from the exchanges themselves: what another
//! node signed between two instants of ours lies between them. In memory; never a question to anybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::Time;

/// How long a better reading is kept although there are newer ones, in milliseconds.
const KEPT_MS: i64 = 600_000;

/// One reading of another node's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// How far it is ahead of ours, in milliseconds; behind when negative.
    pub(crate) ahead_ms: i64,
    /// By how much that may be wrong, in milliseconds.
    pub(crate) within_ms: i64,
    /// When it was read, by our clock.
    pub(crate) at: Time,
}

impl Clock {
    /// The reading that lies between two instants of ours.
    pub(crate) fn between(began: Time, theirs: Time, ended: Time) -> Self {
        let (from, to) = (theirs.ms() - ended.ms(), theirs.ms() - began.ms());
        Self {
            ahead_ms: i64::midpoint(from, to),
            within_ms: (to - from).max(0).unsigned_abs().div_ceil(2).cast_signed(),
            at: ended,
        }
    }

    /// What a record says of the other side's clock: on the consumer's side the answer was signed between
    /// our beginning and our end. A provider knows only that a request was sent before it came, which
    /// bounds one side: it counts as a reading of a second's doubt.
    pub(crate) fn of(
        consumes: bool,
        (began, ended): (Time, Time),
        sent: Time,
        answer_signed: Option<Time>,
    ) -> Option<Self> {
        if consumes {
            return Some(Self::between(began, answer_signed?, ended));
        }
        Some(Self {
            ahead_ms: sent.ms() - began.ms(),
            within_ms: 1_000,
            at: began,
        })
    }
}

/// The clocks of other nodes, by the organisation that was spoken with.
#[derive(Debug, Default)]
pub(crate) struct Clocks(Mutex<BTreeMap<String, Clock>>);

impl Clocks {
    /// Takes readings in; the most exact of the last ten minutes stays.
    pub(crate) fn read<'a>(&self, readings: impl Iterator<Item = (&'a str, Clock)>) {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (member, new) in readings {
            match clocks.get_mut(member) {
                Some(old) => {
                    let is_old = new.at.ms() - old.at.ms() > KEPT_MS;
                    if is_old || new.within_ms <= old.within_ms {
                        *old = new;
                    }
                }
                None => {
                    clocks.insert(member.to_owned(), new);
                }
            }
        }
    }

    /// The readings there are.
    pub(crate) fn all(&self) -> BTreeMap<String, Clock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_between_two_instants_says_how_far_a_clock_is_off() {
        // Theirs is ten seconds ahead; the way there and back took 40 ms.
        let clock = Clock::between(Time(1_000), Time(11_020), Time(1_040));
        assert_eq!((clock.ahead_ms, clock.within_ms), (10_000, 20));
        let behind = Clock::between(Time(10_000), Time(4_000), Time(10_001));
        assert_eq!((behind.ahead_ms, behind.within_ms), (-6_000, 1));
    }

    #[test]
    fn an_exact_reading_stays_until_it_is_old() {
        let clocks = Clocks::default();
        let reading = |ahead_ms, within_ms, at| {
            let at = Time(at);
            (
                "G01",
                Clock {
                    ahead_ms,
                    within_ms,
                    at,
                },
            )
        };
        clocks.read([reading(5, 10, 0), reading(900, 1_000, 1)].into_iter());
        assert_eq!(clocks.all()["G01"].ahead_ms, 5);
        clocks.read([reading(6, 8, 2)].into_iter());
        assert_eq!(clocks.all()["G01"].ahead_ms, 6);
        clocks.read([reading(950, 1_000, 2 + KEPT_MS + 1)].into_iter());
        assert_eq!(clocks.all()["G01"].ahead_ms, 950);
    }
}
