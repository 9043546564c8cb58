//! Parts of collections, collections joined, and the tree below a value.
//!
//! Source: FHIRPath 2.0 §5.3, §5.4 and §5.8.

use super::super::budget::Budget;
use super::super::collection::Collection;
use super::super::distinct::Distinct;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::navigate;
use super::super::operators::{one, union};
use super::super::value::Value;
use super::Calling;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    match calling.call.function {
        F::Single if input.len() > 1 => {
            Err(EvaluationError::NotSingle { place: calling.place, found: input.len() })
        }
        F::Single => Ok(input),
        F::First => Ok(slice(input, 0, 1)),
        F::Last => {
            let last = input.len().saturating_sub(1);
            Ok(slice(input, last, 1))
        }
        F::Tail => Ok(slice(input, 1, usize::MAX)),
        F::Skip => Ok(slice(input, count(calling)?, usize::MAX)),
        F::Take => Ok(slice(input, 0, count(calling)?)),
        F::Intersect => intersect(calling, &input, &calling.argument(0)?),
        F::Exclude => exclude(calling, input, &calling.argument(0)?),
        F::Union => union(input, calling.argument(0)?, budget),
        F::Combine => {
            let mut joined = input;
            let other = calling.argument(0)?;
            Budget::hold(joined.len() + other.len())?;
            budget.take(other.len())?;
            joined.append(other);
            Ok(joined)
        }
        F::Descendants => navigate::descendants(&input, budget),
        _ => {
            let mut found = Collection::empty();
            for value in &input {
                if let Value::Node(node) = value {
                    navigate::children(node, budget, &mut found)?;
                }
            }
            Ok(found)
        }
    }
}

fn slice(values: Collection<'_>, skip: usize, take: usize) -> Collection<'_> {
    if skip == 0 && take >= values.len() {
        return values;
    }
    values.into_iter().skip(skip).take(take).collect()
}

/// A number of values; less than none is none.
fn count(calling: &Calling<'_, '_, '_>) -> Result<usize, EvaluationError> {
    let count = calling.integer_argument(0)?.ok_or(EvaluationError::WrongType {
        place: calling.place,
        expected: "an integer",
        found: "nothing".to_owned(),
    })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// The value at a place, counted from 0.
pub(in crate::fhirpath) fn at<'d>(
    values: &Collection<'d>,
    index: &Collection<'d>,
    budget: &Budget,
) -> Evaluated<'d> {
    budget.take(values.len())?;
    let Some(index) = one(index, "[]")? else { return Ok(Collection::empty()) };
    let index = index.integer().ok_or_else(|| EvaluationError::WrongType {
        place: "[]",
        expected: "an integer",
        found: index.type_name().into_owned(),
    })?;
    Ok(usize::try_from(index).ok().and_then(|index| values.values().get(index).cloned()).into())
}

fn intersect<'d>(
    calling: &Calling<'_, '_, 'd>,
    input: &Collection<'d>,
    other: &Collection<'d>,
) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let other = Distinct::of(other.values(), budget)?;
    let mut kept = Distinct::new();
    for value in input {
        if other.has(value, budget)? {
            kept.insert(value, budget)?;
        }
    }
    Ok(kept.into_values().into())
}

/// What is not in the other, duplicates and order kept.
fn exclude<'d>(
    calling: &Calling<'_, '_, 'd>,
    input: Collection<'d>,
    other: &Collection<'d>,
) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let other = Distinct::of(other.values(), budget)?;
    let mut kept = Collection::empty();
    for value in input {
        if !other.has(&value, budget)? {
            kept.push(value);
        }
    }
    Ok(kept)
}
