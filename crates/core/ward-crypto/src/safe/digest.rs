//! SHA-256, plain and with a label.

use crate::Label;
use crate::hazmat::kdf;
use alloc::vec::Vec;
use sha2::{Digest as _, Sha256};

/// SHA-256 over the bytes.
///
/// ```
/// assert_eq!(ward_crypto::sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
/// ```
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    kdf::sha256_parts(&[bytes])
}

/// SHA-256 over the label and then the parts, one after another.
///
/// Parts are not framed: give at most one of variable length.
///
/// ```
/// use ward_crypto::{labelled_hash, labels, sha256};
/// assert_eq!(labelled_hash(labels::ENTRY, &[b"frame"]), sha256(b"ward/v1/entryframe"));
/// ```
pub fn labelled_hash(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(label.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// `label || digest`: what every labelled signature covers.
pub(crate) fn labelled_message(label: Label, digest: &[u8]) -> Vec<u8> {
    [label.as_bytes(), digest].concat()
}
