//! The server's own values, figures for metrics, backup and checks.

use crate::StoreError;
use crate::limits::META_MAX_BYTES;
use std::future::Future;
use std::path::PathBuf;

/// The name of one of the server's own values. Names stand in the program, never in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetaKey(&'static str);

impl MetaKey {
    /// A name such as `server.identity`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The limit of a value's length.
///
/// # Errors
/// [`StoreError::TooLarge`].
pub const fn check_meta(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > META_MAX_BYTES {
        return Err(StoreError::TooLarge { what: "a value of the server", limit: META_MAX_BYTES });
    }
    Ok(())
}

/// The server's own values: opaque bytes, sealed where they are secret.
pub trait MetaStore: Clone + Send + Sync + 'static {
    /// One value.
    ///
    /// # Errors
    /// [`StoreError`].
    fn meta(&self, key: MetaKey) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// Keeps a value in place of any other.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_meta(&self, key: MetaKey, value: Vec<u8>) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a value if there is none; says whether it did. Of any number of calls one wins.
    ///
    /// # Errors
    /// [`StoreError`].
    fn create_meta(
        &self,
        key: MetaKey,
        value: Vec<u8>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Figures for metrics. No figure is about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Leaves of the operation log.
    pub operations: u64,
    /// Entries of the membership log.
    pub mlog_entries: u64,
    /// Charts with at least one operation.
    pub charts: u64,
    /// Chains with at least one operation.
    pub chains: u64,
    /// Tickets marked open.
    pub open_tickets: u64,
    /// Waiting proposals.
    pub proposals: u64,
    /// Bytes of the store on disk, without its write-ahead file; 0 in memory.
    pub store_bytes: u64,
    /// Bytes in it that are free to be used again.
    pub free_bytes: u64,
    /// Commits since the start.
    pub commits: u64,
    /// Writing requests in those commits.
    pub committed_requests: u64,
}

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// Leaves of the operation log in it.
    pub olog_size: u64,
    /// Entries of the membership log in it.
    pub mlog_size: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntegrityReport {
    /// Operations whose bytes, hash and place were compared.
    pub operations: u64,
    /// Membership entries compared.
    pub mlog_entries: u64,
    /// What did not fit, without contents; at most [`crate::limits::FINDINGS_MAX`].
    pub findings: Vec<String>,
}

impl IntegrityReport {
    /// Whether all fits.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Figures, backup, checks.
pub trait Upkeep: Clone + Send + Sync + 'static {
    /// Figures for metrics.
    ///
    /// # Errors
    /// [`StoreError`].
    fn stats(&self) -> impl Future<Output = Result<StoreStats, StoreError>> + Send;

    /// Writes a consistent copy to a file that does not exist yet, while the store goes on.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Unsupported`] for a store without a disk.
    fn backup_to(&self, path: PathBuf) -> impl Future<Output = Result<BackupSummary, StoreError>> + Send;

    /// Reads everything back and compares hashes, places and chains.
    ///
    /// # Errors
    /// [`StoreError`].
    fn integrity_check(&self) -> impl Future<Output = Result<IntegrityReport, StoreError>> + Send;
}
