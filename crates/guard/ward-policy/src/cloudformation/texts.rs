//! Functions that make texts and lists of texts: Sub, Join, Split, Select.

use super::alternatives::{Value, computed, one_of, references_in};
use super::evaluator::{Evaluator, held_elsewhere, is_dynamic, text_value};
use super::functions::{PSEUDO_MARK, opaque_call, scalar_text, written};
use crate::graph::{Attribute, Reason};
use crate::limits::MAX_BRANCHES;
use crate::yaml::YamlNode;

/// The one parameter that stands for itself inside a text and may be anything alone.
const REGION: &str = "AWS::Region";

impl<'t> Evaluator<'t> {
    pub(super) fn substituted(&mut self, argument: &'t YamlNode) -> Value {
        let (template, own) = match (argument.as_text(), argument.as_items()) {
            (Some(text), _) => (text, None),
            (None, Some([template, own])) => (template.as_text().unwrap_or_default(), Some(own)),
            _ => return opaque_call("Fn::Sub", &[]),
        };
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, inside)) = rest.split_once("${") {
            parts.push(Value::of(Attribute::text(before)));
            let Some((name, after)) = inside.split_once('}') else {
                // Without an end it is no variable, and nothing behind it is one.
                parts.push(Value::of("${".into()));
                rest = inside;
                break;
            };
            parts.push(self.variable(name, own));
            rest = after;
        }
        parts.push(Value::of(Attribute::text(rest)));
        self.concatenated(parts, &format!("!Sub {template}"))
    }

    /// What stands between `${` and `}`.
    fn variable(&mut self, name: &str, own: Option<&'t YamlNode>) -> Value {
        if let Some(literal) = name.strip_prefix('!') {
            return Value::of(Attribute::text(&format!("${{{literal}}}")));
        }
        let name = name.trim();
        self.spend(own.and_then(YamlNode::as_entries).map_or(0, <[_]>::len));
        if let Some(node) = own.and_then(|own| own.get(name)) {
            return self.value(node);
        }
        match name.split_once('.') {
            _ if name == REGION => Value::of(Attribute::text(&format!("${{{REGION}}}"))),
            Some((resource, attribute)) => self.resource(resource, attribute, format!("!GetAtt {name}")),
            None => self.reference(name),
        }
    }

    pub(super) fn joined(&mut self, argument: &'t YamlNode) -> Value {
        let Some([delimiter, list]) = argument.as_items() else { return opaque_call("Fn::Join", &[]) };
        let delimiter = delimiter.as_text().unwrap_or_default();
        let text = format!("!Join {delimiter:?}");
        let items: Vec<Value> = match list.as_items() {
            Some(nodes) => nodes.iter().map(|node| self.part(node)).collect(),
            None => match self.value(list).attribute {
                Some(Attribute::List(items)) => items.into_iter().map(Value::of).collect(),
                other => return opaque_text(&other.into_iter().collect::<Vec<_>>(), &text),
            },
        };
        // An item that may be missing takes its delimiter with it.
        if items.iter().any(|item| item.may_be_unset && item.attribute.is_some()) {
            let items: Vec<Attribute> = items.into_iter().filter_map(|item| item.attribute).collect();
            return opaque_text(&items, &text);
        }
        let mut parts = Vec::with_capacity(items.len() * 2);
        for item in items.into_iter().filter(|item| item.attribute.is_some()) {
            if !parts.is_empty() {
                parts.push(Value::of(Attribute::text(delimiter)));
            }
            parts.push(item);
        }
        let written = joined_name(&parts).unwrap_or(text);
        self.concatenated(parts, &written)
    }

    /// An item of a join.
    fn part(&mut self, node: &'t YamlNode) -> Value {
        let is_region = node.as_entries().is_some_and(|entries| entries.len() == 1)
            && node.get("Ref").and_then(YamlNode::as_text) == Some(REGION);
        if is_region { Value::of(Attribute::text(&format!("${{{REGION}}}"))) } else { self.value(node) }
    }

    /// The texts that parts in a row make.
    fn concatenated(&mut self, parts: Vec<Value>, written: &str) -> Value {
        let attributes: Vec<Attribute> = parts.into_iter().filter_map(|part| part.attribute).collect();
        let mut texts = vec![String::new()];
        for attribute in &attributes {
            let Some(choices) =
                choices(attribute).filter(|choices| texts.len() * choices.len() <= MAX_BRANCHES)
            else {
                return opaque_text(&attributes, written);
            };
            if let [only] = choices.as_slice() {
                texts.iter_mut().for_each(|text| text.push_str(only));
                self.spend(only.len() * texts.len());
            } else {
                texts = texts
                    .iter()
                    .flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}")))
                    .collect();
                self.spend(texts.iter().map(String::len).sum());
            }
            if self.is_spent() {
                return opaque_text(&[], written);
            }
        }
        one_of(texts.into_iter().map(|text| text_value(text.into())).collect(), written)
    }

    pub(super) fn split(&mut self, argument: &'t YamlNode) -> Value {
        let Some([delimiter, source]) = argument.as_items() else { return opaque_call("Fn::Split", &[]) };
        let text = written("Fn::Split", argument);
        let Some(source) = self.value(source).attribute else { return opaque_call("Fn::Split", &[]) };
        let delimiter = delimiter.as_text().filter(|delimiter| !delimiter.is_empty());
        let known = choices(&source).filter(|texts| !texts.iter().any(|text| text.contains(PSEUDO_MARK)));
        let (Some(delimiter), Some(texts)) = (delimiter, known) else {
            return opaque_text(&[source], &text);
        };
        self.spend(texts.iter().map(String::len).sum());
        let lists = texts
            .iter()
            .map(|text| Value::of(Attribute::list(text.split(delimiter).map(Attribute::text).collect())));
        one_of(lists.collect(), &text)
    }

    pub(super) fn selected(&mut self, argument: &'t YamlNode) -> Value {
        let Some([place, list]) = argument.as_items() else { return opaque_call("Fn::Select", &[]) };
        let text = written("Fn::Select", argument);
        let place = self.value(place).attribute.as_ref().and_then(scalar_text);
        let place = place.and_then(|place| place.trim().parse::<usize>().ok());
        // Only the chosen item counts, and that none before it may be missing.
        if let (Some(place), Some(nodes)) = (place, list.as_items()) {
            let mut values: Vec<Value> =
                nodes.iter().take(place.saturating_add(1)).map(|node| self.value(node)).collect();
            let has_moved = values.iter().any(|value| value.may_be_unset);
            if let Some(chosen) = values.pop()
                && values.len() == place
                && !has_moved
            {
                return chosen;
            }
        }
        match (place, self.value(list).attribute) {
            (Some(place), Some(Attribute::List(items))) => match items.get(place) {
                Some(item) => Value::of(item.clone()),
                None => Value::unknown(Reason::Undeclared, vec![computed(&text)], &text),
            },
            (_, other) => opaque_text(other.as_slice(), &text),
        }
    }
}

