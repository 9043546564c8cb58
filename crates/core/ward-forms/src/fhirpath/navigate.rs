//! From a node to its members, children and descendants. Nothing is copied.

use super::ast::Member;
use super::budget::Budget;
use super::collection::Collection;
use super::error::EvaluationError;
use super::node::Node;
use super::types::{self, FieldType, Form, Type};
use super::value::Value;
use super::written::{Digits, digits_of};
use crate::limits::BYTES_PER_STEP;
use serde_json::{Map, Value as Json};

type Object = Map<String, Json>;

/// Objects of at most so many members are searched from the front, which is quicker than hashing.
const FEW_MEMBERS: usize = 12;

fn get<'d>(map: &'d Object, name: &str) -> Option<&'d Json> {
    if map.len() > FEW_MEMBERS {
        return map.get(name);
    }
    map.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
}

/// Adds the values of a member to a collection. What is not there adds nothing.
pub(super) fn member<'d>(
    node: &Node<'d>,
    member: &Member,
    is_strict: bool,
    budget: &Budget,
    into: &mut Collection<'d>,
) -> Result<(), EvaluationError> {
    let name = member.name.as_str();
    let Some(map) = node.map() else {
        // A primitive has an id and extensions, in its sibling.
        let Some(sibling) = node.sibling.and_then(Json::as_object) else { return Ok(()) };
        return match (name, get(sibling, name)) {
            ("extension", Some(json)) => {
                Spread::of(node, &types::EXTENSION, budget).add(Some(json), None, into)
            }
            ("id", Some(json)) => Spread::of(node, &types::STRING, budget).add(Some(json), None, into),
            _ => Ok(()),
        };
    };
    match node.type_.field(name).map(|field| field.type_) {
        Some(FieldType::Of(type_)) => {
            let sibling = if type_.form.is_primitive() { get(map, &member.sibling) } else { None };
            Spread::of(node, type_, budget).named(name).add(get(map, name), sibling, into)
        }
        Some(FieldType::Resource) => {
            Spread::of(node, &types::UNKNOWN, budget).named(name).add(get(map, name), None, into)
        }
        Some(FieldType::Choice) => choice(node, map, name, budget, into).map(drop),
        None => {
            if is_strict && node.type_.form == Form::Complex {
                let type_name = node.type_name().to_owned();
                return Err(EvaluationError::UnknownMember { type_name, member: name.to_owned() });
            }
            undeclared(node, map, member, budget, into)
        }
    }
}

/// The one text that a member holds, if its type says that it is a text and the data agree.
pub(super) fn plain_text<'d>(node: &Node<'d>, member: &Member) -> Option<&'d str> {
    match node.type_.field(&member.name)?.type_ {
        FieldType::Of(type_) if type_.form == Form::String => get(node.map()?, &member.name)?.as_str(),
        _ => None,
    }
}

