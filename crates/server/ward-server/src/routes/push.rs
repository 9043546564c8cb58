//! Pushing: decode, check, commit, sign one receipt. The bytes of an envelope are taken out of the
//! body once and then moved into the store.

use crate::App;
use crate::call::{Answer, Call, answer_cbor};
use crate::events::Concerns;
use crate::problem_response::{Refusal, bad_body, refuse, refuse_with};
use crate::push_desk::{ArrivedEnvelope, ArrivedPush, store_push};
use crate::store_problem::store_failed;
use std::sync::Arc;
use ward_api::limits::{OPERATION_MAX_BYTES, PUSH_MAX_OPERATIONS};
use ward_api::{ChartEvent, EnvelopeBatch, ErrorCode, LogName, OlogHint, Opaque, ProblemMembers};
use ward_audit::{Receipt, sign_receipt};
use ward_crypto::{Envelope, Suite};
use ward_id::{Canonical as _, CborError, ChartId};
use ward_store::{Appended, Store};

pub(super) async fn push<S: Store>(app: &Arc<App<S>>, call: Call) -> Answer {
    app.check_confirmed().await?;
    let (chart, caller) = (call.chart()?, call.caller()?);
    check_count(&call.body)?;
    let batch: EnvelopeBatch = call.decode()?;
    let envelopes = batch.into_iter().map(decode_one).collect::<Result<Vec<_>, _>>()?;
    let chain = envelopes
        .first()
        .map(|first| first.envelope.header())
        .map(|header| (header.device, header.incarnation));
    let head = match chain {
        Some((device, incarnation)) => {
            app.store().chain_head(chart, device, incarnation).await.map_err(store_failed)?
        }
        None => None,
    };
    let push = ArrivedPush { envelopes, chart, caller: caller.device, head, now: call.now };
    let appended = store_push(app, push).await?;
    tell(app, chart, &appended);
    answer_cbor(call.spec, &receipt(app, &appended)?)
}

/// Looks at the head of the list before it is taken apart: millions of empty envelopes fit into one
/// body and would take many times its bytes. A list without a length is not canonical.
pub(super) fn check_count(body: &[u8]) -> Result<(), Refusal> {
    let stated = minicbor::Decoder::new(body).array();
    if matches!(stated, Ok(None)) {
        return Err(bad_body(CborError::NotCanonical));
    }
    if matches!(stated, Ok(Some(count)) if count > PUSH_MAX_OPERATIONS as u64) {
        let members = ProblemMembers { limit: Some(PUSH_MAX_OPERATIONS as u64), ..ProblemMembers::default() };
        return Err(refuse_with(
            ErrorCode::PushTooLarge,
            format!("Push at most {PUSH_MAX_OPERATIONS} operations at once."),
            members,
        ));
    }
    Ok(())
}

pub(super) fn decode_one(Opaque(bytes): Opaque) -> Result<ArrivedEnvelope, Refusal> {
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
    Ok(ArrivedEnvelope { envelope, bytes })
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

pub(super) fn tell<S: Store>(app: &App<S>, chart: ChartId, appended: &Appended) {
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
pub(super) fn receipt<S: Store>(app: &App<S>, appended: &Appended) -> Result<Receipt, Refusal> {
    let failed = || {
        refuse(
            ErrorCode::Internal,
            "The operations are stored, but no receipt could be made; send them again.",
        )
    };
    let runs = appended.runs();
    let run = runs.first().ok_or_else(failed)?;
    let first = run.first().ok_or_else(failed)?;
    let olog = app.olog();
    let hashes = run.iter().map(|placed| placed.envelope_hash).collect();
    sign_receipt(&*olog.receipts, first.index, hashes, first.received_at, olog.desk.signed_head())
        .map_err(|_| failed())
}
