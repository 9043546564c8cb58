//! What a sync found wrong. Some problems stop sealing until a person has looked at them.

use super::NamedBy;
use crate::ClientError;
use crate::store::EvidenceRecord;
use std::fmt;
use ward_api::limits::QUOTA_RETRY_S;
use ward_api::{ErrorCode, LogName};
use ward_id::{ChartId, DeviceId, EntryId, Incarnation, TimestampMs};
use ward_sync::CheckpointFault;

/// Bytes that prove a problem to others, as they were signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Signed notes, receipts or envelopes that contradict each other.
    pub sides: Vec<Vec<u8>>,
}

impl fmt::Debug for Evidence {
    /// Only how much there is: signed notes would drown a log line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<usize> = self.sides.iter().map(Vec::len).collect();
        write!(f, "Evidence(bytes of each side: {lengths:?})")
    }
}

/// What a sync found wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum SyncProblem {
    /// A log became shorter: a server restored from a backup, or an old answer replayed. Sealing
    /// stops; a person must act.
    Rollback(Evidence),
    /// Two histories of one log: the server shows different things to different people. Sealing
    /// stops; a person must act.
    Equivocation(Evidence),
    /// The newest verified head is older than the site allows. Nothing is sealed until the server
    /// shows a newer one.
    Stale {
        /// Age of the head, if it can be told.
        age_ms: Option<i64>,
    },
    /// This device was revoked. Nothing is sealed any more.
    Revoked,
    /// The server says that this device was revoked and cannot show it: nothing is believed, nothing is
    /// locked and nothing is deleted. A person must ask the site by another way.
    RevocationNotProved {
        /// What is wrong with what it showed.
        why: String,
    },
    /// By a verified order of the site this device destroyed what it held.
    Wiped,
    /// Something in the drop box is not what it says.
    BadDrop {
        /// The chart.
        chart: ChartId,
        /// The device that is said to have handed it over.
        device: DeviceId,
        /// What is wrong with it.
        why: &'static str,
    },
    /// This device is suspended for a time.
    Suspended {
        /// When it ends.
        until: Option<TimestampMs>,
    },
    /// The local store was set back to an older state; it was synced before anything was written.
    LocalRollback,
    /// Entries of this device that were saved here and not sent yet are gone: the store lost them, and
    /// the server never had them. The person must enter them again.
    EntriesLost {
        /// The chart.
        chart: ChartId,
        /// How many.
        count: u64,
    },
    /// The server holds another entry at a place of this device's own chain: the store was copied.
    /// A new incarnation was begun.
    OwnFork {
        /// The chart.
        chart: ChartId,
    },
    /// A device signed two histories of its chain.
    DeviceFork {
        /// The chart.
        chart: ChartId,
        /// The device.
        device: DeviceId,
    },
    /// An envelope does not verify or open. It is kept aside.
    BadEnvelope {
        /// The chart.
        chart: ChartId,
        /// Its place in the operation log.
        index: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An epoch package was not accepted. It is kept aside.
    BadPackage {
        /// The chart.
        chart: ChartId,
        /// Why.
        why: String,
    },
    /// The server's version vector names entries that it did not deliver.
    Incomplete {
        /// The chart.
        chart: ChartId,
        /// Whose entries.
        device: DeviceId,
        /// Of which life of the store.
        incarnation: Incarnation,
    },
    /// The server broke the promise of a receipt. Sealing goes on; a person must act.
    BrokenPromise {
        /// The entry that was promised.
        entry: EntryId,
        /// What proves it.
        evidence: Evidence,
    },
    /// Somebody signed a head of the operation log that is not of the log that this device was
    /// shown: the server shows two histories, or that device lies. Sealing goes on, for what it
    /// says of membership is compared apart; a person must ask its owner.
    OtherHistory {
        /// Who named it.
        by: NamedBy,
        /// The head of this device and the one that was named.
        evidence: Evidence,
    },
    /// Somebody signed a longer log than the server shows: it holds something back.
    HiddenTail {
        /// Of which log.
        log: LogName,
        /// Who named it.
        by: NamedBy,
        /// How long it is said to be.
        named: u64,
        /// How long the newest head is that the server shows.
        shown: u64,
    },
    /// The server cannot prove the place that it gave to an entry. If its device was revoked, the
    /// entry does not stand.
    PlaceNotProved {
        /// The chart.
        chart: ChartId,
        /// The entry.
        entry: EntryId,
        /// The place.
        index: u64,
    },
    /// The members of a chart changed and no member made the next epoch yet. Nothing is sealed for
    /// this chart until then.
    NeedsRotation(ChartId),
    /// A certificate of this device ended.
    CertificateExpired,
    /// The site's witnesses could not be reached for the time.
    TimeUnknown,
    /// A device signed a checkpoint that does not hold: it is not used. Somebody must look at that
    /// device; where only the places differ ([`CheckpointFault::Places`]), at the server first.
    BadCheckpoint {
        /// The chart.
        chart: ChartId,
        /// Who signed it.
        device: DeviceId,
        /// The entry with the checkpoint.
        entry: EntryId,
        /// What does not hold.
        fault: CheckpointFault,
    },
    /// The server takes no more of this chart or device: its room is used up. What was written stays
    /// saved here; the operator must act.
    Quota {
        /// The chart.
        chart: ChartId,
        /// What is used: bytes, or envelopes where those came to their limit first.
        used: u64,
        /// What may be used, in the same unit.
        limit: u64,
        /// When to ask again.
        retry_after_s: u32,
    },
    /// A call failed; what it was for is tried again at the next sync.
    Failed {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: ClientError,
    },
}

