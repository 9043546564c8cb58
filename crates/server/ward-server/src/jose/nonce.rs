//! The DPoP nonce (RFC 9449 §8): the server's time under a MAC that names this node.
//!
//! A proof is good for as long as its nonce, on the one node that gave the nonce, so the node can
//! remember every proof it saw for that long and needs no memory shared with other nodes.

use crate::limits::{DPOP_NONCE_LIFE_MS, DPOP_NONCE_MAC_BYTES};
use aws_lc_rs::hmac;
use ward_id::TimestampMs;

/// Makes and checks nonces.
pub struct NonceKey {
    key: hmac::Key,
}

/// A nonce this node does not take. The device's app asks again with the fresh one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// Another node's, or nobody's.
    #[error("the nonce was not given by this node")]
    Foreign,
    /// Given more than the life of a nonce ago, or in this node's future.
    #[error("the nonce is too old")]
    Expired,
}

impl NonceKey {
    /// From 32 random bytes drawn at start: a restarted node refuses the nonces of its former life.
    pub fn new(node_secret: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, node_secret) }
    }

    /// A nonce that says `now`. Its first eight bytes are the milliseconds since 1970, big endian.
    pub fn issue(&self, now: TimestampMs) -> String {
        let time = now.0.to_be_bytes();
        let tag = hmac::sign(&self.key, &time);
        let mut bytes = Vec::with_capacity(8 + DPOP_NONCE_MAC_BYTES);
        bytes.extend_from_slice(&time);
        bytes.extend(tag.as_ref().iter().take(DPOP_NONCE_MAC_BYTES));
        ward_id::base64url_encode(&bytes)
    }

    /// When the nonce was issued.
    ///
    /// # Errors
    /// [`NonceError`].
    pub fn check(&self, nonce: &str, now: TimestampMs) -> Result<TimestampMs, NonceError> {
        let bytes = ward_id::base64url_decode(nonce).map_err(|_| NonceError::Foreign)?;
        let (time, mac) = bytes.split_first_chunk::<8>().ok_or(NonceError::Foreign)?;
        let tag = hmac::sign(&self.key, time);
        let expected: Vec<u8> = tag.as_ref().iter().take(DPOP_NONCE_MAC_BYTES).copied().collect();
        if !bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), mac)) {
            return Err(NonceError::Foreign);
        }
        let issued = TimestampMs(i64::from_be_bytes(*time));
        let age_ms = now.since_ms(issued);
        if (0..=DPOP_NONCE_LIFE_MS).contains(&age_ms) { Ok(issued) } else { Err(NonceError::Expired) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_for_its_life_and_one_millisecond_less_than_one_more() {
        let key = NonceKey::new(&[1; 32]);
        let nonce = key.issue(TimestampMs(1_000));
        assert_eq!(key.check(&nonce, TimestampMs(1_000)), Ok(TimestampMs(1_000)));
        assert_eq!(key.check(&nonce, TimestampMs(1_000 + DPOP_NONCE_LIFE_MS)), Ok(TimestampMs(1_000)));
        assert_eq!(key.check(&nonce, TimestampMs(1_001 + DPOP_NONCE_LIFE_MS)), Err(NonceError::Expired));
        assert_eq!(key.check(&nonce, TimestampMs(999)), Err(NonceError::Expired));
    }

    #[test]
    fn foreign_and_changed_nonces_are_refused() {
        let key = NonceKey::new(&[1; 32]);
        let now = TimestampMs(1_000);
        let good = key.issue(now);
        let mut bytes = ward_id::base64url_decode(&good).unwrap();
        bytes[7] ^= 1;
        let changed = ward_id::base64url_encode(&bytes);
        let short = ward_id::base64url_encode(&bytes[..20]);
        let foreign = NonceKey::new(&[2; 32]).issue(now);
        for bad in [changed.as_str(), &short, &foreign, "", "AAAA", "!"] {
            assert_eq!(key.check(bad, now), Err(NonceError::Foreign), "{bad}");
        }
    }
}
