//! Evaluates templates. A JSON text in which only some values are not known keeps its shape, so that
//! policies written as text can be judged.

use super::evaluator::{Bound, Evaluator, Scope, too_much};
use super::expressions::{as_bool, pairs, reason_of};
use super::operators::not_known_of;
use super::syntax::Part;
use super::value::{Data, Entries, NotKnown, Value, joined};
use crate::graph::{Attribute, Reason, References, Referent};
use crate::json::read_json;
use crate::limits::MAX_TEXT_BYTES;
use std::rc::Rc;

/// Stands for a value that is not known, in a text that is read as JSON. No text of JSON holds it
/// unless it is escaped, and one that holds it already is not read.
const HOLE: char = '\u{f8ff}';

/// A text while it is put together.
#[derive(Default)]
struct Built {
    text: String,
    /// The values that are not known, in their order.
    holes: Vec<Value>,
    from: References,
    is_secret: bool,
}

impl Evaluator<'_> {
    /// The text of a template.
    pub(super) fn template(&mut self, parts: &[Part], scope: &Scope<'_>) -> Value {
        let mut built = Built::default();
        if let Err(value) = self.parts(parts, scope, &mut built) {
            return value.and_from(&built.from).computed("template").secret_if(built.is_secret);
        }
        self.spend(built.text.len() / 64);
        let (from, is_secret) = (built.from.clone(), built.is_secret);
        let value = if built.holes.is_empty() {
            Value::text(&built.text)
        } else {
            let holes: Vec<&Value> = built.holes.iter().collect();
            let value = document(&built).unwrap_or_else(|| not_known_of(&holes));
            match stays_within(&built) {
                Some(after) => value.written_as(Some(&format!("${{…}}{after}"))),
                None => value.computed("template"),
            }
        };
        value.and_from(&from).secret_if(is_secret)
    }

    /// Adds parts to a text. What makes its shape unknown is given back.
    fn parts(&mut self, parts: &[Part], scope: &Scope<'_>, built: &mut Built) -> Result<(), Value> {
        if !self.enter() {
            return Err(too_much());
        }
        let done = parts.iter().try_for_each(|part| self.part(part, scope, built));
        self.leave();
        done
    }

    fn part(&mut self, part: &Part, scope: &Scope<'_>, built: &mut Built) -> Result<(), Value> {
        match part {
            Part::Text(text) => built.text.push_str(text),
            Part::Value(node) => {
                let value = self.evaluate(node, scope);
                built.add(value);
            }
            Part::If { condition, then, otherwise } => {
                let condition = self.evaluate(condition, scope);
                built.is_secret |= condition.is_secret;
                match as_bool(&condition) {
                    Some(holds) => self.parts(if holds { then } else { otherwise }, scope, built)?,
                    None => return Err(not_known_of(&[&condition]).and_from(&condition.all_from())),
                }
            }
            Part::For { key, value, of, parts } => {
                let over = self.evaluate(of, scope);
                built.is_secret |= over.is_secret;
                let Some(pairs) = pairs(&over) else {
                    return Err(not_known_of(&[&over]).and_from(&over.all_from()));
                };
                for (own_key, own_value) in pairs {
                    let by_value = Bound { name: value, value: own_value, outer: scope.bound };
                    let by_key =
                        key.as_ref().map(|name| Bound { name, value: own_key, outer: Some(&by_value) });
                    let inner = Scope { bound: by_key.as_ref().or(Some(&by_value)), ..*scope };
                    self.parts(parts, &inner, built)?;
                }
            }
        }
        if built.text.len() > MAX_TEXT_BYTES || !self.spend(1) {
            return Err(too_much());
        }
        Ok(())
    }
}

impl Built {
    fn add(&mut self, value: Value) {
        self.is_secret |= value.holds_secret();
        self.from = joined(&self.from, &value.all_from());
        match &value.data {
            Data::Text(text) => self.text.push_str(text),
            Data::Number(number) => self.text.push_str(&number.to_string()),
            Data::Bool(flag) => self.text.push_str(if *flag { "true" } else { "false" }),
            _ => {
                self.text.push(HOLE);
                self.holes.push(value);
            }
        }
    }
}

