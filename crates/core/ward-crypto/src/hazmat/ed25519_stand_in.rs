//! A keyed hash in place of Ed25519, for the simulator. Whoever knows the public key can sign: it
//! protects nothing, and fails where the real one fails.

use crate::KeyError;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

const LABEL: &[u8] = b"ward stand-in signature";

/// What a key signs a message with: two hashes over both.
pub(crate) fn signature(public: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    for (half, number) in out.chunks_exact_mut(32).zip(0u8..) {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        hash.update([number]);
        hash.update(public);
        hash.update(message);
        half.copy_from_slice(&hash.finalize());
    }
    out
}

/// A secret key; zeroised when dropped.
pub(crate) struct SecretKey {
    secret: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl SecretKey {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let public = Sha256::new().chain_update(b"ward stand-in key").chain_update(bytes).finalize();
        Self { secret: Zeroizing::new(*bytes), public: PublicKey(public.into()) }
    }

    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        *self.secret
    }

    pub(crate) const fn public(&self) -> PublicKey {
        self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        signature(&self.public.0, message)
    }
}

/// A public key.
#[derive(Clone, Copy)]
pub(crate) struct PublicKey([u8; 32]);

impl PublicKey {
    pub(crate) fn parse(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if *bytes == [0; 32] { Err(KeyError::Weak) } else { Ok(Self(*bytes)) }
    }

    pub(crate) const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// One signature, compared already.
pub(crate) struct Parts {
    holds: bool,
}

impl Parts {
    pub(crate) fn read(key: &PublicKey, message: &[u8], given: &[u8; 64]) -> Option<Self> {
        Some(Self { holds: signature(&key.0, message) == *given })
    }

    pub(crate) const fn holds(&self) -> bool {
        self.holds
    }
}

pub(crate) fn all_hold(parts: &[Parts]) -> bool {
    parts.iter().all(Parts::holds)
}
