//! Why a push was refused, as problems.

use crate::membership_desk::policy_number;
use crate::problem_response::{Refusal, refuse, refuse_with};
use ward_api::{ErrorCode, ProblemMembers};
use ward_crypto::EnvelopeHeader;
use ward_id::ChartId;
use ward_sync::PushError;

/// A refused push.
pub(crate) fn push_refused<'a>(
    error: PushError,
    mut headers: impl Iterator<Item = &'a EnvelopeHeader>,
    chart: ChartId,
) -> Refusal {
    let none = ProblemMembers::default();
    match error {
        PushError::Empty => refuse(ErrorCode::NotOneChain, "Push at least one operation."),
        PushError::TooLarge { what } => refuse(ErrorCode::PushTooLarge, format!("Too large: {what}.")),
        PushError::Mixed if headers.any(|header| header.chart != chart) => {
            refuse(ErrorCode::OtherChart, "Push to the chart that the envelopes name.")
        }
        PushError::Mixed => {
            refuse(ErrorCode::NotOneChain, "Push envelopes of one chain of one device, made for this site.")
        }
        PushError::OtherCaller => {
            refuse(ErrorCode::ForeignDevice, "A device pushes only what it made itself.")
        }
        PushError::SuiteRefused => {
            refuse(ErrorCode::Suite, "Update the app: the site asks for a newer suite.")
        }
        PushError::NotMember => refuse(
            ErrorCode::NotMember,
            "Ask an admin of the site to add you, if you look after this participant.",
        ),
        PushError::CertificateOutOfDate => {
            refuse(ErrorCode::CertificateExpired, "Ask the study team for a new ticket.")
        }
        PushError::Revoked { policy } => {
            let members = ProblemMembers { policy: Some(policy_number(policy)), ..none };
            refuse_with(ErrorCode::Revoked, "Ask the study team for a new ticket.", members)
        }
        PushError::BadSignature { seq } => {
            let members = ProblemMembers { seq: Some(seq), ..none };
            refuse_with(
                ErrorCode::OperationSignature,
                format!("The signature at place {seq} does not hold."),
                members,
            )
        }
        PushError::ForeignHead { seq } => {
            let members = ProblemMembers { seq: Some(seq), ..none };
            refuse_with(
                ErrorCode::MemberSetMismatch,
                "The envelope names a head that this log never had.",
                members,
            )
        }
        PushError::EpochStale { counted, mlog_size } => {
            let members = ProblemMembers { epoch: counted, size: Some(mlog_size), ..none };
            refuse_with(
                ErrorCode::EpochStale,
                "Read the membership log, seal the same entries again and send them.",
                members,
            )
        }
        PushError::Gap { expect } => {
            let members = ProblemMembers { expect: Some(expect), ..none };
            refuse_with(ErrorCode::Gap, format!("Send from place {expect} on."), members)
        }
        PushError::Fork { seq, entry_id } => {
            let members = ProblemMembers { seq: Some(seq), entry_id: Some(entry_id), ..none };
            refuse_with(ErrorCode::Fork, "Keep both, open a new incarnation and carry on there.", members)
        }
    }
}
