//! AES-256-GCM (NIST SP 800-38D) for keys that are used once, XAES-256-GCM (C2SP) with random
//! nonces for keys that are used often. Neither commits to its key: callers who need that
//! compare a commitment first.

use crate::CryptoError;
use crate::limits::{GCM_NONCE_BYTES, KEY_BYTES, XAES_NONCE_BYTES};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use alloc::vec::Vec;
use xaes_256_gcm::Xaes256Gcm;
use zeroize::Zeroizing;

/// Encrypts under a key that is used for this one message only.
pub(crate) fn gcm_seal(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; GCM_NONCE_BYTES],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let cipher = Aes256Gcm::new(key.into());
    cipher.encrypt(nonce.into(), Payload { msg: plaintext, aad }).map_err(|_| CryptoError::Rejected)
}

/// Decrypts, or gives the one uniform error.
pub(crate) fn gcm_open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; GCM_NONCE_BYTES],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = Aes256Gcm::new(key.into());
    let opened = cipher.decrypt(nonce.into(), Payload { msg: ciphertext, aad });
    opened.map(Zeroizing::new).map_err(|_| CryptoError::Rejected)
}

/// Encrypts under a long-lived key; the nonce must be random.
pub(crate) fn xaes_seal(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; XAES_NONCE_BYTES],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let cipher = Xaes256Gcm::new(key.into());
    cipher.encrypt(nonce.into(), Payload { msg: plaintext, aad }).map_err(|_| CryptoError::Rejected)
}

/// Decrypts, or gives the one uniform error.
pub(crate) fn xaes_open(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; XAES_NONCE_BYTES],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = Xaes256Gcm::new(key.into());
    let opened = cipher.decrypt(nonce.into(), Payload { msg: ciphertext, aad });
    opened.map(Zeroizing::new).map_err(|_| CryptoError::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST's GCM example values, test case 14: zero key, zero nonce, one zero block.
    #[test]
    fn gcm_known_answer() {
        let sealed = gcm_seal(&[0; 32], &[0; 12], b"", &[0; 16]).unwrap();
        let expected = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        assert_eq!(ward_id::hex_encode(&sealed), expected);
        assert_eq!(*gcm_open(&[0; 32], &[0; 12], b"", &sealed).unwrap(), [0; 16]);
    }

    /// C2SP XAES-256-GCM, the two published examples.
    #[test]
    fn xaes_known_answer() {
        let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let sealed = xaes_seal(&[1; 32], nonce, b"", b"XAES-256-GCM").unwrap();
        assert_eq!(ward_id::hex_encode(&sealed), "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
        let sealed = xaes_seal(&[3; 32], nonce, b"c2sp.org/XAES-256-GCM", b"XAES-256-GCM").unwrap();
        assert_eq!(ward_id::hex_encode(&sealed), "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
    }
}
