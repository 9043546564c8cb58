//! Typed reading of the fields of one JSON object, with errors that name the
//! place and the field.

use crate::error::FormError;
use crate::limits::MAX_TEXT_BYTES;
use serde_json::{Map, Value};

/// One JSON object and the words that name its place.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: &'a str,
}

impl<'a> Fields<'a> {
    /// Reads `value` as an object.
    pub(crate) fn of(value: &'a Value, at: &'a str, field: &str) -> Result<Self, FormError> {
        let map = value.as_object().ok_or_else(|| wrong(at, field, "an object"))?;
        Ok(Self { map, at })
    }

    pub(crate) fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    /// A string field without a length limit of its own.
    pub(crate) fn string(&self, field: &str) -> Result<Option<&'a str>, FormError> {
        self.map
            .get(field)
            .map(|value| value.as_str().ok_or_else(|| wrong(self.at, field, "a string")))
            .transpose()
    }

    /// A string field shown to people, at most [`MAX_TEXT_BYTES`] long.
    pub(crate) fn text(&self, field: &str) -> Result<Option<String>, FormError> {
        self.bounded(field, MAX_TEXT_BYTES)
    }

    /// A string field of at most `limit_bytes`.
    pub(crate) fn bounded(&self, field: &str, limit_bytes: usize) -> Result<Option<String>, FormError> {
        let text = self.string(field)?;
        if text.is_some_and(|text| text.len() > limit_bytes) {
            return Err(FormError::FieldTooLong {
                at: self.at.to_owned(),
                field: field.to_owned(),
                limit_bytes,
            });
        }
        Ok(text.map(str::to_owned))
    }

    /// A boolean field; absent reads as false.
    pub(crate) fn flag(&self, field: &str) -> Result<bool, FormError> {
        match self.map.get(field) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| wrong(self.at, field, "true or false")),
        }
    }

    /// A count, such as `maxLength`.
    pub(crate) fn count(&self, field: &str) -> Result<Option<usize>, FormError> {
        self.map
            .get(field)
            .map(|value| {
                value
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok())
                    .ok_or_else(|| wrong(self.at, field, "a whole number of 0 or more"))
            })
            .transpose()
    }

    /// An array field; absent reads as empty.
    pub(crate) fn array(&self, field: &str) -> Result<&'a [Value], FormError> {
        match self.map.get(field) {
            None => Ok(&[]),
            Some(value) => {
                value.as_array().map(Vec::as_slice).ok_or_else(|| wrong(self.at, field, "an array"))
            }
        }
    }
}

/// The error for a field of another kind than expected.
pub(crate) fn wrong(at: &str, field: &str, expected: &'static str) -> FormError {
    FormError::WrongShape { at: at.to_owned(), field: field.to_owned(), expected }
}

/// Checks the `resourceType` of a document.
pub(crate) fn expect_resource(value: &Value, expected: &'static str) -> Result<(), FormError> {
    let found = value.get("resourceType").and_then(Value::as_str);
    if found == Some(expected) {
        return Ok(());
    }
    let found: String = found.unwrap_or("no resourceType").chars().take(64).collect();
    Err(FormError::WrongResource { expected, found })
}

/// The value and key of the one field named `prefix` + type, such as
/// `valueString` for the prefix `value`.
pub(crate) fn choice_field<'a>(
    map: &'a Map<String, Value>,
    prefix: &str,
    at: &str,
) -> Result<Option<(&'a str, &'a Value)>, FormError> {
    let mut found = None;
    for (key, value) in map {
        let typed = key
            .strip_prefix(prefix)
            .is_some_and(|kind| kind.chars().next().is_some_and(|c| c.is_ascii_uppercase()));
        if !typed {
            continue;
        }
        if found.is_some() {
            return Err(wrong(at, &format!("{prefix}[x]"), "given once"));
        }
        found = Some((key.as_str(), value));
    }
    Ok(found)
}
