//! Appends that wait for one flush together: whoever comes first leads, and the leader takes
//! everything that waits. Never writes anything: the log that owns the queue does.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::Problem;
use tokio::sync::oneshot;

/// One caller's records and where to tell their first position.
#[derive(Debug)]
pub(crate) struct Pending {
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
    pub(crate) fn push(&self, records: Vec<Vec<u8>>) -> (oneshot::Receiver<Result<u64, Problem>>, bool) {
        let (told, answer) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push_back(Pending { records, told });
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
        let (mut first, leads) = queue.push(vec![vec![1]; 3]);
        let (mut second, also) = queue.push(vec![vec![2]; 3]);
        assert!(leads && !also);
        let batch = queue.take(4);
        assert_eq!(batch.len(), 1, "six records are two flushes of at most four");
        tell(batch, Ok(10));
        tell(queue.take(4), Ok(13));
        assert_eq!((first.try_recv().unwrap(), second.try_recv().unwrap()), (Ok(10), Ok(13)));
        assert!(queue.take(4).is_empty());
        assert!(queue.push(Vec::new()).1, "the leader left, the next caller leads");
    }
}
