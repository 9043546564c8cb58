//! HPKE (RFC 9180) with X-Wing, HKDF-SHA256 and AES-256-GCM, modes Base and PSK, single shot.

use crate::CryptoError;
use crate::limits::PSK_MIN_BYTES;
use alloc::vec::Vec;
use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::{Kem as KemTrait, XWing};
use hpke::{Deserializable, OpModeR, OpModeS, PskBundle, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The X-Wing private key as the HPKE implementation holds it; zeroised when dropped.
pub(crate) type PrivateKey = <XWing as KemTrait>::PrivateKey;
/// The X-Wing public key as the HPKE implementation holds it.
pub(crate) type PublicKey = <XWing as KemTrait>::PublicKey;

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
pub(crate) fn private_key(seed: &[u8; 32]) -> Result<PrivateKey, CryptoError> {
    PrivateKey::from_bytes(seed).map_err(|_| CryptoError::Rejected)
}

/// The seed of a private key.
pub(crate) fn seed(private: &PrivateKey) -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new([0; 32]);
    private.write_exact(seed.as_mut_slice());
    seed
}

/// The bytes of the public key that belongs to a private one.
pub(crate) fn public_bytes(private: &PrivateKey) -> Vec<u8> {
    XWing::sk_to_pk(private).to_bytes().to_vec()
}

/// The public key with these bytes.
pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey, CryptoError> {
    PublicKey::from_bytes(bytes).map_err(|_| CryptoError::Rejected)
}

fn bundle(psk: Psk<'_>) -> Result<PskBundle<'_>, CryptoError> {
    // RFC 9180 §5.1.2 asks for 32 bytes of entropy; the library takes any length.
    if psk.key.len() < PSK_MIN_BYTES {
        return Err(CryptoError::Rejected);
    }
    PskBundle::new(psk.key, psk.id).map_err(|_| CryptoError::Rejected)
}

/// RFC 9180 §6.1, SealBase or SealPSK.
pub(crate) fn seal(
    to: &PublicKey,
    psk: Option<Psk<'_>>,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, CryptoError> {
    let mode = match psk {
        Some(psk) => OpModeS::Psk(bundle(psk)?),
        None => OpModeS::Base,
    };
    let (enc, mut context) =
        hpke::setup_sender_with_rng::<AesGcm256, HkdfSha256, XWing>(&mode, to, info, rng)
            .map_err(|_| CryptoError::Rejected)?;
    let ct = context.seal(plaintext, aad).map_err(|_| CryptoError::Rejected)?;
    Ok(Sealed { enc: enc.to_bytes().to_vec(), ct })
}

/// RFC 9180 §6.1, OpenBase or OpenPSK.
pub(crate) fn open(
    key: &PrivateKey,
    psk: Option<Psk<'_>>,
    info: &[u8],
    aad: &[u8],
    enc: &[u8],
    ct: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mode = match psk {
        Some(psk) => OpModeR::Psk(bundle(psk)?),
        None => OpModeR::Base,
    };
    let enc = <XWing as KemTrait>::EncappedKey::from_bytes(enc).map_err(|_| CryptoError::Rejected)?;
    let mut context = hpke::setup_receiver::<AesGcm256, HkdfSha256, XWing>(&mode, key, &enc, info)
        .map_err(|_| CryptoError::Rejected)?;
    context.open(ct, aad).map(Zeroizing::new).map_err(|_| CryptoError::Rejected)
}
