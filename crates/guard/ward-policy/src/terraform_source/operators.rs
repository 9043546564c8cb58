//! Operators, and the choice between two branches.

use super::conversion::as_text;
use super::expressions::{as_bool, reason_of};
use super::syntax::BinaryOperator;
use super::value::{Data, NotKnown, Value, joined};
use crate::graph::Reason;

/// The value of an operator between two values.
pub(super) fn binary(operator: BinaryOperator, left: Value, right: Value) -> Value {
    let is_secret = left.holds_secret() || right.holds_secret();
    let from = joined(&left.all_from(), &right.all_from());
    let found = match operator {
        BinaryOperator::And | BinaryOperator::Or => logical(operator, &left, &right),
        BinaryOperator::Equal => equal(&left, &right).map(Value::bool),
        BinaryOperator::NotEqual => equal(&left, &right).map(|is_equal| Value::bool(!is_equal)),
        _ => numeric(operator, &left, &right),
    };
    found
        .unwrap_or_else(|| not_known_of(&[&left, &right]))
        .and_from(&from)
        .computed("operator")
        .secret_if(is_secret)
}

/// What hangs on these values, of which one is not known or of the wrong kind.
pub(super) fn not_known_of(values: &[&Value]) -> Value {
    let is_unknown = |value: &&&Value| !value.is_wholly_known();
    let is_fault =
        values.iter().any(|value| value.is_fault()) || !values.iter().any(|value| is_unknown(&value));
    let reason = values.iter().find(is_unknown).map_or(Reason::Expression, |value| reason_of(value));
    Value::not_known_as(NotKnown { is_fault, ..NotKnown::new(reason) })
}

fn logical(operator: BinaryOperator, left: &Value, right: &Value) -> Option<Value> {
    // What is no truth value is refused, whatever the other side says.
    let is_refused = |side: &Value| side.is_fault() || (side.is_wholly_known() && as_bool(side).is_none());
    if is_refused(left) || is_refused(right) {
        return Some(Value::fault());
    }
    // One side alone may decide.
    let deciding = operator == BinaryOperator::Or;
    match (as_bool(left), as_bool(right)) {
        (Some(left), Some(right)) if left != deciding && right != deciding => Some(Value::bool(!deciding)),
        (Some(one), _) | (_, Some(one)) if one == deciding => Some(Value::bool(deciding)),
        (_, Some(_)) | (Some(_), _) | (None, None) => None,
    }
}

/// Whether two values are the same; none if that is not known.
pub(super) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (&left.data, &right.data) {
        (Data::Null, Data::Null) => Some(true),
        (Data::Bool(left), Data::Bool(right)) => Some(left == right),
        (Data::Number(left), Data::Number(right)) => Some(left.total_cmp(right).is_eq()),
        (Data::Text(left), Data::Text(right)) => Some(left == right),
        (Data::List(left), Data::List(right)) => {
            if left.inner.len() != right.inner.len() {
                return Some(false);
            }
            all(left.inner.iter().zip(&right.inner).map(|(left, right)| equal(left, right)))
        }
        (Data::Map(left), Data::Map(right)) => {
            if !left.inner.keys().eq(right.inner.keys()) {
                return Some(false);
            }
            all(left.inner.values().zip(right.inner.values()).map(|(left, right)| equal(left, right)))
        }
        // A resource that is there is not null.
        (Data::Block(_) | Data::Module(_), Data::Null) | (Data::Null, Data::Block(_) | Data::Module(_)) => {
            Some(false)
        }
        (Data::Unknown(_) | Data::Document(_) | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_), _)
        | (_, Data::Unknown(_) | Data::Document(_) | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_)) => {
            None
        }
        // Values of different kinds are never equal, whatever they say.
        _ => Some(false),
    }
}

/// Whether all hold: one that does not decides, whatever the others are.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut holds = Some(true);
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => holds = None,
        }
    }
    holds
}

