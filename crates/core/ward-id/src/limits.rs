//! Limits of ids and encodings. Every limit of Ward is a named constant like these.

/// Bytes of a random id (128 bits: collisions are not a concern at any size Ward reaches).
pub const ID_BYTES: usize = 16;
/// Bytes of a SHA-256 digest.
pub const HASH_BYTES: usize = 32;
/// Devices times incarnations that one version vector may name.
pub const VERSION_VECTOR_MAX_HEADS: usize = 4_096;
/// Words in the comparison list: 11 bits each.
pub const WORD_COUNT: usize = 2_048;
