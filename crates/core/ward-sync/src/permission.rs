//! Who may write what: one table, by role and kind. An entry outside it is kept and marked, and
//! does not enter the chart's values.

use crate::kind::EntryKind;
use crate::payload::{AnsweredBy, ParticipationState, Payload};
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
}

/// What a role may write of a kind. Kinds that this version does not know may be written by nobody.
pub fn permission(role: Role, kind: EntryKind) -> Permission {
    let allowed = |yes: bool| if yes { Permission::Yes } else { Permission::No };
    match kind {
        EntryKind::INCARNATION_OPEN | EntryKind::NOTE | EntryKind::ACCESS_RECEIPT => Permission::Yes,
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
        | EntryKind::CARRY => allowed(role.is_staff()),
        EntryKind::CONSENT | EntryKind::PROFILE_FIELD => {
            allowed(matches!(role, Role::Patient | Role::Coordinator))
        }
        EntryKind::PARTICIPATION if role == Role::Patient => Permission::WithdrawalOnly,
        EntryKind::PARTICIPATION => allowed(role.is_staff()),
        _ => Permission::No,
    }
}

/// Whether a role may write exactly this.
pub fn may_write(role: Role, payload: &Payload) -> bool {
    match permission(role, payload.kind()) {
        Permission::No => false,
        Permission::Yes => true,
        Permission::InterviewOnly => {
            matches!(payload, Payload::Response(r) if r.answered_by() == AnsweredBy::Interview)
        }
        Permission::WithdrawalOnly => {
            matches!(payload, Payload::Participation(p) if p.state == ParticipationState::Withdrawn)
        }
    }
}
