//! How many bytes of JSON an answer has at most, told without writing it.

use crate::answer_value::{AnswerValue, Coding};

/// Bytes that one byte of a text has in JSON, at most: a control character is written as `\u0000`.
const BYTES_OF_ONE: usize = 6;
/// An answer around its value: the name of the field, its mark in a draft, and what a number or a day has.
const AROUND_ANSWER_BYTES: usize = 256;
/// An item of a response around its linkId.
const AROUND_ITEM_BYTES: usize = 64;

/// The most bytes that answers have in a draft.
pub(crate) fn most_bytes(values: &[AnswerValue]) -> usize {
    values
        .iter()
        .fold(0, |sum, value| sum.saturating_add(AROUND_ANSWER_BYTES).saturating_add(of_value(value)))
}

/// The most bytes that an item without answers has in a response.
pub(crate) fn most_bytes_of_item(link_id: &str) -> usize {
    of_text(link_id).saturating_add(AROUND_ITEM_BYTES)
}

fn of_text(text: &str) -> usize {
    text.len().saturating_mul(BYTES_OF_ONE)
}

fn of_value(value: &AnswerValue) -> usize {
    match value {
        AnswerValue::Boolean(_) | AnswerValue::Integer(_) => 0,
        AnswerValue::Date(text)
        | AnswerValue::DateTime(text)
        | AnswerValue::Time(text)
        | AnswerValue::String(text)
        | AnswerValue::Uri(text) => of_text(text),
        AnswerValue::Coding(Coding { system, version, code, display }) => [system, version, code, display]
            .into_iter()
            .flatten()
            .fold(0_usize, |sum, text| sum.saturating_add(of_text(text))),
        // The digits of a number may be as many as were written.
        other => other.write().1.to_string().len(),
    }
}
