//! Which answers stay when the answers of a question change.

use crate::answer_value::AnswerValue;
use crate::response::Answer;

/// For each new answer the place of the one before that it goes on with, wherever that stood: what is
/// nested under an answer belongs to it, and moves with it.
pub(super) fn pairs(before: &[Answer], values: &[AnswerValue]) -> Vec<Option<usize>> {
    let mut is_free = vec![true; before.len()];
    let mut found = vec![None; values.len()];
    // Words that differ are one answer still, if there is no better one.
    let ways: [fn(&AnswerValue, &AnswerValue) -> bool; 2] = [AnswerValue::eq, AnswerValue::is_same];
    for is_like in ways {
        for (value, from) in values.iter().zip(&mut found).filter(|(_, from)| from.is_none()) {
            let mut answers = before.iter().zip(&mut is_free).enumerate();
            let like = answers.find(|(_, (answer, is_free))| {
                **is_free && answer.value.as_ref().is_some_and(|answer| is_like(answer, value))
            });
            if let Some((at, (_, is_free))) = like {
                *is_free = false;
                *from = Some(at);
            }
        }
    }
    found
}

/// As [`pairs`], for answers that are calculated: one that changes goes on with the next that is free, and
/// so does one that comes back.
pub(super) fn lasting_pairs(before: &[Answer], values: &[AnswerValue]) -> Vec<Option<usize>> {
    let mut found = pairs(before, values);
    let free: Vec<usize> = (0..before.len()).filter(|at| !found.contains(&Some(*at))).collect();
    let new = found.iter_mut().filter(|from| from.is_none());
    for (from, at) in new.zip(free) {
        *from = Some(at);
    }
    found
}

/// The answer before with its new words and all that is nested under it.
pub(super) fn renewed(before: Option<Answer>, value: AnswerValue) -> Answer {
    match before {
        Some(answer) if answer.value.as_ref() == Some(&value) => answer,
        Some(answer) => Answer { items: answer.items, ..Answer::new(value) },
        None => Answer::new(value),
    }
}
