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
    /// A burst of writing in a text that several people edit.
    pub const TEXT_EDIT: Self = Self(14);
    /// A signature over a version of such a text.
    pub const TEXT_SIGNATURE: Self = Self(15);
    /// A decision between values that contradict each other.
    pub const RESOLVE: Self = Self(16);
    /// A record does not hold any more.
    pub const VOID: Self = Self(17);
    /// An element put into a set or taken out of it.
    pub const SET_CHANGE: Self = Self(18);
    /// A device of staff opened entries of others.
    pub const OPENED: Self = Self(19);
    /// A chain ended: its device is not used any more.
    pub const DEVICE_CLOSED: Self = Self(20);
    /// What a chart held up to a place.
    pub const CHECKPOINT: Self = Self(21);
    /// Another person's device came to the same.
    pub const CHECKPOINT_COSIGNATURE: Self = Self(22);
    /// Staff do not take over what a device handed to the drop box.
    pub const DROP_DECLINED: Self = Self(23);
    /// A blob.
    pub const ATTACHMENT: Self = Self(24);
    /// Something happened to the logs or to a chain.
    pub const INCIDENT: Self = Self(25);

    /// All kinds that this version writes, in order.
    pub const ALL: [Self; 25] = [
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
        Self::TEXT_EDIT,
        Self::TEXT_SIGNATURE,
        Self::RESOLVE,
        Self::VOID,
        Self::SET_CHANGE,
        Self::OPENED,
        Self::DEVICE_CLOSED,
        Self::CHECKPOINT,
        Self::CHECKPOINT_COSIGNATURE,
        Self::DROP_DECLINED,
        Self::ATTACHMENT,
        Self::INCIDENT,
    ];

    /// Whether devices write it to tell each other what a chart held: nobody's work, so nobody waits for
    /// it, it is never handed over, and the next checkpoint does without it.
    pub const fn is_about_checkpoints(self) -> bool {
        matches!(self, Self::CHECKPOINT | Self::CHECKPOINT_COSIGNATURE)
    }

    /// Whether this version knows the kind. Others are never written, but kept when read.
    pub fn is_known(self) -> bool {
        Self::ALL.contains(&self)
    }

    /// The level of apps that can read entries of this kind ([`READER_LEVEL`]).
    ///
    /// [`READER_LEVEL`]: crate::limits::READER_LEVEL
    pub const fn since_level(self) -> u64 {
        match self {
            Self::RESOLVE | Self::VOID | Self::SET_CHANGE => 1,
            _ => 0,
        }
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
            14 => "text-edit",
            15 => "text-signature",
            16 => "resolve",
            17 => "void",
            18 => "set-change",
            19 => "opened",
            20 => "device-closed",
            21 => "checkpoint",
            22 => "checkpoint-cosignature",
            23 => "drop-declined",
            24 => "attachment",
            25 => "incident",
            _ => "reserved",
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.name())
    }
}
