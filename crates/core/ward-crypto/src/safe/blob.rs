//! Blobs: what is too large for an entry, sealed when it is captured under a key of its own, in
//! chunks, so that neither side holds it in memory.
//!
//! ```text
//! chunk_i = AES-256-GCM(key, nonce = 7 zero bytes || u32 BE i || last (0 or 1), aad = "ward/v1/blob", pt)
//! address = H(chunk_0 || chunk_1 || …)
//! ```
//! Every chunk but the last holds exactly [`BLOB_CHUNK_BYTES`] of plaintext; the last one holds the
//! rest, at least one byte unless the blob is empty: an empty blob is one chunk of nothing. So the
//! size fixes the number of chunks, the length of each and which is the last one. The mark in the
//! last nonce makes a blob that was cut off at a chunk's end fail to open (the STREAM construction
//! of Hoang, Reyhanitabar, Rogaway and Vizár). A key seals one blob, so counted nonces never repeat.

use super::random::random_bytes;
use crate::CryptoError;
use crate::hazmat::aead;
use crate::labels::BLOB;
use crate::limits::{BLOB_CHUNK_BYTES, BLOB_MAX_BYTES, GCM_NONCE_BYTES, KEY_BYTES, TAG_BYTES};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use ward_id::BlobAddress;
use zeroize::{ZeroizeOnDrop, Zeroizing};

const CHUNK: u64 = BLOB_CHUNK_BYTES as u64;
const TAG: u64 = TAG_BYTES as u64;

/// How a blob of one size is cut. Everything about chunks follows from the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobLayout {
    size: u64,
}

impl BlobLayout {
    /// The layout of a blob with so many bytes of plaintext.
    ///
    /// # Errors
    /// [`CryptoError::TooLarge`] beyond [`BLOB_MAX_BYTES`].
    pub fn of_size(size: u64) -> Result<Self, CryptoError> {
        if size > BLOB_MAX_BYTES {
            let bytes = usize::try_from(size).unwrap_or(usize::MAX);
            let max_bytes = usize::try_from(BLOB_MAX_BYTES).unwrap_or(usize::MAX);
            return Err(CryptoError::TooLarge { what: "the blob", bytes, max_bytes });
        }
        Ok(Self { size })
    }

    /// The layout of a blob with so many bytes of ciphertext.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] for a number that no blob has, [`CryptoError::TooLarge`].
    pub fn of_sealed_size(sealed: u64) -> Result<Self, CryptoError> {
        let chunks = sealed.div_ceil(CHUNK + TAG);
        let size = chunks.checked_mul(TAG).and_then(|tags| sealed.checked_sub(tags));
        let layout = Self::of_size(size.ok_or(CryptoError::Rejected)?)?;
        if layout.sealed_size() == sealed { Ok(layout) } else { Err(CryptoError::Rejected) }
    }

    /// Bytes of plaintext.
    pub const fn size(self) -> u64 {
        self.size
    }

    /// How many chunks there are: at least one.
    pub const fn chunks(self) -> u32 {
        // At most BLOB_MAX_BYTES / BLOB_CHUNK_BYTES.
        let chunks = self.size.div_ceil(CHUNK) as u32;
        if chunks == 0 { 1 } else { chunks }
    }

    /// Bytes of ciphertext.
    pub const fn sealed_size(self) -> u64 {
        self.size + self.chunks() as u64 * TAG
    }

    /// Bytes of plaintext in a chunk; `None` past the last one.
    pub fn chunk_size(self, index: u32) -> Option<usize> {
        let before = u64::from(index) * CHUNK;
        let rest = self.size.checked_sub(before).filter(|_| index < self.chunks())?;
        usize::try_from(rest.min(CHUNK)).ok()
    }

    /// Bytes of ciphertext in a chunk; `None` past the last one.
    pub fn sealed_chunk_size(self, index: u32) -> Option<usize> {
        self.chunk_size(index).map(|bytes| bytes + TAG_BYTES)
    }

    const fn is_last(self, index: u32) -> bool {
        index + 1 == self.chunks()
    }
}

/// The key of one blob. It stands in the entry that names the blob. Not printable, wiped when
/// dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct BlobKey([u8; KEY_BYTES]);

impl BlobKey {
    /// Makes a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random_bytes(rng))
    }

    /// Takes back a key that stood in an entry.
    pub const fn from_secret_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(*bytes)
    }

    /// The bytes, for the sealed entry that names the blob.
    pub const fn secret_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Opens one chunk of a blob of a known size, whichever is at hand.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: damaged, moved, of another blob, or no chunk of this size.
    ///
    /// ```
    /// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// use ward_crypto::{BlobKey, BlobLayout, BlobSealer};
    /// let key = BlobKey::generate(&mut rng);
    /// let (chunk, sealed) = BlobSealer::new(key.clone()).last(b"a photograph")?;
    /// let layout = BlobLayout::of_size(sealed.size)?;
    /// assert_eq!(*key.open_chunk(layout, 0, &chunk)?, b"a photograph");
    /// # Ok::<(), ward_crypto::CryptoError>(())
    /// ```
    pub fn open_chunk(
        &self,
        layout: BlobLayout,
        index: u32,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if layout.sealed_chunk_size(index) != Some(sealed.len()) {
            return Err(CryptoError::Rejected);
        }
        aead::gcm_open(&self.0, &nonce(index, layout.is_last(index)), BLOB.as_bytes(), sealed)
    }
}

