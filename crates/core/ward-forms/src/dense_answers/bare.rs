//! Which values can be written without their type, because the item says it, and the numbers of
//! the types where it does not.

use crate::answer_value::AnswerValue;
use crate::questionnaire::ItemType;
use crate::response::ResponseStatus;
use serde_json::Number;

/// The key of nested items in an answer.
pub(super) const NESTED: u8 = 0;
/// An offered answer, by its index.
pub(super) const OPTION: u8 = 1;
/// `valueBoolean`.
pub(super) const BOOLEAN: u8 = 2;
/// `valueInteger`.
pub(super) const INTEGER: u8 = 3;
/// `valueDecimal`, as text.
pub(super) const DECIMAL: u8 = 4;
/// `valueDate`.
pub(super) const DATE: u8 = 5;
/// `valueDateTime`.
pub(super) const DATE_TIME: u8 = 6;
/// `valueTime`.
pub(super) const TIME: u8 = 7;
/// `valueString`.
pub(super) const STRING: u8 = 8;
/// `valueUri`.
pub(super) const URI: u8 = 9;
/// `valueCoding`.
pub(super) const CODING: u8 = 10;
/// `valueQuantity`.
pub(super) const QUANTITY: u8 = 11;

/// Keys of the outermost map.
pub(super) const LEVEL: u8 = 0;
/// When the response was written, as text.
pub(super) const AUTHORED: u8 = 1;
/// The status, where it is not the implied one.
pub(super) const STATUS: u8 = 2;
/// That the response does not name its form.
pub(super) const UNNAMED: u8 = 3;

/// The statuses by their numbers.
const STATUSES: [(u8, ResponseStatus); 5] = [
    (1, ResponseStatus::InProgress),
    (2, ResponseStatus::Completed),
    (3, ResponseStatus::Amended),
    (4, ResponseStatus::EnteredInError),
    (5, ResponseStatus::Stopped),
];

pub(super) fn status_number(status: ResponseStatus) -> Option<u8> {
    STATUSES.iter().find(|(_, known)| *known == status).map(|(number, _)| *number)
}

pub(super) fn status_of(number: u8) -> Option<ResponseStatus> {
    STATUSES.iter().find(|(known, _)| *known == number).map(|(_, status)| *status)
}

/// The type of the values that an item of this type takes as bare text.
pub(super) const fn text_type(item: ItemType) -> Option<u8> {
    Some(match item {
        ItemType::Date => DATE,
        ItemType::DateTime => DATE_TIME,
        ItemType::Time => TIME,
        ItemType::Url => URI,
        ItemType::Decimal => DECIMAL,
        ItemType::String | ItemType::Text | ItemType::Choice | ItemType::OpenChoice => STRING,
        _ => return None,
    })
}

/// A value of a type that is written as text, with that type.
pub(super) fn as_text(value: &AnswerValue) -> Option<(u8, String)> {
    Some(match value {
        AnswerValue::Decimal(number) => (DECIMAL, number.to_string()),
        AnswerValue::Date(text) => (DATE, text.clone()),
        AnswerValue::DateTime(text) => (DATE_TIME, text.clone()),
        AnswerValue::Time(text) => (TIME, text.clone()),
        AnswerValue::String(text) => (STRING, text.clone()),
        AnswerValue::Uri(text) => (URI, text.clone()),
        _ => return None,
    })
}

/// The value of a type that is written as text.
pub(super) fn of_text(kind: u8, text: &str) -> Option<AnswerValue> {
    Some(match kind {
        DECIMAL => AnswerValue::Decimal(number(text)?),
        DATE => AnswerValue::Date(text.to_owned()),
        DATE_TIME => AnswerValue::DateTime(text.to_owned()),
        TIME => AnswerValue::Time(text.to_owned()),
        STRING => AnswerValue::String(text.to_owned()),
        URI => AnswerValue::Uri(text.to_owned()),
        _ => return None,
    })
}

/// A JSON number.
pub(super) fn number(text: &str) -> Option<Number> {
    serde_json::from_str(text).ok()
}
