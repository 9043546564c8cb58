//! Payloads of record: consent, participation, acknowledgements, receipts of access, the opening of
//! a store and carried entries.

use super::text::{long, short};
use super::{Decoded, Payload, PayloadError};
use crate::limits::{ACKNOWLEDGED_ENTRIES_MAX, CARRIES_NESTED_MAX, CARRY_MAX_BYTES};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_crypto::{CaptureSignature, Signature};
use ward_id::{EntryId, Incarnation, TimestampMs};

/// The first entry of a store that replaces an older one of the same device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IncarnationOpen {
    /// The life that ended.
    #[n(0)]
    pub old_incarnation: Incarnation,
    /// The last place in its chain.
    #[n(1)]
    pub old_seq: u64,
    /// The entry there.
    #[n(2)]
    pub old_entry: EntryId,
}

impl IncarnationOpen {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.old_seq == 0 {
            return Err(PayloadError::Contradiction("a chain that ended has at least one entry"));
        }
        Ok(())
    }
}

/// Somebody looked at an alert and acted: a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AlertAcknowledgement {
    /// Which alert.
    #[n(0)]
    pub item: String,
    /// The entries that raised it.
    #[n(1)]
    pub entries: Vec<EntryId>,
    /// What was done.
    #[n(2)]
    pub action: String,
}

impl AlertAcknowledgement {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the alert", &self.item)?;
        long("the action", &self.action)?;
        if self.entries.len() > ACKNOWLEDGED_ENTRIES_MAX {
            return Err(PayloadError::Size("the list of entries"));
        }
        Ok(())
    }
}

/// Whether consent was given or withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ConsentStatus {
    /// Given.
    #[n(1)]
    Given,
    /// Withdrawn.
    #[n(2)]
    Withdrawn,
}

/// What the participant wants done with the data after withdrawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DataChoice {
    /// What was collected stays in the study.
    #[n(1)]
    Keep,
    /// What was collected is erased.
    #[n(2)]
    Erase,
}

/// Consent given or withdrawn: a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Consent {
    /// The version of the consent form.
    #[n(0)]
    pub consent_version: String,
    /// Given or withdrawn.
    #[n(1)]
    pub status: ConsentStatus,
    /// What happens to the data; only with a withdrawal.
    #[n(2)]
    pub choice: Option<DataChoice>,
}

impl Consent {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the version of the consent form", &self.consent_version)?;
        if self.choice.is_some() != (self.status == ConsentStatus::Withdrawn) {
            return Err(PayloadError::Contradiction(
                "the choice about the data belongs to a withdrawal, and only there",
            ));
        }
        Ok(())
    }
}

/// Where a participant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ParticipationState {
    /// Being considered.
    #[n(1)]
    Screened,
    /// In the study.
    #[n(2)]
    Active,
    /// Pausing.
    #[n(3)]
    Paused,
    /// Left early.
    #[n(4)]
    Withdrawn,
    /// Finished.
    #[n(5)]
    Completed,
}

/// A change of where the participant stands: a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Participation {
    /// The new state.
    #[n(0)]
    pub state: ParticipationState,
    /// From when on.
    #[n(1)]
    pub from: TimestampMs,
}

impl Participation {
    #[expect(clippy::unnecessary_wraps, reason = "every payload is checked in the same way")]
    pub(super) const fn check(&self) -> Result<(), PayloadError> {
        Ok(())
    }
}

/// Why somebody opened the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AccessPurpose {
    /// To care for the participant.
    #[n(1)]
    Care,
    /// To take data out.
    #[n(2)]
    Export,
    /// In an emergency, outside the usual rules.
    #[n(3)]
    BreakGlass,
    /// To check source data.
    #[n(4)]
    Verify,
}

/// Somebody opened the chart: one record for each device, day and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AccessReceipt {
    /// Why.
    #[n(0)]
    pub purpose: AccessPurpose,
    /// The UTC day, in days since 1970-01-01.
    #[n(1)]
    pub day: i64,
    /// The first time on that day.
    #[n(2)]
    pub first_at: TimestampMs,
    /// The last time on that day.
    #[n(3)]
    pub last_at: TimestampMs,
    /// How often.
    #[n(4)]
    pub count: u64,
}

