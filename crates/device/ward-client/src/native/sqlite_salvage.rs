//! Reading what can still be read out of a damaged SQLite file. Whether a row is sound is not
//! decided here: its seal says so.

use super::SqliteRowStore;
use crate::store::Table;
use crate::{Row, RowStore as _, RowStoreError, RowWrite, WriteBatch};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use std::collections::{BTreeMap, BTreeSet};
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

/// The table and the name of a row.
type Name = (u8, Vec<u8>);

/// What could be read.
#[derive(Default)]
struct Found {
    rows: BTreeMap<Name, Row>,
    /// The places at which these stand, where the file has such.
    numbers: BTreeSet<i64>,
}

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

fn read_all(path: &Path) -> Result<BTreeMap<Name, Row>, RowStoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(broken)?;
    let mut found = Found::default();
    // From both ends up to the damage between them; the index leads past damage to rows in between.
    read_in_order(&connection, true, &mut found);
    read_in_order(&connection, false, &mut found);
    for table in 0..=u8::MAX {
        let mut seen = BTreeSet::new();
        read_by_name(&connection, table, true, &mut seen, &mut found);
        read_by_name(&connection, table, false, &mut seen, &mut found);
    }
    Ok(found.rows)
}

/// Reads the rows in the order in which they stand, from one end until damage or something known. A file of an
/// earlier program has no such order: there the names lead to all rows.
fn read_in_order(connection: &Connection, rising: bool, found: &mut Found) {
    let next = if rising {
        "SELECT rowid, tbl, id, version, sealed FROM rows WHERE ?1 IS NULL OR rowid > ?1 ORDER BY rowid LIMIT 1"
    } else {
        "SELECT rowid, tbl, id, version, sealed FROM rows WHERE ?1 IS NULL OR rowid < ?1 ORDER BY rowid DESC LIMIT 1"
    };
    let mut last: Option<i64> = None;
    loop {
        let row = connection.prepare_cached(next).and_then(|mut statement| {
            let read = |row: &rusqlite::Row<'_>| {
                let number: i64 = row.get(0)?;
                // Of a row that is damaged itself only the place is of use.
                let content = row.get(1).and_then(|table: u8| Ok((table, read_row(row, 2)?)));
                Ok((number, content.ok()))
            };
            statement.query_row(params![last], read).optional()
        });
        let Ok(Some((number, content))) = row else { return };
        let goes_on = last.is_none_or(|last| if rising { number > last } else { number < last });
        // A damaged tree may lead in a circle.
        if !goes_on || !found.numbers.insert(number) {
            return;
        }
        last = Some(number);
        if let Some((table, row)) = content {
            found.rows.insert((table, row.id.clone()), row);
        }
    }
}

/// Reads the rows of a table by their names, from one end until the other, something seen, or damage. What was
/// found where it stands is not taken once more under a name that the index may have wrong.
fn read_by_name(
    connection: &Connection,
    table: u8,
    rising: bool,
    seen: &mut BTreeSet<Vec<u8>>,
    found: &mut Found,
) {
    let number = if found.numbers.is_empty() { "NULL" } else { "rowid" };
    let (after, order) = if rising { (">", "") } else { ("<", "DESC") };
    let next = format!(
        "SELECT id, version, sealed, {number} FROM rows WHERE tbl = ?1 AND (?2 IS NULL OR id {after} ?2)
         ORDER BY id {order} LIMIT 1"
    );
    let mut last: Option<Vec<u8>> = None;
    loop {
        let row = connection.prepare_cached(&next).and_then(|mut statement| {
            let read = |row: &rusqlite::Row<'_>| Ok((read_row(row, 0)?, row.get::<_, Option<i64>>(3)?));
            statement.query_row(params![table, last], read).optional()
        });
        let Ok(Some((row, number))) = row else { return };
        // A damaged tree may lead in a circle.
        let goes_on = last.as_ref().is_none_or(|last| if rising { row.id > *last } else { row.id < *last });
        if !goes_on || !seen.insert(row.id.clone()) {
            return;
        }
        last = Some(row.id.clone());
        if number.is_none_or(|number| found.numbers.insert(number)) {
            found.rows.entry((table, row.id.clone())).or_insert(row);
        }
    }
}

/// Name, version and content from a column on.
fn read_row(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Row> {
    let version: i64 = row.get(from + 1)?;
    Ok(Row { id: row.get(from)?, version: u64::try_from(version).unwrap_or(0), sealed: row.get(from + 2)? })
}

fn write_all(path: &Path, found: BTreeMap<Name, Row>) -> Result<(), RowStoreError> {
    let store = SqliteRowStore::open(path)?;
    let writes = found.into_iter().map(|((table, _), row)| RowWrite::Put { table, row }).collect();
    crate::conformance::run_to_end(store.commit(WriteBatch { writes }))?;
    store.close()
}