pub(super) fn as_number(value: &Value) -> Option<f64> {
    match &value.data {
        Data::Number(number) => Some(*number),
        Data::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A number as a place in a list, or as how many there are.
pub(super) fn as_place(number: f64) -> Option<usize> {
    let is_whole = number.fract() == 0.0 && (0.0..=1e9).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
    is_whole.then_some(number as usize)
}

fn numeric(operator: BinaryOperator, left: &Value, right: &Value) -> Option<Value> {
    let (left, right) = (as_number(left)?, as_number(right)?);
    let is_zero = right.total_cmp(&0.0).is_eq() || right.total_cmp(&-0.0).is_eq();
    Some(match operator {
        BinaryOperator::Less => Value::bool(left < right),
        BinaryOperator::AtMost => Value::bool(left <= right),
        BinaryOperator::Greater => Value::bool(left > right),
        BinaryOperator::AtLeast => Value::bool(left >= right),
        BinaryOperator::Add => Value::number(left + right),
        BinaryOperator::Subtract => Value::number(left - right),
        BinaryOperator::Multiply => Value::number(left * right),
        BinaryOperator::Divide if is_zero => Value::fault(),
        BinaryOperator::Remainder if is_zero => Value::number(left),
        BinaryOperator::Divide => Value::number(left / right),
        BinaryOperator::Remainder => Value::number(left % right),
        BinaryOperator::Or | BinaryOperator::And | BinaryOperator::Equal | BinaryOperator::NotEqual => {
            return None;
        }
    })
}

/// The opposite.
pub(super) fn negated(of: &Value) -> Value {
    let found = as_bool(of).map_or_else(|| not_known_of(&[of]), |value| Value::bool(!value));
    found.and_from(&of.all_from()).computed("!").secret_if(of.is_secret)
}

/// The number with the other sign.
pub(super) fn negative(of: &Value) -> Value {
    let found = as_number(of).map_or_else(|| not_known_of(&[of]), |value| Value::number(-value));
    found.and_from(&of.all_from()).computed("-").secret_if(of.is_secret)
}

/// Said of a condition that may come to what stands in the source.
pub(crate) const VALUE_OR_OTHER: &str = "condition with a value";

/// One of two branches, and nobody knows which.
pub(super) fn choose(condition: &Value, then: Value, otherwise: Value) -> Value {
    let is_secret = condition.is_secret || then.holds_secret() || otherwise.holds_secret();
    let from = joined(&then.all_from(), &otherwise.all_from());
    if condition.is_fault() || condition.is_plain() {
        return Value::fault().and_from(&from).computed("condition").secret_if(is_secret);
    }
    if same(&then, &otherwise) {
        return then.secret_if(is_secret);
    }
    let both_lead = !then.from.is_empty() && !otherwise.from.is_empty() && leads(&then) && leads(&otherwise);
    let branches = branches_of(&then).zip(branches_of(&otherwise)).map(|(mut then, otherwise)| {
        then.extend(otherwise);
        then
    });
    let reason = reason_of(condition);
    // What a branch holds is lost where the other is not known: that there was something is told.
    let is_lost = branches.is_none() && (holds_something(&then) || holds_something(&otherwise));
    let word = if is_lost { VALUE_OR_OTHER } else { "condition" };
    let value = match branches {
        Some(branches) => Value::one_of(reason, branches),
        // Whichever it is, a resource has it.
        None if both_lead => return Value::unknown(Reason::AfterApply).and_from(&from).secret_if(is_secret),
        None => Value::unknown(reason),
    };
    value.and_from(&from).computed(word).secret_if(is_secret)
}

/// Whether a value stands in the source, or a part of it.
fn holds_something(value: &Value) -> bool {
    match &value.data {
        Data::Text(text) => !text.is_empty(),
        Data::List(_) | Data::Map(_) | Data::Document(_) => value.size() > 1,
        _ => false,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    one.is_wholly_known() && equal(one, other) == Some(true)
}

/// Whether it is not known only because a resource of this deployment says it.
fn leads(value: &Value) -> bool {
    value.not_known().is_some_and(|not_known| {
        not_known.reason == Reason::AfterApply
            && not_known.branches.is_empty()
            && not_known.beneath.is_empty()
            // A part of what a resource says is another name than the whole.
            && !not_known.written.as_deref().is_some_and(|written| written.contains('…'))
    })
}

/// The plain values that it can take.
fn branches_of(value: &Value) -> Option<Vec<Value>> {
    if value.is_plain() {
        return Some(vec![value.clone()]);
    }
    value
        .not_known()
        .filter(|not_known| !not_known.branches.is_empty())
        .map(|not_known| not_known.branches.clone())
}

/// Plain values of one kind, as a list or a map has them: beside a text, the others are texts too.
/// None if they have no kind in common.
pub(super) fn unified(items: &[Value]) -> Option<Vec<Value>> {
    let has = |is_kind: fn(&Data) -> bool| items.iter().any(|item| is_kind(&item.data));
    let (texts, numbers) =
        (has(|data| matches!(data, Data::Text(_))), has(|data| matches!(data, Data::Number(_))));
    let bools = has(|data| matches!(data, Data::Bool(_)));
    let others = has(|data| matches!(data, Data::List(_) | Data::Map(_)));
    match (texts, numbers || bools, others) {
        (true, true, false) => {
            let as_one = |item: &Value| match as_text(item) {
                Some(text) => Value { data: Value::text(&text).data, ..item.clone() },
                None => item.clone(),
            };
            Some(items.iter().map(as_one).collect())
        }
        (_, _, true) if texts || numbers || bools => None,
        _ if numbers && bools => None,
        _ => Some(items.to_vec()),
    }
}

/// Whether known values can have one type as a whole: plain ones, lists, or maps.
pub(super) fn have_one_shape(values: &[Value]) -> bool {
    let shape = |value: &Value| match &value.data {
        Data::Bool(_) | Data::Number(_) | Data::Text(_) => Some(0),
        Data::List(_) => Some(1),
        Data::Map(_) => Some(2),
        _ => None,
    };
    let mut shapes = values.iter().filter_map(shape);
    let first = shapes.next();
    shapes.all(|shape| Some(shape) == first)
}
