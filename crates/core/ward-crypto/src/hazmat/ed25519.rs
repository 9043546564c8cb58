//! The Ed25519 group equation with its cofactor (RFC 8032 §5.1.7), for one signature and for many.
//!
//! `[8][S]B = [8]R + [8][k]A`. With the cofactor on both sides, the sum over many signatures with
//! random factors holds exactly when each holds by itself (but for a chance of 2^-128), so a device
//! that checks in batches and one that checks singly agree about every signature. Encodings must be
//! canonical, and neither `A` nor `R` may be of small order.

use crate::KeyError;
use alloc::vec::Vec;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha512};

/// A secret key; zeroised when dropped.
pub(crate) struct SecretKey(SigningKey);

impl SecretKey {
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    pub(crate) fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// A public key that passed every check.
#[derive(Clone, Copy)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Canonical, in the prime-order group, not small.
    pub(crate) fn parse(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Malformed)?;
        let point = key.to_edwards();
        if point.compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() || !point.is_torsion_free() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }
}

/// One signature, taken apart: the point `R`, the scalar `S` and the challenge `k`.
pub(crate) struct Parts {
    key: [u8; 32],
    a: EdwardsPoint,
    r_bytes: [u8; 32],
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Parts {
    /// Reads a signature; `None` for one whose encoding is not canonical or whose `R` is of small
    /// order. The key was checked when it was made.
    pub(crate) fn read(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> Option<Self> {
        let key = &key.0;
        let (r_bytes, s_bytes) = signature.split_first_chunk::<32>()?;
        let r = CompressedEdwardsY(*r_bytes).decompress()?;
        if !is_reduced(r_bytes) || r.is_small_order() {
            return None;
        }
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(*s_bytes.first_chunk::<32>()?))?;
        let mut challenge = Sha512::new();
        challenge.update(r_bytes);
        challenge.update(key.as_bytes());
        challenge.update(message);
        let k = Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
        Some(Self { key: key.to_bytes(), a: key.to_edwards(), r_bytes: *r_bytes, r, s, k })
    }

    /// Whether the equation holds.
    pub(crate) fn holds(&self) -> bool {
        let sum = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-self.a, &self.s) - self.r;
        sum.mul_by_cofactor().is_identity()
    }
}

/// Whether the y of an encoded point is below p = 2^255 - 19 (RFC 8032 §5.1.3). That makes the
/// encoding canonical, because the only other second spelling is a sign on x = 0, and points with
/// x = 0 are of small order. Compressing the point again would say the same for an inversion.
fn is_reduced(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    highest & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff) || *lowest < 0xed
}

/// Whether the equation holds for all. Signatures of one key share their term for the key.
pub(crate) fn all_hold(parts: &[Parts]) -> bool {
    if let [one] = parts {
        return one.holds();
    }
    let factors = factors(parts);
    let mut base = Scalar::ZERO;
    let mut scalars: Vec<Scalar> = Vec::with_capacity(parts.len() * 2 + 1);
    let mut points: Vec<EdwardsPoint> = Vec::with_capacity(parts.len() * 2 + 1);
    let mut keys: Vec<([u8; 32], usize)> = Vec::new();
    for (part, z) in parts.iter().zip(&factors) {
        base -= z * part.s;
        // Kept positive: half as many bits are added up as in the factor's negative.
        scalars.push(*z);
        points.push(part.r);
    }
    for (part, z) in parts.iter().zip(&factors) {
        let term = z * part.k;
        let known = keys.iter().find(|(key, _)| *key == part.key).map(|(_, place)| *place);
        match known.and_then(|place| scalars.get_mut(place)) {
            Some(sum) => *sum += term,
            None => {
                keys.push((part.key, scalars.len()));
                scalars.push(term);
                points.push(part.a);
            }
        }
    }
    scalars.push(base);
    points.push(ED25519_BASEPOINT_POINT);
    EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).mul_by_cofactor().is_identity()
}

/// 128-bit factors that whoever made the signatures could not know: hashed from all of them.
fn factors(parts: &[Parts]) -> Vec<Scalar> {
    let mut transcript = Sha512::new();
    transcript.update(b"ward/v1/batch");
    for part in parts {
        transcript.update(part.r_bytes);
        transcript.update(part.s.as_bytes());
        // The challenge binds R, the key and the message.
        transcript.update(part.k.as_bytes());
    }
    let seed = transcript.finalize();
    (0u64..)
        .zip(parts)
        .map(|(i, _)| {
            let mut hash = Sha512::new();
            hash.update(seed);
            hash.update(i.to_be_bytes());
            let wide = hash.finalize();
            let mut bytes = [0; 32];
            for (to, from) in bytes.iter_mut().zip(wide.iter().take(16)) {
                *to = *from;
            }
            Scalar::from_bytes_mod_order(bytes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortcut says what compressing says, on all 19 points with a second spelling of y, on
    /// their neighbours, and on both signs.
    #[test]
    fn reduced_is_what_compressing_calls_canonical() {
        let mut seen = (0, 0);
        for lowest in 0xd0..=0xffu8 {
            for highest in [0x7f, 0xff, 0x7e] {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (lowest, highest);
                let Some(point) = CompressedEdwardsY(bytes).decompress() else { continue };
                let canonical = point.compress().to_bytes() == bytes;
                assert_eq!(
                    is_reduced(&bytes) && !point.is_small_order(),
                    canonical && !point.is_small_order()
                );
                match canonical {
                    true => seen.0 += 1,
                    false => seen.1 += 1,
                }
            }
        }
        assert!(seen.0 > 10 && seen.1 > 10, "{seen:?}");
    }
}
