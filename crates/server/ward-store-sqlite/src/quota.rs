//! What charts and devices use. Counted in the transaction that stores.

use crate::SqliteStore;
use crate::columns::{change, int, one, uint};
use crate::fault::Fault;
use crate::sql;
use rusqlite::{Connection, params};
use std::sync::PoisonError;
use ward_id::{ChartId, DeviceId};
use ward_store::{AppendRefusal, QuotaStore, Quotas, StorageUse, StoreError};

/// Of what a use is counted; the numbers stand in the table.
#[derive(Clone, Copy)]
pub(crate) enum Owner {
    Chart(ChartId),
    Device(DeviceId),
}

impl Owner {
    const fn key(&self) -> (i64, &[u8; 16]) {
        match self {
            Self::Chart(chart) => (1, chart.as_bytes()),
            Self::Device(device) => (2, device.as_bytes()),
        }
    }
}

pub(crate) fn used(conn: &Connection, owner: Owner) -> Result<StorageUse, Fault> {
    let (kind, id) = owner.key();
    let found = one(conn, sql::USE, params![kind, id], |row| {
        Ok(StorageUse {
            operations: uint(row, 0)?,
            operation_bytes: uint(row, 1)?,
            blob_bytes: uint(row, 2)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Adds to what is used.
pub(crate) fn add(conn: &Connection, owner: Owner, more: StorageUse) -> Result<(), Fault> {
    let (kind, id) = owner.key();
    let operations = int(more.operations, "the number of operations")?;
    let bytes = int(more.operation_bytes, "the bytes of operations")?;
    let blobs = int(more.blob_bytes, "the bytes of blobs")?;
    change(conn, sql::USE_ADD, params![kind, id, operations, bytes, blobs]).map(|_| ())
}

/// Gives the room of a blob back.
pub(crate) fn give_back(conn: &Connection, owner: Owner, blob_bytes: i64) -> Result<(), Fault> {
    let (kind, id) = owner.key();
    change(conn, sql::USE_GIVE_BACK, params![kind, id, blob_bytes]).map(|_| ())
}

/// Whether further operations fit.
pub(crate) fn check_operations(
    conn: &Connection,
    chart: ChartId,
    device: DeviceId,
    more: StorageUse,
    quotas: &Quotas,
) -> Result<Result<(), AppendRefusal>, Fault> {
    let of_chart = used(conn, Owner::Chart(chart))?;
    let of_device = used(conn, Owner::Device(device))?;
    Ok(quotas.check_operations(of_chart, of_device, more))
}

impl SqliteStore {
    pub(crate) fn quotas(&self) -> Quotas {
        *self.inner.quotas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QuotaStore for SqliteStore {
    fn set_quotas(&self, quotas: Quotas) {
        *self.inner.quotas.lock().unwrap_or_else(PoisonError::into_inner) = quotas;
    }

    async fn chart_use(&self, chart: ChartId) -> Result<StorageUse, StoreError> {
        self.inner.readers.read(move |conn| used(conn, Owner::Chart(chart))).await
    }

    async fn device_use(&self, device: DeviceId) -> Result<StorageUse, StoreError> {
        self.inner.readers.read(move |conn| used(conn, Owner::Device(device))).await
    }
}
