//! Tickets, from the side of the device that redeems one. Nobody is known here yet: what protects
//! these two routes is the ticket's secret, five tries, and the strict rate by address.

use crate::App;
use crate::call::{Answer, Call, answer_cbor, done};
use crate::problem_response::{Refusal, bad_body, refuse};
use crate::store_problem::store_failed;
use ward_api::limits::ENROL_BLOB_MAX_BYTES;
use ward_api::{EnrolmentInfo, EnrolmentSubmission, ErrorCode, Opaque, TicketState};
use ward_crypto::{EnrolBlob, RedeemKey};
use ward_id::{Canonical as _, TicketId};
use ward_store::{RedeemError, Store, StoredTicket};

pub(super) async fn read<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let stored = find(app, call).await?;
    let issuer_cert = {
        let membership = app.membership().read();
        membership
            .record(stored.ticket.issuer)
            .filter(|record| record.is_active())
            .map(|record| record.cert().to_canonical())
    };
    let issuer_cert = issuer_cert.ok_or_else(|| {
        refuse(ErrorCode::TicketVoid, "Its issuer's device was revoked; ask for a new ticket.")
    })?;
    let info = EnrolmentInfo {
        root_policy: Opaque(app.root_policy().to_vec()),
        issuer_cert: Opaque(issuer_cert),
        state: stored.state,
    };
    answer_cbor(call.spec, &info)
}

pub(super) async fn redeem<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let submission: EnrolmentSubmission = call.decode()?;
    if submission.blob.0.len() > ENROL_BLOB_MAX_BYTES {
        return Err(refuse(
            ErrorCode::TooLarge,
            format!("A sealed request has at most {ENROL_BLOB_MAX_BYTES} bytes."),
        ));
    }
    let blob = EnrolBlob::from_canonical(&submission.blob.0).map_err(bad_body)?;
    let stored = find(app, call).await?;
    let ticket = stored.ticket.ticket;
    // A ticket that has ended says so before its proof is looked at: its key is gone by then.
    if !matches!(stored.state, TicketState::Open | TicketState::Redeemed) {
        return Err(ended(stored.state));
    }
    let key = app.secrets().open_ticket_key(ticket, &stored.ticket.sealed_srv).ok_or_else(|| {
        refuse(ErrorCode::TicketVoid, "The server cannot check it any more; ask for a new ticket.")
    })?;
    if RedeemKey::from_bytes(*key).verify_proof(ticket, &blob, &submission.proof.0).is_err() {
        return Err(wrong_proof(app, call, ticket).await);
    }
    match app.store().redeem_ticket(ticket, submission.blob.0, call.now).await {
        // The same request again is the device asking after a lost answer.
        Ok(()) | Err(RedeemError::Used { same_blob: true }) => done(call.spec),
        Err(RedeemError::Used { same_blob: false }) => Err(refuse(
            ErrorCode::TicketUsed,
            "If it was not you, tell the study team at once: they can decline it.",
        )),
        Err(RedeemError::Unknown) => Err(unknown()),
        Err(RedeemError::Ended { state }) => Err(ended(state)),
        Err(RedeemError::Store(error)) => Err(store_failed(error)),
    }
}

async fn find<S: Store>(app: &App<S>, call: &Call) -> Result<StoredTicket, Refusal> {
    let ticket: TicketId = call.path_id("ticket")?;
    app.store().ticket(ticket, call.now).await.map_err(store_failed)?.ok_or_else(unknown)
}

async fn wrong_proof<S: Store>(app: &App<S>, call: &Call, ticket: TicketId) -> Refusal {
    match app.store().record_wrong_proof(ticket, call.now).await {
        Ok(Some(wrong)) if wrong.state == TicketState::Burnt => ended(TicketState::Burnt),
        Ok(Some(_)) => refuse(ErrorCode::TicketProof, "Scan the ticket again."),
        Ok(None) => unknown(),
        Err(error) => store_failed(error),
    }
}

fn unknown() -> Refusal {
    refuse(ErrorCode::TicketUnknown, "Ask the study team for a new ticket.")
}

fn ended(state: TicketState) -> Refusal {
    match state {
        TicketState::Burnt => refuse(ErrorCode::TicketBurnt, "Ask the study team for a new ticket."),
        TicketState::Expired => refuse(ErrorCode::TicketExpired, "Ask the study team for a new ticket."),
        TicketState::Void | TicketState::Declined => {
            refuse(ErrorCode::TicketVoid, "Ask the study team for a new ticket.")
        }
        TicketState::Open | TicketState::Redeemed | TicketState::Certified => {
            refuse(ErrorCode::TicketUsed, "Ask the study team for a new ticket.")
        }
    }
}
