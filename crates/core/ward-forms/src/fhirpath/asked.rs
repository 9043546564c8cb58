//! What a criterion asks before answers are added up: whether they are there, and how many are.

use super::ast::Operator as O;
use super::ast::{Call, Expr, Operation, Operator, Part, Step};
use super::function_name::Function as F;
use super::subjects::{self, Subject, Subjects};
use super::value::Value;

/// What is known to be there.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked<'x> {
    /// It is known how many of these there are, all together.
    counted: Subjects<'x>,
    /// It is known how many answers the whole response has.
    is_whole_counted: bool,
    /// Each of these has something.
    there: Subjects<'x>,
}

impl<'x> Asked<'x> {
    fn counted(subjects: Subjects<'x>) -> Self {
        Self { is_whole_counted: subjects.is_empty(), counted: subjects, ..Self::default() }
    }

    /// That there is something of several says nothing of each.
    fn there(subjects: Subjects<'x>) -> Self {
        if subjects.len() == 1 { Self { there: subjects, ..Self::default() } } else { Self::default() }
    }

    pub(super) fn and(mut self, other: &Self) -> Self {
        self.counted.extend(&other.counted);
        self.there.extend(&other.there);
        self.is_whole_counted |= other.is_whole_counted;
        self
    }

    fn or(&self, other: &Self) -> Self {
        let both = |mine: &Subjects<'x>, theirs: &Subjects<'x>| mine.intersection(theirs).copied().collect();
        Self {
            counted: both(&self.counted, &other.counted),
            there: both(&self.there, &other.there),
            is_whole_counted: self.is_whole_counted && other.is_whole_counted,
        }
    }

    /// Whether none of these can be missing unseen.
    pub(super) fn covers(&self, subjects: &Subjects<'x>) -> bool {
        if subjects.is_empty() {
            return self.is_whole_counted;
        }
        // That a variable holds something doesn't say how much of what it should hold.
        let is_list = |subject: &Subject<'x>| subjects.len() == 1 && matches!(subject, Subject::Variable(_));
        subjects.iter().all(|subject| {
            self.counted.contains(subject) || (self.there.contains(subject) && !is_list(subject))
        })
    }
}

/// What is known where a criterion holds, and where it doesn't.
#[derive(Debug, Default)]
pub(super) struct Outcomes<'x> {
    pub(super) if_true: Asked<'x>,
    pub(super) if_false: Asked<'x>,
}

impl<'x> Outcomes<'x> {
    fn if_true(if_true: Asked<'x>) -> Self {
        Self { if_true, ..Self::default() }
    }

    fn if_false(if_false: Asked<'x>) -> Self {
        Self { if_false, ..Self::default() }
    }

    fn swapped(self) -> Self {
        Self { if_true: self.if_false, if_false: self.if_true }
    }
}

/// What a criterion asks about; `around` is what it stands in.
pub(super) fn by<'x>(criterion: &'x Expr, around: &Subjects<'x>) -> Outcomes<'x> {
    match criterion {
        Expr::Chain { first, rest } => match rest.as_slice() {
            [Operation::Binary(operator, right)] if !matches!(operator, Operator::And | Operator::Or) => {
                by_count(first, *operator, right, around)
            }
            _ => by_logic(first, rest, around),
        },
        Expr::Call(call) => by_call(call, &[], None, around),
        Expr::Path { base, steps } => by_path(base, steps, around),
        _ => Outcomes::default(),
    }
}

fn by_logic<'x>(first: &'x Expr, rest: &'x [Operation], around: &Subjects<'x>) -> Outcomes<'x> {
    let mut known = by(first, around);
    for operation in rest {
        let Operation::Binary(operator @ (Operator::And | Operator::Or), right) = operation else {
            return Outcomes::default();
        };
        let other = by(right, around);
        known = match operator {
            Operator::And => Outcomes {
                if_true: known.if_true.and(&other.if_true),
                if_false: known.if_false.or(&other.if_false),
            },
            _ => Outcomes {
                if_true: known.if_true.or(&other.if_true),
                if_false: known.if_false.and(&other.if_false),
            },
        };
    }
    known
}

