//! What entries say: one type for each kind, decoded by (kind, schema, version).
//!
//! An unknown triple is kept byte for byte and shown as "needs a newer app". A known one that does
//! not decode is kept and marked invalid. Neither stops the chain that holds it.

mod attachment;
mod care;
mod checkpoint;
mod drop_declined;
mod edited_text;
mod field_key;
mod instrument;
mod opened;
mod record;
mod resolve;
mod response;
mod set_change;
mod text;
mod upkeep;
mod void;

pub use attachment::Attachment;
pub use care::{
    Appointment, AppointmentId, AppointmentStatus, Dose, DoseOutcome, MedicationPlanField, Note, ProfileField,
};
pub use checkpoint::{Checkpoint, CheckpointCosignature};
pub use drop_declined::DropDeclined;
pub use edited_text::{TextBurst, TextId, TextSignature};
pub use field_key::FieldKey;
pub use instrument::{Instrument, InstrumentSchedule};
pub use opened::{Opened, OpenedChain};
pub use record::{
    AccessPurpose, AccessReceipt, AlertAcknowledgement, Carry, CarryReason, Consent, ConsentStatus,
    DataChoice, IncarnationOpen, Participation, ParticipationState,
};
pub use resolve::{Resolution, Resolve};
pub use response::{AnsweredBy, DenseResponse, QuestionnaireResponse, Response, ResponseStatus};
pub use set_change::SetChange;
pub use text::{MedicationId, Occurrence};
pub use upkeep::{DeviceClosed, Incident, IncidentKind};
pub use void::Void;

use crate::kind::EntryKind;
use alloc::vec::Vec;
use ward_id::{Canonical, CborError, EntryId};

/// A payload that breaks a rule of its kind. The app that made it is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The bytes are not the payload that (kind, schema, version) promises.
    #[error("the payload does not decode: {0}")]
    Encoding(#[from] CborError),
    /// A part is empty or longer than its limit.
    #[error("{0} is empty or too long")]
    Size(&'static str),
    /// Two parts contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

/// What decoding a payload gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it was made, and never kept")]
pub enum Decoded {
    /// A payload that this version understands.
    Known(Payload),
    /// A (kind, schema, version) that this version does not know.
    Unknown,
    /// A known triple whose bytes break its rules.
    Invalid(PayloadError),
}

/// The parts that differ between a payload of one version and one of several.
macro_rules! versions {
    (read $name:ident several $version:ident $bytes:ident) => {
        $name::of_payload($version, $bytes)
    };
    (read $name:ident $known:literal $version:ident $bytes:ident) => {
        ($version == $known).then(|| $name::from_canonical($bytes))
    };
    (write $payload:ident several) => {
        $payload.to_payload()
    };
    (write $payload:ident $known:literal) => {
        $payload.to_canonical()
    };
    (number $payload:ident several) => {
        $payload.version()
    };
    (number $payload:ident $known:literal) => {{
        let _ = $payload;
        $known
    }};
}

macro_rules! payloads {
    ($($kind:ident $name:ident $schema:literal $version:tt;)*) => {
        /// What an entry says.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $(#[doc = concat!("A payload of schema `", $schema, "`.")] $name($name),)*
        }

        impl Payload {
            /// Decodes a payload by its triple.
            pub fn decode(kind: EntryKind, schema: &str, version: u64, bytes: &[u8]) -> Decoded {
                match (kind, schema) {
                    $((EntryKind::$kind, $schema) => {
                        let read = versions!(read $name $version version bytes);
                        read.map_or(Decoded::Unknown, |read| checked(read.map(Self::$name)))
                    })*
                    _ => Decoded::Unknown,
                }
            }

            /// The schema in which entries of a kind are written; `None` for a kind that this
            /// version does not know.
            pub const fn schema_of(kind: EntryKind) -> Option<&'static str> {
                match kind {
                    $(EntryKind::$kind => Some($schema),)*
                    _ => None,
                }
            }

            /// The canonical bytes.
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$name(payload) => versions!(write payload $version),)*
                }
            }

            /// The kind of entry that says this.
            pub const fn kind(&self) -> EntryKind {
                match self {
                    $(Self::$name(_) => EntryKind::$kind,)*
                }
            }

            /// The name of the schema.
            pub const fn schema(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $schema,)*
                }
            }

            /// The version of the schema.
            pub const fn version(&self) -> u64 {
                match self {
                    $(Self::$name(payload) => versions!(number payload $version),)*
                }
            }

            /// Checks sizes and contradictions.
            ///
            /// # Errors
            /// The first rule that is broken.
            pub fn check(&self) -> Result<(), PayloadError> {
                match self {
                    $(Self::$name(payload) => payload.check(),)*
                }
            }
        }

        $(impl From<$name> for Payload {
            fn from(payload: $name) -> Self {
                Self::$name(payload)
            }
        })*
    };
}

