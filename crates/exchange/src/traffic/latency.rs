//! The times that calls took, as a histogram that sums: eighteen counts, from which percentiles are told
//! to within a step. Pure.

/// Where each count but the last ends, in milliseconds, itself included.
pub(crate) const BOUNDS_MS: [i64; BINS - 1] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000,
];
/// Counts of a histogram.
pub(crate) const BINS: usize = 18;

/// What is known of the times of some calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Calls, count.
    pub(crate) calls: u64,
    /// Their times together, in milliseconds.
    pub(crate) sum_ms: u64,
    /// The longest, in milliseconds.
    pub(crate) max_ms: u64,
    /// How many took how long.
    pub(crate) bins: [u64; BINS],
}

impl Times {
    /// Counts one call in.
    pub(crate) fn add(&mut self, took_ms: i64) {
        // A clock that was set back during a call says nothing of its time.
        let took_ms = took_ms.max(0);
        let bin = BOUNDS_MS.partition_point(|bound| *bound < took_ms);
        self.bins[bin] += 1;
        self.calls += 1;
        self.sum_ms += took_ms.unsigned_abs();
        self.max_ms = self.max_ms.max(took_ms.unsigned_abs());
    }

    /// Counts others in.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, theirs) in self.bins.iter_mut().zip(other.bins) {
            *own += theirs;
        }
        self.calls += other.calls;
        self.sum_ms += other.sum_ms;
        self.max_ms = self.max_ms.max(other.max_ms);
    }

    /// The time within which so many of a hundred calls ended, in milliseconds: exact to the step of the
    /// histogram, within it by proportion, never above the longest. `None` when there is no call.
    pub(crate) fn percentile(&self, of_hundred: u64) -> Option<u64> {
        let rank = (self.calls * of_hundred).div_ceil(100).max(1);
        let mut before = 0;
        for (bin, count) in self.bins.iter().enumerate() {
            if before + count >= rank && *count > 0 {
                let bound = |at: Option<&i64>| at.map_or(self.max_ms, |ms| ms.unsigned_abs());
                let lower = bin.checked_sub(1).map_or(0, |b| bound(BOUNDS_MS.get(b)));
                let upper = bound(BOUNDS_MS.get(bin)).min(self.max_ms).max(lower);
                return Some(lower + ((upper - lower) * (rank - before)).div_ceil(*count));
            }
            before += count;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(took: impl IntoIterator<Item = i64>) -> Times {
        let mut times = Times::default();
        took.into_iter().for_each(|ms| times.add(ms));
        times
    }

    #[test]
    fn a_percentile_lies_in_the_step_of_the_call_it_stands_for() {
        let even = times(1..=1_000);
        for (of_hundred, exact) in [(50, 500), (95, 950), (99, 990)] {
            let told = even.percentile(of_hundred).expect("some");
            assert!(told.abs_diff(exact) <= 1, "p{of_hundred}: {told}");
        }
        let mixed = times((0..98).map(|_| 4).chain([700, 9_000]));
        assert!((3..=5).contains(&mixed.percentile(50).expect("some")));
        assert!((500..=1_000).contains(&mixed.percentile(99).expect("some")));
        assert_eq!((mixed.percentile(100), mixed.max_ms), (Some(9_000), 9_000));
    }

    #[test]
    fn no_percentile_is_above_the_longest_call_and_none_stands_for_no_call() {
        assert_eq!(times([]).percentile(99), None);
        assert_eq!(times([3]).percentile(50), Some(3));
        assert_eq!(times([60_000]).percentile(99), Some(60_000));
        assert_eq!(times([-5]).percentile(99), Some(0));
    }

    #[test]
    fn histograms_add_up() {
        let mut sum = times([1, 2, 40_000]);
        sum.merge(&times([7, 40_001]));
        assert_eq!(sum, times([1, 2, 40_000, 7, 40_001]));
        assert_eq!((sum.calls, sum.sum_ms, sum.max_ms), (5, 80_011, 40_001));
    }
}
