//! Repair between a device and the server: the version vector in one round, bisection of a chain,
//! envelopes of others that the server lacks.

use super::push::{check_count, decode_one, receipt, tell};
use crate::App;
use crate::call::{Answer, Call, answer_cbor};
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::push_desk::{ArrivedPush, append_failed};
use crate::push_problem::push_refused;
use crate::store_problem::store_failed;
use std::collections::BTreeMap;
use std::sync::Arc;
use ward_api::limits::{HAVE_CHARTS_MAX, RECONCILE_MAX_PLACES};
use ward_api::{
    ChartDigest, EnvelopeBatch, ErrorCode, HaveAnswer, HaveOfManyAnswer, HaveOfManyQuestion, HaveQuestion,
    LogName, Opaque, PlacedEntry, ProblemMembers, ReconcileAnswer, ReconcileQuestion,
};
use ward_crypto::sha256;
use ward_id::{Canonical as _, ChartId};
use ward_store::{Appended, NewPush, Store};
use ward_sync::{RelayContext, check_relay};

/// One round when nothing differs: the caller's digest is that of the server's vector.
pub(super) async fn compare<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let HaveQuestion { digest } = call.decode()?;
    let chart = call.chart()?;
    let heads = app.store().have(chart).await.map_err(store_failed)?;
    let same = sha256(&heads.to_canonical()) == digest;
    let answer = HaveAnswer { heads: (!same).then_some(heads), wanted: app.damage().wanted(chart) };
    answer_cbor(call.spec, &answer)
}

/// One round for many charts with nothing new. It says nothing of charts that the caller does not read.
pub(super) async fn compare_many<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let HaveOfManyQuestion { charts, heads } = call.decode()?;
    if charts.len() > HAVE_CHARTS_MAX {
        return Err(refuse_with(
            ErrorCode::BadRange,
            format!("Name at most {HAVE_CHARTS_MAX} charts."),
            ProblemMembers { limit: Some(HAVE_CHARTS_MAX as u64), ..ProblemMembers::default() },
        ));
    }
    let device = call.caller()?.device;
    // Heads first: what is said of charts is not older than they are. Why there is none says the route that
    // gives one.
    let (mlog, olog) = if heads {
        tokio::join!(newest_head(app, LogName::Mlog), newest_head(app, LogName::Olog))
    } else {
        (None, None)
    };
    // One and the same chart is looked at once, however often it is named.
    let charts: BTreeMap<ChartId, [u8; 32]> =
        charts.into_iter().map(|ChartDigest { chart, digest }| (chart, digest)).collect();
    let mut same = Vec::new();
    for (chart, digest) in charts {
        let reads = app.membership().read().is_member(chart, device);
        if !reads || !app.damage().wanted(chart).is_empty() {
            continue;
        }
        let heads = app.store().have(chart).await.map_err(store_failed)?;
        if sha256(&heads.to_canonical()) == digest {
            same.push(chart);
        }
    }
    answer_cbor(call.spec, &HaveOfManyAnswer { same, mlog, olog })
}

async fn newest_head<S: Store>(app: &App<S>, log: LogName) -> Option<Opaque> {
    app.cosigned_head(log).await.ok().map(|note| Opaque(note.text.clone().into_bytes()))
}

/// Which entries stand at places of one chain.
pub(super) async fn reconcile<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let chart = call.chart()?;
    let ReconcileQuestion { device, incarnation, places } = call.decode()?;
    let rising = places.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if !rising || places.len() > RECONCILE_MAX_PLACES {
        let limit = Some(RECONCILE_MAX_PLACES as u64);
        return Err(refuse_with(
            ErrorCode::BadRange,
            format!("Name at most {RECONCILE_MAX_PLACES} places, rising."),
            ProblemMembers { limit, ..ProblemMembers::default() },
        ));
    }
    let head = app.store().chain_head(chart, device, incarnation).await.map_err(store_failed)?;
    let found = app.store().chain_entries(chart, device, incarnation, places).await.map_err(store_failed)?;
    let entries = found.into_iter().map(|(seq, entry)| PlacedEntry { seq, entry }).collect();
    answer_cbor(call.spec, &ReconcileAnswer { head, entries })
}

/// Takes envelopes of one chain from whoever holds them. Each proves itself.
pub(super) async fn relay<S: Store>(app: &Arc<App<S>>, call: Call) -> Answer {
    app.check_confirmed().await?;
    let chart = call.chart()?;
    check_count(&call.body)?;
    let batch: EnvelopeBatch = call.decode()?;
    let envelopes = batch.into_iter().map(decode_one).collect::<Result<Vec<_>, _>>()?;
    let first = envelopes.first().map(|first| first.envelope.header().clone());
    let first = first.ok_or_else(|| refuse(ErrorCode::NotOneChain, "Relay at least one operation."))?;
    let head = app.store().chain_head(chart, first.device, first.incarnation).await.map_err(store_failed)?;
    let push = ArrivedPush { envelopes, chart, caller: first.device, head, now: call.now };
    let checking = Arc::clone(app);
    let checked = tokio::task::spawn_blocking(move || check(&checking, push)).await;
    let push = checked.map_err(|_| refuse(ErrorCode::Internal, "The relay could not be checked."))??;
    let bytes: Vec<Vec<u8>> = push.operations.iter().map(|one| one.bytes.clone()).collect();
    let NewPush { operations, received_at } = push;
    let appended = app.store().append_operations(operations, received_at).await.map_err(append_failed)?;
    mend(app, chart, &appended, bytes).await?;
    tell(app, chart, &appended);
    answer_cbor(call.spec, &receipt(app, &appended)?)
}

fn check<S: Store>(app: &App<S>, push: ArrivedPush) -> Result<NewPush, Refusal> {
    let stored = push.assumed_chain();
    {
        let membership = app.membership().read();
        let context =
            RelayContext { membership: &membership, chart: push.chart, now: push.now, stored: &stored };
        if let Err(error) = check_relay(&push.items(), &context) {
            let headers = push.envelopes.iter().map(|one| one.envelope.header());
            return Err(push_refused(error, headers, push.chart));
        }
    }
    Ok(push.into_new())
}

/// Gives damaged rows their bytes back, where these are the ones that the log promised.
async fn mend<S: Store>(
    app: &App<S>,
    chart: ChartId,
    appended: &Appended,
    bytes: Vec<Vec<u8>>,
) -> Result<(), Refusal> {
    for (placed, bytes) in appended.placed.iter().zip(bytes) {
        if placed.new || !app.damage().is_wanted(chart, placed.index) {
            continue;
        }
        if app.store().repair_operation(placed.index, bytes).await.map_err(store_failed)? {
            app.damage().mended(chart, placed.index);
        }
    }
    Ok(())
}
