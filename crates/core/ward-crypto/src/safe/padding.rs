//! Padding: the length of a sealed entry says no more than its bucket.

use crate::CryptoError;
use crate::limits::{PADDING_BUCKETS_BYTES, PLAINTEXT_MAX_BYTES};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// ISO/IEC 7816-4: a mark, then zeros.
const MARK: u8 = 0x80;

/// The padded length of a plaintext: the next bucket up to 16 KiB, beyond it Padmé, which keeps
/// the highest bits of the length and rounds the others up (at most 12 % more).
///
/// ```
/// assert_eq!(ward_crypto::padded_len(0), 512);
/// assert_eq!(ward_crypto::padded_len(511), 512);
/// assert_eq!(ward_crypto::padded_len(512), 768);
/// assert_eq!(ward_crypto::padded_len(16_384), 17_408);
/// ```
pub fn padded_len(plaintext_bytes: usize) -> usize {
    // One byte goes to the mark.
    let least = plaintext_bytes.saturating_add(1);
    PADDING_BUCKETS_BYTES.into_iter().find(|bucket| *bucket >= least).unwrap_or_else(|| padme(least))
}

/// Padmé (Nikitin et al., PETS 2019, §4): E = floor(log2 L), S = floor(log2 E) + 1; the lowest
/// E - S bits are rounded up to zero.
fn padme(len: usize) -> usize {
    let exponent = usize::BITS - 1 - len.leading_zeros();
    let kept = u32::BITS - exponent.leading_zeros();
    let mask = (1usize << (exponent - kept)) - 1;
    len.saturating_add(mask) & !mask
}

/// Pads a plaintext.
///
/// # Errors
/// [`CryptoError::TooLarge`] above the limit of an operation.
pub fn pad(plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if plaintext.len() > PLAINTEXT_MAX_BYTES {
        return Err(CryptoError::TooLarge {
            what: "the plaintext",
            bytes: plaintext.len(),
            max_bytes: PLAINTEXT_MAX_BYTES,
        });
    }
    let padded = padded_len(plaintext.len());
    let mut out = Zeroizing::new(Vec::with_capacity(padded));
    out.extend_from_slice(plaintext);
    out.push(MARK);
    out.resize(padded, 0);
    Ok(out)
}

/// Takes the padding off. A plaintext has one padded form: a wrong mark or another length than
/// the bucket's is refused.
///
/// # Errors
/// [`CryptoError::Rejected`].
pub fn unpad(padded: &[u8]) -> Result<&[u8], CryptoError> {
    let mark = padded.iter().rposition(|byte| *byte != 0).ok_or(CryptoError::Rejected)?;
    let (plaintext, padding) = padded.split_at_checked(mark).ok_or(CryptoError::Rejected)?;
    if padding.first() != Some(&MARK) || padded_len(plaintext.len()) != padded.len() {
        return Err(CryptoError::Rejected);
    }
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PADDED_MAX_BYTES;

    #[test]
    fn buckets_and_one_past_each() {
        for (bucket, next) in PADDING_BUCKETS_BYTES.iter().zip(PADDING_BUCKETS_BYTES.iter().skip(1)) {
            assert_eq!(padded_len(bucket - 1), *bucket);
            assert_eq!(padded_len(*bucket), *next);
        }
        assert_eq!(padded_len(16_383), 16_384);
    }

    #[test]
    fn padme_wastes_at_most_an_eighth_and_is_stable() {
        for len in (16_384..PLAINTEXT_MAX_BYTES).step_by(997) {
            let padded = padded_len(len);
            assert!(padded > len && (padded - len) * 100 <= len * 12, "{len} -> {padded}");
            assert_eq!(padme(padded), padded);
        }
    }

    #[test]
    fn round_trip_limit_and_one_past() {
        for len in [0, 1, 511, 512, 16_383, 16_384, PLAINTEXT_MAX_BYTES] {
            let plaintext = vec![0u8; len];
            let padded = pad(&plaintext).unwrap();
            assert_eq!(padded.len(), padded_len(len));
            assert!(padded.len() <= PADDED_MAX_BYTES);
            assert_eq!(unpad(&padded), Ok(plaintext.as_slice()));
        }
        assert!(matches!(pad(&vec![0; PLAINTEXT_MAX_BYTES + 1]), Err(CryptoError::TooLarge { .. })));
    }

    #[test]
    fn a_plaintext_has_one_padded_form() {
        let mut longer = pad(b"x").unwrap().to_vec();
        longer.resize(768, 0);
        for bad in [&longer[..], &[0; 512], &[], &[0x80], &[1; 512]] {
            assert_eq!(unpad(bad), Err(CryptoError::Rejected));
        }
    }
}
