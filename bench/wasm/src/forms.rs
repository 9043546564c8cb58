//! A large form that is read, compiled and answered.

use crate::made_form::{LARGE, PUBLISHED, Shape, begun, made, mixed, some_answer};
use ward_forms::{Answering, CompiledForm, QuestionStep, Questionnaire};

/// The shape of a made form: as large as the largest published one at hand, or of 2,691 items.
pub fn shape(is_large: bool) -> Shape {
    if is_large { LARGE } else { PUBLISHED }
}

/// Its JSON.
pub fn made_json(is_large: bool) -> Vec<u8> {
    made(shape(is_large)).into_bytes()
}

/// Reads a form and compiles it. Returns how many items it has; `None` if it is not read.
pub fn compile(json: &[u8]) -> Option<usize> {
    let form = Questionnaire::parse(json).ok()?;
    core::hint::black_box(CompiledForm::compile(&form).ok()?);
    Some(form.items().len())
}

/// A form with the questions that were asked when it was opened.
pub struct OpenForm {
    answering: Answering,
    steps: Vec<QuestionStep>,
    given: u64,
}

impl OpenForm {
    /// Opens a form and answers every second question.
    pub fn open(json: &[u8]) -> Option<Self> {
        let answering = begun(core::str::from_utf8(json).ok()?)?;
        let steps = answering.questions();
        Some(Self { answering, steps, given: 0 })
    }

    pub fn items(&self) -> usize {
        self.answering.questionnaire().items().len()
    }

    /// Asks for the questions that are on by now.
    pub fn look(&mut self) -> usize {
        self.steps = self.answering.questions();
        self.steps.len()
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
