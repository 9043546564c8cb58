//! Membership entries that wait for a second person's signature.

use crate::StoreError;
use std::future::Future;
use ward_id::{DeviceId, MlogEntryHash, Subject, TimestampMs};

/// One waiting entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProposal {
    /// SHA-256 of `bytes`; names it.
    pub hash: MlogEntryHash,
    /// What it is about.
    pub subject: Subject,
    /// The device that proposed it.
    pub proposer: DeviceId,
    /// When the server took it.
    pub received_at: TimestampMs,
    /// The entry with the signatures it has so far.
    pub bytes: Vec<u8>,
}

/// A proposal that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// [`crate::limits::SITE_MAX_PROPOSALS`] wait. A person must withdraw some.
    #[error("as many proposals wait as may wait")]
    TooMany,
    /// [`crate::limits::DEVICE_MAX_PROPOSALS`] of this proposer wait. The person must withdraw some.
    #[error("as many proposals of this device wait as may wait")]
    TooManyOfProposer,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Proposals.
pub trait ProposalStore: Clone + Send + Sync + 'static {
    /// Keeps a proposal; the same one again changes nothing. Those that ran out by the time it came
    /// are dropped first.
    ///
    /// # Errors
    /// [`ProposalError`].
    fn add_proposal(
        &self,
        proposal: StoredProposal,
    ) -> impl Future<Output = Result<(), ProposalError>> + Send;

    /// All proposals, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn proposals(&self) -> impl Future<Output = Result<Vec<StoredProposal>, StoreError>> + Send;

    /// Drops proposals that came at `before` or earlier; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge_proposals(&self, before: TimestampMs) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Withdraws one, or drops it once it is in the log; says whether it was there.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove_proposal(&self, hash: MlogEntryHash) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
