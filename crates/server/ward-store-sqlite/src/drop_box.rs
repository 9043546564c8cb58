//! The drop box.

use crate::SqliteStore;
use crate::columns::{all, bound, change, instant, one, single, uint};
use crate::fault::Fault;
use crate::sql;
use rusqlite::{Connection, Row, params};
use std::collections::BTreeSet;
use ward_api::DropState;
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs};
use ward_store::limits::{CHART_MAX_DROP_BYTES, CHART_MAX_DROPS, DEVICE_MAX_DROP_BYTES, DEVICE_MAX_DROPS};
use ward_store::{
    DropDecision, DropError, DropStore, DropsPage, DropsRequest, NewDrop, StoreError, StoredDrop,
};

/// Drops that wait of one device or chart, and their bytes.
struct Waiting {
    of: [u8; 16],
    count: u64,
    bytes: u64,
}

/// What waits of the devices and charts of one request: asked once each, and counted on.
struct Room {
    statement: &'static str,
    max: usize,
    max_bytes: usize,
    asked: Vec<Waiting>,
}

impl Room {
    const fn new(statement: &'static str, max: usize, max_bytes: usize) -> Self {
        Self { statement, max, max_bytes, asked: Vec::new() }
    }

    /// Takes room for one more drop, if there is any.
    fn take(&mut self, conn: &Connection, of: &[u8; 16], bytes: usize) -> Result<bool, Fault> {
        if !self.asked.iter().any(|waiting| waiting.of == *of) {
            let waiting = single(conn, self.statement, [of], |row| {
                Ok(Waiting { of: *of, count: uint(row, 0)?, bytes: uint(row, 1)? })
            })?;
            self.asked.push(waiting);
        }
        let Some(waiting) = self.asked.iter_mut().find(|waiting| waiting.of == *of) else { return Ok(false) };
        waiting.count += 1;
        waiting.bytes = waiting.bytes.saturating_add(bytes as u64);
        Ok(waiting.count <= self.max as u64 && waiting.bytes <= self.max_bytes as u64)
    }
}

/// Whether it waits already. What was decided and is handed over again waits again.
fn is_waiting(conn: &Connection, new: &NewDrop) -> Result<bool, Fault> {
    let key = params![new.device.as_bytes(), new.entry_id.as_bytes()];
    Ok(one(conn, sql::DROP_WAITS, key, |_| Ok(()))?.is_some())
}

/// Looks at all drops before it keeps the first: a refusal must leave nothing, and the transaction
/// holds the requests of others too.
fn add(
    conn: &Connection,
    drops: &[NewDrop],
    received_at: TimestampMs,
) -> Result<Result<u64, DropError>, Fault> {
    let mut names = BTreeSet::new();
    let mut fresh: Vec<&NewDrop> = Vec::with_capacity(drops.len());
    for new in drops {
        if names.insert((new.device, new.entry_id)) && !is_waiting(conn, new)? {
            fresh.push(new);
        }
    }
    let mut devices = Room::new(sql::DROPS_WAITING_OF_DEVICE, DEVICE_MAX_DROPS, DEVICE_MAX_DROP_BYTES);
    let mut charts = Room::new(sql::DROPS_WAITING_OF_CHART, CHART_MAX_DROPS, CHART_MAX_DROP_BYTES);
    for new in &fresh {
        if !devices.take(conn, new.device.as_bytes(), new.bytes.len())? {
            return Ok(Err(DropError::DeviceFull));
        }
        if !charts.take(conn, new.chart.as_bytes(), new.bytes.len())? {
            return Ok(Err(DropError::ChartFull));
        }
    }
    for new in &fresh {
        let (chart, device, entry) = (new.chart.as_bytes(), new.device.as_bytes(), new.entry_id.as_bytes());
        // One that was decided comes under a new number, for devices list what came since; and numbers run
        // with the clock, so that a database that was set back gives none a second time. Who decided it stays
        // there as evidence.
        change(conn, sql::DROP_INSERT, params![chart, device, entry, received_at.0, new.bytes])?;
    }
    Ok(Ok(fresh.len() as u64))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredDrop> {
    Ok(StoredDrop {
        number: uint(row, 0)?,
        received_at: instant(row, 4)?,
        dropped: NewDrop {
            chart: ChartId::from_bytes(row.get(1)?),
            device: DeviceId::from_bytes(row.get(2)?),
            entry_id: EntryId::from_bytes(row.get(3)?),
            bytes: row.get(5)?,
        },
    })
}

/// Numbers and sizes of all charts first, then the bytes of one page.
fn waiting(conn: &Connection, request: &DropsRequest) -> Result<DropsPage, Fault> {
    let after = request.after.map_or(-1, bound);
    let mut found: Vec<(i64, u64)> = Vec::new();
    for chart in &request.charts {
        let key = params![chart.as_bytes(), after];
        found.extend(all(conn, sql::DROPS_OF_CHART, key, |row| Ok((row.get(0)?, uint(row, 1)?)))?);
    }
    found.sort_unstable();
    let (mut drops, mut bytes) = (Vec::new(), 0u64);
    for (id, size) in found {
        bytes = bytes.saturating_add(size);
        if bytes > request.limit_bytes as u64 && !drops.is_empty() {
            return Ok(DropsPage { drops, more: true });
        }
        drops.extend(one(conn, sql::DROP_READ, [id], stored)?);
    }
    Ok(DropsPage { drops, more: false })
}

fn decide(conn: &Connection, decision: &DropDecision) -> Result<usize, Fault> {
    let DropDecision { chart, device, entry_id, state, by, at } = decision;
    let decided_at = (*state != DropState::Waiting).then_some(at.0);
    let row = params![
        chart.as_bytes(),
        device.as_bytes(),
        entry_id.as_bytes(),
        state.number(),
        decided_at,
        by.as_bytes()
    ];
    change(conn, sql::DROP_DECIDE, row)
}

impl DropStore for SqliteStore {
    async fn add_drops(&self, drops: Vec<NewDrop>, received_at: TimestampMs) -> Result<u64, DropError> {
        let bytes = drops.iter().map(|new| new.bytes.len()).sum();
        self.inner.writer.write(bytes, move |conn| add(conn, &drops, received_at)).await?
    }

    async fn drops_waiting(&self, request: DropsRequest) -> Result<DropsPage, StoreError> {
        self.inner.readers.read(move |conn| waiting(conn, &request)).await
    }

    async fn decide_drop(&self, decision: DropDecision) -> Result<bool, StoreError> {
        Ok(self.inner.writer.write(0, move |conn| decide(conn, &decision)).await? > 0)
    }

    async fn purge_drops(&self, before: TimestampMs) -> Result<u64, StoreError> {
        let purge = move |conn: &Connection| change(conn, sql::DROPS_PURGE, [before.0]);
        Ok(self.inner.writer.write(0, purge).await? as u64)
    }
}