impl AccessReceipt {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.first_at > self.last_at || self.count == 0 {
            return Err(PayloadError::Contradiction(
                "the first access comes before the last, and there is at least one",
            ));
        }
        if self.first_at.utc_day() != self.day || self.last_at.utc_day() != self.day {
            return Err(PayloadError::Contradiction("the accesses lie on another day"));
        }
        Ok(())
    }
}

/// Why an entry is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum CarryReason {
    /// Its device could not send it any more, and staff take it over.
    #[n(1)]
    Adopt,
    /// It stood on a branch of a copied store.
    #[n(2)]
    Reauthor,
    /// It comes from another site.
    #[n(3)]
    Transfer,
    /// Staff do not take it over. It is brought only because others may have written, or may write, on top
    /// of it: what it says does not count.
    #[n(4)]
    Decline,
    /// The server lost it and has another one at its place, since its device's store was copied or set back.
    /// Whoever still has it gives it back, without taking anything over.
    #[n(5)]
    GiveBack,
}

/// Somebody else's entry, held unchanged. Its author, time and signature stay the author's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Carry {
    /// The canonical frame of the entry.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub frame: Vec<u8>,
    /// The algorithm of its signature.
    #[n(1)]
    pub sig_alg: u8,
    /// Its signature.
    #[n(2)]
    pub capture_sig: Signature,
    /// Why it is carried.
    #[n(3)]
    pub why: CarryReason,
}

impl Carry {
    /// Wraps an entry.
    pub fn of(entry: &crate::entry::SignedEntry, why: CarryReason) -> Self {
        use ward_id::Canonical as _;
        Self {
            frame: entry.frame().to_canonical(),
            sig_alg: entry.capture().alg(),
            capture_sig: *entry.capture().signature(),
            why,
        }
    }

    /// Wraps an entry that is adopted. Where it carries another itself and both have no room, or would be
    /// read by nobody so deep inside, what it carries is wrapped, if it would make that count: to adopt the
    /// one is to adopt the other.
    pub fn adopting(entry: &crate::entry::SignedEntry) -> Self {
        let mut carry = Self::of(entry, CarryReason::Adopt);
        while !carry.is_read_whole() {
            let Some(outer) = carry.entry() else { break };
            let Decoded::Known(Payload::Carry(inner)) = outer.body().decode_payload() else { break };
            let is_own = inner.entry().is_some_and(|it| it.frame().device == outer.frame().device);
            match inner.why {
                CarryReason::Reauthor if is_own => {}
                CarryReason::Adopt => {}
                _ => break,
            }
            carry = Self { why: CarryReason::Adopt, ..inner };
        }
        carry
    }

    /// Whether it has room in an entry, and readers open everything that it holds.
    fn is_read_whole(&self) -> bool {
        use ward_id::Canonical as _;
        let (mut layers, mut next) = (1, self.entry());
        while let Some(Decoded::Known(Payload::Carry(inner))) =
            next.filter(|_| layers <= CARRIES_NESTED_MAX).map(|entry| entry.body().decode_payload())
        {
            (layers, next) = (layers + 1, inner.entry());
        }
        layers <= CARRIES_NESTED_MAX && self.to_canonical().len() <= CARRY_MAX_BYTES
    }

    /// The signature of the carried entry, if this version knows its algorithm.
    pub fn capture(&self) -> Option<CaptureSignature> {
        CaptureSignature::from_parts(self.sig_alg, self.capture_sig)
    }

    /// The carried entry, if it can be read. Its signature is still to be checked, with the
    /// certificate of its device.
    pub fn entry(&self) -> Option<crate::entry::SignedEntry> {
        use ward_id::Canonical as _;
        let frame = crate::entry::EntryFrame::from_canonical(&self.frame).ok()?;
        crate::entry::SignedEntry::unverified(frame, self.capture()?).ok()
    }

    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.frame.is_empty() { Err(PayloadError::Size("the carried entry")) } else { Ok(()) }
    }
}
