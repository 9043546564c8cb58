//! Evaluates expressions. What Ward can't compute is not known, and says where it comes from.

use super::evaluator::{Bound, Evaluator, Scope, too_much};
use super::operators::{binary, choose, have_one_shape, negated, negative, unified};
use super::syntax::{Expression, For, Node};
use super::value::{Data, Entries, NotKnown, Value};
use crate::graph::Reason;
use std::rc::Rc;

impl Evaluator<'_> {
    /// The value of an expression.
    pub(super) fn evaluate(&mut self, node: &Node, scope: &Scope<'_>) -> Value {
        match &node.what {
            Expression::Null => Value::null(),
            Expression::Bool(value) => Value::bool(*value),
            Expression::Number(value) => Value::number(*value),
            Expression::Text(text) => Value::new(Data::Text(text.clone())),
            _ => self.deeper(|evaluator| evaluator.compound(node, scope)),
        }
    }

    fn compound(&mut self, node: &Node, scope: &Scope<'_>) -> Value {
        match &node.what {
            Expression::Null | Expression::Bool(_) | Expression::Number(_) | Expression::Text(_) => {
                self.evaluate(node, scope)
            }
            Expression::Template(parts) => self.template(parts, scope),
            Expression::Tuple(items) => {
                Value::list(items.iter().map(|item| self.evaluate(item, scope)).collect())
            }
            Expression::Object(items) => self.object(items, scope),
            Expression::Traversal { root, steps } => self.traverse(root, steps, scope),
            Expression::Within { of, steps } => {
                let base = self.evaluate(of, scope);
                self.take_steps(base, steps, scope)
            }
            Expression::Call { name, arguments, spreads_last } => {
                self.call_function(name, arguments, *spreads_last, scope)
            }
            Expression::Conditional(parts) => self.conditional(parts, scope),
            Expression::Binary(operator, sides) => {
                let [left, right] = &**sides;
                let (left, right) = (self.evaluate(left, scope), self.evaluate(right, scope));
                if !self.spend(left.size().min(right.size())) {
                    return too_much();
                }
                binary(*operator, left, right)
            }
            Expression::Not(of) => negated(&self.evaluate(of, scope)),
            Expression::Negative(of) => negative(&self.evaluate(of, scope)),
            Expression::For(of) => self.each_of(of, scope),
        }
    }

    fn object(&mut self, items: &[(Node, Node)], scope: &Scope<'_>) -> Value {
        let mut entries = Entries::new();
        for (key, value) in items {
            let key = self.evaluate(key, scope);
            let Some(name) = as_key(&key) else { return no_map(&key) };
            entries.insert(name, self.evaluate(value, scope));
        }
        Value::map(entries)
    }

    fn conditional(&mut self, parts: &[Node; 3], scope: &Scope<'_>) -> Value {
        let [condition, then, otherwise] = parts;
        let condition = self.evaluate(condition, scope);
        match as_bool(&condition) {
            Some(holds) => {
                let (chosen, other) = if holds { (then, otherwise) } else { (otherwise, then) };
                let chosen = self.evaluate(chosen, scope).secret_if(condition.is_secret);
                let other = self.evaluate(other, scope);
                in_one_type(chosen, other)
            }
            None => {
                let then = self.evaluate(then, scope);
                choose(&condition, then, self.evaluate(otherwise, scope))
            }
        }
    }

    fn each_of(&mut self, of: &For, scope: &Scope<'_>) -> Value {
        let over = self.evaluate(&of.of, scope);
        let Some(pairs) = pairs(&over) else { return no_map(&over) };
        let is_secret = over.is_secret;
        let mut items = Vec::new();
        let mut entries = Entries::new();
        for (key, value) in pairs {
            if !self.spend(1) {
                return too_much();
            }
            let by_value = Bound { name: &of.value, value, outer: scope.bound };
            let by_key = of.key.as_ref().map(|name| Bound { name, value: key, outer: Some(&by_value) });
            let inner = Scope { bound: by_key.as_ref().or(Some(&by_value)), ..*scope };
            if let Some(condition) = &of.condition {
                let condition = self.evaluate(condition, &inner);
                match as_bool(&condition) {
                    Some(false) => continue,
                    Some(true) => {}
                    // Which items are there is not known.
                    None => return no_map(&condition),
                }
            }
            let Some(key) = &of.item_key else {
                items.push(self.evaluate(&of.item, &inner));
                continue;
            };
            let key = self.evaluate(key, &inner);
            let Some(name) = as_key(&key) else { return no_map(&key) };
            let item = self.evaluate(&of.item, &inner);
            if !of.groups {
                if entries.insert(name, item).is_some() {
                    return Value::fault();
                }
            } else if !group(&mut entries, name, item) {
                return Value::unknown(Reason::Expression).computed("for");
            }
        }
        let value = if of.item_key.is_some() { Value::map(entries) } else { Value::list(items) };
        value.secret_if(is_secret)
    }
}

