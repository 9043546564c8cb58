//! One process at a time works in a folder: two servers on one database, or two witnesses on one
//! memory, could each tell a history of their own.

use crate::exit::{Failure, Kind};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Held as long as the value lives; the system lets go of it when the process ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of a folder.
    ///
    /// # Errors
    /// When another process holds it, or the folder cannot be written to.
    pub fn take(dir: &Path, who: &str) -> Result<Self, Failure> {
        Self::try_take(dir)?.ok_or_else(|| {
            Failure::new(
                Kind::No,
                format!("{who} is running already"),
                format!("another process works in {}", dir.display()),
                "stop the other one first, or use another folder",
            )
        })
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn try_take(dir: &Path) -> Result<Option<Self>, Failure> {
        Self::try_take_named(dir, "lock")
    }

    /// Takes the lock for backups, which run beside the server but not beside each other, if nobody
    /// holds it.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn try_take_for_backup(dir: &Path) -> Result<Option<Self>, Failure> {
        Self::try_take_named(dir, "copy.lock")
    }

    fn try_take_named(dir: &Path, name: &str) -> Result<Option<Self>, Failure> {
        let path = dir.join(name);
        let unusable = |error: std::io::Error| {
            let next = "check that the folder exists and that this account may write to it";
            Failure::input(format!("The folder {} cannot be used", dir.display()), error, next)
        };
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = FolderLock::take(folder.path(), "The server").unwrap();
        assert!(FolderLock::try_take(folder.path()).unwrap().is_none());
        assert!(FolderLock::take(folder.path(), "The server").is_err());
        let backup = FolderLock::try_take_for_backup(folder.path()).unwrap();
        assert!(backup.is_some(), "a backup runs beside the server");
        assert!(FolderLock::try_take_for_backup(folder.path()).unwrap().is_none());
        drop(held);
        assert!(FolderLock::try_take(folder.path()).unwrap().is_some());
        assert!(FolderLock::try_take(&folder.path().join("missing")).is_err());
    }
}
