//! The last two minutes by second, in memory: what a person watches. Gone with the process, and never in
//! a row.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::Time;

/// How far back it looks, in seconds.
pub(crate) const SECONDS_MAX: i64 = 120;

/// Calls of a second: answered, refused, failed.
pub(crate) type Second = [u64; 3];

/// Calls by second and by the organisation of this node that had them.
#[derive(Debug, Default)]
pub(crate) struct Seconds(Mutex<BTreeMap<(i64, String), Second>>);

impl Seconds {
    /// Counts calls in, each with when it began, whose it was and how it ended (0 to 2).
    pub(crate) fn add<'a>(&self, calls: impl Iterator<Item = (Time, &'a str, usize)>, now: Time) {
        let oldest = now.ms().div_euclid(1_000) - SECONDS_MAX;
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (began, own, outcome) in calls {
            let second = began.ms().div_euclid(1_000);
            if second > oldest
                && let Some(count) = seconds
                    .entry((second, own.to_owned()))
                    .or_default()
                    .get_mut(outcome)
            {
                *count += 1;
            }
        }
        *seconds = seconds.split_off(&(oldest + 1, String::new()));
    }

    /// The last two minutes, a second each, the oldest first; the second that runs is left out.
    pub(crate) fn last(&self, own: Option<&str>, now: Time) -> Vec<(Time, Second)> {
        let now = now.ms().div_euclid(1_000);
        let seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (now - SECONDS_MAX + 1..now)
            .map(|second| {
                let of_it = seconds.range((second, String::new())..(second + 1, String::new()));
                let mut sum = Second::default();
                for (_, calls) in of_it.filter(|((_, whose), _)| own.is_none_or(|own| own == whose)) {
                    sum.iter_mut().zip(calls).for_each(|(all, some)| *all += some);
                }
                (Time(second * 1_000), sum)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_minutes_are_kept_by_second_and_by_organisation() {
        let seconds = Seconds::default();
        let now = Time(1_000_000_000);
        let began = |ago_ms: i64| now.plus_ms(-ago_ms);
        let calls = [
            (began(1_000), "G01", 0),
            (began(1_500), "G01", 2),
            (began(1_000), "G15", 0),
            (began(300_000), "G01", 0),
        ];
        seconds.add(calls.into_iter(), now);
        let last = seconds.last(Some("G01"), now);
        assert_eq!(last.len(), 119);
        assert_eq!(last.iter().map(|(_, n)| n[0] + n[2]).sum::<u64>(), 2);
        assert_eq!(last.last(), Some(&(Time(999_999_000), [1, 0, 0])));
        let all: u64 = seconds.last(None, now).iter().map(|(_, n)| n[0]).sum();
        assert_eq!(all, 2);
        seconds.add(std::iter::empty(), now.plus_ms(200_000));
        let later = seconds.last(None, now.plus_ms(200_000));
        assert!(later.iter().all(|(_, n)| *n == [0, 0, 0]));
        assert!(seconds.0.lock().expect("not poisoned").is_empty());
    }
}
