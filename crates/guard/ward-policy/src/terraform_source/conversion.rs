//! The type of a variable: what is given is converted to it, and optional attributes get their defaults.

use super::cursor::Cursor;
use super::evaluator::{Evaluator, ModuleId, Scope};
use super::expression_parser::expression;
use super::expressions::{as_bool, as_key};
use super::operators::{as_number, equal, not_known_of, unified};
use super::syntax::{Expression, Node};
use super::value::{Data, Entries, Value};
use crate::graph::Reason;
use crate::limits::MAX_INSTANCES;

/// A text that is given to a variable, by its type: plain for texts, an expression for the others.
pub(super) fn read_by_type(text: &str, kind: Option<&Node>) -> Option<Node> {
    let is_text = match kind.map(|kind| &kind.what) {
        None => true,
        Some(Expression::Traversal { root, .. }) => matches!(&**root, "string" | "any"),
        Some(Expression::Text(name)) => &**name == "string",
        Some(_) => false,
    };
    if is_text {
        return None;
    }
    let mut cursor = Cursor::new(text);
    let node = expression(&mut cursor).ok()?;
    cursor.space_and_lines().ok()?;
    cursor.byte().is_none().then_some(node)
}

/// A value as its type wants it; what does not fit is refused, as Terraform would.
pub(super) fn converted(evaluator: &mut Evaluator<'_>, value: Value, kind: &Node, module: ModuleId) -> Value {
    if matches!(
        value.data,
        Data::Unknown(_) | Data::Null | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_)
    ) {
        return value;
    }
    match &kind.what {
        Expression::Traversal { root, .. } => plain(value, root),
        // The old way to write a type.
        Expression::Text(name) if matches!(&**name, "string" | "number" | "bool") => plain(value, name),
        Expression::Call { name, arguments, .. } => match (&**name, arguments.as_slice()) {
            ("list", [item]) => each_item(evaluator, value, item, module),
            ("set", [item]) => set(each_item(evaluator, value, item, module)),
            ("map", [item]) => each_entry(evaluator, value, item, module),
            ("object", [shape]) => object(evaluator, value, shape, module),
            ("tuple", [_]) => value,
            _ => value,
        },
        _ => value,
    }
}

fn plain(value: Value, kind: &str) -> Value {
    let found = match kind {
        "string" => as_text(&value).map(|text| Value::text(&text)),
        "number" => as_number(&value).map(Value::number),
        "bool" => as_bool(&value).map(Value::bool),
        _ => return value,
    };
    with_origin(found.unwrap_or_else(|| not_known_of(&[&value])), &value)
}

/// A plain value as text.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match &value.data {
        Data::Text(text) => Some(text.to_string()),
        Data::Number(number) => Some(number.to_string()),
        Data::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn with_origin(found: Value, of: &Value) -> Value {
    found.and_from(&of.from).secret_if(of.is_secret)
}

fn each_item(evaluator: &mut Evaluator<'_>, value: Value, kind: &Node, module: ModuleId) -> Value {
    let Some(items) = value.items() else { return with_origin(not_known_of(&[&value]), &value) };
    let items = items.iter().cloned().map(|item| deeper(evaluator, item, kind, module)).collect();
    with_origin(Value::list(items), &value)
}

fn each_entry(evaluator: &mut Evaluator<'_>, value: Value, kind: &Node, module: ModuleId) -> Value {
    let Some(entries) = value.entries() else { return with_origin(not_known_of(&[&value]), &value) };
    let entries =
        entries.iter().map(|(key, item)| (key.clone(), deeper(evaluator, item.clone(), kind, module)));
    with_origin(Value::map(entries.collect()), &value)
}

fn deeper(evaluator: &mut Evaluator<'_>, value: Value, kind: &Node, module: ModuleId) -> Value {
    evaluator.deeper(|evaluator| converted(evaluator, value, kind, module))
}

/// An object of a shape: what the shape does not name is dropped, what is optional gets its default.
fn object(evaluator: &mut Evaluator<'_>, value: Value, shape: &Node, module: ModuleId) -> Value {
    let (Some(given), Expression::Object(shape)) = (value.entries(), &shape.what) else {
        return with_origin(not_known_of(&[&value]), &value);
    };
    let mut entries = Entries::new();
    for (name, kind) in shape {
        let Some(name) = as_key(&evaluator.evaluate(name, &Scope::of(module))) else {
            return with_origin(Value::fault(), &value);
        };
        let (kind, default, is_optional) = optional(kind);
        let is_given = |value: &&Value| default.is_none() || !matches!(value.data, Data::Null);
        let own = match (given.get(&name).filter(is_given), default) {
            (Some(own), _) => own.clone(),
            (None, Some(default)) => evaluator.evaluate(default, &Scope::of(module)),
            (None, None) if is_optional => Value::null(),
            (None, None) => return with_origin(Value::fault(), &value),
        };
        entries.insert(name, deeper(evaluator, own, kind, module));
    }
    with_origin(Value::map(entries), &value)
}

/// The type in `optional(type, default)`.
fn optional(kind: &Node) -> (&Node, Option<&Node>, bool) {
    match &kind.what {
        Expression::Call { name, arguments, .. } if &**name == "optional" => match arguments.as_slice() {
            [kind, default, ..] => (kind, Some(default), true),
            [kind] => (kind, None, true),
            [] => (kind, None, true),
        },
        _ => (kind, None, false),
    }
}

/// A list as a set: each value once, in order. Not known if a value is not.
pub(super) fn set(list: Value) -> Value {
    let Some(items) = list.items() else { return list };
    if !list.is_wholly_known() {
        return with_origin(not_known_of(&[&list]).and_from(&list.all_from()).computed("set"), &list);
    }
    let Some(mut sorted) = unified(items) else {
        return with_origin(Value::unknown(Reason::Expression).computed("set"), &list);
    };
    if sorted.iter().all(|item| item.as_text().is_some()) {
        sorted.sort_by(|one, other| one.as_text().cmp(&other.as_text()));
        sorted.dedup_by(|one, other| one.as_text() == other.as_text());
    } else if sorted.len() > MAX_INSTANCES {
        // Each is compared with each.
        return with_origin(Value::unknown(Reason::Expression).computed("set"), &list);
    } else {
        let mut kept: Vec<Value> = Vec::new();
        for item in sorted {
            if !kept.iter().any(|known| equal(known, &item) == Some(true)) {
                kept.push(item);
            }
        }
        let order = |item: &Value| as_number(item).unwrap_or(f64::MAX);
        kept.sort_by(|one, other| order(one).total_cmp(&order(other)));
        sorted = kept;
    }
    with_origin(Value::list(sorted), &list)
}
