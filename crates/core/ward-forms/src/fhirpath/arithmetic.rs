//! `+ - * / div mod` on numbers, texts, quantities and dates.
//!
//! Source: FHIRPath 2.0 §6.6. What overflows or is divided by zero is empty.

use super::ast::Operator;
use super::budget::Budget;
use super::error::EvaluationError;
use super::operators::not_defined;
use super::quantity::Quantity;
use super::temporal::Temporal;
use super::value::Value;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

type Result<'d> = std::result::Result<Option<Value<'d>>, EvaluationError>;

/// Applies an operator to two values that are not primitive nodes.
pub(super) fn apply<'d>(
    operator: Operator,
    left: &Value<'d>,
    right: &Value<'d>,
    budget: &Budget,
) -> Result<'d> {
    match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => Ok(integers(operator, *a, *b)),
        (Value::Integer(a), Value::Decimal(b)) => Ok(decimals(operator, (*a).into(), *b)),
        (Value::Decimal(a), Value::Integer(b)) => Ok(decimals(operator, *a, (*b).into())),
        (Value::Decimal(a), Value::Decimal(b)) => Ok(decimals(operator, *a, *b)),
        (Value::String(a), Value::String(b)) if operator == Operator::Add => {
            budget.build(a.len() + b.len())?;
            Ok(Some(Value::string(format!("{a}{b}"))))
        }
        (Value::Temporal(a), b) if matches!(operator, Operator::Add | Operator::Subtract) => {
            let quantity = b.quantity().ok_or_else(|| not_defined(operator.text(), left, right))?;
            moved(operator, a, &quantity, left, right)
        }
        _ => mixed(operator, left, right, budget),
    }
}

fn integers<'d>(operator: Operator, left: i32, right: i32) -> Option<Value<'d>> {
    let whole = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::DivideWhole => left.checked_div(right),
        Operator::Modulo => left.checked_rem(right),
        _ => return decimals(operator, left.into(), right.into()),
    };
    whole.map(Value::Integer)
}

fn decimals<'d>(operator: Operator, left: Decimal, right: Decimal) -> Option<Value<'d>> {
    if operator == Operator::DivideWhole {
        // Without the remainder the division is exact: a quotient just below a whole number would be rounded
        // up to it before it is cut.
        let whole = left.checked_sub(left.checked_rem(right)?)?;
        return whole.checked_div(right)?.trunc().to_i32().map(Value::Integer);
    }
    decimal(operator, left, right).map(Value::Decimal)
}

fn decimal(operator: Operator, left: Decimal, right: Decimal) -> Option<Decimal> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        // The division's own digits say nothing, so that 10 / 4 is 2.5 and not 2.50.
        Operator::Divide => left.checked_div(right).map(|quotient| quotient.normalize()),
        Operator::Modulo => left.checked_rem(right),
        _ => None,
    }
}

fn moved<'d>(
    operator: Operator,
    date: &Temporal,
    quantity: &Quantity<'d>,
    left: &Value<'d>,
    right: &Value<'d>,
) -> Result<'d> {
    let unit = quantity.time_unit().ok_or_else(|| not_defined(operator.text(), left, right))?;
    let amount = if operator == Operator::Subtract { -quantity.value } else { quantity.value };
    Ok(date.plus(amount, unit).map(Value::Temporal))
}

/// Where at least one side is a quantity.
fn mixed<'d>(operator: Operator, left: &Value<'d>, right: &Value<'d>, budget: &Budget) -> Result<'d> {
    let number = |value: &Value<'d>| match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    };
    let (a, b) = (left.quantity(), right.quantity());
    if let (Some(a), Some(b)) = (&a, &b) {
        budget.take(a.steps_with(b))?;
    }
    let result = match (a, b, operator) {
        (Some(a), Some(b), Operator::Add | Operator::Subtract) => {
            a.in_my_unit(&b).and_then(|b| decimal(operator, a.value, b)).map(|value| (value, a.unit))
        }
        (Some(a), Some(b), Operator::Multiply | Operator::Divide) => {
            let unit = a.joined_unit(&b, operator == Operator::Divide);
            decimal(operator, a.value, b.value).zip(unit)
        }
        (Some(a), None, Operator::Multiply | Operator::Divide) => {
            let b = number(right).ok_or_else(|| not_defined(operator.text(), left, right))?;
            decimal(operator, a.value, b).map(|value| (value, a.unit))
        }
        (None, Some(b), Operator::Multiply) => {
            let a = number(left).ok_or_else(|| not_defined(operator.text(), left, right))?;
            decimal(operator, a, b.value).map(|value| (value, b.unit))
        }
        _ => return Err(not_defined(operator.text(), left, right)),
    };
    Ok(result.map(|(value, unit)| Value::Quantity(Box::new(Quantity::new(value, unit)))))
}
