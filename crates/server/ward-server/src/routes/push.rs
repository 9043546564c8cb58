//! Pushing: decode, check, commit, sign one receipt. The bytes of an envelope are taken out of the
//! body once and then moved into the store.

use crate::App;
use crate::call::{Answer, Call, answer_cbor};
use crate::events::Concerns;
use crate::limits::PUSH_INLINE_MAX;
use crate::log_signer::NamedSigner;
use crate::problem_response::{Refusal, bad_body, refuse, refuse_with};
use crate::push_problem::push_refused;
use crate::store_problem::store_failed;
use std::sync::Arc;
use ward_api::limits::{OPERATION_MAX_BYTES, PUSH_MAX_OPERATIONS};
use ward_api::{ChartEvent, EnvelopeBatch, ErrorCode, LogName, OlogHint, Opaque, ProblemMembers};
use ward_audit::{Receipt, sign_receipt};
use ward_crypto::{Envelope, Suite, sha256};
use ward_id::{Canonical as _, ChartId, DeviceId, EnvelopeHash, Head, TimestampMs};
use ward_store::{AppendError, AppendRefusal, Appended, NewOperation, Store};
use ward_sync::{PushContext, PushItem, StoredChain, check_push};

/// A decoded envelope with its bytes.
struct Arrived {
    envelope: Envelope,
    bytes: Vec<u8>,
}

pub(super) async fn push<S: Store>(app: &Arc<App<S>>, call: Call) -> Answer {
    if let Some(behind) = app.witnesses().behind() {
        return Err(refuse(ErrorCode::StoreStopped, behind.to_string()));
    }
    let (chart, caller) = (call.chart()?, call.caller()?);
    let batch: EnvelopeBatch = call.decode()?;
    let arrived = decode_batch(batch)?;
    let chain = arrived
        .first()
        .map(|first| first.envelope.header())
        .map(|header| (header.device, header.incarnation));
    let stored = match chain {
        Some((device, incarnation)) => {
            app.store().chain_head(chart, device, incarnation).await.map_err(store_failed)?
        }
        None => None,
    };
    let arrived = check(app, arrived, (chart, caller.device), stored, call.now).await?;
    let operations = arrived.into_iter().map(|one| new_operation(chart, one)).collect();
    let appended = app.store().append_operations(operations, call.now).await.map_err(append_failed)?;
    tell(app, chart, &appended);
    answer_cbor(call.spec, &receipt(app, &appended)?)
}

fn decode_batch(batch: EnvelopeBatch) -> Result<Vec<Arrived>, Refusal> {
    if batch.len() > PUSH_MAX_OPERATIONS {
        let members = ProblemMembers { limit: Some(PUSH_MAX_OPERATIONS as u64), ..ProblemMembers::default() };
        return Err(refuse_with(
            ErrorCode::PushTooLarge,
            format!("Push at most {PUSH_MAX_OPERATIONS} operations at once."),
            members,
        ));
    }
    batch.into_iter().map(decode_one).collect()
}

fn decode_one(Opaque(bytes): Opaque) -> Result<Arrived, Refusal> {
    if bytes.len() > OPERATION_MAX_BYTES {
        let members = ProblemMembers { limit: Some(OPERATION_MAX_BYTES as u64), ..ProblemMembers::default() };
        return Err(refuse_with(
            ErrorCode::OperationTooLarge,
            format!("An operation has at most {OPERATION_MAX_BYTES} bytes."),
            members,
        ));
    }
    if stated_suite(&bytes).is_some_and(|(version, suite)| version != 1 || suite != Suite::W1 as u64) {
        return Err(refuse(ErrorCode::Suite, "This server takes envelopes of version 1 and suite 1."));
    }
    let envelope = Envelope::from_canonical(&bytes).map_err(bad_body)?;
    Ok(Arrived { envelope, bytes })
}

/// Version and suite at the front of an envelope, so that a newer app is told so rather than that
/// it sent nonsense.
fn stated_suite(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut decoder = minicbor::Decoder::new(bytes);
    decoder.array().ok()??;
    decoder.map().ok()??;
    let mut value = |key: u64| (decoder.u64().ok()? == key).then(|| decoder.u64().ok())?;
    Some((value(0)?, value(1)?))
}

