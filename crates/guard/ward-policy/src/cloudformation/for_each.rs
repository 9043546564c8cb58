//! `Fn::ForEach` over the resources of a template: the copies that it stands for.

use super::functions::bytes_of_node;
use crate::limits::MAX_EVALUATED_BYTES;
use crate::yaml::{YamlNode, YamlValue};

const FOR_EACH: &str = "Fn::ForEach::";

/// The entries of the resources with each loop carried out, and the loops that can't be.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    pub(super) entries: Vec<(YamlNode, YamlNode)>,
    /// Line and name of each loop whose collection is not known, or that comes to too many copies.
    pub(super) left_out: Vec<(u32, Box<str>)>,
    copied_bytes: usize,
}

/// Carries out the loops among the resources.
pub(super) fn expanded(entries: &[(YamlNode, YamlNode)]) -> Expanded {
    let mut expanded = Expanded::default();
    entries.iter().for_each(|(key, value)| expanded.take(key, value));
    expanded
}

impl Expanded {
    fn take(&mut self, key: &YamlNode, value: &YamlNode) {
        let Some(name) = key.as_text().and_then(|text| text.strip_prefix(FOR_EACH)) else {
            self.entries.push((key.clone(), value.clone()));
            return;
        };
        let Some(Loop { variable, items, body }) = Loop::of(value) else {
            self.left_out.push((key.line, name.into()));
            return;
        };
        let body_bytes: usize =
            body.iter().map(|(key, value)| bytes_of_node(key) + bytes_of_node(value)).sum();
        for item in items {
            // The item stands at most so many times in the body. A loop in a loop multiplies.
            let places = body_bytes / (variable.len() + "${}".len());
            let copy_bytes = body_bytes.saturating_add(places.saturating_mul(item.len()));
            self.copied_bytes = self.copied_bytes.saturating_add(copy_bytes);
            if self.copied_bytes > MAX_EVALUATED_BYTES {
                self.left_out.push((key.line, name.into()));
                return;
            }
            for (key, value) in body {
                self.take(&substituted(key, variable, item), &substituted(value, variable, item));
            }
        }
    }
}

/// A loop.
struct Loop<'t> {
    variable: &'t str,
    items: Vec<&'t str>,
    body: &'t [(YamlNode, YamlNode)],
}

impl<'t> Loop<'t> {
    /// The loop of a node; `None` if its items are not written out.
    fn of(node: &'t YamlNode) -> Option<Self> {
        let [variable, collection, body] = node.as_items()? else { return None };
        let items = collection.as_items()?.iter().map(YamlNode::as_text).collect::<Option<Vec<_>>>()?;
        Some(Self { variable: variable.as_text()?, items, body: body.as_entries()? })
    }
}

/// A copy of the body for one item.
fn substituted(node: &YamlNode, variable: &str, item: &str) -> YamlNode {
    let copy = |node: &YamlNode| substituted(node, variable, item);
    let value = match &node.value {
        YamlValue::Scalar { text, is_plain } => {
            let alphanumeric: String = item.chars().filter(char::is_ascii_alphanumeric).collect();
            let text = text
                .replace(&format!("${{{variable}}}"), item)
                .replace(&format!("&{{{variable}}}"), &alphanumeric);
            YamlValue::Scalar { text: text.into(), is_plain: *is_plain }
        }
        YamlValue::Sequence(items) => YamlValue::Sequence(items.iter().map(copy).collect()),
        YamlValue::Mapping(entries) => match entries.as_slice() {
            [(key, value)] if key.as_text() == Some("Ref") && value.as_text() == Some(variable) => {
                YamlValue::Scalar { text: item.to_owned().into(), is_plain: false }
            }
            entries => {
                YamlValue::Mapping(entries.iter().map(|(key, value)| (copy(key), copy(value))).collect())
            }
        },
    };
    YamlNode { value, tag: node.tag.clone(), line: node.line }
}
