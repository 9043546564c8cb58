//! Tables of names that come with the rules, quick to look into.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A table whose names come from rules and defaults. What is looked up may come from anywhere: it is put nowhere, so
/// that nobody can crowd the places of the table.
pub(super) type KnownNames<T> = HashMap<Box<str>, T, BuildHasherDefault<NameHasher>>;

/// Odd, with bits all over: it spreads what it is multiplied with.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Eight letters at a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NameHasher(u64);

impl NameHasher {
    fn take(&mut self, letters: u64) {
        self.0 = (self.0.rotate_left(5) ^ letters).wrapping_mul(SPREAD);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.take(u64::from_le_bytes(*chunk));
        }
        self.take(rest.iter().fold(0, |letters, byte| letters << 8 | u64::from(*byte)));
    }

    fn write_u8(&mut self, byte: u8) {
        self.take(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        // The upper bits hang on all letters; tables look at the lower ones first.
        self.0.rotate_left(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin_rules;
    use std::collections::HashSet;
    use std::hash::{BuildHasher, BuildHasherDefault};

    #[test]
    fn names_of_types_are_spread() {
        let rules = builtin_rules().unwrap();
        let kinds: HashSet<&str> = rules
            .rules()
            .iter()
            .flat_map(|rule| &rule.cells)
            .flat_map(|cell| &cell.types)
            .map(|kind| &**kind)
            .collect();
        let hasher = BuildHasherDefault::<NameHasher>::default();
        let hashes: HashSet<u64> = kinds.iter().map(|kind| hasher.hash_one(kind)).collect();
        assert_eq!(hashes.len(), kinds.len());
        let lower: HashSet<u64> = hashes.iter().map(|hash| hash & 0x3ff).collect();
        assert!(lower.len() * 2 > kinds.len().min(0x400), "{} of {}", lower.len(), kinds.len());
    }
}
