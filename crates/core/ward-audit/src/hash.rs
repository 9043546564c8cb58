//! RFC 6962 §2.1 hashing: leaves and nodes live in separate domains.

use core::fmt;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use ward_id::{TreeRoot, hex_encode};

/// The hash of a leaf or of a node of a Merkle tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct NodeHash(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl NodeHash {
    /// Bytes of a hash.
    pub const BYTES: usize = 32;

    /// Wraps the bytes of a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Wraps a slice if it has the length of a hash.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; 32]>::try_from(bytes).ok().map(Self)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same hash, seen as the root of a whole tree.
    pub const fn to_root(self) -> TreeRoot {
        TreeRoot::from_bytes(self.0)
    }
}

impl From<TreeRoot> for NodeHash {
    fn from(root: TreeRoot) -> Self {
        Self(*root.as_bytes())
    }
}

impl fmt::Debug for NodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeHash({})", hex_encode(&self.0))
    }
}

/// The hash of a leaf: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> NodeHash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(data);
    NodeHash(hasher.finalize().into())
}

/// The hash of a node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left.0);
    hasher.update(right.0);
    NodeHash(hasher.finalize().into())
}

/// The root of the tree without leaves: `SHA-256("")`.
pub fn empty_root() -> TreeRoot {
    TreeRoot::from_bytes(Sha256::digest([]).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published values: SHA-256 of nothing, of the byte 00, and of 00 followed by "L123456".
    #[test]
    fn known_hashes() {
        assert_eq!(
            empty_root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex_encode(leaf_hash(b"").as_bytes()),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex_encode(leaf_hash(b"L123456").as_bytes()),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
        );
        assert_eq!(
            hex_encode(Sha256::digest(b"\x01N123N456").as_slice()),
            "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
        );
    }
}
