//! Filters and projections: functions whose argument is evaluated for each value.
//!
//! Source: FHIRPath 2.0 §5.2 and §5.5; `sort`: FHIRPath STU.

use super::super::ast::{Expr, Member, Operation, Operator};
use super::super::budget::Budget;
use super::super::collection::Collection;
use super::super::distinct::Distinct;
use super::super::error::EvaluationError;
use super::super::evaluator::{Evaluated, Scope};
use super::super::function_name::Function as F;
use super::super::navigate;
use super::super::operators::{one, order, truth};
use super::super::type_test;
use super::super::value::Value;
use super::Calling;
use std::cmp::Ordering;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    if calling.call.function == F::OfType {
        return Ok(match &calling.call.type_name {
            Some(type_name) => type_test::of_type(input, type_name),
            None => Collection::empty(),
        });
    }
    if calling.call.function == F::Sort {
        return sort(calling, input);
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
    let by_text = TextFilter::of(criteria);
    // Each text is compared with each value.
    let steps = by_text.as_ref().map_or(0, |filter| filter.texts.len());
    calling.evaluator.budget.take(input.len().saturating_mul(steps))?;
    for (index, value) in input.into_iter().enumerate() {
        if let Some(holds) = by_text.as_ref().and_then(|filter| filter.holds(&value)) {
            if holds {
                kept.push(value);
            }
            continue;
        }
        if truth(&calling.for_value(criteria, &value, index)?, calling.place)? == Some(true) {
            kept.push(value);
        }
    }
    Ok(kept)
}

/// `member = 'text'` or `member in ('text' | 'other')`, by far the most frequent filters
/// (`linkId = 'x'`): a score runs one over every item for each of its answers. Where the data are plain
/// it needs no collections.
struct TextFilter<'d> {
    member: &'d Member,
    texts: Vec<&'d str>,
}

impl<'d> TextFilter<'d> {
    fn of(criteria: &'d Expr) -> Option<Self> {
        let Expr::Chain { first, rest } = criteria else { return None };
        let Expr::Member(member) = &**first else { return None };
        let texts = match rest.as_slice() {
            [Operation::Binary(Operator::Equal, Expr::Literal(Value::String(text)))] => vec![text.as_ref()],
            [Operation::Binary(Operator::In, texts)] => literal_texts(texts)?,
            _ => return None,
        };
        Some(Self { member, texts })
    }

    /// Whether the value meets it; nothing if it takes the whole way to say.
    fn holds(&self, value: &Value<'d>) -> Option<bool> {
        let text = navigate::plain_text(value.node()?, self.member)?;
        Some(self.texts.contains(&text))
    }
}

/// The texts of a literal or of literals joined by `|`.
pub(in crate::fhirpath) fn literal_texts(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Literal(Value::String(text)) => Some(vec![text.as_ref()]),
        Expr::Chain { first, rest } => {
            let mut all = literal_texts(first)?;
            for operation in rest {
                match operation {
                    Operation::Binary(Operator::Union, right) => all.extend(literal_texts(right)?),
                    _ => return None,
                }
            }
            Some(all)
        }
        _ => None,
    }
}

fn select<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>, projection: &'d Expr) -> Evaluated<'d> {
    let mut found = Collection::empty();
    for (index, value) in input.iter().enumerate() {
        found.append(calling.for_value(projection, value, index)?);
        Budget::hold(found.len())?;
    }
    Ok(found)
}

/// Projects again what the projection gave, until nothing new comes. Only new values are gone on
/// from, so that it ends.
fn repeat<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>, projection: &'d Expr) -> Evaluated<'d> {
    let budget = &calling.evaluator.budget;
    let mut seen = Distinct::new();
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

/// Sorts by the keys in turn; a key with a minus before it from the highest down. A value without a
/// key comes first.
fn sort<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    let mut keyed = Vec::new();
    for (index, value) in input.into_iter().enumerate() {
        let keys: Result<Vec<_>, EvaluationError> = if calling.call.arguments.is_empty() {
            Ok(vec![(Some(value.clone()), false)])
        } else {
            calling.call.arguments.iter().map(|expr| sort_key(calling, expr, &value, index)).collect()
        };
        keyed.push((keys?, value));
    }
    // A comparison that fails is kept, because sorting itself can't fail.
    let mut failure = None;
    keyed.sort_by(|(a, _), (b, _)| {
        key_order(calling, a, b).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, value)| value).collect()),
    }
}

type SortKey<'d> = (Option<Value<'d>>, bool);

fn sort_key<'d>(
    calling: &Calling<'_, '_, 'd>,
    expr: &'d Expr,
    value: &Value<'d>,
    index: usize,
) -> Result<SortKey<'d>, EvaluationError> {
    let (expr, is_descending) = match expr {
        Expr::Sign { is_minus: true, operand } => (&**operand, true),
        other => (other, false),
    };
    let key = calling.for_value(expr, value, index)?;
    Ok((one(&key, calling.place)?.cloned(), is_descending))
}

fn key_order(
    calling: &Calling<'_, '_, '_>,
    left: &[SortKey<'_>],
    right: &[SortKey<'_>],
) -> Result<Ordering, EvaluationError> {
    for ((a, is_descending), (b, _)) in left.iter().zip(right) {
        let ordering = match (a, b) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => return Ok(Ordering::Less),
            (Some(_), None) => return Ok(Ordering::Greater),
            (Some(a), Some(b)) => {
                calling.evaluator.budget.take(1)?;
                order(a, b, calling.place, &calling.evaluator.budget)?.unwrap_or(Ordering::Equal)
            }
        };
        if ordering != Ordering::Equal {
            return Ok(if *is_descending { ordering.reverse() } else { ordering });
        }
    }
    Ok(Ordering::Equal)
}
