//! The name of an edit, and the order in which concurrent edits of one place stand.

use ward_id::{DeviceId, EntryId, Incarnation};

/// Names an edit. The order of the fields is the order of edits that insert at one place without
/// having seen one another: it is the same on every replica, and two edits of a cloned device,
/// which share all but the last field, have an order too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditId {
    /// Who wrote it.
    pub device: DeviceId,
    /// In which life of the device's store.
    pub incarnation: Incarnation,
    /// At which place of the device's chain.
    pub seq: u64,
    /// The entry that carries it: its permanent name.
    pub entry: EntryId,
}
