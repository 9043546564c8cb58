//! Who may write what: one table, by role and kind. An entry outside it is kept and marked, and
//! does not enter the chart's values.

use crate::kind::EntryKind;
use crate::payload::{AnsweredBy, CarryReason, ParticipationState, Payload, Resolution};
use crate::study_schema::may_resolve_by_default;
use ward_crypto::Role;

/// Whether a role may write a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Never.
    No,
    /// Always.
    Yes,
    /// Only answers that were given in an interview.
    InterviewOnly,
    /// Only to leave the study.
    WithdrawalOnly,
    /// Only about what the person wrote.
    OwnOnly,
    /// Only for fields that the role may decide about, as the study schema says.
    ByField,
    /// Only to carry on what stood on a copied or set-back branch of a store: of the own one, or of one whose
    /// device cannot do it any more.
    BranchOnly,
}

/// What a role may write of a kind. Kinds that this version does not know may be written by nobody.
pub fn permission(role: Role, kind: EntryKind) -> Permission {
    let allowed = |yes: bool| if yes { Permission::Yes } else { Permission::No };
    match kind {
        EntryKind::INCARNATION_OPEN
        | EntryKind::NOTE
        | EntryKind::ACCESS_RECEIPT
        | EntryKind::TEXT_EDIT
        | EntryKind::TEXT_SIGNATURE
        | EntryKind::INCIDENT => Permission::Yes,
        EntryKind::QUESTIONNAIRE_RESPONSE => match role {
            Role::Patient => Permission::Yes,
            Role::Coordinator => Permission::InterviewOnly,
            _ => Permission::No,
        },
        EntryKind::MEDICATION_PLAN_FIELD => allowed(matches!(role, Role::Clinician | Role::Investigator)),
        EntryKind::DOSE
        | EntryKind::ATTACHMENT
        | EntryKind::CHECKPOINT
        | EntryKind::CHECKPOINT_COSIGNATURE => allowed(role == Role::Patient || role.is_staff()),
        EntryKind::APPOINTMENT
        | EntryKind::ALERT_ACKNOWLEDGEMENT
        | EntryKind::INSTRUMENT
        | EntryKind::DROP_DECLINED
        | EntryKind::OPENED => allowed(role.is_staff()),
        EntryKind::CARRY if role.is_staff() => Permission::Yes,
        EntryKind::CARRY => Permission::BranchOnly,
        EntryKind::DEVICE_CLOSED => allowed(role == Role::Patient || role.is_staff()),
        EntryKind::CONSENT | EntryKind::PROFILE_FIELD => {
            allowed(matches!(role, Role::Patient | Role::Coordinator))
        }
        EntryKind::PARTICIPATION if role == Role::Patient => Permission::WithdrawalOnly,
        EntryKind::PARTICIPATION => allowed(role.is_staff()),
        EntryKind::RESOLVE if role == Role::Patient || role.is_staff() => Permission::ByField,
        EntryKind::VOID | EntryKind::SET_CHANGE if role == Role::Patient => Permission::OwnOnly,
        EntryKind::VOID | EntryKind::SET_CHANGE => allowed(role.is_staff()),
        _ => Permission::No,
    }
}

/// Whether a role may write exactly this. What depends on other entries or on the study schema (whose
/// record is declared void, who decides about a field) is judged in the chart.
pub fn may_write(role: Role, payload: &Payload) -> bool {
    match permission(role, payload.kind()) {
        Permission::No => false,
        Permission::Yes => true,
        Permission::InterviewOnly => {
            matches!(payload, Payload::Response(r) if r.answered_by() == AnsweredBy::Interview)
        }
        Permission::BranchOnly => {
            matches!(payload, Payload::Carry(carry)
                if matches!(carry.why, CarryReason::Reauthor | CarryReason::GiveBack))
        }
        Permission::WithdrawalOnly => {
            matches!(payload, Payload::Participation(p) if p.state == ParticipationState::Withdrawn)
        }
        Permission::OwnOnly => true,
        Permission::ByField => {
            let Payload::Resolve(resolve) = payload else { return false };
            // A value of one's own in a decision is a write of the field like any other.
            let writes = match &resolve.resolution {
                Resolution::Candidate(_) => true,
                Resolution::Value(value) => may_write(role, value),
            };
            writes && could_resolve(role, resolve.field.kind())
        }
    }
}

/// Whether some study schema can let a role decide about fields of a kind.
pub(crate) fn could_resolve(role: Role, kind: EntryKind) -> bool {
    match kind {
        // Whoever decides about a dose or a consent could have written it.
        EntryKind::MEDICATION_PLAN_FIELD | EntryKind::CONSENT => permission(role, kind) == Permission::Yes,
        _ => role.is_staff() || may_resolve_by_default(role, kind),
    }
}
