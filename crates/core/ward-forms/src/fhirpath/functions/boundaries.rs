//! How precise a value is, and the range that it stands for.
//!
//! Source: FHIRPath STU, `precision`, `lowBoundary`, `highBoundary`, `comparable`.

use super::super::collection::Collection;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::operators::one;
use super::super::quantity::Quantity;
use super::super::value::Value;
use super::Calling;
use rust_decimal::{Decimal, RoundingStrategy};

/// Digits after the point of a boundary if none are asked for.
const DEFAULT_DIGITS: i32 = 8;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(value) = one(input, calling.place)? else { return Ok(Collection::empty()) };
    match calling.call.function {
        F::Precision => precision(calling, value),
        F::Comparable => {
            let other = calling.argument(0)?;
            let Some(other) = one(&other, calling.place)? else { return Ok(Collection::empty()) };
            let of = |value: &Value<'d>| {
                value.plain().quantity().ok_or_else(|| calling.wrong_type("a quantity", value))
            };
            let (quantity, other) = (of(value)?, of(other)?);
            calling.evaluator.budget.take(quantity.steps_with(&other))?;
            Ok(quantity.is_comparable(&other).into())
        }
        _ => boundary(calling, value),
    }
}

fn precision<'d>(calling: &Calling<'_, '_, 'd>, value: &Value<'d>) -> Evaluated<'d> {
    let digits = match value.plain() {
        Value::Integer(_) => 0,
        Value::Decimal(number) => i32::try_from(number.scale()).unwrap_or(0),
        Value::Temporal(value) => value.digits(),
        _ => return Err(calling.wrong_type("a number, a date or a time", value)),
    };
    Ok(Value::Integer(digits).into())
}

fn boundary<'d>(calling: &Calling<'_, '_, 'd>, value: &Value<'d>) -> Evaluated<'d> {
    let is_high = calling.call.function == F::HighBoundary;
    let digits = calling.integer_argument(0)?;
    Ok(match value.plain() {
        Value::Integer(number) => of_number(number.into(), digits, is_high).map(Value::Decimal).into(),
        Value::Decimal(number) => of_number(number, digits, is_high).map(Value::Decimal).into(),
        Value::Temporal(value) => value.boundary(digits, is_high).map(Value::Temporal).into(),
        other => {
            let quantity =
                other.quantity().ok_or_else(|| calling.wrong_type("a number, a date or a time", value))?;
            let bound = of_number(quantity.value, digits, is_high);
            bound.map(|bound| Value::Quantity(Box::new(Quantity::new(bound, quantity.unit)))).into()
        }
    })
}

/// Half a unit of the last digit down or up, then outwards to the digits asked for.
fn of_number(number: Decimal, digits: Option<i32>, is_high: bool) -> Option<Decimal> {
    let digits = u32::try_from(digits.unwrap_or(DEFAULT_DIGITS)).ok()?;
    if digits > Decimal::MAX_SCALE {
        return None;
    }
    let half = Decimal::try_new(5, number.scale() + 1).ok()?;
    let (bound, strategy) = if is_high {
        (number.checked_add(half)?, RoundingStrategy::ToPositiveInfinity)
    } else {
        (number.checked_sub(half)?, RoundingStrategy::ToNegativeInfinity)
    };
    let mut bound = bound.round_dp_with_strategy(digits, strategy);
    bound.rescale(digits);
    (bound.scale() == digits).then_some(bound)
}
