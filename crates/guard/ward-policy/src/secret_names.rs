//! Values whose names say that they are secret: templates and manifests mark nothing else.
//!
//! What is hidden is evaluated all the same. A name too many hides a harmless value in a report; a
//! name too few prints a password.

use crate::graph::{Attribute, Block, Sensitive, Unknown};

/// Parts of names of secrets, in lower case and without marks between words.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "privatekey",
    "apikey",
    "accesskey",
    "authkey",
    "encryptionkey",
    "credential",
];

/// How lists of named values call the name and the value.
const NAMED_VALUES: [(&str, &str); 4] =
    [("name", "value"), ("Name", "Value"), ("Key", "Value"), ("ParameterKey", "ParameterValue")];

/// The same block, with the texts under names of secrets hidden.
pub(crate) fn with_hidden_secrets(block: Block) -> Block {
    let is_named_secret = |name: &str| match block.get(name) {
        Some(Attribute::Text(text)) => is_secret(text),
        _ => false,
    };
    let secret_values: Vec<&str> =
        NAMED_VALUES.iter().filter(|(name, _)| is_named_secret(name)).map(|(_, value)| *value).collect();
    let mut entries = block.into_entries();
    for (name, value) in &mut entries {
        let held = std::mem::replace(value, Attribute::Null);
        *value =
            if is_secret(name) || secret_values.contains(&&**name) { hidden(held) } else { walked(held) };
    }
    // The names are those of the block.
    Block::new(entries).unwrap_or_default()
}

/// A value as a report may show it: blocks without the texts under names of secrets, and a document only
/// if it names no secret.
pub(crate) fn shown(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) if holds_document(text) && is_secret(text) => {
            "(a document that may hold a secret, not shown)".to_owned()
        }
        Attribute::Block(_) | Attribute::List(_) => walked(value.clone()).shown(),
        other => other.shown(),
    }
}

fn holds_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

fn walked(value: Attribute) -> Attribute {
    match value {
        Attribute::Block(block) => Attribute::Block(with_hidden_secrets(block)),
        Attribute::List(items) => Attribute::list(items.into_iter().map(walked).collect()),
        other => other,
    }
}

/// Texts hidden, and those of a list; what lies deeper is named by its own names.
fn hidden(value: Attribute) -> Attribute {
    match value {
        text @ Attribute::Text(_) => Attribute::Sensitive(Sensitive::new(text)),
        Attribute::List(items) => Attribute::list(items.into_iter().map(hidden).collect()),
        Attribute::Unknown(unknown) => Attribute::Unknown(Box::new(hidden_unknown(*unknown))),
        other => walked(other),
    }
}

/// The expression may have a part of the secret in it.
fn hidden_unknown(unknown: Unknown) -> Unknown {
    // Behind the name of a parameter its default may stand.
    let is_reference = |written: &str| match written.split_once(' ') {
        Some(("!Ref" | "!GetAtt", name)) => !name.contains(' '),
        _ => false,
    };
    Unknown {
        written: unknown.written.filter(|written| is_reference(written)),
        branches: unknown.branches.into_iter().map(hidden).collect(),
        ..unknown
    }
}

fn is_secret(name: &str) -> bool {
    let mut plain = String::with_capacity(name.len());
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric);
    plain.extend(letters.map(|letter| char::from(letter.to_ascii_lowercase())));
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Reason;
    use crate::yaml::read_yaml;

    fn shown(text: &str) -> String {
        let Attribute::Block(block) = read_yaml(text).unwrap()[0].to_attribute().unwrap() else { panic!() };
        Attribute::Block(with_hidden_secrets(block)).shown()
    }

    #[test]
    fn fails_closed_a_report_shows_no_secret_of_a_block_or_a_document() {
        let block = read_yaml("{cpu: 256, environment: [{name: DB_PASSWORD, value: hunter2}]}").unwrap();
        let block = block[0].to_attribute().unwrap();
        let document = Attribute::text(r#"[{"name": "DB_PASSWORD", "value": "hunter2"}]"#);
        for value in [Attribute::list(vec![block.clone()]), block, document] {
            assert!(!super::shown(&value).contains("hunter2"), "{}", super::shown(&value));
        }
        assert_eq!(super::shown(&Attribute::text(r#"{"a": 1}"#)), r#""{\"a\": 1}""#);
    }

    #[test]
    fn texts_under_names_of_secrets_are_not_shown() {
        for text in [
            "{MasterUserPassword: hunter2}",
            "{db: {api-key: hunter2}}",
            "{Environment: {Variables: {DB_PASSWORD: hunter2}}}",
            "{env: [{name: AUTH_TOKEN, value: hunter2}]}",
            "{Environment: [{Name: AUTH_TOKEN, Value: hunter2}]}",
            "{passwords: [hunter2]}",
            "{env: [{name: DB_PWD, value: hunter2}]}",
        ] {
            assert!(!shown(text).contains("hunter2"), "{}", shown(text));
        }
        assert_eq!(
            shown("{PasswordLength: 16, Name: x, Value: y}"),
            r#"{Name = "x", PasswordLength = 16, Value = "y"}"#
        );
    }

    #[test]
    fn an_expression_of_a_secret_is_not_shown_and_a_reference_is() {
        let unknown = |written: &str| {
            let mut unknown = Unknown::one_of(Reason::Input, vec!["hunter2".into()]);
            unknown.written = Some(written.into());
            hidden_unknown(unknown)
        };
        let hidden = unknown("!Sub hunter2${X}");
        assert!(!format!("{hidden:?}").contains("hunter2"), "{hidden:?}");
        assert!(!format!("{:?}", unknown("!Ref P, whose default is \"hunter2\"")).contains("hunter2"));
        assert_eq!(unknown("!Ref Password").expression(), "!Ref Password");
    }
}
