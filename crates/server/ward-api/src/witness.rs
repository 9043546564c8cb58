//! Asking witnesses for the time. The answer is an array of [`ward_audit::WitnessTime`].

use minicbor::{Decode, Encode};

/// Body of `POST /v1/witness/time` and of a witness's `POST /sign-time`: 32 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct WitnessNonce(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn a_nonce_is_a_bare_byte_string() {
        let nonce = WitnessNonce([4; 32]);
        assert_eq!(nonce.to_canonical()[..2], [0x58, 0x20]);
        assert_eq!(WitnessNonce::from_canonical(&nonce.to_canonical()), Ok(nonce));
        assert!(WitnessNonce::from_canonical(&[0x41, 1]).is_err());
    }
}
