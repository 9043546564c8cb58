//! Codes and words for where an entry stands, why a chart was opened, and where a participant
//! stands.

use ward_sync::{AccessPurpose, ParticipationState, Place, QuarantineReason};

/// A code for the place of an entry.
pub(super) const fn place_code(place: Place) -> &'static str {
    match place {
        Place::Visible => "visible",
        Place::Superseded => "superseded",
        Place::InConflict => "in-conflict",
        Place::Parked => "parked",
        Place::Quarantined(QuarantineReason::NoCertificate) => "quarantined-no-certificate",
        Place::Quarantined(QuarantineReason::ToBeAdopted) => "quarantined-to-be-adopted",
        Place::Quarantined(QuarantineReason::Severed) => "quarantined-severed",
        Place::Quarantined(QuarantineReason::BrokenChain) => "quarantined-broken-chain",
        Place::Quarantined(QuarantineReason::InstrumentAside) => "quarantined-instrument-aside",
        Place::Quarantined(QuarantineReason::ChosenDeclined) => "quarantined-chosen-declined",
        Place::UnknownKind => "unknown-kind",
        Place::Invalid(_) => "invalid",
        Place::NotPermitted => "not-permitted",
    }
}

/// Why a chart was opened, in plain words.
pub(super) const fn purpose_words(purpose: AccessPurpose) -> &'static str {
    match purpose {
        AccessPurpose::Care => "to care for the participant",
        AccessPurpose::Export => "to take data out",
        AccessPurpose::BreakGlass => "in an emergency, outside the usual rules",
        AccessPurpose::Verify => "to check the data",
    }
}

/// Where a participant stands, in plain words.
pub(super) const fn participation_words(state: ParticipationState) -> &'static str {
    match state {
        ParticipationState::Screened => "being considered for the study",
        ParticipationState::Active => "taking part",
        ParticipationState::Paused => "pausing",
        ParticipationState::Withdrawn => "left the study",
        ParticipationState::Completed => "finished the study",
    }
}
