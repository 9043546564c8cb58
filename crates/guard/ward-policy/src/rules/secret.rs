//! Questions about secrets in values.

use super::condition_reader::path;
use super::{Fields, RuleError};
use crate::graph::AttributePath;

/// Whether a place is free of secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// The place.
    pub path: AttributePath,
    /// The question.
    pub asks: SecretQuestion,
}

/// A question about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretQuestion {
    /// The value is a secret: it must not be written down.
    NotLiteral,
    /// The value is a text such as a script: no key or password stands in it.
    NoneInText,
    /// The value is names with values: nothing that is named like a secret has a value written down.
    NoneInNames,
}

impl SecretQuestion {
    /// Every question.
    pub const ALL: [Self; 3] = [Self::NotLiteral, Self::NoneInText, Self::NoneInNames];

    /// Its word in rules.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotLiteral => "not-literal",
            Self::NoneInText => "none-in-text",
            Self::NoneInNames => "none-in-names",
        }
    }
}

/// Reads one.
pub(super) fn read_secret(fields: &mut Fields<'_>) -> Result<Secret, RuleError> {
    Ok(Secret {
        path: path(fields, "secret")?,
        asks: fields.word("asks", &SecretQuestion::ALL, SecretQuestion::word)?,
    })
}
