//! X-Wing (ML-KEM-768 with X25519): the key to which epoch secrets and requests are sealed.

use super::digest::sha256;
use super::random::random_secret;
use crate::codec::cbor_bytes;
use crate::hazmat::{hpke_base, x25519_points};
use crate::limits::{ENC_ML_KEM_BYTES, ENC_PUBLIC_KEY_BYTES, KEY_BYTES};
use crate::{CryptoError, KeyError};
use alloc::boxed::Box;
use core::fmt;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// An X-Wing key pair. It cannot be printed or copied and is wiped when dropped.
pub struct EncKey {
    private: hpke_base::PrivateKey,
    public: EncPublicKey,
}

impl EncKey {
    /// Makes a new key pair.
    ///
    /// # Errors
    /// [`CryptoError::Key`] if the generator is so broken that the key would be refused.
    pub fn generate(rng: &mut impl CryptoRng) -> Result<Self, CryptoError> {
        Self::from_secret_bytes(&random_secret(rng))
    }

    /// Takes back a 32-byte seed that was stored under a wrap; the public half is computed.
    ///
    /// # Errors
    /// [`CryptoError::Key`] if the public half would be refused.
    pub fn from_secret_bytes(seed: &[u8; KEY_BYTES]) -> Result<Self, CryptoError> {
        let private = hpke_base::private_key(seed)?;
        let public = EncPublicKey::from_slice(&hpke_base::public_bytes(&private))?;
        Ok(Self { private, public })
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        hpke_base::seed(&self.private)
    }

    /// The public half.
    pub const fn public(&self) -> &EncPublicKey {
        &self.public
    }

    pub(crate) const fn private(&self) -> &hpke_base::PrivateKey {
        &self.private
    }
}

/// An X-Wing public key that passed every check.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{EncKey, EncPublicKey};
/// let key = EncKey::generate(&mut rng)?;
/// assert_eq!(&EncPublicKey::from_slice(key.public().as_bytes())?, key.public());
/// assert!(EncPublicKey::from_slice(&[0; 1216]).is_err());
/// # Ok::<(), ward_crypto::CryptoError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct EncPublicKey {
    bytes: Box<[u8; ENC_PUBLIC_KEY_BYTES]>,
}

impl EncPublicKey {
    /// Checks and takes a public key: the ML-KEM half passes the modulus check (FIPS 203 §7.2) and
    /// is not all zero, the X25519 half is canonical and not of small order.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; ENC_PUBLIC_KEY_BYTES] = bytes.try_into().map_err(|_| KeyError::Malformed)?;
        let (ml_kem, x25519) = bytes.split_at(ENC_ML_KEM_BYTES);
        let x25519: &[u8; 32] = x25519.try_into().map_err(|_| KeyError::Malformed)?;
        // 1,152 bytes of the vector t: were it zero, every encapsulation would be noise alone.
        if x25519_points::is_small_order(x25519) || ml_kem.iter().take(1_152).all(|byte| *byte == 0) {
            return Err(KeyError::Weak);
        }
        if !x25519_points::is_canonical(x25519) {
            return Err(KeyError::NotCanonical);
        }
        hpke_base::public_key(bytes).map_err(|_| KeyError::NotCanonical)?;
        Ok(Self { bytes: Box::new(*bytes) })
    }

    /// The 1,216 bytes.
    pub fn as_bytes(&self) -> &[u8; ENC_PUBLIC_KEY_BYTES] {
        &self.bytes
    }

    /// SHA-256 over the key, as member sets and tickets name it.
    pub fn key_hash(&self) -> [u8; 32] {
        sha256(self.bytes.as_slice())
    }

    pub(crate) fn hpke(&self) -> Result<hpke_base::PublicKey, CryptoError> {
        // Parsed before, when this key was made; the parsed form is too large to keep.
        hpke_base::public_key(self.bytes.as_slice())
    }
}

impl fmt::Debug for EncPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncPublicKey(H={})", ward_id::hex_encode(&self.key_hash()))
    }
}

cbor_bytes!(EncPublicKey[ENC_PUBLIC_KEY_BYTES], |bytes: &[u8; ENC_PUBLIC_KEY_BYTES]| {
    EncPublicKey::from_slice(bytes)
});
