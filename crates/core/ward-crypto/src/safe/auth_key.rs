//! P-256 ECDSA with SHA-256 (FIPS 186-5): the key that may live in hardware. It signs the
//! device's own binding, sessions and signatures that a person must confirm.

use super::digest::sha256;
use super::random::random_secret;
use crate::codec::{Signature, cbor_bytes};
use crate::hazmat::p256_ecdsa::{PublicKey, SecretKey};
use crate::limits::{AUTH_PUBLIC_KEY_BYTES, KEY_BYTES};
use crate::{AuthSignError, CryptoError, KeyError};
use alloc::string::String;
use core::fmt;
use rand_core::CryptoRng;
use ward_id::base64url_encode;
use zeroize::Zeroizing;

/// Something that signs with the device's P-256 key: a secure element, or [`SoftwareAuthKey`].
pub trait AuthSigner {
    /// The public half.
    fn public_key(&self) -> AuthPublicKey;

    /// ECDSA-SHA256 over the message, as `r || s`.
    ///
    /// # Errors
    /// [`AuthSignError`] if the hardware is absent or locked, or the person declined.
    fn sign(&self, message: &[u8]) -> Result<Signature, AuthSignError>;
}

/// A P-256 key pair in memory. It cannot be printed or copied and is wiped when dropped.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{AuthSigner, SoftwareAuthKey};
/// let key = SoftwareAuthKey::generate(&mut rng);
/// let signature = key.sign(b"session")?;
/// assert!(key.public_key().verify(b"session", &signature).is_ok());
/// # Ok::<(), ward_crypto::AuthSignError>(())
/// ```
pub struct SoftwareAuthKey(SecretKey);

impl SoftwareAuthKey {
    /// Makes a new key pair.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        loop {
            // A random number is outside 1..n with probability 2^-32; then the next is drawn.
            // A generator stuck on a bad value cannot hang this: hash in a counter.
            let mut seed = random_secret::<KEY_BYTES>(rng);
            for counter in 0..=u8::MAX {
                if let Ok(key) = Self::from_secret_bytes(&seed) {
                    return key;
                }
                *seed = sha256(&[seed.as_slice(), &[counter]].concat());
            }
        }
    }

    /// Takes back a secret key that was stored under a wrap; the public half is computed.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if it is zero or not below the order of the curve.
    pub fn from_secret_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, KeyError> {
        SecretKey::from_bytes(bytes).map(Self).ok_or(KeyError::Malformed)
    }

    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl AuthSigner for SoftwareAuthKey {
    fn public_key(&self) -> AuthPublicKey {
        AuthPublicKey::of(self.0.public())
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, AuthSignError> {
        self.0.sign(message).map(Signature::from_bytes).ok_or(AuthSignError)
    }
}

/// A P-256 public key, compressed: a point of the curve other than infinity.
#[derive(Clone, Copy)]
pub struct AuthPublicKey {
    bytes: [u8; AUTH_PUBLIC_KEY_BYTES],
    key: PublicKey,
}

impl AuthPublicKey {
    fn of(key: PublicKey) -> Self {
        Self { bytes: key.compressed(), key }
    }

    /// Checks and takes a compressed key.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if it is no point of the curve, [`KeyError::NotCanonical`] for
    /// another spelling.
    pub fn from_bytes(bytes: &[u8; AUTH_PUBLIC_KEY_BYTES]) -> Result<Self, KeyError> {
        let key = Self::of(PublicKey::from_sec1(bytes).ok_or(KeyError::Malformed)?);
        if key.bytes != *bytes {
            return Err(KeyError::NotCanonical);
        }
        Ok(key)
    }

    /// Checks and takes a compressed key from a slice.
    ///
    /// # Errors
    /// As [`AuthPublicKey::from_bytes`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_bytes(bytes.try_into().map_err(|_| KeyError::Malformed)?)
    }

    /// Checks and takes the coordinates of a JWK (RFC 7518 §6.2.1).
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if they are no point of the curve.
    pub fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, KeyError> {
        // SEC 1 §2.3.3: 04 begins an uncompressed point.
        let sec1 = [&[4][..], x, y].concat();
        PublicKey::from_sec1(&sec1).map(Self::of).ok_or(KeyError::Malformed)
    }

    /// The 33 compressed bytes.
    pub const fn as_bytes(&self) -> &[u8; AUTH_PUBLIC_KEY_BYTES] {
        &self.bytes
    }

    /// Checks a signature `r || s` over the message. Both `s` and its negative are valid, because
    /// hardware produces either.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), CryptoError> {
        if self.key.verifies(message, signature.as_bytes()) { Ok(()) } else { Err(CryptoError::Rejected) }
    }

    /// The coordinates x and y, for a JWK.
    pub fn jwk_coordinates(&self) -> ([u8; 32], [u8; 32]) {
        self.key.coordinates()
    }

    /// What the JWK thumbprint hashes (RFC 7638 §3.2): the required members in order, no spaces.
    pub fn jwk_thumbprint_input(&self) -> String {
        let (x, y) = self.jwk_coordinates();
        alloc::format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            base64url_encode(&x),
            base64url_encode(&y)
        )
    }

    /// The JWK thumbprint, the `jkt` of RFC 9449 §6.1.
    pub fn jwk_thumbprint(&self) -> [u8; 32] {
        sha256(self.jwk_thumbprint_input().as_bytes())
    }
}

impl PartialEq for AuthPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for AuthPublicKey {}

impl fmt::Debug for AuthPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthPublicKey({})", ward_id::hex_encode(&self.bytes))
    }
}

cbor_bytes!(AuthPublicKey[AUTH_PUBLIC_KEY_BYTES], AuthPublicKey::from_bytes);

#[cfg(test)]
mod tests {
    use super::*;

    fn hex32(text: &str) -> [u8; 32] {
        ward_id::hex_decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 6979 §A.2.5, P-256 with SHA-256, message "sample".
    #[test]
    fn known_answer() {
        let key = SoftwareAuthKey::from_secret_bytes(&hex32(
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        ))
        .unwrap();
        let signature = key.sign(b"sample").unwrap();
        assert_eq!(
            ward_id::hex_encode(signature.as_bytes()),
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        );
        let (x, y) = key.public_key().jwk_coordinates();
        assert_eq!(x, hex32("60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"));
        assert_eq!(y, hex32("7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"));
        assert_eq!(AuthPublicKey::from_coordinates(&x, &y), Ok(key.public_key()));
        assert!(key.public_key().verify(b"sample", &signature).is_ok());
        assert!(key.public_key().verify(b"test", &signature).is_err());
    }

    #[test]
    fn points_off_the_curve_and_bad_scalars_are_refused() {
        assert_eq!(SoftwareAuthKey::from_secret_bytes(&[0; 32]).err(), Some(KeyError::Malformed));
        assert_eq!(SoftwareAuthKey::from_secret_bytes(&[255; 32]).err(), Some(KeyError::Malformed));
        assert_eq!(AuthPublicKey::from_bytes(&[0; 33]), Err(KeyError::Malformed));
        assert_eq!(AuthPublicKey::from_coordinates(&[1; 32], &[1; 32]), Err(KeyError::Malformed));
    }
}
