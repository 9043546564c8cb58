//! `encode`, `decode`, `escape` and `unescape`.
//!
//! Source: FHIRPath STU, additional string functions.

use super::super::collection::Collection;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::Calling;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let (Some(text), Some(format)) = (calling.text(input)?, calling.text_argument(0)?) else {
        return Ok(Collection::empty());
    };
    let changed = match (calling.call.function, format.as_ref()) {
        (F::Encode, "base64") => Some(STANDARD.encode(text.as_bytes())),
        (F::Encode, "urlbase64") => Some(URL_SAFE.encode(text.as_bytes())),
        (F::Encode, "hex") => Some(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        (F::Decode, "base64") => utf8(STANDARD.decode(text.as_bytes()).ok()),
        (F::Decode, "urlbase64") => utf8(URL_SAFE.decode(text.as_bytes()).ok()),
        (F::Decode, "hex") => utf8(from_hex(&text)),
        (F::Escape, "html") => Some(escape_html(&text)),
        (F::Escape, "json") => Some(escape_json(&text)),
        (F::Unescape, "html") => Some(unescape_html(&text)),
        (F::Unescape, "json") => serde_json::from_str(&format!("\"{}\"", quotes_escaped(&text))).ok(),
        _ => return Err(calling.unknown(&format)),
    };
    match changed {
        Some(text) => calling.built(text),
        None => Ok(Collection::empty()),
    }
}

fn utf8(bytes: Option<Vec<u8>>) -> Option<String> {
    String::from_utf8(bytes?).ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn unescape_html(text: &str) -> String {
    const NAMES: [(&str, char); 7] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#39;", '\''),
        ("&apos;", '\''),
        ("&nbsp;", '\u{a0}'),
        ("&amp;", '&'),
    ];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        match NAMES.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, c)) => {
                plain.push(*c);
                rest = from.get(name.len()..).unwrap_or("");
            }
            None => {
                plain.push('&');
                rest = from.get(1..).unwrap_or("");
            }
        }
    }
    plain + rest
}

fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// A quote that no backslash stands before is taken as one.
fn quotes_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '"' && !is_escaped {
            escaped.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        escaped.push(c);
    }
    escaped
}