/// Whether a text is a name, or lies within what an ARN names: `"${bucket.arn}/*"`. Any other text
/// around a name may name something else, as `"${bucket.id}-logs"` does.
/// What stands behind the name is given back.
fn stays_within(built: &Built) -> Option<&str> {
    let [hole] = built.holes.as_slice() else { return None };
    let after = built.text.strip_prefix(HOLE)?;
    let is_arn = |to: &Referent| match to {
        Referent::Block(block) => block.attribute.ends_with("arn"),
        _ => false,
    };
    let is_within =
        || after.starts_with(['/', ':']) && hole.from.iter().all(|reference| is_arn(&reference.to));
    (after.is_empty() || is_within()).then_some(after)
}

/// Attributes of resources that hold a name, never a quote or a bracket.
const NAMES: [&str; 8] = ["id", "arn", "name", "bucket", "partition", "dns_suffix", "region", "fqdn"];
const NAME_ENDINGS: [&str; 3] = ["_id", "_arn", "_name"];

/// A JSON text with holes as its shape. Only names that resources and data sources say of themselves
/// may be holes: any other text may hold quotes, and change the shape.
fn document(built: &Built) -> Option<Value> {
    let begins = built.text.trim_start().starts_with(['{', '[']);
    let is_name = |to: &Referent| match to {
        Referent::Block(block) => {
            let name = block.attribute.rsplit('.').next().unwrap_or_default();
            NAMES.contains(&name) || NAME_ENDINGS.iter().any(|ending| name.ends_with(ending))
        }
        Referent::OwnKey => true,
        Referent::Input | Referent::Computed | Referent::Elsewhere | Referent::Undeclared => false,
    };
    let is_tame = |hole: &Value| {
        let says_itself = |not_known: &NotKnown| {
            matches!(not_known.reason, Reason::AfterApply | Reason::DataSource) && !not_known.is_fault
        };
        hole.not_known().is_some_and(says_itself)
            && !hole.from.is_empty()
            && hole.from.iter().all(|reference| is_name(&reference.to))
    };
    let is_clean = built.text.matches(HOLE).count() == built.holes.len();
    if !begins || !is_clean || !built.holes.iter().all(is_tame) {
        return None;
    }
    let tree = read_json(&built.text).ok()?;
    let value = filled(&tree, &built.holes)?;
    Some(Value::new(Data::Document(Rc::new(value))))
}

/// The values of a JSON tree, where texts with holes are not known.
fn filled(tree: &Attribute, holes: &[Value]) -> Option<Value> {
    Some(match tree {
        Attribute::Null => Value::null(),
        Attribute::Bool(value) => Value::bool(*value),
        Attribute::Number(value) => Value::number(*value),
        Attribute::Text(text) if text.contains(HOLE) => {
            // Which hole it is does not matter: where any of them leads is not sure then.
            let from = holes.iter().fold(References::default(), |all, hole| joined(&all, &hole.all_from()));
            let reason = holes.first().map_or(Reason::Expression, reason_of);
            let value = Value::unknown(reason).and_from(&from);
            match text.strip_prefix(HOLE).filter(|after| after.starts_with('/') && !after.contains(HOLE)) {
                Some(after) => value.written_as(Some(&format!("${{…}}{after}"))),
                None => value,
            }
        }
        Attribute::Text(text) => Value::text(text),
        Attribute::List(items) => {
            Value::list(items.iter().map(|item| filled(item, holes)).collect::<Option<_>>()?)
        }
        Attribute::Block(block) => {
            let mut entries = Entries::new();
            for (key, value) in block.entries() {
                if key.contains(HOLE) {
                    return None;
                }
                entries.insert(key.into(), filled(value, holes)?);
            }
            Value::map(entries)
        }
        Attribute::Unknown(_) | Attribute::Sensitive(_) => return None,
    })
}

/// A JSON text as the values it holds.
pub(super) fn read_document(text: &str) -> Option<Value> {
    filled(&read_json(text).ok()?, &[])
}
