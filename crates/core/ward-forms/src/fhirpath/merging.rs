//! Where equal values become one before they are added or counted.

use super::ast::{Call, Expr, Operation, Operator, Step};
use super::doubts::Doubt;
use super::function_name::Function as F;
use super::value::Value;
use std::collections::BTreeMap;

/// What equal ones became one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Merged {
    /// Items, which differ by their linkIds; answers of different questions may be equal.
    is_items: bool,
    /// The values lie in what became one.
    is_gone_on_from: bool,
}

/// What the values of an expression are, as far as it matters.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    merged: Option<Merged>,
    /// Every value is an item of a response.
    is_items: bool,
}

impl State {
    fn merged(is_items: bool) -> Self {
        Self { merged: Some(Merged { is_items, is_gone_on_from: false }), is_items }
    }

    /// What lies in the values.
    fn inside(self, is_items: bool) -> Self {
        let merged = self.merged.map(|merged| Merged { is_gone_on_from: true, ..merged });
        Self { merged, is_items }
    }
}

/// The variables that an expression has defined so far.
#[derive(Debug, Default)]
pub(super) struct Merging<'x> {
    variables: BTreeMap<&'x str, State>,
}

impl<'x> Merging<'x> {
    /// What a path adds or counts although equal values of it became one. Paths are shown from outside in,
    /// so that a variable is known where it is used.
    pub(super) fn added(&mut self, base: &'x Expr, steps: &'x [Step]) -> Option<Doubt> {
        let mut doubt = None;
        let mut state = self.of(base);
        self.define(base_call(base), state);
        for step in steps {
            if let (Step::Call(call), Some(merged)) = (step, state.merged)
                && matches!(call.function, F::Sum | F::Avg | F::Aggregate | F::Count)
            {
                doubt = doubt.or(Some(match merged {
                    Merged { is_items: true, is_gone_on_from: true } => Doubt::MergesEqualItems,
                    _ => Doubt::MergesEqualValues,
                }));
            }
            state = self.after(state, step);
            if let Step::Call(call) = step {
                self.define(Some(call), state);
            }
        }
        doubt
    }

    fn define(&mut self, call: Option<&'x Call>, state: State) {
        let Some(call) = call.filter(|call| call.function == F::DefineVariable) else { return };
        let Some(Expr::Literal(Value::String(name))) = call.arguments.first() else { return };
        let held = call.arguments.get(1).map_or(state, |value| self.of(value));
        self.variables.insert(name.as_str(), held);
    }

    fn of(&self, expr: &Expr) -> State {
        match expr {
            Expr::Chain { first, rest } => {
                let mut is_items = self.of(first).is_items;
                for operation in rest {
                    match operation {
                        Operation::Binary(Operator::Union, right) => is_items &= self.of(right).is_items,
                        _ => return State::default(),
                    }
                }
                State::merged(is_items)
            }
            Expr::Member(member) => State::default().inside(member.name == "item"),
            Expr::Variable(name) => self.variables.get(name.as_str()).copied().unwrap_or_default(),
            Expr::Call(call) => self.after_call(State::default(), call),
            Expr::Path { base, steps } => {
                steps.iter().fold(self.of(base), |state, step| self.after(state, step))
            }
            _ => State::default(),
        }
    }

    fn after(&self, state: State, step: &Step) -> State {
        match step {
            Step::Member(member) => state.inside(member.name == "item"),
            Step::Call(call) => self.after_call(state, call),
            Step::At(_) => State { merged: None, ..state },
        }
    }

    fn after_call(&self, state: State, call: &Call) -> State {
        let argument = || call.arguments.first().map(|argument| self.of(argument)).unwrap_or_default();
        match call.function {
            F::Union => State::merged(state.is_items && argument().is_items),
            F::Combine => {
                let other = argument();
                let is_items = state.is_items && other.is_items;
                State { merged: state.merged.or(other.merged), is_items }
            }
            // What it gives are as a rule items: the values are gone on to from them.
            F::Repeat => State::merged(argument().is_items),
            F::Select => {
                let each = argument();
                let inside = state.inside(each.is_items);
                State { merged: each.merged.or(inside.merged), ..inside }
            }
            F::Children | F::Descendants | F::Weight | F::Ordinal => state.inside(false),
            F::Where | F::OfType | F::Sort | F::Trace | F::Tail | F::Skip | F::Take | F::DefineVariable => {
                state
            }
            F::First | F::Last | F::Single => State { merged: None, ..state },
            _ => State::default(),
        }
    }
}

fn base_call(base: &Expr) -> Option<&Call> {
    match base {
        Expr::Call(call) => Some(call),
        _ => None,
    }
}
