//! One SQLite file of sealed rows. Sealing happens above: page-level encryption leaks through
//! checksums and journals, sealed rows do not.

use crate::limits::{SQLITE_BUSY_MS, SQLITE_PAGES_MAX, STORE_FORMAT};
use crate::store::Table;
use crate::{Row, RowStore, RowStoreError, RowWrite, StoreSpace, WriteBatch};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rows in one file (write-ahead log, a full sync before each commit returns).
pub struct SqliteRowStore {
    connection: Mutex<Connection>,
    /// A newer program wrote the file: nothing in it is changed here.
    read_only: bool,
}

impl SqliteRowStore {
    /// Opens the file, or makes it. A file of a newer program is opened to be read: its rows can be
    /// shown and exported, and every commit is refused.
    ///
    /// # Errors
    /// [`RowStoreError`].
    pub fn open(path: &Path) -> Result<Self, RowStoreError> {
        if let Some(connection) = of_newer_program(path)? {
            return Ok(Self { connection: Mutex::new(connection), read_only: true });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(cause)?;
        let store = Self::prepare(connection)?;
        store.check()?;
        Ok(store)
    }

    /// Whether the file is in order. SQLite notices damage only where it happens to read, and a tree
    /// that lost a branch reads as if the rows had never been. The quick check would not compare the index
    /// with the rows.
    fn check(&self) -> Result<(), RowStoreError> {
        let found: String =
            self.lock().query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(cause)?;
        if found == "ok" { Ok(()) } else { Err(RowStoreError::Damaged) }
    }

    /// Ends the use of the file with everything in it and nothing beside it.
    pub(super) fn close(self) -> Result<(), RowStoreError> {
        let connection = self.connection.into_inner().unwrap_or_else(PoisonError::into_inner);
        connection.close().map_err(|(_, error)| cause(error))
    }

    fn prepare(connection: Connection) -> Result<Self, RowStoreError> {
        connection.busy_timeout(Duration::from_millis(SQLITE_BUSY_MS)).map_err(cause)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(cause)?;
        if format_of(&connection)? > STORE_FORMAT {
            return Err(RowStoreError::Newer);
        }
        // The names have a tree of their own: in one tree with the rows, each comparison would read a large
        // row whole. Files that an earlier program made so stay so; the statements are the same.
        connection
            .execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS rows (tbl INTEGER NOT NULL, id BLOB NOT NULL,
                 version INTEGER NOT NULL, sealed BLOB NOT NULL, UNIQUE (tbl, id));
                 PRAGMA user_version = {STORE_FORMAT};"
            ))
            .map_err(cause)?;
        Ok(Self { connection: Mutex::new(connection), read_only: false })
    }

    /// Gives the store so many bytes, or as many as the disk has.
    ///
    /// # Errors
    /// [`RowStoreError`].
    pub fn set_max_bytes(&self, max_bytes: Option<u64>) -> Result<(), RowStoreError> {
        let connection = self.lock();
        let page: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(cause)?;
        let pages = max_bytes.map_or(SQLITE_PAGES_MAX, |bytes| {
            u32::try_from(bytes / u64::from(page.max(1)))
                .unwrap_or(SQLITE_PAGES_MAX)
                .clamp(1, SQLITE_PAGES_MAX)
        });
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(cause)
    }

    fn read_space(&self) -> Result<StoreSpace, RowStoreError> {
        let connection = self.lock();
        let figure = |pragma: &str| {
            let sql = format!("PRAGMA {pragma}");
            connection.query_row(&sql, [], |row| row.get::<_, u32>(0)).map(u64::from).map_err(cause)
        };
        let (page, pages) = (figure("page_size")?, figure("page_count")?);
        let (unused, most) = (figure("freelist_count")?, figure("max_page_count")?);
        let used_bytes = Some(pages.saturating_sub(unused) * page);
        // Without an allowance the disk decides, and only trying shows.
        let allowed = most < u64::from(SQLITE_PAGES_MAX);
        let free_bytes = allowed.then(|| (most.saturating_sub(pages) + unused) * page);
        Ok(StoreSpace { used_bytes, free_bytes })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, table: u8, id: &[u8]) -> Result<Option<Row>, RowStoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT id, version, sealed FROM rows WHERE tbl = ?1 AND id = ?2")
            .map_err(cause)?;
        statement.query_row(params![table, id], to_row).optional().map_err(cause)
    }

    fn knows(&self, table: u8, id: &[u8]) -> Result<bool, RowStoreError> {
        let connection = self.lock();
        let mut statement =
            connection.prepare_cached("SELECT 1 FROM rows WHERE tbl = ?1 AND id = ?2").map_err(cause)?;
        statement.exists(params![table, id]).map_err(cause)
    }

    fn read_all(&self, table: u8) -> Result<Vec<Row>, RowStoreError> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT id, version, sealed FROM rows WHERE tbl = ?1 ORDER BY id")
            .map_err(cause)?;
        let rows = statement.query_map(params![table], to_row).map_err(cause)?;
        rows.collect::<Result<_, _>>().map_err(cause)
    }

    fn write(&self, batch: &WriteBatch) -> Result<(), RowStoreError> {
        if self.read_only {
            return Err(RowStoreError::Newer);
        }
        let mut connection = self.lock();
        // The write lock comes first: nobody else commits between the look at the counter and ours.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(cause)?;
        refuse_second_writer(&transaction, batch)?;
        {
            let mut put = transaction
                .prepare_cached(
                    "INSERT INTO rows (tbl, id, version, sealed) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (tbl, id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
                )
                .map_err(cause)?;
            let mut delete =
                transaction.prepare_cached("DELETE FROM rows WHERE tbl = ?1 AND id = ?2").map_err(cause)?;
            for write in &batch.writes {
                match write {
                    RowWrite::Put { table, row } => {
                        let version = i64::try_from(row.version)
                            .map_err(|_| RowStoreError::Broken("version out of range".to_owned()))?;
                        put.execute(params![table, row.id, version, row.sealed]).map_err(cause)?
                    }
                    RowWrite::Delete { table, id } => delete.execute(params![table, id]).map_err(cause)?,
                };
            }
        }
        transaction.commit().map_err(cause)
    }
}

