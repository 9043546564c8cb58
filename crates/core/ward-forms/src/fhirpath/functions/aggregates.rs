//! One value from many. Missing is not zero: an aggregate of nothing is nothing.
//!
//! Source: FHIRPath 2.0 §7; `sum`, `min`, `max` and `avg`: SDC.

use super::super::arithmetic;
use super::super::ast::Operator;
use super::super::collection::Collection;
use super::super::evaluator::{Evaluated, Scope};
use super::super::function_name::Function as F;
use super::super::operators::{one, order};
use super::super::value::Value;
use super::Calling;
use std::cmp::Ordering;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    match calling.call.function {
        F::Aggregate => aggregate(calling, input),
        F::Min => extreme(calling, input, Ordering::Less),
        F::Max => extreme(calling, input, Ordering::Greater),
        F::Sum => sum(calling, input),
        _ => {
            let sum = sum(calling, input)?;
            let Some(sum) = one(&sum, calling.place)? else { return Ok(Collection::empty()) };
            let budget = &calling.evaluator.budget;
            Ok(arithmetic::apply(Operator::Divide, sum, &Value::count(input.len()), budget)?.into())
        }
    }
}

fn aggregate<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(expr) = calling.expression(0) else { return Ok(Collection::empty()) };
    let mut total = calling.argument(1)?;
    for (index, value) in input.iter().enumerate() {
        let this = Collection::one(value.clone());
        let scope = Scope { this: &this, index: Some(index), total: Some(&total) };
        total = calling.evaluator.evaluate(expr, scope)?;
    }
    Ok(total)
}

/// A primitive with extensions but no value: an answer that was refused is not one to leave out.
fn has_no_value(value: &Value<'_>) -> bool {
    value.node().is_some_and(|node| node.json.is_none())
}

fn sum<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let mut total: Option<Value<'d>> = None;
    for value in input {
        if has_no_value(value) {
            return Ok(Collection::empty());
        }
        let plain = value.plain();
        if !matches!(plain, Value::Integer(_) | Value::Decimal(_)) && plain.quantity().is_none() {
            return Err(calling.wrong_type("numbers", value));
        }
        total = match total {
            None => Some(plain),
            Some(before) => match arithmetic::apply(Operator::Add, &before, &plain, budget)? {
                Some(sum) => Some(sum),
                // A sum that doesn't exist is not the sum of the rest.
                None => return Ok(Collection::empty()),
            },
        };
    }
    Ok(total.into())
}

fn extreme<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>, wanted: Ordering) -> Evaluated<'d> {
    let mut found: Option<&Value<'d>> = None;
    for value in input {
        if has_no_value(value) {
            return Ok(Collection::empty());
        }
        if !matches!(
            value.plain(),
            Value::Integer(_) | Value::Decimal(_) | Value::String(_) | Value::Temporal(_)
        ) && value.quantity().is_none()
        {
            return Err(calling.wrong_type("values that have an order", value));
        }
        let Some(before) = found else {
            found = Some(value);
            continue;
        };
        match order(value, before, calling.place, &calling.evaluator.budget)? {
            Some(order) if order == wanted => found = Some(value),
            Some(_) => {}
            None => return Ok(Collection::empty()),
        }
    }
    Ok(found.map(Value::plain).into())
}
