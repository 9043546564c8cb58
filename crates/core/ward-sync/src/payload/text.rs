//! Texts inside payloads: short names, long texts, and lists of entries.

use super::PayloadError;
use crate::limits::{LONG_TEXT_MAX_BYTES, SHORT_TEXT_MAX_BYTES, SUPERSEDES_MAX};
use alloc::string::String;
use core::fmt;
use minicbor::{Decode, Encode};
use ward_id::EntryId;

macro_rules! named_texts {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] String);

        impl $name {
            /// Wraps a text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

named_texts! {
    /// A medication of the plan, by the name the study gives it.
    MedicationId;
    /// Which of the planned times a questionnaire was answered for.
    Occurrence;
}

pub(super) fn short(what: &'static str, text: &str) -> Result<(), PayloadError> {
    if text.is_empty() || text.len() > SHORT_TEXT_MAX_BYTES { Err(PayloadError::Size(what)) } else { Ok(()) }
}

pub(super) fn short_or_empty(what: &'static str, text: &str) -> Result<(), PayloadError> {
    if text.len() > SHORT_TEXT_MAX_BYTES { Err(PayloadError::Size(what)) } else { Ok(()) }
}

pub(super) fn long(what: &'static str, text: &str) -> Result<(), PayloadError> {
    if text.len() > LONG_TEXT_MAX_BYTES { Err(PayloadError::Size(what)) } else { Ok(()) }
}

pub(super) fn superseded(entries: &[EntryId]) -> Result<(), PayloadError> {
    if entries.len() > SUPERSEDES_MAX {
        Err(PayloadError::Size("the list of replaced writes"))
    } else {
        Ok(())
    }
}
