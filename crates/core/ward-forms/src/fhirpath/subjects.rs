//! What a part of an expression is about: the items that its filters name, and the variables it uses.

use super::ast::{Call, Expr, Operation, Step};
use super::function_name::Function as F;
use super::link_id_filter::{LinkIdFilter, compared};
use std::collections::BTreeSet;

/// Something that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject<'x> {
    /// Items with this linkId.
    Item(&'x str),
    /// What a variable holds.
    Variable(&'x str),
}

pub(super) type Subjects<'x> = BTreeSet<Subject<'x>>;

/// Nothing is named where an expression is about the response as a whole.
pub(super) fn of(expr: &Expr) -> Subjects<'_> {
    let mut found = Subjects::new();
    add(expr, &mut found);
    found
}

/// Of a path with only these steps.
pub(super) fn of_steps<'x>(base: &'x Expr, steps: &'x [Step]) -> Subjects<'x> {
    let mut found = of(base);
    for step in steps {
        go_on(step, &mut found);
    }
    found
}

/// What a path is about behind one more step.
pub(super) fn go_on<'x>(step: &'x Step, subjects: &mut Subjects<'x>) {
    if let Step::Call(call) = step {
        go_on_from(call, subjects);
    }
}

pub(super) fn go_on_from<'x>(call: &'x Call, subjects: &mut Subjects<'x>) {
    let filters = matches!(call.function, F::Where | F::Exists | F::All);
    if let Some(filter) = call.arguments.first().filter(|_| filters).and_then(LinkIdFilter::of) {
        // The items before the last filter are only gone through.
        *subjects = filter.link_ids.into_iter().map(Subject::Item).collect();
        return;
    }
    for argument in &call.arguments {
        add(argument, subjects);
    }
}

fn add<'x>(expr: &'x Expr, into: &mut Subjects<'x>) {
    match expr {
        Expr::Variable(name) if !matches!(name.as_str(), "resource" | "rootResource" | "context") => {
            into.insert(Subject::Variable(name));
        }
        Expr::Call(call) => go_on_from(call, into),
        Expr::Path { base, steps } => into.extend(of_steps(base, steps)),
        Expr::Sign { operand, .. } => add(operand, into),
        Expr::Chain { first, rest } => {
            add(first, into);
            if let Some(Operation::Binary(operator, right)) = rest.first()
                && let Some((link_ids, _)) = compared(*operator, first, right)
            {
                into.extend(link_ids.into_iter().map(Subject::Item));
            }
            for operation in rest {
                if let Operation::Binary(_, right) = operation {
                    add(right, into);
                }
            }
        }
        _ => {}
    }
}
