//! What lies on the device: a local key-encryption key (LKEK) that never leaves it, wrapped by
//! each way of unlocking; under it the device's own keys and the rows of the local store.
//!
//! A sealed blob is `nonce (24) || XAES-256-GCM ciphertext`. The keys are long-lived, so nonces are
//! long and random.

use super::device_keys::DeviceKeys;
use super::random::random_bytes;
use crate::codec::canonical_with;
use crate::hazmat::{aead, kdf};
use crate::labels::{DEVICE_KEYS, LKEK, LOCAL_STORE};
use crate::limits::{KEY_BYTES, ROW_ID_MAX_BYTES, ROW_MAX_BYTES, TABLE_NAME_MAX_BYTES};
use crate::{CryptoError, FormatError};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use ward_id::DeviceId;
use zeroize::{ZeroizeOnDrop, Zeroizing};

fn seal(
    key: &[u8; KEY_BYTES],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, CryptoError> {
    let nonce = random_bytes(rng);
    let ciphertext = aead::xaes_seal(key, &nonce, aad, plaintext)?;
    Ok([nonce.as_slice(), &ciphertext].concat())
}

fn open(key: &[u8; KEY_BYTES], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (nonce, ciphertext) = sealed.split_first_chunk().ok_or(CryptoError::Rejected)?;
    aead::xaes_open(key, nonce, aad, ciphertext)
}

/// A key that the platform gives after unlocking: from the passkey's PRF, the keystore, or a
/// recovery code. It wraps the LKEK and nothing else.
#[derive(ZeroizeOnDrop)]
pub struct WrappingKey([u8; KEY_BYTES]);

impl WrappingKey {
    /// Takes 32 secret bytes of the platform; they must have full entropy.
    pub fn from_secret_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(*bytes)
    }
}

/// The key under which everything on this device lies. Not printable, not copyable, wiped when
/// dropped, never sent anywhere.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{Lkek, WrappingKey};
/// let unlock = WrappingKey::from_secret_bytes(&[7; 32]);
/// let lkek = Lkek::generate(&mut rng);
/// let wrapped = lkek.wrap(&unlock, &mut rng)?;
/// assert!(Lkek::unwrap(&unlock, &wrapped).is_ok());
/// assert!(Lkek::unwrap(&WrappingKey::from_secret_bytes(&[8; 32]), &wrapped).is_err());
/// # Ok::<(), ward_crypto::CryptoError>(())
/// ```
#[derive(ZeroizeOnDrop)]
pub struct Lkek([u8; KEY_BYTES]);

impl Lkek {
    /// Makes a new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random_bytes(rng))
    }

    /// Seals the key under one way of unlocking.
    ///
    /// # Errors
    /// None in practice; the cipher's own limits are far away.
    pub fn wrap(&self, unlock: &WrappingKey, rng: &mut impl CryptoRng) -> Result<Vec<u8>, CryptoError> {
        seal(&unlock.0, LKEK.as_bytes(), &self.0, rng)
    }

    /// Opens what [`Lkek::wrap`] gave.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn unwrap(unlock: &WrappingKey, wrapped: &[u8]) -> Result<Self, CryptoError> {
        let opened = open(&unlock.0, LKEK.as_bytes(), wrapped)?;
        opened.as_slice().try_into().map(Self).map_err(|_| CryptoError::Rejected)
    }

    /// The key of the local store.
    pub fn local_key(&self) -> LocalKey {
        LocalKey(*kdf::hkdf(&self.0, b"", &[LOCAL_STORE.as_bytes()]))
    }

    /// Seals the device's own keys.
    ///
    /// # Errors
    /// As [`Lkek::wrap`].
    pub fn wrap_device_keys(
        &self,
        device: DeviceId,
        keys: &DeviceKeys,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, CryptoError> {
        seal(&self.device_keys_key(), device.as_bytes(), &keys.to_secret_bytes(), rng)
    }

    /// Opens what [`Lkek::wrap_device_keys`] gave.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn unwrap_device_keys(&self, device: DeviceId, wrapped: &[u8]) -> Result<DeviceKeys, CryptoError> {
        DeviceKeys::from_secret_bytes(&open(&self.device_keys_key(), device.as_bytes(), wrapped)?)
    }

    fn device_keys_key(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        kdf::hkdf(&self.0, b"", &[DEVICE_KEYS.as_bytes()])
    }
}

/// The key of the local store. Not printable, not copyable, wiped when dropped.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// # let key = ward_crypto::Lkek::generate(&mut rng).local_key();
/// let sealed = key.seal_row("entries", b"id", 1, b"row", &mut rng)?;
/// assert_eq!(*key.open_row("entries", b"id", 1, &sealed)?, b"row");
/// assert!(key.open_row("entries", b"id", 2, &sealed).is_err());
/// # Ok::<(), ward_crypto::CryptoError>(())
/// ```
#[derive(ZeroizeOnDrop)]
pub struct LocalKey([u8; KEY_BYTES]);

impl LocalKey {
    /// Seals a row, bound to its table, id and version, so that rows cannot be swapped or rolled
    /// back one by one.
    ///
    /// # Errors
    /// [`CryptoError::TooLarge`] or [`FormatError::OutOfRange`] beyond the limits.
    pub fn seal_row(
        &self,
        table: &str,
        row_id: &[u8],
        version: u64,
        plaintext: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, CryptoError> {
        if plaintext.len() > ROW_MAX_BYTES {
            return Err(CryptoError::TooLarge {
                what: "the row",
                bytes: plaintext.len(),
                max_bytes: ROW_MAX_BYTES,
            });
        }
        seal(&self.0, &row_aad(table, row_id, version)?, plaintext, rng)
    }

    /// Opens what [`LocalKey::seal_row`] gave for the same table, id and version.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn open_row(
        &self,
        table: &str,
        row_id: &[u8],
        version: u64,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let aad = row_aad(table, row_id, version).map_err(|_| CryptoError::Rejected)?;
        open(&self.0, &aad, sealed)
    }
}

fn row_aad(table: &str, row_id: &[u8], version: u64) -> Result<Vec<u8>, FormatError> {
    if table.is_empty() || table.len() > TABLE_NAME_MAX_BYTES {
        return Err(FormatError::OutOfRange("the table's name"));
    }
    if row_id.len() > ROW_ID_MAX_BYTES {
        return Err(FormatError::OutOfRange("the row's id"));
    }
    Ok(canonical_with(|e| e.array(3)?.str(table)?.bytes(row_id)?.u64(version)?.ok()))
}
