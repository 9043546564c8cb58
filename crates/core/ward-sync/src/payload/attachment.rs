//! Attachments: a photograph, a letter, a scan, too large for an entry. The entry names the blob
//! and holds its key; the blob itself travels apart from the entries and never holds them up.

use super::PayloadError;
use super::text::{short, short_or_empty};
use alloc::string::String;
use core::fmt;
use minicbor::{Decode, Encode};
use ward_crypto::limits::BLOB_CHUNK_BYTES;
use ward_crypto::{BlobKey, BlobLayout, SealedBlob};
use ward_id::BlobAddress;

/// A blob as an entry names it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Attachment {
    /// SHA-256 of the ciphertext.
    #[n(0)]
    pub address: BlobAddress,
    /// The key of the blob.
    #[n(1)]
    pub key: BlobKey,
    /// Bytes of plaintext.
    #[n(2)]
    pub size: u64,
    /// SHA-256 of the plaintext.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub plain_hash: [u8; 32],
    /// What it is, as a media type (RFC 6838).
    #[n(4)]
    pub media_type: String,
    /// What the person calls it.
    #[n(5)]
    pub name: String,
    /// Bytes of plaintext in every chunk but the last: 262,144 in this version.
    #[n(6)]
    pub chunk_bytes: u64,
}

impl Attachment {
    /// Names a blob that was sealed under a key.
    pub fn of(
        key: BlobKey,
        blob: SealedBlob,
        media_type: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        let SealedBlob { address, size, plain_hash } = blob;
        let (media_type, name) = (media_type.into(), name.into());
        Self { address, key, size, plain_hash, media_type, name, chunk_bytes: BLOB_CHUNK_BYTES as u64 }
    }

    /// What names the blob.
    pub const fn blob(&self) -> SealedBlob {
        SealedBlob { address: self.address, size: self.size, plain_hash: self.plain_hash }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the media type", &self.media_type)?;
        short_or_empty("the name", &self.name)?;
        if self.chunk_bytes != BLOB_CHUNK_BYTES as u64 {
            return Err(PayloadError::Contradiction("the chunks have another size than this version reads"));
        }
        BlobLayout::of_size(self.size).map(|_| ()).map_err(|_| PayloadError::Size("the attachment"))
    }
}

impl fmt::Debug for Attachment {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, size, media_type, .. } = self;
        f.debug_struct("Attachment")
            .field("address", address)
            .field("size", size)
            .field("media_type", media_type)
            .finish_non_exhaustive()
    }
}
