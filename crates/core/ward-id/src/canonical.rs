//! Strict deterministic CBOR (RFC 8949 §4.2.1): one value, one byte string.
//!
//! A decoder that accepts two spellings of one value lets an attacker change bytes under a
//! signature or a hash without changing their meaning. So every decode is followed by an encode,
//! and the bytes must be the same. This refuses unknown fields, duplicate keys, longer integer
//! forms, indefinite lengths and trailing bytes with one rule.

use alloc::vec::Vec;
use minicbor::{Decode, Encode};

/// Bytes that are not the canonical encoding of the expected type.
/// Whoever produced the bytes must act: a well-behaved encoder cannot make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// The bytes do not decode as the expected type.
    #[error("the bytes are not a CBOR encoding of the expected type")]
    Malformed,
    /// The bytes decode, but this is not how Ward encodes that value.
    #[error("the bytes are not the canonical encoding of their value")]
    NotCanonical,
}

/// A type with exactly one encoding.
pub trait Canonical: Sized {
    /// The canonical bytes.
    fn to_canonical(&self) -> Vec<u8>;

    /// Decodes `bytes` and refuses every spelling but the canonical one.
    ///
    /// # Errors
    /// [`CborError::Malformed`] or [`CborError::NotCanonical`].
    fn from_canonical(bytes: &[u8]) -> Result<Self, CborError>;
}

impl<T> Canonical for T
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    fn to_canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing into a vector cannot fail and the derived encoders raise no error of their own.
        let done = minicbor::encode(self, &mut out);
        debug_assert!(done.is_ok());
        out
    }

    fn from_canonical(bytes: &[u8]) -> Result<Self, CborError> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let value: T = decoder.decode().map_err(|_| CborError::Malformed)?;
        if decoder.position() != bytes.len() || !encodes_to(&value, bytes) {
            return Err(CborError::NotCanonical);
        }
        Ok(value)
    }
}

/// Whether `bytes` are what `value` encodes to. Compared while it is encoded: a large value is
/// not built a second time.
fn encodes_to(value: &impl Encode<()>, bytes: &[u8]) -> bool {
    let mut rest = Comparison { rest: bytes };
    minicbor::encode(value, &mut rest).is_ok() && rest.rest.is_empty()
}

/// Takes only the bytes it expects.
struct Comparison<'a> {
    rest: &'a [u8],
}

/// An encoding that differs from the bytes it is compared with.
struct Differs;

impl minicbor::encode::Write for Comparison<'_> {
    type Error = Differs;

    fn write_all(&mut self, piece: &[u8]) -> Result<(), Differs> {
        self.rest = self.rest.strip_prefix(piece).ok_or(Differs)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Sample {
        #[n(0)]
        v: u8,
        #[n(1)]
        size: u64,
        #[n(2)]
        note: Option<alloc::string::String>,
    }

    #[test]
    fn one_value_has_one_spelling() {
        let sample = Sample { v: 1, size: 300, note: None };
        let good = sample.to_canonical();
        assert_eq!(good, [0xa2, 0x00, 0x01, 0x01, 0x19, 0x01, 0x2c]);
        assert_eq!(Sample::from_canonical(&good), Ok(sample));
        let bad: [(&str, &[u8]); 6] = [
            ("longer integer", &[0xa2, 0x00, 0x18, 0x01, 0x01, 0x19, 0x01, 0x2c]),
            ("trailing byte", &[0xa2, 0x00, 0x01, 0x01, 0x19, 0x01, 0x2c, 0x00]),
            ("keys out of order", &[0xa2, 0x01, 0x19, 0x01, 0x2c, 0x00, 0x01]),
            ("unknown field", &[0xa3, 0x00, 0x01, 0x01, 0x19, 0x01, 0x2c, 0x09, 0x00]),
            ("duplicate key", &[0xa3, 0x00, 0x01, 0x00, 0x01, 0x01, 0x19, 0x01, 0x2c]),
            ("indefinite length", &[0xbf, 0x00, 0x01, 0x01, 0x19, 0x01, 0x2c, 0xff]),
        ];
        for (what, bytes) in bad {
            assert_eq!(Sample::from_canonical(bytes), Err(CborError::NotCanonical), "{what}");
        }
        assert_eq!(Sample::from_canonical(&good[..4]), Err(CborError::Malformed));
    }

    proptest::proptest! {
        /// accept(x) implies encode(decode(x)) = x, for arbitrary bytes.
        #[test]
        fn whatever_is_accepted_encodes_back(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40)) {
            if let Ok(value) = Sample::from_canonical(&bytes) {
                proptest::prop_assert_eq!(value.to_canonical(), bytes);
            }
        }
    }
}
