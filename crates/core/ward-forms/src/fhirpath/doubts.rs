//! What is doubtful about an expression that makes a score.
//!
//! Adding with `+` gives nothing when a part is missing, which is right. A sum over a list leaves the
//! missing out in silence, and so does putting 0 in their place. `|` and `repeat` make one of two equal
//! values, so that two equal answers count once.

use super::ast::{Call, Expr, Operation, Operator, Part, Step};
use super::function_name::Function as F;
use super::value::Value;
use std::collections::BTreeSet;

/// A doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Doubt {
    /// It adds up the answers that are there and never asks how many are.
    AddsWhatIsThere,
    /// It takes the mean, the least or the most of the answers that are there and never asks how many
    /// are.
    WorksOnWhatIsThere,
    /// It puts 0 in the place of an answer.
    PutsZero,
    /// It joins a 0 to answers, for when there are none.
    JoinsZero,
    /// It adds or counts values of which equal ones became one.
    MergesEqualValues,
    /// It adds or counts what lies in items of which equal ones became one: two instances of a group with
    /// the same answers.
    MergesEqualItems,
}

pub(super) fn of(tree: &Expr) -> BTreeSet<Doubt> {
    let mut doubts = BTreeSet::new();
    let mut asks = false;
    tree.visit(&mut |part| match part {
        Part::Call(call) => {
            asks |= asks_whether_there(call.function);
            doubts.extend(of_call(call));
        }
        Part::Expr(Expr::Path { base, steps }) => doubts.extend(merged_and_added(base, steps)),
        Part::Expr(Expr::Chain { first, rest }) if joins_zero(first, rest) => {
            doubts.insert(Doubt::JoinsZero);
        }
        Part::Expr(_) => {}
    });
    if asks {
        doubts.remove(&Doubt::AddsWhatIsThere);
        doubts.remove(&Doubt::WorksOnWhatIsThere);
    }
    doubts
}

fn asks_whether_there(function: F) -> bool {
    matches!(function, F::Count | F::Exists | F::Empty | F::All | F::AllTrue | F::HasValue | F::IsDistinct)
}

fn of_call(call: &Call) -> Option<Doubt> {
    match call.function {
        F::Sum | F::Aggregate => Some(Doubt::AddsWhatIsThere),
        F::Avg | F::Min | F::Max => Some(Doubt::WorksOnWhatIsThere),
        F::Iif if call.arguments.iter().skip(1).any(is_zero) => Some(Doubt::PutsZero),
        _ => None,
    }
}

fn is_zero(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(Value::Integer(number)) => *number == 0,
        Expr::Literal(Value::Decimal(number)) => number.is_zero(),
        _ => false,
    }
}

/// `%a | 0`, but not a list of numbers.
fn joins_zero(first: &Expr, rest: &[Operation]) -> bool {
    !matches!(first, Expr::Literal(_))
        && rest
            .iter()
            .any(|operation| matches!(operation, Operation::Binary(Operator::Union, right) if is_zero(right)))
}

/// What has become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Merged {
    Values,
    /// The values lie in what became one.
    Holders,
}

fn merged_and_added(base: &Expr, steps: &[Step]) -> Option<Doubt> {
    let mut merged = merged_in(base);
    for step in steps {
        if let (Step::Call(call), Some(merged)) = (step, merged)
            && matches!(call.function, F::Sum | F::Avg | F::Aggregate | F::Count)
        {
            return Some(match merged {
                Merged::Values => Doubt::MergesEqualValues,
                Merged::Holders => Doubt::MergesEqualItems,
            });
        }
        merged = after(merged, step);
    }
    None
}

/// What has become one in the values of an expression.
fn merged_in(expr: &Expr) -> Option<Merged> {
    match expr {
        Expr::Chain { rest, .. } => {
            let is_union = |operation: &Operation| matches!(operation, Operation::Binary(Operator::Union, _));
            rest.iter().any(is_union).then_some(Merged::Values)
        }
        Expr::Call(call) => after_call(None, call),
        Expr::Path { base, steps } => steps.iter().fold(merged_in(base), after),
        _ => None,
    }
}

fn after(merged: Option<Merged>, step: &Step) -> Option<Merged> {
    match step {
        Step::Member(_) => merged.map(|_| Merged::Holders),
        Step::Call(call) => after_call(merged, call),
        Step::At(_) => None,
    }
}

fn after_call(merged: Option<Merged>, call: &Call) -> Option<Merged> {
    match call.function {
        F::Union => Some(Merged::Values),
        // What it gives are as a rule items: the values are gone on to from them.
        F::Repeat => Some(Merged::Values),
        F::Select => call.arguments.first().and_then(merged_in).or(merged.map(|_| Merged::Holders)),
        F::Children | F::Descendants | F::Weight | F::Ordinal => merged.map(|_| Merged::Holders),
        F::Where | F::OfType | F::Sort | F::Trace | F::Tail | F::Skip | F::Take => merged,
        _ => None,
    }
}
