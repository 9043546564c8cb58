//! Sealed entries.
//!
//! The header is bound three times (into the key, the associated data and the signature), so no
//! part of one envelope fits into another. A commitment is compared before anything is decrypted,
//! so one ciphertext opens under one key. Each key is used once.

use super::batch::BatchVerifier;
use super::digest::{labelled_hash, labelled_message, sha256};
use super::padding::{pad, unpad};
use super::random::{HedgeKey, random_secret};
use super::sign_key::{SignKey, SignPublicKey};
use super::suite::{AcceptedSuites, Suite};
use crate::codec::{Signature, V1, checked};
use crate::hazmat::{aead, kdf};
use crate::labels::{OP, OP_SIG, REC, REC_HDR};
use crate::limits::{GCM_NONCE_BYTES, KEY_BYTES, PADDED_MAX_BYTES, PADDING_BUCKETS_BYTES, TAG_BYTES};
use crate::{CryptoError, FormatError};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, EnvelopeHash, Incarnation, SiteId, TreeRoot};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Room for an encoded header: about 220 bytes with the largest numbers.
const HEADER_BYTES_ABOUT: usize = 256;

/// The secret of one epoch of one chart. Not printable, not copyable, wiped when dropped. It knows
/// its chart and epoch, so it cannot seal or open for another.
#[derive(ZeroizeOnDrop)]
pub struct EpochSecret {
    #[zeroize(skip)]
    chart: ChartId,
    #[zeroize(skip)]
    epoch: u64,
    secret: [u8; KEY_BYTES],
}

impl EpochSecret {
    /// Takes back a secret that was stored under the device's own wrap.
    pub fn from_secret_bytes(chart: ChartId, epoch: u64, secret: &[u8; KEY_BYTES]) -> Self {
        Self { chart, epoch, secret: *secret }
    }

    /// The secret itself, for storing under the device's own wrap and nothing else.
    pub fn to_secret_bytes(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(self.secret)
    }

    /// The chart.
    pub const fn chart(&self) -> ChartId {
        self.chart
    }

    /// The epoch.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(crate) const fn secret(&self) -> &[u8; KEY_BYTES] {
        &self.secret
    }
}

/// What an envelope says in clear.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnvelopeHeader {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The suite.
    #[n(1)]
    pub suite: Suite,
    /// The site.
    #[n(2)]
    pub site: SiteId,
    /// The chart.
    #[n(3)]
    pub chart: ChartId,
    /// The epoch whose secret sealed it.
    #[n(4)]
    pub epoch: u64,
    /// The device that made the entry and sealed it.
    #[n(5)]
    pub device: DeviceId,
    /// The life of that device's store.
    #[n(6)]
    pub incarnation: Incarnation,
    /// The place in that life's chain, from 1.
    #[n(7)]
    pub seq: u64,
    /// The entry inside.
    #[n(8)]
    pub entry_id: EntryId,
    /// Size of the membership log that the author last verified.
    #[n(9)]
    pub mlog_size: u64,
    /// Its root.
    #[n(10)]
    pub mlog_root: TreeRoot,
}

impl EnvelopeHeader {
    /// `ctx`: the hash that binds an envelope to its header.
    pub fn context(&self) -> [u8; 32] {
        let mut bytes = Vec::with_capacity(HEADER_BYTES_ABOUT);
        // As `to_canonical`, in one allocation: every check of an envelope comes here.
        let done = minicbor::encode(self, &mut bytes);
        debug_assert!(done.is_ok());
        labelled_hash(REC_HDR, &[&bytes])
    }
}

/// The parts of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EnvelopeFields {
    /// What it says in clear.
    #[n(0)]
    pub header: EnvelopeHeader,
    /// Makes the key single-use.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// Commits to the key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub commitment: [u8; 32],
    /// The padded entry, encrypted.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
    /// The author's signature over all of it.
    #[n(4)]
    pub signature: Signature,
}