impl PartialEq for BlobKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BlobKey {}

impl<C> minicbor::Encode<C> for BlobKey {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for BlobKey {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?.try_into().map_err(|_| minicbor::decode::Error::message("wrong length"))?;
        Ok(Self(bytes))
    }
}

fn nonce(index: u32, last: bool) -> [u8; GCM_NONCE_BYTES] {
    let [a, b, c, d] = index.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(last)]
}

/// What names a sealed blob and lets its reader check it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedBlob {
    /// SHA-256 of the ciphertext.
    pub address: BlobAddress,
    /// Bytes of plaintext.
    pub size: u64,
    /// SHA-256 of the plaintext.
    pub plain_hash: [u8; 32],
}

/// Seals a blob chunk by chunk. The blob is whole only with [`BlobSealer::last`].
pub struct BlobSealer {
    key: BlobKey,
    next: u32,
    size: u64,
    sealed: Sha256,
    plain: Sha256,
}

impl BlobSealer {
    /// Begins a blob under a key that seals no other.
    pub fn new(key: BlobKey) -> Self {
        Self { key, next: 0, size: 0, sealed: Sha256::new(), plain: Sha256::new() }
    }

    /// Seals a chunk that others follow; it must be full.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] for a chunk that is not full, [`CryptoError::TooLarge`] if the blob
    /// would pass its limit.
    pub fn next(&mut self, chunk: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if chunk.len() != BLOB_CHUNK_BYTES {
            return Err(CryptoError::Rejected);
        }
        // At least one byte follows.
        BlobLayout::of_size(self.size + CHUNK + 1)?;
        self.seal(chunk, false)
    }

    /// Seals the last chunk. Only an empty blob has an empty one.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] for an empty chunk behind others or one longer than a chunk,
    /// [`CryptoError::TooLarge`].
    pub fn last(mut self, chunk: &[u8]) -> Result<(Vec<u8>, SealedBlob), CryptoError> {
        if chunk.len() > BLOB_CHUNK_BYTES || chunk.is_empty() && self.next > 0 {
            return Err(CryptoError::Rejected);
        }
        BlobLayout::of_size(self.size + chunk.len() as u64)?;
        let sealed = self.seal(chunk, true)?;
        let Self { size, sealed: all, plain, .. } = self;
        let address = BlobAddress::from_bytes(all.finalize().into());
        Ok((sealed, SealedBlob { address, size, plain_hash: plain.finalize().into() }))
    }

    fn seal(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>, CryptoError> {
        let sealed = aead::gcm_seal(&self.key.0, &nonce(self.next, last), BLOB.as_bytes(), chunk)?;
        self.next += 1;
        self.size += chunk.len() as u64;
        self.sealed.update(&sealed);
        self.plain.update(chunk);
        Ok(sealed)
    }
}

/// Opens a blob from its first chunk to its last and checks everything that names it.
pub struct BlobOpener {
    key: BlobKey,
    layout: BlobLayout,
    blob: SealedBlob,
    next: u32,
    sealed: Sha256,
    plain: Sha256,
}

impl BlobOpener {
    /// Begins with what an entry says of the blob.
    ///
    /// # Errors
    /// [`CryptoError::TooLarge`].
    pub fn new(key: BlobKey, blob: SealedBlob) -> Result<Self, CryptoError> {
        let layout = BlobLayout::of_size(blob.size)?;
        Ok(Self { key, layout, blob, next: 0, sealed: Sha256::new(), plain: Sha256::new() })
    }

    /// How many chunks are to come.
    pub const fn left(&self) -> u32 {
        self.layout.chunks() - self.next
    }

    /// Opens the next chunk.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: damaged, moved, cut off, or one too many.
    pub fn next(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let opened = self.key.open_chunk(self.layout, self.next, sealed)?;
        self.next += 1;
        self.sealed.update(sealed);
        self.plain.update(&opened);
        Ok(opened)
    }

    /// Ends: all chunks were there, and they are the blob that the entry names.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn finish(self) -> Result<(), CryptoError> {
        let whole = self.left() == 0
            && self.sealed.finalize().as_slice() == self.blob.address.as_bytes()
            && self.plain.finalize().as_slice() == self.blob.plain_hash;
        if whole { Ok(()) } else { Err(CryptoError::Rejected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> BlobKey {
        BlobKey::from_secret_bytes(&[seed; 32])
    }

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|n| (n % 251) as u8).collect()
    }

