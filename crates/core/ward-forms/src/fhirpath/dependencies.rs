//! What the result of an expression may depend on, so that only that is evaluated again.
//!
//! Paths that lead through `where(linkId = 'x')` depend on the items with that linkId and on what lies
//! below them. Of everything before that filter they use only that the items are there. A path that
//! reads anything of the response without such a filter depends on all of it: in doubt an expression
//! is evaluated too often, never too seldom.

use super::ast::{Call, Expr, Operation, Operator, Step};
use super::function_name::Function as F;
use super::functions::literal_texts;
use std::collections::BTreeSet;

/// What an expression depends on besides the time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    variables: BTreeSet<String>,
    link_ids: BTreeSet<String>,
    is_everything: bool,
}

impl Dependencies {
    pub(super) fn of(tree: &Expr) -> Self {
        let mut found = Self::default();
        // An expression begins on its context, which is the response or a part of it.
        let state = found.walk(tree, State::Open);
        found.read(state);
        found
    }

    /// The variables that it names, without the `%`.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }

    /// The linkIds that it compares `linkId` with. It depends on these items and what lies below them.
    pub fn link_ids(&self) -> impl Iterator<Item = &str> {
        self.link_ids.iter().map(String::as_str)
    }

    /// Whether it reads the response in a way that the linkIds don't tell.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.is_everything
    }

    /// Notes that values are used as they are.
    fn read(&mut self, state: State) {
        self.is_everything |= state == State::Open;
    }

    fn walk(&mut self, expr: &Expr, focus: State) -> State {
        match expr {
            Expr::Empty | Expr::Literal(_) | Expr::Index | Expr::Total => State::Outside,
            Expr::This => focus,
            Expr::Variable(name) => {
                self.variables.insert(name.clone());
                match name.as_str() {
                    "resource" | "rootResource" | "context" => State::Open,
                    _ => State::Outside,
                }
            }
            Expr::Member(member) => self.member(&member.name, focus),
            Expr::Call(call) => self.call(call, focus, focus),
            Expr::Path { base, steps } => {
                let mut state = self.walk(base, focus);
                for step in steps {
                    state = match step {
                        Step::Member(member) => self.member(&member.name, state),
                        Step::Call(call) => self.call(call, state, focus),
                        Step::At(index) => {
                            let index = self.walk(index, focus);
                            self.read(index);
                            self.read(state);
                            state
                        }
                    };
                }
                state
            }
            Expr::Sign { operand, .. } => {
                let state = self.walk(operand, focus);
                self.read(state);
                State::Outside
            }
            Expr::Chain { first, rest } => self.chain(first, rest, focus),
        }
    }

    fn chain(&mut self, first: &Expr, rest: &[Operation], focus: State) -> State {
        let mut state = self.walk(first, focus);
        for operation in rest {
            state = match operation {
                Operation::As(_) => state,
                Operation::Is(_) => {
                    self.read(state);
                    State::Outside
                }
                Operation::Binary(Operator::Union, right) => state.max(self.walk(right, focus)),
                Operation::Binary(_, right) => {
                    let right = self.walk(right, focus);
                    self.read(right);
                    self.read(state);
                    State::Outside
                }
            };
        }
        state
    }

    fn member(&mut self, name: &str, of: State) -> State {
        if of != State::Open || matches!(name, "item" | "answer" | "QuestionnaireResponse") {
            return of;
        }
        self.is_everything = true;
        State::Filtered
    }

    fn call(&mut self, call: &Call, input: State, focus: State) -> State {
        match call.function {
            F::Where | F::Exists => self.filter(call, input),
            F::Select | F::Repeat => {
                call.arguments.iter().map(|expr| self.walk(expr, input)).max().unwrap_or(input)
            }
            F::Children | F::Descendants | F::OfType | F::As => input,
            F::Trace => {
                self.arguments(call, input);
                input
            }
            F::Union | F::Combine => {
                call.arguments.iter().map(|expr| self.walk(expr, focus)).max().unwrap_or(input).max(input)
            }
            // They don't look at what they are called on.
            F::Now | F::Today | F::TimeOfDay => State::Outside,
            F::Iif => {
                let mut states = call.arguments.iter().map(|expr| self.walk(expr, input)).collect::<Vec<_>>();
                let criterion = if states.is_empty() { State::Outside } else { states.remove(0) };
                self.read(criterion);
                states.into_iter().max().unwrap_or(State::Outside)
            }
            F::DefineVariable => {
                self.arguments(call, input);
                if call.arguments.len() < 2 {
                    self.read(input);
                }
                input
            }
            F::All | F::Aggregate | F::Sort => {
                self.arguments(call, input);
                self.read(input);
                input
            }
            _ => {
                self.arguments(call, focus);
                self.read(input);
                input
            }
        }
    }

    fn arguments(&mut self, call: &Call, focus: State) {
        for expr in &call.arguments {
            let state = self.walk(expr, focus);
            self.read(state);
        }
    }

    fn filter(&mut self, call: &Call, input: State) -> State {
        let Some(criteria) = call.arguments.first() else {
            self.read(input);
            return input;
        };
        let mut link_ids = BTreeSet::new();
        if names_link_ids(criteria, &mut link_ids) {
            self.link_ids.append(&mut link_ids);
            // The rest of the criteria matters only for these items.
            let filtered = input.min(State::Filtered);
            let state = self.walk(criteria, filtered);
            self.read(state);
            return filtered;
        }
        let state = self.walk(criteria, input);
        self.read(state);
        if call.function == F::Exists {
            self.read(input);
        }
        input
    }
}

/// What a collection may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Nothing of the response.
    Outside,
    /// Items chosen by their linkId, and what lies below them.
    Filtered,
    /// Any items of the response.
    Open,
}

/// Whether only items with certain linkIds meet the criteria; adds these.
fn names_link_ids(criteria: &Expr, link_ids: &mut BTreeSet<String>) -> bool {
    let Expr::Chain { first, rest } = criteria else { return false };
    if let [Operation::Binary(operator, right)] = rest.as_slice() {
        let named = match operator {
            Operator::Equal if is_link_id(first) => literal_texts(right),
            Operator::Equal if is_link_id(right) => literal_texts(first),
            Operator::In if is_link_id(first) => literal_texts(right),
            _ => None,
        };
        if let Some(named) = named {
            link_ids.extend(named.into_iter().map(str::to_owned));
            return true;
        }
    }
    let mut operands = vec![&**first];
    let mut operators = BTreeSet::new();
    for operation in rest {
        match operation {
            Operation::Binary(operator @ (Operator::And | Operator::Or), right) => {
                operators.insert(operator.text());
                operands.push(right);
            }
            _ => return false,
        }
    }
    // One filter of several conditions is enough; of alternatives each must be one.
    let mut named = BTreeSet::new();
    let filters = operands.iter().filter(|operand| names_link_ids(operand, &mut named)).count();
    let holds = if operators.contains("or") { filters == operands.len() } else { filters > 0 };
    if holds {
        link_ids.append(&mut named);
    }
    holds
}

fn is_link_id(expr: &Expr) -> bool {
    match expr {
        Expr::Member(member) => member.name == "linkId",
        Expr::Path { base, steps } => {
            matches!(**base, Expr::This)
                && matches!(steps.as_slice(), [Step::Member(member)] if member.name == "linkId")
        }
        _ => false,
    }
}
