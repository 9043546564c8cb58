//! Tickets, from their issuer's side.

use crate::App;
use crate::call::{Answer, Call, answer_cbor, done};
use crate::limits::TICKET_CLOCK_TOLERANCE_MS;
use crate::problem_response::{Refusal, no_randomness, refuse, refuse_with};
use crate::store_problem::store_failed;
use ward_api::limits::{DEVICE_MAX_OPEN_TICKETS, SITE_MAX_OPEN_TICKETS, TICKET_MAX_LIFE_MS};
use ward_api::{
    ErrorCode, Opaque, OwnTicket, ProblemMembers, TicketRegistration, TicketState, TicketStateChange,
};
use ward_crypto::Role;
use ward_id::TicketId;
use ward_store::{CreateTicketError, NewTicket, Store, TicketStateError};

pub(super) async fn register<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let registration: TicketRegistration = call.decode()?;
    check(&registration, call)?;
    let sealed =
        app.secrets().seal_ticket_key(registration.ticket, registration.srv.as_bytes(), app.entropy());
    let ticket = NewTicket {
        ticket: registration.ticket,
        issuer: call.caller()?.device,
        sealed_srv: sealed.map_err(no_randomness)?,
        role: registration.role,
        chart: registration.chart,
        not_after: registration.not_after,
    };
    app.store().create_ticket(ticket, call.now).await.map_err(|error| match error {
        CreateTicketError::TooMany => {
            let members =
                ProblemMembers { limit: Some(SITE_MAX_OPEN_TICKETS as u64), ..ProblemMembers::default() };
            refuse_with(ErrorCode::TooManyTickets, "Void some, or wait until some run out.", members)
        }
        CreateTicketError::TooManyOfIssuer => {
            let members =
                ProblemMembers { limit: Some(DEVICE_MAX_OPEN_TICKETS as u64), ..ProblemMembers::default() };
            let detail = "This device has its share of open tickets; void some, or wait until some run out.";
            refuse_with(ErrorCode::TooManyTickets, detail, members)
        }
        CreateTicketError::Exists => refuse(ErrorCode::TicketExists, "Make a ticket with a new random id."),
        CreateTicketError::Store(error) => store_failed(error),
    })?;
    done(call.spec)
}

fn check(registration: &TicketRegistration, call: &Call) -> Result<(), Refusal> {
    let role = Role::from_number(registration.role)
        .ok_or_else(|| refuse(ErrorCode::Malformed, "The role is not one of the protocol's."))?;
    if (role == Role::Patient) != registration.chart.is_some() {
        return Err(refuse(
            ErrorCode::Malformed,
            "A ticket names a chart for a patient and for nobody else.",
        ));
    }
    let life_ms = registration.not_after.since_ms(call.now);
    if life_ms <= 0 || life_ms > TICKET_MAX_LIFE_MS + TICKET_CLOCK_TOLERANCE_MS {
        return Err(refuse(
            ErrorCode::TicketLife,
            "A ticket lives up to 72 hours from now; check the device's clock.",
        ));
    }
    Ok(())
}

pub(super) async fn list<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let tickets = app.store().tickets_of(call.caller()?.device, call.now).await.map_err(store_failed)?;
    let own: Vec<OwnTicket> = tickets
        .into_iter()
        .map(|stored| OwnTicket {
            ticket: stored.ticket.ticket,
            state: stored.state,
            role: stored.ticket.role,
            chart: stored.ticket.chart,
            not_after: stored.ticket.not_after,
            blob: stored.blob.map(Opaque),
        })
        .collect();
    answer_cbor(call.spec, &own)
}

pub(super) async fn set_state<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let ticket: TicketId = call.path_id("ticket")?;
    let TicketStateChange { state } = call.decode()?;
    if !matches!(state, TicketState::Certified | TicketState::Declined | TicketState::Void) {
        return Err(refuse(ErrorCode::TicketState, "An issuer sets a ticket certified, declined or void."));
    }
    let issuer = call.caller()?.device;
    app.store().set_ticket_state(ticket, issuer, state, call.now).await.map_err(|error| match error {
        TicketStateError::Unknown => refuse(ErrorCode::TicketUnknown, "It is not one of yours."),
        TicketStateError::NotAllowed { .. } => {
            refuse(ErrorCode::TicketState, "List the tickets to see where it stands.")
        }
        TicketStateError::Store(error) => store_failed(error),
    })?;
    done(call.spec)
}
