//! Tickets. What two requests could race for is one statement with its condition inside.

use crate::SqliteStore;
use crate::columns::{all, bound, change, instant, one, single, uint};
use crate::fault::Fault;
use crate::sql;
use rusqlite::{Connection, Row, params};
use ward_id::{ChartId, DeviceId, TicketId, TimestampMs};
use ward_store::limits::{DEVICE_MAX_OPEN_TICKETS, SITE_MAX_OPEN_TICKETS, TICKET_MAX_WRONG_PROOFS};
use ward_store::{
    CreateTicketError, NewTicket, RedeemError, StoreError, StoredTicket, TicketState, TicketStateError,
    TicketStore, WrongProof, check_blob,
};

fn stored(row: &Row<'_>) -> rusqlite::Result<(StoredTicket, u8)> {
    let ticket = NewTicket {
        ticket: TicketId::from_bytes(row.get(0)?),
        issuer: DeviceId::from_bytes(row.get(1)?),
        sealed_srv: row.get(2)?,
        role: row.get(3)?,
        chart: row.get::<_, Option<[u8; 16]>>(4)?.map(ChartId::from_bytes),
        not_after: instant(row, 5)?,
    };
    let found = StoredTicket {
        ticket,
        state: TicketState::Open,
        wrong_proofs: row.get(7)?,
        blob: row.get(8)?,
        redeemed_at: row.get::<_, Option<i64>>(9)?.map(TimestampMs),
    };
    Ok((found, row.get(6)?))
}

/// The ticket as it stands at `now`: an open one whose time ran out is expired, marked or not.
fn standing((mut found, number): (StoredTicket, u8), now: TimestampMs) -> Result<StoredTicket, Fault> {
    let state =
        TicketState::from_number(number).ok_or_else(|| Fault::corrupt("a ticket has no known state"))?;
    let over = state == TicketState::Open && now >= found.ticket.not_after;
    found.state = if over { TicketState::Expired } else { state };
    Ok(found)
}

fn find(conn: &Connection, ticket: TicketId, now: TimestampMs) -> Result<Option<StoredTicket>, Fault> {
    one(conn, sql::TICKET, [ticket.as_bytes()], stored)?.map(|found| standing(found, now)).transpose()
}

fn create(
    conn: &Connection,
    ticket: &NewTicket,
    now: TimestampMs,
) -> Result<Result<(), CreateTicketError>, Fault> {
    if one(conn, sql::TICKET_EXISTS, [ticket.ticket.as_bytes()], |_| Ok(()))?.is_some() {
        return Ok(Err(CreateTicketError::Exists));
    }
    let open = single(conn, sql::TICKET_OPEN_COUNT, [now.0], |row| uint(row, 0))?;
    if open >= SITE_MAX_OPEN_TICKETS as u64 {
        return Ok(Err(CreateTicketError::TooMany));
    }
    let (id, issuer) = (ticket.ticket.as_bytes(), ticket.issuer.as_bytes());
    let own = single(conn, sql::TICKET_OPEN_COUNT_OF, params![now.0, issuer], |row| uint(row, 0))?;
    if own >= DEVICE_MAX_OPEN_TICKETS as u64 {
        return Ok(Err(CreateTicketError::TooManyOfIssuer));
    }
    let chart = ticket.chart.as_ref().map(ChartId::as_bytes);
    let row = params![id, issuer, ticket.sealed_srv, ticket.role, chart, ticket.not_after.0];
    change(conn, sql::TICKET_INSERT, row)?;
    Ok(Ok(()))
}

fn redeem(
    conn: &Connection,
    ticket: TicketId,
    blob: &[u8],
    now: TimestampMs,
) -> Result<Result<(), RedeemError>, Fault> {
    if change(conn, sql::TICKET_REDEEM, params![ticket.as_bytes(), now.0, blob])? == 1 {
        return Ok(Ok(()));
    }
    Ok(Err(match find(conn, ticket, now)? {
        None => RedeemError::Unknown,
        Some(found) if found.state == TicketState::Redeemed => {
            RedeemError::Used { same_blob: found.blob.as_deref() == Some(blob) }
        }
        Some(found) => RedeemError::Ended { state: found.state },
    }))
}

fn wrong_proof(conn: &Connection, ticket: TicketId, now: TimestampMs) -> Result<Option<WrongProof>, Fault> {
    change(conn, sql::TICKET_WRONG_PROOF, params![ticket.as_bytes(), now.0, TICKET_MAX_WRONG_PROOFS])?;
    let found = find(conn, ticket, now)?;
    Ok(found.map(|found| WrongProof { wrong_proofs: found.wrong_proofs, state: found.state }))
}

fn set_state(
    conn: &Connection,
    ticket: TicketId,
    issuer: DeviceId,
    state: TicketState,
    now: TimestampMs,
) -> Result<Result<(), TicketStateError>, Fault> {
    let Some(found) = find(conn, ticket, now)?.filter(|found| found.ticket.issuer == issuer) else {
        return Ok(Err(TicketStateError::Unknown));
    };
    if found.state.issuer_may_set(state) {
        change(conn, sql::TICKET_END, params![ticket.as_bytes(), state.number()])?;
    } else if found.state != state {
        return Ok(Err(TicketStateError::NotAllowed { from: found.state }));
    }
    Ok(Ok(()))
}

fn of_issuer(conn: &Connection, issuer: DeviceId, now: TimestampMs) -> Result<Vec<StoredTicket>, Fault> {
    let found =
        all(conn, sql::TICKETS_OF, params![issuer.as_bytes(), bound(SITE_MAX_OPEN_TICKETS as u64)], stored)?;
    found.into_iter().map(|found| standing(found, now)).collect()
}

impl TicketStore for SqliteStore {
    async fn create_ticket(&self, ticket: NewTicket, now: TimestampMs) -> Result<(), CreateTicketError> {
        self.inner.writer.write(ticket.sealed_srv.len(), move |conn| create(conn, &ticket, now)).await?
    }

    async fn ticket(&self, ticket: TicketId, now: TimestampMs) -> Result<Option<StoredTicket>, StoreError> {
        self.inner.readers.read(move |conn| find(conn, ticket, now)).await
    }

    async fn tickets_of(&self, issuer: DeviceId, now: TimestampMs) -> Result<Vec<StoredTicket>, StoreError> {
        self.inner.readers.read(move |conn| of_issuer(conn, issuer, now)).await
    }

    async fn record_wrong_proof(
        &self,
        ticket: TicketId,
        now: TimestampMs,
    ) -> Result<Option<WrongProof>, StoreError> {
        self.inner.writer.write(0, move |conn| wrong_proof(conn, ticket, now)).await
    }

    async fn redeem_ticket(
        &self,
        ticket: TicketId,
        blob: Vec<u8>,
        now: TimestampMs,
    ) -> Result<(), RedeemError> {
        check_blob(&blob)?;
        self.inner.writer.write(blob.len(), move |conn| redeem(conn, ticket, &blob, now)).await?
    }

    async fn set_ticket_state(
        &self,
        ticket: TicketId,
        issuer: DeviceId,
        state: TicketState,
        now: TimestampMs,
    ) -> Result<(), TicketStateError> {
        self.inner.writer.write(0, move |conn| set_state(conn, ticket, issuer, state, now)).await?
    }

    async fn expire_tickets(&self, now: TimestampMs) -> Result<u64, StoreError> {
        let count =
            self.inner.writer.write(0, move |conn| change(conn, sql::TICKETS_EXPIRE, [now.0])).await?;
        Ok(count as u64)
    }
}
