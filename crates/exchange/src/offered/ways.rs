//! The addresses at which one service is called: picked in turn by their weights, and what health checks
//! found there last. Never calls anybody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use kernel::Time;

use super::setup::Setup;
use crate::behind::Behind;

/// What a health check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When.
    pub at: Time,
    /// The status that was answered; none when nothing came back.
    pub status: Option<u16>,
}

impl Checked {
    /// True for an answer of a system that works.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.status.is_some_and(|status| (200..400).contains(&status))
    }
}

/// The addresses of one service.
pub(super) struct Ways {
    all: Vec<Behind>,
    /// Whose turn it is, by place in `all`: each as often as its weight says.
    turns: Box<[u8]>,
    next: AtomicUsize,
    /// Which failed their last check, a bit each.
    bad: AtomicU64,
    checked: Mutex<Vec<Option<Checked>>>,
}

impl Ways {
    /// All addresses of a setup; `behind` makes each.
    pub(super) fn of(setup: &Setup, behind: impl Fn(&str) -> Behind) -> Self {
        let all: Vec<Behind> = setup.ways().map(|(url, _)| behind(url)).collect();
        let weights: Vec<u32> = setup.ways().map(|(_, weight)| weight).collect();
        Self {
            turns: turns(&weights).into(),
            next: AtomicUsize::new(0),
            bad: AtomicU64::new(0),
            checked: Mutex::new(vec![None; all.len()]),
            all,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The one at a place; the first for a place that is none.
    pub(super) fn at(&self, way: usize) -> &Behind {
        let found = self.all.get(way).or_else(|| self.all.first());
        found.expect("a setup has at least one address")
    }

    /// Whose turn it is among those that did not fail their last check; among all when all did.
    pub(super) fn pick(&self) -> usize {
        if self.turns.len() < 2 {
            return 0;
        }
        let bad = self.bad.load(Ordering::Relaxed);
        let mut way = 0;
        for _ in 0..self.turns.len() {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.turns.len();
            way = self.turns.get(turn).copied().map_or(0, usize::from);
            if bad & (1 << way) == 0 {
                break;
            }
        }
        way
    }

    /// Notes what a check found.
    pub(super) fn note(&self, way: usize, found: Checked) {
        let bit = 1_u64 << way;
        if found.is_good() {
            self.bad.fetch_and(!bit, Ordering::Relaxed);
        } else {
            self.bad.fetch_or(bit, Ordering::Relaxed);
        }
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = checked.get_mut(way) {
            *last = Some(found);
        }
    }

    /// What was found last, by place.
    pub(super) fn checked(&self) -> Vec<Option<Checked>> {
        let checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.clone()
    }
}

/// Each place as often as its weight, evenly spread: who has waited most comes next.
fn turns(weights: &[u32]) -> Vec<u8> {
    let total: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
    let mut waited = vec![0_i64; weights.len()];
    let mut turns = Vec::new();
    for _ in 0..total {
        for (waits, weight) in waited.iter_mut().zip(weights) {
            *waits += i64::from(*weight);
        }
        let most = (0_u8..)
            .zip(&waited)
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(&a.0)));
        let Some((turn, _)) = most else { break };
        if let Some(waits) = waited.get_mut(usize::from(turn)) {
            *waits -= total;
        }
        turns.push(turn);
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::turns;

    #[test]
    fn each_has_its_turn_as_often_as_its_weight_and_never_all_at_once() {
        assert_eq!(turns(&[1]), [0]);
        assert_eq!(turns(&[1, 1]), [0, 1]);
        assert_eq!(turns(&[5, 1, 1]), [0, 0, 1, 0, 2, 0, 0]);
        let many = turns(&[3, 2]);
        assert_eq!((many.len(), many.iter().filter(|t| **t == 0).count()), (5, 3));
    }
}
