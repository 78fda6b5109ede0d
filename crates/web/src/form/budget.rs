//! How much memory all uploads of a process may hold at one time. Never waits: a form that does
//! not fit is answered at once, so that slow senders cannot make others queue.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Uploads held in memory at one time by the whole process, in bytes.
const HELD_BYTES_MAX: usize = 256 << 20;

static HELD_BYTES: AtomicUsize = AtomicUsize::new(0);

/// What one form holds; given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Hold(usize);

impl Hold {
    /// Takes more; false when the process has no more to give.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let fits = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= HELD_BYTES_MAX);
        let taken = HELD_BYTES
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, fits)
            .is_ok();
        if taken {
            self.0 += bytes;
        }
        taken
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        HELD_BYTES.fetch_sub(self.0, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_held_comes_back_when_it_is_gone() {
        let mut first = Hold::default();
        assert!(first.take(HELD_BYTES_MAX - (64 << 20)));
        assert!(!Hold::default().take(65 << 20));
        drop(first);
        assert!(Hold::default().take(65 << 20));
    }
}
