//! The answer of staff to a drop that they do not take over.

use super::PayloadError;
use minicbor::{Decode, Encode};
use ward_id::{DeviceId, EntryId};

/// Staff do not take over an entry that a device could not send itself. Why stands in the entry's
/// reason. The declined entry is not named as a cause: it may never arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DropDeclined {
    /// The device that made the entry.
    #[n(0)]
    pub device: DeviceId,
    /// The entry.
    #[n(1)]
    pub entry: EntryId,
}

impl DropDeclined {
    #[expect(clippy::unnecessary_wraps, reason = "every payload is checked in the same way")]
    pub(super) const fn check(&self) -> Result<(), PayloadError> {
        Ok(())
    }
}
