//! A keyed hash in place of ECDSA, for the simulator. It protects nothing, and fails where the real
//! one fails.

use super::ed25519::signature;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A secret key; zeroised when dropped.
pub(crate) struct SecretKey {
    secret: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl SecretKey {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let x = Sha256::new().chain_update(b"ward stand-in point").chain_update(bytes).finalize();
        (*bytes != [0; 32]).then(|| Self { secret: Zeroizing::new(*bytes), public: PublicKey(x.into()) })
    }

    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        *self.secret
    }

    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        Some(signature(&self.public.0, message))
    }
}

/// The first coordinate of something that stands for a point; the second follows from it.
#[derive(Clone, Copy)]
pub(crate) struct PublicKey([u8; 32]);

impl PublicKey {
    pub(crate) fn from_sec1(bytes: &[u8]) -> Option<Self> {
        let (first, rest) = bytes.split_first()?;
        let (x, y) = rest.split_first_chunk::<32>()?;
        let key = Self(*x);
        let fits = match (first, y.len()) {
            (4, 32) => key.coordinates().1 == y,
            (_, 0) => key.compressed() == bytes,
            _ => false,
        };
        fits.then_some(key)
    }

    pub(crate) fn compressed(&self) -> [u8; 33] {
        let odd = self.coordinates().1.last().is_some_and(|last| last & 1 == 1);
        let mut out = [if odd { 3 } else { 2 }; 33];
        for (to, from) in out.iter_mut().skip(1).zip(self.0) {
            *to = from;
        }
        out
    }

    pub(crate) fn coordinates(&self) -> ([u8; 32], [u8; 32]) {
        let y = Sha256::new().chain_update(b"ward stand-in y").chain_update(self.0).finalize();
        (self.0, y.into())
    }

    pub(crate) fn verifies(&self, message: &[u8], given: &[u8; 64]) -> bool {
        signature(&self.0, message) == *given
    }
}
