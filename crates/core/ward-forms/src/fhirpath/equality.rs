//! `=` and `~`.
//!
//! Source: FHIRPath 2.0 §6.1.

use super::budget::Budget;
use super::collection::Collection;
use super::error::EvaluationError;
use super::quantity::{Quantity, UnitText, is_equivalent};
use super::temporal::{Temporal, TemporalKind};
use super::text::Text;
use super::value::Value;
use super::written::{Written, digits_of};
use crate::limits::{MAX_JSON_DEPTH, VALUES_MOVED_PER_STEP};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;

type Outcome<T> = Result<T, EvaluationError>;

/// Equality of collections. Nothing if one is empty, or if it is not known.
pub(super) fn equal(left: &Collection<'_>, right: &Collection<'_>, budget: &Budget) -> Outcome<Option<bool>> {
    if left.is_empty() || right.is_empty() {
        return Ok(None);
    }
    if left.len() != right.len() {
        return Ok(Some(false));
    }
    let mut is_known = true;
    for (a, b) in left.iter().zip(right) {
        match equal_values(a, b, budget)? {
            Some(true) => {}
            Some(false) => return Ok(Some(false)),
            None => is_known = false,
        }
    }
    Ok(is_known.then_some(true))
}

/// Equality of two values; nothing if it is not known.
pub(super) fn equal_values(left: &Value<'_>, right: &Value<'_>, budget: &Budget) -> Outcome<Option<bool>> {
    budget.take(1)?;
    Ok(match Pair::of(left, right) {
        Pair::Numbers(a, b) => Some(a == b),
        Pair::Texts(a, b) => {
            budget.read(a.len().min(b.len()))?;
            Some(a == b)
        }
        Pair::Booleans(a, b) => Some(a == b),
        Pair::Temporals(a, b) => temporals_equal(&a, &b),
        Pair::Quantities(a, b) => {
            budget.take(a.steps_with(&b))?;
            a.order(&b).map(|order| order == Ordering::Equal)
        }
        Pair::Documents(a, b) => Some(json_equal(a, b, budget)?),
        // An answer that was refused is no value: it equals nothing, and differs from nothing.
        Pair::Unlike if has_no_value(left) || has_no_value(right) => None,
        Pair::Unlike => Some(false),
    })
}

/// Whether a primitive has extensions only.
fn has_no_value(value: &Value<'_>) -> bool {
    value.node().is_some_and(|node| node.json.is_none())
}

fn temporals_equal(left: &Temporal, right: &Temporal) -> Option<bool> {
    if !left.is_comparable(right) {
        return Some(false);
    }
    left.order(right).map(|order| order == Ordering::Equal)
}

/// Two values brought to something that can be compared.
pub(super) enum Pair<'v> {
    Numbers(Decimal, Decimal),
    Texts(Text<'v>, Text<'v>),
    Booleans(bool, bool),
    Temporals(Temporal, Temporal),
    Quantities(Quantity<'v>, Quantity<'v>),
    Documents(Written<'v>, Written<'v>),
    /// Of types that nothing brings together.
    Unlike,
}

impl<'v> Pair<'v> {
    pub(super) fn of(left: &Value<'v>, right: &Value<'v>) -> Self {
        match (left.plain(), right.plain()) {
            (Value::Boolean(a), Value::Boolean(b)) => Self::Booleans(a, b),
            (Value::Integer(a), Value::Integer(b)) => Self::Numbers(a.into(), b.into()),
            (Value::Integer(a), Value::Decimal(b)) => Self::Numbers(a.into(), b),
            (Value::Decimal(a), Value::Integer(b)) => Self::Numbers(a, b.into()),
            (Value::Decimal(a), Value::Decimal(b)) => Self::Numbers(a, b),
            (Value::String(a), Value::String(b)) => Self::Texts(a, b),
            (Value::Temporal(a), Value::Temporal(b)) => Self::Temporals(a, b),
            (Value::Temporal(a), Value::String(_)) => {
                unknown_as(right, &a).map_or(Self::Unlike, |b| Self::Temporals(a, b))
            }
            (Value::String(_), Value::Temporal(b)) => {
                unknown_as(left, &b).map_or(Self::Unlike, |a| Self::Temporals(a, b))
            }
            (a, b) => Self::of_others(a, b),
        }
    }

    fn of_others(left: Value<'v>, right: Value<'v>) -> Self {
        if let (Some(a), Some(b)) = (as_quantity(&left), as_quantity(&right)) {
            return Self::Quantities(a, b);
        }
        if let (Value::Node(a), Value::Node(b)) = (&left, &right)
            && let (Some(a), Some(b)) = (a.written(), b.written())
        {
            return Self::Documents(a, b);
        }
        match (left, right) {
            (Value::Type { name: a, namespace: x }, Value::Type { name: b, namespace: y }) => {
                Self::Booleans(a == b && x == y, true)
            }
            _ => Self::Unlike,
        }
    }
}

/// A number is a quantity of the unit `1` where the other side is a quantity.
fn as_quantity<'v>(value: &Value<'v>) -> Option<Quantity<'v>> {
    match value {
        Value::Integer(number) => Some(Quantity::new((*number).into(), UnitText::ONE)),
        Value::Decimal(number) => Some(Quantity::new(*number, UnitText::ONE)),
        other => other.quantity(),
    }
}

/// A text whose type the table doesn't know, read as a date or time like the other side.
fn unknown_as(value: &Value<'_>, like: &Temporal) -> Option<Temporal> {
    let text = value.node()?.unknown_text()?;
    match like.kind {
        TemporalKind::Time => Temporal::time(text),
        TemporalKind::Date | TemporalKind::DateTime => Temporal::date_time(text),
    }
}

