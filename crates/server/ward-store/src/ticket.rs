//! Tickets: registered by their issuer, redeemed once.

use crate::StoreError;
use crate::limits::ENROL_BLOB_MAX_BYTES;
use std::future::Future;
use ward_api::TicketState;
use ward_id::{ChartId, DeviceId, TicketId, TimestampMs};

/// A ticket as its issuer registers it. It holds a key, so it is not printed.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct NewTicket {
    /// Its id.
    #[zeroize(skip)]
    pub ticket: TicketId,
    /// The issuer's device.
    #[zeroize(skip)]
    pub issuer: DeviceId,
    /// The key that checks proofs, sealed by the server; opaque here.
    pub sealed_srv: Vec<u8>,
    /// The role that the certificate will have.
    pub role: u8,
    /// The chart, for a patient.
    #[zeroize(skip)]
    pub chart: Option<ChartId>,
    /// Redeemable before this instant.
    #[zeroize(skip)]
    pub not_after: TimestampMs,
}

/// A stored ticket. It holds a key, so it is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTicket {
    /// As registered.
    pub ticket: NewTicket,
    /// Where it stands at the instant of the question: an open one whose time ran out is expired.
    pub state: TicketState,
    /// Wrong proofs so far.
    pub wrong_proofs: u32,
    /// The sealed request, once redeemed; dropped when the issuer has decided.
    pub blob: Option<Vec<u8>>,
    /// When it was redeemed.
    pub redeemed_at: Option<TimestampMs>,
}

/// A ticket that was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateTicketError {
    /// The site has [`crate::limits::SITE_MAX_OPEN_TICKETS`] open ones. A person must act.
    #[error("the site has as many open tickets as it may have")]
    TooMany,
    /// The issuer has [`crate::limits::DEVICE_MAX_OPEN_TICKETS`] open ones. That person must act.
    #[error("the issuer has as many open tickets as one device may have")]
    TooManyOfIssuer,
    /// There is one with this id. The app must act.
    #[error("a ticket with this id exists")]
    Exists,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A ticket that was not redeemed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// There is none with this id.
    #[error("there is no such ticket")]
    Unknown,
    /// It was redeemed before. With the same blob it is the same device asking again after a lost
    /// answer.
    #[error("the ticket was redeemed before")]
    Used {
        /// Whether the blob is the one that it was redeemed with.
        same_blob: bool,
    },
    /// It ended: burnt, expired, void, declined or certified.
    #[error("the ticket has ended")]
    Ended {
        /// How.
        state: TicketState,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A wrong proof that was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongProof {
    /// Wrong proofs so far.
    pub wrong_proofs: u32,
    /// Where the ticket stands now.
    pub state: TicketState,
}

/// A ticket's state that was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketStateError {
    /// There is none with this id of this issuer.
    #[error("there is no such ticket of this issuer")]
    Unknown,
    /// The state cannot follow the present one.
    #[error("the ticket cannot go from {from:?} to that state")]
    NotAllowed {
        /// Where it stands.
        from: TicketState,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The limit of a sealed request's length.
///
/// # Errors
/// [`StoreError::TooLarge`].
pub const fn check_blob(blob: &[u8]) -> Result<(), StoreError> {
    if blob.len() > ENROL_BLOB_MAX_BYTES {
        return Err(StoreError::TooLarge {
            what: "the request of an enrolment",
            limit: ENROL_BLOB_MAX_BYTES,
        });
    }
    Ok(())
}

/// Tickets.
pub trait TicketStore: Clone + Send + Sync + 'static {
    /// Registers a ticket.
    ///
    /// # Errors
    /// [`CreateTicketError`].
    fn create_ticket(
        &self,
        ticket: NewTicket,
        now: TimestampMs,
    ) -> impl Future<Output = Result<(), CreateTicketError>> + Send;

    /// One ticket as it stands at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn ticket(
        &self,
        ticket: TicketId,
        now: TimestampMs,
    ) -> impl Future<Output = Result<Option<StoredTicket>, StoreError>> + Send;

    /// An issuer's tickets as they stand at `now`, newest first, at most
    /// [`crate::limits::SITE_MAX_OPEN_TICKETS`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn tickets_of(
        &self,
        issuer: DeviceId,
        now: TimestampMs,
    ) -> impl Future<Output = Result<Vec<StoredTicket>, StoreError>> + Send;

    /// Counts one wrong proof; the [`crate::limits::TICKET_MAX_WRONG_PROOFS`]th burns the ticket.
    /// `None` when there is no such ticket. One that is not open is not counted.
    ///
    /// # Errors
    /// [`StoreError`].
    fn record_wrong_proof(
        &self,
        ticket: TicketId,
        now: TimestampMs,
    ) -> impl Future<Output = Result<Option<WrongProof>, StoreError>> + Send;

    /// Redeems an open ticket whose time has not run out. Of any number of calls exactly one wins.
    ///
    /// # Errors
    /// [`RedeemError`].
    fn redeem_ticket(
        &self,
        ticket: TicketId,
        blob: Vec<u8>,
        now: TimestampMs,
    ) -> impl Future<Output = Result<(), RedeemError>> + Send;

    /// Sets the state that its issuer chose, by [`TicketState::issuer_may_set`]. The same state
    /// again is accepted. The sealed request and the key are dropped.
    ///
    /// # Errors
    /// [`TicketStateError`].
    fn set_ticket_state(
        &self,
        ticket: TicketId,
        issuer: DeviceId,
        state: TicketState,
        now: TimestampMs,
    ) -> impl Future<Output = Result<(), TicketStateError>> + Send;

    /// Marks open tickets whose time ran out and drops their keys; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn expire_tickets(&self, now: TimestampMs) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
