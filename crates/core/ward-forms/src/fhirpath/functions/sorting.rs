//! `sort`. Values that have no order are an error: a place that is chosen at random is no place.
//!
//! Source: FHIRPath STU, `sort`.

use super::super::ast::Expr;
use super::super::collection::Collection;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::operators::{not_defined, one, order};
use super::super::value::Value;
use super::Calling;
use std::cmp::Ordering;

/// A key and whether it is sorted from the highest down.
type Key<'d> = (Option<Value<'d>>, bool);

type Keyed<'d> = (Vec<Key<'d>>, Value<'d>);

/// Sorts by the keys in turn; a key with a minus before it from the highest down. A value without a
/// key comes first.
pub(super) fn sort<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    let keys = calling.call.arguments.len().max(1);
    calling.evaluator.budget.take(input.len().saturating_mul(keys))?;
    let mut keyed = Vec::new();
    for (index, value) in input.into_iter().enumerate() {
        let keys: Result<Vec<_>, EvaluationError> = if calling.call.arguments.is_empty() {
            Ok(vec![(Some(value.clone()), false)])
        } else {
            calling.call.arguments.iter().map(|expr| key(calling, expr, &value, index)).collect()
        };
        keyed.push((keys?, value));
    }
    let sorted = merge_sorted(keyed, &|(a, _), (b, _)| key_order(calling, a, b))?;
    Ok(sorted.into_iter().map(|(_, value)| value).collect())
}

fn key<'d>(
    calling: &Calling<'_, '_, 'd>,
    expr: &'d Expr,
    value: &Value<'d>,
    index: usize,
) -> Result<Key<'d>, EvaluationError> {
    let (expr, is_descending) = match expr {
        Expr::Sign { is_minus: true, operand } => (&**operand, true),
        other => (other, false),
    };
    let key = calling.for_value(expr, value, index)?;
    Ok((one(&key, calling.place)?.cloned(), is_descending))
}

fn key_order(
    calling: &Calling<'_, '_, '_>,
    left: &[Key<'_>],
    right: &[Key<'_>],
) -> Result<Ordering, EvaluationError> {
    for ((a, is_descending), (b, _)) in left.iter().zip(right) {
        calling.evaluator.budget.take(1)?;
        let ordering = match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => return Ok(Ordering::Less),
            (Some(_), None) => return Ok(Ordering::Greater),
            (Some(a), Some(b)) => order(a, b, calling.place, &calling.evaluator.budget)?
                .ok_or_else(|| not_defined(calling.place, a, b))?,
        };
        if ordering != Ordering::Equal {
            return Ok(if *is_descending { ordering.reverse() } else { ordering });
        }
    }
    Ok(Ordering::Equal)
}

/// Merge sort, which keeps the places of equals. The one of the standard library can't end with an error,
/// and may panic where an order is not one.
fn merge_sorted<'d>(
    keyed: Vec<Keyed<'d>>,
    order: &dyn Fn(&Keyed<'d>, &Keyed<'d>) -> Result<Ordering, EvaluationError>,
) -> Result<Vec<Keyed<'d>>, EvaluationError> {
    let mut runs: Vec<Vec<Keyed<'d>>> = keyed.into_iter().map(|one| vec![one]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut waiting = runs.into_iter();
        while let Some(first) = waiting.next() {
            merged.push(match waiting.next() {
                Some(second) => merge(first, second, order)?,
                None => first,
            });
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn merge<'d>(
    left: Vec<Keyed<'d>>,
    right: Vec<Keyed<'d>>,
    order: &dyn Fn(&Keyed<'d>, &Keyed<'d>) -> Result<Ordering, EvaluationError>,
) -> Result<Vec<Keyed<'d>>, EvaluationError> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if order(a, b)? == Ordering::Greater { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
