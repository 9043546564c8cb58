//! Short forms of functions in YAML become their long forms, so that there is one form to read.

use crate::yaml::{YamlNode, YamlValue};

/// The same tree with `!Ref x` as `{Ref: x}` and `!Sub x` as `{Fn::Sub: x}`.
pub(super) fn without_short_forms(node: YamlNode) -> YamlNode {
    let YamlNode { value, tag, line } = node;
    let value = match value {
        YamlValue::Scalar { .. } => value,
        YamlValue::Sequence(items) => {
            YamlValue::Sequence(items.into_iter().map(without_short_forms).collect())
        }
        YamlValue::Mapping(entries) => YamlValue::Mapping(
            entries.into_iter().map(|(key, value)| (key, without_short_forms(value))).collect(),
        ),
    };
    match tag.as_deref().and_then(long_form) {
        Some(name) => call(&name, YamlNode { value, tag: None, line }),
        None => YamlNode { value, tag, line },
    }
}

fn long_form(tag: &str) -> Option<String> {
    let name = tag.strip_prefix('!').filter(|name| !name.is_empty() && !name.starts_with(['!', '<']))?;
    Some(match name {
        "Ref" | "Condition" => name.to_owned(),
        other => format!("Fn::{other}"),
    })
}

/// A function and its argument.
fn call(name: &str, argument: YamlNode) -> YamlNode {
    let line = argument.line;
    let name = YamlValue::Scalar { text: name.to_owned().into(), is_plain: false };
    let key = YamlNode { value: name, tag: None, line };
    YamlNode { value: YamlValue::Mapping(vec![(key, argument)]), tag: None, line }
}

/// What a mapping is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape<'t> {
    /// A function with its argument.
    Call(&'t str, &'t YamlNode),
    /// Functions beside one another or beside names: no template may have it, but a macro may.
    Tangled,
    /// Names and values.
    Plain(&'t [(YamlNode, YamlNode)]),
}

/// What a mapping is.
pub(super) fn shape(entries: &[(YamlNode, YamlNode)]) -> Shape<'_> {
    let name = |(key, _): &(YamlNode, YamlNode)| key.as_text().is_some_and(is_function);
    match entries {
        // A key that is no text is nothing that a template may have.
        entries if entries.iter().any(|(key, _)| key.as_text().is_none()) => Shape::Tangled,
        [entry @ (key, argument)] if name(entry) => Shape::Call(key.as_text().unwrap_or_default(), argument),
        entries if entries.iter().any(name) => Shape::Tangled,
        entries => Shape::Plain(entries),
    }
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}
