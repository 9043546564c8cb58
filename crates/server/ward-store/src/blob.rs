//! Blobs: ciphertext in chunks, named by its hash. Each device sends a blob for itself until one of
//! them is complete, so that nobody can spoil what another one sends.

use crate::{QuotaReached, StoreError};
use std::future::Future;
use ward_api::BlobState;
use ward_crypto::BlobLayout;
use ward_id::{BlobAddress, ChartId, DeviceId, TimestampMs};

/// Which blob of which chart.
pub type BlobName = (ChartId, BlobAddress);

/// One chunk on its way into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    /// The chart that the blob belongs to.
    pub chart: ChartId,
    /// What all chunks together hash to.
    pub address: BlobAddress,
    /// Who sends it.
    pub device: DeviceId,
    /// Bytes of ciphertext in all.
    pub sealed_size: u64,
    /// Its place, from 0.
    pub chunk: u32,
    /// The chunk.
    pub bytes: Vec<u8>,
    /// When the server took it.
    pub received_at: TimestampMs,
}

/// A chunk that was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// No blob has this size, or the chunk has another length or place than the size gives, or the
    /// blob was begun with another size. The app must act.
    #[error("the chunk does not fit the size of its blob")]
    Shape,
    /// The device sends as many blobs as it may. The app ends one first.
    #[error("this device sends as many blobs at a time as it may")]
    TooManyUploads,
    /// The room is used up.
    #[error(transparent)]
    Quota(#[from] QuotaReached),
    /// The chunks together do not have the address: all of them were dropped. The app begins anew.
    #[error("the chunks together do not have the address; they were dropped")]
    Mismatch,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What reading a chunk gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkRead {
    /// The chunk of a complete blob.
    Chunk(Vec<u8>),
    /// Somebody is still sending the blob.
    Incomplete,
    /// There is no such blob, or it has no such chunk.
    Unknown,
}

/// When the last chunk came of what was complete once: it does not rest, and is not dropped for that. It may be
/// the only copy, and each sound chunk of it opens by itself.
pub const NEVER_AT_REST: TimestampMs = TimestampMs(i64::MAX);

/// Checks a chunk before it is stored.
///
/// # Errors
/// [`BlobError::Shape`].
pub fn check_chunk(chunk: &NewChunk) -> Result<BlobLayout, BlobError> {
    let layout = BlobLayout::of_sealed_size(chunk.sealed_size).map_err(|_| BlobError::Shape)?;
    if layout.sealed_chunk_size(chunk.chunk) == Some(chunk.bytes.len()) {
        Ok(layout)
    } else {
        Err(BlobError::Shape)
    }
}

/// The state of a blob of which these chunks are here, ascending.
pub fn blob_state(layout: BlobLayout, here: &[u32], complete: bool) -> BlobState {
    let absent = |chunk: &u32| here.binary_search(chunk).is_err();
    let missing = if complete { Vec::new() } else { (0..layout.chunks()).filter(absent).collect() };
    BlobState { sealed_size: layout.sealed_size(), chunks: layout.chunks(), missing, complete }
}

/// Blobs.
pub trait BlobStore: Clone + Send + Sync + 'static {
    /// Keeps a chunk; the same one again changes nothing, and of a complete blob nothing is kept.
    /// The first chunk of a blob takes the room of all of them.
    ///
    /// # Errors
    /// [`BlobError`]; nothing of the request was kept then.
    fn put_chunk(&self, chunk: NewChunk) -> impl Future<Output = Result<BlobState, BlobError>> + Send;

    /// Hashes the chunks that a device sent, once all are here, and makes the blob readable; what
    /// others were sending of it is dropped.
    ///
    /// # Errors
    /// [`BlobError::Mismatch`]; then what the device sent was dropped.
    fn finish_blob(
        &self,
        name: BlobName,
        device: DeviceId,
    ) -> impl Future<Output = Result<BlobState, BlobError>> + Send;

    /// Hashes a complete blob once more, because a device sends other bytes of it. If it does not have its
    /// address any more, it is complete no longer: what the device itself once sent of it is dropped, and
    /// what another one sent stays until the blob is whole again ([`NEVER_AT_REST`]): it may be the only copy,
    /// and most of it sound. Says whether that was so.
    ///
    /// # Errors
    /// [`StoreError`].
    fn recheck_blob(
        &self,
        name: BlobName,
        device: DeviceId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// What is here of a blob: the complete one, or else what this device sent of it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn blob_state(
        &self,
        name: BlobName,
        device: DeviceId,
    ) -> impl Future<Output = Result<Option<BlobState>, StoreError>> + Send;

    /// One chunk of a complete blob.
    ///
    /// # Errors
    /// [`StoreError`].
    fn blob_chunk(
        &self,
        name: BlobName,
        chunk: u32,
    ) -> impl Future<Output = Result<ChunkRead, StoreError>> + Send;

    /// Drops what was sent of blobs that are not complete and whose last chunk came at `before` or
    /// earlier, and gives its room back; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge_uploads(&self, before: TimestampMs) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
