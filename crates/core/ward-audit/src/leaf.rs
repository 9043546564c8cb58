//! What a leaf of the two logs of a site is.

use ward_id::{EnvelopeHash, MlogEntryHash, Subject};

/// Bytes of a leaf of the membership log.
pub const MLOG_LEAF_BYTES: usize = Subject::BYTES + MlogEntryHash::BYTES;

/// The leaf of the membership log for one entry: `subject || SHA-256(entry)`. The subject stands
/// in clear so that a client which fetches all leaves knows which bodies concern it.
pub fn mlog_leaf(subject: Subject, entry: MlogEntryHash) -> [u8; MLOG_LEAF_BYTES] {
    let mut leaf = [0; MLOG_LEAF_BYTES];
    for (to, from) in leaf.iter_mut().zip(subject.as_bytes().iter().chain(entry.as_bytes())) {
        *to = *from;
    }
    leaf
}

/// Takes a leaf of the membership log apart again.
pub fn mlog_leaf_parts(leaf: &[u8; MLOG_LEAF_BYTES]) -> Option<(Subject, MlogEntryHash)> {
    let (subject, entry) = leaf.split_at_checked(Subject::BYTES)?;
    Some((Subject::from_slice(subject)?, MlogEntryHash::from_slice(entry)?))
}

/// The leaf of the operation log for one accepted envelope: the hash of the envelope.
pub fn olog_leaf(envelope: &EnvelopeHash) -> &[u8; EnvelopeHash::BYTES] {
    envelope.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_leaf_is_subject_then_hash() {
        let (subject, entry) = (Subject::from_bytes([0xaa; 16]), MlogEntryHash::from_bytes([0xbb; 32]));
        let leaf = mlog_leaf(subject, entry);
        assert_eq!(leaf[..16], [0xaa; 16]);
        assert_eq!(leaf[16..], [0xbb; 32]);
        assert_eq!(mlog_leaf_parts(&leaf), Some((subject, entry)));
    }
}
