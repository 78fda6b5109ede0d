//! From when to when a party stops an agreement. Pure: no clock, no day of a calendar.

use kernel::Time;
use serde::{Deserialize, Serialize};

/// A stretch of time; without a beginning it has begun, without an end nobody knows the end yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its first instant.
    pub from: Option<Time>,
    /// The first instant behind it.
    pub to: Option<Time>,
}

impl Span {
    /// From now on, until somebody ends it.
    pub const AT_ONCE: Self = Self { from: None, to: None };

    /// True within it.
    #[must_use]
    pub fn holds(&self, at: Time) -> bool {
        self.from.is_none_or(|from| from <= at) && !self.is_over(at)
    }

    /// True behind it.
    #[must_use]
    pub fn is_over(&self, at: Time) -> bool {
        self.to.is_some_and(|to| to <= at)
    }

    /// True when it ends after it begins.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match (self.from, self.to) {
            (Some(from), Some(to)) => from < to,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_from_its_first_instant_up_to_its_last() {
        let span = Span {
            from: Some(Time(10)),
            to: Some(Time(20)),
        };
        let holds = [9, 10, 19, 20].map(|ms| (span.holds(Time(ms)), span.is_over(Time(ms))));
        assert_eq!(
            holds,
            [(false, false), (true, false), (true, false), (false, true)]
        );
        assert!(Span::AT_ONCE.holds(Time(0)) && !Span::AT_ONCE.is_over(Time(i64::MAX)));
        let backwards = Span {
            from: Some(Time(20)),
            to: Some(Time(20)),
        };
        assert!(span.is_sound() && Span::AT_ONCE.is_sound() && !backwards.is_sound());
    }
}
