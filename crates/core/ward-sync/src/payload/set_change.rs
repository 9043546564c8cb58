//! Elements of sets: tags, lists of attachments.

use super::PayloadError;
use super::text::short;
use crate::limits::SET_REMOVES_MAX;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::EntryId;

/// An element put into a set, or additions taken out of it again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetChange {
    /// The name of the set.
    #[n(0)]
    pub set: String,
    /// The element that is put in.
    #[n(1)]
    pub add: Option<String>,
    /// The additions that are taken out: those that the author saw.
    #[n(2)]
    pub removes: Vec<EntryId>,
}

impl SetChange {
    /// Puts an element into a set.
    pub fn adding(set: impl Into<String>, element: impl Into<String>) -> Self {
        Self { set: set.into(), add: Some(element.into()), removes: Vec::new() }
    }

    /// Takes additions out of a set.
    pub fn removing(set: impl Into<String>, additions: Vec<EntryId>) -> Self {
        Self { set: set.into(), add: None, removes: additions }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the name of the set", &self.set)?;
        if let Some(element) = &self.add {
            short("the element", element)?;
        }
        if self.removes.len() > SET_REMOVES_MAX {
            return Err(PayloadError::Size("the list of additions"));
        }
        if self.add.is_some() != self.removes.is_empty() {
            return Err(PayloadError::Contradiction("a change of a set either adds or removes"));
        }
        Ok(())
    }
}
