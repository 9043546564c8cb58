//! A large form that is being answered.

use crate::made_form::{LARGE, PUBLISHED, begun, made, mixed, some_answer};
use ward_forms::{Answering, QuestionStep};

/// A form with the questions that were asked when it was opened.
pub struct OpenForm {
    answering: Answering,
    steps: Vec<QuestionStep>,
    given: u64,
}

impl OpenForm {
    /// Opens the form of 2,691 items, or that of 695.
    pub fn open(is_large: bool) -> Option<Self> {
        let shape = if is_large { LARGE } else { PUBLISHED };
        let answering = begun(&made(shape))?;
        if answering.questionnaire().items().len() != shape.items() {
            return None;
        }
        let steps = answering.questions();
        Some(Self { answering, steps, given: 0 })
    }

    pub fn items(&self) -> usize {
        self.answering.questionnaire().items().len()
    }

    /// Gives one answer that is taken. Says whether there was one.
    pub fn answer_one(&mut self) -> bool {
        for _ in 0..100 {
            self.given += 1;
            let place = usize::try_from(mixed(self.given) % 1_000_003).unwrap_or(0);
            let Some(step) = self.steps.get(place % self.steps.len().max(1)) else { return false };
            if self.answering.answer(&step.path, some_answer(step, self.given)).is_ok() {
                return true;
            }
        }
        false
    }

    /// Evaluates the whole form again.
    pub fn again(&self) -> bool {
        let form = self.answering.questionnaire().clone();
        Answering::resume(form, self.answering.draft()).progress() == self.answering.progress()
    }
}
