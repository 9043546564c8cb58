//! What one evaluation may cost. Every value visited, made or compared takes a step, and every text that
//! is built takes of the bytes that one evaluation may build.

use super::error::EvaluationError;
use crate::limits::{
    BYTES_PER_STEP, CUT_TEXT_BYTES, MAX_BUILT_STRING_BYTES, MAX_COLLECTION_VALUES, MAX_EVALUATION_STEPS,
    MAX_EVALUATION_TEXT_BYTES, MAX_HELD_VALUES,
};
use std::cell::Cell;

/// The steps and bytes that are left.
#[derive(Debug)]
pub(super) struct Budget {
    steps: Cell<usize>,
    text_bytes: Cell<usize>,
    /// Values of collections that are in use.
    held: Cell<usize>,
}

impl Budget {
    /// At most so many steps, and never more than one evaluation may take.
    pub(super) fn of_steps(most: usize) -> Self {
        let steps = Cell::new(most.min(MAX_EVALUATION_STEPS));
        Self { steps, text_bytes: Cell::new(MAX_EVALUATION_TEXT_BYTES), held: Cell::new(0) }
    }

    pub(super) fn steps_left(&self) -> usize {
        self.steps.get()
    }

    /// Takes so many steps.
    pub(super) fn take(&self, steps: usize) -> Result<(), EvaluationError> {
        match self.steps.get().checked_sub(steps) {
            Some(left) => {
                self.steps.set(left);
                Ok(())
            }
            None => {
                self.steps.set(0);
                Err(EvaluationError::TooManySteps { limit: MAX_EVALUATION_STEPS })
            }
        }
    }

    /// Takes the steps for reading a text.
    pub(super) fn read(&self, bytes: usize) -> Result<(), EvaluationError> {
        self.take(bytes / BYTES_PER_STEP + 1)
    }

    /// Takes what building a text of that length costs, if it may be so long.
    pub(super) fn build(&self, bytes: usize) -> Result<(), EvaluationError> {
        if bytes > MAX_BUILT_STRING_BYTES {
            return Err(EvaluationError::StringTooLong { limit_bytes: MAX_BUILT_STRING_BYTES });
        }
        self.take_text(bytes)?;
        self.read(bytes)
    }

    /// Takes what cutting a text into so many parts costs.
    pub(super) fn cut(&self, parts: usize, bytes: usize) -> Result<(), EvaluationError> {
        Self::hold(parts)?;
        self.take_text(parts.saturating_mul(CUT_TEXT_BYTES).saturating_add(bytes))?;
        self.take(parts)?;
        self.read(bytes)
    }

    fn take_text(&self, bytes: usize) -> Result<(), EvaluationError> {
        match self.text_bytes.get().checked_sub(bytes) {
            Some(left) => {
                self.text_bytes.set(left);
                Ok(())
            }
            None => Err(EvaluationError::TooMuchText { limit_bytes: MAX_EVALUATION_TEXT_BYTES }),
        }
    }

    /// Counts the values of a collection that stays in use while something else is evaluated, until the
    /// result goes.
    pub(super) fn keep(&self, values: usize) -> Result<Kept<'_>, EvaluationError> {
        let mut kept = Kept { budget: self, values: 0 };
        kept.grow_to(values)?;
        Ok(kept)
    }

    /// Says whether a collection may have so many values.
    pub(super) fn hold(values: usize) -> Result<(), EvaluationError> {
        if values > MAX_COLLECTION_VALUES {
            return Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES });
        }
        Ok(())
    }
}

/// Values that are counted as in use.
pub(super) struct Kept<'b> {
    budget: &'b Budget,
    values: usize,
}

impl Kept<'_> {
    /// Counts so many values altogether.
    pub(super) fn grow_to(&mut self, values: usize) -> Result<(), EvaluationError> {
        let held = self.budget.held.get() + values.saturating_sub(self.values);
        if held > MAX_HELD_VALUES {
            return Err(EvaluationError::TooManyHeld { limit: MAX_HELD_VALUES });
        }
        self.budget.held.set(held);
        self.values = self.values.max(values);
        Ok(())
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.budget.held.set(self.budget.held.get().saturating_sub(self.values));
    }
}
