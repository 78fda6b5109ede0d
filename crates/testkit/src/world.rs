//! A clock that is set by hand and chance that comes from a seed. Never reads the machine's.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::{Chance, Clock, Time, World};
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};

/// The hour every test's clock starts at: 2026-11-21T09:30:00+07:00, a working Saturday nowhere.
pub const START: Time = Time(1_795_228_200_000);

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    ms: AtomicI64,
}

impl ManualClock {
    /// A clock that shows an instant.
    #[must_use]
    pub const fn at(time: Time) -> Self {
        Self {
            ms: AtomicI64::new(time.ms()),
        }
    }

    /// Sets the clock.
    pub fn set(&self, time: Time) {
        self.ms.store(time.ms(), Ordering::SeqCst);
    }

    /// Moves the clock forward by some milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.ms.load(Ordering::SeqCst))
    }
}

/// Chance that is the same for the same seed.
#[derive(Debug)]
pub struct SeededChance {
    rng: Mutex<StdRng>,
}

impl SeededChance {
    /// Chance from a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self {
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
        }
    }
}

impl Chance for SeededChance {
    fn fill(&self, out: &mut [u8]) {
        self.rng
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(out);
    }
}

/// A world from a seed, and the hand on its clock.
#[must_use]
pub fn world(seed: u64) -> (World, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    (
        World {
            clock: clock.clone(),
            chance: Arc::new(SeededChance::of(seed)),
        },
        clock,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_world() {
        let ((a, _), (b, _), (c, _)) = (world(7), world(7), world(8));
        let first = a.id();
        assert_eq!(first, b.id());
        assert_ne!(first, c.id());
        assert_ne!(first, a.id(), "ids do not repeat");
    }

    #[test]
    fn the_clock_stands_until_it_is_moved() {
        let (world, clock) = world(1);
        assert_eq!(world.now().day_month_year_time(), "21-11-2026 09:30");
        clock.advance_ms(60_000);
        assert_eq!(world.now(), START.plus_ms(60_000));
    }
}
