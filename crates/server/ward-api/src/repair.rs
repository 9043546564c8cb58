//! Finding and mending differences between a device and its server: the version vector in one
//! round, bisection of one chain, envelopes that the server lost, and a log that is opened again.

use crate::{LogHead, Opaque};
use minicbor::{Decode, Encode};
use ward_id::{ChartId, DeviceId, EntryId, Head, Incarnation, TreeRoot, VersionVector};

/// Body of `POST /v1/charts/{chart}/have`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HaveQuestion {
    /// SHA-256 of the canonical version vector of the caller.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// Answer of `POST /v1/charts/{chart}/have`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HaveAnswer {
    /// The server's vector; left out when it has the digest of the question.
    #[n(0)]
    pub heads: Option<VersionVector>,
    /// Places whose envelopes the server cannot give as they were: it asks for them.
    #[n(1)]
    pub wanted: Vec<ChainPlace>,
}

/// A chart and the hash of the caller's version vector of it: `[chart, digest]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ChartDigest {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// SHA-256 of the canonical version vector of the caller.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub digest: [u8; 32],
}

/// Body of `POST /v1/have`: at most [`crate::limits::HAVE_CHARTS_MAX`] charts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HaveOfManyQuestion {
    /// What the caller has.
    #[n(0)]
    pub charts: Vec<ChartDigest>,
    /// Whether the newest heads of both logs are wanted as well.
    #[n(1)]
    pub heads: bool,
}

/// Answer of `POST /v1/have`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HaveOfManyAnswer {
    /// Charts of which the server has the same and asks for nothing; the others are asked about one by
    /// one. A chart that the caller does not read is not among them.
    #[n(0)]
    pub same: Vec<ChartId>,
    /// The note that `GET /v1/mlog/checkpoint` gives, if it was wanted and there is one now.
    #[n(1)]
    pub mlog: Option<Opaque>,
    /// The same of the operation log.
    #[n(2)]
    pub olog: Option<Opaque>,
}

/// One place of one chain: `[device, incarnation, seq]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ChainPlace {
    /// Whose chain.
    #[n(0)]
    pub device: DeviceId,
    /// Which life of the store.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The place.
    #[n(2)]
    pub seq: u64,
}

/// Body of `POST /v1/charts/{chart}/reconcile`: which entries stand at these places of one chain?
/// An entry names the one before, so equal names at one place mean equal chains up to there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReconcileQuestion {
    /// Whose chain.
    #[n(0)]
    pub device: DeviceId,
    /// Which life of the store.
    #[n(1)]
    pub incarnation: Incarnation,
    /// Places, rising; at most [`crate::limits::RECONCILE_MAX_PLACES`].
    #[n(2)]
    pub places: Vec<u64>,
}

/// Answer of `POST /v1/charts/{chart}/reconcile`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReconcileAnswer {
    /// The newest entry of the chain, if the server has any of it.
    #[n(0)]
    pub head: Option<Head>,
    /// The entry at each place that was asked for and that the server has, in order.
    #[n(1)]
    pub entries: Vec<PlacedEntry>,
}

/// The entry at a place: `[seq, entry]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PlacedEntry {
    /// The place.
    #[n(0)]
    pub seq: u64,
    /// The entry there.
    #[n(1)]
    pub entry: EntryId,
}

/// Where an entry of the membership log stood before the server was restored, in
/// `POST /v1/mlog/entries`: proved under a cosigned head, so that nobody can give the log another
/// order.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MlogPlace {
    /// Its place.
    #[n(0)]
    pub index: u64,
    /// A cosigned checkpoint of the membership log: the bytes of its note.
    #[n(1)]
    pub checkpoint: Opaque,
    /// The audit path under it.
    #[n(2)]
    pub path: Vec<TreeRoot>,
}

/// Answer of `GET /v1/olog/reopening`: what a restored server waits for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReopeningState {
    /// The origin of the log that ended.
    #[n(0)]
    pub old_origin: String,
    /// The origin under which it goes on.
    #[n(1)]
    pub new_origin: String,
    /// The newest cosigned head of the old log that the server was shown.
    #[n(2)]
    pub old_head: Option<LogHead>,
    /// The note of that head.
    #[n(3)]
    pub checkpoint: Option<Opaque>,
    /// The leaves that the witnesses know the old log to have had.
    #[n(4)]
    pub known_size: u64,
    /// The note of the newest cosigned head of what the server holds: of the old log, or of an earlier one.
    #[n(5)]
    pub kept: Option<Opaque>,
}

/// Body of `POST /v1/olog/reopening`: what a device knows of the operation log that the server may not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct OlogEvidence {
    /// The bytes of the note of a cosigned checkpoint of the log that ended.
    #[n(0)]
    pub checkpoint: Option<Opaque>,
    /// A receipt of the log that counts. If the log does not have what it promises, the server was set
    /// back and waits from then on.
    #[n(1)]
    pub receipt: Option<Opaque>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn an_equal_vector_is_answered_in_a_few_bytes() {
        let same = HaveAnswer { heads: None, wanted: Vec::new() };
        assert_eq!(same.to_canonical(), [0xa1, 0x01, 0x80]);
        let place = ChainPlace { device: DeviceId::from_bytes([1; 16]), incarnation: Incarnation(2), seq: 3 };
        let other = HaveAnswer { heads: Some(VersionVector::new()), wanted: vec![place] };
        assert_eq!(other.to_canonical()[..4], [0xa2, 0x00, 0x80, 0x01]);
        assert_eq!(HaveAnswer::from_canonical(&other.to_canonical()), Ok(other));
        let digest = ChartDigest { chart: ChartId::from_bytes([3; 16]), digest: [7; 32] };
        let many = HaveOfManyQuestion { charts: vec![digest], heads: true };
        assert_eq!(many.to_canonical()[..5], [0xa2, 0x00, 0x81, 0x82, 0x50]);
        assert_eq!(HaveOfManyQuestion::from_canonical(&many.to_canonical()), Ok(many));
        let none = HaveOfManyAnswer { same: Vec::new(), mlog: None, olog: None };
        assert_eq!(none.to_canonical(), [0xa1, 0x00, 0x80]);
        let heads = HaveOfManyAnswer { olog: Some(Opaque(vec![7])), ..none };
        assert_eq!(heads.to_canonical(), [0xa2, 0x00, 0x80, 0x02, 0x41, 0x07]);
        assert_eq!(HaveQuestion { digest: [7; 32] }.to_canonical()[..4], [0xa1, 0x00, 0x58, 0x20]);
    }

    #[test]
    fn a_reconcile_answer_is_the_map_of_the_protocol() {
        let entry = EntryId::from_bytes([9; 32]);
        let answer = ReconcileAnswer { head: None, entries: vec![PlacedEntry { seq: 4, entry }] };
        assert_eq!(answer.to_canonical()[..6], [0xa1, 0x01, 0x81, 0x82, 0x04, 0x58]);
        assert_eq!(ReconcileAnswer::from_canonical(&answer.to_canonical()), Ok(answer));
    }
}
