//! The functions that Ward evaluates. Any other, and any whose arguments are not known, gives a value
//! that is not known.

mod addresses;
mod collections;
mod encoding;
mod files;
mod numbers;
mod texts;

use super::evaluator::{Evaluator, Scope, too_much};
use super::operators::not_known_of;
use super::syntax::Node;
use super::value::{Data, Value, joined};
use crate::graph::{Reason, References};

/// What a function made of its arguments.
pub(super) enum Answer {
    /// This value; it leads where all arguments lead.
    Made(Value),
    /// One of the arguments, or parts of them as they are: each leads where it led.
    Taken(Value),
    /// Terraform would refuse these arguments.
    Refused,
    /// An argument is not known.
    NotKnown,
    /// A function of another family, or none.
    NoSuch,
}

impl Answer {
    /// A value if there is one, a refusal if not.
    fn of(value: Option<Value>) -> Self {
        value.map_or(Self::Refused, Self::Made)
    }
}

impl Evaluator<'_> {
    /// The value of a call.
    pub(super) fn call_function(
        &mut self,
        name: &str,
        arguments: &[Node],
        spreads_last: bool,
        scope: &Scope<'_>,
    ) -> Value {
        let name = name.strip_prefix("core::").unwrap_or(name);
        match name {
            "try" => return self.try_each(arguments, scope),
            "can" => return self.can(arguments, scope),
            _ => {}
        }
        let mut values: Vec<Value> =
            arguments.iter().map(|argument| self.evaluate(argument, scope)).collect();
        if spreads_last && let Some(last) = values.pop() {
            match last.items() {
                Some(items) => {
                    values.extend(
                        items.iter().cloned().map(|item| item.and_from(&last.from).secret_if(last.is_secret)),
                    );
                }
                None => {
                    values.push(last);
                    return hangs_on(name, &values, not_known_of(&values.iter().collect::<Vec<_>>()));
                }
            }
        }
        if let Some(refused) = values.iter().find(|value| value.is_fault()) {
            return hangs_on(name, &values, refused.clone());
        }
        // What compares each with each takes the square of what the others take.
        let size = values.iter().map(Value::size).fold(0, usize::saturating_add);
        let compares = matches!(name, "distinct" | "toset" | "setunion" | "setsubtract" | "setintersection");
        let work = if compares { size.saturating_mul(size) / 32 } else { size };
        if !self.spend(work) {
            return too_much();
        }
        let answer = match files::call(self, name, &values, scope) {
            Answer::NoSuch => call_pure(name, &values),
            answer => answer,
        };
        match answer {
            Answer::Made(value) => hangs_on(name, &values, value),
            Answer::Taken(value) => {
                let is_secret = values.iter().any(|value| value.is_secret);
                value.secret_if(is_secret)
            }
            Answer::Refused => hangs_on(name, &values, Value::fault()),
            Answer::NotKnown => hangs_on(name, &values, not_known_of(&values.iter().collect::<Vec<_>>())),
            Answer::NoSuch => hangs_on(name, &values, Value::unknown(Reason::Expression)),
        }
    }

    /// The first that Terraform would not refuse. One that is not known may be refused later.
    fn try_each(&mut self, arguments: &[Node], scope: &Scope<'_>) -> Value {
        for (place, argument) in arguments.iter().enumerate() {
            let value = self.evaluate(argument, scope);
            if value.is_fault() {
                continue;
            }
            let is_last = place + 1 == arguments.len();
            // What a resource will say of itself is there; what comes from outside may have another shape.
            let may_be_refused = value.not_known().is_some_and(|one| one.reason != Reason::AfterApply);
            return if may_be_refused && !is_last { value.computed("try") } else { value };
        }
        Value::fault().computed("try")
    }

    fn can(&mut self, arguments: &[Node], scope: &Scope<'_>) -> Value {
        let [argument] = arguments else { return Value::fault() };
        let value = self.evaluate(argument, scope);
        if value.is_fault() {
            Value::bool(false)
        } else if value.is_wholly_known() {
            Value::bool(true).secret_if(value.is_secret)
        } else {
            not_known_of(&[&value]).and_from(&value.all_from()).computed("can").secret_if(value.is_secret)
        }
    }
}

/// The functions that need nothing but their arguments.
fn call_pure(name: &str, values: &[Value]) -> Answer {
    for family in [texts::call, collections::call, numbers::call, encoding::call, addresses::call] {
        match family(name, values) {
            Answer::NoSuch => {}
            answer => return answer,
        }
    }
    Answer::NoSuch
}

/// A value that was made of arguments: it leads where they lead, and is secret if one of them is.
fn hangs_on(name: &str, values: &[Value], value: Value) -> Value {
    let from = values.iter().fold(References::default(), |all, value| joined(&all, &value.all_from()));
    let is_secret = name != "nonsensitive" && values.iter().any(Value::holds_secret);
    value.and_from(&from).computed(name).secret_if(is_secret)
}

/// Whether a value is not known at its top.
fn is_open(value: &Value) -> bool {
    matches!(
        value.data,
        Data::Unknown(_) | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_) | Data::Document(_)
    )
}
