//! What a device remembers for the person: the last sync, when witnesses signed, and what was lost.
//! These forms are for ever: a field is never given another meaning.

use super::Bytes;
use minicbor::{Decode, Encode};
use ward_id::{ChartId, Incarnation, TimestampMs};

/// Row `last-sync`.
pub(crate) const LAST_SYNC_ROW: &[u8] = b"last-sync";
/// Row `witnessed-heads`.
pub(crate) const WITNESSED_ROW: &[u8] = b"witnessed-heads";
/// Row `losses`.
pub(crate) const LOSSES_ROW: &[u8] = b"losses";

/// Row `submissions`.
pub(crate) const SUBMISSIONS_ROW: &[u8] = b"submissions";
/// The row about the zones that this device showed.
pub(crate) const ZONES_ROW: &[u8] = b"zones";
/// Row `recovered`.
pub(crate) const RECOVERED_ROW: &[u8] = b"recovered";

/// The charts in which a new life began since this store was found to be older than a mark: a recovery
/// that was cut off goes on behind them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RecoveredRecord {
    /// The commit that the mark names.
    #[n(0)]
    pub(crate) mark: u64,
    /// The charts, with the new life of each.
    #[n(1)]
    pub(crate) lives: Vec<(ChartId, Incarnation)>,
}

impl RecoveredRecord {
    /// The life that began in a chart after a mark.
    pub(crate) fn life_of(&self, chart: ChartId, mark: u64) -> Option<Incarnation> {
        let of_chart = self.lives.iter().filter(|_| self.mark == mark).find(|(of, _)| *of == chart);
        of_chart.map(|(_, life)| *life)
    }

    /// With a life that begins in a chart.
    pub(crate) fn with(&self, chart: ChartId, life: Incarnation, mark: u64) -> Self {
        let known = self.lives.iter().filter(|(of, _)| self.mark == mark && *of != chart);
        Self { mark, lives: known.copied().chain([(chart, life)]).collect() }
    }
}

/// What the last sync came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct LastSyncRecord {
    /// When it was tried, by this device's clock.
    #[n(0)]
    pub(crate) tried_at: TimestampMs,
    /// When one last sent, fetched and verified everything.
    #[n(1)]
    pub(crate) complete_at: Option<TimestampMs>,
    /// When the next one is due, if something waits.
    #[n(2)]
    pub(crate) next_attempt_at: Option<TimestampMs>,
    /// What went wrong, as the stable words of problems.
    #[n(3)]
    pub(crate) problems: Vec<String>,
}

/// The zones that this device showed. Row `zones`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct ZonesRecord {
    /// When each was first seen, and its name (IANA); the newest last.
    #[n(0)]
    pub(crate) seen: Vec<(TimestampMs, String)>,
}

/// Heads of the operation log with the times that witnesses attested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct WitnessedRecord {
    /// Size, earliest and latest time.
    #[n(0)]
    pub(crate) heads: Vec<(u64, TimestampMs, TimestampMs)>,
}

/// An entry of this device that was confirmed to the person and that nobody has any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) struct LostPlace {
    #[n(0)]
    pub(crate) chart: ChartId,
    #[n(1)]
    pub(crate) incarnation: Incarnation,
    #[n(2)]
    pub(crate) seq: u64,
}

/// What could not be kept: shown until the person has taken note of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct LossRecord {
    /// When it was found, by this device's clock.
    #[n(0)]
    pub(crate) found_at: TimestampMs,
    /// Entries that were not sent yet and cannot be read any more.
    #[n(1)]
    pub(crate) entries: Vec<LostPlace>,
    /// Drafts.
    #[n(2)]
    pub(crate) drafts: u64,
    /// Notes of who read a chart, not written into it yet.
    #[n(3)]
    pub(crate) accesses: u64,
    /// Receipts of the server.
    #[n(4)]
    pub(crate) receipts: u64,
    /// The newest heads of the logs: an older one could be shown once.
    #[n(5)]
    pub(crate) heads: bool,
    /// Attachments of which a part is lost before the server was known to have all of it.
    #[n(6)]
    pub(crate) attachments: u64,
}

/// An entry that this device sent to the membership log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SubmissionRecord {
    /// Canonical bytes of the signed entry.
    #[n(0)]
    pub(crate) entry: Bytes,
    /// The epoch package, with an announce.
    #[n(1)]
    pub(crate) package: Option<Bytes>,
}

/// What this device sent to the membership log last, oldest first, kept before it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SubmissionsRecord {
    #[n(0)]
    pub(crate) kept: Vec<SubmissionRecord>,
}

/// A row that could not be opened any more, as it was found. Row id: random.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DamagedRecord {
    #[n(0)]
    pub(crate) table: u8,
    #[n(1)]
    pub(crate) id: Bytes,
    #[n(2)]
    pub(crate) version: u64,
    #[n(3)]
    pub(crate) sealed: Bytes,
}
