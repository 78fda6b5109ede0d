//! How far timestamps and the directory were behind over the last day: a sample every five minutes, in
//! memory, so that a look shows whether it gets better or worse. Never more than a day.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use kernel::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::gateway::Exchange;

/// Between two samples, in milliseconds.
const EVERY_MS: i64 = 300_000;
/// Samples that are kept, count: a day of them.
const SAMPLES_MAX: usize = 288;

/// How far things were behind at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StandingSample {
    /// When, milliseconds since 1970.
    pub(crate) at: i64,
    /// How long the oldest record without a timestamp had waited, in milliseconds.
    pub(crate) lag_ms: i64,
    /// How long ago the hub had confirmed the directory, in milliseconds.
    pub(crate) age_ms: i64,
}

/// The samples of the last day, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples(Mutex<VecDeque<StandingSample>>);

impl Samples {
    /// Whether it is time for the next one; a clock that was set back makes it time.
    fn is_due(&self, now: i64) -> bool {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = samples.back();
        last.is_none_or(|last| !(0..EVERY_MS).contains(&(now - last.at)))
    }

    fn take(&self, sample: StandingSample) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() >= SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back(sample);
    }

    pub(super) fn all(&self) -> Vec<StandingSample> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.iter().copied().collect()
    }
}

impl Exchange {
    /// Takes a sample when it is time for one.
    ///
    /// # Errors
    /// When rows or log cannot be read.
    pub async fn sample_standing(&self) -> Result<(), Problem> {
        let now = self.0.now();
        if !self.0.samples.is_due(now.ms()) {
            return Ok(());
        }
        let sample = StandingSample {
            at: now.ms(),
            lag_ms: self.stamps_seen(now).await?.lag_ms,
            age_ms: self.directory_seen(now).age_ms,
        };
        self.0.samples.take(sample);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_kept_and_no_more_and_a_sample_comes_every_five_minutes() {
        let samples = Samples::default();
        let at = |number: i64| StandingSample {
            at: number * EVERY_MS,
            lag_ms: number,
            age_ms: 0,
        };
        for number in 0..300 {
            assert!(samples.is_due(at(number).at));
            samples.take(at(number));
            assert!(!samples.is_due(at(number).at + EVERY_MS - 1));
        }
        assert!(samples.is_due(0), "the clock was set back");
        let all = samples.all();
        assert_eq!(
            (all.len(), all.first(), all.last()),
            (288, Some(&at(12)), Some(&at(299)))
        );
    }
}
