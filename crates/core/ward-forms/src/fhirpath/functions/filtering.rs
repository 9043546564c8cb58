//! Filters and projections: functions whose argument is evaluated for each value.
//!
//! Source: FHIRPath 2.0 §5.2 and §5.5.

use super::super::ast::Expr;
use super::super::budget::Budget;
use super::super::collection::Collection;
use super::super::distinct::Distinct;
use super::super::error::EvaluationError;
use super::super::evaluator::{Evaluated, Scope};
use super::super::function_name::Function as F;
use super::super::operators::{one, truth};
use super::super::text_filter::TextFilter;
use super::super::type_test;
use super::{Calling, sorting};

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    if calling.call.function == F::OfType {
        return Ok(match &calling.call.type_name {
            Some(type_name) => type_test::of_type(input, type_name),
            None => Collection::empty(),
        });
    }
    if calling.call.function == F::Sort {
        return sorting::sort(calling, input);
    }
    let Some(expr) = calling.expression(0) else { return Ok(Collection::empty()) };
    match calling.call.function {
        F::Where => filter(calling, input, expr),
        F::Select => select(calling, &input, expr),
        F::Repeat => repeat(calling, input, expr),
        _ => iif(calling, &input, expr),
    }
}

fn filter<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>, criteria: &'d Expr) -> Evaluated<'d> {
    let mut kept = Collection::empty();
    let by_text = calling.call.text_filter.as_ref();
    let steps = by_text.map_or(0, TextFilter::steps);
    calling.evaluator.budget.take(input.len().saturating_mul(steps))?;
    for (index, value) in input.into_iter().enumerate() {
        let holds = match by_text.and_then(|filter| filter.holds(&value)) {
            Some(holds) => holds,
            None => truth(&calling.for_value(criteria, &value, index)?, calling.place)? == Some(true),
        };
        if holds {
            kept.push(value);
        }
    }
    Ok(kept)
}

fn select<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>, projection: &'d Expr) -> Evaluated<'d> {
    let mut found = Collection::empty();
    let mut in_use = calling.evaluator.budget.keep(0)?;
    for (index, value) in input.iter().enumerate() {
        found.append(calling.for_value(projection, value, index)?);
        Budget::hold(found.len())?;
        in_use.grow_to(found.len())?;
    }
    Ok(found)
}

/// Projects again what the projection gave, until nothing new comes. Only new values are gone on
/// from, so that it ends.
fn repeat<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>, projection: &'d Expr) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let mut seen = Distinct::new();
    let mut in_use = budget.keep(0)?;
    let mut waiting = input;
    while !waiting.is_empty() {
        let mut new = Collection::empty();
        for (index, value) in waiting.iter().enumerate() {
            for found in calling.for_value(projection, value, index)? {
                if seen.insert(&found, budget)? {
                    new.push(found);
                }
            }
            Budget::hold(seen.len())?;
            // A set takes as much again for its marks, and what is new is there twice.
            in_use.grow_to(2 * seen.len())?;
        }
        waiting = new;
    }
    Ok(seen.into_values().into())
}

fn iif<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>, criterion: &'d Expr) -> Evaluated<'d> {
    if input.len() > 1 {
        return Err(EvaluationError::NotSingle { place: calling.place, found: input.len() });
    }
    // The arguments see the value that the function is called on.
    let scope = Scope { this: input, ..calling.scope };
    let holds = calling.evaluator.evaluate(criterion, scope)?;
    let holds = match one(&holds, calling.place)? {
        None => false,
        Some(value) => value.boolean().ok_or_else(|| calling.wrong_type("a boolean", value))?,
    };
    match calling.expression(if holds { 1 } else { 2 }) {
        Some(expr) => calling.evaluator.evaluate(expr, scope),
        None => Ok(Collection::empty()),
    }
}
