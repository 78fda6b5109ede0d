//! How often an agreement lets its consumer call: a bucket that fills evenly over a minute and holds
//! one minute's calls. Never durable: a restart begins with a full bucket.

use kernel::{Kind, Problem, Time};

/// A minute, in milliseconds; also the units one call takes out of the bucket.
const MINUTE_MS: u64 = 60_000;

/// One agreement's bucket. Counts in units of a call's 1/60,000, so that filling is exact.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_minute: u64,
    units: u64,
    filled: Time,
}

impl Bucket {
    /// A full bucket of an agreement's calls a minute.
    pub(crate) fn full(per_minute: u32) -> Self {
        let per_minute = u64::from(per_minute);
        Self {
            per_minute,
            units: per_minute * MINUTE_MS,
            filled: Time(0),
        }
    }

    /// How many calls it would let through at an instant.
    pub(crate) fn left(&self, now: Time) -> u64 {
        let elapsed_ms = u64::try_from(now.ms().saturating_sub(self.filled.ms())).unwrap_or(0);
        let gained = elapsed_ms.min(MINUTE_MS) * self.per_minute;
        (self.units + gained).min(self.per_minute * MINUTE_MS) / MINUTE_MS
    }

    /// Takes one call out.
    ///
    /// # Errors
    /// `too-many` when the bucket holds less than a call.
    pub(crate) fn take(&mut self, now: Time) -> Result<(), Problem> {
        if self.try_take(now) {
            return Ok(());
        }
        Err(Problem::new(Kind::TooMany, "too-many").with("per_minute", self.per_minute))
    }

    /// As [`Bucket::take`], for who refuses in words of their own: false when it holds less than a call.
    pub(crate) fn try_take(&mut self, now: Time) -> bool {
        // A clock that was set back fills nothing, and counts on from where it stands.
        let elapsed_ms = u64::try_from(now.ms().saturating_sub(self.filled.ms())).unwrap_or(0);
        let gained = elapsed_ms.min(MINUTE_MS) * self.per_minute;
        self.units = (self.units + gained).min(self.per_minute * MINUTE_MS);
        self.filled = now;
        let rest = self.units.checked_sub(MINUTE_MS);
        self.units = rest.unwrap_or(self.units);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agreement_allows_its_calls_a_minute_and_fills_up_evenly() {
        let mut bucket = Bucket::full(60);
        let start = Time(1_000_000);
        for taken in 0..60 {
            assert_eq!(bucket.left(start), 60 - taken, "looking takes none");
            bucket.take(start).expect("within the minute's calls");
        }
        assert_eq!((bucket.left(start), bucket.left(start.plus_ms(1_000))), (0, 1));
        let refused = bucket.take(start).expect_err("the 61st");
        assert_eq!((refused.code, refused.kind.status()), ("too-many", 429));
        assert!(!bucket.try_take(start), "nor for who words it otherwise");
        assert!(bucket.take(start.plus_ms(999)).is_err());
        assert!(bucket.take(start.plus_ms(1_000)).is_ok(), "one a second");
        assert!(bucket.take(start.plus_ms(1_000)).is_err());
        let later = start.plus_ms(86_400_000);
        for _ in 0..60 {
            bucket
                .take(later)
                .expect("a day fills no more than a minute does");
        }
        assert!(bucket.take(later).is_err());
    }

    #[test]
    fn a_clock_set_back_gives_nothing_away_and_takes_nothing_for_ever() {
        let mut bucket = Bucket::full(1);
        bucket.take(Time(100_000)).expect("first");
        assert!(bucket.take(Time(40_000)).is_err());
        assert!(bucket.take(Time(99_999)).is_err());
        assert!(
            bucket.take(Time(100_000)).is_ok(),
            "a minute on the clock as it is now"
        );
        assert!(
            Bucket::full(0).take(Time(100_000)).is_err(),
            "none a minute is none"
        );
    }
}