fn format_of(connection: &Connection) -> Result<i64, RowStoreError> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(cause)
}

/// A connection that cannot write, if the file is there and a newer program made it. The file is
/// looked at before anything else is done with it, for even opening to write can change it.
fn of_newer_program(path: &Path) -> Result<Option<Connection>, RowStoreError> {
    if !path.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(cause)?;
    connection.busy_timeout(Duration::from_millis(SQLITE_BUSY_MS)).map_err(cause)?;
    Ok((format_of(&connection)? > STORE_FORMAT).then_some(connection))
}

/// Every commit of a device counts on from the last one that its program knows. If the stored
/// counter has come as far as this batch already, another program wrote in between: what this
/// program holds in memory is old, and its batch would overwrite entries that it never saw.
fn refuse_second_writer(transaction: &Transaction<'_>, batch: &WriteBatch) -> Result<(), RowStoreError> {
    let counter = Table::Counter.number();
    for write in &batch.writes {
        let RowWrite::Put { table, row } = write else { continue };
        if *table != counter {
            continue;
        }
        let stored: Option<i64> = transaction
            .prepare_cached("SELECT version FROM rows WHERE tbl = ?1 AND id = ?2")
            .and_then(|mut found| found.query_row(params![table, row.id], |row| row.get(0)).optional())
            .map_err(cause)?;
        if stored.and_then(|stored| u64::try_from(stored).ok()).is_some_and(|stored| stored >= row.version) {
            return Err(RowStoreError::Busy);
        }
    }
    Ok(())
}

fn to_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let version: i64 = row.get(1)?;
    Ok(Row { id: row.get(0)?, version: u64::try_from(version).unwrap_or(0), sealed: row.get(2)? })
}