impl EnvelopeFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.header.seq == 0 {
            return Err(FormatError::OutOfRange("the place in the chain"));
        }
        let [least, ..] = PADDING_BUCKETS_BYTES;
        if !(least + TAG_BYTES..=PADDED_MAX_BYTES + TAG_BYTES).contains(&self.ciphertext.len()) {
            return Err(FormatError::OutOfRange("the ciphertext"));
        }
        Ok(())
    }

    /// What the signature covers.
    fn op(&self, context: &[u8; 32]) -> [u8; 32] {
        labelled_hash(OP, &[context, &self.salt, &self.commitment, &sha256(&self.ciphertext)])
    }
}

checked! {
    /// One entry, sealed for upload.
    #[derive(Debug, Clone, PartialEq, Eq)]
    Envelope(EnvelopeFields)
}

impl Envelope {
    /// What it says in clear.
    pub const fn header(&self) -> &EnvelopeHeader {
        &self.0.header
    }

    /// SHA-256 over the canonical bytes: its leaf in the operation log.
    pub fn envelope_hash(&self) -> EnvelopeHash {
        EnvelopeHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// Checks the author's signature strictly.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify(&self, author: &SignPublicKey) -> Result<VerifiedEnvelope<'_>, CryptoError> {
        let context = self.header.context();
        author.verify_labelled(OP_SIG, &self.op(&context), &self.signature)?;
        Ok(VerifiedEnvelope { envelope: self, context })
    }

    /// The signed message `label || op`, for a [`crate::BatchVerifier`].
    pub fn signed_message(&self) -> Vec<u8> {
        labelled_message(OP_SIG, &self.op(&self.header.context()))
    }
}

/// An envelope whose signature holds under the key that it was checked with.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedEnvelope<'a> {
    envelope: &'a Envelope,
    context: [u8; 32],
}

impl<'a> VerifiedEnvelope<'a> {
    /// The envelope.
    pub const fn envelope(&self) -> &'a Envelope {
        self.envelope
    }

    /// Opens the envelope and takes the padding off.
    ///
    /// # Errors
    /// [`CryptoError::SuiteRefused`] below the site's least suite; [`CryptoError::Rejected`] for
    /// everything else.
    pub fn open(
        &self,
        secret: &EpochSecret,
        accepted: AcceptedSuites,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let header = &self.envelope.header;
        accepted.check(header.suite)?;
        if header.chart != secret.chart || header.epoch != secret.epoch {
            return Err(CryptoError::Rejected);
        }
        let keys = RecordKeys::derive(secret, &self.envelope.salt, &self.context)?;
        // The commitment first: what was made to open under two keys is never decrypted.
        if !bool::from(keys.commitment.ct_eq(&self.envelope.commitment)) {
            return Err(CryptoError::Rejected);
        }
        let padded = aead::gcm_open(&keys.key, &keys.nonce, &self.context, &self.envelope.ciphertext)?;
        unpad(&padded).map(|plaintext| Zeroizing::new(plaintext.to_vec()))
    }
}

/// `okm = HKDF(ES, salt, label || ctx, 76)`, cut into its three parts.
struct RecordKeys {
    key: Zeroizing<[u8; KEY_BYTES]>,
    commitment: [u8; 32],
    nonce: [u8; GCM_NONCE_BYTES],
}

impl RecordKeys {
    fn derive(secret: &EpochSecret, salt: &[u8; 32], context: &[u8; 32]) -> Result<Self, CryptoError> {
        let okm = kdf::hkdf::<76>(&secret.secret, salt, &[REC.as_bytes(), context]);
        let (key, rest) = okm.split_first_chunk().ok_or(CryptoError::Rejected)?;
        let (commitment, rest) = rest.split_first_chunk().ok_or(CryptoError::Rejected)?;
        let nonce = rest.first_chunk().ok_or(CryptoError::Rejected)?;
        Ok(Self { key: Zeroizing::new(*key), commitment: *commitment, nonce: *nonce })
    }
}

