//! Heads and tiles.

use crate::SqliteStore;
use crate::columns::{all, bound, change, int, one, uint};
use crate::fault::Fault;
use crate::limits::TILE_PARTS;
use crate::mlog::mlog_size;
use crate::olog::olog_size;
use crate::sql;
use rusqlite::{Connection, params};
use ward_id::TreeRoot;
use ward_store::limits::TILE_BYTES;
use ward_store::{
    CheckpointError, CheckpointKind, LogName, LogStateStore, SavedCheckpoint, StoreError, StoredTile,
    TileError,
};

/// The number of a log in its columns.
const fn log_number(log: LogName) -> i64 {
    match log {
        LogName::Mlog => 1,
        LogName::Olog => 2,
    }
}

/// The number of a kind in its column.
const fn kind_number(kind: CheckpointKind) -> i64 {
    match kind {
        CheckpointKind::Signed => 1,
        CheckpointKind::Cosigned => 2,
    }
}

fn checkpoint(
    conn: &Connection,
    log: LogName,
    kind: CheckpointKind,
) -> Result<Option<SavedCheckpoint>, Fault> {
    one(conn, sql::CHECKPOINT, [log_number(log), kind_number(kind)], |row| {
        Ok(SavedCheckpoint {
            size: uint(row, 0)?,
            root: TreeRoot::from_bytes(row.get(1)?),
            note: row.get(2)?,
        })
    })
}

/// Leaves of a log.
pub(crate) fn log_size(conn: &Connection, log: LogName) -> Result<u64, Fault> {
    match log {
        LogName::Mlog => mlog_size(conn),
        LogName::Olog => olog_size(conn),
    }
}

/// Leaves of the heads that are kept for a log.
pub(crate) fn head_sizes(conn: &Connection, log: LogName) -> Result<Vec<u64>, Fault> {
    let mut sizes = Vec::new();
    for kind in [CheckpointKind::Signed, CheckpointKind::Cosigned] {
        sizes.extend(checkpoint(conn, log, kind)?.map(|head| head.size));
    }
    Ok(sizes)
}

fn save(
    conn: &Connection,
    log: LogName,
    kind: CheckpointKind,
    new: &SavedCheckpoint,
) -> Result<Result<(), CheckpointError>, Fault> {
    let log_size = match kind {
        CheckpointKind::Signed => log_size(conn, log)?,
        CheckpointKind::Cosigned => {
            checkpoint(conn, log, CheckpointKind::Signed)?.map_or(0, |signed| signed.size)
        }
    };
    let kept = checkpoint(conn, log, kind)?.map(|kept| (kept.size, kept.root));
    if let Err(refusal) = new.check_follows(kept, log_size) {
        return Ok(Err(refusal));
    }
    let size = int(new.size, "a head")?;
    let row = params![log_number(log), kind_number(kind), size, new.root.as_bytes(), new.note];
    change(conn, sql::CHECKPOINT_PUT, row)?;
    Ok(Ok(()))
}

fn tile(conn: &Connection, log: LogName, level: u8, index: i64) -> Result<Option<Vec<u8>>, Fault> {
    let parts: Vec<(i64, Vec<u8>)> =
        all(conn, sql::TILE_PARTS, params![log_number(log), level, index], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if parts.is_empty() {
        return Ok(None);
    }
    let whole = parts.len() == TILE_PARTS && parts.iter().zip(0..).all(|((part, _), place)| *part == place);
    let bytes: Vec<u8> = parts.into_iter().flat_map(|(_, hashes)| hashes).collect();
    if whole && bytes.len() == TILE_BYTES {
        Ok(Some(bytes))
    } else {
        Err(Fault::corrupt("a tile lacks a part"))
    }
}

fn save_tiles(conn: &Connection, log: LogName, tiles: &[StoredTile]) -> Result<Result<(), TileError>, Fault> {
    // All are looked at before any is written: a refusal keeps none.
    let mut fresh = Vec::new();
    for new in tiles {
        let index = int(new.index, "the index of a tile")?;
        match tile(conn, log, new.level, index)? {
            None => fresh.push((index, new)),
            Some(kept) if kept == new.bytes => {}
            Some(_) => return Ok(Err(TileError::Differs { level: new.level, index: new.index })),
        }
    }
    for (index, new) in fresh {
        for (part, hashes) in (0i64..).zip(new.bytes.chunks(TILE_BYTES / TILE_PARTS)) {
            change(conn, sql::TILE_INSERT, params![log_number(log), new.level, index, part, hashes])?;
        }
    }
    Ok(Ok(()))
}

impl LogStateStore for SqliteStore {
    async fn checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
    ) -> Result<Option<SavedCheckpoint>, StoreError> {
        self.inner.readers.read(move |conn| checkpoint(conn, log, kind)).await
    }

    async fn save_checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
        checkpoint: SavedCheckpoint,
    ) -> Result<(), CheckpointError> {
        let bytes = checkpoint.note.len();
        self.inner.writer.write(bytes, move |conn| save(conn, log, kind, &checkpoint)).await?
    }

    async fn save_tiles(&self, log: LogName, tiles: Vec<StoredTile>) -> Result<(), TileError> {
        tiles.iter().try_for_each(StoredTile::check_full)?;
        let bytes = tiles.len() * TILE_BYTES;
        self.inner.writer.write(bytes, move |conn| save_tiles(conn, log, &tiles)).await?
    }

    async fn tile(&self, log: LogName, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.readers.read(move |conn| tile(conn, log, level, bound(index))).await
    }
}
