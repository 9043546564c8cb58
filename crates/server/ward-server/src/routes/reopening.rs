//! What a restored server tells its devices, and what they bring: checkpoints of the old log, and
//! receipts that the log does not keep.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use crate::problem_response::refuse;
use ward_api::{ErrorCode, OlogEvidence, Opaque, ReopeningState};
use ward_audit::reopened_origin;
use ward_store::Store;

pub(super) fn state<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let awaiting = app.awaiting()?;
    let (first_origin, number) = {
        let membership = app.membership().read();
        let first = membership.manifest().map(|manifest| manifest.olog_origin.clone()).unwrap_or_default();
        (first, membership.olog_number().saturating_add(1))
    };
    let newest = app.old_head(&awaiting.ended);
    let state = ReopeningState {
        old_origin: awaiting.ended,
        new_origin: reopened_origin(&first_origin, number),
        old_head: newest.as_ref().map(|(head, _)| *head),
        checkpoint: newest.map(|(_, note)| Opaque(note)),
        known_size: awaiting.olog_size,
        kept: app.kept_head().map(|note| Opaque(note.text.clone().into_bytes())),
    };
    answer_cbor(call.spec, &state)
}

pub(super) async fn bring<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let OlogEvidence { checkpoint, receipt } = call.decode()?;
    if checkpoint.is_none() && receipt.is_none() {
        return Err(refuse(ErrorCode::OldCheckpointRefused, "Bring a checkpoint or a receipt."));
    }
    if let Some(receipt) = receipt {
        app.bring_receipt(&receipt.0).await?;
    }
    if let Some(checkpoint) = checkpoint {
        app.bring(checkpoint.0)?;
    }
    answer(call.spec, Vec::new())
}