/// `value` in the data is `valueCoding`, `valueDateTime` and so on.
fn choice<'d>(
    node: &Node<'d>,
    map: &'d Object,
    name: &str,
    budget: &Budget,
    into: &mut Collection<'d>,
) -> Result<bool, EvaluationError> {
    budget.take(map.len())?;
    let ending = |key: &'d str| key.strip_prefix(name).and_then(types::choice_type);
    for (key, json) in map {
        if let Some(type_) = ending(key) {
            let sibling = if type_.form.is_primitive() { get(map, &format!("_{key}")) } else { None };
            Spread::of(node, type_, budget).named(key).add(Some(json), sibling, into)?;
            return Ok(true);
        }
    }
    // A primitive that has only extensions.
    for (key, json) in map {
        if let Some(type_) = key.strip_prefix('_').and_then(ending) {
            Spread::of(node, type_, budget).add(None, Some(json), into)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// A name that the type doesn't declare: as the JSON has it. `valueCoding` is taken as written,
/// because published forms say it; strict evaluation reports it.
fn undeclared<'d>(
    node: &Node<'d>,
    map: &'d Object,
    member: &Member,
    budget: &Budget,
    into: &mut Collection<'d>,
) -> Result<(), EvaluationError> {
    let (json, sibling) = (get(map, &member.name), get(map, &member.sibling));
    if json.is_some() || sibling.is_some() {
        let type_ = node.type_.choice_of(&member.name).map_or(&types::UNKNOWN, |(_, type_)| type_);
        return Spread::of(node, type_, budget).named(&member.name).add(json, sibling, into);
    }
    if node.type_.form == Form::Unknown {
        choice(node, map, &member.name, budget, into)?;
    }
    Ok(())
}

/// Turns the JSON of a member, one value or an array, into nodes of a type.
struct Spread<'p, 'd> {
    parent: &'p Node<'d>,
    type_: &'static Type,
    budget: &'p Budget,
    item: Option<&'d Object>,
    digits: Digits<'d>,
}

impl<'p, 'd> Spread<'p, 'd> {
    fn of(parent: &'p Node<'d>, type_: &'static Type, budget: &'p Budget) -> Self {
        Self { parent, type_, budget, item: None, digits: None }
    }

    /// The member that is spread, as the JSON names it: so it is known how its numbers were written.
    fn named(self, key: &str) -> Self {
        Self { digits: digits_of(self.parent.digits, key), ..self }
    }

    fn add(
        mut self,
        json: Option<&'d Json>,
        sibling: Option<&'d Json>,
        into: &mut Collection<'d>,
    ) -> Result<(), EvaluationError> {
        // The item is known once for all of them.
        self.item = match self.parent.map() {
            Some(map) if self.parent.type_.name == "QuestionnaireResponse.item" => Some(map),
            _ => self.parent.item,
        };
        let (values, siblings) = (as_array(json), as_array(sibling));
        if values.is_none() && siblings.is_none() {
            return self.one(json, sibling, self.digits, into);
        }
        let (values, siblings) = (values.unwrap_or(&[]), siblings.unwrap_or(&[]));
        let count = values.len().max(siblings.len());
        // An empty one was looked at too.
        self.budget.take(1)?;
        Budget::hold(into.len() + count)?;
        for at in 0..count {
            let digits = self.digits.and_then(|texts| texts.element(at));
            self.one(values.get(at), siblings.get(at), digits, into)?;
        }
        Ok(())
    }

    fn one(
        &self,
        json: Option<&'d Json>,
        sibling: Option<&'d Json>,
        digits: Digits<'d>,
        into: &mut Collection<'d>,
    ) -> Result<(), EvaluationError> {
        self.budget.take(1)?;
        // JSON null only keeps a place in an array.
        let json = json.filter(|json| !json.is_null());
        let sibling = sibling.filter(|sibling| !sibling.is_null());
        if json.is_some() || sibling.is_some() {
            Budget::hold(into.len() + 1)?;
            let node = Node { json, sibling, type_: refined(self.type_, json), item: self.item, digits };
            into.push(Value::Node(node));
        }
        Ok(())
    }
}

fn as_array(json: Option<&Json>) -> Option<&[Json]> {
    json.and_then(Json::as_array).map(Vec::as_slice)
}

/// What the JSON says of a type that is not known.
fn refined(type_: &'static Type, json: Option<&Json>) -> &'static Type {
    if type_.form != Form::Unknown {
        return type_;
    }
    match json {
        Some(Json::Bool(_)) => &types::BOOLEAN,
        Some(Json::Number(number)) if number.is_i64() => &types::INTEGER,
        Some(Json::Number(_)) => &types::DECIMAL,
        Some(Json::String(_)) => &types::UNKNOWN_STRING,
        Some(Json::Object(map)) => match map.get("resourceType").and_then(Json::as_str) {
            Some(name) => types::resource_type(name).unwrap_or(&types::OTHER_RESOURCE),
            None => type_,
        },
        _ => type_,
    }
}

/// Adds every member of a node.
pub(super) fn children<'d>(
    node: &Node<'d>,
    budget: &Budget,
    into: &mut Collection<'d>,
) -> Result<(), EvaluationError> {
    let Some(map) = node.map() else {
        if let Some(sibling) = node.sibling.and_then(Json::as_object) {
            for (key, json) in sibling {
                let type_ = if key == "extension" { &types::EXTENSION } else { &types::STRING };
                Spread::of(node, type_, budget).add(Some(json), None, into)?;
            }
        }
        return Ok(());
    };
    // All keys are looked through.
    budget.take(map.len())?;
    let has_siblings = map.keys().any(|key| key.starts_with('_'));
    for (key, json) in map {
        if key == "resourceType" {
            continue;
        }
        budget.take(key.len() / BYTES_PER_STEP)?;
        if let Some(name) = key.strip_prefix('_') {
            if get(map, name).is_none() {
                Spread::of(node, declared(node.type_, name), budget).add(None, Some(json), into)?;
            }
            continue;
        }
        let type_ = declared(node.type_, key);
        let has_sibling = has_siblings && type_.form != Form::Complex;
        let sibling = if has_sibling { map.get(&format!("_{key}")) } else { None };
        Spread::of(node, type_, budget).named(key).add(Some(json), sibling, into)?;
    }
    Ok(())
}

/// The type of the member that a name in JSON stands for.
fn declared(type_: &'static Type, json_name: &str) -> &'static Type {
    match type_.field(json_name).map(|field| field.type_) {
        Some(FieldType::Of(type_)) => type_,
        Some(_) => &types::UNKNOWN,
        None => type_.choice_of(json_name).map_or(&types::UNKNOWN, |(_, type_)| type_),
    }
}

/// Everything below the values, level by level.
pub(super) fn descendants<'d>(
    values: &Collection<'d>,
    budget: &Budget,
) -> Result<Collection<'d>, EvaluationError> {
    let mut found = Collection::empty();
    for value in values {
        if let Value::Node(node) = value {
            children(node, budget, &mut found)?;
        }
    }
    let mut at = 0;
    while let Some(value) = found.values().get(at) {
        if let Value::Node(node) = value {
            let node = *node;
            children(&node, budget, &mut found)?;
        }
        at += 1;
    }
    Ok(found)
}
