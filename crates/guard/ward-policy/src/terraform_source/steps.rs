//! Names, and what is taken out of their values: attributes, items, and splats.

use super::evaluator::{Evaluator, Repetition, Scope};
use super::expressions::{as_index, reason_of};
use super::operators::{as_number, as_place, not_known_of};
use super::syntax::Step;
use super::value::{Data, NotKnown, Value, computed_reference, joined};
use crate::graph::{Reason, Referent};

impl Evaluator<'_> {
    /// The value of a name and what is taken out of it.
    pub(super) fn traverse(&mut self, root: &str, steps: &[Step], scope: &Scope<'_>) -> Value {
        if let Some(value) = scope.bound(root) {
            return self.take_steps(value.clone(), steps, scope);
        }
        let (first, rest) = match steps.split_first() {
            Some((Step::Attribute(first), rest)) => (&**first, rest),
            _ => return undeclared(root),
        };
        let value = match (root, scope.repetition) {
            ("var", _) => self.variable(scope.module, first),
            ("local", _) => self.local(scope.module, first),
            ("module", _) => self.call(scope.module, first),
            ("count", Repetition::Count(index)) if first == "index" => index.clone(),
            ("each", Repetition::Each { key, .. }) if first == "key" => key.clone(),
            ("each", Repetition::Each { value, .. }) if first == "value" => value.clone(),
            ("each" | "count", _) => undeclared(&format!("{root}.{first}")),
            ("path", _) => self.path_of(first, scope),
            ("terraform", _) => Value::leading(Reason::Input, &format!("terraform.{first}"), Referent::Input),
            // What stands in a provisioner or an ephemeral value is seen only during the deployment.
            ("self" | "ephemeral", _) => Value::unknown(Reason::Expression).computed(root),
            ("data", _) => match rest.split_first() {
                Some((Step::Attribute(name), rest)) => {
                    let value = self.block(scope.module, true, first, name);
                    return self.take_steps(value, rest, scope);
                }
                _ => return undeclared(&format!("data.{first}")),
            },
            (kind, _) => self.block(scope.module, false, kind, first),
        };
        self.take_steps(value, rest, scope)
    }

    fn path_of(&self, name: &str, scope: &Scope<'_>) -> Value {
        let folder = |id| self.module(id).map(|instance| instance.folder.clone());
        let folder = match name {
            "module" => folder(scope.module),
            "root" => folder(super::evaluator::ModuleId(0)),
            _ => None,
        };
        match folder.as_deref() {
            Some("") => Value::text("."),
            Some(folder) => Value::text(folder),
            None => Value::unknown(Reason::Expression).computed(&format!("path.{name}")),
        }
    }

    /// What these steps take out of a value.
    pub(super) fn take_steps(&mut self, value: Value, steps: &[Step], scope: &Scope<'_>) -> Value {
        let mut value = value;
        let mut rest = steps;
        while let Some((step, after)) = rest.split_first() {
            value = match step {
                Step::Attribute(name) => self.attribute(&value, name),
                Step::Index(index) => {
                    let index = self.evaluate(index, scope);
                    self.item(&value, &index)
                }
                Step::EachItem => return self.each_item(&value, after, scope),
                Step::EachItemNames => {
                    let names = after.iter().take_while(|step| matches!(step, Step::Attribute(_))).count();
                    let (names, after) = after.split_at_checked(names).unwrap_or((after, &[]));
                    let all = self.each_item(&value, names, scope);
                    return self.take_steps(all, after, scope);
                }
            };
            rest = after;
        }
        value
    }

    fn attribute(&mut self, of: &Value, name: &str) -> Value {
        let found = match &of.data {
            Data::Map(map) => match map.inner.get(name) {
                Some(value) => value.clone(),
                None => return absent(of, name),
            },
            Data::Block(block) => block.read(name),
            Data::AnyBlock(block) => block.read(name).and_from(&computed_reference("count or for_each")),
            Data::Module(module) => self.output(*module, name),
            Data::Unknown(_) => return deeper(of, name),
            // The index of a list may be written as a name.
            Data::List(_) => match name.parse::<f64>() {
                Ok(place) => return self.item(of, &Value::number(place)),
                Err(_) => return absent(of, name),
            },
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Document(_) => {
                return absent(of, name);
            }
        };
        found.and_from(&of.from).secret_if(of.is_secret)
    }

    /// The item of a list or a map.
    pub(super) fn item(&mut self, of: &Value, index: &Value) -> Value {
        if of.is_wholly_known() && index.not_known().is_some() {
            return not_known_of(&[index])
                .and_from(&joined(&of.all_from(), &index.all_from()))
                .computed("index");
        }
        match &of.data {
            Data::List(list) => match as_number(index) {
                Some(place) => {
                    let item = as_place(place).and_then(|place| list.inner.get(place));
                    item.map_or_else(
                        || absent(of, "index"),
                        |item| item.clone().and_from(&of.from).secret_if(of.is_secret || index.is_secret),
                    )
                }
                None => not_known_of(&[index])
                    .and_from(&joined(&of.all_from(), &index.all_from()))
                    .computed("index"),
            },
            Data::Map(_) | Data::Block(_) | Data::Module(_) => match as_index(index) {
                Some(key) if !(matches!(of.data, Data::Block(_)) && as_number(index).is_some()) => {
                    self.attribute(of, &key).secret_if(index.is_secret)
                }
                _ => not_known_of(&[index])
                    .and_from(&joined(&of.all_from(), &index.all_from()))
                    .computed("index"),
            },
            // Whichever instance it is, nobody knows whether it is there.
            Data::AnyBlock(_) => of.clone(),
            Data::Unknown(_) => deeper(of, "index"),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Document(_) => {
                absent(of, "index")
            }
        }
    }

    fn each_item(&mut self, of: &Value, steps: &[Step], scope: &Scope<'_>) -> Value {
        let found = match &of.data {
            Data::List(list) => Value::list(
                list.inner.iter().map(|item| self.take_steps(item.clone(), steps, scope)).collect(),
            ),
            Data::Null => Value::list(Vec::new()),
            Data::Unknown(_) | Data::AnyBlock(_) | Data::Document(_) => {
                let inner = self.take_steps(of.clone(), steps, scope);
                return Value::unknown(reason_of(of))
                    .and_from(&inner.all_from())
                    .computed("[*]")
                    .secret_if(of.is_secret);
            }
            // Anything else is a list of one.
            _ => Value::list(vec![self.take_steps(of.clone(), steps, scope)]),
        };
        found.and_from(&of.from).secret_if(of.is_secret)
    }
}

