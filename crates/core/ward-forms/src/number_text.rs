//! The text of numbers whose reading as a binary number would lose some of it: `1.50`, `1E2`, or
//! more digits than a double holds.
//!
//! It is kept beside the values instead of in them, so that no other part of the workspace has to
//! read JSON in another way. A text is written back only where the number beside it is still the
//! one that it was read as.

use crate::error::FormError;
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// The texts within one JSON value, as sparse as they are rare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum NumberTexts {
    /// Every number in it is written back as it was anyway.
    #[default]
    None,
    /// It is a number, written like this.
    Text(String),
    /// It is an object; these fields hold such numbers.
    Fields(BTreeMap<String, NumberTexts>),
    /// It is an array; these elements hold such numbers.
    Elements(BTreeMap<usize, NumberTexts>),
}

impl NumberTexts {
    /// Collects the texts of a document that the JSON parser has accepted.
    ///
    /// # Errors
    /// [`FormError::DuplicateField`] when an object gives a field twice, where a reader would have
    /// to pick one of the two.
    pub(crate) fn of(json: &str) -> Result<Self, FormError> {
        let (texts, given_twice) = Self::of_stored(json);
        match given_twice {
            Some(field) => Err(FormError::DuplicateField { field }),
            None => Ok(texts),
        }
    }

    /// As [`NumberTexts::of`], for what is stored: of a field that an object gives twice the later one
    /// counts, as for the JSON parser, and the name of the first such field is told.
    pub(crate) fn of_stored(json: &str) -> (Self, Option<String>) {
        let mut scanner = Scanner { json, at: 0, given_twice: None };
        (scanner.value(), scanner.given_twice)
    }

    /// Takes the texts of one field out.
    pub(crate) fn take_field(&mut self, field: &str) -> Self {
        match self {
            Self::Fields(fields) => fields.remove(field).unwrap_or_default(),
            _ => Self::None,
        }
    }

    /// Takes the texts of one element out.
    pub(crate) fn take_element(&mut self, place: usize) -> Self {
        match self {
            Self::Elements(elements) => elements.remove(&place).unwrap_or_default(),
            _ => Self::None,
        }
    }

    /// The texts of one field, if it has any.
    pub(crate) fn field(&self, field: &str) -> Option<&Self> {
        match self {
            Self::Fields(fields) => fields.get(field),
            _ => None,
        }
    }

    /// The texts of one element, if it has any.
    pub(crate) fn element(&self, place: usize) -> Option<&Self> {
        match self {
            Self::Elements(elements) => elements.get(&place),
            _ => None,
        }
    }

    /// How this number was written, if it is still the one that the text was read as.
    pub(crate) fn text_of(&self, number: &Number) -> Option<&str> {
        match self {
            Self::Text(text) if stands_for(text, number) => Some(text),
            _ => None,
        }
    }

    /// These texts with those of a list of children under one field.
    pub(crate) fn with_list(self, field: &str, children: impl Iterator<Item = Self>) -> Self {
        let elements: BTreeMap<usize, Self> =
            children.enumerate().filter(|(_, texts)| *texts != Self::None).collect();
        if elements.is_empty() {
            return self;
        }
        let mut fields = match self {
            Self::Fields(fields) => fields,
            _ => BTreeMap::new(),
        };
        fields.insert(field.to_owned(), Self::Elements(elements));
        Self::Fields(fields)
    }

    /// Writes a value without spaces, with the numbers as they were.
    pub(crate) fn write(&self, value: &Value, out: &mut String) {
        match (self, value) {
            (Self::Text(text), Value::Number(number)) if stands_for(text, number) => out.push_str(text),
            (Self::Fields(fields), Value::Object(map)) => write_object(fields, map, out),
            (Self::Elements(elements), Value::Array(list)) => {
                out.push('[');
                for (place, element) in list.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    elements.get(&place).unwrap_or(&Self::None).write(element, out);
                }
                out.push(']');
            }
            _ => out.push_str(&value.to_string()),
        }
    }
}

fn write_object(fields: &BTreeMap<String, NumberTexts>, map: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (place, (field, value)) in map.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(&Value::String(field.clone()).to_string());
        out.push(':');
        fields.get(field).unwrap_or(&NumberTexts::None).write(value, out);
    }
    out.push('}');
}

fn stands_for(text: &str, number: &Number) -> bool {
    serde_json::from_str::<Number>(text).is_ok_and(|read| read == *number)
}

