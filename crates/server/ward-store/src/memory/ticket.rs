//! Tickets and proposals in memory.

use super::MemoryStore;
use crate::limits::{
    DEVICE_MAX_OPEN_TICKETS, DEVICE_MAX_PROPOSALS, PROPOSAL_MAX_LIFE_MS, SITE_MAX_OPEN_TICKETS,
    SITE_MAX_PROPOSALS, TICKET_MAX_WRONG_PROOFS,
};
use crate::{
    CreateTicketError, NewTicket, ProposalError, ProposalStore, RedeemError, StoreError, StoredProposal,
    StoredTicket, TicketStateError, TicketStore, WrongProof, check_blob,
};
use ward_api::TicketState;
use ward_id::{DeviceId, MlogEntryHash, TicketId, TimestampMs};

impl StoredTicket {
    /// The state at `now`: an open ticket whose time ran out is expired, marked or not.
    pub(crate) fn state_at(&self, now: TimestampMs) -> TicketState {
        if self.state == TicketState::Open && now >= self.ticket.not_after {
            TicketState::Expired
        } else {
            self.state
        }
    }

    fn at(&self, now: TimestampMs) -> Self {
        Self { state: self.state_at(now), ..self.clone() }
    }

    fn end(&mut self, state: TicketState) {
        self.state = state;
        self.ticket.sealed_srv = Vec::new();
        self.blob = None;
    }
}

impl TicketStore for MemoryStore {
    async fn create_ticket(&self, ticket: NewTicket, now: TimestampMs) -> Result<(), CreateTicketError> {
        let mut state = self.write()?;
        if state.tickets.contains_key(&ticket.ticket) {
            return Err(CreateTicketError::Exists);
        }
        let open = state.tickets.values().filter(|(_, t)| t.state_at(now) == TicketState::Open);
        let own = open.clone().filter(|(_, t)| t.ticket.issuer == ticket.issuer).count();
        if open.count() >= SITE_MAX_OPEN_TICKETS {
            return Err(CreateTicketError::TooMany);
        }
        if own >= DEVICE_MAX_OPEN_TICKETS {
            return Err(CreateTicketError::TooManyOfIssuer);
        }
        let place = state.tickets.len() as u64;
        let stored =
            StoredTicket { ticket, state: TicketState::Open, wrong_proofs: 0, blob: None, redeemed_at: None };
        state.tickets.insert(stored.ticket.ticket, (place, stored));
        Ok(())
    }

    async fn ticket(&self, ticket: TicketId, now: TimestampMs) -> Result<Option<StoredTicket>, StoreError> {
        Ok(self.read()?.tickets.get(&ticket).map(|(_, ticket)| ticket.at(now)))
    }

    async fn tickets_of(&self, issuer: DeviceId, now: TimestampMs) -> Result<Vec<StoredTicket>, StoreError> {
        let state = self.read()?;
        let mut own: Vec<_> = state.tickets.values().filter(|(_, t)| t.ticket.issuer == issuer).collect();
        own.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        Ok(own.into_iter().take(SITE_MAX_OPEN_TICKETS).map(|(_, ticket)| ticket.at(now)).collect())
    }

    async fn record_wrong_proof(
        &self,
        ticket: TicketId,
        now: TimestampMs,
    ) -> Result<Option<WrongProof>, StoreError> {
        let mut state = self.write()?;
        let Some((_, ticket)) = state.tickets.get_mut(&ticket) else { return Ok(None) };
        if ticket.state_at(now) == TicketState::Open {
            ticket.wrong_proofs += 1;
            if ticket.wrong_proofs >= TICKET_MAX_WRONG_PROOFS {
                ticket.end(TicketState::Burnt);
            }
        }
        Ok(Some(WrongProof { wrong_proofs: ticket.wrong_proofs, state: ticket.state_at(now) }))
    }

    async fn redeem_ticket(
        &self,
        ticket: TicketId,
        blob: Vec<u8>,
        now: TimestampMs,
    ) -> Result<(), RedeemError> {
        check_blob(&blob)?;
        let mut state = self.write()?;
        let (_, ticket) = state.tickets.get_mut(&ticket).ok_or(RedeemError::Unknown)?;
        match ticket.state_at(now) {
            TicketState::Open => {
                ticket.state = TicketState::Redeemed;
                ticket.blob = Some(blob);
                ticket.redeemed_at = Some(now);
                Ok(())
            }
            TicketState::Redeemed => {
                Err(RedeemError::Used { same_blob: ticket.blob.as_ref() == Some(&blob) })
            }
            state => Err(RedeemError::Ended { state }),
        }
    }

    async fn set_ticket_state(
        &self,
        ticket: TicketId,
        issuer: DeviceId,
        state: TicketState,
        now: TimestampMs,
    ) -> Result<(), TicketStateError> {
        let mut all = self.write()?;
        let found = all.tickets.get_mut(&ticket).filter(|(_, t)| t.ticket.issuer == issuer);
        let (_, ticket) = found.ok_or(TicketStateError::Unknown)?;
        let from = ticket.state_at(now);
        if from.issuer_may_set(state) {
            ticket.end(state);
        } else if from != state {
            return Err(TicketStateError::NotAllowed { from });
        }
        Ok(())
    }

    async fn expire_tickets(&self, now: TimestampMs) -> Result<u64, StoreError> {
        let mut state = self.write()?;
        let mut count = 0;
        for (_, ticket) in state.tickets.values_mut() {
            if ticket.state == TicketState::Open && ticket.state_at(now) == TicketState::Expired {
                ticket.end(TicketState::Expired);
                count += 1;
            }
        }
        Ok(count)
    }
}

impl ProposalStore for MemoryStore {
    async fn add_proposal(&self, proposal: StoredProposal) -> Result<(), ProposalError> {
        let mut state = self.write()?;
        if state.proposals.iter().any(|kept| kept.hash == proposal.hash) {
            return Ok(());
        }
        let ran_out = proposal.received_at.plus_ms(-PROPOSAL_MAX_LIFE_MS);
        state.proposals.retain(|kept| kept.received_at > ran_out);
        if state.proposals.len() >= SITE_MAX_PROPOSALS {
            return Err(ProposalError::TooMany);
        }
        let own = state.proposals.iter().filter(|kept| kept.proposer == proposal.proposer).count();
        if own >= DEVICE_MAX_PROPOSALS {
            return Err(ProposalError::TooManyOfProposer);
        }
        state.proposals.push(proposal);
        Ok(())
    }

    async fn proposals(&self) -> Result<Vec<StoredProposal>, StoreError> {
        Ok(self.read()?.proposals.clone())
    }

    async fn purge_proposals(&self, before: TimestampMs) -> Result<u64, StoreError> {
        let mut state = self.write()?;
        let count = state.proposals.len();
        state.proposals.retain(|kept| kept.received_at > before);
        Ok((count - state.proposals.len()) as u64)
    }

    async fn remove_proposal(&self, hash: MlogEntryHash) -> Result<bool, StoreError> {
        let mut state = self.write()?;
        let before = state.proposals.len();
        state.proposals.retain(|kept| kept.hash != hash);
        Ok(state.proposals.len() < before)
    }
}
