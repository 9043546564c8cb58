//! The numbered kinds of entries.

use core::fmt;
use minicbor::{Decode, Encode};

/// What an entry is about. Numbers outside the known ones are kept, so that an older app passes
/// on what a newer one wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct EntryKind(#[n(0)] pub u8);

impl EntryKind {
    /// Opens a new life of a device's store and names where the old one ended.
    pub const INCARNATION_OPEN: Self = Self(1);
    /// Answers to a questionnaire.
    pub const QUESTIONNAIRE_RESPONSE: Self = Self(2);
    /// One field of the medication plan.
    pub const MEDICATION_PLAN_FIELD: Self = Self(3);
    /// A dose taken or skipped.
    pub const DOSE: Self = Self(4);
    /// A visit, booked or cancelled.
    pub const APPOINTMENT: Self = Self(5);
    /// Free text.
    pub const NOTE: Self = Self(6);
    /// Somebody looked at an alert and acted.
    pub const ALERT_ACKNOWLEDGEMENT: Self = Self(7);
    /// Consent given or withdrawn.
    pub const CONSENT: Self = Self(8);
    /// Where the participant stands in the study.
    pub const PARTICIPATION: Self = Self(9);
    /// Somebody opened the chart.
    pub const ACCESS_RECEIPT: Self = Self(10);
    /// A questionnaire and its schedule.
    pub const INSTRUMENT: Self = Self(11);
    /// One field of the profile.
    pub const PROFILE_FIELD: Self = Self(12);
    /// Somebody else's entry, held unchanged.
    pub const CARRY: Self = Self(13);
    /// What a chart held up to a place.
    pub const CHECKPOINT: Self = Self(21);
    /// Another person's device came to the same.
    pub const CHECKPOINT_COSIGNATURE: Self = Self(22);
    /// A blob.
    pub const ATTACHMENT: Self = Self(24);

    /// All kinds that this version writes, in order.
    pub const ALL: [Self; 16] = [
        Self::INCARNATION_OPEN,
        Self::QUESTIONNAIRE_RESPONSE,
        Self::MEDICATION_PLAN_FIELD,
        Self::DOSE,
        Self::APPOINTMENT,
        Self::NOTE,
        Self::ALERT_ACKNOWLEDGEMENT,
        Self::CONSENT,
        Self::PARTICIPATION,
        Self::ACCESS_RECEIPT,
        Self::INSTRUMENT,
        Self::PROFILE_FIELD,
        Self::CARRY,
        Self::CHECKPOINT,
        Self::CHECKPOINT_COSIGNATURE,
        Self::ATTACHMENT,
    ];

    /// Whether this version knows the kind. Others are never written, but kept when read.
    pub fn is_known(self) -> bool {
        Self::ALL.contains(&self)
    }

    /// The name in the protocol's table.
    pub const fn name(self) -> &'static str {
        match self.0 {
            1 => "incarnation-open",
            2 => "questionnaire-response",
            3 => "medication-plan-field",
            4 => "dose",
            5 => "appointment",
            6 => "note",
            7 => "alert-acknowledgement",
            8 => "consent",
            9 => "participation",
            10 => "access-receipt",
            11 => "instrument",
            12 => "profile-field",
            13 => "carry",
            21 => "checkpoint",
            22 => "checkpoint-cosignature",
            24 => "attachment",
            _ => "reserved",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}
