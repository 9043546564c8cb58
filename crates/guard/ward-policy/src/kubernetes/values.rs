//! Values of manifests, and the marks of templates that were not rendered.

use crate::graph::{Attribute, Block, Reason, Unknown};
use crate::input_error::InputError;
use crate::limits::MAX_MARK_BYTES;
use crate::source_documents::line_number;
use crate::yaml::{YamlNode, YamlValue};
use crate::yaml_words::{Dialect, scalar_of};

/// Words by which Helm charts speak of what they are given. Other tools write braces as well, and
/// mean them.
const CHART_WORDS: [&str; 9] = [
    ".Values",
    ".Release",
    ".Chart",
    ".Capabilities",
    ".Files",
    "include \"",
    "template \"",
    "toYaml",
    "tpl ",
];

/// Why a document was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is a template that was not rendered.
    Template {
        /// Where it shows.
        line: u32,
    },
    /// It is not read for another reason.
    Input(InputError),
}

/// A document as a tree. Texts of `data` are content, not configuration.
pub(super) fn to_attribute(node: &YamlNode, has_content: bool) -> Result<Attribute, Fault> {
    match &node.value {
        YamlValue::Scalar { .. } => scalar(node, false),
        YamlValue::Sequence(items) => list(items, false),
        YamlValue::Mapping(entries) => {
            let is_content = |name: &str| has_content && matches!(name, "data" | "stringData" | "binaryData");
            block(node, entries, is_content)
        }
    }
}

fn nested(node: &YamlNode, is_content: bool) -> Result<Attribute, Fault> {
    match &node.value {
        YamlValue::Scalar { .. } => scalar(node, is_content),
        YamlValue::Sequence(items) => list(items, is_content),
        YamlValue::Mapping(entries) => block(node, entries, |_| is_content),
    }
}

fn list(items: &[YamlNode], is_content: bool) -> Result<Attribute, Fault> {
    items.iter().map(|item| nested(item, is_content)).collect::<Result<Vec<_>, _>>().map(Attribute::list)
}

fn block(
    node: &YamlNode,
    entries: &[(YamlNode, YamlNode)],
    is_content: impl Fn(&str) -> bool,
) -> Result<Attribute, Fault> {
    let mut named = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        // `{{ x }}` without quotes reads as a mapping whose key is a mapping.
        let name = key.as_text().filter(|name| !name.contains("{{"));
        let name = name.ok_or(Fault::Template { line: key.line })?;
        named.push((name.into(), nested(value, is_content(name))?));
    }
    let twice = |name| Fault::Input(InputError::GivenTwice { line: line_number(node.line), name });
    Block::new(named).map(Attribute::Block).map_err(twice)
}

fn scalar(node: &YamlNode, is_content: bool) -> Result<Attribute, Fault> {
    let value = scalar_of(node, Dialect::Kubernetes).unwrap_or(Attribute::Null);
    let Attribute::Text(text) = &value else { return Ok(value) };
    if has_chart_mark(text) {
        return Err(Fault::Template { line: node.line });
    }
    if !is_content && is_filled_in_later(text) {
        let mut unknown = Unknown::new(Reason::Expression, Vec::new().into());
        unknown.written = Some(text.clone());
        return Ok(Attribute::Unknown(Box::new(unknown)));
    }
    Ok(value)
}

/// Whether a text has an expression of a chart in it.
pub(super) fn has_chart_mark(text: &str) -> bool {
    chart_mark(text).is_some()
}

/// The text before the first expression of a chart.
pub(super) fn chart_mark(text: &str) -> Option<&str> {
    let mut from = 0;
    while let Some((_, after)) = text.get(from..).and_then(|rest| rest.split_once("{{")) {
        let start = text.len() - after.len();
        let (near, _) = after.split_at_checked(after.floor_char_boundary(MAX_MARK_BYTES))?;
        let inside = near.split_once("}}").map_or(near, |(inside, _)| inside);
        if CHART_WORDS.iter().any(|word| inside.contains(word)) {
            return text.get(..start);
        }
        // What was searched is not searched again.
        from = start + inside.len();
    }
    None
}

/// Whether something else puts the value in later: an expression in braces, or nothing but variables.
pub(super) fn is_filled_in_later(text: &str) -> bool {
    let mut rest = text.trim();
    // A text of several lines is a script or a document, which has braces of its own.
    if rest.contains("{{") && !rest.contains('\n') {
        return true;
    }
    while let Some((_, after)) = rest.strip_prefix("${").and_then(|inside| inside.split_once('}')) {
        rest = after.trim_start();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    fn read(text: &str, has_content: bool) -> Result<Attribute, Fault> {
        to_attribute(&read_yaml(text).unwrap()[0], has_content)
    }

    fn is_unknown(text: &str) -> bool {
        let Attribute::Block(block) = read(text, true).unwrap() else { panic!("{text}") };
        matches!(block.get("a"), Some(Attribute::Unknown(_)))
    }

    #[test]
    fn fails_closed_charts_that_were_not_rendered_are_refused() {
        for text in [
            "a: {{ .Values.a }}\n",
            "a: 1\nb: '{{ .Values.a }}'\n",
            "'{{ .Release.Name }}-x': 1\n",
            "data:\n  x: |\n    {{- include \"x\" . | nindent 4 }}\n",
            "data: ['x{{.Chart.Name}}']\n",
        ] {
            assert!(matches!(read(text, true), Err(Fault::Template { .. })), "{text}");
        }
    }

    #[test]
    fn fails_closed_what_is_filled_in_later_is_not_known() {
        assert!(is_unknown("a: '{{inputs.parameters.image}}'\n"));
        assert!(is_unknown("a: ${PRIVILEGED}\n"));
        assert!(is_unknown("a: \"${A} ${B}\"\n"));
        assert!(!is_unknown("a: registry/${IMAGE}\n"));
        assert!(!is_unknown("a: ''\n"));
        assert!(!is_unknown("a: |\n  {{ range }}\n  echo ${A}\n"));
    }

    #[test]
    fn marks_at_the_limit_and_one_past() {
        let far = |bytes: usize| format!("{{{{{}.Values }}}}", " ".repeat(bytes - ".Values".len()));
        assert!(has_chart_mark(&far(MAX_MARK_BYTES)));
        assert!(!has_chart_mark(&far(MAX_MARK_BYTES + 1)));
        // Braces without an end are passed once.
        assert!(!has_chart_mark(&"{{".repeat(1_000_000)));
        assert_eq!(chart_mark("a\n{{ x }} {{ .Values }}"), Some("a\n{{ x }} {{"));
    }

    #[test]
    fn content_stays_as_it_is() {
        let Attribute::Block(block) = read("data: {x: '{{ $labels.job }}'}\n", true).unwrap() else {
            panic!()
        };
        assert_eq!(block.get("data").unwrap().shown(), r#"{x = "{{ $labels.job }}"}"#);
    }
}
