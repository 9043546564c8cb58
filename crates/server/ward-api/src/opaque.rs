//! Byte strings on the wire: opaque bodies and a secret key.

use core::fmt;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes that this layer carries and does not read: certificates, envelopes, packages, entries.
/// Encoded as one CBOR byte string.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Opaque(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl fmt::Debug for Opaque {
    /// Only the length: contents do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opaque({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Opaque {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Opaque {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A 32-byte secret that one side hands to the other, such as the key that proves possession of
/// a ticket. It is wiped when dropped and never printed.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub struct Key32(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Key32 {
    /// Takes the bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes. The caller must not print, log or store them unsealed.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
