//! Ed25519 (RFC 8032), checked strictly: canonical encodings, nothing of small order.
//!
//! A [`SignKey`] holds the secret and the public half together. No function takes a public key
//! beside a secret one, because a signer that can be handed a foreign public key gives away its
//! secret with two signatures (RUSTSEC-2022-0093). So this does not compile:
//!
//! ```compile_fail,E0061
//! # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
//! let mine = ward_crypto::SignKey::generate(&mut rng);
//! let other = ward_crypto::SignKey::generate(&mut rng);
//! mine.sign_labelled(ward_crypto::labels::MLOG, &[0; 32], other.public());
//! ```

use super::digest::{labelled_message, sha256};
use super::random::random_secret;
use crate::codec::{Signature, cbor_bytes};
use crate::hazmat::ed25519::{Parts, PublicKey, SecretKey};
use crate::labels::{self, Label};
use crate::limits::KEY_BYTES;
use crate::{CryptoError, KeyError};
use core::cmp::Ordering;
use core::fmt;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// An Ed25519 key pair. It cannot be printed or copied and is wiped when dropped.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{SignKey, labels};
/// let key = SignKey::generate(&mut rng);
/// let signature = key.sign_labelled(labels::MLOG, &[1; 32]);
/// assert!(key.public().verify_labelled(labels::MLOG, &[1; 32], &signature).is_ok());
/// ```
pub struct SignKey {
    secret: SecretKey,
    public: SignPublicKey,
}

impl SignKey {
    /// Makes a new key pair.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::from_secret_bytes(&random_secret(rng))
    }

    /// Takes back a secret key that was stored under a wrap; the public half is computed.
    pub fn from_secret_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let secret = SecretKey::from_bytes(bytes);
        let key = secret.public();
        Self { secret, public: SignPublicKey { bytes: key.to_bytes(), key } }
    }

    /// The secret half, for a key file that its owner alone may read, or for a wrap.
    pub fn secret_bytes(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// The public half.
    pub const fn public(&self) -> &SignPublicKey {
        &self.public
    }

    /// Signs `label || digest`.
    pub fn sign_labelled(&self, label: Label, digest: &[u8; 32]) -> Signature {
        self.sign(&labelled_message(label, digest))
    }

    /// Signs the bytes of a note as they are: for the keys of logs and witnesses.
    ///
    /// # Errors
    /// [`CryptoError::LabelledNote`] for bytes that begin like a labelled message, so that a note
    /// can never stand for one.
    pub fn sign_note(&self, message: &[u8]) -> Result<Signature, CryptoError> {
        if message.starts_with(labels::PREFIX.as_bytes()) {
            return Err(CryptoError::LabelledNote);
        }
        Ok(self.sign(message))
    }

    /// A witness's answer to a nonce: signs `label || nonce || seconds since 1970 (u64 BE)`.
    pub fn sign_witness_time(&self, nonce: &[u8; 32], unix_s: u64) -> Signature {
        self.sign(&witness_time_message(nonce, unix_s))
    }

    fn sign(&self, message: &[u8]) -> Signature {
        Signature::from_bytes(self.secret.sign(message))
    }
}

fn witness_time_message(nonce: &[u8; 32], unix_s: u64) -> [u8; 60] {
    let mut message = [0; 60];
    let parts = labels::WITNESS_TIME.as_bytes().iter().chain(nonce);
    for (to, from) in message.iter_mut().zip(parts.copied().chain(unix_s.to_be_bytes())) {
        *to = from;
    }
    message
}

const _: () = assert!(labels::WITNESS_TIME.as_bytes().len() + 32 + 8 == 60);

/// An Ed25519 public key that passed every check: canonical, in the prime-order group, not small.
#[derive(Clone, Copy)]
pub struct SignPublicKey {
    bytes: [u8; KEY_BYTES],
    key: PublicKey,
}

impl SignPublicKey {
    /// Checks and takes a public key.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if it is no point, [`KeyError::NotCanonical`] for a second spelling,
    /// [`KeyError::Weak`] if it has a part of small order (then two messages could share a
    /// signature, RFC 8032 §5.1.7 and the torsion of the curve).
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, KeyError> {
        let key = PublicKey::parse(bytes)?;
        Ok(Self { bytes: *bytes, key })
    }

    /// Checks and takes a public key from a slice.
    ///
    /// # Errors
    /// As [`SignPublicKey::from_bytes`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(bytes.try_into().map_err(|_| KeyError::Malformed)?)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// How a root key is named as the signer of a membership entry: the first half of its hash.
    pub fn signer_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(sha256(&self.bytes)) {
            *to = from;
        }
        id
    }

    /// Checks a signature over `label || digest`.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_labelled(
        &self,
        label: Label,
        digest: &[u8; 32],
        signature: &Signature,
    ) -> Result<(), CryptoError> {
        self.verify(&labelled_message(label, digest), signature)
    }

    /// Checks a signature over the bytes of a note.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]; [`CryptoError::LabelledNote`] as for signing.
    pub fn verify_note(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        if message.starts_with(labels::PREFIX.as_bytes()) {
            return Err(CryptoError::LabelledNote);
        }
        self.verify(message, signature)
    }

    /// Checks a witness's answer to a nonce.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_witness_time(
        &self,
        nonce: &[u8; 32],
        unix_s: u64,
        signature: &Signature,
    ) -> Result<(), CryptoError> {
        self.verify(&witness_time_message(nonce, unix_s), signature)
    }

    /// Canonical encodings, neither the key nor R of small order, and the equation with its
    /// cofactor (RFC 8032 §5.1.7), as batches check it too.
    pub(crate) fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        let parts = self.parts(message, signature).ok_or(CryptoError::Rejected)?;
        if parts.holds() { Ok(()) } else { Err(CryptoError::Rejected) }
    }

    pub(crate) fn parts(&self, message: &[u8], signature: &Signature) -> Option<Parts> {
        Parts::read(&self.key, message, signature.as_bytes())
    }
}

impl PartialEq for SignPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for SignPublicKey {}

impl PartialOrd for SignPublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SignPublicKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl fmt::Debug for SignPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignPublicKey({})", ward_id::hex_encode(&self.bytes))
    }
}

cbor_bytes!(SignPublicKey[KEY_BYTES], SignPublicKey::from_bytes);

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 1: the empty message.
    #[test]
    fn known_answer() {
        let secret =
            ward_id::hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let key = SignKey::from_secret_bytes(&secret.try_into().unwrap());
        assert_eq!(
            ward_id::hex_encode(key.public().as_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = key.sign_note(b"").unwrap();
        assert_eq!(
            ward_id::hex_encode(signature.as_bytes()),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
        assert!(key.public().verify_note(b"", &signature).is_ok());
        assert!(key.public().verify_note(b"x", &signature).is_err());
    }

    #[test]
    fn notes_cannot_stand_for_labelled_messages() {
        let key = SignKey::from_secret_bytes(&[5; 32]);
        let message = labelled_message(labels::MLOG, &[0; 32]);
        assert_eq!(key.sign_note(&message), Err(CryptoError::LabelledNote));
    }

    #[test]
    fn witness_time_binds_nonce_and_seconds() {
        let key = SignKey::from_secret_bytes(&[5; 32]);
        let signature = key.sign_witness_time(&[1; 32], 9);
        assert!(key.public().verify_witness_time(&[1; 32], 9, &signature).is_ok());
        assert!(key.public().verify_witness_time(&[1; 32], 10, &signature).is_err());
        assert!(key.public().verify_witness_time(&[2; 32], 9, &signature).is_err());
    }
}