/// Pads, encrypts and signs one entry.
///
/// The salt is hedged with the device's own key and the plaintext, so a broken generator does not
/// repeat a key for two different entries.
///
/// # Errors
/// [`CryptoError::TooLarge`]; [`FormatError::Mismatch`] if the header names another chart or epoch
/// than the secret; [`FormatError::OutOfRange`] at place 0.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::*;
/// use ward_id::{EntryId, TreeRoot};
/// let (sign, hedge) = (SignKey::generate(&mut rng), HedgeKey::generate(&mut rng));
/// let chart = random_id(&mut rng);
/// let secret = EpochSecret::from_secret_bytes(chart, 0, &random_bytes(&mut rng));
/// let header = EnvelopeHeader {
///     v: V1, suite: Suite::W1, site: random_id(&mut rng), chart, epoch: 0,
///     device: random_id(&mut rng), incarnation: random_incarnation(&mut rng), seq: 1,
///     entry_id: EntryId::from_bytes([1; 32]), mlog_size: 1, mlog_root: TreeRoot::from_bytes([2; 32]),
/// };
/// let envelope = seal_envelope(&secret, header, b"an entry", &sign, &hedge, &mut rng)?;
/// let opened = open_envelope(&secret, &envelope, sign.public(), AcceptedSuites::ALL)?;
/// assert_eq!(*opened, b"an entry");
/// # Ok::<(), CryptoError>(())
/// ```
pub fn seal_envelope(
    secret: &EpochSecret,
    header: EnvelopeHeader,
    plaintext: &[u8],
    author: &SignKey,
    hedge: &HedgeKey,
    rng: &mut impl CryptoRng,
) -> Result<Envelope, CryptoError> {
    if header.chart != secret.chart || header.epoch != secret.epoch {
        return Err(FormatError::Mismatch("the chart or epoch of the header").into());
    }
    let padded = pad(plaintext)?;
    let context = header.context();
    let random = random_secret::<32>(rng);
    let salt = kdf::sha256_parts(&[random.as_slice(), &hedge.mac(&[&context, &sha256(&padded)])]);
    let keys = RecordKeys::derive(secret, &salt, &context)?;
    let mut fields = EnvelopeFields {
        header,
        salt,
        commitment: keys.commitment,
        ciphertext: aead::gcm_seal(&keys.key, &keys.nonce, &context, &padded)?,
        signature: Signature::from_bytes([0; 64]),
    };
    fields.signature = author.sign_labelled(OP_SIG, &fields.op(&context));
    Ok(Envelope::new(fields)?)
}

/// Checks the author's signature and opens the envelope.
///
/// `author` must be the key in the certificate of `header.device`.
///
/// # Errors
/// [`CryptoError::SuiteRefused`] below the site's least suite; [`CryptoError::Rejected`] for
/// everything else.
pub fn open_envelope(
    secret: &EpochSecret,
    envelope: &Envelope,
    author: &SignPublicKey,
    accepted: AcceptedSuites,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    accepted.check(envelope.header.suite)?;
    envelope.verify(author)?.open(secret, accepted)
}

/// Checks the signatures of many envelopes in batches; each answer stands for itself.
pub fn verify_envelopes<'a>(
    envelopes: &[(&'a Envelope, &SignPublicKey)],
) -> Vec<Result<VerifiedEnvelope<'a>, CryptoError>> {
    let mut batch = BatchVerifier::new();
    let contexts: Vec<[u8; 32]> = envelopes
        .iter()
        .map(|(envelope, author)| {
            let context = envelope.header.context();
            batch.push_labelled(author, OP_SIG, &envelope.op(&context), &envelope.signature);
            context
        })
        .collect();
    let bad = batch.verify().err().map(|error| error.bad).unwrap_or_default();
    envelopes
        .iter()
        .zip(contexts)
        .enumerate()
        .map(|(place, ((envelope, _), context))| match bad.binary_search(&place) {
            Ok(_) => Err(CryptoError::Rejected),
            Err(_) => Ok(VerifiedEnvelope { envelope, context }),
        })
        .collect()
}
