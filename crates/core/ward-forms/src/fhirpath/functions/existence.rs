//! Whether there is something, and what holds of all of it.
//!
//! Source: FHIRPath 2.0 §5.1.

use super::super::collection::Collection;
use super::super::distinct::Distinct;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::operators::truth;
use super::super::value::Value;
use super::Calling;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    match calling.call.function {
        F::Empty => Ok(input.is_empty().into()),
        F::Exists => exists(calling, &input),
        F::All => all(calling, &input),
        F::AllTrue => booleans(calling, &input, |values| values.iter().all(|value| *value)),
        F::AnyTrue => booleans(calling, &input, |values| values.iter().any(|value| *value)),
        F::AllFalse => booleans(calling, &input, |values| values.iter().all(|value| !*value)),
        F::AnyFalse => booleans(calling, &input, |values| values.iter().any(|value| !*value)),
        F::SubsetOf => subset(calling, &input, &calling.argument(0)?),
        F::SupersetOf => subset(calling, &calling.argument(0)?, &input),
        F::Count => Ok(Value::count(input.len()).into()),
        F::Distinct => Ok(Distinct::of(input.values(), budget)?.into_values().into()),
        F::IsDistinct => Ok((Distinct::of(input.values(), budget)?.len() == input.len()).into()),
        _ => Ok(truth(&input, calling.place)?.map(|is_true| !is_true).into()),
    }
}

fn exists<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(criteria) = calling.expression(0) else { return Ok((!input.is_empty()).into()) };
    for (index, value) in input.iter().enumerate() {
        if truth(&calling.for_value(criteria, value, index)?, calling.place)? == Some(true) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

fn all<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(criteria) = calling.expression(0) else { return Ok(Collection::empty()) };
    for (index, value) in input.iter().enumerate() {
        if truth(&calling.for_value(criteria, value, index)?, calling.place)? != Some(true) {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

fn booleans<'d>(
    calling: &Calling<'_, '_, 'd>,
    input: &Collection<'d>,
    holds: impl Fn(&[bool]) -> bool,
) -> Evaluated<'d> {
    let values: Result<Vec<bool>, _> = input
        .iter()
        .map(|value| value.boolean().ok_or_else(|| calling.wrong_type("booleans", value)))
        .collect();
    calling.evaluator.budget.take(input.len())?;
    Ok(holds(&values?).into())
}

fn subset<'d>(calling: &Calling<'_, '_, 'd>, part: &Collection<'d>, whole: &Collection<'d>) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let whole = Distinct::of(whole.values(), budget)?;
    for value in part {
        if !whole.has(value, budget)? {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}
