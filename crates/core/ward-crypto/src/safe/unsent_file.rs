//! The file that takes unsent work off a device that is full or has no network: a sealed file to a
//! key made for it alone, and that key sealed to staff devices and under a generated passphrase.
//!
//! ```text
//! front  = "ward/v1/unsent" || 0x01 || u32 BE length || dCBOR(UnsentHeader)
//! file   = front || sealed file to the X-Wing key of a fresh 32-byte seed
//! wrap   = HPKE-Base to a staff device's key, info = "ward/v1/unsent" || site || device || made_at (i64 BE), pt = seed
//! pass   = AES-256-GCM(HKDF-SHA256(words, salt, "ward/v1/unsent", 32), nonce = 0, aad = the same info, seed)
//! ```
//! The words are drawn, never chosen: 12 of 2,048, so that guessing them is as hopeless as guessing
//! a key, and no slow hash is needed. The salt makes each key one for a single message.

use super::enc_key::{EncKey, EncPublicKey};
use super::random::random_bytes;
use crate::codec::{V1, checked, strictly_ascending};
use crate::error::PassphraseError;
use crate::hazmat::{aead, hpke_base, kdf};
use crate::labels::UNSENT;
use crate::limits::{
    ENCAPSULATION_BYTES, EXPORT_PASSPHRASE_WORDS, GCM_NONCE_BYTES, KEY_BYTES, TAG_BYTES,
    UNSENT_HEADER_MAX_BYTES, UNSENT_RECIPIENTS_MAX,
};
use crate::{CryptoError, FormatError};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use ward_id::{Canonical as _, DeviceId, SiteId, TimestampMs, word_at, word_index};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The one version of the format.
const VERSION: u8 = 1;
/// Bytes before the header: label, version, length.
const FRONT_BYTES: usize = 14 + 1 + 4;

/// Words that open a file with unsent work. They are drawn by the device that makes the file, and
/// written down by the person.
#[derive(ZeroizeOnDrop)]
pub struct ExportPassphrase([u16; EXPORT_PASSPHRASE_WORDS]);

impl ExportPassphrase {
    /// Draws the words.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let random: [u8; 2 * EXPORT_PASSPHRASE_WORDS] = random_bytes(rng);
        let mut words = [0; EXPORT_PASSPHRASE_WORDS];
        for (word, bytes) in words.iter_mut().zip(random.chunks_exact(2)) {
            let bytes = bytes.try_into().unwrap_or_default();
            // 2,048 words: the low 11 bits of 16 are drawn evenly.
            *word = u16::from_be_bytes(bytes) & 0x07ff;
        }
        Self(words)
    }

    /// Reads what a person typed: words with blanks between them, in any case.
    ///
    /// # Errors
    /// [`PassphraseError`]: the person must look at their note again.
    pub fn from_text(text: &str) -> Result<Self, PassphraseError> {
        let lower = Zeroizing::new(text.to_lowercase());
        let mut words = [0; EXPORT_PASSPHRASE_WORDS];
        let mut count = 0;
        for typed in lower.split_whitespace() {
            let index = word_index(typed)?;
            let place = words.get_mut(count).ok_or(PassphraseError::Count)?;
            *place = u16::try_from(index).unwrap_or_default();
            count += 1;
        }
        if count == EXPORT_PASSPHRASE_WORDS { Ok(Self(words)) } else { Err(PassphraseError::Count) }
    }

    /// The words, to be shown once: with one blank between them.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(9 * EXPORT_PASSPHRASE_WORDS));
        for word in self.0.iter().filter_map(|word| word_at(usize::from(*word))) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
        text
    }

    fn key(&self, salt: &[u8; KEY_BYTES]) -> Zeroizing<[u8; KEY_BYTES]> {
        kdf::hkdf(self.to_text().as_bytes(), salt, &[UNSENT.as_bytes()])
    }
}

