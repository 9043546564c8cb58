//! Why a membership entry was not taken, as problems.

use crate::membership_desk::AppendRefused;
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::store_problem::store_failed;
use ward_api::{ErrorCode, ProblemMembers};
use ward_sync::limits::ANNOUNCE_WINDOW_MS;
use ward_sync::{ArrivalRefusal, MlogError, VoidReason};

/// Bytes that are no entry.
pub(crate) fn not_an_entry(error: MlogError) -> Refusal {
    let code = match error {
        MlogError::ReservedKind(_) => ErrorCode::ReservedKind,
        _ => ErrorCode::MlogEntryInvalid,
    };
    refuse(code, format!("{error}."))
}

/// An entry that was not appended; `size` is the log's now.
pub(crate) fn append_refused(refused: AppendRefused, size: u64) -> Refusal {
    let now = ProblemMembers { size: Some(size), ..ProblemMembers::default() };
    match refused {
        AppendRefused::Arrival(refusal) => arrival_refused(&refusal, now),
        AppendRefused::Moved => {
            refuse_with(ErrorCode::MlogMoved, "Many entries came at once; read the log and sign again.", now)
        }
        AppendRefused::EpochTaken(epoch) => {
            let members = ProblemMembers { epoch: Some(epoch), ..now };
            refuse_with(
                ErrorCode::EpochDoesNotCount,
                "Another member announced this epoch first; fetch its package.",
                members,
            )
        }
        AppendRefused::Store(error) => store_failed(error),
    }
}

fn arrival_refused(refusal: &ArrivalRefusal, now: ProblemMembers) -> Refusal {
    let code = match refusal {
        ArrivalRefusal::Void(reason) => void_code(reason),
        ArrivalRefusal::SignerOutOfDate(_) => ErrorCode::SignerNotAuthorised,
        ArrivalRefusal::CertificateOutOfDate => ErrorCode::MlogEntryInvalid,
        ArrivalRefusal::KeyKnownElsewhere => ErrorCode::KeyUsedBefore,
        ArrivalRefusal::CutOffForeign => ErrorCode::MlogEntryInvalid,
        ArrivalRefusal::SecondSignature(_) => ErrorCode::MoreSignatures,
        ArrivalRefusal::TooManyMembers(_) => ErrorCode::TooManyMembers,
        ArrivalRefusal::TooManyEpochs => ErrorCode::RateLimited,
        ArrivalRefusal::Package(_) => ErrorCode::PackageMismatch,
    };
    let members = match refusal {
        ArrivalRefusal::Void(VoidReason::EpochNotNext { expected, .. }) => {
            ProblemMembers { epoch: Some(*expected), ..now }
        }
        ArrivalRefusal::TooManyEpochs => {
            ProblemMembers { retry_after_s: u32::try_from(ANNOUNCE_WINDOW_MS / 1_000).ok(), ..now }
        }
        _ => now,
    };
    // Signers are devices, not persons; the caller sent their ids itself.
    refuse_with(code, format!("{refusal}."), members)
}

const fn void_code(reason: &VoidReason) -> ErrorCode {
    match reason {
        VoidReason::SuiteRefused => ErrorCode::Suite,
        VoidReason::BaseAhead { .. } | VoidReason::ForeignBase => ErrorCode::BaseUnknown,
        VoidReason::Moved { .. } => ErrorCode::MlogMoved,
        VoidReason::Unsigned | VoidReason::BadSignature(_) => ErrorCode::MlogSignature,
        VoidReason::UnknownSigner(_) | VoidReason::SignerRevoked(_) | VoidReason::NotAuthorised(_) => {
            ErrorCode::SignerNotAuthorised
        }
        VoidReason::MoreSignatures { .. } => ErrorCode::MoreSignatures,
        VoidReason::KeyReused => ErrorCode::KeyUsedBefore,
        VoidReason::TooManyDevices => ErrorCode::TooManyDevices,
        VoidReason::EpochNotNext { .. } | VoidReason::MemberSetDiffers => ErrorCode::EpochDoesNotCount,
        VoidReason::OtherPackage | VoidReason::PackageMissing => ErrorCode::PackageMismatch,
        VoidReason::Malformed(MlogError::ReservedKind(_)) => ErrorCode::ReservedKind,
        _ => ErrorCode::MlogEntryInvalid,
    }
}
