//! Payloads of texts that several people edit: one burst of writing, and a signature over a version.

use super::PayloadError;
use super::text::short;
use crate::limits::TEXT_VERSION_MAX;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::EntryId;
use ward_text::TextEdit;

/// A text's own random id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct TextId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// One burst of writing in a text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TextBurst {
    /// The text.
    #[n(0)]
    pub document: TextId,
    /// The newest edits of the text that the author saw, sorted. None for a new text.
    #[n(1)]
    pub parents: Vec<EntryId>,
    /// What was written.
    #[n(2)]
    pub edit: TextEdit,
}

impl TextBurst {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        version("the version that was edited", &self.parents)
    }
}

/// A signature over a text: over the version that the signer saw, and nothing that came later.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TextSignature {
    /// The text.
    #[n(0)]
    pub document: TextId,
    /// The newest edits of the text that the signer saw, sorted.
    #[n(1)]
    pub frontier: Vec<EntryId>,
    /// What the signature means, in the signer's words.
    #[n(2)]
    pub meaning: String,
}

impl TextSignature {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.frontier.is_empty() {
            return Err(PayloadError::Size("the signed version"));
        }
        version("the signed version", &self.frontier)?;
        short("the meaning", &self.meaning)
    }
}

/// A version has one spelling: its newest edits in order, each once.
fn version(what: &'static str, entries: &[EntryId]) -> Result<(), PayloadError> {
    if entries.len() > TEXT_VERSION_MAX {
        return Err(PayloadError::Size(what));
    }
    if entries.is_sorted_by(|one, next| one < next) {
        Ok(())
    } else {
        Err(PayloadError::Contradiction("the edits of a version are sorted, each once"))
    }
}