/// The key of a file, sealed to one staff device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct UnsentWrap {
    /// For whom.
    #[n(0)]
    pub device: DeviceId,
    /// The encapsulation.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub enc: Vec<u8>,
    /// The sealed seed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ct: Vec<u8>,
}

/// The key of a file, sealed under its passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PassphraseWrap {
    /// Random.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: [u8; KEY_BYTES],
    /// The sealed seed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ct: Vec<u8>,
}

/// The parts of a header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UnsentHeaderFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The site.
    #[n(1)]
    pub site: SiteId,
    /// The device whose work it holds.
    #[n(2)]
    pub device: DeviceId,
    /// When it was made, by that device's clock.
    #[n(3)]
    pub made_at: TimestampMs,
    /// One sealing for each staff device, sorted by device.
    #[n(4)]
    pub wraps: Vec<UnsentWrap>,
    /// The sealing under a passphrase, if there is one.
    #[n(5)]
    pub passphrase: Option<PassphraseWrap>,
}

impl UnsentHeaderFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.wraps.len() > UNSENT_RECIPIENTS_MAX || self.wraps.is_empty() && self.passphrase.is_none() {
            return Err(FormatError::OutOfRange("the number of readers"));
        }
        if !strictly_ascending(&self.wraps, |wrap| wrap.device) {
            return Err(FormatError::NotSorted("the staff devices"));
        }
        let sealed = KEY_BYTES + TAG_BYTES;
        let sized = |wrap: &UnsentWrap| wrap.enc.len() == ENCAPSULATION_BYTES && wrap.ct.len() == sealed;
        let passphrase = self.passphrase.as_ref().is_none_or(|wrap| wrap.ct.len() == sealed);
        if self.wraps.iter().all(sized) && passphrase {
            Ok(())
        } else {
            Err(FormatError::OutOfRange("a sealed key"))
        }
    }

    fn info(&self) -> Vec<u8> {
        let made_at = self.made_at.0.to_be_bytes();
        [UNSENT.as_bytes(), self.site.as_bytes(), self.device.as_bytes(), &made_at].concat()
    }
}

checked! {
    /// What a file with unsent work begins with: who may open it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    UnsentHeader(UnsentHeaderFields)
}

impl UnsentHeader {
    /// The bytes that the file begins with.
    pub fn to_front(&self) -> Vec<u8> {
        let header = self.to_canonical();
        // A header has at most UNSENT_HEADER_MAX_BYTES.
        let length = u32::try_from(header.len()).unwrap_or(u32::MAX).to_be_bytes();
        [UNSENT.as_bytes(), &[VERSION], &length, &header].concat()
    }

    /// Reads a header at the front of a file; gives it with the number of bytes it took. `None`
    /// while more bytes are needed.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] if this is no file with unsent work.
    pub fn from_front(bytes: &[u8]) -> Result<Option<(Self, usize)>, CryptoError> {
        let Some((front, rest)) = bytes.split_at_checked(FRONT_BYTES) else { return Ok(None) };
        let length = front
            .strip_prefix(UNSENT.as_bytes())
            .and_then(|front| front.strip_prefix(&[VERSION]))
            .and_then(|length| <[u8; 4]>::try_from(length).ok())
            .map(|length| u32::from_be_bytes(length) as usize)
            .filter(|length| *length <= UNSENT_HEADER_MAX_BYTES)
            .ok_or(CryptoError::Rejected)?;
        let Some(header) = rest.get(..length) else { return Ok(None) };
        let header = Self::from_canonical(header).map_err(|_| CryptoError::Rejected)?;
        Ok(Some((header, FRONT_BYTES + length)))
    }

    /// How many bytes are certainly needed beyond these to read the header.
    pub fn lacks(front: &[u8]) -> usize {
        let length =
            front.get(FRONT_BYTES - 4..FRONT_BYTES).and_then(|length| <[u8; 4]>::try_from(length).ok());
        let header =
            length.map_or(0, |length| u32::from_be_bytes(length) as usize).min(UNSENT_HEADER_MAX_BYTES);
        (FRONT_BYTES + header).saturating_sub(front.len())
    }