/// What parts in a row look like if they are a name of a resource: rules read where such a name leads. Of
/// any other text nothing is told, for it may hold a secret.
fn joined_name(parts: &[Value]) -> Option<String> {
    let text: String = parts
        .iter()
        .filter_map(|part| part.attribute.as_ref())
        .map(|attribute| scalar_text(attribute).unwrap_or_else(|| "${…}".to_owned()))
        .collect();
    (text.starts_with("arn:") || text.starts_with("${…}/")).then(|| format!("!Join {text}"))
}

/// The texts that a scalar may be.
fn choices(attribute: &Attribute) -> Option<Vec<String>> {
    match attribute {
        Attribute::Unknown(unknown) if !unknown.branches.is_empty() => {
            unknown.branches.iter().map(scalar_text).collect()
        }
        Attribute::Null => None,
        known => scalar_text(known).map(|text| vec![text]),
    }
}

/// A text or list of which not every part is known.
fn opaque_text(parts: &[Attribute], written: &str) -> Value {
    let reason = parts.iter().find_map(|part| match part {
        Attribute::Unknown(unknown) => Some(unknown.reason),
        _ => None,
    });
    let reason = reason.unwrap_or(Reason::Expression);
    let references = references_in(parts);
    if is_dynamic(parts) {
        return held_elsewhere(references, written);
    }
    let is_plain = references.is_empty();
    let value = Value::unknown(reason, references, written);
    if is_plain { opaque_call(written, parts) } else { value }
}
