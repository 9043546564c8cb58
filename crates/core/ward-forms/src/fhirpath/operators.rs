//! The operators between expressions, and the signs.
//!
//! Source: FHIRPath 2.0 §6.

use super::arithmetic;
use super::ast::Operator;
use super::budget::Budget;
use super::collection::Collection;
use super::distinct::Distinct;
use super::equality::{Pair, equal, equal_values, equivalent};
use super::error::EvaluationError;
use super::evaluator::{Evaluated, Evaluator};
use super::text::Text;
use super::value::Value;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Applies an operator. The right side is evaluated only if the result may depend on it.
pub(super) fn binary<'d>(
    evaluator: &Evaluator<'_, 'd>,
    operator: Operator,
    left: Collection<'d>,
    right: impl FnOnce() -> Evaluated<'d>,
) -> Evaluated<'d> {
    let budget = &evaluator.budget;
    match operator {
        Operator::And | Operator::Or | Operator::Xor | Operator::Implies => logic(operator, &left, right),
        Operator::Equal => Ok(equal(&left, &right()?, budget)?.into()),
        Operator::NotEqual => Ok(equal(&left, &right()?, budget)?.map(|is_equal| !is_equal).into()),
        Operator::Equivalent => Ok(equivalent(&left, &right()?, budget)?.into()),
        Operator::NotEquivalent => Ok((!equivalent(&left, &right()?, budget)?).into()),
        Operator::In => member_of(&left, &right()?, "in", budget),
        Operator::Contains => member_of(&right()?, &left, "contains", budget),
        Operator::Union => union(left, right()?, budget),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            compare(operator, &left, &right()?, budget)
        }
        Operator::Concatenate => concatenate(&left, &right()?, budget),
        Operator::Add
        | Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::DivideWhole
        | Operator::Modulo => {
            let right = right()?;
            let place = operator.text();
            match (one(&left, place)?, one(&right, place)?) {
                (Some(a), Some(b)) => Ok(arithmetic::apply(operator, &a.plain(), &b.plain(), budget)?.into()),
                _ => Ok(Collection::empty()),
            }
        }
    }
}

/// The only value, nothing of nothing; several are an error. A primitive that has extensions but no
/// value is nothing: an answer that says why it is absent is not an answer.
pub(super) fn one<'c, 'd>(
    values: &'c Collection<'d>,
    place: &'static str,
) -> Result<Option<&'c Value<'d>>, EvaluationError> {
    match values.values() {
        [] => Ok(None),
        [Value::Node(node)] if node.json.is_none() => Ok(None),
        [value] => Ok(Some(value)),
        more => Err(EvaluationError::NotSingle { place, found: more.len() }),
    }
}

/// The truth of a collection: nothing of nothing, the value of one boolean, and true of any other one
/// value (FHIRPath 2.0 §5.5).
pub(super) fn truth(values: &Collection<'_>, place: &'static str) -> Result<Option<bool>, EvaluationError> {
    Ok(one(values, place)?.map(|value| value.boolean().unwrap_or(true)))
}

fn logic<'d>(
    operator: Operator,
    left: &Collection<'d>,
    right: impl FnOnce() -> Evaluated<'d>,
) -> Evaluated<'d> {
    let place = operator.text();
    let left = truth(left, place)?;
    let decided = match (operator, left) {
        (Operator::And, Some(false)) => Some(false),
        (Operator::Or, Some(true)) | (Operator::Implies, Some(false)) => Some(true),
        _ => None,
    };
    if decided.is_some() {
        return Ok(decided.into());
    }
    let right = truth(&right()?, place)?;
    let result = match (operator, left, right) {
        (Operator::And, _, Some(false)) => Some(false),
        (Operator::And, Some(true), right) => right,
        (Operator::Or | Operator::Implies, _, Some(true)) => Some(true),
        (Operator::Or, Some(false), right) | (Operator::Implies, Some(true), right) => right,
        (Operator::Xor, Some(a), Some(b)) => Some(a != b),
        _ => None,
    };
    Ok(result.into())
}

