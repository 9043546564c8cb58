//! A large file sealed to one offline key, in chunks, so that neither side holds it in memory.
//!
//! ```text
//! header = "ward/v1/sealed-file" || 0x01 || enc (1120) || wrapped key (48)
//! (enc, wrapped) = HPKE-Base to the key, info = "ward/v1/sealed-file", aad = "", pt = 32 random bytes
//! chunk_i = AES-256-GCM(file key, nonce = 7 zero bytes || u32 BE i || last (0 or 1), aad = H(header), pt)
//! ```
//! Every chunk but the last holds exactly [`SEALED_CHUNK_BYTES`] of plaintext; the last one may hold
//! fewer, or none. The mark in the last nonce makes a file that was cut off at a chunk's end fail to
//! open (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár). The file key is used
//! for one file, so counted nonces never repeat.

use super::digest::sha256;
use super::enc_key::{EncKey, EncPublicKey};
use super::random::random_secret;
use crate::CryptoError;
use crate::hazmat::{aead, hpke_base};
use crate::labels::SEALED_FILE;
use crate::limits::{
    ENCAPSULATION_BYTES, GCM_NONCE_BYTES, KEY_BYTES, SEALED_CHUNK_BYTES, SEALED_CHUNKS_MAX,
    SEALED_HEADER_BYTES, TAG_BYTES,
};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The one version of the format.
const VERSION: u8 = 1;

/// The key of one file and the place in it.
struct Stream {
    key: Zeroizing<[u8; KEY_BYTES]>,
    header_hash: [u8; 32],
    next: u32,
}

impl Stream {
    fn nonce(&self, last: bool) -> [u8; GCM_NONCE_BYTES] {
        let [a, b, c, d] = self.next.to_be_bytes();
        [0, 0, 0, 0, 0, 0, 0, a, b, c, d, u8::from(last)]
    }

    fn step(&mut self) -> Result<(), CryptoError> {
        self.next = self.next.checked_add(1).filter(|next| *next < SEALED_CHUNKS_MAX).ok_or(
            CryptoError::TooLarge {
                what: "the sealed file, in chunks",
                bytes: SEALED_CHUNKS_MAX as usize,
                max_bytes: SEALED_CHUNKS_MAX as usize,
            },
        )?;
        Ok(())
    }

    fn seal(&self, chunk: &[u8], last: bool) -> Result<Vec<u8>, CryptoError> {
        aead::gcm_seal(&self.key, &self.nonce(last), &self.header_hash, chunk)
    }

    fn open(&self, sealed: &[u8], last: bool) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        aead::gcm_open(&self.key, &self.nonce(last), &self.header_hash, sealed)
    }
}

/// Seals a file chunk by chunk. The file is whole only with [`FileSealer::last`].
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{EncKey, FileOpener, FileSealer};
/// let offline = EncKey::generate(&mut rng)?;
/// let (sealer, header) = FileSealer::start(offline.public(), &mut rng)?;
/// let chunk = sealer.last(b"everything")?;
/// assert_eq!(*FileOpener::start(&offline, &header)?.last(&chunk)?, b"everything");
/// # Ok::<(), ward_crypto::CryptoError>(())
/// ```
pub struct FileSealer(Stream);

impl FileSealer {
    /// Makes a file key and seals it to `to`; gives the header that the file begins with.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] if the public key cannot be used.
    pub fn start(to: &EncPublicKey, rng: &mut impl CryptoRng) -> Result<(Self, Vec<u8>), CryptoError> {
        let key: Zeroizing<[u8; KEY_BYTES]> = random_secret(rng);
        let sealed = hpke_base::seal(&to.hpke()?, None, SEALED_FILE.as_bytes(), b"", key.as_slice(), rng)?;
        let header = [SEALED_FILE.as_bytes(), &[VERSION], &sealed.enc, &sealed.ct].concat();
        debug_assert_eq!(header.len(), SEALED_HEADER_BYTES);
        Ok((Self(Stream { key, header_hash: sha256(&header), next: 0 }), header))
    }

    /// Seals a chunk that others follow; it must be full.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] for a chunk that is not full, [`CryptoError::TooLarge`] beyond 2^32 chunks.
    pub fn next(&mut self, chunk: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if chunk.len() != SEALED_CHUNK_BYTES {
            return Err(CryptoError::Rejected);
        }
        let sealed = self.0.seal(chunk, false)?;
        self.0.step()?;
        Ok(sealed)
    }

    /// Seals the last chunk.
    ///
    /// # Errors
    /// [`CryptoError::TooLarge`] for more than a chunk.
    pub fn last(self, chunk: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if chunk.len() > SEALED_CHUNK_BYTES {
            let (bytes, max_bytes) = (chunk.len(), SEALED_CHUNK_BYTES);
            return Err(CryptoError::TooLarge { what: "the chunk", bytes, max_bytes });
        }
        self.0.seal(chunk, true)
    }
}

/// Opens what [`FileSealer`] made. What was opened is the file only after [`FileOpener::last`].
pub struct FileOpener(Stream);

impl FileOpener {
    /// Reads the header with the offline key.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: another key, another format, or a damaged header.
    pub fn start(key: &EncKey, header: &[u8]) -> Result<Self, CryptoError> {
        let rest = header.strip_prefix(SEALED_FILE.as_bytes()).and_then(|rest| rest.strip_prefix(&[VERSION]));
        let (enc, wrapped) =
            rest.and_then(|rest| rest.split_at_checked(ENCAPSULATION_BYTES)).ok_or(CryptoError::Rejected)?;
        let opened = hpke_base::open(key.private(), None, SEALED_FILE.as_bytes(), b"", enc, wrapped)?;
        let key: [u8; KEY_BYTES] = opened.as_slice().try_into().map_err(|_| CryptoError::Rejected)?;
        Ok(Self(Stream { key: Zeroizing::new(key), header_hash: sha256(header), next: 0 }))
    }

