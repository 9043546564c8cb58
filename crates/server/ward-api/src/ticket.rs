//! Tickets and enrolment. The server holds a key that proves possession of a ticket; the key that
//! opens the request stays between the two devices.

use crate::{Key32, Opaque};
use minicbor::{Decode, Encode};
use ward_id::{ChartId, TicketId, TimestampMs};

/// Body of `POST /v1/tickets`. It holds a secret, so it is not printed.
#[derive(Clone, Encode, Decode)]
#[cbor(map)]
pub struct TicketRegistration {
    /// The ticket's id, made on the issuer's device.
    #[n(0)]
    pub ticket: TicketId,
    /// `srv`: the key that checks proofs of possession.
    #[n(1)]
    pub srv: Key32,
    /// The role that the certificate will have.
    #[n(2)]
    pub role: u8,
    /// The chart, for a patient.
    #[n(3)]
    pub chart: Option<ChartId>,
    /// Redeemable until this instant.
    #[n(4)]
    pub not_after: TimestampMs,
}

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum TicketState {
    /// Waits for its device.
    #[n(1)]
    Open,
    /// A device sent its sealed request; the issuer decides.
    #[n(2)]
    Redeemed,
    /// The issuer signed the certificate.
    #[n(3)]
    Certified,
    /// The issuer did not sign, for example because the words differed.
    #[n(4)]
    Declined,
    /// Withdrawn by its issuer.
    #[n(5)]
    Void,
    /// Ended by too many wrong proofs.
    #[n(6)]
    Burnt,
    /// Its time ran out before it was redeemed.
    #[n(7)]
    Expired,
}

impl TicketState {
    /// The number on the wire and in stores.
    pub const fn number(self) -> u8 {
        match self {
            Self::Open => 1,
            Self::Redeemed => 2,
            Self::Certified => 3,
            Self::Declined => 4,
            Self::Void => 5,
            Self::Burnt => 6,
            Self::Expired => 7,
        }
    }

    /// The state with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Open,
            2 => Self::Redeemed,
            3 => Self::Certified,
            4 => Self::Declined,
            5 => Self::Void,
            6 => Self::Burnt,
            7 => Self::Expired,
            _ => return None,
        })
    }

    /// Whether the issuer may move a ticket from this state to `to`: an open ticket can be made
    /// void; a redeemed one can be certified, declined or made void. Everything else is final.
    pub const fn issuer_may_set(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Open, Self::Void) | (Self::Redeemed, Self::Certified | Self::Declined | Self::Void)
        )
    }
}

/// One row of `GET /v1/tickets`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OwnTicket {
    /// Its id.
    #[n(0)]
    pub ticket: TicketId,
    /// Where it stands.
    #[n(1)]
    pub state: TicketState,
    /// The role.
    #[n(2)]
    pub role: u8,
    /// The chart, for a patient.
    #[n(3)]
    pub chart: Option<ChartId>,
    /// Redeemable until.
    #[n(4)]
    pub not_after: TimestampMs,
    /// The sealed request, once redeemed.
    #[n(5)]
    pub blob: Option<Opaque>,
}

/// Body of `POST /v1/tickets/{ticket}/state`: certified, declined or void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TicketStateChange {
    /// The new state.
    #[n(0)]
    pub state: TicketState,
}

/// Answer of `GET /v1/enrol/{ticket}`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentInfo {
    /// Canonical bytes of the root policy; must hash to the ticket's pin.
    #[n(0)]
    pub root_policy: Opaque,
    /// The issuer's certificate; its `enc_pk` must hash to the ticket's.
    #[n(1)]
    pub issuer_cert: Opaque,
    /// Where the ticket stands.
    #[n(2)]
    pub state: TicketState,
}

/// Body of `POST /v1/enrol/{ticket}`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentSubmission {
    /// Canonical bytes of `{0: enc, 1: ct}`, sealed to the issuer's device.
    #[n(0)]
    pub blob: Opaque,
    /// HMAC over ticket and blob under `srv`: 32 bytes.
    #[n(1)]
    pub proof: Opaque,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn a_state_is_one_integer() {
        for number in 0..=9u8 {
            let state = TicketState::from_number(number);
            assert_eq!(TicketState::from_canonical(&[number]).ok(), state);
            if let Some(state) = state {
                assert_eq!((state.number(), state.to_canonical()), (number, vec![number]));
            }
        }
        assert_eq!(TicketStateChange { state: TicketState::Void }.to_canonical(), [0xa1, 0x00, 0x05]);
    }

    #[test]
    fn the_issuer_moves_tickets_forward_only() {
        use TicketState::*;
        let all = [Open, Redeemed, Certified, Declined, Void, Burnt, Expired];
        let allowed: Vec<_> = all
            .iter()
            .flat_map(|&from| all.iter().map(move |&to| (from, to)))
            .filter(|(from, to)| from.issuer_may_set(*to))
            .collect();
        assert_eq!(allowed, [(Open, Void), (Redeemed, Certified), (Redeemed, Declined), (Redeemed, Void)]);
    }

    #[test]
    fn a_registration_is_the_map_of_the_protocol() {
        let registration = TicketRegistration {
            ticket: TicketId::from_bytes([1; 16]),
            srv: Key32::from_bytes([2; 32]),
            role: 1,
            chart: None,
            not_after: TimestampMs(5),
        };
        let bytes = registration.to_canonical();
        assert_eq!(bytes[..2], [0xa4, 0x00]);
        assert_eq!(bytes[19..22], [0x01, 0x58, 0x20]);
        assert_eq!(bytes[bytes.len() - 4..], [0x02, 0x01, 0x04, 0x05]);
        assert_eq!(TicketRegistration::from_canonical(&bytes).map(|r| r.srv.as_bytes()[0]), Ok(2));
    }
}
