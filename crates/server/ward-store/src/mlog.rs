//! The membership log and its epoch packages.

use crate::StoreError;
use std::future::Future;
use ward_api::MlogLeaf;
use ward_id::{ChartId, DeviceId, MlogEntryHash, PackageHash, Subject, TimestampMs};

/// An epoch package that comes with its announce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// The chart.
    pub chart: ChartId,
    /// The epoch.
    pub epoch: u64,
    /// SHA-256 of `bytes`.
    pub hash: PackageHash,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

/// One entry to append, with all that must happen together with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MlogAppend {
    /// The log must have exactly this size: what the caller's checks were made against.
    pub expected_size: u64,
    /// What the entry is about.
    pub subject: Subject,
    /// SHA-256 of `bytes`.
    pub entry_hash: MlogEntryHash,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
    /// The package, with an epoch announce.
    pub package: Option<NewPackage>,
    /// Devices whose sessions and proposals end with this entry, with a revocation.
    pub ended_devices: Vec<DeviceId>,
    /// When the server took it.
    pub received_at: TimestampMs,
}

/// An entry that stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MlogAppended {
    /// Its place.
    pub index: u64,
    /// Entries in the log.
    pub size: u64,
    /// Whether this call brought it; `false` when the same entry stood there before.
    pub new: bool,
}

/// An entry that was not appended. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MlogAppendError {
    /// The log has another size than the caller checked against. The caller checks again.
    #[error("the membership log has {size} entries now")]
    Moved {
        /// Entries now.
        size: u64,
    },
    /// The chart has another package for this epoch: the first one counts. The app must act.
    #[error("the chart has a package for epoch {epoch}")]
    EpochTaken {
        /// The epoch.
        epoch: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One stored entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMlogEntry {
    /// Its place.
    pub index: u64,
    /// What it is about.
    pub subject: Subject,
    /// SHA-256 of `bytes`.
    pub entry_hash: MlogEntryHash,
    /// When the server took it.
    pub received_at: TimestampMs,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

/// One stored package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPackage {
    /// The epoch.
    pub epoch: u64,
    /// SHA-256 of `bytes`.
    pub hash: PackageHash,
    /// The place of its announce in the membership log.
    pub mlog_index: u64,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

/// The membership log.
pub trait MlogStore: Clone + Send + Sync + 'static {
    /// Appends one entry if the log has the expected size; ends the sessions of
    /// [`MlogAppend::ended_devices`], drops what they proposed and keeps the package in the same transaction. The same
    /// entry again is answered with its place, whatever size was expected.
    ///
    /// # Errors
    /// [`MlogAppendError`].
    fn append_mlog(
        &self,
        entry: MlogAppend,
    ) -> impl Future<Output = Result<MlogAppended, MlogAppendError>> + Send;

    /// Entries in the log.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mlog_size(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The entries `from..to`, cut to the log's end, to [`crate::limits::MLOG_ENTRIES_MAX`] and to
    /// [`crate::limits::MLOG_PAGE_MAX_BYTES`] (at least one). Ask again from the last one's index + 1.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mlog_entries(
        &self,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<StoredMlogEntry>, StoreError>> + Send;

    /// The leaves `from..to`, cut to the log's end and to [`crate::limits::LEAVES_MAX`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn mlog_leaves(
        &self,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<MlogLeaf>, StoreError>> + Send;

    /// The place of an entry.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mlog_index_of(
        &self,
        entry: MlogEntryHash,
    ) -> impl Future<Output = Result<Option<u64>, StoreError>> + Send;

    /// A chart's packages from an epoch on, by epoch, cut to
    /// [`crate::limits::MLOG_PAGE_MAX_BYTES`] (at least one).
    ///
    /// # Errors
    /// [`StoreError`].
    fn epoch_packages(
        &self,
        chart: ChartId,
        from_epoch: u64,
    ) -> impl Future<Output = Result<Vec<StoredPackage>, StoreError>> + Send;
}
