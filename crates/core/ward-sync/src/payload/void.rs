//! Records that do not hold any more.

use super::PayloadError;
use minicbor::{Decode, Encode};
use ward_id::EntryId;

/// A record or a note does not hold any more. Why stands in the entry. What it said stays.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Void {
    /// The version that its author saw.
    #[n(0)]
    pub target: EntryId,
}

impl Void {
    #[expect(clippy::unnecessary_wraps, reason = "every payload is checked in the same way")]
    pub(super) const fn check(&self) -> Result<(), PayloadError> {
        Ok(())
    }
}
