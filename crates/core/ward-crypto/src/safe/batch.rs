//! Many Ed25519 signatures at once, with exactly the verdicts of the single check.
//!
//! Both check the equation with its cofactor (RFC 8032 §5.1.7) over canonical encodings, so a part
//! of small order in an `R` can neither vanish from the sum nor stay in it. A device that checks in
//! batches and a server that checks singly agree about every signature.

use super::digest::labelled_message;
use super::sign_key::SignPublicKey;
use crate::codec::Signature;
use crate::hazmat::ed25519::{Parts, all_hold};
use crate::limits::BATCH_SIGNATURES;
use crate::{BatchError, Label};
use alloc::vec::Vec;

/// Collects signatures and checks them together.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::{BatchVerifier, SignKey, labels};
/// let key = SignKey::generate(&mut rng);
/// let mut batch = BatchVerifier::new();
/// for i in 0..3 {
///     batch.push_labelled(key.public(), labels::MLOG, &[i; 32], &key.sign_labelled(labels::MLOG, &[i; 32]));
/// }
/// batch.push_labelled(key.public(), labels::MLOG, &[9; 32], &key.sign_labelled(labels::MLOG, &[8; 32]));
/// assert_eq!(batch.verify().unwrap_err().bad, [3]);
/// ```
#[derive(Default)]
pub struct BatchVerifier {
    /// `None` for a signature whose encoding alone refuses it.
    items: Vec<Option<Parts>>,
}

impl BatchVerifier {
    /// Holds nothing yet.
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Adds a signature over `label || digest`.
    pub fn push_labelled(
        &mut self,
        key: &SignPublicKey,
        label: Label,
        digest: &[u8; 32],
        signature: &Signature,
    ) {
        self.push_message(key, &labelled_message(label, digest), signature);
    }

    /// Adds a signature over bytes as they are.
    pub fn push_message(&mut self, key: &SignPublicKey, message: &[u8], signature: &Signature) {
        self.items.push(key.parts(message, signature));
    }

    /// How many were added.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Checks all in batches of 64. In a batch that does not hold, each is checked by itself.
    ///
    /// # Errors
    /// [`BatchError`] with the places of those that do not hold.
    pub fn verify(self) -> Result<(), BatchError> {
        let mut bad = Vec::new();
        let mut batch: Vec<Parts> = Vec::with_capacity(BATCH_SIGNATURES);
        let mut places: Vec<usize> = Vec::with_capacity(BATCH_SIGNATURES);
        for (place, item) in self.items.into_iter().enumerate() {
            match item {
                Some(parts) => {
                    batch.push(parts);
                    places.push(place);
                }
                None => bad.push(place),
            }
            if batch.len() == BATCH_SIGNATURES {
                settle(&mut batch, &mut places, &mut bad);
            }
        }
        settle(&mut batch, &mut places, &mut bad);
        bad.sort_unstable();
        if bad.is_empty() { Ok(()) } else { Err(BatchError { bad }) }
    }
}

fn settle(batch: &mut Vec<Parts>, places: &mut Vec<usize>, bad: &mut Vec<usize>) {
    if !all_hold(batch) {
        bad.extend(
            batch.iter().zip(places.iter()).filter(|(parts, _)| !parts.holds()).map(|(_, place)| *place),
        );
    }
    batch.clear();
    places.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignKey, labels};
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::EdwardsPoint;
    use curve25519_dalek::scalar::{Scalar, clamp_integer};
    use sha2::{Digest as _, Sha512};

    fn filled(count: u8, spoilt: &[usize]) -> BatchVerifier {
        let mut batch = BatchVerifier::new();
        for i in 0..count {
            // Every third signature is of one key, as when one device wrote much.
            let key = SignKey::from_secret_bytes(&[if i % 3 == 0 { 200 } else { i }; 32]);
            let mut signature = *key.sign_labelled(labels::MLOG, &[i; 32]).as_bytes();
            if spoilt.contains(&usize::from(i)) {
                signature[usize::from(i) % 64] ^= 1;
            }
            batch.push_labelled(key.public(), labels::MLOG, &[i; 32], &Signature::from_bytes(signature));
        }
        batch
    }

    #[test]
    fn a_batch_names_the_bad_ones() {
        for spoilt in [&[][..], &[0], &[63, 64], &[5, 70, 129], &[128]] {
            let bad = filled(130, spoilt).verify().err().map_or(vec![], |error| error.bad);
            assert_eq!(bad, spoilt);
        }
        assert_eq!(BatchVerifier::new().verify(), Ok(()));
    }

    /// A signature that only the holder of the key can make: its R has a part of order eight.
    fn with_torsion(secret: [u8; 32], digest: &[u8; 32], torsion: EdwardsPoint) -> Signature {
        let expanded = Sha512::digest(secret);
        let a = Scalar::from_bytes_mod_order(clamp_integer(expanded[..32].try_into().unwrap()));
        let nonce = Scalar::from_bytes_mod_order([7; 32]);
        let r = (EdwardsPoint::mul_base(&nonce) + torsion).compress();
        let key = SignKey::from_secret_bytes(&secret);
        let mut challenge = Sha512::new();
        challenge.update(r.as_bytes());
        challenge.update(key.public().as_bytes());
        challenge.update(labelled_message(labels::MLOG, digest));
        let s = nonce + Scalar::from_bytes_mod_order_wide(&challenge.finalize().into()) * a;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(r.as_bytes());
        bytes[32..].copy_from_slice(s.as_bytes());
        Signature::from_bytes(bytes)
    }

    #[test]
    fn one_and_many_agree_about_parts_of_small_order() {
        let key = SignKey::from_secret_bytes(&[1; 32]);
        for torsion in EIGHT_TORSION {
            for i in 0..16 {
                let signature = with_torsion([1; 32], &[i; 32], torsion);
                let single = key.public().verify_labelled(labels::MLOG, &[i; 32], &signature).is_ok();
                let mut batch = filled(40, &[]);
                batch.push_labelled(key.public(), labels::MLOG, &[i; 32], &signature);
                assert_eq!(batch.verify().is_ok(), single);
                assert!(single);
            }
        }
    }
}
