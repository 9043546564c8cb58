//! ECDSA over P-256 with SHA-256 (FIPS 186-5).

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};

/// A secret key; zeroised when dropped.
pub(crate) struct SecretKey(SigningKey);

impl SecretKey {
    /// `None` for zero and for what is not below the order of the curve.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(Self)
    }

    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(*self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let signature: Signature = self.0.try_sign(message).ok()?;
        Some(signature.to_bytes().into())
    }
}

/// A point of the curve other than infinity.
#[derive(Clone, Copy)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From SEC 1 §2.3.3 bytes, compressed or not; `None` for what is no point of the curve.
    pub(crate) fn from_sec1(bytes: &[u8]) -> Option<Self> {
        VerifyingKey::from_sec1_bytes(bytes).ok().map(Self)
    }

    pub(crate) fn compressed(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        for (to, from) in bytes.iter_mut().zip(self.0.to_sec1_point(true).as_bytes()) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn coordinates(&self) -> ([u8; 32], [u8; 32]) {
        let (mut x, mut y) = ([0; 32], [0; 32]);
        let point = self.0.to_sec1_point(false);
        let coordinates = point.as_bytes().iter().skip(1);
        for (to, from) in x.iter_mut().chain(y.iter_mut()).zip(coordinates) {
            *to = *from;
        }
        (x, y)
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}
