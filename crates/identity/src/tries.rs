//! Wrong tries of one account in the last hour. Pure: no clock, no SQL, and it knows nobody's name.

use kernel::Time;
use serde::{Deserialize, Serialize};

/// How long a wrong try counts, in milliseconds.
pub const WINDOW_MS: i64 = 3_600_000;

/// The moments of tries that count, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tries(Vec<Time>);

impl Tries {
    /// Counts one more try at `now`; `false`, and nothing counted, when `max` of the last hour
    /// were used up. The window slides, so no hour whatsoever holds more than `max`.
    pub fn take(&mut self, now: Time, max: u32) -> bool {
        // A try of the future is from a clock that was set back since: it must not lock anybody out
        // until that time has come, so it counts as made now.
        for at in &mut self.0 {
            *at = (*at).min(now);
        }
        self.0.retain(|at| at.plus_ms(WINDOW_MS) > now);
        if self.0.len() >= usize::try_from(max).unwrap_or(usize::MAX) {
            return false;
        }
        self.0.push(now);
        true
    }

    /// Whole minutes until the oldest try no longer counts, at least 1.
    #[must_use]
    pub fn wait_minutes(&self, now: Time) -> i64 {
        let free = self.0.first().map_or(now, |at| at.plus_ms(WINDOW_MS));
        ((free.ms() - now.ms() + 59_999) / 60_000).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hour_holds_more_than_the_allowed_tries() {
        let mut tries = Tries::default();
        let mut taken = Vec::new();
        for minute in 0..240 {
            let now = Time(minute * 60_000);
            if tries.take(now, 10) {
                taken.push(now);
            }
        }
        for from in 0..240 {
            let from = Time(from * 60_000);
            let hour = taken
                .iter()
                .filter(|t| **t >= from && t.ms() < from.ms() + WINDOW_MS);
            assert!(hour.count() <= 10);
        }
        assert_eq!(taken.len(), 40, "ten in each of four hours");
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_for_longer_than_the_window() {
        let (now, days_ahead) = (Time(1_000_000), Time(1_000_000 + 3 * 86_400_000));
        let mut tries = Tries::default();
        assert!(tries.take(days_ahead, 1));
        assert!(!tries.take(now, 1), "the try still counts");
        assert_eq!(tries.wait_minutes(now), 60);
        assert!(tries.take(now.plus_ms(WINDOW_MS), 1));
    }

    #[test]
    fn the_wait_is_told_in_whole_minutes() {
        let mut tries = Tries::default();
        assert!(tries.take(Time(0), 1));
        assert!(!tries.take(Time(1), 1));
        assert_eq!(tries.wait_minutes(Time(1)), 60);
        assert_eq!(tries.wait_minutes(Time(WINDOW_MS - 1)), 1);
        assert!(tries.take(Time(WINDOW_MS), 1));
    }
}
