//! The steps that all expressions of a form may take after one change.

use crate::limits::MAX_STEPS_OF_A_CHANGE;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The steps that are left. Evaluating changes nothing else, so it counts behind a shared reference.
#[derive(Debug)]
pub(super) struct Steps(AtomicUsize);

impl Default for Steps {
    fn default() -> Self {
        Self(AtomicUsize::new(MAX_STEPS_OF_A_CHANGE))
    }
}

impl Clone for Steps {
    fn clone(&self) -> Self {
        Self(AtomicUsize::new(self.left()))
    }
}

impl Steps {
    pub(super) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self, left: usize) {
        self.0.store(left, Ordering::Relaxed);
    }

    /// Begins a new change.
    pub(super) fn renew(&self) {
        self.leave(MAX_STEPS_OF_A_CHANGE);
    }
}