/// Two documents, member by member. The order of members doesn't matter, that of arrays does. It keeps
/// its own stack, so that deep data can't exhaust the call stack.
fn json_equal(left: Written<'_>, right: Written<'_>, budget: &Budget) -> Outcome<bool> {
    if std::ptr::eq(left.json, right.json) {
        return Ok(true);
    }
    let mut waiting = vec![(left, right)];
    while let Some((left, right)) = waiting.pop() {
        budget.take(1)?;
        match (left.json, right.json) {
            (Json::Object(a), Json::Object(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, json) in a {
                    budget.read(key.len())?;
                    let Some(other) = right.field(key) else { return Ok(false) };
                    waiting.push((Written { json, digits: digits_of(left.digits, key) }, other));
                }
            }
            (Json::Array(a), Json::Array(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                waiting.extend(left.elements().zip(right.elements()));
            }
            _ => {
                if !leaves_equal(left, right, budget)? {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn leaves_equal(left: Written<'_>, right: Written<'_>, budget: &Budget) -> Outcome<bool> {
    match (left.json, right.json) {
        (Json::String(a), Json::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            Ok(a == b)
        }
        (Json::Number(_), Json::Number(_)) => Ok(left.is_same_number(right)),
        (a, b) => Ok(a == b),
    }
}

/// Equivalence of collections: the order doesn't matter, and nothing is like nothing.
pub(super) fn equivalent(left: &Collection<'_>, right: &Collection<'_>, budget: &Budget) -> Outcome<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    match_all(left.values(), right.values(), budget, |a, b| equivalent_values(a, b, budget))
}

/// Pairs each of the left with another of the right.
fn match_all<T>(
    left: &[T],
    right: &[T],
    budget: &Budget,
    is_like: impl Fn(&T, &T) -> Outcome<bool>,
) -> Outcome<bool> {
    // Those not yet taken, in order.
    let mut free: Vec<&T> = right.iter().collect();
    for a in left {
        let mut found = None;
        for (at, b) in free.iter().enumerate() {
            if is_like(a, b)? {
                found = Some(at);
                break;
            }
        }
        let Some(at) = found else { return Ok(false) };
        // What lies behind moves up.
        budget.take((free.len() - at) / VALUES_MOVED_PER_STEP + 1)?;
        free.remove(at);
    }
    Ok(true)
}

fn equivalent_values(left: &Value<'_>, right: &Value<'_>, budget: &Budget) -> Outcome<bool> {
    budget.take(1)?;
    Ok(match Pair::of(left, right) {
        Pair::Numbers(a, b) => is_equivalent(a, b, a, b),
        Pair::Texts(a, b) => texts_equivalent(&a, &b, budget)?,
        Pair::Booleans(a, b) => a == b,
        Pair::Temporals(a, b) => a.is_comparable(&b) && a.order(&b) == Some(Ordering::Equal),
        Pair::Quantities(a, b) => {
            budget.take(a.steps_with(&b))?;
            a.is_equivalent(&b)
        }
        Pair::Documents(a, b) => json_equivalent(a, b, budget, 0)?,
        Pair::Unlike => false,
    })
}

/// Case and the kind of space don't matter; how many spaces there are does (FHIRPath 2.0 §6.1.2).
fn texts_equivalent(left: &str, right: &str, budget: &Budget) -> Outcome<bool> {
    budget.read(left.len() + right.len())?;
    Ok(are_alike(left, right))
}

/// Whether two texts are equivalent.
pub(crate) fn are_alike(left: &str, right: &str) -> bool {
    let spaces_alike = |c: char| if matches!(c, '\t' | '\r' | '\n') { ' ' } else { c };
    let folded = |text: &str| text.chars().map(spaces_alike).collect::<String>().to_lowercase();
    folded(left) == folded(right)
}

fn json_equivalent(left: Written<'_>, right: Written<'_>, budget: &Budget, depth: usize) -> Outcome<bool> {
    budget.take(1)?;
    if depth > MAX_JSON_DEPTH {
        return Err(EvaluationError::DataTooDeep { limit: MAX_JSON_DEPTH });
    }
    match (left.json, right.json) {
        (Json::Object(_), Json::Object(_)) => objects_equivalent(left, right, budget, depth),
        (Json::Array(a), Json::Array(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            let (left, right): (Vec<_>, Vec<_>) = (left.elements().collect(), right.elements().collect());
            match_all(&left, &right, budget, |a, b| json_equivalent(*a, *b, budget, depth + 1))
        }
        (Json::String(a), Json::String(b)) => texts_equivalent(a, b, budget),
        _ => leaves_equal(left, right, budget),
    }
}

fn objects_equivalent(left: Written<'_>, right: Written<'_>, budget: &Budget, depth: usize) -> Outcome<bool> {
    let (Some(a), Some(b)) = (left.json.as_object(), right.json.as_object()) else { return Ok(false) };
    // An id only names a place in its document.
    let members = |map: &Map<String, Json>| map.len() - usize::from(map.contains_key("id"));
    if members(a) != members(b) {
        return Ok(false);
    }
    for (key, json) in a.iter().filter(|(key, _)| *key != "id") {
        budget.read(key.len())?;
        let value = Written { json, digits: digits_of(left.digits, key) };
        match right.field(key) {
            Some(other) if json_equivalent(value, other, budget, depth + 1)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
