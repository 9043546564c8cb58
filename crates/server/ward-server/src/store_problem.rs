//! Failures of the store as problems. None of them names what was stored.

use crate::App;
use crate::cosigning::CosignError;
use crate::log_desk::LogDeskError;
use crate::log_tiles::LogReadError;
use crate::problem_response::{Refusal, refuse};
use ward_api::ErrorCode;
use ward_store::{CheckpointError, Store, StoreError, TileError};

/// A failed store as a problem.
pub(crate) fn store_failed(error: StoreError) -> Refusal {
    let code = match &error {
        StoreError::StorageFull => ErrorCode::StorageFull,
        StoreError::ReadOnly => ErrorCode::ReadOnly,
        StoreError::Busy => ErrorCode::Busy,
        StoreError::Corrupt { .. } => ErrorCode::StoreCorrupt,
        StoreError::Stopped { .. } => ErrorCode::StoreStopped,
        StoreError::TooLarge { .. } => ErrorCode::TooLarge,
        StoreError::Io { .. } | StoreError::Unsupported { .. } => ErrorCode::Internal,
    };
    if code.status() >= 500 && code != ErrorCode::Busy {
        tracing::error!(code = %code, error = %error, "the store failed");
    }
    refuse(code, error.to_string())
}

/// A log that does not go on, as a problem.
pub(crate) fn log_failed(error: LogDeskError) -> Refusal {
    match error {
        LogDeskError::Store(error)
        | LogDeskError::Head(CheckpointError::Store(error))
        | LogDeskError::Tile(TileError::Store(error)) => store_failed(error),
        other => {
            tracing::error!(error = %other, "the log does not go on");
            refuse(
                ErrorCode::StoreCorrupt,
                "The log does not go on; its operator must look at the server's records.",
            )
        }
    }
}

/// A proof that cannot be made, as a problem.
pub(crate) fn read_failed(error: LogReadError) -> Refusal {
    match error {
        LogReadError::Beyond => {
            refuse(ErrorCode::IndexBeyondLog, "Ask with sizes of heads that the log has signed.")
        }
        LogReadError::Store(error) => store_failed(error),
    }
}

/// No cosigned head, as a problem.
pub(crate) fn cosign_failed<S: Store>(app: &App<S>, error: CosignError) -> Refusal {
    match error {
        CosignError::Log(error) => log_failed(error),
        CosignError::Behind(behind) => {
            tracing::error!(
                log = behind.log.as_str(),
                size = behind.size,
                known_size = behind.known_size,
                "the log is behind a witness"
            );
            refuse(
                ErrorCode::StoreStopped,
                "The log is shorter than a witness knows it; its operator must restore the newest backup.",
            )
        }
        CosignError::Restored(_) => app
            .waits()
            .unwrap_or_else(|| refuse(ErrorCode::Busy, "The server has just recovered; ask again.")),
        CosignError::NoQuorum => refuse(
            ErrorCode::WitnessesUnreachable,
            "Too few witnesses answered; try again, or tell the operator.",
        ),
    }
}
