//! What devices write about chains and logs rather than about the participant: that a chain ended,
//! and that something happened which an auditor must be able to find.

use super::PayloadError;
use crate::limits::INCIDENT_EVIDENCE_MAX_BYTES;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{DeviceId, EntryId, Incarnation};

/// A chain is closed: its device is not used any more. What it wrote stays; what turns up beyond
/// the last entry is a late device's, still merged and shown as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceClosed {
    /// Whose chain.
    #[n(0)]
    pub device: DeviceId,
    /// Which life of its store.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The place of its last entry.
    #[n(2)]
    pub final_seq: u64,
    /// Its last entry.
    #[n(3)]
    pub final_entry: EntryId,
}

impl DeviceClosed {
    pub(super) const fn check(&self) -> Result<(), PayloadError> {
        if self.final_seq == 0 {
            return Err(PayloadError::Contradiction("a closed chain has at least one entry"));
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum IncidentKind {
    /// The operation log was opened again after a restore that lost acknowledged entries.
    #[n(1)]
    LogReopened,
    /// A device gave the server entries of others that it lacked.
    #[n(2)]
    Relayed,
    /// A device signed two histories of one chain.
    #[n(3)]
    Fork,
    /// The store of the writing device had been set back.
    #[n(4)]
    LocalRollback,
}

impl IncidentKind {
    /// A stable word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogReopened => "log-reopened",
            Self::Relayed => "relayed",
            Self::Fork => "fork",
            Self::LocalRollback => "local-rollback",
        }
    }
}

/// Something happened to the logs or to a chain. One device writes it at most once for one event.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Incident {
    /// What.
    #[n(0)]
    pub what: IncidentKind,
    /// Names the event: the same event has the same name on every device.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub event: [u8; 32],
    /// Whose chain it is about.
    #[n(2)]
    pub device: Option<DeviceId>,
    /// Which life of that device's store.
    #[n(3)]
    pub incarnation: Option<Incarnation>,
    /// The place in the chain, or the first of several.
    #[n(4)]
    pub seq: Option<u64>,
    /// How many entries it concerns.
    #[n(5)]
    pub count: Option<u64>,
    /// What proves it: a fork proof, or the checkpoint with which the old log ended.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub evidence: Option<Vec<u8>>,
}

impl Incident {
    /// An incident without particulars.
    pub const fn new(what: IncidentKind, event: [u8; 32]) -> Self {
        Self { what, event, device: None, incarnation: None, seq: None, count: None, evidence: None }
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        match &self.evidence {
            Some(bytes) if bytes.is_empty() || bytes.len() > INCIDENT_EVIDENCE_MAX_BYTES => {
                Err(PayloadError::Size("the evidence"))
            }
            _ => Ok(()),
        }
    }
}
