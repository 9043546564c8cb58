//! Evaluation of the values of a template.

use super::alternatives::{Value, computed, references_in, unknown};
use super::conditions::Conditions;
use super::parameters::parameter;
use super::tags::{Shape, shape};
use crate::graph::{Attribute, Block, Name, Reason, Reference, Referent};
use crate::limits::{MAX_EVALUATED_BYTES, MAX_TEMPLATE_DEPTH};
use crate::yaml::{YamlNode, YamlValue};
use crate::yaml_words::{Dialect, scalar_of};
use std::collections::HashMap;

/// Begins a text whose value stands elsewhere until the deployment.
const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// What a template holds beside its resources, and how far the evaluation came.
#[derive(Debug)]
pub(super) struct Evaluator<'t> {
    pub(super) parameters: HashMap<&'t str, Attribute>,
    pub(super) mappings: Option<&'t YamlNode>,
    pub(super) conditions: Conditions<'t>,
    /// Types of the resources by their names.
    pub(super) kinds: HashMap<&'t str, &'t str>,
    budget_bytes: usize,
    depth: usize,
}

impl<'t> Evaluator<'t> {
    /// An evaluator for a template and the types of its resources.
    pub(super) fn new(template: &'t YamlNode, kinds: HashMap<&'t str, &'t str>) -> Self {
        let parameters = template.get("Parameters").and_then(YamlNode::as_entries).unwrap_or_default();
        let parameters = parameters.iter().filter_map(|(key, node)| {
            let name = key.as_text()?;
            Some((name, parameter(name, node)))
        });
        Self {
            parameters: parameters.collect(),
            mappings: template.get("Mappings"),
            conditions: Conditions::new(template.get("Conditions")),
            kinds,
            budget_bytes: MAX_EVALUATED_BYTES,
            depth: 0,
        }
    }

    /// Takes so many bytes of what expressions may come to.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.budget_bytes = self.budget_bytes.saturating_sub(bytes);
    }

    /// Whether expressions came to more than is accepted: what was evaluated since is no result.
    pub(super) const fn is_spent(&self) -> bool {
        self.budget_bytes == 0
    }

    /// The value of a node.
    pub(super) fn value(&mut self, node: &'t YamlNode) -> Value {
        self.spend(size_of::<Attribute>());
        if self.is_spent() || self.depth >= MAX_TEMPLATE_DEPTH {
            let references = vec![computed("deeper than Ward evaluates")];
            return Value::unknown(Reason::Expression, references, "");
        }
        self.depth += 1;
        let value = self.value_inside(node);
        self.depth -= 1;
        value
    }

    fn value_inside(&mut self, node: &'t YamlNode) -> Value {
        match &node.value {
            YamlValue::Scalar { .. } => scalar(node),
            YamlValue::Sequence(items) => self.list(items),
            YamlValue::Mapping(entries) => match shape(entries) {
                Shape::Call(name, argument) => self.call(name, argument),
                Shape::Plain(entries) => self.block(entries),
                // A macro puts something in the place of what stands beside it.
                Shape::Tangled => {
                    let references =
                        vec![Reference { written: "Fn::Transform".into(), to: Referent::Computed }];
                    Value::unknown(Reason::Missing, references, "")
                }
            },
        }
    }

    fn list(&mut self, nodes: &'t [YamlNode]) -> Value {
        let values: Vec<Value> = nodes.iter().map(|node| self.value(node)).collect();
        let has_certain = values.iter().any(|value| !value.may_be_unset);
        let may_have = values.iter().any(|value| value.attribute.is_some());
        let items: Vec<Attribute> = values.into_iter().filter_map(|value| value.attribute).collect();
        if may_have && !has_certain {
            // It may be empty: then nothing is set, and that must not be taken for a list.
            return perhaps_empty(&items);
        }
        Value::of(Attribute::list(items))
    }

    fn block(&mut self, entries: &'t [(YamlNode, YamlNode)]) -> Value {
        let (attributes, has_certain) = self.entries(entries);
        if !has_certain && !attributes.is_empty() {
            let values: Vec<Attribute> = attributes.into_iter().map(|(_, value)| value).collect();
            return perhaps_empty(&values);
        }
        Value::of(block_of(attributes))
    }

    /// Names and values of a mapping, and whether any of them is set in every deployment.
    pub(super) fn entries(&mut self, entries: &'t [(YamlNode, YamlNode)]) -> (Vec<(Name, Attribute)>, bool) {
        let mut attributes = Vec::with_capacity(entries.len());
        let mut has_certain = false;
        for (key, node) in entries {
            let Some(name) = key.as_text() else { continue };
            let value = self.value(node);
            has_certain |= !value.may_be_unset;
            attributes.extend(value.attribute.map(|attribute| (name.into(), attribute)));
        }
        (attributes, has_certain)
    }
}

fn perhaps_empty(values: &[Attribute]) -> Value {
    let mut references = references_in(values);
    references.push(Reference { written: "AWS::NoValue".into(), to: Referent::Computed });
    Value::unknown(Reason::Input, references, "")
}

/// A block; the reader of the text let no name stand twice.
pub(super) fn block_of(entries: Vec<(Name, Attribute)>) -> Attribute {
    Block::new(entries).map_or_else(|_| unknown(Reason::Expression, Vec::new(), ""), Attribute::Block)
}

fn scalar(node: &YamlNode) -> Value {
    match scalar_of(node, Dialect::CloudFormation) {
        Some(Attribute::Text(text)) => text_value(text),
        Some(other) => Value::of(other),
        None => Value::of(Attribute::Null),
    }
}

/// A value of a map: a scalar or a list of scalars. Functions have no place in maps.
pub(super) fn literal(node: &YamlNode) -> Value {
    let plain = |node: &YamlNode| match &node.value {
        YamlValue::Scalar { .. } => scalar(node).attribute,
        YamlValue::Sequence(_) | YamlValue::Mapping(_) => None,
    };
    let items = node.as_items().map(|items| items.iter().map(plain).collect::<Option<Vec<_>>>());
    match (plain(node), items) {
        (Some(scalar), _) => Value::of(scalar),
        (None, Some(Some(items))) => Value::of(Attribute::list(items)),
        _ => Value::unknown(Reason::Expression, vec![computed("a map")], ""),
    }
}

/// A text, unless it says where the value is held.
pub(super) fn text_value(text: Box<str>) -> Value {
    if text.contains(DYNAMIC_REFERENCE) {
        held_elsewhere(Vec::new(), &text)
    } else {
        Value::of(Attribute::Text(text))
    }
}

/// Whether a text of these parts says where its value is held.
pub(super) fn is_dynamic(parts: &[Attribute]) -> bool {
    let texts = parts.iter().filter_map(|part| match part {
        Attribute::Text(text) => Some(&**text),
        _ => None,
    });
    texts.collect::<String>().contains(DYNAMIC_REFERENCE)
}

/// A value that another service says during the deployment.
pub(super) fn held_elsewhere(mut references: Vec<Reference>, written: &str) -> Value {
    references.push(Reference { written: written.into(), to: Referent::Elsewhere });
    Value::unknown(Reason::Elsewhere, references, written)
}