fn cause(error: rusqlite::Error) -> RowStoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => RowStoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RowStoreError::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => RowStoreError::Damaged,
        _ => RowStoreError::Broken(error.to_string()),
    }
}

impl RowStore for SqliteRowStore {
    async fn get(&self, table: u8, id: &[u8]) -> Result<Option<Row>, RowStoreError> {
        self.read(table, id)
    }

    async fn has(&self, table: u8, id: &[u8]) -> Result<bool, RowStoreError> {
        self.knows(table, id)
    }

    async fn scan(&self, table: u8) -> Result<Vec<Row>, RowStoreError> {
        self.read_all(table)
    }

    async fn commit(&self, batch: WriteBatch) -> Result<(), RowStoreError> {
        self.write(&batch)
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    async fn space(&self) -> Result<StoreSpace, RowStoreError> {
        self.read_space()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod conformance {
        use super::super::SqliteRowStore;
        use rusqlite::Connection;

        crate::row_store_conformance!(
            SqliteRowStore::prepare(Connection::open_in_memory().unwrap()).unwrap()
        );
    }

    #[test]
    fn a_file_of_a_newer_program_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let row = Row { id: vec![1], version: 4, sealed: vec![9; 40] };
        let batch = WriteBatch { writes: vec![RowWrite::Put { table: 2, row: row.clone() }] };
        SqliteRowStore::open(&path).unwrap().write(&batch).unwrap();
        let raw = Connection::open(&path).unwrap();
        raw.execute_batch(&format!("PRAGMA user_version = {}", STORE_FORMAT + 1)).unwrap();
        drop(raw);
        let before = std::fs::read(&path).unwrap();
        let store = SqliteRowStore::open(&path).unwrap();
        assert!(store.is_read_only());
        assert_eq!(store.read(2, &[1]).unwrap(), Some(row));
        assert_eq!(store.write(&batch), Err(RowStoreError::Newer));
        drop(store);
        assert_eq!(std::fs::read(&path).unwrap(), before, "not a byte of it changed");
        let connection = Connection::open(&path).unwrap();
        assert_eq!(SqliteRowStore::prepare(connection).err(), Some(RowStoreError::Newer));
    }

    #[test]
    fn a_second_writer_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let (first, second) = (SqliteRowStore::open(&path).unwrap(), SqliteRowStore::open(&path).unwrap());
        let counter = Table::Counter.number();
        let other = if counter == 2 { 3 } else { 2 };
        let batch = |version: u64, content: u8| WriteBatch {
            writes: [other, counter]
                .map(|table| RowWrite::Put {
                    table,
                    row: Row { id: b"store".to_vec(), version, sealed: vec![content] },
                })
                .to_vec(),
        };
        first.write(&batch(1, 1)).unwrap();
        // Both programs know version 1 now; the second one commits first.
        second.write(&batch(2, 2)).unwrap();
        assert_eq!(first.write(&batch(2, 3)), Err(RowStoreError::Busy));
        assert_eq!(first.read(other, b"store").unwrap().unwrap().sealed, [2], "the saved entry stands");
        first.write(&batch(3, 4)).unwrap();
    }