fn by_path<'x>(base: &'x Expr, steps: &'x [Step], around: &Subjects<'x>) -> Outcomes<'x> {
    let is_not = |step: &Step| matches!(step, Step::Call(call) if call.function == F::Not);
    let negations = steps.iter().rev().take_while(|step| is_not(step)).count();
    let steps = steps.get(..steps.len() - negations).unwrap_or_default();
    let found = match steps.split_last() {
        None => by(base, around),
        Some((Step::Call(call), before)) => by_call(call, before, Some(base), around),
        Some(_) => Outcomes::default(),
    };
    if negations % 2 == 1 { found.swapped() } else { found }
}

/// A call at the end of a path, or on `$this`.
fn by_call<'x>(
    call: &'x Call,
    before: &'x [Step],
    base: Option<&'x Expr>,
    around: &Subjects<'x>,
) -> Outcomes<'x> {
    let about = || {
        let mut about = base.map_or_else(Subjects::new, |base| subjects::of_steps(base, before));
        subjects::go_on_from(call, &mut about);
        if about.is_empty() { around.clone() } else { about }
    };
    match call.function {
        F::Exists | F::HasValue => Outcomes::if_true(Asked::there(about())),
        F::Empty => Outcomes::if_false(Asked::there(about())),
        F::All | F::AllTrue if asks_of_each(call, before) => Outcomes::if_true(Asked::counted(about())),
        _ => Outcomes::default(),
    }
}

/// Whether something is asked of each value: `all(answer.exists())`, `select(answer.exists()).allTrue()`.
fn asks_of_each(call: &Call, before: &[Step]) -> bool {
    let mut asks = false;
    let mut look = |call: &Call| {
        for argument in &call.arguments {
            argument.visit(&mut |part| {
                asks |= matches!(part, Part::Call(call)
                    if matches!(call.function, F::Exists | F::HasValue | F::Empty | F::Count));
            });
        }
    };
    look(call);
    for step in before {
        if let Step::Call(call) = step {
            look(call);
        }
    }
    asks
}

/// `count()` compared with a number, on either side.
fn by_count<'x>(left: &'x Expr, operator: Operator, right: &'x Expr, around: &Subjects<'x>) -> Outcomes<'x> {
    let (about, number, operator) = match (counted(left, around), counted(right, around)) {
        (Some(about), None) => (about, right, operator),
        (None, Some(about)) => (about, left, turned(operator)),
        (Some(about), Some(other)) => (about.into_iter().chain(other).collect(), right, operator),
        (None, None) => return Outcomes::default(),
    };
    let number = match number {
        Expr::Literal(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    match (operator, number) {
        // It only asks whether there are any.
        (O::Greater | O::NotEqual, Some(0)) | (O::GreaterOrEqual | O::Equal, Some(1)) => {
            Outcomes::if_true(Asked::there(about))
        }
        (O::Equal | O::LessOrEqual, Some(0)) | (O::Less | O::NotEqual, Some(1)) => {
            Outcomes::if_false(Asked::there(about))
        }
        (_, Some(..=0)) => Outcomes::default(),
        (O::Equal | O::Equivalent | O::GreaterOrEqual | O::Greater | O::In, _) => {
            Outcomes::if_true(Asked::counted(about))
        }
        (O::NotEqual | O::NotEquivalent | O::LessOrEqual | O::Less, _) => {
            Outcomes::if_false(Asked::counted(about))
        }
        _ => Outcomes::default(),
    }
}

/// What is counted by an expression that ends in `count()`.
fn counted<'x>(expr: &'x Expr, around: &Subjects<'x>) -> Option<Subjects<'x>> {
    let about = match expr {
        Expr::Call(call) if call.function == F::Count => Subjects::new(),
        Expr::Path { base, steps } => match steps.split_last() {
            Some((Step::Call(call), before)) if call.function == F::Count => subjects::of_steps(base, before),
            _ => return None,
        },
        _ => return None,
    };
    Some(if about.is_empty() { around.clone() } else { about })
}

/// The operator seen from the other side.
fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        other => other,
    }
}