/// Walks JSON that is known to be valid and not too deep. Where it is not, the walk ends early and
/// keeps nothing more.
struct Scanner<'a> {
    json: &'a str,
    at: usize,
    /// The first field that an object gives twice.
    given_twice: Option<String>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        self.json.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = self.rest();
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        self.at += spaces;
        self.rest().bytes().next()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> NumberTexts {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => {
                self.string();
                NumberTexts::None
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                self.skip(|byte| byte.is_ascii_alphabetic());
                NumberTexts::None
            }
        }
    }

    fn skip(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().take_while(|byte| belongs(*byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn number(&mut self) -> NumberTexts {
        let text = self.skip(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        let is_kept = serde_json::from_str::<Number>(text).is_ok_and(|number| number.to_string() == text);
        if is_kept { NumberTexts::None } else { NumberTexts::Text(text.to_owned()) }
    }

    /// The string that starts here, quotes included.
    fn string(&mut self) -> &'a str {
        let rest = self.rest();
        let mut escaped = false;
        let length = rest
            .bytes()
            .skip(1)
            .position(|byte| {
                let ends = byte == b'"' && !escaped;
                escaped = byte == b'\\' && !escaped;
                ends
            })
            .map_or(rest.len(), |inner| inner + 2);
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn array(&mut self) -> NumberTexts {
        self.at += 1;
        let mut elements = BTreeMap::new();
        let mut place = 0;
        while !self.eat(b']') && self.peek().is_some() {
            let texts = self.value();
            if texts != NumberTexts::None {
                elements.insert(place, texts);
            }
            place += 1;
            if !self.eat(b',') {
                self.eat(b']');
                break;
            }
        }
        if elements.is_empty() { NumberTexts::None } else { NumberTexts::Elements(elements) }
    }

    fn object(&mut self) -> NumberTexts {
        self.at += 1;
        let mut fields = BTreeMap::new();
        let mut seen = std::collections::BTreeSet::new();
        while !self.eat(b'}') && self.peek().is_some() {
            let quoted = self.string();
            let field: String = serde_json::from_str(quoted).unwrap_or_default();
            if !self.eat(b':') {
                break;
            }
            let texts = self.value();
            if !seen.insert(field.clone()) {
                self.given_twice.get_or_insert_with(|| field.chars().take(64).collect());
                fields.remove(&field);
            }
            if texts != NumberTexts::None {
                fields.insert(field, texts);
            }
            if !self.eat(b',') {
                self.eat(b'}');
                break;
            }
        }
        if fields.is_empty() { NumberTexts::None } else { NumberTexts::Fields(fields) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        let value: Value = serde_json::from_str(json).unwrap();
        let mut out = String::new();
        NumberTexts::of(json).unwrap().write(&value, &mut out);
        out
    }

    #[test]
    fn numbers_are_written_as_they_were() {
        for json in [
            "1.50",
            "[0.10,1E2,-0,12345678901234567890123,1,2.5]",
            r#"{"a":{"b":[1.0,{"c":2.500}]},"d":"1.50","e\"x":3.0,"f":[],"g":{},"h":null,"i":true}"#,
            r#"[{"text":"\\","n":1.00},{"text":"\"1.0","n":100000000000000000000.10}]"#,
        ] {
            assert_eq!(written(json), json);
        }
        assert_eq!(written(" [ 1.50 , 2 ] "), "[1.50,2]");
    }

    #[test]
    fn nothing_is_kept_where_nothing_would_be_lost() {
        assert_eq!(NumberTexts::of(r#"{"a":[1,2.5,-3,{"b":"1.50"}]}"#), Ok(NumberTexts::None));
    }

    #[test]
    fn a_text_does_not_outlive_its_number() {
        let texts = NumberTexts::of(r#"{"a":1.50}"#).unwrap();
        let mut out = String::new();
        texts.write(&serde_json::json!({"a": 2.5}), &mut out);
        assert_eq!(out, r#"{"a":2.5}"#);
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let twice = |json| NumberTexts::of(json).unwrap_err();
        let expected = FormError::DuplicateField { field: "dose".to_owned() };
        assert_eq!(twice(r#"[{"dose":1,"x":2,"dose":1}]"#), expected);
        assert_eq!(twice(r#"{"dose":1,"d\u006fse":2}"#), expected);
    }
}
