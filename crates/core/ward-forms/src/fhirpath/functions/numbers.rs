//! Functions on numbers. What has no result among decimals is empty.
//!
//! Source: FHIRPath 2.0 §5.7.

use super::super::collection::Collection;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::operators::one;
use super::super::value::Value;
use super::Calling;
use crate::limits::{SQUARE_ROOT_ROUNDS, STEPS_PER_SERIES};
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};
use rust_decimal::{Decimal, MathematicalOps as _, RoundingStrategy};

/// Digits after the point that series such as the logarithm's are good for.
const SERIES_DIGITS: u32 = 16;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(value) = one(input, calling.place)? else { return Ok(Collection::empty()) };
    let plain = value.plain();
    if calling.call.function == F::Abs {
        return absolute(calling, &plain);
    }
    let number = plain.decimal().ok_or_else(|| calling.wrong_type("a number", value))?;
    let is_whole = matches!(plain, Value::Integer(_));
    if matches!(calling.call.function, F::Exp | F::Ln | F::Log | F::Power | F::Sqrt) {
        calling.evaluator.budget.take(STEPS_PER_SERIES)?;
    }
    let result = match calling.call.function {
        F::Ceiling => integer(number.ceil()),
        F::Floor => integer(number.floor()),
        F::Truncate => integer(number.trunc()),
        F::Round => return round(calling, number),
        F::Sqrt => square_root(number).map(Value::Decimal),
        F::Exp => number.checked_exp().map(|value| Value::Decimal(settled(value))),
        F::Ln => logarithm(number).map(|value| Value::Decimal(settled(value))),
        F::Log => {
            let Some(base) = number_argument(calling)? else { return Ok(Collection::empty()) };
            log(number, base).map(Value::Decimal)
        }
        _ => return power(calling, number, is_whole),
    };
    Ok(result.into())
}

fn absolute<'d>(calling: &Calling<'_, '_, 'd>, value: &Value<'d>) -> Evaluated<'d> {
    match value {
        Value::Integer(number) => Ok(number.checked_abs().map(Value::Integer).into()),
        Value::Decimal(number) => Ok(Value::Decimal(number.abs()).into()),
        other => {
            let mut quantity = other.quantity().ok_or_else(|| calling.wrong_type("a number", other))?;
            quantity.value = quantity.value.abs();
            Ok(Value::Quantity(Box::new(quantity)).into())
        }
    }
}

fn integer<'d>(number: Decimal) -> Option<Value<'d>> {
    number.to_i32().map(Value::Integer)
}

fn number_argument(calling: &Calling<'_, '_, '_>) -> Result<Option<Decimal>, EvaluationError> {
    let values = calling.argument(0)?;
    let Some(value) = one(&values, calling.place)? else { return Ok(None) };
    value.decimal().map(Some).ok_or_else(|| calling.wrong_type("a number", value))
}

fn round<'d>(calling: &Calling<'_, '_, 'd>, number: Decimal) -> Evaluated<'d> {
    let digits = calling.integer_argument(0)?.unwrap_or(0);
    let digits = u32::try_from(digits).map_err(|_| calling.unknown("a negative number of digits"))?;
    let rounded = number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    Ok(Value::Decimal(rounded).into())
}

/// By Newton's method, in a bounded number of rounds: near the square of a short number the last digit can
/// go back and forth for ever.
fn square_root(number: Decimal) -> Option<Decimal> {
    if number.is_zero() {
        return Some(number);
    }
    let guess = number.to_f64().filter(|number| *number > 0.0)?.sqrt();
    let mut root = Decimal::from_f64(guess).filter(|root| !root.is_zero()).unwrap_or(Decimal::ONE);
    for _ in 0..SQUARE_ROOT_ROUNDS {
        let next = number.checked_div(root)?.checked_add(root)?.checked_div(Decimal::TWO)?;
        if next == root {
            break;
        }
        root = next;
    }
    let short = settled(root);
    Some(if short.checked_mul(short) == Some(number) { short } else { root })
}

fn logarithm(number: Decimal) -> Option<Decimal> {
    if number.is_sign_negative() || number.is_zero() { None } else { number.checked_ln() }
}

fn log(number: Decimal, base: Decimal) -> Option<Decimal> {
    let (number, base) = (logarithm(number)?, logarithm(base)?);
    number.checked_div(base).map(settled)
}

/// A series ends with digits that are not known; without them 2 is 2.
fn settled(number: Decimal) -> Decimal {
    number.round_dp_with_strategy(SERIES_DIGITS, RoundingStrategy::MidpointAwayFromZero).normalize()
}

fn power<'d>(calling: &Calling<'_, '_, 'd>, number: Decimal, is_whole: bool) -> Evaluated<'d> {
    let Some(exponent) = number_argument(calling)? else { return Ok(Collection::empty()) };
    if exponent.fract().is_zero() {
        let Some(whole) = exponent.to_i64() else { return Ok(Collection::empty()) };
        if number.is_zero() && whole < 0 {
            return Ok(Collection::empty());
        }
        let result = number.checked_powi(whole);
        return Ok(match result {
            Some(result) if is_whole && whole >= 0 => integer(result),
            Some(result) if whole < 0 => Some(Value::Decimal(result.normalize())),
            other => other.map(Value::Decimal),
        }
        .into());
    }
    if number.is_sign_negative() && !number.is_zero() {
        return Ok(Collection::empty());
    }
    let result = logarithm(number).and_then(|ln| ln.checked_mul(exponent)).and_then(|ln| ln.checked_exp());
    Ok(result.map(|value| Value::Decimal(settled(value))).into())
}
