//! Evaluates templates. A JSON text in which only some values are not known keeps its shape, so that
//! policies written as text can be judged.

use super::evaluator::{Bound, Evaluator, Scope, too_much};
use super::expressions::{as_bool, pairs, reason_of};
use super::operators::not_known_of;
use super::syntax::Part;
use super::value::{Data, Entries, NotKnown, Value, joined};
use crate::graph::{Attribute, BLOBS_OF_ACCOUNT, Reason, References, Referent};
use crate::json::read_json;
use crate::limits::MAX_TEXT_BYTES;
use std::rc::Rc;

/// Stands for a value that is not known, in a text that is read as JSON. No text of JSON holds it
/// unless it is escaped, and one that holds it already is not read.
const HOLE: char = '\u{f8ff}';
/// How a hole stands in what is written of a text.
const HOLE_WRITTEN: &str = "${…}";

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
            let texts: Vec<&str> = built.text.split(HOLE).collect();
            around(value, &texts, &holes)
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

/// A value that is not known, of texts with holes between them. A text is a name, or lies within what an
/// ARN names: `"${bucket.arn}/*"`. Any other text around a name may name something else, as
/// `"${bucket.id}-logs"` does, and is computed; only of a storage account the blobs are named so. What is written is kept where it names a resource, and
/// nowhere else: another text may hold a secret.
fn around(value: Value, texts: &[&str], holes: &[&Value]) -> Value {
    let is_arn = |to: &Referent| match to {
        Referent::Block(block) => block.attribute.ends_with("arn"),
        _ => false,
    };
    let is_account = |to: &Referent| match to {
        Referent::Block(block) => &*block.kind == "azurerm_storage_account" && &*block.attribute == "id",
        _ => false,
    };
    let stays = match (texts, holes) {
        (["", ""], _) => true,
        (["", BLOBS_OF_ACCOUNT], [hole]) => hole.from.iter().all(|reference| is_account(&reference.to)),
        (["", after], [hole]) => {
            after.starts_with(['/', ':']) && hole.from.iter().all(|reference| is_arn(&reference.to))
        }
        _ => false,
    };
    let value = if stays { value } else { value.computed("template") };
    let is_plain = |hole: &&Value| hole.from.iter().all(|reference| reference.to != Referent::Computed);
    let is_arn = texts.first().is_some_and(|first| first.starts_with("arn:")) && holes.iter().all(is_plain);
    let is_more = texts.iter().any(|text| !text.is_empty());
    if is_more && (stays || is_arn) { value.written_as(Some(&texts.join(HOLE_WRITTEN))) } else { value }
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
    let tree = read_json(&numbered(&built.text)).ok()?;
    let value = filled(&tree, &built.holes)?;
    Some(Value::new(Data::Document(Rc::new(value))))
}

/// A text in which each hole has its number behind it, so that it is known again in the tree.
fn numbered(text: &str) -> String {
    let mut numbered = String::with_capacity(text.len());
    for (place, part) in text.split(HOLE).enumerate() {
        if place > 0 {
            numbered.push_str(&format!("{HOLE}{}{HOLE}", place - 1));
        }
        numbered.push_str(part);
    }
    numbered
}

/// A text of a JSON tree that holds numbered holes.
fn with_holes(text: &str, holes: &[Value]) -> Value {
    let parts: Vec<&str> = text.split(HOLE).collect();
    let texts: Vec<&str> = parts.iter().copied().step_by(2).collect();
    let numbers = parts.iter().skip(1).step_by(2);
    let own: Vec<&Value> = numbers.filter_map(|number| holes.get(number.parse::<usize>().ok()?)).collect();
    let from = own.iter().fold(References::default(), |all, hole| joined(&all, &hole.all_from()));
    let reason = own.first().map_or(Reason::Expression, |hole| reason_of(hole));
    around(Value::unknown(reason).and_from(&from), &texts, &own)
}

/// The values of a JSON tree, where texts with holes are not known.
fn filled(tree: &Attribute, holes: &[Value]) -> Option<Value> {
    Some(match tree {
        Attribute::Null => Value::null(),
        Attribute::Bool(value) => Value::bool(*value),
        Attribute::Number(value) => Value::number(*value),
        Attribute::Text(text) if text.contains(HOLE) => with_holes(text, holes),
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
