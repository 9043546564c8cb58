//! Functions that write and read JSON, YAML and base64.

use super::super::conversion::as_text;
use super::super::templates::read_document;
use super::super::value::{Data, Entries, Value};
use super::{Answer, is_open};
use crate::base64_text::{from_base64, to_base64};
use crate::graph::Attribute;
use crate::limits::MAX_TEXT_BYTES;
use crate::yaml::{YamlNode, YamlValue, read_yaml};
use std::fmt::Write as _;
use std::rc::Rc;

/// Calls one of them.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    match (name, values) {
        ("jsonencode", [value]) => json(value),
        ("jsondecode", [value]) => match &value.data {
            Data::Document(of) => Answer::Taken((**of).clone()),
            // What this reader refuses, Terraform may read.
            Data::Text(text) => read_document(text).map_or(Answer::NoSuch, Answer::Made),
            _ if is_open(value) => Answer::NotKnown,
            _ => Answer::Refused,
        },
        ("yamldecode", [value]) => match value.as_text() {
            Some(text) => yaml(text).map_or(Answer::NoSuch, Answer::Made),
            None => Answer::NotKnown,
        },
        ("base64encode", [value]) => text_of(value, |text| Some(to_base64(text.as_bytes()))),
        ("base64decode", [value]) => text_of(value, decoded),
        ("urlencode", [value]) => text_of(value, |text| Some(url(text))),
        _ => Answer::NoSuch,
    }
}

fn text_of(value: &Value, change: impl Fn(&str) -> Option<String>) -> Answer {
    match as_text(value) {
        Some(text) => Answer::of(change(&text).map(|text| Value::text(&text))),
        None if is_open(value) => Answer::NotKnown,
        None => Answer::Refused,
    }
}

/// JSON; if something in it is not known, its shape.
fn json(value: &Value) -> Answer {
    if value.is_wholly_known() {
        let mut text = String::new();
        return match write_json(value, &mut text) {
            true => Answer::Made(Value::text(&text)),
            false => Answer::NoSuch,
        };
    }
    match &value.data {
        Data::List(_) | Data::Map(_) => {
            Answer::Taken(Value::new(Data::Document(Rc::new(value.clone().sealed()))))
        }
        _ => Answer::NotKnown,
    }
}

/// Writes JSON, and says whether it is not too long.
fn write_json(value: &Value, text: &mut String) -> bool {
    match &value.data {
        Data::Null => text.push_str("null"),
        Data::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Data::Number(number) => text.push_str(&number.to_string()),
        Data::Text(of) => write_text(of, text),
        Data::List(list) => {
            text.push('[');
            for (place, item) in list.inner.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                if !write_json(item, text) {
                    return false;
                }
            }
            text.push(']');
        }
        Data::Map(map) => {
            text.push('{');
            for (place, (key, item)) in map.inner.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_text(key, text);
                text.push(':');
                if !write_json(item, text) {
                    return false;
                }
            }
            text.push('}');
        }
        Data::Document(_) | Data::Block(_) | Data::AnyBlock(_) | Data::Module(_) | Data::Unknown(_) => {
            return false;
        }
    }
    text.len() <= MAX_TEXT_BYTES
}

fn write_text(of: &str, text: &mut String) {
    text.push('"');
    for letter in of.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // As Terraform does, so that the text may stand in HTML.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a text does not fail.
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

fn yaml(text: &str) -> Option<Value> {
    match read_yaml(text).ok()?.as_slice() {
        [document] if is_plain_yaml(document) => Some(of_attribute(&document.to_attribute().ok()?)),
        _ => None,
    }
}

/// Whether Terraform's reader says the same: it is of an older YAML, in which `yes` is true and `010` is 8.
fn is_plain_yaml(node: &YamlNode) -> bool {
    let is_clear = match &node.value {
        YamlValue::Scalar { text, is_plain: true } => {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let is_old_word =
                ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word));
            let begins_a_number =
                text.starts_with(|first: char| matches!(first, '0'..='9' | '+' | '-' | '.'));
            !is_old_word && (!begins_a_number || (is_number && (text.len() == 1 || !text.starts_with('0'))))
        }
        YamlValue::Scalar { .. } => true,
        YamlValue::Sequence(items) => items.iter().all(is_plain_yaml),
        YamlValue::Mapping(entries) => {
            entries.iter().all(|(key, value)| is_plain_yaml(key) && is_plain_yaml(value))
        }
    };
    is_clear && node.tag.is_none()
}

fn of_attribute(attribute: &Attribute) -> Value {
    match attribute {
        Attribute::Bool(value) => Value::bool(*value),
        Attribute::Number(value) => Value::number(*value),
        Attribute::Text(text) => Value::text(text),
        Attribute::List(items) => Value::list(items.iter().map(of_attribute).collect()),
        Attribute::Block(block) => {
            let entries = block.entries().map(|(key, value)| (key.into(), of_attribute(value)));
            Value::map(entries.collect::<Entries>())
        }
        Attribute::Null | Attribute::Unknown(_) | Attribute::Sensitive(_) => Value::null(),
    }
}

fn decoded(text: &str) -> Option<String> {
    // Terraform leaves line breaks out.
    let text: String = text.chars().filter(|letter| !matches!(letter, '\n' | '\r')).collect();
    let digits = text.trim_end_matches('=');
    let is_whole = text.len().is_multiple_of(4) && text.len() - digits.len() <= 2;
    is_whole.then(|| from_base64(digits)).flatten()
}

fn url(text: &str) -> String {
    let mut written = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                written.push(char::from(byte))
            }
            b' ' => written.push('+'),
            // Writing to a text does not fail.
            byte => drop(write!(written, "%{byte:02X}")),
        }
    }
    written
}
