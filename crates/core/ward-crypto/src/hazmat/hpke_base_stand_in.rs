//! A keyed hash in place of the X-Wing KEM, for the simulator. It protects nothing: a wrap opens for
//! the key that it was made for, and for no other. The cipher is the real one.

use super::aead::{gcm_open, gcm_seal};
use crate::CryptoError;
use crate::limits::{ENC_PUBLIC_KEY_BYTES, ENCAPSULATION_BYTES, GCM_NONCE_BYTES, PSK_MIN_BYTES};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The seed of a key; zeroised when dropped.
pub(crate) struct PrivateKey(Zeroizing<[u8; 32]>);

/// The beginning of a public key, which names it.
pub(crate) struct PublicKey([u8; 32]);

/// A pre-shared key and its name.
#[derive(Clone, Copy)]
pub(crate) struct Psk<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) id: &'a [u8],
}

/// An encapsulation and a ciphertext.
pub(crate) struct Sealed {
    pub(crate) enc: Vec<u8>,
    pub(crate) ct: Vec<u8>,
}

/// The private key of a 32-byte seed.
#[expect(clippy::unnecessary_wraps, reason = "the real one can refuse a seed")]
pub(crate) fn private_key(seed: &[u8; 32]) -> Result<PrivateKey, CryptoError> {
    Ok(PrivateKey(Zeroizing::new(*seed)))
}

/// The seed of a private key.
pub(crate) fn seed(private: &PrivateKey) -> Zeroizing<[u8; 32]> {
    private.0.clone()
}

fn name(private: &PrivateKey) -> [u8; 32] {
    Sha256::new().chain_update(b"ward stand-in KEM").chain_update(private.0.as_slice()).finalize().into()
}

/// The bytes of the public key that belongs to a private one.
pub(crate) fn public_bytes(private: &PrivateKey) -> Vec<u8> {
    let name = name(private);
    let mut out: Vec<u8> = name.iter().copied().cycle().take(ENC_PUBLIC_KEY_BYTES).collect();
    if let Some(top) = out.last_mut() {
        // The last 32 bytes pass for a number below 2^255 - 19.
        *top &= 0x3f;
    }
    out
}

/// The public key with these bytes.
pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey, CryptoError> {
    let name = bytes.first_chunk().filter(|_| bytes.len() == ENC_PUBLIC_KEY_BYTES);
    name.map(|name| PublicKey(*name)).ok_or(CryptoError::Rejected)
}

fn wrap_key(
    to: &[u8; 32],
    psk: Option<Psk<'_>>,
    info: &[u8],
    enc: &[u8],
) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    if psk.is_some_and(|psk| psk.key.len() < PSK_MIN_BYTES) {
        return Err(CryptoError::Rejected);
    }
    let mut hash = Sha256::new();
    hash.update(b"ward stand-in wrap");
    for part in [to.as_slice(), psk.map_or(b"", |psk| psk.key), psk.map_or(b"", |psk| psk.id), info, enc] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    Ok(Zeroizing::new(hash.finalize().into()))
}

/// As RFC 9180 §6.1, SealBase or SealPSK.
pub(crate) fn seal(
    to: &PublicKey,
    psk: Option<Psk<'_>>,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, CryptoError> {
    let mut random = [0u8; 32];
    rng.fill_bytes(&mut random);
    let enc: Vec<u8> = random.iter().copied().cycle().take(ENCAPSULATION_BYTES).collect();
    let key = wrap_key(&to.0, psk, info, &enc)?;
    let ct = gcm_seal(&key, &[0; GCM_NONCE_BYTES], aad, plaintext)?;
    Ok(Sealed { enc, ct })
}

/// As RFC 9180 §6.1, OpenBase or OpenPSK.
pub(crate) fn open(
    key: &PrivateKey,
    psk: Option<Psk<'_>>,
    info: &[u8],
    aad: &[u8],
    enc: &[u8],
    ct: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if enc.len() != ENCAPSULATION_BYTES {
        return Err(CryptoError::Rejected);
    }
    let key = wrap_key(&name(key), psk, info, enc)?;
    gcm_open(&key, &[0; GCM_NONCE_BYTES], aad, ct)
}
