//! The server's own values, figures and backup.

use crate::SqliteStore;
use crate::columns::{change, one, single, uint};
use crate::fault::Fault;
use crate::integrity;
use crate::mlog::mlog_size;
use crate::olog::olog_size;
use crate::open::{connect, sync_folder};
use crate::sql;
use rusqlite::{Connection, params};
use std::fs::File;
use std::path::{Path, PathBuf};
use ward_store::{
    BackupSummary, IntegrityReport, MetaKey, MetaStore, StoreError, StoreStats, Upkeep, check_meta,
};

impl MetaStore for SqliteStore {
    async fn meta(&self, key: MetaKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.readers.read(move |conn| one(conn, sql::META, [key.as_str()], |row| row.get(0))).await
    }

    async fn put_meta(&self, key: MetaKey, value: Vec<u8>) -> Result<(), StoreError> {
        check_meta(&value)?;
        let put =
            move |conn: &Connection| change(conn, sql::META_PUT, params![key.as_str(), value]).map(|_| ());
        self.inner.writer.write(0, put).await
    }

    async fn create_meta(&self, key: MetaKey, value: Vec<u8>) -> Result<bool, StoreError> {
        check_meta(&value)?;
        let create = move |conn: &Connection| change(conn, sql::META_CREATE, params![key.as_str(), value]);
        Ok(self.inner.writer.write(0, create).await? == 1)
    }
}

fn stats(conn: &Connection) -> Result<StoreStats, Fault> {
    let counted = single(conn, sql::STATS, [], |row| {
        Ok(StoreStats {
            operations: uint(row, 0)?,
            mlog_entries: uint(row, 1)?,
            charts: uint(row, 2)?,
            chains: uint(row, 3)?,
            open_tickets: uint(row, 4)?,
            proposals: uint(row, 5)?,
            ..StoreStats::default()
        })
    })?;
    let page_bytes: i64 = conn.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let page_bytes = u64::try_from(page_bytes).unwrap_or(0);
    let pages = single(conn, sql::PAGE_COUNT, [], |row| uint(row, 0))?;
    let free = single(conn, sql::FREE_PAGES, [], |row| uint(row, 0))?;
    Ok(StoreStats { store_bytes: pages * page_bytes, free_bytes: free * page_bytes, ..counted })
}

fn io(what: &str, error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::StorageFull,
        kind => StoreError::Io { what: format!("{what}: {kind}") },
    }
}

/// Copies into a new file. The copy is made by a connection of its own, so the pool stays free.
fn copy(from: &Path, to: &Path) -> Result<BackupSummary, StoreError> {
    let text = to.to_str().ok_or(StoreError::Unsupported { what: "the path of a backup must be UTF-8" })?;
    // Made here first, so that it belongs to its owner only and an existing file is never touched.
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to).map_err(|error| io("the backup file cannot be made", &error))?;
    let copied = connect(from)
        .and_then(|conn| conn.prepare(sql::BACKUP)?.execute([text]))
        .map_err(|error| Fault::from(error).to_store())
        .and_then(|_| summary(to));
    if copied.is_err() {
        // Half a backup must not be taken for one; if it cannot be removed, the error says enough.
        let _kept = std::fs::remove_file(to);
    }
    copied
}

fn summary(path: &Path) -> Result<BackupSummary, StoreError> {
    let file = File::open(path).map_err(|error| io("the backup cannot be read", &error))?;
    file.sync_all().map_err(|error| io("the backup is not durable", &error))?;
    sync_folder(path).map_err(|error| io("the backup is not durable", &error))?;
    let bytes = file.metadata().map_err(|error| io("the backup cannot be read", &error))?.len();
    let sizes = |conn: &Connection| Ok((olog_size(conn)?, mlog_size(conn)?));
    let conn = connect(path).map_err(Fault::from);
    let (olog_size, mlog_size) =
        conn.and_then(|conn| sizes(&conn)).map_err(|fault: Fault| fault.to_store())?;
    Ok(BackupSummary { olog_size, mlog_size, bytes })
}

impl Upkeep for SqliteStore {
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let counted = self.inner.readers.read(stats).await?;
        let (commits, committed_requests) = self.inner.writer.counts();
        Ok(StoreStats { commits, committed_requests, ..counted })
    }

    async fn backup_to(&self, path: PathBuf) -> Result<BackupSummary, StoreError> {
        let from = self.inner.path.clone();
        let task = tokio::task::spawn_blocking(move || copy(&from, &path));
        task.await
            .map_err(|_| StoreError::Io { what: "the backup was ended before it was done".to_owned() })?
    }

    async fn integrity_check(&self) -> Result<IntegrityReport, StoreError> {
        self.inner.readers.read(integrity::check).await
    }
}
