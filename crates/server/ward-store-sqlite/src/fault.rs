//! From SQLite's errors to the store's: what happened, and whether writing may go on.

use rusqlite::ErrorCode;
use ward_store::StoreError;

/// SQLite could not grow its shared index: the disk is full (`SQLITE_IOERR_SHMSIZE`).
const IOERR_SHMSIZE: i32 = 10 | 19 << 8;

/// What a statement or a row can fail with.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said so.
    Sqlite(rusqlite::Error),
    /// The store found it.
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// A row that is not what the store wrote.
    pub(crate) fn corrupt(what: &str) -> Self {
        Self::Store(StoreError::Corrupt { what: what.to_owned() })
    }

    /// The error for callers.
    pub(crate) fn to_store(&self) -> StoreError {
        match self {
            Self::Store(error) => error.clone(),
            Self::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) => match failure.code {
                ErrorCode::DiskFull => StoreError::StorageFull,
                ErrorCode::SystemIoFailure if failure.extended_code == IOERR_SHMSIZE => {
                    StoreError::StorageFull
                }
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                    StoreError::Corrupt { what: format!("SQLite reports code {}", failure.extended_code) }
                }
                ErrorCode::ReadOnly => StoreError::ReadOnly,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
                _ => StoreError::Io { what: format!("SQLite reports code {}", failure.extended_code) },
            },
            // The other kinds say that a column is not what the schema promises.
            Self::Sqlite(error) => StoreError::Corrupt { what: error.to_string() },
        }
    }

    /// Whether writing must end because of this failure of a commit. After a failed fsync the
    /// kernel may have dropped the pages and report success the next time: only reading the file
    /// anew tells what is there. A full disk is not such a failure: nothing was promised.
    pub(crate) fn ends_writing(&self) -> bool {
        match self.to_store() {
            StoreError::Io { .. } | StoreError::Corrupt { .. } | StoreError::Stopped { .. } => true,
            StoreError::StorageFull
            | StoreError::ReadOnly
            | StoreError::Busy
            | StoreError::TooLarge { .. }
            | StoreError::Unsupported { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(extended_code: i32) -> Fault {
        Fault::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(extended_code), None))
    }

    /// SQLite's numbers: 13 full, 11 corrupt, 26 not a database, 5 busy, 8 read only, 10 input and output with
    /// 4 fsync, 5 directory fsync, 3 write in the second byte.
    #[test]
    fn sqlite_codes_are_told_apart() {
        assert_eq!(fault(13).to_store(), StoreError::StorageFull);
        assert_eq!(fault(IOERR_SHMSIZE).to_store(), StoreError::StorageFull);
        assert_eq!(fault(5).to_store(), StoreError::Busy);
        assert_eq!(fault(8).to_store(), StoreError::ReadOnly);
        for code in [11, 26] {
            assert!(matches!(fault(code).to_store(), StoreError::Corrupt { .. }));
            assert!(fault(code).ends_writing());
        }
        for code in [10 | 4 << 8, 10 | 5 << 8, 10 | 3 << 8, 10] {
            assert!(matches!(fault(code).to_store(), StoreError::Io { .. }));
            assert!(fault(code).ends_writing());
        }
        for code in [13, IOERR_SHMSIZE, 5, 6, 8] {
            assert!(!fault(code).ends_writing(), "{code}");
        }
    }

    #[test]
    fn the_number_is_that_of_sqlite() {
        assert_eq!(IOERR_SHMSIZE, rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    }
}
