//! The replay guard: one effect for one (consumer, request id). Remembers requests for twice the
//! clock skew allowed; older ones are refused by their own time. Never durable by itself: at a
//! start it is filled from the evidence, which is.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;

use kernel::{Kind, Problem, Time};

use crate::ids::SystemId;

/// Remembers the requests of the last minutes.
#[derive(Debug)]
pub struct ReplayGuard {
    window_ms: i64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: HashMap<(SystemId, String), Time>,
    swept: Time,
    /// What was sent before this may have been forgotten.
    forgotten: Time,
}

impl ReplayGuard {
    /// A guard that takes requests sent at most `window_ms` before or after now.
    #[must_use]
    pub fn new(window_ms: i64) -> Self {
        Self {
            window_ms,
            seen: Mutex::new(Seen::default()),
        }
    }

    /// Refuses what was sent or signed too long ago or too far ahead.
    ///
    /// # Errors
    /// `clock-skew`.
    pub fn in_time(&self, at: Time, now: Time) -> Result<(), Problem> {
        if now.ms().abs_diff(at.ms()) <= self.window_ms.unsigned_abs() {
            return Ok(());
        }
        let apart = now.ms().saturating_sub(at.ms());
        Err(Problem::new(Kind::Forbidden, "clock-skew").because(format!("{apart} ms apart")))
    }

    /// Lets a request pass once.
    ///
    /// # Errors
    /// `clock-skew` when it was sent too long ago or too far ahead, `replayed` when it was seen.
    pub fn pass(&self, consumer: &SystemId, request: &str, sent: Time, now: Time) -> Result<(), Problem> {
        self.in_time(sent, now)?;
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if now.ms() - seen.swept.ms() > self.window_ms {
            // What is older than the window in either direction can never pass again.
            let oldest = now.ms() - 2 * self.window_ms;
            seen.requests.retain(|_, at| at.ms() >= oldest);
            seen.forgotten = seen.forgotten.max(Time(oldest));
            seen.swept = now;
        }
        match seen.requests.entry((consumer.clone(), request.to_owned())) {
            Entry::Vacant(place) => {
                place.insert(sent);
                Ok(())
            }
            Entry::Occupied(mut held) => {
                // The same id under another time must not shorten how long the first is remembered.
                let latest = sent.max(*held.get());
                held.insert(latest);
                Err(Problem::new(Kind::Conflict, "replayed"))
            }
        }
    }

    /// True when a request that is in time now may have been forgotten: the clock was far ahead and was
    /// set back. Then what the evidence knows must be remembered again before anything passes.
    #[must_use]
    pub fn may_have_forgotten(&self, now: Time) -> bool {
        let seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        now.ms() - self.window_ms < seen.forgotten.ms()
    }

    /// Notes that everything in time at `now` is remembered again.
    pub fn refilled(&self, now: Time) {
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.forgotten = Time(now.ms() - 2 * self.window_ms);
        seen.swept = now;
    }

    /// Remembers a request of an earlier run.
    pub fn remember(&self, consumer: SystemId, request: String, sent: Time) {
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.requests.insert((consumer, request), sent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_one_effect_however_often_it_is_sent() {
        let guard = ReplayGuard::new(60_000);
        let who: SystemId = "G22/portal".parse().expect("id");
        let other: SystemId = "H56/one-stop".parse().expect("id");
        assert!(guard.pass(&who, "r1", Time(0), Time(10)).is_ok());
        assert_eq!(
            guard.pass(&who, "r1", Time(0), Time(11)).expect_err("again").code,
            "replayed"
        );
        assert!(
            guard.pass(&other, "r1", Time(0), Time(12)).is_ok(),
            "ids are the consumer's own"
        );
        // Long after, the guard has forgotten it, and its own time refuses it.
        assert!(guard.pass(&who, "r2", Time(200_000), Time(200_000)).is_ok());
        assert_eq!(
            guard
                .pass(&who, "r1", Time(0), Time(200_001))
                .expect_err("late")
                .code,
            "clock-skew"
        );
    }

    #[test]
    fn the_same_id_under_an_earlier_time_does_not_make_the_first_forgotten() {
        let guard = ReplayGuard::new(60_000);
        let who: SystemId = "G22/portal".parse().expect("id");
        let (first, now) = (Time(1_050_000), Time(1_000_000));
        assert!(guard.pass(&who, "r1", first, now).is_ok(), "a clock 50 s ahead");
        assert!(guard.pass(&who, "r1", Time(945_000), now).is_err());
        // The guard sweeps while the first is still in time, and the second's time no longer counts.
        assert!(guard.pass(&who, "r2", Time(1_080_000), Time(1_080_000)).is_ok());
        let again = guard.pass(&who, "r1", first, Time(1_105_000)).expect_err("again");
        assert_eq!(again.code, "replayed");
    }

    #[test]
    fn a_clock_that_was_ahead_and_is_set_back_makes_nothing_pass_twice() {
        let guard = ReplayGuard::new(60_000);
        let who: SystemId = "G22/portal".parse().expect("id");
        let (now, days_ahead) = (Time(1_000_000), Time(1_000_000 + 3 * 86_400_000));
        guard.pass(&who, "r1", now, now).expect("new");
        assert!(!guard.may_have_forgotten(now));
        guard.pass(&who, "r2", days_ahead, days_ahead).expect("new");
        assert!(
            !guard.may_have_forgotten(days_ahead),
            "only what is in time counts"
        );
        // Set back: the first was swept, and says so instead of passing again.
        assert!(guard.may_have_forgotten(now));
        guard.remember(who.clone(), "r1".to_owned(), now);
        guard.refilled(now);
        assert!(!guard.may_have_forgotten(now), "nothing is refused for ever");
        assert_eq!(
            guard.pass(&who, "r1", now, now).expect_err("again").code,
            "replayed"
        );
        guard.pass(&who, "r3", now, now).expect("new");
    }

    #[test]
    fn memory_does_not_grow_with_history() {
        let guard = ReplayGuard::new(1_000);
        let who: SystemId = "G22/portal".parse().expect("id");
        for i in 0..10_000_i64 {
            guard
                .pass(&who, &i.to_string(), Time(i * 10), Time(i * 10))
                .expect("new");
        }
        assert!(guard.seen.lock().expect("lock").requests.len() < 500);
    }
}