payloads! {
    INCARNATION_OPEN IncarnationOpen "ward/incarnation" 1;
    QUESTIONNAIRE_RESPONSE Response "fhir/QuestionnaireResponse" several;
    MEDICATION_PLAN_FIELD MedicationPlanField "ward/medication-plan" 1;
    DOSE Dose "ward/dose" 1;
    APPOINTMENT Appointment "ward/appointment" 1;
    NOTE Note "ward/note" 1;
    ALERT_ACKNOWLEDGEMENT AlertAcknowledgement "ward/alert-ack" 1;
    CONSENT Consent "ward/consent" 1;
    PARTICIPATION Participation "ward/participation" 1;
    ACCESS_RECEIPT AccessReceipt "ward/access" 1;
    INSTRUMENT Instrument "fhir/Questionnaire" several;
    PROFILE_FIELD ProfileField "ward/profile" 1;
    CARRY Carry "ward/carry" 1;
    TEXT_EDIT TextBurst "ward/text" 1;
    TEXT_SIGNATURE TextSignature "ward/text-signature" 1;
    RESOLVE Resolve "ward/resolve" several;
    VOID Void "ward/void" 1;
    SET_CHANGE SetChange "ward/set" 1;
    OPENED Opened "ward/opened" 1;
    DEVICE_CLOSED DeviceClosed "ward/device-closed" 1;
    CHECKPOINT Checkpoint "ward/checkpoint" 1;
    CHECKPOINT_COSIGNATURE CheckpointCosignature "ward/checkpoint-cosignature" 1;
    DROP_DECLINED DropDeclined "ward/drop-declined" 1;
    ATTACHMENT Attachment "ward/attachment" 1;
    INCIDENT Incident "ward/incident" 1;
}

/// What a device that runs out of room may still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadRoom {
    /// What a person reports or decides: refused last.
    Submission,
    /// Words, and what a device writes by itself.
    Text,
    /// Names a blob: refused first.
    Attachment,
}

impl From<QuestionnaireResponse> for Payload {
    fn from(response: QuestionnaireResponse) -> Self {
        Self::Response(response.into())
    }
}

impl From<DenseResponse> for Payload {
    fn from(response: DenseResponse) -> Self {
        Self::Response(response.into())
    }
}

impl Payload {
    /// How long a device that runs out of room still takes it.
    pub const fn room(&self) -> PayloadRoom {
        match self {
            Self::Attachment(_) => PayloadRoom::Attachment,
            Self::Note(_)
            | Self::AccessReceipt(_)
            | Self::TextBurst(_)
            | Self::TextSignature(_)
            | Self::Opened(_)
            | Self::Incident(_)
            | Self::Checkpoint(_)
            | Self::CheckpointCosignature(_) => PayloadRoom::Text,
            _ => PayloadRoom::Submission,
        }
    }

    /// The writes that this one replaces, for registers.
    pub fn supersedes(&self) -> &[EntryId] {
        match self {
            Self::MedicationPlanField(field) => &field.supersedes,
            Self::Appointment(appointment) => &appointment.supersedes,
            Self::Note(note) => &note.supersedes,
            Self::ProfileField(field) => &field.supersedes,
            _ => &[],
        }
    }

    /// Entries that must be known before this one can be shown.
    pub fn names(&self) -> &[EntryId] {
        match self {
            Self::AlertAcknowledgement(acknowledgement) => &acknowledgement.entries,
            Self::Response(response) => response.instrument().map_or(&[], core::slice::from_ref),
            Self::Resolve(resolve) => &resolve.candidates,
            Self::Void(void) => core::slice::from_ref(&void.target),
            Self::SetChange(change) => &change.removes,
            Self::TextBurst(burst) => &burst.parents,
            Self::TextSignature(signature) => &signature.frontier,
            Self::CheckpointCosignature(signed) => core::slice::from_ref(&signed.checkpoint),
            other => other.supersedes(),
        }
    }

    /// Names other entries in place of those for which `new` has one.
    pub fn rename(&mut self, new: impl Fn(EntryId) -> Option<EntryId>) {
        let names: &mut [EntryId] = match self {
            Self::AlertAcknowledgement(acknowledgement) => &mut acknowledgement.entries,
            Self::Response(Response::Dense(response)) => core::slice::from_mut(&mut response.instrument),
            Self::MedicationPlanField(field) => &mut field.supersedes,
            Self::Appointment(appointment) => &mut appointment.supersedes,
            Self::Note(note) => &mut note.supersedes,
            Self::ProfileField(field) => &mut field.supersedes,
            Self::Void(void) => core::slice::from_mut(&mut void.target),
            Self::SetChange(change) => &mut change.removes,
            Self::Resolve(resolve) => {
                resolve.rename(new);
                return;
            }
            Self::TextBurst(burst) => &mut burst.parents,
            Self::TextSignature(signature) => &mut signature.frontier,
            Self::CheckpointCosignature(signed) => core::slice::from_mut(&mut signed.checkpoint),
            _ => &mut [],
        };
        for name in names.iter_mut() {
            *name = new(*name).unwrap_or(*name);
        }
        if matches!(self, Self::TextBurst(_) | Self::TextSignature(_)) {
            self.sort_version();
        }
    }
}

/// A text's version has one spelling.
impl Payload {
    fn sort_version(&mut self) {
        if let Self::TextBurst(TextBurst { parents: version, .. })
        | Self::TextSignature(TextSignature { frontier: version, .. }) = self
        {
            version.sort_unstable();
        }
    }

    /// Whether an entry that says this must say why, too (21 CFR 11.10(e)).
    pub const fn needs_reason(&self) -> bool {
        matches!(self, Self::Resolve(_) | Self::Void(_))
    }

    /// Checks that there is a reason where there must be one.
    ///
    /// # Errors
    /// [`PayloadError::Contradiction`].
    pub fn check_reason(&self, reason: Option<&str>) -> Result<(), PayloadError> {
        if self.needs_reason() && reason.is_none_or(|reason| reason.trim().is_empty()) {
            return Err(PayloadError::Contradiction("who decides or declares void says why"));
        }
        Ok(())
    }
}

fn checked(decoded: Result<Payload, CborError>) -> Decoded {
    match decoded {
        Ok(payload) => match payload.check() {
            Ok(()) => Decoded::Known(payload),
            Err(error) => Decoded::Invalid(error),
        },
        Err(error) => Decoded::Invalid(PayloadError::Encoding(error)),
    }
}
