//! The signature made when a person acts, long before anything is sealed or sent.

use super::auth_key::AuthSigner;
use super::certificate::DeviceBinding;
use super::digest::labelled_message;
use super::sign_key::SignKey;
use crate::codec::Signature;
use crate::labels::CAPTURE;
use crate::{AuthSignError, CryptoError};
use ward_id::EntryId;

/// A signature over `"ward/v1/capture" || entry id`, by one of a device's two signing keys.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{CaptureSignature, SignKey};
/// let key = SignKey::generate(&mut rng);
/// let entry = ward_id::EntryId::from_bytes([1; 32]);
/// let signature = CaptureSignature::sign(&key, entry);
/// assert_eq!(signature.alg(), 1);
/// assert_eq!(CaptureSignature::from_parts(1, *signature.signature()), Some(signature));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureSignature {
    /// `sig_alg` 1: Ed25519.
    Device(Signature),
    /// `sig_alg` 2: P-256 with the hardware key, where a person must confirm.
    Hardware(Signature),
}

impl CaptureSignature {
    /// Signs with the Ed25519 key.
    pub fn sign(key: &SignKey, entry: EntryId) -> Self {
        Self::Device(key.sign_labelled(CAPTURE, entry.as_bytes()))
    }

    /// Signs with the P-256 key.
    ///
    /// # Errors
    /// [`AuthSignError`] if the hardware does not sign.
    pub fn sign_hardware(key: &dyn AuthSigner, entry: EntryId) -> Result<Self, AuthSignError> {
        key.sign(&labelled_message(CAPTURE, entry.as_bytes())).map(Self::Hardware)
    }

    /// The number and the bytes as they stand in an envelope; other numbers are refused.
    pub const fn from_parts(alg: u8, signature: Signature) -> Option<Self> {
        match alg {
            1 => Some(Self::Device(signature)),
            2 => Some(Self::Hardware(signature)),
            _ => None,
        }
    }

    /// `sig_alg`.
    pub const fn alg(&self) -> u8 {
        match self {
            Self::Device(_) => 1,
            Self::Hardware(_) => 2,
        }
    }

    /// The bytes.
    pub const fn signature(&self) -> &Signature {
        match self {
            Self::Device(signature) | Self::Hardware(signature) => signature,
        }
    }

    /// Checks the signature with the keys of the device that made the entry.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify(&self, author: &DeviceBinding, entry: EntryId) -> Result<(), CryptoError> {
        match self {
            Self::Device(signature) => author.sign_pk.verify_labelled(CAPTURE, entry.as_bytes(), signature),
            Self::Hardware(signature) => {
                author.auth_pk.verify(&labelled_message(CAPTURE, entry.as_bytes()), signature)
            }
        }
    }
}
