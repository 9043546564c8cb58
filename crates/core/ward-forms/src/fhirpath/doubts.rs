//! What is doubtful about an expression that makes a score.
//!
//! Adding with `+` gives nothing when a part is missing, which is right. A sum over a list leaves the
//! missing out in silence, and so does putting 0 in their place. `|` and `repeat` make one of two equal
//! values, so that two equal answers count once.

use super::asked::{self, Asked};
use super::ast::{Call, Expr, Operation, Operator, Part, Step};
use super::function_name::Function as F;
use super::merging::Merging;
use super::subjects::{self, Subjects};
use super::value::Value;
use std::borrow::Cow;
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
    let mut walk = DoubtWalk::default();
    walk.expr(tree, &Asked::default(), &Subjects::new());
    let mut doubts = walk.doubts;
    let mut merging = Merging::default();
    tree.visit(&mut |part| {
        if let Part::Expr(Expr::Path { base, steps }) = part {
            doubts.extend(merging.added(base, steps));
        }
    });
    doubts
}

/// Goes through an expression and carries along what was asked on the way.
#[derive(Default)]
struct DoubtWalk {
    doubts: BTreeSet<Doubt>,
}

impl DoubtWalk {
    /// `around` is what the values are about that the expression stands in an argument of.
    fn expr<'x>(&mut self, expr: &'x Expr, asked: &Asked<'x>, around: &Subjects<'x>) {
        match expr {
            Expr::Path { base, steps } => self.path(base, steps, asked, around),
            Expr::Call(call) => self.call(call, asked, around),
            Expr::Sign { operand, .. } => self.expr(operand, asked, around),
            Expr::Chain { first, rest } => {
                if joins_zero(first, rest) {
                    self.doubts.insert(Doubt::JoinsZero);
                }
                self.expr(first, asked, around);
                for operation in rest {
                    if let Operation::Binary(_, right) = operation {
                        self.expr(right, asked, around);
                    }
                }
            }
            _ => {}
        }
    }

    fn path<'x>(&mut self, base: &'x Expr, steps: &'x [Step], asked: &Asked<'x>, around: &Subjects<'x>) {
        self.expr(base, asked, around);
        let mut asked = Cow::Borrowed(asked);
        let mut about = subjects::of(base);
        for step in steps {
            let input = if about.is_empty() { around } else { &about };
            match step {
                Step::Member(_) => {}
                Step::At(index) => self.expr(index, &asked, around),
                Step::Call(call) => {
                    self.call(call, &asked, input);
                    if let (F::Where, Some(criteria)) = (call.function, call.arguments.first()) {
                        asked = Cow::Owned(asked.into_owned().and(&asked::by(criteria, input).if_true));
                    }
                }
            }
            subjects::go_on(step, &mut about);
        }
    }

    fn call<'x>(&mut self, call: &'x Call, asked: &Asked<'x>, input: &Subjects<'x>) {
        match call.function {
            F::Sum | F::Aggregate if !asked.covers(input) => {
                self.doubts.insert(Doubt::AddsWhatIsThere);
            }
            F::Avg | F::Min | F::Max if !asked.covers(input) => {
                self.doubts.insert(Doubt::WorksOnWhatIsThere);
            }
            F::Union | F::Combine if call.arguments.iter().any(is_zero) => {
                self.doubts.insert(Doubt::JoinsZero);
            }
            F::Iif => return self.iif(call, asked, input),
            _ => {}
        }
        for argument in &call.arguments {
            self.expr(argument, asked, input);
        }
    }

    fn iif<'x>(&mut self, call: &'x Call, asked: &Asked<'x>, input: &Subjects<'x>) {
        if call.arguments.iter().skip(1).any(is_zero) {
            self.doubts.insert(Doubt::PutsZero);
        }
        let Some(criterion) = call.arguments.first() else { return };
        self.expr(criterion, asked, input);
        let outcomes = asked::by(criterion, input);
        let branches = [(1, outcomes.if_true), (2, outcomes.if_false)];
        for (place, known) in branches {
            if let Some(branch) = call.arguments.get(place) {
                self.expr(branch, &known.and(asked), input);
            }
        }
    }
}

fn is_zero(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(Value::Integer(number)) => *number == 0,
        Expr::Literal(Value::Decimal(number)) => number.is_zero(),
        _ => false,
    }
}

/// `%a | 0` or `0 | %a`, but not a list of numbers.
fn joins_zero(first: &Expr, rest: &[Operation]) -> bool {
    let joined = rest.iter().filter_map(|operation| match operation {
        Operation::Binary(Operator::Union, right) => Some(right),
        _ => None,
    });
    let parts = || std::iter::once(first).chain(joined.clone());
    joined.clone().next().is_some()
        && parts().any(is_zero)
        && parts().any(|part| !matches!(part, Expr::Literal(_)))
}
