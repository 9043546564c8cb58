//! The result of a formula as answers to its question.
//!
//! A result that is no answer of the question's type is a failure: nothing is rounded or guessed.

use crate::answer_check::{AnswerIssue, asked_for, check_answers};
use crate::answer_value::{AnswerValue, Coding, Quantity};
use crate::compiled::ExpressionFailure;
use crate::fhirpath::{Collection, Decimal, Node, TemporalKind, Value};
use crate::limits::{MAX_CALCULATED_ANSWERS, MAX_CALCULATED_BYTES};
use crate::questionnaire::{Item, ItemType};
use serde_json::{Number, Value as Json};

/// Nothing is no answer: what is missing is not zero.
pub(super) fn answers(item: &Item, result: &Collection<'_>) -> Result<Vec<AnswerValue>, ExpressionFailure> {
    let limit = if item.repeats { MAX_CALCULATED_ANSWERS } else { 1 };
    if result.len() > limit {
        return Err(ExpressionFailure::TooManyAnswers { found: result.len(), limit });
    }
    let other_type = || ExpressionFailure::OtherType { expected: asked_for(item) };
    let values: Vec<AnswerValue> =
        result.iter().map(|value| answer(item, value).ok_or_else(other_type)).collect::<Result<_, _>>()?;
    if values.iter().map(text_bytes).sum::<usize>() > MAX_CALCULATED_BYTES {
        return Err(ExpressionFailure::TooLong { limit_bytes: MAX_CALCULATED_BYTES });
    }
    let checked: Vec<_> = values.iter().map(Some).collect();
    if check_answers(item, &checked).iter().any(AnswerIssue::is_error) {
        return Err(ExpressionFailure::DoesNotFit);
    }
    Ok(values)
}

/// How much text an answer makes a response longer by.
fn text_bytes(value: &AnswerValue) -> usize {
    match value {
        AnswerValue::Boolean(_) | AnswerValue::Integer(_) | AnswerValue::Decimal(_) => 0,
        AnswerValue::String(text) | AnswerValue::Uri(text) => text.len(),
        other => other.write().1.to_string().len(),
    }
}

/// Whether two lists of answers say the same.
pub(crate) fn are_same(left: &[AnswerValue], right: &[AnswerValue]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| left == right || left.is_same(right))
}

fn answer(item: &Item, value: &Value<'_>) -> Option<AnswerValue> {
    match item.item_type {
        ItemType::Boolean => value.boolean().map(AnswerValue::Boolean),
        ItemType::Integer => integer(value).map(AnswerValue::Integer),
        ItemType::Decimal => number(value.decimal()?).map(AnswerValue::Decimal),
        ItemType::Date | ItemType::DateTime | ItemType::Time => temporal(item.item_type, value),
        ItemType::String | ItemType::Text => text(value).map(AnswerValue::String),
        ItemType::Url => value.text().map(|text| AnswerValue::Uri(text.into_owned())),
        ItemType::Choice => coded(item, value),
        ItemType::OpenChoice => {
            coded(item, value).or_else(|| value.text().map(|text| AnswerValue::String(text.into_owned())))
        }
        ItemType::Quantity => quantity(item, value).map(AnswerValue::Quantity),
        ItemType::Attachment => object(value).map(AnswerValue::Attachment),
        ItemType::Reference => object(value).map(AnswerValue::Reference),
        ItemType::Group | ItemType::Display | ItemType::Question => None,
    }
}

/// A whole number, of a decimal too if nothing stands behind its point.
fn integer(value: &Value<'_>) -> Option<i32> {
    value.decimal()?.normalize().to_string().parse().ok()
}

fn number(decimal: Decimal) -> Option<Number> {
    serde_json::from_str(&decimal.normalize().to_string()).ok()
}

fn text(value: &Value<'_>) -> Option<String> {
    match value.node().and_then(Node::json) {
        Some(Json::Object(_)) => None,
        _ => value.written().map(|text| text.into_owned()),
    }
}

fn temporal(item_type: ItemType, value: &Value<'_>) -> Option<AnswerValue> {
    let temporal = value.temporal()?;
    let text = temporal.to_string();
    let answer = match (item_type, temporal.kind()) {
        (ItemType::Date, TemporalKind::Date) => AnswerValue::Date(text),
        // A date with time of which no time is known.
        (ItemType::Date, TemporalKind::DateTime) if !text.contains('T') => AnswerValue::Date(text),
        (ItemType::DateTime, TemporalKind::Date | TemporalKind::DateTime) => AnswerValue::DateTime(text),
        (ItemType::Time, TemporalKind::Time) => AnswerValue::Time(text),
        _ => return None,
    };
    answer.is_well_formed().then_some(answer)
}

/// A coding, or the one offered answer that the value names.
fn coded(item: &Item, value: &Value<'_>) -> Option<AnswerValue> {
    if let Some(json @ Json::Object(_)) = value.node().and_then(Node::json) {
        return Coding::read(json).map(AnswerValue::Coding);
    }
    let named = match value.decimal() {
        Some(_) => AnswerValue::Integer(integer(value)?),
        None => AnswerValue::String(value.text()?.into_owned()),
    };
    if let Some(option) = item.options.find(&named) {
        return Some(option.value.clone());
    }
    let AnswerValue::String(code) = named else { return None };
    let mut offered = item.options.listed().iter().filter(|option| match &option.value {
        AnswerValue::Coding(coding) => coding.code.as_deref() == Some(code.as_str()),
        _ => false,
    });
    let first = offered.next()?;
    offered.next().is_none().then(|| first.value.clone())
}

/// An amount with its unit; a bare number takes the unit that the question is asked in.
fn quantity(item: &Item, value: &Value<'_>) -> Option<Quantity> {
    if let Some(json @ Json::Object(_)) = value.node().and_then(Node::json)
        && let AnswerValue::Quantity(quantity) = AnswerValue::read("valueQuantity", "Quantity", json)
    {
        return Some(quantity);
    }
    if let Some(decimal) = value.decimal() {
        let unit = item.extensions.unit.as_ref().or(match item.rules.units.as_slice() {
            [only] => Some(only),
            _ => None,
        })?;
        return Some(with_unit(number(decimal)?, unit));
    }
    let amount = value.quantity()?;
    let unit = item.rules.units.iter().find(|unit| unit.code.as_deref() == Some(amount.unit()));
    let number = number(amount.value())?;
    Some(match unit {
        Some(unit) => with_unit(number, unit),
        None => Quantity { value: Some(number), unit: Some(amount.unit().to_owned()), ..Quantity::default() },
    })
}

fn with_unit(number: Number, unit: &Coding) -> Quantity {
    Quantity {
        value: Some(number),
        comparator: None,
        unit: unit.display.clone().or_else(|| unit.code.clone()),
        system: unit.system.clone(),
        code: unit.code.clone(),
    }
}

fn object(value: &Value<'_>) -> Option<Json> {
    value.node()?.json().filter(|json| json.is_object()).cloned()
}
