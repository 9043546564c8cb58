//! The drop box: entries of devices that may not seal, for the staff of their chart.
//!
//! Handing over takes no token: a revoked device has none. It takes a proof of the device's own key
//! with a nonce of this server, and the signature inside each drop. What is inside is sealed to staff
//! devices; the server keeps it as it came.

use crate::App;
use crate::call::{Answer, Call, answer_cbor, done};
use crate::gate::{check_member, proof_invalid, take_up};
use crate::jose::dpop::VerifiedProof;
use crate::membership_desk::policy_number;
use crate::problem_response::{Refusal, bad_body, rate_limited, refuse, refuse_with};
use crate::store_problem::store_failed;
use ward_api::limits::{DROP_BATCH_MAX, DROP_MAX_BYTES, DROP_PAGE_MAX_BYTES};
use ward_api::{DropBatch, DropPage, DropRow, DropState, DropStateChange, ErrorCode, Opaque, ProblemMembers};
use ward_crypto::DropEnvelope;
use ward_id::{Canonical as _, CborError, ChartId, DeviceId, PersonId};
use ward_store::{DropDecision, DropError, DropsRequest, NewDrop, Store, StoredDrop};
use ward_sync::{DropRefusal, RevokePolicy, check_drop};

pub(super) async fn hand_over<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let proof = call.proof()?;
    check_count(&call.body)?;
    let batch: DropBatch = call.decode()?;
    let drops = batch.into_iter().map(decode_one).collect::<Result<Vec<_>, _>>()?;
    let sender = one_sender(&drops)?;
    let person = possessed(app, sender, proof)?;
    take_up(app, proof, call.now)?;
    app.rates().check_device(sender, person).map_err(rate_limited)?;
    app.rates().check_bytes(sender, call.body.len()).map_err(rate_limited)?;
    app.rates().check_drops(sender, drops.len()).map_err(rate_limited)?;
    {
        let membership = app.membership().read();
        for (dropped, _) in &drops {
            check_drop(&membership, dropped).map_err(not_taken)?;
        }
    }
    let new = drops.into_iter().map(|(dropped, bytes)| NewDrop {
        chart: dropped.chart,
        device: dropped.device,
        entry_id: dropped.entry_id,
        bytes,
    });
    let taken = app.store().add_drops(new.collect(), call.now).await.map_err(no_room)?;
    app.metrics().dropped(taken);
    done(call.spec)
}

/// As for pushes: the head of the list is looked at before it is taken apart.
fn check_count(body: &[u8]) -> Result<(), Refusal> {
    match minicbor::Decoder::new(body).array() {
        Ok(None) => Err(bad_body(CborError::NotCanonical)),
        Ok(Some(count)) if count > DROP_BATCH_MAX as u64 => {
            let members = ProblemMembers { limit: Some(DROP_BATCH_MAX as u64), ..ProblemMembers::default() };
            let detail = format!("Hand over at most {DROP_BATCH_MAX} drops at once.");
            Err(refuse_with(ErrorCode::PushTooLarge, detail, members))
        }
        _ => Ok(()),
    }
}

fn decode_one(Opaque(bytes): Opaque) -> Result<(DropEnvelope, Vec<u8>), Refusal> {
    if bytes.len() > DROP_MAX_BYTES {
        let members = ProblemMembers { limit: Some(DROP_MAX_BYTES as u64), ..ProblemMembers::default() };
        let detail = format!("A drop has at most {DROP_MAX_BYTES} bytes; seal it to fewer devices.");
        return Err(refuse_with(ErrorCode::OperationTooLarge, detail, members));
    }
    let dropped = DropEnvelope::from_canonical(&bytes).map_err(bad_body)?;
    Ok((dropped, bytes))
}

