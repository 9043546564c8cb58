//! The cut-off that a revocation names, compared with the operation log.

use crate::App;
use crate::cosigning::CosignError;
use crate::limits::CUT_OFF_REOPENED_AGE_MS;
use crate::log_tiles;
use crate::problem_response::Refusal;
use crate::recovery::RecoveryStage;
use crate::store_problem::{cosign_failed, read_failed, store_failed};
use ward_api::LogName;
use ward_audit::{TreeHead, verify_consistency};
use ward_id::TimestampMs;
use ward_store::Store;
use ward_sync::{CutOff, MlogBody, MlogEntry};

/// How the head that an entry names stands to the operation log; of an entry that names none it is fresh.
pub(super) async fn cut_off<S: Store>(app: &App<S>, entry: &MlogEntry, now: TimestampMs) -> CutOff {
    let head = match entry.decode_body() {
        Ok(MlogBody::Revoke(revoke)) => revoke.olog,
        Ok(MlogBody::RecoveryUse(recovery)) => recovery.olog,
        _ => return CutOff::Fresh,
    };
    if matches!(app.store().mlog_index_of(entry.hash()).await, Ok(Some(_))) {
        // It was taken, and is answered with its place.
        return CutOff::Fresh;
    }
    if app.membership().read().would_be_effective(entry, None).is_err() {
        // It is refused for what it breaks, so nothing is computed or written for whoever sent it. Should
        // another node's log take it, its signer comes again.
        return CutOff::Foreign;
    }
    compared(app, head, now).await.unwrap_or_else(|refused| {
        tracing::error!(why = ?refused, "the cut-off of a revocation could not be compared with the log");
        // To leave a thief in is worse than to take back more than was meant.
        CutOff::Fresh
    })
}

async fn compared<S: Store>(app: &App<S>, head: TreeHead, now: TimestampMs) -> Result<CutOff, Refusal> {
    let mut kept = app.desk(LogName::Olog).signed_head();
    if head.size > kept.size && app.stage() == RecoveryStage::Running {
        // Another node may have signed it.
        let signed = app.desk(LogName::Olog).sign_head().await;
        kept = signed.map_err(|error| cosign_failed(app, CosignError::Log(error)))?.0;
    }
    if head.size > kept.size {
        return Ok(of_what_was_lost(app, head));
    }
    if !is_head(app, head, kept).await? {
        return Ok(CutOff::Foreign);
    }
    let limit_ms = {
        let membership = app.membership().read();
        membership.manifest().map_or(0, |manifest| i64::from(manifest.freshness_limit_s) * 1_000)
    };
    let left_out = first_after(app, head.size).await?;
    // After a reopening devices give back what was lost, and it bears the time of that: nobody can tell
    // how long ago it came first.
    let was_reopened = reopened_at(app).await?.is_some_and(|at| now.since_ms(at) <= limit_ms);
    let limit_ms = if was_reopened { CUT_OFF_REOPENED_AGE_MS } else { limit_ms };
    let is_old = left_out.is_some_and(|received_at| now.since_ms(received_at) > limit_ms);
    Ok(if is_old && !is_newest(app, head).await { CutOff::Old } else { CutOff::Fresh })
}

/// Whether nobody can verify a newer head. While too few witnesses answer, what came since they did cannot
/// be covered, however long ago that was: whoever lost a device must be able to revoke it all the same.
async fn is_newest<S: Store>(app: &App<S>, head: TreeHead) -> bool {
    let newest = app.cosigned_head(LogName::Olog).await.ok().or_else(|| app.desk(LogName::Olog).cosigned());
    newest.is_some_and(|newest| head.size >= newest.head.size)
}

/// A restored log lacks what devices verified once. Nothing but its length can be looked at then.
fn of_what_was_lost<S: Store>(app: &App<S>, head: TreeHead) -> CutOff {
    let waits = app.stage() == RecoveryStage::WaitsForReopening;
    let known = app.awaiting().map_or(0, |awaiting| awaiting.olog_size);
    if waits && head.size <= known { CutOff::Fresh } else { CutOff::Foreign }
}

/// Whether a head is one of the log that goes on to another.
async fn is_head<S: Store>(app: &App<S>, head: TreeHead, kept: TreeHead) -> Result<bool, Refusal> {
    if head.size == 0 || head.size == kept.size {
        return Ok(head.root == if head.size == 0 { TreeHead::empty().root } else { kept.root });
    }
    let proof = log_tiles::consistency(app.store(), LogName::Olog, head.size, kept.size).await;
    let proof = proof.map_err(read_failed)?;
    Ok(verify_consistency(head.size, kept.size, &head.root, &kept.root, &proof).is_ok())
}

/// When the log was opened again, if it ever was.
async fn reopened_at<S: Store>(app: &App<S>) -> Result<Option<TimestampMs>, Refusal> {
    let newest = app.membership().read().reopenings().last().map(|newest| newest.index);
    let Some(index) = newest else { return Ok(None) };
    let stored = app.store().mlog_entries(index, index.saturating_add(1)).await.map_err(store_failed)?;
    Ok(stored.first().map(|entry| entry.received_at))
}

/// When the first operation came that a head leaves out. A log that was opened again begins with a leaf that
/// is none.
async fn first_after<S: Store>(app: &App<S>, size: u64) -> Result<Option<TimestampMs>, Refusal> {
    for index in [size, size.saturating_add(1)] {
        if let Some(operation) = app.store().operation_at(index).await.map_err(store_failed)? {
            return Ok(Some(operation.received_at));
        }
    }
    Ok(None)
}