    #[test]
    fn fault_09_a_full_disk_keeps_nothing_of_a_batch_and_all_of_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let store = SqliteRowStore::open(&path).unwrap();
        let batch = |number: u8, bytes: usize| WriteBatch {
            writes: [0, 1, 2]
                .map(|part| RowWrite::Put {
                    table: 5,
                    row: Row { id: vec![number, part], version: 1, sealed: vec![number; bytes] },
                })
                .to_vec(),
        };
        store.write(&batch(1, 100)).unwrap();
        let pages = |limit: i64| {
            let pragma = format!("PRAGMA max_page_count = {limit}");
            store.lock().query_row(&pragma, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        pages(4);
        for _ in 0..3 {
            assert_eq!(store.write(&batch(2, 40_000)), Err(RowStoreError::Full));
            assert_eq!(store.read_all(5).unwrap().len(), 3, "nothing of the batch, all of the one before");
        }
        // Space is back: the same batch is taken.
        pages(10_000);
        store.write(&batch(2, 40_000)).unwrap();
        drop(store);
        assert_eq!(SqliteRowStore::open(&path).unwrap().read_all(5).unwrap().len(), 6);
    }

    #[test]
    fn a_full_store_keeps_nothing_of_a_batch_and_tells_its_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteRowStore::open(&folder.path().join("rows.db")).unwrap();
        let put = |id: u8, bytes: usize| WriteBatch {
            writes: vec![RowWrite::Put {
                table: 2,
                row: Row { id: vec![id], version: 1, sealed: vec![9; bytes] },
            }],
        };
        assert_eq!(store.read_space().unwrap().free_bytes, None, "the disk decides");
        store.write(&put(1, 300_000)).unwrap();
        store.set_max_bytes(Some(600_000)).unwrap();
        let free = store.read_space().unwrap().free_bytes.unwrap();
        assert!((200_000..350_000).contains(&free), "{free}");
        let both = WriteBatch { writes: [put(2, 1_000).writes, put(3, 400_000).writes].concat() };
        assert_eq!(store.write(&both), Err(RowStoreError::Full));
        assert_eq!(store.read(2, &[2]).unwrap(), None, "nothing of the batch was kept");
        // A row that goes makes room for another one in the same batch.
        let delete = RowWrite::Delete { table: 2, id: vec![1] };
        let swap = WriteBatch { writes: [vec![delete], put(3, 400_000).writes].concat() };
        store.write(&swap).unwrap();
        assert!(store.read(2, &[3]).unwrap().is_some());
    }

    #[test]
    fn a_file_in_the_layout_of_earlier_programs_is_used_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let raw = Connection::open(&path).unwrap();
        let earlier = "CREATE TABLE rows (tbl INTEGER NOT NULL, id BLOB NOT NULL, version INTEGER NOT NULL,
            sealed BLOB NOT NULL, PRIMARY KEY (tbl, id)) WITHOUT ROWID;
            INSERT INTO rows VALUES (2, x'01', 4, x'0909'); PRAGMA user_version = 1;";
        raw.execute_batch(earlier).unwrap();
        drop(raw);
        let store = SqliteRowStore::open(&path).unwrap();
        let row = |version: u64, content: &[u8]| Row { id: vec![1], version, sealed: content.to_vec() };
        assert_eq!(store.read(2, &[1]).unwrap(), Some(row(4, &[9, 9])));
        let put = RowWrite::Put { table: 2, row: row(5, &[7; 90_000]) };
        store.write(&WriteBatch { writes: vec![put] }).unwrap();
        drop(store);
        let store = SqliteRowStore::open(&path).unwrap();
        assert_eq!(store.read_all(2).unwrap(), [row(5, &[7; 90_000])]);
    }

    #[test]
    fn an_index_that_lost_a_name_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let store = SqliteRowStore::open(&path).unwrap();
        let put = |id: u8| RowWrite::Put {
            table: 2,
            row: Row { id: vec![id; 40], version: 1, sealed: vec![9; 40] },
        };
        store.write(&WriteBatch { writes: vec![put(0xa1), put(0xa2)] }).unwrap();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        // Of the two places at which the name stands, the later page is that of the index.
        let places: Vec<usize> =
            (0..bytes.len() - 40).filter(|at| bytes[*at..*at + 40] == [0xa2; 40]).collect();
        let in_index = *places.last().unwrap();
        assert_eq!(places.len(), 2, "once in its row and once in the index");
        bytes[in_index] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(SqliteRowStore::open(&path).err(), Some(RowStoreError::Damaged));
    }

    #[test]
    fn rows_survive_closing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let row = Row { id: vec![1], version: 4, sealed: vec![9; 40] };
        let store = SqliteRowStore::open(&path).unwrap();
        store.write(&WriteBatch { writes: vec![RowWrite::Put { table: 2, row: row.clone() }] }).unwrap();
        drop(store);
        assert_eq!(SqliteRowStore::open(&path).unwrap().read(2, &[1]).unwrap(), Some(row));
    }
}
