//! What a restored server tells its devices, and the checkpoints of the old log that they bring.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor};
use ward_api::{OldCheckpoint, Opaque, ReopeningState};
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
    };
    answer_cbor(call.spec, &state)
}

pub(super) fn bring<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let OldCheckpoint { checkpoint } = call.decode()?;
    app.bring(checkpoint.0)?;
    answer(call.spec, Vec::new())
}
