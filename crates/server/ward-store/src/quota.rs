//! How much a chart and a device may store. The store counts in the transaction that stores, so no
//! number of requests in parallel passes a limit.

use crate::{AppendRefusal, StoreError};
use std::future::Future;
use ward_api::limits::{
    CHART_BLOB_QUOTA_BYTES, CHART_MAX_OPERATIONS, CHART_QUOTA_BYTES, DEVICE_BLOB_QUOTA_BYTES,
    DEVICE_MAX_OPERATIONS, DEVICE_MAX_UPLOADS, DEVICE_QUOTA_BYTES,
};
use ward_id::{ChartId, DeviceId};

/// The limits of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Envelopes of one chart, bytes.
    pub chart_bytes: u64,
    /// Envelopes of one device, bytes.
    pub device_bytes: u64,
    /// Envelopes of one chart.
    pub chart_operations: u64,
    /// Envelopes of one device.
    pub device_operations: u64,
    /// Blobs of one chart, bytes of ciphertext.
    pub chart_blob_bytes: u64,
    /// Blobs of one device, bytes of ciphertext.
    pub device_blob_bytes: u64,
    /// Blobs that one device sends at a time.
    pub device_uploads: u64,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            chart_bytes: CHART_QUOTA_BYTES,
            device_bytes: DEVICE_QUOTA_BYTES,
            chart_operations: CHART_MAX_OPERATIONS,
            device_operations: DEVICE_MAX_OPERATIONS,
            chart_blob_bytes: CHART_BLOB_QUOTA_BYTES,
            device_blob_bytes: DEVICE_BLOB_QUOTA_BYTES,
            device_uploads: DEVICE_MAX_UPLOADS as u64,
        }
    }
}

impl Quotas {
    /// Whether further operations fit into what a chart and a device have used.
    ///
    /// # Errors
    /// [`AppendRefusal::Quota`], [`AppendRefusal::TooManyOperations`].
    pub fn check_operations(
        &self,
        of_chart: StorageUse,
        of_device: StorageUse,
        more: StorageUse,
    ) -> Result<(), AppendRefusal> {
        let bytes = |used: StorageUse, limit| {
            QuotaReached::check(used.operation_bytes, more.operation_bytes, limit)
                .map_err(AppendRefusal::Quota)
        };
        let count = |used: StorageUse, limit| {
            let fits = QuotaReached::check(used.operations, more.operations, limit);
            fits.map_err(|reached| AppendRefusal::TooManyOperations { held: reached.used, limit })
        };
        bytes(of_chart, self.chart_bytes)?;
        bytes(of_device, self.device_bytes)?;
        count(of_chart, self.chart_operations)?;
        count(of_device, self.device_operations)
    }
}

/// A limit that a request would have passed. Nothing of the request was kept. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{used} of {limit} bytes are used; this request does not fit")]
pub struct QuotaReached {
    /// What is used, bytes.
    pub used: u64,
    /// What may be used, bytes.
    pub limit: u64,
}

impl QuotaReached {
    /// Whether so many bytes more fit.
    ///
    /// # Errors
    /// Itself, if they do not.
    pub const fn check(used: u64, more: u64, limit: u64) -> Result<(), Self> {
        if used.saturating_add(more) > limit { Err(Self { used, limit }) } else { Ok(()) }
    }
}

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageUse {
    /// Envelopes.
    pub operations: u64,
    /// Envelopes, bytes.
    pub operation_bytes: u64,
    /// Blobs, bytes of ciphertext, those among them that are still being sent.
    pub blob_bytes: u64,
}

/// Limits and what is used of them.
pub trait QuotaStore: Clone + Send + Sync + 'static {
    /// Sets the limits, for this process.
    fn set_quotas(&self, quotas: Quotas);

    /// What a chart uses.
    ///
    /// # Errors
    /// [`StoreError`].
    fn chart_use(&self, chart: ChartId) -> impl Future<Output = Result<StorageUse, StoreError>> + Send;

    /// What a device uses, over all charts.
    ///
    /// # Errors
    /// [`StoreError`].
    fn device_use(&self, device: DeviceId) -> impl Future<Output = Result<StorageUse, StoreError>> + Send;
}
