//! Ed25519 (RFC 8032), checked strictly.

use ed25519_dalek::{Signature, VerifyingKey};

/// A public key that is no weak point.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// `None` for what is no point, for a second spelling, and for points of small order.
    pub(crate) fn parse(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok()?;
        (!key.is_weak() && key.to_bytes() == *bytes).then_some(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Small-order points and non-canonical scalars are refused.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}
