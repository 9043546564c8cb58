//! What somebody did about an alert: who, when, and what.

use super::alert::AlertKey;
use crate::limits::{MAX_ACTION_BYTES, MAX_RULE_NAME_BYTES};

/// Why an acknowledgement is refused. Who writes it has to act: without these it is no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcknowledgementError {
    /// Nobody is named, or the name is too long; the writer names who acted.
    #[error("an acknowledgement must say who acted, in 1 to {MAX_RULE_NAME_BYTES} bytes")]
    Who,
    /// Nothing is said of what was done, or too much; the writer says it.
    #[error("an acknowledgement must say what was done, in 1 to {MAX_ACTION_BYTES} bytes")]
    What,
}

/// What somebody did about an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledgement {
    alert: AlertKey,
    at_ms: i64,
    by: String,
    action: String,
}

impl Acknowledgement {
    /// An acknowledgement of this alert, by a person (a pseudonym is enough), at an instant in
    /// milliseconds since 1970-01-01T00:00:00Z, with what was done in words.
    ///
    /// # Errors
    /// [`AcknowledgementError`] when who or what is not said.
    pub fn new(alert: AlertKey, by: &str, at_ms: i64, action: &str) -> Result<Self, AcknowledgementError> {
        if by.trim().is_empty() || by.len() > MAX_RULE_NAME_BYTES {
            return Err(AcknowledgementError::Who);
        }
        if action.trim().is_empty() || action.len() > MAX_ACTION_BYTES {
            return Err(AcknowledgementError::What);
        }
        Ok(Self { alert, at_ms, by: by.to_owned(), action: action.to_owned() })
    }

    /// Which alert.
    #[must_use]
    pub fn alert(&self) -> &AlertKey {
        &self.alert
    }

    /// When.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Who.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// What was done.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }
}