    /// The key of the file, for a staff device that it was sealed to.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: it was not, or the header was changed.
    pub fn open_as_device(&self, device: DeviceId, key: &EncKey) -> Result<EncKey, CryptoError> {
        let wrap = self.wraps.iter().find(|wrap| wrap.device == device).ok_or(CryptoError::Rejected)?;
        seed(&hpke_base::open(key.private(), None, &self.info(), b"", &wrap.enc, &wrap.ct)?)
    }

    /// The key of the file, with its passphrase.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]: other words, or none open it.
    pub fn open_with(&self, passphrase: &ExportPassphrase) -> Result<EncKey, CryptoError> {
        let wrap = self.passphrase.as_ref().ok_or(CryptoError::Rejected)?;
        let key = passphrase.key(&wrap.salt);
        seed(&aead::gcm_open(&key, &[0; GCM_NONCE_BYTES], &self.info(), &wrap.ct)?)
    }
}

fn seed(opened: &[u8]) -> Result<EncKey, CryptoError> {
    let bytes: [u8; KEY_BYTES] = opened.try_into().map_err(|_| CryptoError::Rejected)?;
    EncKey::from_secret_bytes(&Zeroizing::new(bytes))
}

/// Makes the key of a file with unsent work and seals it to its readers. The file goes on with what
/// [`FileSealer`](crate::FileSealer) makes for the key that is given back.
///
/// # Errors
/// [`FormatError`] for no, too many or repeated readers.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::*;
/// let (site, device) = (random_id(&mut rng), random_id(&mut rng));
/// let words = ExportPassphrase::generate(&mut rng);
/// let (header, key) = seal_unsent_header(site, device, ward_id::TimestampMs(0), &[], Some(&words), &mut rng)?;
/// let (sealer, start) = FileSealer::start(&key, &mut rng)?;
/// let chunk = sealer.last(b"entries")?;
/// let again = ExportPassphrase::from_text(&words.to_text()).unwrap();
/// let opened = FileOpener::start(&header.open_with(&again)?, &start)?.last(&chunk)?;
/// assert_eq!(*opened, b"entries");
/// # Ok::<(), CryptoError>(())
/// ```
pub fn seal_unsent_header(
    site: SiteId,
    device: DeviceId,
    made_at: TimestampMs,
    staff: &[(DeviceId, EncPublicKey)],
    passphrase: Option<&ExportPassphrase>,
    rng: &mut impl CryptoRng,
) -> Result<(UnsentHeader, EncPublicKey), CryptoError> {
    let key = EncKey::generate(rng)?;
    let seed = key.secret_bytes();
    let mut fields = UnsentHeaderFields { v: V1, site, device, made_at, wraps: Vec::new(), passphrase: None };
    let info = fields.info();
    let mut sorted: Vec<_> = staff.iter().collect();
    sorted.sort_by_key(|(device, _)| *device);
    for (to, key) in sorted {
        let sealed = hpke_base::seal(&key.hpke()?, None, &info, b"", seed.as_slice(), rng)?;
        fields.wraps.push(UnsentWrap { device: *to, enc: sealed.enc, ct: sealed.ct });
    }
    if let Some(passphrase) = passphrase {
        let salt = random_bytes(rng);
        let ct = aead::gcm_seal(&passphrase.key(&salt), &[0; GCM_NONCE_BYTES], &info, seed.as_slice())?;
        fields.passphrase = Some(PassphraseWrap { salt, ct });
    }
    Ok((UnsentHeader::new(fields)?, key.public().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileOpener, FileSealer};

    fn ids() -> (SiteId, DeviceId, DeviceId) {
        (SiteId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), DeviceId::from_bytes([3; 16]))
    }

    #[test]
    fn its_readers_open_it_and_nobody_else() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (site, phone, nurse) = ids();
        let staff = EncKey::generate(&mut rng).unwrap();
        let other = EncKey::generate(&mut rng).unwrap();
        let words = ExportPassphrase::generate(&mut rng);
        let to = [(nurse, staff.public().clone())];
        let (header, key) =
            seal_unsent_header(site, phone, TimestampMs(5), &to, Some(&words), &mut rng).unwrap();
        let (sealer, start) = FileSealer::start(&key, &mut rng).unwrap();
        let chunk = sealer.last(b"work").unwrap();
        let file = [header.to_front(), start.clone(), chunk.clone()].concat();
        let (read, taken) = UnsentHeader::from_front(&file).unwrap().unwrap();
        assert_eq!((&read, &file[taken..taken + start.len()]), (&header, start.as_slice()));
        for opened in [read.open_as_device(nurse, &staff), read.open_with(&words)] {
            let opener = FileOpener::start(&opened.unwrap(), &start).unwrap();
            assert_eq!(*opener.last(&chunk).unwrap(), b"work");
        }
        assert!(read.open_as_device(nurse, &other).is_err());
        assert!(read.open_as_device(phone, &staff).is_err());
        assert!(read.open_with(&ExportPassphrase::generate(&mut rng)).is_err());
        let mut moved = (*read).clone();
        moved.made_at = TimestampMs(6);
        let moved = UnsentHeader::new(moved).unwrap();
        assert!(moved.open_as_device(nurse, &staff).is_err() && moved.open_with(&words).is_err());
    }

    #[test]
    fn a_file_without_readers_is_not_made() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (site, phone, nurse) = ids();
        assert!(seal_unsent_header(site, phone, TimestampMs(5), &[], None, &mut rng).is_err());
        let key = EncKey::generate(&mut rng).unwrap();
        let twice = [(nurse, key.public().clone()), (nurse, key.public().clone())];
        assert!(seal_unsent_header(site, phone, TimestampMs(5), &twice, None, &mut rng).is_err());
    }

    #[test]
    fn words_are_read_as_people_type_them() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let words = ExportPassphrase::generate(&mut rng);
        let text = words.to_text();
        assert_eq!(text.split(' ').count(), EXPORT_PASSPHRASE_WORDS);
        let typed = ExportPassphrase::from_text(&alloc::format!("  {}\n", text.to_uppercase())).unwrap();
        assert_eq!(typed.0, words.0);
        let short = text.rsplit_once(' ').unwrap().0;
        assert!(matches!(ExportPassphrase::from_text(short), Err(PassphraseError::Count)));
        assert!(matches!(
            ExportPassphrase::from_text(&alloc::format!("{} {}", *text, word_at(0).unwrap())),
            Err(PassphraseError::Count)
        ));
        assert!(matches!(ExportPassphrase::from_text("zzzz"), Err(PassphraseError::Word(_))));
    }

    #[test]
    fn a_cut_front_asks_for_more_and_another_file_is_refused() {
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let (site, phone, _) = ids();
        let words = ExportPassphrase::generate(&mut rng);
        let (header, _) =
            seal_unsent_header(site, phone, TimestampMs(5), &[], Some(&words), &mut rng).unwrap();
        let front = header.to_front();
        for cut in 0..front.len() {
            assert_eq!(UnsentHeader::from_front(&front[..cut]), Ok(None), "{cut}");
            let lacks = UnsentHeader::lacks(&front[..cut]);
            assert!(lacks > 0 && cut + lacks <= front.len(), "{cut}");
        }
        let mut other = front.clone();
        other[3] ^= 1;
        assert!(UnsentHeader::from_front(&other).is_err());
        let mut long = front;
        long[15] = 0xff;
        assert!(UnsentHeader::from_front(&long).is_err(), "a length beyond the limit");
    }
}