impl SyncProblem {
    /// The stable word of [`SyncProblem::Rollback`].
    pub(crate) const ROLLBACK_NAME: &'static str = "rollback";

    /// Whether nothing is sealed until a person has acted.
    pub const fn stops_sealing(&self) -> bool {
        matches!(self, Self::Rollback(_) | Self::Equivocation(_) | Self::Revoked)
    }

    /// A stable word for tables and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rollback(_) => Self::ROLLBACK_NAME,
            Self::Equivocation(_) => "equivocation",
            Self::Stale { .. } => "stale",
            Self::Revoked => "revoked",
            Self::RevocationNotProved { .. } => "revocation-not-proved",
            Self::Wiped => "wiped",
            Self::BadDrop { .. } => "bad-drop",
            Self::Suspended { .. } => "suspended",
            Self::LocalRollback => "local-rollback",
            Self::EntriesLost { .. } => "entries-lost",
            Self::OwnFork { .. } => "own-fork",
            Self::DeviceFork { .. } => "device-fork",
            Self::BadEnvelope { .. } => "bad-envelope",
            Self::BadPackage { .. } => "bad-package",
            Self::Incomplete { .. } => "incomplete",
            Self::BrokenPromise { .. } => "broken-promise",
            Self::OtherHistory { .. } => "other-history",
            Self::HiddenTail { .. } => "hidden-tail",
            Self::PlaceNotProved { .. } => "place-not-proved",
            Self::NeedsRotation(_) => "needs-rotation",
            Self::CertificateExpired => "certificate-expired",
            Self::TimeUnknown => "time-unknown",
            Self::BadCheckpoint { .. } => "bad-checkpoint",
            Self::Quota { .. } => "quota",
            Self::Failed { .. } => "failed",
        }
    }

    /// What is stored of evidence that stops sealing.
    pub(crate) fn to_record(&self) -> Option<(&'static str, Vec<Vec<u8>>)> {
        match self {
            Self::Rollback(evidence) | Self::Equivocation(evidence) => {
                Some((self.name(), evidence.sides.clone()))
            }
            _ => None,
        }
    }

    /// Takes stored evidence up again.
    pub(crate) fn from_record(record: &EvidenceRecord) -> Option<Self> {
        let evidence = Evidence { sides: record.sides.iter().map(|side| side.to_vec()).collect() };
        match record.kind.as_str() {
            Self::ROLLBACK_NAME => Some(Self::Rollback(evidence)),
            "equivocation" => Some(Self::Equivocation(evidence)),
            _ => None,
        }
    }

    /// Reads a refusal for want of room.
    pub(crate) fn of_quota(chart: Option<ChartId>, error: &ClientError) -> Option<Self> {
        let ClientError::Refused(problem) = error else { return None };
        let members = Some(&problem.members).filter(|_| problem.is(ErrorCode::QuotaReached))?;
        Some(Self::Quota {
            chart: chart?,
            used: members.used.unwrap_or_default(),
            limit: members.limit.unwrap_or_default(),
            retry_after_s: members.retry_after_s.unwrap_or(QUOTA_RETRY_S),
        })
    }

    /// Reads a refusal that means more than a failed call.
    pub(crate) fn of_error(what: &'static str, error: ClientError) -> Self {
        if error.is(ErrorCode::Revoked) {
            return Self::Revoked;
        }
        if error.is(ErrorCode::CertificateExpired) {
            return Self::CertificateExpired;
        }
        if let ClientError::Refused(problem) = &error
            && problem.is(ErrorCode::Suspended)
        {
            return Self::Suspended { until: problem.members.until };
        }
        Self::Failed { what, error }
    }
}
