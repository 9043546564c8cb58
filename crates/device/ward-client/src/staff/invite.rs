//! Invitations: made on this device, registered at the server, which never sees their secret.

use crate::limits::TICKET_CLINIC_MS;
use crate::store::{Batch, Table, TicketRecord};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, ServerAddress, Transport};
use minicbor::bytes::ByteArray;
use ward_api::{Key32, OwnTicket, TicketRegistration, TicketState, TicketStateChange, paths};
use ward_crypto::{Role, Ticket, TicketFields, TicketSecret, V1, random_id};
use ward_id::{ChartId, PersonId, TicketId, TimestampMs};

/// Whom to invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// The person's pseudonym.
    pub person: PersonId,
    /// What they may do.
    pub role: Role,
    /// The chart of a patient; absent for staff.
    pub chart: Option<ChartId>,
    /// Until when; fifteen minutes from now where absent.
    pub not_after: Option<TimestampMs>,
    /// Where the new device finds the server; this device's own address where absent.
    pub server: Option<ServerAddress>,
}

/// A ticket of this device and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketRow {
    /// Its id.
    pub ticket: TicketId,
    /// Where it stands.
    pub state: TicketState,
    /// The role.
    pub role: Option<Role>,
    /// The chart, for a patient.
    pub chart: Option<ChartId>,
    /// Redeemable until.
    pub not_after: TimestampMs,
    /// Whether this device holds its secret and so can sign.
    pub held: bool,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Makes an invitation and registers it. Show its text as a QR code; it holds a secret.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] for a role that does not invite, and what a call can fail with.
    pub async fn invite(&mut self, invite: NewInvite) -> Result<Ticket, ClientError> {
        let now = self.env_wall();
        let (open, env) = self.device_and_env()?;
        if !matches!(open.me.role, Role::Coordinator | Role::Admin) {
            return Err(ClientError::NotAllowed("a coordinator or an admin invites"));
        }
        let server = invite.server.unwrap_or_else(|| open.server.clone());
        let ticket = Ticket::new(TicketFields {
            v: V1,
            study: open.me.study,
            site: open.me.site,
            srf: open.root_policy.fingerprint(),
            ticket: random_id(env.rng()),
            secret: TicketSecret::generate(env.rng()),
            server_origin: server.origin,
            spki_pins: server.spki_pins.into_iter().map(ByteArray::from).collect(),
            issuer_enc_hash: open.keys.enc.public().key_hash().into(),
            issuer_device: open.me.device,
            person: invite.person,
            role: invite.role,
            chart: invite.chart,
            not_after: invite.not_after.unwrap_or_else(|| now.plus_ms(TICKET_CLINIC_MS)),
            independent: open.me.independent,
        })?;
        // Kept before it is registered: a ticket that the server knows can always be signed here.
        let record =
            TicketRecord { ticket: ticket.ticket, text: ticket.to_text().to_string(), proposed: None };
        self.keep_ticket(record).await?;
        let body = TicketRegistration {
            ticket: ticket.ticket,
            srv: Key32::from_bytes(*ticket.redeem_key().as_bytes()),
            role: ticket.role.number(),
            chart: ticket.chart,
            not_after: ticket.not_after,
        };
        self.wire()?.post_done(paths::TICKETS, &body).await?;
        Ok(ticket)
    }

    pub(crate) async fn keep_ticket(&mut self, record: TicketRecord) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.put(Table::Tickets, record.ticket.as_bytes().as_slice(), &record);
        self.commit(batch).await?;
        self.device_mut()?.tickets.insert(record.ticket, record);
        self.raise_mark(None).await;
        Ok(())
    }

    /// A ticket that was used or ended: its secret has no use any more.
    pub(crate) async fn forget_ticket(&mut self, ticket: TicketId) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.delete(Table::Tickets, ticket.as_bytes().as_slice());
        self.commit(batch).await?;
        self.device_mut()?.tickets.remove(&ticket);
        self.raise_mark(None).await;
        Ok(())
    }

    /// The tickets of this device.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn tickets(&mut self) -> Result<Vec<TicketRow>, ClientError> {
        let rows = self.own_tickets().await?;
        let held = &self.device()?.tickets;
        let row = |row: OwnTicket| TicketRow {
            ticket: row.ticket,
            state: row.state,
            role: Role::from_number(row.role),
            chart: row.chart,
            not_after: row.not_after,
            held: held.contains_key(&row.ticket),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    pub(crate) async fn own_tickets(&mut self) -> Result<Vec<OwnTicket>, ClientError> {
        self.wire()?.get(paths::TICKETS).await
    }

    /// Makes a ticket useless.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn void_ticket(&mut self, ticket: TicketId) -> Result<(), ClientError> {
        self.set_ticket_state(ticket, TicketState::Void).await?;
        self.forget_ticket(ticket).await
    }

    pub(crate) async fn set_ticket_state(
        &mut self,
        ticket: TicketId,
        state: TicketState,
    ) -> Result<(), ClientError> {
        let body = TicketStateChange { state };
        self.wire()?.post_done(&paths::ticket_state(ticket), &body).await
    }
}