/// Runs the protocol's push rules. A large push has many signatures, so it goes to a thread of
/// its own and the others are not held up.
async fn check<S: Store>(
    app: &Arc<App<S>>,
    arrived: Vec<Arrived>,
    (chart, caller): (ChartId, DeviceId),
    head: Option<Head>,
    now: TimestampMs,
) -> Result<Vec<Arrived>, Refusal> {
    if arrived.len() <= PUSH_INLINE_MAX {
        check_now(app, &arrived, (chart, caller), head, now)?;
        return Ok(arrived);
    }
    let app = Arc::clone(app);
    let task = tokio::task::spawn_blocking(move || {
        check_now(&app, &arrived, (chart, caller), head, now)?;
        Ok(arrived)
    });
    task.await.map_err(|_| refuse(ErrorCode::Internal, "The push could not be checked."))?
}

fn check_now<S: Store>(
    app: &App<S>,
    arrived: &[Arrived],
    (chart, caller): (ChartId, DeviceId),
    head: Option<Head>,
    now: TimestampMs,
) -> Result<(), Refusal> {
    let items: Vec<PushItem<'_>> =
        arrived.iter().map(|one| PushItem { envelope: &one.envelope, bytes_len: one.bytes.len() }).collect();
    let membership = app.membership().read();
    let context = PushContext {
        membership: &membership,
        chart,
        caller,
        now,
        stored: &assumed_chain(arrived, head),
        epoch_announced_at: membership.announced_at(chart),
    };
    let outcome = check_push(&items, &context);
    outcome
        .map(|_| ())
        .map_err(|error| push_refused(error, arrived.iter().map(|one| one.envelope.header()), chart))
}

/// Whether an entry at a place that is taken is the same one is decided by the store, inside the
/// transaction. Here it is assumed to be, so that only new places are held to the counted epoch:
/// a wrong guess ends as a fork, never as a second entry.
fn assumed_chain(arrived: &[Arrived], head: Option<Head>) -> StoredChain {
    let Some(stored) = head else { return StoredChain::default() };
    let taken = arrived.iter().map(|one| one.envelope.header()).filter(|header| header.seq <= stored.seq);
    let entries = taken.map(|header| (header.seq, header.entry_id)).collect();
    StoredChain { head, entries }
}

fn new_operation(chart: ChartId, one: Arrived) -> NewOperation {
    let header = one.envelope.header();
    NewOperation {
        chart,
        device: header.device,
        incarnation: header.incarnation,
        seq: header.seq,
        entry_id: header.entry_id,
        // The decoder has shown that these are the canonical bytes.
        envelope_hash: EnvelopeHash::from_bytes(sha256(&one.bytes)),
        epoch: header.epoch,
        bytes: one.bytes,
    }
}

fn append_failed(error: AppendError) -> Refusal {
    match error {
        AppendError::Refused(AppendRefusal::Gap { expect }) => {
            let members = ProblemMembers { expect: Some(expect), ..ProblemMembers::default() };
            refuse_with(ErrorCode::Gap, format!("Send from place {expect} on."), members)
        }
        AppendError::Refused(AppendRefusal::Fork { seq, entry_id }) => {
            let members =
                ProblemMembers { seq: Some(seq), entry_id: Some(entry_id), ..ProblemMembers::default() };
            refuse_with(ErrorCode::Fork, "Keep both, open a new incarnation and carry on there.", members)
        }
        AppendError::Refused(AppendRefusal::NotOneChain) => {
            refuse(ErrorCode::NotOneChain, "Push one contiguous piece of one chain.")
        }
        AppendError::Store(error) => store_failed(error),
    }
}

fn tell<S: Store>(app: &App<S>, chart: ChartId, appended: &Appended) {
    let fresh = appended.placed.iter().filter(|placed| placed.new).count() as u64;
    app.desk(LogName::Olog).grew_to(appended.log_size);
    if fresh > 0 {
        app.metrics().accepted(fresh);
        app.metrics().log_size(LogName::Olog, appended.log_size);
        app.hints().tell(Concerns::Chart(chart), ChartEvent::Olog(OlogHint { size: appended.log_size }));
    }
}

/// One receipt names contiguous indexes taken at one instant. A push that mixes known and new
/// operations is answered for its first run; the rest is answered when it is sent again.
fn receipt<S: Store>(app: &App<S>, appended: &Appended) -> Result<Receipt, Refusal> {
    let failed = || {
        refuse(
            ErrorCode::Internal,
            "The operations are stored, but no receipt could be made; send them again.",
        )
    };
    let runs = appended.runs();
    let run = runs.first().ok_or_else(failed)?;
    let first = run.first().ok_or_else(failed)?;
    let desk = app.desk(LogName::Olog);
    let signer = NamedSigner::new(desk.origin().as_str(), app.log_key());
    let hashes = run.iter().map(|placed| placed.envelope_hash).collect();
    sign_receipt(&signer, first.index, hashes, first.received_at, desk.signed_head()).map_err(|_| failed())
}
