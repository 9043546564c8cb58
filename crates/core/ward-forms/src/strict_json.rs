//! JSON that a study writes by hand and that must mean what it says: a field that is unknown or
//! given twice is refused with its path, and nothing is filled in.

use crate::error::FormError;
use crate::json_bounds::read_bounded;
use serde_json::{Map, Value};

/// Why such a document can't be used. Its author has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StrictJsonError {
    /// Too large, too deep, or not JSON.
    #[error(transparent)]
    Json(#[from] FormError),
    /// A field that nobody knows, perhaps misspelt; the author corrects or removes it.
    #[error("{path}: the field {field} is not known")]
    UnknownField {
        /// The object, as a path from the top.
        path: String,
        /// The field.
        field: String,
    },
    /// A field that must be there; the author adds it.
    #[error("{path}: the field {field} is missing")]
    MissingField {
        /// The object, as a path from the top.
        path: String,
        /// The field.
        field: &'static str,
    },
    /// A value of another kind or size; the author corrects it.
    #[error("{path}: must be {expected}")]
    WrongValue {
        /// The value, as a path from the top.
        path: String,
        /// What it must be.
        expected: String,
    },
    /// More of something than accepted; the author splits the document.
    #[error("{path}: more than {limit} {what}")]
    TooMany {
        /// The list, as a path from the top.
        path: String,
        /// What is counted, in the plural.
        what: &'static str,
        /// The number accepted.
        limit: usize,
    },
    /// One name used for two things; the author renames one.
    #[error("{path}: {name} is used twice")]
    NameTwice {
        /// The second use, as a path from the top.
        path: String,
        /// The name.
        name: String,
    },
}

/// The error for a value of another kind or size.
pub(crate) fn wrong(path: &str, expected: impl Into<String>) -> StrictJsonError {
    StrictJsonError::WrongValue { path: path.to_owned(), expected: expected.into() }
}

/// Reads JSON of at most `limit_bytes`.
pub(crate) fn read(bytes: &[u8], limit_bytes: usize) -> Result<Value, StrictJsonError> {
    Ok(read_bounded(bytes, limit_bytes)?.0)
}

/// An object of which every field is looked at.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    /// Reads `value` as an object with no other fields than `known`.
    pub(crate) fn of(value: &'a Value, path: &str, known: &[&str]) -> Result<Self, StrictJsonError> {
        let map = value.as_object().ok_or_else(|| wrong(path, "an object"))?;
        if let Some(field) = map.keys().find(|field| !known.contains(&field.as_str())) {
            return Err(StrictJsonError::UnknownField { path: path.to_owned(), field: field.clone() });
        }
        Ok(Self { map, path: path.to_owned() })
    }

    /// Reads `value` as an object that may have further fields.
    pub(crate) fn of_any(value: &'a Value, path: &str) -> Result<Self, StrictJsonError> {
        let map = value.as_object().ok_or_else(|| wrong(path, "an object"))?;
        Ok(Self { map, path: path.to_owned() })
    }

    /// The path of one of its fields.
    pub(crate) fn path_of(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// The path of the object.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field)
    }

    pub(crate) fn need(&self, field: &'static str) -> Result<&'a Value, StrictJsonError> {
        let missing = || StrictJsonError::MissingField { path: self.path.clone(), field };
        self.get(field).ok_or_else(missing)
    }

    /// A name: not empty, without blanks at its ends, at most `limit_bytes`.
    pub(crate) fn name(&self, field: &'static str, limit_bytes: usize) -> Result<String, StrictJsonError> {
        name_in(self.need(field)?, &self.path_of(field), limit_bytes)
    }

    /// A name that may be left out.
    pub(crate) fn name_if_given(
        &self,
        field: &str,
        limit_bytes: usize,
    ) -> Result<Option<String>, StrictJsonError> {
        self.get(field).map(|value| name_in(value, &self.path_of(field), limit_bytes)).transpose()
    }

    /// A list of at most `limit` entries.
    pub(crate) fn list(
        &self,
        field: &'static str,
        what: &'static str,
        limit: usize,
    ) -> Result<&'a [Value], StrictJsonError> {
        let path = self.path_of(field);
        let list = self.need(field)?.as_array().ok_or_else(|| wrong(&path, "a list"))?;
        if list.len() > limit {
            return Err(StrictJsonError::TooMany { path, what, limit });
        }
        Ok(list)
    }

    /// A number that may be left out.
    pub(crate) fn number_if_given(&self, field: &str) -> Result<Option<f64>, StrictJsonError> {
        let read = |value: &Value| value.as_f64().filter(|number| number.is_finite());
        self.get(field)
            .map(|value| read(value).ok_or_else(|| wrong(&self.path_of(field), "a number")))
            .transpose()
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn count(&self, field: &'static str, most: u32) -> Result<u32, StrictJsonError> {
        let number = self.need(field)?.as_u64().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| (1..=most).contains(number))
            .ok_or_else(|| wrong(&self.path_of(field), format!("a whole number from 1 to {most}")))
    }
}

/// A string as a name.
pub(crate) fn name_in(value: &Value, path: &str, limit_bytes: usize) -> Result<String, StrictJsonError> {
    let is_name = |text: &&str| {
        !text.is_empty()
            && text.len() <= limit_bytes
            && text.trim().len() == text.len()
            && !text.chars().any(char::is_control)
    };
    let expected = || wrong(path, format!("a name of 1 to {limit_bytes} bytes without blanks at its ends"));
    value.as_str().filter(is_name).map(str::to_owned).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_stands_twice_is_named() {
        let error = read(b"{\"a\": {\"n\": 1,\n \"n\": 2}}", 100).unwrap_err();
        let expected = FormError::DuplicateField { field: "n".to_owned() };
        assert_eq!(error, StrictJsonError::Json(expected));
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let text = r#"{"a": [1, -2, 2.5, true, null, "x"], "b": {"c": {}}}"#;
        assert_eq!(read(text.as_bytes(), 100).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn an_unknown_field_is_named_with_its_path() {
        let value = serde_json::json!({"id": "x", "treshold": 3});
        let error = Fields::of(&value, "$.rules[2]", &["id"]).err();
        let expected = StrictJsonError::UnknownField { path: "$.rules[2]".into(), field: "treshold".into() };
        assert_eq!(error, Some(expected));
    }
}
