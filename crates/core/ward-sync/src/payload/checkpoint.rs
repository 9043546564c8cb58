//! Checkpoints: one device says what a chart held up to a place of the operation log, and devices of
//! other people sign that they come to the same. The entries themselves lie in a blob.

use super::PayloadError;
use core::fmt;
use minicbor::{Decode, Encode};
use ward_crypto::{BlobKey, BlobLayout, SealedBlob};
use ward_id::{BlobAddress, EntryId, TreeRoot, VersionVector};

/// What a chart held up to a place.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Checkpoint {
    /// The rules by which the state was computed. Another version of the rules may come to another
    /// state and then says nothing about this one.
    #[n(0)]
    pub rules: u64,
    /// The last place of the operation log that is covered.
    #[n(1)]
    pub upto: u64,
    /// The newest entry of each chain.
    #[n(2)]
    pub frontier: VersionVector,
    /// How many entries are covered.
    #[n(3)]
    pub count: u64,
    /// The root of the Merkle tree over the sorted ids of the entries.
    #[n(4)]
    pub entries_root: TreeRoot,
    /// The root of the Merkle tree over places and times of arrival, in the order of the log.
    #[n(5)]
    pub places_root: TreeRoot,
    /// The digest of what the chart amounts to.
    #[n(6)]
    pub state_root: TreeRoot,
    /// The root of the Merkle tree over the sorted ids of the entries that close a device.
    #[n(7)]
    pub closed_root: TreeRoot,
    /// The blob with the entries: SHA-256 of its ciphertext.
    #[n(8)]
    pub address: BlobAddress,
    /// Its key.
    #[n(9)]
    pub key: BlobKey,
    /// Its bytes of plaintext.
    #[n(10)]
    pub size: u64,
    /// SHA-256 of its plaintext.
    #[cbor(n(11), with = "minicbor::bytes")]
    pub plain_hash: [u8; 32],
}

impl Checkpoint {
    /// What names the blob.
    pub const fn blob(&self) -> SealedBlob {
        SealedBlob { address: self.address, size: self.size, plain_hash: self.plain_hash }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.count == 0 || self.frontier.is_empty() || self.count > self.upto.saturating_add(1) {
            return Err(PayloadError::Contradiction("a checkpoint covers at least one entry at a place"));
        }
        BlobLayout::of_size(self.size).map(|_| ()).map_err(|_| PayloadError::Size("the checkpoint"))
    }
}

impl fmt::Debug for Checkpoint {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { upto, count, entries_root, state_root, .. } = self;
        f.debug_struct("Checkpoint")
            .field("upto", upto)
            .field("count", count)
            .field("entries_root", entries_root)
            .field("state_root", state_root)
            .finish_non_exhaustive()
    }
}

/// The author's device came to the same roots from its own copy of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CheckpointCosignature {
    /// The entry with the checkpoint.
    #[n(0)]
    pub checkpoint: EntryId,
}

impl CheckpointCosignature {
    #[expect(clippy::unused_self, reason = "every payload is asked")]
    pub(super) const fn check(&self) -> Result<(), PayloadError> {
        Ok(())
    }
}
