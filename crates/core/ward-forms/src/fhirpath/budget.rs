//! What one evaluation may cost. Every value visited, made or compared takes a step.

use super::error::EvaluationError;
use crate::limits::{MAX_BUILT_STRING_BYTES, MAX_COLLECTION_VALUES, MAX_EVALUATION_STEPS};
use std::cell::Cell;

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<usize>,
}

/// Bytes of text that count as one step.
const BYTES_PER_STEP: usize = 16;

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(MAX_EVALUATION_STEPS) }
    }

    /// Takes so many steps.
    pub(super) fn take(&self, steps: usize) -> Result<(), EvaluationError> {
        match self.left.get().checked_sub(steps) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.left.set(0);
                Err(EvaluationError::TooManySteps { limit: MAX_EVALUATION_STEPS })
            }
        }
    }

    /// Takes the steps for reading a text.
    pub(super) fn read(&self, bytes: usize) -> Result<(), EvaluationError> {
        self.take(bytes / BYTES_PER_STEP + 1)
    }

    /// Takes the steps for building a text of that length, if it may be so long.
    pub(super) fn build(&self, bytes: usize) -> Result<(), EvaluationError> {
        if bytes > MAX_BUILT_STRING_BYTES {
            return Err(EvaluationError::StringTooLong { limit_bytes: MAX_BUILT_STRING_BYTES });
        }
        self.read(bytes)
    }

    /// Says whether a collection may have so many values.
    pub(super) fn hold(values: usize) -> Result<(), EvaluationError> {
        if values > MAX_COLLECTION_VALUES {
            return Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES });
        }
        Ok(())
    }
}