/// The branch that is taken, as its type with the other makes it: beside a text, a number is one.
/// Branches without a type in common are refused by Terraform.
fn in_one_type(chosen: Value, other: Value) -> Value {
    let both = [chosen, other];
    let unified = unified(&both).filter(|both| have_one_shape(both));
    let [chosen, _] = both;
    match unified.and_then(|both| both.into_iter().next()) {
        Some(value) => value,
        None => Value::unknown(Reason::Expression)
            .and_from(&chosen.all_from())
            .computed("condition")
            .secret_if(chosen.holds_secret()),
    }
}

/// Adds an item to the list of a key.
fn group(entries: &mut Entries, name: Rc<str>, item: Value) -> bool {
    let mut items = entries.get(&name).and_then(Value::items).map(<[_]>::to_vec).unwrap_or_default();
    items.push(item);
    let list = Value::list(items);
    let is_list = list.items().is_some();
    entries.insert(name, list);
    is_list
}

/// Keys and values of what a loop runs over.
pub(super) fn pairs(over: &Value) -> Option<Vec<(Value, Value)>> {
    match &over.data {
        Data::List(list) => {
            let pair = |(place, item): (usize, &Value)| {
                (Value::number(place as f64), item.clone().and_from(&over.from))
            };
            Some(list.inner.iter().enumerate().map(pair).collect())
        }
        Data::Map(map) => {
            let pair = |(key, value): (&Rc<str>, &Value)| {
                (Value::new(Data::Text(key.clone())), value.clone().and_from(&over.from))
            };
            Some(map.inner.iter().map(pair).collect())
        }
        _ => None,
    }
}

/// A known, plain value as the key of a map. A key is shown, so that it may be no secret.
pub(super) fn as_key(key: &Value) -> Option<Rc<str>> {
    if key.is_secret { None } else { as_index(key) }
}

/// A known, plain value by which an item is taken out.
pub(super) fn as_index(key: &Value) -> Option<Rc<str>> {
    match &key.data {
        Data::Text(text) => Some(text.clone()),
        Data::Number(number) => Some(number.to_string().into()),
        Data::Bool(value) => Some(value.to_string().into()),
        _ => None,
    }
}

pub(super) fn as_bool(value: &Value) -> Option<bool> {
    match &value.data {
        Data::Bool(value) => Some(*value),
        Data::Text(text) => match &**text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Why something made of this value is not known.
pub(super) fn reason_of(value: &Value) -> Reason {
    match &value.data {
        Data::Unknown(not_known) => not_known.reason,
        Data::Block(block) | Data::AnyBlock(block) => block.reason(),
        _ => Reason::Expression,
    }
}

/// A collection that hangs on a value that is not known, or is of the wrong kind.
fn no_map(on: &Value) -> Value {
    let is_fault = on.is_fault() || (on.is_plain() && !on.is_secret);
    Value::not_known_as(NotKnown { is_fault, ..NotKnown::new(reason_of(on)) })
        .and_from(&on.all_from())
        .computed("for")
        .secret_if(on.is_secret)
}
