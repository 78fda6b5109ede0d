//! Appends that wait for one flush together: whoever comes first leads, and the leader takes
//! everything that waits. Never writes anything: the log that owns the queue does.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::Problem;
use tokio::sync::oneshot;

/// One caller's records and where to tell their first position.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Where the first record must stand, when the caller knows.
    pub(crate) at: Option<u64>,
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) told: oneshot::Sender<Result<u64, Problem>>,
}

/// The appends that wait.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Pending>,
    led: bool,
}

impl Queue {
    /// Puts records in the queue; true when the caller must start a leader.
    pub(crate) fn push(
        &self,
        at: Option<u64>,
        records: Vec<Vec<u8>>,
    ) -> (oneshot::Receiver<Result<u64, Problem>>, bool) {
        let (told, answer) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Pending { at, records, told });
        (answer, !std::mem::replace(&mut state.led, true))
    }

    /// What one flush carries: at least one append, at most `records_max` records unless the
    /// first alone has more. Empty when nothing waits; then there is no leader any more.
    pub(crate) fn take(&self, records_max: usize) -> Vec<Pending> {
        let mut state = self.state();
        let (mut taken, mut records) = (Vec::new(), 0);
        while let Some(next) = state.waiting.front() {
            records += next.records.len();
            if records > records_max && !taken.is_empty() {
                break;
            }
            taken.extend(state.waiting.pop_front());
        }
        if taken.is_empty() {
            state.led = false;
        }
        taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves what can be written from `first` on, and tells the others that the log has moved on.
pub(crate) fn placed(batch: Vec<Pending>, first: u64) -> Vec<Pending> {
    let mut next = first;
    let mut good = Vec::with_capacity(batch.len());
    for pending in batch {
        if pending.at.is_none_or(|at| at == next) {
            next += pending.records.len() as u64;
            good.push(pending);
        } else {
            // A caller that went away does not want to know.
            drop(pending.told.send(Err(Problem::stale())));
        }
    }
    good
}

/// Tells every caller its first position, or all of them the same problem.
pub(crate) fn tell(batch: Vec<Pending>, outcome: Result<u64, Problem>) {
    let mut outcome = outcome;
    for pending in batch {
        let count = pending.records.len() as u64;
        // A caller that went away does not want to know.
        drop(pending.told.send(outcome.clone()));
        if let Ok(first) = &mut outcome {
            *first += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_leads_and_takes_what_fits_one_flush() {
        let queue = Queue::default();
        let (mut first, leads) = queue.push(None, vec![vec![1]; 3]);
        let (mut second, also) = queue.push(None, vec![vec![2]; 3]);
        assert!(leads && !also);
        let batch = queue.take(4);
        assert_eq!(batch.len(), 1, "six records are two flushes of at most four");
        tell(batch, Ok(10));
        tell(queue.take(4), Ok(13));
        assert_eq!(
            (first.try_recv().unwrap(), second.try_recv().unwrap()),
            (Ok(10), Ok(13))
        );
        assert!(queue.take(4).is_empty());
        assert!(
            queue.push(None, Vec::new()).1,
            "the leader left, the next caller leads"
        );
    }

    #[test]
    fn an_append_for_another_place_is_told_that_the_log_has_moved_on() {
        let queue = Queue::default();
        let (_free, _) = queue.push(None, vec![vec![1]; 2]);
        let (mut late, _) = queue.push(Some(5), vec![vec![2]]);
        let (mut right, _) = queue.push(Some(7), vec![vec![3]]);
        let batch = placed(queue.take(10), 5);
        assert_eq!(
            late.try_recv().expect("told").expect_err("not at 5").code,
            "stale"
        );
        tell(batch, Ok(5));
        assert_eq!(right.try_recv().expect("told"), Ok(7));
    }
}
