//! Ed25519 for receipts, P-256 for proofs of possession.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, Ed25519KeyPair, ParsedPublicKey};
use ward_crypto::SignKey;

/// Signs as the log key does, in half the time.
pub(crate) struct ReceiptKey(Ed25519KeyPair);

impl ReceiptKey {
    /// Refused unless the public half follows from the secret one.
    pub(crate) fn new(log_key: &SignKey) -> Option<Self> {
        let public = log_key.public().as_bytes();
        Ed25519KeyPair::from_seed_and_public_key(&*log_key.secret_bytes(), public).ok().map(Self)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().ok()
    }
}

/// A device's P-256 key, as its proofs show it.
pub(crate) struct ProofKey(ParsedPublicKey);

impl ProofKey {
    /// Refuses points off the curve.
    pub(crate) fn parse(point: &[u8; 65]) -> Option<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok().map(Self)
    }

    /// `r || s` is the JWS form (RFC 7518 §3.4).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
