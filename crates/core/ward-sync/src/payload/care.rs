//! Payloads of care: the medication plan, doses, appointments, notes, the profile.

use super::PayloadError;
use super::text::{MedicationId, long, short, short_or_empty, superseded};
use crate::limits::APPOINTMENT_MAX_MIN;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{EntryId, TimestampMs};

/// One field of one medication of the plan: a register.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MedicationPlanField {
    /// The medication.
    #[n(0)]
    pub medication: MedicationId,
    /// The field, such as `dose` or `times`.
    #[n(1)]
    pub field: String,
    /// Its value; absent clears the field.
    #[n(2)]
    pub value: Option<String>,
    /// The unit of the value (UCUM).
    #[n(3)]
    pub unit: Option<String>,
    /// The writes of this field that the author saw.
    #[n(4)]
    pub supersedes: Vec<EntryId>,
}

impl MedicationPlanField {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the medication", self.medication.as_str())?;
        short("the field", &self.field)?;
        long("the value", self.value.as_deref().unwrap_or(""))?;
        short_or_empty("the unit", self.unit.as_deref().unwrap_or(""))?;
        if self.value.is_none() && self.unit.is_some() {
            return Err(PayloadError::Contradiction("a cleared field has no unit"));
        }
        superseded(&self.supersedes)
    }
}

/// Whether a dose was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DoseOutcome {
    /// Taken.
    #[n(1)]
    Taken,
    /// Left out.
    #[n(2)]
    Skipped,
}

/// A dose taken or skipped: a record.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Dose {
    /// The medication.
    #[n(0)]
    pub medication: MedicationId,
    /// When it was due.
    #[n(1)]
    pub due_at: TimestampMs,
    /// What happened.
    #[n(2)]
    pub outcome: DoseOutcome,
    /// When it happened.
    #[n(3)]
    pub at: TimestampMs,
    /// A remark.
    #[n(4)]
    pub note: Option<String>,
}

impl Dose {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the medication", self.medication.as_str())?;
        long("the remark", self.note.as_deref().unwrap_or(""))
    }
}

/// A visit's own random id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct AppointmentId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Whether a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AppointmentStatus {
    /// It stands.
    #[n(1)]
    Booked,
    /// It was called off.
    #[n(2)]
    Cancelled,
}

/// A visit: a register by its id.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Appointment {
    /// Which visit.
    #[n(0)]
    pub appointment: AppointmentId,
    /// Whether it stands.
    #[n(1)]
    pub status: AppointmentStatus,
    /// When it begins.
    #[n(2)]
    pub starts_at: TimestampMs,
    /// How long it takes.
    #[n(3)]
    pub minutes: u16,
    /// Where.
    #[n(4)]
    pub place: String,
    /// What for.
    #[n(5)]
    pub purpose: String,
    /// The writes of this visit that the author saw.
    #[n(6)]
    pub supersedes: Vec<EntryId>,
}

impl Appointment {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short_or_empty("the place", &self.place)?;
        short_or_empty("the purpose", &self.purpose)?;
        if self.minutes > APPOINTMENT_MAX_MIN {
            return Err(PayloadError::Size("the length of the visit"));
        }
        superseded(&self.supersedes)
    }
}

/// Free text: a register whose first write supersedes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Note {
    /// The text.
    #[n(0)]
    pub text: String,
    /// The writes of this note that the author saw.
    #[n(1)]
    pub supersedes: Vec<EntryId>,
}

impl Note {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        long("the note", &self.text)?;
        superseded(&self.supersedes)
    }
}

/// One field of the profile: a register.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ProfileField {
    /// The field.
    #[n(0)]
    pub field: String,
    /// Its value.
    #[n(1)]
    pub value: String,
    /// The writes of this field that the author saw.
    #[n(2)]
    pub supersedes: Vec<EntryId>,
}

impl ProfileField {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        short("the field", &self.field)?;
        long("the value", &self.value)?;
        superseded(&self.supersedes)
    }
}
