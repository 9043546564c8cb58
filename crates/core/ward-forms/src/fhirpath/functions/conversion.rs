//! `toX` and `convertsToX`.
//!
//! Source: FHIRPath 2.0 §5.5.

use super::super::collection::Collection;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::node::decimal;
use super::super::operators::one;
use super::super::quantity::{Quantity, UnitText};
use super::super::temporal::{Temporal, TemporalKind};
use super::super::temporal_arithmetic::TimeUnit;
use super::super::text::Text;
use super::super::value::Value;
use super::Calling;
use rust_decimal::Decimal;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(value) = one(input, calling.place)? else { return Ok(Collection::empty()) };
    let plain = value.plain();
    if let Value::String(text) = &plain {
        calling.evaluator.budget.read(text.len())?;
    }
    let unit = calling.text_argument(0)?;
    let converted = match calling.call.function {
        F::ToBoolean | F::ConvertsToBoolean => to_boolean(&plain).map(Value::Boolean),
        F::ToInteger | F::ConvertsToInteger => to_integer(&plain).map(Value::Integer),
        F::ToDecimal | F::ConvertsToDecimal => to_decimal(&plain).map(Value::Decimal),
        F::ToStringValue | F::ConvertsToString => plain.written().map(Value::String),
        F::ToDate | F::ConvertsToDate => to_temporal(&plain, TemporalKind::Date).map(Value::Temporal),
        F::ToDateTime | F::ConvertsToDateTime => {
            to_temporal(&plain, TemporalKind::DateTime).map(Value::Temporal)
        }
        F::ToTime | F::ConvertsToTime => to_temporal(&plain, TemporalKind::Time).map(Value::Temporal),
        _ => to_quantity(&plain, unit).map(|quantity| Value::Quantity(Box::new(quantity))),
    };
    if let Some(Value::String(text)) = &converted {
        calling.evaluator.budget.build(text.len())?;
    }
    Ok(match calling.call.function {
        F::ToBoolean
        | F::ToInteger
        | F::ToDecimal
        | F::ToStringValue
        | F::ToDate
        | F::ToDateTime
        | F::ToTime
        | F::ToQuantity => converted.into(),
        _ => converted.is_some().into(),
    })
}

fn to_boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Boolean(value) => Some(*value),
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        Value::Decimal(number) if number.is_zero() => Some(false),
        Value::Decimal(number) if *number == Decimal::ONE => Some(true),
        Value::String(text) => match text.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn to_integer(value: &Value<'_>) -> Option<i32> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Boolean(value) => Some(i32::from(*value)),
        Value::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_number { text.parse().ok() } else { None }
        }
        _ => None,
    }
}

fn to_decimal(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some((*number).into()),
        Value::Decimal(number) => Some(*number),
        Value::Boolean(value) => Some(if *value { Decimal::ONE } else { Decimal::ZERO }),
        Value::String(text) => decimal_of_text(text),
        _ => None,
    }
}

/// `(+|-)digits(.digits)`, and nothing else.
pub(in crate::fhirpath) fn decimal_of_text(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits(whole) && is_digits(fraction) { decimal(text) } else { None }
}

fn to_temporal(value: &Value<'_>, kind: TemporalKind) -> Option<Temporal> {
    match (value, kind) {
        (Value::Temporal(value), TemporalKind::Date) => value.to_date(),
        (Value::Temporal(value), TemporalKind::DateTime) => value.to_date_time(),
        (Value::Temporal(value), TemporalKind::Time) => {
            (value.kind() == TemporalKind::Time).then_some(*value)
        }
        (Value::String(text), TemporalKind::Date) => Temporal::date_time(text).and_then(Temporal::to_date),
        (Value::String(text), TemporalKind::DateTime) => Temporal::date_time(text),
        (Value::String(text), TemporalKind::Time) => Temporal::time(text.strip_prefix('T').unwrap_or(text)),
        _ => None,
    }
}

fn to_quantity<'d>(value: &Value<'d>, unit: Option<Text<'d>>) -> Option<Quantity<'d>> {
    let number = |number| Quantity::new(number, UnitText::ONE);
    let quantity = match value {
        Value::Integer(value) => number((*value).into()),
        Value::Decimal(value) => number(*value),
        Value::Boolean(value) => number(if *value { Decimal::ONE } else { Decimal::ZERO }),
        Value::String(text) => Quantity::parse(text)?,
        other => other.quantity()?,
    };
    let Some(unit) = unit else { return Some(quantity) };
    let wanted = match TimeUnit::from_word(&unit) {
        Some(unit) => UnitText::Calendar(unit),
        None => UnitText::Code(unit),
    };
    let mut wanted = Quantity::new(Decimal::ONE, wanted);
    wanted.value = wanted.in_my_unit(&quantity)?;
    Some(wanted)
}
