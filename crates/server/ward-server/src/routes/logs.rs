//! What both logs have in common: heads, tiles and proofs.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use crate::log_tiles::{self, LogReadError};
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::store_problem::{cosign_failed, read_failed, store_failed};
use ward_api::limits::OLOG_PROOFS_MAX;
use ward_api::{
    Consistency, ErrorCode, Inclusion, LogName, OlogProofsAnswer, OlogProofsQuestion, Opaque, ProblemMembers,
};
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

/// What a device that comes back has to prove, in one round: it pays for each round with the patience
/// of a person.
pub(super) async fn proofs<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let OlogProofsQuestion { size, indexes, sizes, ended } = call.decode()?;
    if indexes.len().saturating_add(sizes.len()) > OLOG_PROOFS_MAX {
        let limit = Some(OLOG_PROOFS_MAX as u64);
        return Err(refuse_with(
            ErrorCode::BadRange,
            format!("Ask for at most {OLOG_PROOFS_MAX} proofs at a time."),
            ProblemMembers { limit, ..ProblemMembers::default() },
        ));
    }
    if let Some(number) = ended {
        return proofs_of_ended(app, call, (number, size), &indexes, &sizes).await;
    }
    let log = LogName::Olog;
    within(app, log, size)?;
    if indexes.iter().any(|index| *index >= size) || sizes.iter().any(|from| *from > size) {
        return Err(read_failed(LogReadError::Beyond));
    }
    let inclusions = inclusions(app, log, &indexes, size).await?;
    let consistencies =
        log_tiles::consistencies(app.store(), log, &sizes, size).await.map_err(read_failed)?;
    let consistencies = consistencies.into_iter().map(roots).collect();
    answer_cbor(call.spec, &OlogProofsAnswer { inclusions, consistencies })
}

/// Inclusions in a log that ended, under the head of it that was kept.
async fn proofs_of_ended<S: Store>(
    app: &App<S>,
    call: &Call,
    (number, size): (u32, u64),
    indexes: &[u64],
    sizes: &[u64],
) -> Answer {
    let beyond = || read_failed(LogReadError::Beyond);
    let log = app.ended_log(number).await.map_err(store_failed)?;
    let log = log.filter(|log| log.size() == size && sizes.is_empty()).ok_or_else(beyond)?;
    if indexes.iter().any(|index| *index >= size) {
        return Err(beyond());
    }
    let shown = log.inclusions(app, indexes).await.map_err(read_failed)?;
    let inclusion =
        |(leaf, path): (Vec<u8>, Vec<NodeHash>)| Inclusion { leaf: Opaque(leaf), path: roots(path) };
    let inclusions = shown.into_iter().map(inclusion).collect();
    answer_cbor(call.spec, &OlogProofsAnswer { inclusions, consistencies: Vec::new() })
}

async fn inclusions<S: Store>(
    app: &App<S>,
    log: LogName,
    indexes: &[u64],
    size: u64,
) -> Result<Vec<Inclusion>, Refusal> {
    let paths = log_tiles::inclusions(app.store(), log, indexes, size).await.map_err(read_failed)?;
    let mut out = Vec::with_capacity(paths.len());
    for (index, path) in indexes.iter().zip(paths) {
        let leaves = log_tiles::leaves(app.store(), log, *index, index.saturating_add(1)).await;
        let leaf = leaves.map_err(store_failed)?.into_iter().next();
        let leaf = leaf.ok_or_else(|| read_failed(LogReadError::Beyond))?;
        out.push(Inclusion { leaf: Opaque(leaf), path: roots(path) });
    }
    Ok(out)
}

/// Refuses sizes that the log has not reached.
pub(super) fn within<S: Store>(app: &App<S>, log: LogName, size: u64) -> Result<(), Refusal> {
    if size <= app.desk(log).size() { Ok(()) } else { Err(read_failed(LogReadError::Beyond)) }
}

pub(super) fn roots(proof: Vec<NodeHash>) -> Vec<TreeRoot> {
    proof.into_iter().map(NodeHash::to_root).collect()
}
