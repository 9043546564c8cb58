//! Reading what can still be read out of a damaged SQLite file. Whether a row is sound is not
//! decided here: its seal says so.

use super::SqliteRowStore;
use crate::store::Table;
use crate::{Row, RowStore as _, RowStoreError, RowWrite, WriteBatch};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What was read out of a damaged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// How many rows.
    pub rows: u64,
    /// The damaged file, as it was found.
    pub kept_as: PathBuf,
}

type Found = BTreeMap<(u8, Vec<u8>), Row>;

impl SqliteRowStore {
    /// Puts every row that can be read out of a damaged file into a new one in its place. The
    /// damaged file is kept beside it.
    ///
    /// # Errors
    /// [`RowStoreError::Damaged`] if the device's keys cannot be read out of it: then nothing is
    /// changed. [`RowStoreError`] for a disk that is full or fails.
    pub fn salvage(path: &Path) -> Result<Salvaged, RowStoreError> {
        let found = read_all(path)?;
        let holds = |table: Table| found.keys().any(|(at, _)| *at == table.number());
        if !holds(Table::WrappedKey) || !holds(Table::Identity) {
            return Err(RowStoreError::Damaged);
        }
        let kept_as = free_name(path);
        copy(path, &kept_as)?;
        let wal = beside(path, "-wal");
        if wal.exists() {
            copy(&wal, &beside(&kept_as, "-wal"))?;
        }
        let fresh = beside(path, ".new");
        for end in ["", "-wal", "-shm"] {
            remove(&beside(&fresh, end))?;
        }
        let rows = found.len() as u64;
        write_all(&fresh, found)?;
        // A log of the old file must not be taken for one of the new file.
        for end in ["-wal", "-shm"] {
            remove(&beside(path, end))?;
        }
        std::fs::rename(&fresh, path).map_err(broken)?;
        Ok(Salvaged { rows, kept_as })
    }
}

fn broken(error: impl ToString) -> RowStoreError {
    RowStoreError::Broken(error.to_string())
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A name that no earlier damaged file has.
fn free_name(path: &Path) -> PathBuf {
    let names = (1u32..).map(|number| beside(path, &format!(".damaged-{number}")));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| beside(path, ".damaged"))
}

fn remove(path: &Path) -> Result<(), RowStoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(error)),
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), RowStoreError> {
    std::fs::copy(from, to).map_err(broken)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(broken)
}

fn read_all(path: &Path) -> Result<Found, RowStoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(broken)?;
    let mut found = Found::new();
    for table in 0..=u8::MAX {
        // From both ends up to the damage between them.
        read_side(&connection, table, true, &mut found);
        read_side(&connection, table, false, &mut found);
    }
    Ok(found)
}

/// Reads the rows of a table from one end until the other, something known, or damage.
fn read_side(connection: &Connection, table: u8, rising: bool, found: &mut Found) {
    let next = if rising {
        "SELECT id, version, sealed FROM rows WHERE tbl = ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT 1"
    } else {
        "SELECT id, version, sealed FROM rows WHERE tbl = ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT 1"
    };
    let mut last: Option<Vec<u8>> = None;
    loop {
        let row = connection.prepare_cached(next).and_then(|mut statement| {
            statement
                .query_row(params![table, last], |row| {
                    let version: i64 = row.get(1)?;
                    let version = u64::try_from(version).unwrap_or(0);
                    Ok(Row { id: row.get(0)?, version, sealed: row.get(2)? })
                })
                .optional()
        });
        let Ok(Some(row)) = row else { return };
        // A damaged tree may lead in a circle.
        let goes_on = last.as_ref().is_none_or(|last| if rising { row.id > *last } else { row.id < *last });
        let key = (table, row.id.clone());
        if !goes_on || found.contains_key(&key) {
            return;
        }
        last = Some(row.id.clone());
        found.insert(key, row);
    }
}

fn write_all(path: &Path, found: Found) -> Result<(), RowStoreError> {
    let store = SqliteRowStore::open(path)?;
    let writes = found.into_iter().map(|((table, _), row)| RowWrite::Put { table, row }).collect();
    crate::conformance::run_to_end(store.commit(WriteBatch { writes }))?;
    store.close()
}
