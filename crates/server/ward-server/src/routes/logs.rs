//! What both logs have in common: heads, tiles and proofs.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use crate::log_tiles::{self, LogReadError};
use crate::problem_response::{Refusal, refuse};
use crate::store_problem::{cosign_failed, read_failed, store_failed};
use ward_api::{Consistency, ErrorCode, Inclusion, LogName, Opaque};
use ward_audit::{NodeHash, TileKind, TilePath};
use ward_id::TreeRoot;
use ward_store::Store;

/// The newest cosigned head, cosigned now if it is behind or older than a minute.
pub(super) async fn checkpoint<S: Store>(app: &App<S>, call: &Call, log: LogName) -> Answer {
    let note = app.cosigned_head(log).await.map_err(|error| cosign_failed(app, error))?;
    answer(call.spec, note.text.clone())
}

pub(super) async fn tile<S: Store>(app: &App<S>, call: &Call, log: LogName) -> Answer {
    let path = format!("tile/{}/{}", call.path_text("level"), call.path_text("index"));
    let bad = |_| refuse(ErrorCode::BadPath, "Write it as in C2SP tlog-tiles: 0/x001/234.p/17.");
    let path: TilePath = path.parse().map_err(bad)?;
    let TileKind::Hashes(level) = path.kind() else {
        return Err(refuse(ErrorCode::TileUnknown, "This log serves tiles of hashes only."));
    };
    let bytes =
        log_tiles::tile(app.store(), log, (level, path.index(), path.width())).await.map_err(store_failed)?;
    answer(
        call.spec,
        bytes.ok_or_else(|| refuse(ErrorCode::TileUnknown, "The log does not reach that far."))?,
    )
}

/// Proofs are between sizes that the log has reached; they are checked by whoever asks.
pub(super) async fn consistency<S: Store>(app: &App<S>, call: &Call, log: LogName) -> Answer {
    let (from, to) = (call.query.required("from")?, call.query.required("to")?);
    if from > to {
        return Err(refuse(ErrorCode::BadRange, "`from` is the smaller size."));
    }
    within(app, log, to)?;
    let proof = log_tiles::consistency(app.store(), log, from, to).await.map_err(read_failed)?;
    let proof: Consistency = roots(proof);
    answer_cbor(call.spec, &proof)
}

pub(super) async fn inclusion<S: Store>(app: &App<S>, call: &Call, log: LogName) -> Answer {
    let (index, size) = (call.query.required("index")?, call.query.required("size")?);
    within(app, log, size)?;
    if index >= size {
        return Err(read_failed(LogReadError::Beyond));
    }
    let path = log_tiles::inclusion(app.store(), log, index, size).await.map_err(read_failed)?;
    let leaves =
        log_tiles::leaves(app.store(), log, index, index.saturating_add(1)).await.map_err(store_failed)?;
    let leaf = leaves.into_iter().next().ok_or_else(|| read_failed(LogReadError::Beyond))?;
    answer_cbor(call.spec, &Inclusion { leaf: Opaque(leaf), path: roots(path) })
}

/// Refuses sizes that the log has not reached.
pub(super) fn within<S: Store>(app: &App<S>, log: LogName, size: u64) -> Result<(), Refusal> {
    if size <= app.desk(log).size() { Ok(()) } else { Err(read_failed(LogReadError::Beyond)) }
}

pub(super) fn roots(proof: Vec<NodeHash>) -> Vec<TreeRoot> {
    proof.into_iter().map(NodeHash::to_root).collect()
}