fn undeclared(written: &str) -> Value {
    Value::leading(Reason::Undeclared, written, Referent::Undeclared)
}

/// What is not there. In what a resource says of itself, the provider may add it.
fn absent(of: &Value, name: &str) -> Value {
    let may_come = !of.from.is_empty();
    let not_known = NotKnown { is_fault: !may_come, ..NotKnown::new(Reason::Expression) };
    Value::not_known_as(not_known).and_from(&of.all_from()).computed(name).secret_if(of.is_secret)
}

/// Something in a value that is not known as a whole.
fn deeper(of: &Value, name: &str) -> Value {
    let not_known = match of.not_known() {
        // What the whole can be says nothing about its parts.
        Some(whole) => NotKnown { branches: Vec::new(), written: None, ..whole.clone() },
        None => NotKnown::new(Reason::Expression),
    };
    let from = of.from.iter().map(|reference| {
        let mut reference = reference.clone();
        if let Referent::Block(block) = &mut reference.to {
            let dot = if block.attribute.is_empty() || name == "index" { "" } else { "." };
            let name = if name == "index" { "" } else { name };
            block.attribute = format!("{}{dot}{name}", block.attribute).into();
        }
        reference
    });
    let from = from.collect::<Vec<_>>().into();
    Value { from, ..Value::not_known_as(not_known) }.secret_if(of.is_secret)
}
