//! Parameters: what a reference to one may stand for.

use super::alternatives::unknown;
use crate::graph::{Attribute, Reason, Reference, Referent, Unknown};
use crate::limits::{MAX_BRANCHES, MAX_SHOWN_CHARS};
use crate::yaml::YamlNode;
use crate::yaml_words::{Dialect, scalar_of};

/// What a reference to a parameter stands for. Its default is no fact: whoever deploys may give
/// another value. Allowed values are all there is.
pub(super) fn parameter(name: &str, node: &YamlNode) -> Attribute {
    let kind = node.get("Type").and_then(YamlNode::as_text).unwrap_or_default();
    let written = written(name, node);
    let input = || vec![Reference { written: format!("!Ref {name}").into(), to: Referent::Input }];
    if kind.starts_with("AWS::SSM::Parameter::Value<") {
        // The template gives the name of the value, which is held elsewhere.
        return unknown(Reason::Elsewhere, input(), &written);
    }
    let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    let allowed = node.get("AllowedValues").and_then(YamlNode::as_items).unwrap_or_default();
    let allowed: Option<Vec<Attribute>> =
        allowed.iter().map(|value| scalar_of(value, Dialect::CloudFormation)).collect();
    match allowed {
        // Each item of a list is one of them: the list itself may be any.
        Some(values) if !is_list && !values.is_empty() && values.len() <= MAX_BRANCHES => {
            one_of(values, input(), &written)
        }
        _ => unknown(Reason::Input, input(), &written),
    }
}

fn one_of(mut values: Vec<Attribute>, references: Vec<Reference>, written: &str) -> Attribute {
    if values.len() == 1
        && let Some(only) = values.pop()
    {
        return only;
    }
    let mut one_of = Unknown::one_of(Reason::Input, values);
    one_of.references = references.into();
    one_of.written = Some(written.into());
    Attribute::Unknown(Box::new(one_of))
}

/// The reference with the default, unless that is secret.
fn written(name: &str, node: &YamlNode) -> String {
    let is_secret = node.get("NoEcho").is_some_and(|node| node.as_text() != Some("false"));
    let default = node.get("Default").and_then(YamlNode::as_text).filter(|_| !is_secret);
    match default {
        Some(default) => {
            let short: String = default.chars().take(MAX_SHOWN_CHARS).collect();
            format!("!Ref {name}, whose default is {short:?}")
        }
        None => format!("!Ref {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    fn read(text: &str) -> Attribute {
        parameter("P", &read_yaml(text).unwrap()[0])
    }

    fn unknown_of(text: &str) -> Unknown {
        match read(text) {
            Attribute::Unknown(unknown) => *unknown,
            known => panic!("{known:?}"),
        }
    }

    #[test]
    fn fails_closed_a_default_is_not_the_value() {
        let open = unknown_of("Type: String\nDefault: 'true'\n");
        assert_eq!((open.reason, open.branches.len()), (Reason::Input, 0));
        assert_eq!(open.expression(), "!Ref P, whose default is \"true\"");
        assert_eq!(open.references[0].to, Referent::Input);
    }

    #[test]
    fn allowed_values_are_all_there_is() {
        let two = unknown_of("Type: String\nAllowedValues: ['true', 'false']\n");
        assert_eq!(&*two.branches, ["true".into(), "false".into()]);
        assert_eq!(read("Type: String\nAllowedValues: [true]\n"), Attribute::Bool(true));
    }

    #[test]
    fn fails_closed_lists_and_values_held_elsewhere_are_open() {
        assert!(unknown_of("Type: CommaDelimitedList\nAllowedValues: [a, b]\n").branches.is_empty());
        let elsewhere = unknown_of("Type: AWS::SSM::Parameter::Value<String>\nAllowedValues: [a]\n");
        assert_eq!((elsewhere.reason, elsewhere.branches.len()), (Reason::Elsewhere, 0));
    }

    #[test]
    fn a_secret_default_is_not_shown() {
        let secret = unknown_of("Type: String\nNoEcho: true\nDefault: hunter2\n");
        assert_eq!(secret.expression(), "!Ref P");
    }

    #[test]
    fn allowed_values_at_the_limit_and_one_past() {
        let many = |count: usize| {
            let values: Vec<_> = (0..count).map(|at| format!("v{at}")).collect();
            unknown_of(&format!("Type: String\nAllowedValues: [{}]\n", values.join(", "))).branches.len()
        };
        assert_eq!(many(MAX_BRANCHES), MAX_BRANCHES);
        assert_eq!(many(MAX_BRANCHES + 1), 0);
    }
}
