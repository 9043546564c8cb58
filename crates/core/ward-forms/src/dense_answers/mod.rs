//! A response in few bytes, for readers who hold its form.
//!
//! A FHIR response repeats what its form says: the linkId of every question, the system, code and
//! words of every chosen answer. Bound to one form, a response needs only what the form cannot
//! tell: which of the items are there, and which of the offered answers was chosen.
//!
//! ```text
//! dense   = {0: level, 1: authored (text, optional), 2: status (optional), 3: true (optional)}
//! level   = [element, …]           one level of items, in the order of the form
//! element = -n                     the next n items of this level are not in the response
//!         | null                   the item before stands here once more; its content follows
//!         | content                the next item of this level
//! content = level                  of a group
//!         | answer                 of a question with one answer
//!         | [answer, …]            of a question with none or several
//! answer  = unsigned               the offered answer with this index, from 0; where none is
//!                                  offered and the type is integer, the number itself
//!         | bool                   of a boolean
//!         | text                   of a date, dateTime, time, url or decimal what it says; of a
//!                                  string, text, choice or open-choice a string
//!         | {0: level of nested items, type: value}     everything else, each part optional
//! ```
//!
//! The types of a value are 1 offered answer (index), 2 boolean, 3 integer, 4 decimal (text), 5 date,
//! 6 dateTime, 7 time, 8 string, 9 uri (text each), 10 coding `{0: system, 1: version, 2: code,
//! 3: display}`, 11 quantity `{0: value (text), 1: comparator, 2: unit, 3: system, 4: code}`. Where a
//! value can be written without its type, it is; an offered answer is always written by its first
//! index. Statuses are 1 in-progress, 2 completed, 3 amended, 4 entered-in-error, 5 stopped, and
//! field 2 stands only where the status is another than what surrounds the response implies. Field 3
//! says that the response does not name its form.
//!
//! Everything is deterministic CBOR. Nothing here may change a response: what would not come back
//! byte for byte is not written in this way at all.

mod bare;
mod reader;
mod writer;

use crate::limits::{MAX_DENSE_ANSWERS, MAX_DENSE_BYTES, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
use crate::questionnaire::Questionnaire;
use crate::response::{QuestionnaireResponse, ResponseStatus};

/// Why bytes are no dense response to a form.
///
/// The device that wrote them is at fault, or they belong to another form. Nothing is half read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DenseError {
    /// More bytes than accepted.
    #[error("dense answers have at most {MAX_DENSE_BYTES} bytes")]
    TooManyBytes,
    /// Not CBOR, cut off, or of another shape.
    #[error("the bytes are not dense answers")]
    Malformed,
    /// They can be read, but this is not how the same response is written.
    #[error("the bytes are not the one spelling of these answers")]
    NotCanonical,
    /// They name an item after the last one of its level.
    #[error("the answers name an item that the form does not have")]
    NoSuchItem,
    /// They name an answer that is not offered.
    #[error("the answers name an answer that the form does not offer")]
    NoSuchOption,
    /// A value of a type that does not go with its item, or outside the range of its type.
    #[error("an answer is of another type than its item")]
    WrongType,
    /// More items than accepted in one response.
    #[error("a response has at most {MAX_RESPONSE_ITEMS} items")]
    TooManyItems,
    /// More answers than accepted in dense form.
    #[error("a dense response has at most {MAX_DENSE_ANSWERS} answers")]
    TooManyAnswers,
    /// The response would be larger than any that is accepted as JSON.
    #[error("the response would have more than {MAX_RESPONSE_BYTES} bytes")]
    TooLarge,
}

/// The dense form of a response to this form, or `None` when the response says anything that the
/// dense form cannot give back: then it must be kept as JSON. `implied` is the status that what
/// surrounds the answers says already.
///
/// Reading the bytes with the same form and the same status gives a response whose JSON is the same
/// byte for byte.
#[must_use]
pub fn encode_answers(
    form: &Questionnaire,
    implied: ResponseStatus,
    response: &QuestionnaireResponse,
) -> Option<Vec<u8>> {
    let bytes = writer::write(form, implied, response)?;
    let back = decode_answers(form, implied, &bytes).ok()?;
    (back.to_json() == response.to_json()).then_some(bytes)
}

/// The response that dense bytes stand for.
///
/// # Errors
/// [`DenseError`]; whatever is accepted encodes back to the same bytes.
pub fn decode_answers(
    form: &Questionnaire,
    implied: ResponseStatus,
    bytes: &[u8],
) -> Result<QuestionnaireResponse, DenseError> {
    if bytes.len() > MAX_DENSE_BYTES {
        return Err(DenseError::TooManyBytes);
    }
    let response = reader::read(form, implied, bytes)?;
    match writer::write(form, implied, &response) {
        Some(again) if again == bytes => Ok(response),
        _ => Err(DenseError::NotCanonical),
    }
}
