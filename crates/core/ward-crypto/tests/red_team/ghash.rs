//! GHASH algebra (NIST SP 800-38D §6.3, §6.4), as an attacker uses it: AES-GCM does not commit to
//! its key, so one ciphertext can be made to open under two.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};

/// Product in GF(2^128); the highest bit of the number is the coefficient of x^0.
fn times(x: u128, y: u128) -> u128 {
    const REDUCTION: u128 = 0xe1 << 120;
    let (mut sum, mut power) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            sum ^= power;
        }
        power = if power & 1 == 1 { power >> 1 ^ REDUCTION } else { power >> 1 };
    }
    sum
}

const ONE: u128 = 1 << 127;

fn to_the(x: u128, mut exponent: u128) -> u128 {
    let (mut result, mut base) = (ONE, x);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, base);
        }
        base = times(base, base);
        exponent >>= 1;
    }
    result
}

/// x^(2^128 - 2), because the group of units has 2^128 - 1 elements.
fn inverse(x: u128) -> u128 {
    to_the(x, u128::MAX - 1)
}

fn blocks(bytes: &[u8]) -> Vec<u128> {
    bytes
        .chunks(16)
        .map(|chunk| {
            let mut block = [0; 16];
            block[..chunk.len()].copy_from_slice(chunk);
            u128::from_be_bytes(block)
        })
        .collect()
}

/// A key and nonce with what an attacker computes from them.
pub struct KnownKey {
    cipher: Aes256Gcm,
    nonce: [u8; 12],
    hash_key: u128,
    mask: u128,
}

impl KnownKey {
    pub fn new(key: &[u8; 32], nonce: &[u8; 12]) -> Self {
        let cipher = Aes256Gcm::new(key.into());
        let tag = |aad: &[u8]| {
            let sealed = cipher.encrypt(nonce.into(), Payload { msg: b"", aad }).unwrap();
            u128::from_be_bytes(sealed.try_into().unwrap())
        };
        // Nothing hashed: the tag is the mask. One zero block: the mask plus length times H.
        let mask = tag(b"");
        let hash_key = times(tag(&[0; 16]) ^ mask, inverse(128 << 64));
        Self { cipher, nonce: *nonce, hash_key, mask }
    }

    /// Encrypts without a tag.
    pub fn stream(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = self.cipher.encrypt((&self.nonce).into(), plaintext).unwrap();
        sealed.truncate(plaintext.len());
        sealed
    }

    pub fn tag(&self, aad: &[u8], ciphertext: &[u8]) -> u128 {
        let lengths = (aad.len() as u128 * 8) << 64 | (ciphertext.len() as u128 * 8);
        let all = blocks(aad).into_iter().chain(blocks(ciphertext)).chain([lengths]);
        all.fold(0, |sum, block| times(sum ^ block, self.hash_key)) ^ self.mask
    }

    pub fn opens(&self, aad: &[u8], sealed: &[u8]) -> bool {
        self.cipher.decrypt((&self.nonce).into(), Payload { msg: sealed, aad }).is_ok()
    }
}

/// Chooses one block of the ciphertext so that both keys give the same tag, and appends the tag.
pub fn collide(a: &KnownKey, b: &KnownKey, aad: &[u8], ciphertext: &mut Vec<u8>, block: usize) {
    let at = block * 16..block * 16 + 16;
    ciphertext[at.clone()].fill(0);
    let difference = a.tag(aad, ciphertext) ^ b.tag(aad, ciphertext);
    // The block is multiplied by H once for itself, each later block and the lengths.
    let exponent = (ciphertext.len() / 16 - block + 1) as u128;
    let weight = to_the(a.hash_key, exponent) ^ to_the(b.hash_key, exponent);
    let solution = times(difference, inverse(weight));
    ciphertext[at].copy_from_slice(&solution.to_be_bytes());
    let tag = a.tag(aad, ciphertext);
    assert_eq!(tag, b.tag(aad, ciphertext));
    ciphertext.extend(tag.to_be_bytes());
}
