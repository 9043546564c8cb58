//! The number that an answer stands for.

use crate::answer_value::AnswerValue;
use crate::limits::MAX_WEIGHT;
use crate::questionnaire::Item;

/// The whole number of an answer: the weight of the chosen option (`itemWeight` or `ordinalValue`),
/// else its code as a number, else the whole number answered. Weights that aren't whole are none.
pub(crate) fn whole_number(item: &Item, answer: &AnswerValue) -> Option<i32> {
    match (item.options.find(answer).and_then(|option| option.weight), answer) {
        (Some(weight), _) => whole(weight),
        (None, AnswerValue::Integer(number)) => Some(*number),
        (None, AnswerValue::Coding(coding)) => digits(coding.code.as_deref()?),
        _ => None,
    }
}

/// A code that is nothing but digits, as a number.
fn digits(code: &str) -> Option<i32> {
    code.bytes().all(|byte| byte.is_ascii_digit()).then(|| code.parse().ok())?
}

fn whole(weight: f64) -> Option<i32> {
    (-MAX_WEIGHT..=MAX_WEIGHT).find(|number| f64::from(*number) == weight)
}
