//! The two logs: heads, proofs, membership entries and proposals.

use crate::{MlogPlace, Opaque};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use ward_id::{DeviceId, MlogEntryHash, Subject, TimestampMs, TreeRoot};

/// One of the site's two logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogName {
    /// The membership log: who may read.
    Mlog,
    /// The operation log: what was accepted.
    Olog,
}

impl LogName {
    /// The word in paths and origins.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mlog => "mlog",
            Self::Olog => "olog",
        }
    }

    /// Reads the word of a path.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "mlog" => Some(Self::Mlog),
            "olog" => Some(Self::Olog),
            _ => None,
        }
    }
}

/// Answer of `GET /v1/{log}/consistency`: the proof between two sizes (RFC 6962 §2.1.2).
pub type Consistency = Vec<TreeRoot>;

/// A leaf with the proof that it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inclusion {
    /// The leaf.
    #[n(0)]
    pub leaf: Opaque,
    /// Its audit path (RFC 6962 §2.1.1).
    #[n(1)]
    pub path: Vec<TreeRoot>,
}

/// Body of `POST /v1/olog/proofs`: many proofs under one head, in one round.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OlogProofsQuestion {
    /// Leaves of the log under whose head all is proved.
    #[n(0)]
    pub size: u64,
    /// Places whose inclusion is asked for; together with `sizes` at most
    /// [`crate::limits::OLOG_PROOFS_MAX`].
    #[n(1)]
    pub indexes: Vec<u64>,
    /// Sizes that the log is asked to extend.
    #[n(2)]
    pub sizes: Vec<u64>,
    /// The number of a log that ended, for places below the head of it that was kept; the log that counts
    /// if it is left out.
    #[n(3)]
    pub ended: Option<u32>,
}

/// Answer of `POST /v1/olog/proofs`, in the order of the question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OlogProofsAnswer {
    /// One for each index.
    #[n(0)]
    pub inclusions: Vec<Inclusion>,
    /// One for each size.
    #[n(1)]
    pub consistencies: Vec<Consistency>,
}

/// A leaf of the membership log: 48 bytes, `subject || entry_hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MlogLeaf {
    /// What the entry is about.
    pub subject: Subject,
    /// The entry's hash.
    pub entry_hash: MlogEntryHash,
}

impl MlogLeaf {
    /// Bytes of one leaf.
    pub const BYTES: usize = 48;

    /// The leaf as it stands in the tree and in `GET /v1/mlog/leaves`.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        let (subject, hash) = out.split_at_mut(Subject::BYTES);
        subject.copy_from_slice(self.subject.as_bytes());
        hash.copy_from_slice(self.entry_hash.as_bytes());
        out
    }

    /// Reads one leaf; `None` when the length is not 48.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subject, hash) = bytes.split_at_checked(Subject::BYTES)?;
        Some(Self { subject: Subject::from_slice(subject)?, entry_hash: MlogEntryHash::from_slice(hash)? })
    }
}

/// One row of `GET /v1/mlog/entries`: `[index, entry]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MlogRow {
    /// Its place in the log.
    #[n(0)]
    pub index: u64,
    /// Canonical bytes of the signed entry.
    #[n(1)]
    pub entry: Opaque,
}

/// Body of `POST /v1/mlog/entries`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MlogSubmission {
    /// Canonical bytes of the signed entry.
    #[n(0)]
    pub entry: Opaque,
    /// The epoch package, with an epoch announce.
    #[n(1)]
    pub package: Option<Opaque>,
    /// Where the entry stood, when it is given back to a restored server.
    #[n(2)]
    pub place: Option<MlogPlace>,
}

/// Answer of `POST /v1/mlog/entries`. The signer is done only after it verified inclusion under a
/// cosigned head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MlogAccepted {
    /// The entry's place.
    #[n(0)]
    pub index: u64,
    /// Entries in the log now.
    #[n(1)]
    pub size: u64,
}

/// Body of `POST /v1/mlog/proposals`: an entry that needs another signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProposalSubmission {
    /// Canonical bytes of the entry with the signatures it has so far.
    #[n(0)]
    pub entry: Opaque,
}

/// One row of `GET /v1/mlog/proposals`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Proposal {
    /// SHA-256 of `entry`; names the proposal.
    #[n(0)]
    pub hash: MlogEntryHash,
    /// Canonical bytes of the entry with the signatures it has so far.
    #[n(1)]
    pub entry: Opaque,
    /// The device that proposed it.
    #[n(2)]
    pub proposer: DeviceId,
    /// When the server took it.
    #[n(3)]
    pub received_at: TimestampMs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogHead;
    use ward_id::Canonical;

    #[test]
    fn rows_and_heads_are_arrays() {
        let head = LogHead { size: 3, root: TreeRoot::from_bytes([7; 32]) };
        assert_eq!(head.to_canonical()[..4], [0x82, 0x03, 0x58, 0x20]);
        let row = MlogRow { index: 1, entry: Opaque(vec![9]) };
        assert_eq!(row.to_canonical(), [0x82, 0x01, 0x41, 0x09]);
        assert_eq!(Vec::<MlogRow>::from_canonical(&[0x81, 0x82, 0x01, 0x41, 0x09]), Ok(vec![row]));
    }

    #[test]
    fn a_submission_without_a_package_leaves_the_field_out() {
        let bare = MlogSubmission { entry: Opaque(vec![1]), package: None, place: None };
        assert_eq!(bare.to_canonical(), [0xa1, 0x00, 0x41, 0x01]);
        let full = MlogSubmission { package: Some(Opaque(vec![])), ..bare.clone() };
        assert_eq!(full.to_canonical(), [0xa2, 0x00, 0x41, 0x01, 0x01, 0x40]);
        assert_eq!(MlogSubmission::from_canonical(&full.to_canonical()), Ok(full));
        assert!(
            MlogSubmission::from_canonical(&[0xa2, 0x00, 0x41, 0x01, 0x01, 0xf6]).is_err(),
            "null is not absent"
        );
    }

    #[test]
    fn many_proofs_are_maps_of_lists() {
        let question = OlogProofsQuestion { size: 9, indexes: vec![3], sizes: Vec::new(), ended: None };
        assert_eq!(question.to_canonical(), [0xa3, 0x00, 0x09, 0x01, 0x81, 0x03, 0x02, 0x80]);
        assert_eq!(OlogProofsQuestion::from_canonical(&question.to_canonical()), Ok(question));
        let inclusion = Inclusion { leaf: Opaque(vec![7]), path: Vec::new() };
        let answer = OlogProofsAnswer { inclusions: vec![inclusion], consistencies: vec![Vec::new()] };
        let bytes = [0xa2, 0x00, 0x81, 0xa2, 0x00, 0x41, 0x07, 0x01, 0x80, 0x01, 0x81, 0x80];
        assert_eq!(answer.to_canonical(), bytes);
        assert_eq!(OlogProofsAnswer::from_canonical(&bytes), Ok(answer));
    }

    #[test]
    fn a_leaf_is_48_bytes() {
        let leaf = MlogLeaf {
            subject: Subject::from_bytes([1; 16]),
            entry_hash: MlogEntryHash::from_bytes([2; 32]),
        };
        assert_eq!(MlogLeaf::from_bytes(&leaf.to_bytes()), Some(leaf));
        assert_eq!(MlogLeaf::from_bytes(&[0; 47]), None);
        assert_eq!(MlogLeaf::from_bytes(&[0; 49]), None);
    }
}
