//! What the rows hold of blobs, of work taken over from files, and of checkpoints. These forms are
//! for ever.

use super::Bytes;
use minicbor::{Decode, Encode};
use ward_id::{BlobAddress, ChartId, DeviceId, EntryId, TimestampMs};

/// A blob that is being captured: its entry does not exist yet.
pub(crate) const BLOB_STAGED: u8 = 1;
/// A blob that the server does not have whole.
pub(crate) const BLOB_TO_SEND: u8 = 2;
/// A blob that the server has.
pub(crate) const BLOB_AT_SERVER: u8 = 3;

/// When something was captured of which only a clock of this device says when: it is dated by the first meeting
/// in which witnesses say what time it is.
pub(crate) const NOT_DATED_YET: TimestampMs = TimestampMs(i64::MAX);

/// A blob. Row id: random.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct BlobRecord {
    #[n(0)]
    pub(crate) chart: ChartId,
    /// Absent while it is being captured.
    #[n(1)]
    pub(crate) address: Option<BlobAddress>,
    #[n(2)]
    pub(crate) phase: u8,
    /// Bytes of plaintext; 0 while it is being captured.
    #[n(3)]
    pub(crate) size: u64,
    /// Chunks that are stored here: those from the first on.
    #[n(4)]
    pub(crate) here: u32,
    /// Chunks that the server is known to have.
    #[n(5)]
    pub(crate) sent: u32,
    /// What is here was compared with the address, or was sealed here.
    #[n(6)]
    pub(crate) checked: bool,
    /// When it was captured here, or found to be lost at the server; absent for what others captured, and
    /// once the server has shown it.
    #[n(7)]
    pub(crate) captured_at: Option<TimestampMs>,
}

/// An entry that was taken over from a file. Row id: the entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ImportedRecord {
    /// The entry that stands for it here.
    #[n(0)]
    pub(crate) as_entry: EntryId,
}

/// An entry that came with a checkpoint, its signature not necessarily checked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct BaseRecord {
    #[n(0)]
    pub(crate) index: u64,
    #[n(1)]
    pub(crate) received_at: TimestampMs,
    #[n(2)]
    pub(crate) entry: Bytes,
    /// The size of the membership log under which it was sealed, where its envelope was here once.
    #[n(3)]
    pub(crate) sealed_at: Option<u64>,
}

/// Entries of a checkpoint. Row id: chart, then the first place, big-endian.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct BasePageRecord {
    #[n(0)]
    pub(crate) rows: Vec<BaseRecord>,
}

/// What a chart's copy began with. Row id: chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct BaseStateRecord {
    /// The entry with the checkpoint.
    #[n(0)]
    pub(crate) checkpoint: EntryId,
    #[n(1)]
    pub(crate) author: DeviceId,
    /// The last place that it covers.
    #[n(2)]
    pub(crate) upto: u64,
    /// Entries whose signatures were checked: those from the first on.
    #[n(3)]
    pub(crate) verified: u64,
    /// All signatures and the state were checked.
    #[n(4)]
    pub(crate) complete: bool,
    /// The server says something else of its places than its author signed.
    #[n(5)]
    pub(crate) places_differ: Option<bool>,
}

impl BaseStateRecord {
    /// Whether the server says something else of its places than its author signed, in the operation log that
    /// counts: places in a log that ended are none any more.
    pub(crate) fn places_differ(&self, olog_begin: u64) -> bool {
        self.places_differ == Some(true) && self.upto >= olog_begin
    }
}
