//! The membership log and its packages.

use crate::SqliteStore;
use crate::columns::{all, bound, change, instant, int, one, single, uint};
use crate::fault::Fault;
use crate::{sql, token};
use rusqlite::{Connection, Row, params};
use ward_api::MlogLeaf;
use ward_id::{ChartId, MlogEntryHash, PackageHash, Subject};
use ward_store::limits::{LEAVES_MAX, MLOG_ENTRIES_MAX, MLOG_PAGE_MAX_BYTES};
use ward_store::{
    MlogAppend, MlogAppendError, MlogAppended, MlogStore, StoreError, StoredMlogEntry, StoredPackage,
};

/// Why an entry was not appended, found inside the transaction.
enum Refusal {
    Moved { size: u64 },
    EpochTaken { epoch: u64 },
}

pub(crate) fn mlog_size(conn: &Connection) -> Result<u64, Fault> {
    single(conn, sql::MLOG_SIZE, [], |row| uint(row, 0))
}

fn index_of(conn: &Connection, entry: MlogEntryHash) -> Result<Option<u64>, Fault> {
    one(conn, sql::MLOG_INDEX_OF, [entry.as_bytes()], |row| uint(row, 0))
}

fn append(conn: &Connection, entry: &MlogAppend) -> Result<Result<MlogAppended, Refusal>, Fault> {
    let size = mlog_size(conn)?;
    if let Some(index) = index_of(conn, entry.entry_hash)? {
        return Ok(Ok(MlogAppended { index, size, new: false }));
    }
    if size != entry.expected_size {
        return Ok(Err(Refusal::Moved { size }));
    }
    let epoch = entry.package.as_ref().map_or(Ok(0), |package| int(package.epoch, "an epoch"))?;
    if let Some(package) = &entry.package {
        let key = params![package.chart.as_bytes(), epoch];
        if one(conn, sql::PACKAGE_EXISTS, key, |_| Ok(()))?.is_some() {
            return Ok(Err(Refusal::EpochTaken { epoch: package.epoch }));
        }
    }
    let index = int(size, "the membership log")?;
    let (subject, hash) = (entry.subject.as_bytes(), entry.entry_hash.as_bytes());
    change(conn, sql::MLOG_INSERT, params![index, subject, hash, entry.received_at.0, entry.bytes])?;
    if let Some(package) = &entry.package {
        let row = params![package.chart.as_bytes(), epoch, package.hash.as_bytes(), index, package.bytes];
        change(conn, sql::PACKAGE_INSERT, row)?;
    }
    for device in &entry.ended_devices {
        token::end_sessions(conn, *device)?;
        change(conn, sql::PROPOSALS_END_OF_DEVICE, [device.as_bytes()])?;
    }
    Ok(Ok(MlogAppended { index: size, size: size + 1, new: true }))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredMlogEntry> {
    Ok(StoredMlogEntry {
        index: uint(row, 0)?,
        subject: Subject::from_bytes(row.get(1)?),
        entry_hash: MlogEntryHash::from_bytes(row.get(2)?),
        received_at: instant(row, 3)?,
        bytes: row.get(4)?,
    })
}

/// The entries `from..to` up to a page's bytes; at least one.
pub(crate) fn entries(conn: &Connection, from: u64, to: u64) -> Result<Vec<StoredMlogEntry>, Fault> {
    let mut statement = conn.prepare_cached(sql::MLOG_ENTRIES)?;
    let mut rows = statement.query(params![bound(from), bound(to), bound(MLOG_ENTRIES_MAX)])?;
    let (mut out, mut bytes) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let entry = stored(row)?;
        bytes = bytes.saturating_add(entry.bytes.len());
        if bytes > MLOG_PAGE_MAX_BYTES && !out.is_empty() {
            break;
        }
        out.push(entry);
    }
    Ok(out)
}

fn packages(conn: &Connection, chart: ChartId, from_epoch: u64) -> Result<Vec<StoredPackage>, Fault> {
    let Ok(from_epoch) = i64::try_from(from_epoch) else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(sql::PACKAGES)?;
    let mut rows = statement.query(params![chart.as_bytes(), from_epoch, bound(MLOG_ENTRIES_MAX)])?;
    let (mut out, mut bytes) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let package = StoredPackage {
            epoch: uint(row, 0)?,
            hash: PackageHash::from_bytes(row.get(1)?),
            mlog_index: uint(row, 2)?,
            bytes: row.get(3)?,
        };
        bytes = bytes.saturating_add(package.bytes.len());
        if bytes > MLOG_PAGE_MAX_BYTES && !out.is_empty() {
            break;
        }
        out.push(package);
    }
    Ok(out)
}

impl MlogStore for SqliteStore {
    async fn append_mlog(&self, entry: MlogAppend) -> Result<MlogAppended, MlogAppendError> {
        let bytes = entry.bytes.len() + entry.package.as_ref().map_or(0, |package| package.bytes.len());
        match self.inner.writer.write(bytes, move |conn| append(conn, &entry)).await? {
            Ok(appended) => Ok(appended),
            Err(Refusal::Moved { size }) => Err(MlogAppendError::Moved { size }),
            Err(Refusal::EpochTaken { epoch }) => Err(MlogAppendError::EpochTaken { epoch }),
        }
    }

    async fn mlog_size(&self) -> Result<u64, StoreError> {
        self.inner.readers.read(mlog_size).await
    }

    async fn mlog_entries(&self, from: u64, to: u64) -> Result<Vec<StoredMlogEntry>, StoreError> {
        self.inner.readers.read(move |conn| entries(conn, from, to)).await
    }

    async fn mlog_leaves(&self, from: u64, to: u64) -> Result<Vec<MlogLeaf>, StoreError> {
        let range = (bound(from), bound(to), bound(LEAVES_MAX));
        let leaf = |row: &Row<'_>| {
            let (subject, hash) = (Subject::from_bytes(row.get(0)?), MlogEntryHash::from_bytes(row.get(1)?));
            Ok(MlogLeaf { subject, entry_hash: hash })
        };
        self.inner.readers.read(move |conn| all(conn, sql::MLOG_LEAVES, range, leaf)).await
    }

    async fn mlog_index_of(&self, entry: MlogEntryHash) -> Result<Option<u64>, StoreError> {
        self.inner.readers.read(move |conn| index_of(conn, entry)).await
    }

    async fn epoch_packages(
        &self,
        chart: ChartId,
        from_epoch: u64,
    ) -> Result<Vec<StoredPackage>, StoreError> {
        self.inner.readers.read(move |conn| packages(conn, chart, from_epoch)).await
    }
}
