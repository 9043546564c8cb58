//! A person who fills in a form, as the bytes decide.

use crate::choices::Choices;
use crate::limits::WALK_MAX_STEPS;
use serde_json::json;
use ward_forms::{AnswerValue, Answering, Coding, ItemType, Quantity, QuestionStep, Questionnaire};

const TEXTS: [&str; 6] = ["a", "", "<b>&amp;</b>", "https://example.org", "\u{202e}\u{1f525}ä", "=1+1"];
const NUMBERS: [f64; 6] = [0.0, 1.0, -1.5, 1e15, 0.001, 42.0];
const WHOLE: [i32; 5] = [0, 1, 7, i32::MIN, i32::MAX];
const DATES: [&str; 5] = ["2026-03-01", "2026", "2024-02-29", "2025-02-29", "2026-11"];
const MOMENTS: [&str; 3] = ["2026-03-01T09:30:00+01:00", "2026-03-01", "2026-03-29T24:00:00Z"];
const TIMES: [&str; 3] = ["09:30:00", "23:59:59.999", "24:00:00"];

/// Answers questions until none is left or enough was tried. What is refused is skipped, and what can't be
/// skipped is tried again with another answer.
pub(super) fn walk(form: &Questionnaire, choices: &mut Choices<'_>) -> Answering {
    let mut answering = Answering::new(form.clone());
    for _ in 0..WALK_MAX_STEPS {
        let Some(step) = answering.next_question() else { break };
        act(&mut answering, &step, choices);
    }
    answering
}

/// Answers or skips one question, sometimes after another turn.
fn act(answering: &mut Answering, step: &QuestionStep, choices: &mut Choices<'_>) {
    match choices.below(16) {
        0 => drop(answering.back()),
        1 => {
            if let Some(group) = parent(step) {
                // A group that does not repeat refuses.
                let _ = answering.add_instance(&group);
            }
        }
        2 => drop(answering.clear(&step.path)),
        _ => {}
    }
    let count = if step.repeats { choices.below(3) + 1 } else { 1 };
    let values: Vec<AnswerValue> = (0..count).filter_map(|_| value(step, choices)).collect();
    if answering.answer_all(&step.path, values).is_err() {
        // A required question refuses this too; then it comes again.
        let _ = answering.skip(&step.path);
    }
}

fn parent(step: &QuestionStep) -> Option<ward_forms::ItemPath> {
    let (_, above) = step.path.steps().split_last()?;
    (!above.is_empty()).then(|| ward_forms::ItemPath::from_steps(above.to_vec()))
}

/// An answer of the right type, more often than not one that is offered.
fn value(step: &QuestionStep, choices: &mut Choices<'_>) -> Option<AnswerValue> {
    if let Some(option) = choices.one_of(&step.options).filter(|_| choices.below(8) > 0) {
        return Some(option.value.clone());
    }
    let text = |choices: &mut Choices<'_>, list: &[&str]| choices.one_of(list).map(|text| (*text).to_owned());
    match step.item_type {
        ItemType::Boolean => Some(AnswerValue::Boolean(choices.below(2) == 1)),
        ItemType::Decimal => AnswerValue::decimal(*choices.one_of(&NUMBERS)?),
        ItemType::Integer => choices.one_of(&WHOLE).copied().map(AnswerValue::Integer),
        ItemType::Date => text(choices, &DATES).map(AnswerValue::Date),
        ItemType::DateTime => text(choices, &MOMENTS).map(AnswerValue::DateTime),
        ItemType::Time => text(choices, &TIMES).map(AnswerValue::Time),
        ItemType::Url => text(choices, &TEXTS).map(AnswerValue::Uri),
        ItemType::Choice => Some(AnswerValue::Coding(Coding::new("s", "a", "A"))),
        ItemType::Quantity => Some(AnswerValue::Quantity(Quantity {
            value: serde_json::Number::from_f64(*choices.one_of(&NUMBERS)?),
            unit: text(choices, &["kg", "°C", ""]),
            ..Quantity::default()
        })),
        ItemType::Attachment => Some(AnswerValue::Attachment(json!({"url": "x"}))),
        _ => text(choices, &TEXTS).map(AnswerValue::String),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::QUESTIONNAIRES;
    use std::collections::BTreeSet;

    /// A walk that never ended in a response would assert nothing about responses.
    #[test]
    fn walks_end_in_many_responses() {
        for form in QUESTIONNAIRES.iter() {
            let mut different = BTreeSet::new();
            let mut next = 1_u32;
            for _ in 0..40 {
                let bytes: Vec<u8> = std::iter::repeat_with(|| {
                    next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    next.to_be_bytes()[0]
                })
                .take(200)
                .collect();
                let done = walk(form, &mut Choices::of(&bytes)).finish(None);
                different.extend(done.ok().map(|done| done.to_json()));
            }
            assert!(different.len() > 12, "{} responses", different.len());
        }
    }
}