fn one_sender(drops: &[(DropEnvelope, Vec<u8>)]) -> Result<DeviceId, Refusal> {
    let first = drops.first().map(|(dropped, _)| dropped.device);
    first.filter(|sender| drops.iter().all(|(dropped, _)| dropped.device == *sender)).ok_or_else(|| {
        refuse(
            ErrorCode::ForeignDevice,
            "Hand over drops of one device at a time, its own, and at least one.",
        )
    })
}

/// The person of a device that stands in the log with the key of the proof, whether it is revoked,
/// suspended, out of date or not.
pub(super) fn possessed<S: Store>(
    app: &App<S>,
    device: DeviceId,
    proof: &VerifiedProof,
) -> Result<PersonId, Refusal> {
    let membership = app.membership().read();
    let Some(record) = membership.record(device) else {
        let detail = "Enrol the device, or wait until its certificate is in the log.";
        return Err(refuse(ErrorCode::DeviceUnknown, detail));
    };
    if record.cert().binding.auth_pk.as_bytes() == &proof.auth_key_sec1 {
        Ok(record.person())
    } else {
        Err(proof_invalid())
    }
}

fn not_taken(refusal: DropRefusal) -> Refusal {
    let text = refusal.to_string();
    match refusal {
        DropRefusal::NotCertified(_) | DropRefusal::NeverMember(_) => refuse(ErrorCode::NotMember, text),
        DropRefusal::Severed(_) => {
            let policy = Some(policy_number(RevokePolicy::Sever));
            let members = ProblemMembers { policy, ..ProblemMembers::default() };
            refuse_with(ErrorCode::Revoked, "Nothing of this device is taken any more.", members)
        }
        DropRefusal::Recipient(_) => refuse(ErrorCode::DropRecipients, text),
        DropRefusal::Signature => refuse(ErrorCode::OperationSignature, text),
    }
}

fn no_room(error: DropError) -> Refusal {
    match error {
        DropError::DeviceFull | DropError::ChartFull => refuse(
            ErrorCode::TooManyDrops,
            "Staff must adopt or decline some first; what waits stays on the device.",
        ),
        DropError::Store(error) => store_failed(error),
    }
}

/// Drops of the charts that the caller is a member of, but for those of devices that were severed
/// since.
pub(super) async fn list<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let device = call.caller()?.device;
    let charts: Vec<ChartId> = app.membership().read().charts_of(device);
    let request = DropsRequest { charts, after: call.query.get("after"), limit_bytes: DROP_PAGE_MAX_BYTES };
    let page = app.store().drops_waiting(request).await.map_err(store_failed)?;
    let membership = app.membership().read();
    let severed = |stored: &StoredDrop| {
        let record = membership.device(stored.dropped.chart, stored.dropped.device);
        let revocation = record.and_then(|record| record.revocation());
        revocation.is_some_and(|revocation| revocation.policy == RevokePolicy::Sever)
    };
    // A page of which nothing is left would hide those after it: the caller asks after the last row.
    let last = page.drops.last().map(|last| last.number);
    let shown =
        page.drops.into_iter().filter(|stored| Some(stored.number) == last && page.more || !severed(stored));
    let rows = shown.map(|StoredDrop { number, received_at, dropped }| DropRow {
        number,
        received_at,
        dropped: Opaque(dropped.bytes),
    });
    answer_cbor(call.spec, &DropPage { rows: rows.collect(), more: page.more })
}

/// Takes a drop off the list. What was decided stands in the chart, signed; this is housekeeping.
pub(super) async fn set_state<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let DropStateChange { chart, device, entry, state } = call.decode()?;
    let by = call.caller()?.device;
    check_member(app, chart, by)?;
    if state == DropState::Waiting {
        return Err(refuse(ErrorCode::Malformed, "A drop is adopted or declined; it does not go back."));
    }
    let decision = DropDecision { chart, device, entry_id: entry, state, by, at: call.now };
    if !app.store().decide_drop(decision).await.map_err(store_failed)? {
        return Err(refuse(ErrorCode::DropUnknown, "It was removed, or never came; list them again."));
    }
    app.metrics().drop_decided();
    done(call.spec)
}
