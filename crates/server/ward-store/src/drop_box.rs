//! Entries that devices which may not seal handed over, until staff adopted or declined them.

use crate::StoreError;
use std::future::Future;
use ward_api::DropState;
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs};

/// One drop to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDrop {
    /// The chart.
    pub chart: ChartId,
    /// The device that hands it over.
    pub device: DeviceId,
    /// The entry inside.
    pub entry_id: EntryId,
    /// The drop envelope as it came.
    pub bytes: Vec<u8>,
}

/// One waiting drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDrop {
    /// Its number, rising with arrival, and not below the time of arrival in milliseconds: with a
    /// clock that is right, a store that was set back gives no number a second time.
    pub number: u64,
    /// When the server took it.
    pub received_at: TimestampMs,
    /// What came.
    pub dropped: NewDrop,
}

/// Which waiting drops to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropsRequest {
    /// Of these charts.
    pub charts: Vec<ChartId>,
    /// With a number above this one.
    pub after: Option<u64>,
    /// Up to so many bytes, and at least one.
    pub limit_bytes: usize,
}

/// Waiting drops, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropsPage {
    /// The drops.
    pub drops: Vec<StoredDrop>,
    /// Whether more wait after the last.
    pub more: bool,
}

/// A decision of staff about a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropDecision {
    /// The chart that the drop is of.
    pub chart: ChartId,
    /// The device that handed it over.
    pub device: DeviceId,
    /// The entry inside.
    pub entry_id: EntryId,
    /// What was decided.
    pub state: DropState,
    /// On which device.
    pub by: DeviceId,
    /// When.
    pub at: TimestampMs,
}

/// Drops that were not kept; none of their request was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DropError {
    /// [`crate::limits::DEVICE_MAX_DROPS`] of the device wait, or as many bytes as may. Staff must
    /// decide about some.
    #[error("as many drops of this device wait as may wait")]
    DeviceFull,
    /// [`crate::limits::CHART_MAX_DROPS`] of the chart wait, or as many bytes as may. Staff must decide
    /// about some.
    #[error("as many drops of this chart wait as may wait")]
    ChartFull,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Drops.
pub trait DropStore: Clone + Send + Sync + 'static {
    /// Keeps drops, all or none; says how many were new. One that is there already, by device and
    /// entry, changes nothing, whatever became of it.
    ///
    /// # Errors
    /// [`DropError`].
    fn add_drops(
        &self,
        drops: Vec<NewDrop>,
        received_at: TimestampMs,
    ) -> impl Future<Output = Result<u64, DropError>> + Send;

    /// Drops that wait.
    ///
    /// # Errors
    /// [`StoreError`].
    fn drops_waiting(
        &self,
        request: DropsRequest,
    ) -> impl Future<Output = Result<DropsPage, StoreError>> + Send;

    /// Notes what staff decided; says whether there is such a drop. The row stays as evidence.
    ///
    /// # Errors
    /// [`StoreError`].
    fn decide_drop(&self, decision: DropDecision) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes drops that were decided at `before` or earlier; says how many. Waiting ones stay.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge_drops(&self, before: TimestampMs) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
