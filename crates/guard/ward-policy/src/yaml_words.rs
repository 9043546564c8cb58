//! Scalars as the readers of templates and manifests take them: YAML 1.1, not 1.2.
//!
//! `privileged: yes` is true for a cluster. Read as a text it would pass every rule that refuses
//! true.

use crate::graph::{Attribute, Reason, Unknown};
use crate::yaml::{YamlNode, YamlValue};

/// Who reads the text in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The tools of Kubernetes: YAML 1.1 throughout.
    Kubernetes,
    /// CloudFormation: where YAML 1.1 and 1.2 differ, the value may be either.
    CloudFormation,
}

/// The value of a scalar; `None` for what is none.
pub(crate) fn scalar_of(node: &YamlNode, dialect: Dialect) -> Option<Attribute> {
    let YamlValue::Scalar { text, is_plain } = &node.value else { return None };
    match node.tag.as_deref() {
        None if !is_plain => Some(Attribute::text(text)),
        None => Some(plain(text, dialect)),
        Some("!" | "!!str") => Some(Attribute::text(text)),
        Some("!!bool" | "!!int" | "!!float" | "!!null") => Some(plain(text, dialect)),
        Some(tag) => {
            let mut unknown = Unknown::new(Reason::Expression, Vec::new().into());
            unknown.written = Some(format!("{tag} {text}").into());
            Some(Attribute::Unknown(Box::new(unknown)))
        }
    }
}

fn plain(text: &str, dialect: Dialect) -> Attribute {
    let newer = crate::yaml::plain(text).unwrap_or_else(|| Attribute::text(text));
    let Some(older) = word(text).map(Attribute::Bool).or_else(|| number(text).map(Attribute::Number)) else {
        return newer;
    };
    if older == newer || dialect == Dialect::Kubernetes {
        return older;
    }
    let mut either = Unknown::one_of(Reason::Expression, vec![older, newer]);
    either.written = Some(text.into());
    Attribute::Unknown(Box::new(either))
}

/// Words that are true or false in YAML 1.1 only.
fn word(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Numbers that are written in a way which YAML 1.2 reads otherwise.
fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let (radix, rest) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] if digits.bytes().all(|digit| (b'0'..b'8').contains(&digit)) => (8, digits.get(1..)?),
        _ if digits.bytes().all(|digit| digit.is_ascii_digit()) => (10, &*digits),
        _ => return None,
    };
    // What needs more than 32 bits is no number that a rule compares with: YAML 1.2 reads it as well.
    u32::from_str_radix(rest, radix).ok().map(|number| sign * f64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    fn read(text: &str, dialect: Dialect) -> Attribute {
        scalar_of(&read_yaml(text).unwrap()[0], dialect).unwrap()
    }

    #[test]
    fn fails_closed_words_of_yaml_1_1_are_true_and_false() {
        for (text, value) in [
            ("yes", Attribute::Bool(true)),
            ("On", Attribute::Bool(true)),
            ("n", Attribute::Bool(false)),
            ("'yes'", "yes".into()),
            ("!!str yes", "yes".into()),
            ("!!bool 'true'", Attribute::Bool(true)),
            ("true", Attribute::Bool(true)),
            ("nobody", "nobody".into()),
            ("~", Attribute::Null),
            ("010", Attribute::Number(8.0)),
            ("-0x1F", Attribute::Number(-31.0)),
            ("0b11", Attribute::Number(3.0)),
            ("1_000", Attribute::Number(1000.0)),
            ("08", Attribute::Number(8.0)),
            ("1.5", Attribute::Number(1.5)),
            ("5000000000", Attribute::Number(5e9)),
            ("10.0.0.0/8", "10.0.0.0/8".into()),
        ] {
            assert_eq!(read(text, Dialect::Kubernetes), value, "{text}");
        }
    }

    #[test]
    fn fails_closed_cloudformation_may_take_a_word_either_way() {
        let Attribute::Unknown(either) = read("yes", Dialect::CloudFormation) else { panic!("known") };
        assert_eq!(&*either.branches, [Attribute::Bool(true), "yes".into()]);
        let Attribute::Unknown(either) = read("010", Dialect::CloudFormation) else { panic!("known") };
        assert_eq!(&*either.branches, [Attribute::Number(8.0), Attribute::Number(10.0)]);
        assert_eq!(read("12", Dialect::CloudFormation), Attribute::Number(12.0));
        assert_eq!(read("true", Dialect::CloudFormation), Attribute::Bool(true));
    }

    #[test]
    fn a_tag_that_is_not_known_makes_an_unknown_value() {
        assert!(matches!(read("!!binary aGk=", Dialect::Kubernetes), Attribute::Unknown(_)));
    }
}
