//! Which register or which kind of record something is about.

use super::{AppointmentId, MedicationId, Payload};
use crate::kind::EntryKind;
use alloc::string::String;
use core::fmt;
use minicbor::{Decode, Encode};
use ward_id::{hex_decode, hex_encode};

/// A field that can hold several values at once. Records and notes have no name of their own: which
/// one is meant follows from the writes that are named beside the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldKey {
    /// One field of one medication of the plan.
    MedicationPlan(MedicationId, String),
    /// A visit.
    Appointment(AppointmentId),
    /// One field of the profile.
    Profile(String),
    /// A record or note of this kind.
    Record(EntryKind),
}

/// Kinds whose entries hang together by what they name, not by a key.
const RECORD_KINDS: [EntryKind; 8] = [
    EntryKind::QUESTIONNAIRE_RESPONSE,
    EntryKind::DOSE,
    EntryKind::NOTE,
    EntryKind::ALERT_ACKNOWLEDGEMENT,
    EntryKind::CONSENT,
    EntryKind::PARTICIPATION,
    EntryKind::INSTRUMENT,
    EntryKind::ATTACHMENT,
];

/// The key on the wire: `{0: kind, 1: item, 2: field}`.
#[derive(Encode, Decode)]
#[cbor(map)]
pub(super) struct FieldKeyWire {
    #[n(0)]
    pub(super) kind: EntryKind,
    #[n(1)]
    item: Option<String>,
    #[n(2)]
    field: Option<String>,
}

impl FieldKey {
    /// The kind of entries that write this field.
    pub const fn kind(&self) -> EntryKind {
        match self {
            Self::MedicationPlan(..) => EntryKind::MEDICATION_PLAN_FIELD,
            Self::Appointment(_) => EntryKind::APPOINTMENT,
            Self::Profile(_) => EntryKind::PROFILE_FIELD,
            Self::Record(kind) => *kind,
        }
    }

    /// The name under which a study schema describes the field; empty where it has none.
    pub fn name(&self) -> &str {
        match self {
            Self::MedicationPlan(_, field) | Self::Profile(field) => field,
            Self::Appointment(_) | Self::Record(_) => "",
        }
    }

    /// Whether entries of this kind can be declared void: records and notes. A register is cleared or
    /// written again instead, and what is part of the trail stays.
    pub fn is_voidable(kind: EntryKind) -> bool {
        RECORD_KINDS.contains(&kind)
    }

    pub(super) fn to_wire(&self) -> FieldKeyWire {
        let (item, field) = match self {
            Self::MedicationPlan(medication, field) => {
                (Some(medication.as_str().into()), Some(field.clone()))
            }
            Self::Appointment(visit) => (Some(hex_encode(&visit.0)), None),
            Self::Profile(field) => (None, Some(field.clone())),
            Self::Record(_) => (None, None),
        };
        FieldKeyWire { kind: self.kind(), item, field }
    }

    /// `None` for parts that do not make a key of the kind.
    pub(super) fn of_wire(wire: FieldKeyWire) -> Option<Self> {
        match (wire.kind, wire.item, wire.field) {
            (EntryKind::MEDICATION_PLAN_FIELD, Some(medication), Some(field)) => {
                Some(Self::MedicationPlan(MedicationId::new(medication), field))
            }
            (EntryKind::APPOINTMENT, Some(visit), None) => {
                let id: [u8; 16] = hex_decode(&visit).ok()?.try_into().ok()?;
                Some(Self::Appointment(AppointmentId(id)))
            }
            (EntryKind::PROFILE_FIELD, None, Some(field)) => Some(Self::Profile(field)),
            (kind, None, None) if Self::is_voidable(kind) => Some(Self::Record(kind)),
            _ => None,
        }
    }

    /// Whether this version knows fields of that kind.
    pub(super) fn is_known(kind: EntryKind) -> bool {
        Self::is_voidable(kind)
            || matches!(
                kind,
                EntryKind::MEDICATION_PLAN_FIELD | EntryKind::APPOINTMENT | EntryKind::PROFILE_FIELD
            )
    }
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MedicationPlan(medication, field) => write!(f, "{medication} {field}"),
            Self::Appointment(_) => f.write_str("a visit"),
            Self::Profile(field) => f.write_str(field),
            Self::Record(kind) => f.write_str(kind.name()),
        }
    }
}

impl Payload {
    /// The field that this writes, if it can hold several values.
    pub fn field_key(&self) -> Option<FieldKey> {
        Some(match self {
            Self::MedicationPlanField(value) => {
                FieldKey::MedicationPlan(value.medication.clone(), value.field.clone())
            }
            Self::Appointment(value) => FieldKey::Appointment(value.appointment),
            Self::ProfileField(value) => FieldKey::Profile(value.field.clone()),
            Self::Resolve(resolve) => resolve.field.clone(),
            other if FieldKey::is_voidable(other.kind()) => FieldKey::Record(other.kind()),
            _ => return None,
        })
    }
}