fn member_of<'d>(
    value: &Collection<'d>,
    values: &Collection<'d>,
    place: &'static str,
    budget: &Budget,
) -> Evaluated<'d> {
    let Some(value) = one(value, place)? else { return Ok(Collection::empty()) };
    for other in values {
        if equal_values(value, other, budget)? == Some(true) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

/// Both sides, each value once.
pub(super) fn union<'d>(left: Collection<'d>, right: Collection<'d>, budget: &Budget) -> Evaluated<'d> {
    Budget::hold(left.len() + right.len())?;
    let mut set = Distinct::of(left.values(), budget)?;
    for value in &right {
        set.insert(value, budget)?;
    }
    Ok(set.into_values().into())
}

fn concatenate<'d>(left: &Collection<'d>, right: &Collection<'d>, budget: &Budget) -> Evaluated<'d> {
    let text = |values: &Collection<'d>| -> Result<Text<'d>, EvaluationError> {
        let Some(value) = one(values, "&")? else { return Ok(Text::borrowed("")) };
        value.text().ok_or_else(|| EvaluationError::WrongType {
            place: "&",
            expected: "strings",
            found: value.type_name().into_owned(),
        })
    };
    let (left, right) = (text(left)?, text(right)?);
    budget.build(left.len() + right.len())?;
    Ok(Value::string(format!("{left}{right}")).into())
}

fn compare<'d>(
    operator: Operator,
    left: &Collection<'d>,
    right: &Collection<'d>,
    budget: &Budget,
) -> Evaluated<'d> {
    let place = operator.text();
    let (Some(left), Some(right)) = (one(left, place)?, one(right, place)?) else {
        return Ok(Collection::empty());
    };
    let order = order(left, right, place, budget)?;
    let holds = order.map(|order| match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    });
    Ok(holds.into())
}

/// The order of two values: nothing if it is not known, an error if their types have none.
pub(super) fn order(
    left: &Value<'_>,
    right: &Value<'_>,
    place: &'static str,
    budget: &Budget,
) -> Result<Option<Ordering>, EvaluationError> {
    match Pair::of(left, right) {
        Pair::Numbers(a, b) => Ok(Some(a.cmp(&b))),
        Pair::Texts(a, b) => {
            budget.read(a.len().min(b.len()))?;
            Ok(Some(a.cmp(&b)))
        }
        Pair::Temporals(a, b) if a.is_comparable(&b) => Ok(a.order(&b)),
        Pair::Quantities(a, b) => {
            budget.take(a.steps_with(&b))?;
            Ok(a.order(&b))
        }
        _ => Err(not_defined(place, left, right)),
    }
}

pub(super) fn not_defined(operator: &'static str, left: &Value<'_>, right: &Value<'_>) -> EvaluationError {
    EvaluationError::NotDefined {
        operator,
        left: left.type_name().into_owned(),
        right: right.type_name().into_owned(),
    }
}

/// `+x` and `-x`.
pub(super) fn signed<'d>(value: Collection<'d>, is_minus: bool) -> Evaluated<'d> {
    let Some(only) = one(&value, if is_minus { "-" } else { "+" })? else { return Ok(value) };
    let negative = match only.plain() {
        Value::Integer(number) => number.checked_neg().map(Value::Integer),
        Value::Decimal(number) => Some(Value::Decimal(negated(number))),
        Value::Quantity(mut quantity) => {
            quantity.value = negated(quantity.value);
            Some(Value::Quantity(quantity))
        }
        other => {
            let Some(mut quantity) = other.quantity() else {
                return Err(EvaluationError::WrongType {
                    place: if is_minus { "-" } else { "+" },
                    expected: "a number",
                    found: only.type_name().into_owned(),
                });
            };
            quantity.value = negated(quantity.value);
            Some(Value::Quantity(Box::new(quantity)))
        }
    };
    Ok(if is_minus { negative.into() } else { value })
}

/// Nothing has a negative zero.
fn negated(number: Decimal) -> Decimal {
    if number.is_zero() { number } else { -number }
}
