//! HKDF-SHA256 (RFC 5869), HMAC-SHA256 (RFC 2104) and SHA-256.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// SHA-256 over the parts one after another.
pub(crate) fn sha256_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// HMAC-SHA256 over the parts one after another.
pub(crate) fn hmac_parts(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // A 32-byte key is below the block size, so it is taken as it is; `new` takes whole blocks.
    let mut block = Zeroizing::new([0u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA256 with `N` bytes of output; `N` is at most 8,160, checked when compiled.
pub(crate) fn hkdf<const N: usize>(ikm: &[u8], salt: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32) };
    let mut okm = Zeroizing::new([0u8; N]);
    // Fails only for outputs that the assertion above has excluded.
    let done = Hkdf::<Sha256>::new(Some(salt), ikm).expand_multi_info(info, okm.as_mut_slice());
    debug_assert!(done.is_ok());
    okm
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869, appendix A.1.
    #[test]
    fn hkdf_known_answer() {
        let salt: Vec<u8> = (0..=12).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let okm = hkdf::<42>(&[0x0b; 22], &salt, &[&info]);
        assert_eq!(
            ward_id::hex_encode(&*okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
    }

    /// RFC 4231 §4.2 has a 20-byte key; a 32-byte key with trailing zeros is the same HMAC key.
    #[test]
    fn hmac_known_answer() {
        let mut key = [0u8; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            ward_id::hex_encode(&hmac_parts(&key, &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }
}