    fn sealed(content: &[u8]) -> (Vec<Vec<u8>>, SealedBlob) {
        let mut sealer = BlobSealer::new(key(7));
        let layout = BlobLayout::of_size(content.len() as u64).unwrap();
        let mut parts = content.chunks(BLOB_CHUNK_BYTES).collect::<Vec<_>>();
        let last = parts.pop().unwrap_or(&[]);
        let mut chunks: Vec<Vec<u8>> = parts.into_iter().map(|part| sealer.next(part).unwrap()).collect();
        let (chunk, blob) = sealer.last(last).unwrap();
        chunks.push(chunk);
        assert_eq!(chunks.len(), layout.chunks() as usize);
        assert_eq!(chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>(), layout.sealed_size());
        (chunks, blob)
    }

    fn open(chunks: &[Vec<u8>], blob: SealedBlob) -> Result<Vec<u8>, CryptoError> {
        let mut opener = BlobOpener::new(key(7), blob)?;
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&opener.next(chunk)?);
        }
        opener.finish().map(|()| out)
    }

    const EDGES: [usize; 8] = [
        0,
        1,
        15,
        BLOB_CHUNK_BYTES - 1,
        BLOB_CHUNK_BYTES,
        BLOB_CHUNK_BYTES + 1,
        2 * BLOB_CHUNK_BYTES,
        2 * BLOB_CHUNK_BYTES + 1,
    ];

    #[test]
    fn blobs_of_every_edge_come_back() {
        for bytes in EDGES {
            let content = content(bytes);
            let (chunks, blob) = sealed(&content);
            assert_eq!(open(&chunks, blob).unwrap(), content, "{bytes}");
            let layout = BlobLayout::of_size(blob.size).unwrap();
            assert_eq!(BlobLayout::of_sealed_size(layout.sealed_size()), Ok(layout));
        }
    }

    #[test]
    fn a_size_that_no_blob_has_is_refused() {
        let full = (BLOB_CHUNK_BYTES + TAG_BYTES) as u64;
        for sealed in [0, 1, 15, full + 1, full + 16, 2 * full + 16] {
            assert!(BlobLayout::of_sealed_size(sealed).is_err(), "{sealed}");
        }
        assert!(BlobLayout::of_size(BLOB_MAX_BYTES).is_ok());
        assert!(matches!(BlobLayout::of_size(BLOB_MAX_BYTES + 1), Err(CryptoError::TooLarge { .. })));
        assert!(BlobLayout::of_sealed_size(u64::MAX).is_err());
    }

    #[test]
    fn a_blob_cut_at_a_chunks_edge_is_refused() {
        let (chunks, blob) = sealed(&content(2 * BLOB_CHUNK_BYTES + 9));
        // Whoever cuts it can name another size and address; the mark of the last chunk stays.
        for left in 1..chunks.len() {
            let cut = &chunks[..left];
            assert!(open(cut, blob).is_err());
            let address = BlobAddress::from_bytes(Sha256::digest(cut.concat()).into());
            let size = (left * BLOB_CHUNK_BYTES) as u64;
            assert!(open(cut, SealedBlob { address, size, ..blob }).is_err(), "cut to {left}");
        }
    }

    #[test]
    fn swapped_repeated_changed_and_foreign_chunks_are_refused() {
        let (chunks, blob) = sealed(&content(3 * BLOB_CHUNK_BYTES));
        let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut chunks = chunks.clone();
            change(&mut chunks);
            open(&chunks, blob)
        };
        assert!(with(&|_| {}).is_ok());
        assert!(with(&|chunks| chunks.swap(0, 1)).is_err());
        assert!(with(&|chunks| chunks[1] = chunks[0].clone()).is_err());
        assert!(with(&|chunks| chunks[1][77] ^= 1).is_err());
        assert!(with(&|chunks| chunks[2].truncate(100)).is_err());
        assert!(with(&|chunks| chunks.push(chunks[0].clone())).is_err());
        let layout = BlobLayout::of_size(blob.size).unwrap();
        assert!(key(8).open_chunk(layout, 0, &chunks[0]).is_err());
        assert!(key(7).open_chunk(layout, 3, &chunks[0]).is_err());
        let other = SealedBlob { plain_hash: [0; 32], ..blob };
        assert!(open(&chunks, other).is_err(), "another content than the entry names");
    }

    #[test]
    fn chunks_have_their_size_and_blobs_their_limit() {
        let mut sealer = BlobSealer::new(key(7));
        assert!(sealer.next(&[0; 10]).is_err());
        sealer.next(&content(BLOB_CHUNK_BYTES)).unwrap();
        assert!(sealer.last(&[]).is_err(), "a full blob ends with its last full chunk");
        assert!(BlobSealer::new(key(7)).last(&content(BLOB_CHUNK_BYTES + 1)).is_err());
        let mut full = BlobSealer { size: BLOB_MAX_BYTES - CHUNK, ..BlobSealer::new(key(7)) };
        assert!(matches!(full.next(&content(BLOB_CHUNK_BYTES)), Err(CryptoError::TooLarge { .. })));
        assert!(full.last(&content(BLOB_CHUNK_BYTES)).is_ok());
    }
}
