//! What the blob of a checkpoint holds: the entries in the order of the operation log, each with its
//! place and its time of arrival.
//!
//! ```text
//! content = row || row || …          row = u32 BE length || dCBOR([olog index, received_at, entry])
//! entry   = dCBOR([frame, sig_alg, capture_sig])
//! ```

use crate::entry::SignedEntry;
use crate::limits::OPERATION_MAX_BYTES;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, TimestampMs};

/// One entry of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// Its place in the operation log.
    pub index: u64,
    /// When the server took it.
    pub received_at: TimestampMs,
    /// The entry. Its name was computed; its signature was not checked.
    pub entry: SignedEntry,
    /// The same as [`SignedEntry::to_stored`] writes it.
    pub stored: Vec<u8>,
}

/// A content that is none. The author of the checkpoint is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// It ends within a row.
    #[error("the checkpoint's content is cut off")]
    Cut,
    /// A row is no entry.
    #[error("a row of the checkpoint is no entry")]
    Row,
}

#[derive(Encode, Decode)]
struct StoredRow {
    #[n(0)]
    index: u64,
    #[n(1)]
    received_at: TimestampMs,
    #[cbor(n(2), with = "minicbor::bytes")]
    entry: Vec<u8>,
}

/// Writes rows.
pub fn encode_content<'a>(rows: impl Iterator<Item = (u64, TimestampMs, &'a SignedEntry)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, received_at, entry) in rows {
        let row = StoredRow { index, received_at, entry: entry.to_stored() }.to_canonical();
        // A row holds one entry, which an envelope of 256 KiB has carried.
        out.extend_from_slice(&u32::try_from(row.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(&row);
    }
    out
}

/// Cuts a content into its rows, which [`CheckpointRow::read`] reads, on as many cores as there are.
///
/// # Errors
/// [`ContentError::Cut`].
pub fn decode_content(mut content: &[u8]) -> Result<Vec<&[u8]>, ContentError> {
    let mut out = Vec::new();
    while !content.is_empty() {
        let (length, rest) = content.split_first_chunk::<4>().ok_or(ContentError::Cut)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (row, rest) = rest
            .split_at_checked(length)
            .filter(|_| length <= 2 * OPERATION_MAX_BYTES)
            .ok_or(ContentError::Cut)?;
        out.push(row);
        content = rest;
    }
    Ok(out)
}

impl CheckpointRow {
    /// Reads one row.
    ///
    /// # Errors
    /// [`ContentError::Row`].
    pub fn read(row: &[u8]) -> Result<Self, ContentError> {
        let StoredRow { index, received_at, entry: stored } =
            StoredRow::from_canonical(row).map_err(|_| ContentError::Row)?;
        let entry = SignedEntry::from_stored(&stored).map_err(|_| ContentError::Row)?;
        Ok(Self { index, received_at, entry, stored })
    }
}
