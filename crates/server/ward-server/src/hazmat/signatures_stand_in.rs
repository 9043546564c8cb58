//! The keyed hashes of ward-crypto, for the simulator.

use ward_crypto::{AuthPublicKey, SignKey, Signature, labels};

/// Signs as the log key does.
pub(crate) struct ReceiptKey(SignKey);

impl ReceiptKey {
    #[expect(clippy::unnecessary_wraps, reason = "the real one can refuse a key")]
    pub(crate) fn new(log_key: &SignKey) -> Option<Self> {
        Some(Self(SignKey::from_secret_bytes(&log_key.secret_bytes())))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        let digest = message.strip_prefix(labels::RECEIPT.as_bytes())?.try_into().ok()?;
        Some(*self.0.sign_labelled(labels::RECEIPT, digest).as_bytes())
    }
}

/// A device's P-256 key, as its proofs show it.
pub(crate) struct ProofKey(AuthPublicKey);

impl ProofKey {
    pub(crate) fn parse(point: &[u8; 65]) -> Option<Self> {
        let (x, y) = point.get(1..)?.split_first_chunk::<32>()?;
        AuthPublicKey::from_coordinates(x, y.try_into().ok()?).ok().map(Self)
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = <[u8; 64]>::try_from(signature).map(Signature::from_bytes);
        signature.is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }
}