    /// Opens a chunk that others follow.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: damaged, moved, cut off, or the last one.
    pub fn next(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if sealed.len() != SEALED_CHUNK_BYTES + TAG_BYTES {
            return Err(CryptoError::Rejected);
        }
        let opened = self.0.open(sealed, false)?;
        self.0.step()?;
        Ok(opened)
    }

    /// Opens the last chunk.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: damaged, or the file was cut off.
    pub fn last(self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.0.open(sealed, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;

    /// Counts upwards: only for a known answer.
    struct Counting(u8);

    impl rand_core::TryRng for Counting {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
            for byte in out {
                *byte = self.0;
                self.0 = self.0.wrapping_add(1);
            }
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Counting {}

    fn key(seed: u8) -> EncKey {
        EncKey::from_secret_bytes(&[seed; 32]).unwrap()
    }

    /// Header and chunks of two full chunks and a tail.
    fn sealed() -> (Vec<u8>, [Vec<u8>; 3]) {
        let (mut sealer, header) = FileSealer::start(key(7).public(), &mut Counting(0)).unwrap();
        let one = sealer.next(&[1; SEALED_CHUNK_BYTES]).unwrap();
        let two = sealer.next(&[2; SEALED_CHUNK_BYTES]).unwrap();
        (header, [one, two, sealer.last(b"tail").unwrap()])
    }

    #[test]
    fn a_file_opens_with_its_key_only() {
        let (header, [one, two, tail]) = sealed();
        let mut opener = FileOpener::start(&key(7), &header).unwrap();
        assert_eq!(*opener.next(&one).unwrap(), [1; SEALED_CHUNK_BYTES]);
        assert_eq!(*opener.next(&two).unwrap(), [2; SEALED_CHUNK_BYTES]);
        assert_eq!(*opener.last(&tail).unwrap(), b"tail");
        assert!(FileOpener::start(&key(8), &header).is_err());
    }

    /// The format is for ever: these bytes may not change.
    #[test]
    fn known_answer() {
        let (header, chunks) = sealed();
        let file = [header, chunks.concat()].concat();
        assert_eq!(file.len(), SEALED_HEADER_BYTES + 2 * SEALED_CHUNK_BYTES + 4 + 3 * TAG_BYTES);
        assert_eq!(
            ward_id::hex_encode(&sha256(&file)),
            "922536375c77b7f5e0f20eec5ee2031be59b56c3d6015d659b85a262a3c75a8e"
        );
    }

    #[test]
    fn cut_swapped_repeated_and_changed_files_are_refused() {
        let (header, [one, two, tail]) = sealed();
        let start = || FileOpener::start(&key(7), &header).unwrap();
        assert!(start().last(&one).is_err(), "cut after the first chunk");
        assert!(start().next(&two).is_err(), "swapped");
        let mut opener = start();
        opener.next(&one).unwrap();
        assert!(opener.next(&one).is_err(), "repeated");
        assert!(start().last(&tail).is_err(), "the middle is missing");
        assert!(start().next(&tail).is_err(), "short in the middle");
        let mut opener = start();
        opener.next(&one).unwrap();
        opener.next(&two).unwrap();
        assert!(opener.last(b"").is_err(), "the tail is gone");
        let mut flipped = one.clone();
        flipped[1000] ^= 1;
        assert!(start().next(&flipped).is_err());
    }

    #[test]
    fn every_changed_or_shortened_header_is_refused() {
        let (header, [one, ..]) = sealed();
        for at in (0..header.len()).step_by(37).chain([19, header.len() - 1]) {
            let mut flipped = header.clone();
            flipped[at] ^= 1;
            let opened = FileOpener::start(&key(7), &flipped).and_then(|mut opener| opener.next(&one));
            assert!(opened.is_err(), "byte {at}");
            assert!(FileOpener::start(&key(7), &header[..at]).is_err(), "cut to {at}");
        }
        assert!(FileOpener::start(&key(7), &[header, alloc::vec![0]].concat()).is_err());
    }

    #[test]
    fn chunks_have_their_size() {
        let (mut sealer, _) = FileSealer::start(key(7).public(), &mut Counting(0)).unwrap();
        assert!(sealer.next(&[0; SEALED_CHUNK_BYTES - 1]).is_err());
        assert!(sealer.next(&alloc::vec![0; SEALED_CHUNK_BYTES + 1]).is_err());
        assert!(sealer.last(&alloc::vec![0; SEALED_CHUNK_BYTES + 1]).is_err());
        let (sealer, header) = FileSealer::start(key(7).public(), &mut Counting(0)).unwrap();
        let whole = sealer.last(&alloc::vec![5; SEALED_CHUNK_BYTES]).unwrap();
        assert_eq!(
            FileOpener::start(&key(7), &header).unwrap().last(&whole).unwrap().len(),
            SEALED_CHUNK_BYTES
        );
    }

    #[test]
    fn the_count_of_chunks_ends() {
        let (mut sealer, _) = FileSealer::start(key(7).public(), &mut Counting(0)).unwrap();
        sealer.0.next = SEALED_CHUNKS_MAX - 1;
        assert!(matches!(sealer.next(&[0; SEALED_CHUNK_BYTES]), Err(CryptoError::TooLarge { .. })));
    }
}
