//! The keys that a device makes for itself when it is enrolled.

use super::auth_key::{AuthSigner, SoftwareAuthKey};
use super::enc_key::EncKey;
use super::random::HedgeKey;
use super::sign_key::SignKey;
use crate::CryptoError;
use crate::codec::V1;
use crate::limits::KEY_BYTES;
use alloc::vec::Vec;
use minicbor::{Decoder, Encoder};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// All of a device's own secrets, except a P-256 key that lives in hardware.
pub struct DeviceKeys {
    /// Signs entries, envelopes, packages and membership entries.
    pub sign: SignKey,
    /// Opens epoch secrets.
    pub enc: EncKey,
    /// Hedges randomness.
    pub hedge: HedgeKey,
    /// Signs sessions; `None` when the key lives in hardware.
    pub auth: Option<SoftwareAuthKey>,
}

impl DeviceKeys {
    /// Makes all keys, the P-256 key in software.
    ///
    /// # Errors
    /// [`CryptoError::Key`] if the generator is broken.
    ///
    /// ```
    /// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
    /// use ward_crypto::DeviceKeys;
    /// let keys = DeviceKeys::generate(&mut rng)?;
    /// let again = DeviceKeys::from_secret_bytes(&keys.to_secret_bytes())?;
    /// assert_eq!(keys.sign.public(), again.sign.public());
    /// # Ok::<(), ward_crypto::CryptoError>(())
    /// ```
    pub fn generate(rng: &mut impl CryptoRng) -> Result<Self, CryptoError> {
        let auth = SoftwareAuthKey::generate(rng);
        Ok(Self { auth: Some(auth), ..Self::generate_for_hardware(rng)? })
    }

    /// Makes all keys but the P-256 key, which the platform holds.
    ///
    /// # Errors
    /// As [`DeviceKeys::generate`].
    pub fn generate_for_hardware(rng: &mut impl CryptoRng) -> Result<Self, CryptoError> {
        Ok(Self {
            sign: SignKey::generate(rng),
            enc: EncKey::generate(rng)?,
            hedge: HedgeKey::generate(rng),
            auth: None,
        })
    }

    /// The P-256 signer, if it is in software.
    pub fn auth_signer(&self) -> Option<&dyn AuthSigner> {
        self.auth.as_ref().map(|key| key as &dyn AuthSigner)
    }

    /// All secrets as `{0: v=1, 1: sign, 2: enc, 3: hedge, 4: auth (optional)}`. For wrapping under
    /// the device's local key-encryption key and nothing else.
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room for everything, so that no half-filled buffer is left behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(8 + 4 * (KEY_BYTES + 3)));
        let mut write = || -> Result<(), minicbor::encode::Error<core::convert::Infallible>> {
            let mut e = Encoder::new(&mut *out);
            e.map(4 + u64::from(self.auth.is_some()))?.u8(0)?.u8(1)?;
            e.u8(1)?.bytes(self.sign.secret_bytes().as_slice())?;
            e.u8(2)?.bytes(self.enc.secret_bytes().as_slice())?;
            e.u8(3)?.bytes(self.hedge.secret_bytes())?;
            if let Some(auth) = &self.auth {
                e.u8(4)?.bytes(auth.secret_bytes().as_slice())?;
            }
            Ok(())
        };
        let done = write();
        debug_assert!(done.is_ok());
        out
    }

    /// Takes back what [`DeviceKeys::to_secret_bytes`] gave.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`] for any other bytes.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let keys = Self::read(bytes).ok_or(CryptoError::Rejected)?;
        if *keys.to_secret_bytes() == bytes { Ok(keys) } else { Err(CryptoError::Rejected) }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut d = Decoder::new(bytes);
        let count = d.map().ok()??;
        if d.u8().ok()? != 0 {
            return None;
        }
        d.decode::<V1>().ok()?;
        let sign = SignKey::from_secret_bytes(secret(&mut d, 1)?);
        let enc = EncKey::from_secret_bytes(secret(&mut d, 2)?).ok()?;
        let hedge = HedgeKey::from_secret_bytes(secret(&mut d, 3)?);
        let auth = match count {
            4 => None,
            _ => Some(SoftwareAuthKey::from_secret_bytes(secret(&mut d, 4)?).ok()?),
        };
        Some(Self { sign, enc, hedge, auth })
    }
}

fn secret<'b>(d: &mut Decoder<'b>, key: u8) -> Option<&'b [u8; KEY_BYTES]> {
    if d.u8().ok()? != key {
        return None;
    }
    d.bytes().ok()?.try_into().ok()
}
