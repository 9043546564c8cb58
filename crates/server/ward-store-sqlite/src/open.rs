//! Opening and closing.

use crate::checkpointer::Checkpointer;
use crate::head_cache::HeadCache;
use crate::limits::{
    CHECKPOINT_PAGES, LOCK_WAIT_MS, PAGE_BYTES, READER_CACHE_KIB, READERS, READERS_MAX, SQLITE_PAGES_MAX,
    STATEMENTS_KEPT, WAL_KEPT_BYTES, WRITER_CACHE_KIB,
};
use crate::migrate::{MigrateError, migrate};
use crate::readers::Readers;
use crate::writer::Writer;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use ward_store::{Quotas, StoreError};

/// Marks a database as a store of Ward: "WARD" in ASCII (SQLite's `application_id`).
const APPLICATION_ID: i32 = 0x5741_5244;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Reading connections, 1 to [`READERS_MAX`].
    pub readers: usize,
    /// The store may take so many bytes on disk; `None` leaves it to the disk.
    pub max_bytes: Option<u64>,
    /// Pages in the write-ahead file after which it is worked into the database, beside the
    /// writer; 0 for never.
    pub checkpoint_pages: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: READERS, max_bytes: None, checkpoint_pages: CHECKPOINT_PAGES }
    }
}

/// A store that could not be opened. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made or opened.
    #[error("the store file cannot be opened: {0}: check the path and its rights")]
    File(#[from] std::io::Error),
    /// SQLite cannot use the file.
    #[error("the store cannot be used: {0}: check the disk, or restore a backup")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is a database of something else.
    #[error("the file is a database, but no store of Ward: give another path")]
    NotAStore,
    /// The file system does not let the write-ahead file work; a network share is the usual cause.
    #[error("the file system cannot keep a write-ahead file: put the store on a local disk")]
    NoWriteAhead,
    /// The schema does not fit this program.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The number of readers is 0 or too large.
    #[error("a store has 1 to {READERS_MAX} readers")]
    Readers,
}

/// The store of one site in one SQLite file. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) heads: HeadCache,
    pub(crate) quotas: Mutex<Quotas>,
}

impl SqliteStore {
    /// Opens the store, makes it if there is none, and brings its schema up to date. Takes as long
    /// as the disk needs: call it before serving.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        if options.readers == 0 || options.readers > READERS_MAX {
            return Err(OpenError::Readers);
        }
        make_file(path)?;
        let conn = open_writer(path, options)?;
        migrate(&conn)?;
        let readers =
            (0..options.readers).map(|_| open_reader(path)).collect::<rusqlite::Result<Vec<_>>>()?;
        let inner = Inner {
            path: path.to_owned(),
            writer: Writer::start(conn, checkpointer(path, options.checkpoint_pages)?)?,
            readers: Readers::new(readers),
            heads: HeadCache::default(),
            quotas: Mutex::new(Quotas::default()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sets or lifts the allowance of [`SqliteOptions::max_bytes`]. Below what the store has taken
    /// already, it cannot grow any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_max_bytes(&self, max_bytes: Option<u64>) -> Result<(), StoreError> {
        self.inner.writer.write(0, move |conn| Ok(allow(conn, max_bytes)?)).await
    }

    /// Stops writing or lets it go on, as while the disk under the store is being exchanged: reads go
    /// on, writes are refused with [`StoreError::ReadOnly`]. What was handed over before is committed.
    pub fn set_read_only(&self, read_only: bool) {
        self.inner.writer.set_read_only(read_only);
    }

    /// Commits what waits and closes all connections; later calls get [`StoreError::Stopped`].
    /// Other clones are closed with it.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }
}

/// Makes the file readable by its owner only; SQLite gives its other files the same rights.
fn make_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            file.sync_all()?;
            sync_folder(path)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the name of a new file durable.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_millis(LOCK_WAIT_MS))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Plans must not depend on values: else SQLite plans some statements anew whenever a value
    // changes, which costs more than running them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    // Sorting and temporary tables stay in memory: no copies of rows in other files.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(conn)
}

fn open_writer(path: &Path, options: SqliteOptions) -> Result<Connection, OpenError> {
    let conn = connect(path)?;
    let application: i32 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION_ID {
        let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
        if application != 0 || pages > 0 {
            return Err(OpenError::NotAStore);
        }
        conn.pragma_update(None, "page_size", PAGE_BYTES)?;
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAhead);
    }
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // A deleted key or request is overwritten, not only forgotten.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update_and_check(None, "journal_size_limit", WAL_KEPT_BYTES, |_| Ok(()))?;
    // The checkpointer does it, not a commit.
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    allow(&conn, options.max_bytes)?;
    Ok(conn)
}

fn checkpointer(path: &Path, pages: u32) -> Result<Option<Checkpointer>, OpenError> {
    if pages == 0 {
        return Ok(None);
    }
    let conn = connect(path)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    Ok(Some(Checkpointer::start(conn, pages)?))
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = connect(path)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(conn)
}

fn allow(conn: &Connection, max_bytes: Option<u64>) -> rusqlite::Result<()> {
    let pages = max_bytes.map_or(SQLITE_PAGES_MAX, |bytes| {
        u32::try_from(bytes / u64::from(PAGE_BYTES)).unwrap_or(SQLITE_PAGES_MAX).clamp(1, SQLITE_PAGES_MAX)
    });
    conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}
