//! Entry bundles (C2SP tlog-tiles): up to 256 entries, each behind its length in 16 bits.

use crate::limits::{ENTRY_MAX_BYTES, TILE_WIDTH};
use alloc::vec::Vec;

/// A bundle that cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryBundleError {
    /// A bundle holds 1 to 256 entries. Whoever made it must act.
    #[error("a bundle holds 1 to 256 entries, not {got}")]
    Count {
        /// Entries given or expected.
        got: usize,
    },
    /// An entry is longer than 65,535 bytes. Whoever made it must act.
    #[error("entry {position} has {bytes} bytes; at most 65,535 fit")]
    EntryTooLong {
        /// Place within the bundle.
        position: usize,
        /// Its length.
        bytes: usize,
    },
    /// The bytes end within an entry. The server that sent them must act.
    #[error("the bundle ends within entry {position}")]
    Truncated {
        /// Place within the bundle.
        position: usize,
    },
    /// Bytes follow the last entry. The server that sent them must act.
    #[error("{bytes} bytes follow the last entry")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// Writes a bundle.
///
/// # Errors
/// [`EntryBundleError::Count`] or [`EntryBundleError::EntryTooLong`].
pub fn encode_entry_bundle(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, EntryBundleError> {
    check_count(entries.len())?;
    let mut out = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let entry = entry.as_ref();
        let too_long = EntryBundleError::EntryTooLong { position, bytes: entry.len() };
        debug_assert_eq!(ENTRY_MAX_BYTES, usize::from(u16::MAX));
        let length = u16::try_from(entry.len()).map_err(|_| too_long)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// Reads a bundle that must hold exactly `count` entries and nothing else.
///
/// # Errors
/// [`EntryBundleError::Count`], [`EntryBundleError::Truncated`] or [`EntryBundleError::Trailing`].
pub fn decode_entry_bundle(bytes: &[u8], count: usize) -> Result<Vec<&[u8]>, EntryBundleError> {
    check_count(count)?;
    let mut entries = Vec::with_capacity(count);
    let mut rest = bytes;
    for position in 0..count {
        let truncated = EntryBundleError::Truncated { position };
        let (length, after) = rest.split_first_chunk::<2>().ok_or(truncated)?;
        let (entry, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(truncated)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(EntryBundleError::Trailing { bytes: rest.len() }) }
}

fn check_count(got: usize) -> Result<(), EntryBundleError> {
    if got == 0 || got > usize::from(TILE_WIDTH) { Err(EntryBundleError::Count { got }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_at_and_one_past() {
        let longest = vec![7; ENTRY_MAX_BYTES];
        let bundle = encode_entry_bundle(&[&longest]).unwrap();
        assert_eq!(decode_entry_bundle(&bundle, 1).unwrap(), [longest.as_slice()]);
        assert_eq!(
            encode_entry_bundle(&[vec![7; ENTRY_MAX_BYTES + 1]]),
            Err(EntryBundleError::EntryTooLong { position: 0, bytes: ENTRY_MAX_BYTES + 1 })
        );
        assert!(encode_entry_bundle(&[b"x"; 256]).is_ok());
        assert_eq!(encode_entry_bundle(&[b"x"; 257]), Err(EntryBundleError::Count { got: 257 }));
        assert_eq!(encode_entry_bundle(&[] as &[&[u8]]), Err(EntryBundleError::Count { got: 0 }));
        assert_eq!(decode_entry_bundle(&[], 257), Err(EntryBundleError::Count { got: 257 }));
    }

    #[test]
    fn cut_and_lengthened_bundles_are_refused() {
        let bundle = encode_entry_bundle(&[b"one".as_slice(), b"", b"three"]).unwrap();
        assert_eq!(bundle, b"\x00\x03one\x00\x00\x00\x05three");
        assert_eq!(decode_entry_bundle(&bundle, 3).unwrap(), [b"one".as_slice(), b"", b"three"]);
        for cut in 0..bundle.len() {
            assert!(matches!(
                decode_entry_bundle(&bundle[..cut], 3),
                Err(EntryBundleError::Truncated { .. })
            ));
        }
        assert_eq!(decode_entry_bundle(&bundle, 2), Err(EntryBundleError::Trailing { bytes: 7 }));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_accepted_encodes_back(bytes in proptest::collection::vec(0u8..4, 0..60), count in 1usize..6) {
            if let Ok(entries) = decode_entry_bundle(&bytes, count) {
                proptest::prop_assert_eq!(encode_entry_bundle(&entries).unwrap(), bytes);
            }
        }
    }
}
