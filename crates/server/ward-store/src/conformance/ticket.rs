//! Tickets.

use super::samples::{NOW, SECOND_MS, chart, device};
use crate::limits::{
    DEVICE_MAX_OPEN_TICKETS, ENROL_BLOB_MAX_BYTES, SITE_MAX_OPEN_TICKETS, TICKET_MAX_WRONG_PROOFS,
};
use crate::{CreateTicketError, NewTicket, RedeemError, Store, StoreError, TicketStateError, WrongProof};
use tokio::task::JoinSet;
use ward_api::TicketState;
use ward_id::{TicketId, TimestampMs};

const LIFE_MS: i64 = 900 * SECOND_MS;

fn id(n: u16) -> TicketId {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    TicketId::from_bytes(bytes)
}

/// As many of one issuer as it may have, then of the next.
fn issuer(n: u16) -> u8 {
    u8::try_from(usize::from(n) / DEVICE_MAX_OPEN_TICKETS).unwrap() + 1
}

fn ticket(n: u16) -> NewTicket {
    NewTicket {
        ticket: id(n),
        issuer: device(issuer(n)),
        sealed_srv: vec![7; 48],
        role: 1,
        chart: Some(chart(1)),
        not_after: NOW.plus_ms(LIFE_MS),
    }
}

async fn state_of<S: Store>(store: &S, n: u16, now: TimestampMs) -> TicketState {
    store.ticket(id(n), now).await.unwrap().unwrap().state
}

/// Of 200 devices with a copy of one ticket, one gets it.
pub async fn one_of_200_redeems_wins<S: Store>(store: S) {
    store.create_ticket(ticket(1), NOW).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..200u8 {
        let store = store.clone();
        tasks.spawn(async move { (n, store.redeem_ticket(id(1), vec![n], NOW).await) });
    }
    let answers = tasks.join_all().await;
    let winners: Vec<u8> = answers.iter().filter(|(_, a)| a.is_ok()).map(|(n, _)| *n).collect();
    assert_eq!(winners.len(), 1);
    let losers = answers.iter().filter(|(_, a)| *a == Err(RedeemError::Used { same_blob: false })).count();
    assert_eq!(losers, 199);
    let kept = store.ticket(id(1), NOW).await.unwrap().unwrap();
    assert_eq!(
        (kept.state, kept.blob, kept.redeemed_at),
        (TicketState::Redeemed, Some(winners.clone()), Some(NOW))
    );
    let again = store.redeem_ticket(id(1), winners, NOW).await;
    assert_eq!(again, Err(RedeemError::Used { same_blob: true }), "a lost answer can be told from a theft");
}

/// The fifth wrong proof ends the ticket and its key.
pub async fn five_wrong_proofs_burn<S: Store>(store: S) {
    store.create_ticket(ticket(1), NOW).await.unwrap();
    for count in 1..TICKET_MAX_WRONG_PROOFS {
        let got = store.record_wrong_proof(id(1), NOW).await.unwrap();
        assert_eq!(got, Some(WrongProof { wrong_proofs: count, state: TicketState::Open }));
    }
    let burnt = WrongProof { wrong_proofs: TICKET_MAX_WRONG_PROOFS, state: TicketState::Burnt };
    for _ in 0..2 {
        assert_eq!(store.record_wrong_proof(id(1), NOW).await.unwrap(), Some(burnt));
    }
    let refused = store.redeem_ticket(id(1), vec![1], NOW).await;
    assert_eq!(refused, Err(RedeemError::Ended { state: TicketState::Burnt }));
    let kept = store.ticket(id(1), NOW).await.unwrap().unwrap();
    assert!(kept.ticket.sealed_srv.is_empty(), "the key of an ended ticket is dropped");
    assert_eq!(store.record_wrong_proof(id(2), NOW).await.unwrap(), None);
}

/// Guessing in parallel gives no more guesses.
pub async fn wrong_proofs_in_parallel_are_all_counted<S: Store>(store: S) {
    store.create_ticket(ticket(1), NOW).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move { store.record_wrong_proof(id(1), NOW).await.unwrap().unwrap() });
    }
    let answers = tasks.join_all().await;
    let open = answers.iter().filter(|a| a.state == TicketState::Open).count();
    assert_eq!(open as u32, TICKET_MAX_WRONG_PROOFS - 1);
}

/// At the very instant of its end a ticket is expired, marked or not.
pub async fn time_ends_an_open_ticket<S: Store>(store: S) {
    let end = NOW.plus_ms(LIFE_MS);
    for n in 1..=3 {
        store.create_ticket(ticket(n), NOW).await.unwrap();
    }
    store.redeem_ticket(id(1), vec![1], end.plus_ms(-1)).await.unwrap();
    let late = store.redeem_ticket(id(2), vec![1], end).await;
    assert_eq!(late, Err(RedeemError::Ended { state: TicketState::Expired }));
    assert_eq!(store.record_wrong_proof(id(2), end).await.unwrap().unwrap().wrong_proofs, 0);
    assert_eq!(state_of(&store, 2, end.plus_ms(-1)).await, TicketState::Open);
    assert_eq!(state_of(&store, 2, end).await, TicketState::Expired);
    assert_eq!(store.expire_tickets(end.plus_ms(-1)).await.unwrap(), 0);
    assert_eq!(store.expire_tickets(end).await.unwrap(), 2);
    assert_eq!(store.expire_tickets(end).await.unwrap(), 0);
    assert_eq!(state_of(&store, 2, NOW).await, TicketState::Expired, "once marked it stays so");
    assert!(store.ticket(id(2), NOW).await.unwrap().unwrap().ticket.sealed_srv.is_empty());
    assert_eq!(state_of(&store, 1, end).await, TicketState::Redeemed, "a redeemed one waits for its issuer");
}

/// Only the issuer, only forward; what was sealed is dropped with the decision.
pub async fn the_issuer_decides<S: Store>(store: S) {
    let set = |n, by, state| store.set_ticket_state(id(n), device(by), state, NOW);
    for n in 1..=3 {
        store.create_ticket(ticket(n), NOW).await.unwrap();
    }
    store.redeem_ticket(id(1), vec![1], NOW).await.unwrap();
    store.redeem_ticket(id(2), vec![2], NOW).await.unwrap();
    assert_eq!(set(1, 2, TicketState::Certified).await, Err(TicketStateError::Unknown));
    assert_eq!(set(9, 1, TicketState::Certified).await, Err(TicketStateError::Unknown));
    let early = set(3, 1, TicketState::Certified).await;
    assert_eq!(early, Err(TicketStateError::NotAllowed { from: TicketState::Open }));
    set(1, 1, TicketState::Certified).await.unwrap();
    set(1, 1, TicketState::Certified).await.unwrap();
    let other = set(1, 1, TicketState::Declined).await;
    assert_eq!(other, Err(TicketStateError::NotAllowed { from: TicketState::Certified }));
    set(2, 1, TicketState::Declined).await.unwrap();
    set(3, 1, TicketState::Void).await.unwrap();
    for (n, state) in [(1, TicketState::Certified), (2, TicketState::Declined), (3, TicketState::Void)] {
        let kept = store.ticket(id(n), NOW).await.unwrap().unwrap();
        assert_eq!((kept.state, kept.blob, kept.ticket.sealed_srv.len()), (state, None, 0));
        assert_eq!(store.redeem_ticket(id(n), vec![9], NOW).await, Err(RedeemError::Ended { state }));
    }
}

/// 1,000 open ones and not one more; ended and expired ones make room.
pub async fn open_tickets_are_limited<S: Store>(store: S) {
    let limit = u16::try_from(SITE_MAX_OPEN_TICKETS).unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..limit + 20 {
        let store = store.clone();
        tasks.spawn(async move { (n, store.create_ticket(ticket(n), NOW).await) });
    }
    let answers = tasks.join_all().await;
    let kept: Vec<u16> = answers.iter().filter(|(_, a)| a.is_ok()).map(|(n, _)| *n).collect();
    assert_eq!(kept.len(), SITE_MAX_OPEN_TICKETS);
    assert_eq!(answers.iter().filter(|(_, a)| *a == Err(CreateTicketError::TooMany)).count(), 20);
    assert_eq!(store.create_ticket(ticket(kept[0]), NOW).await, Err(CreateTicketError::Exists));
    store.set_ticket_state(id(kept[0]), device(issuer(kept[0])), TicketState::Void, NOW).await.unwrap();
    store.create_ticket(ticket(5_000), NOW).await.unwrap();
    assert_eq!(store.create_ticket(ticket(5_001), NOW).await, Err(CreateTicketError::TooMany));
    let later = NOW.plus_ms(LIFE_MS);
    let mut fresh = ticket(5_001);
    fresh.not_after = later.plus_ms(1);
    store.create_ticket(fresh, later).await.unwrap();
}

/// One issuer's share at the limit and one past; the others go on.
pub async fn one_issuer_leaves_room_for_the_others<S: Store>(store: S) {
    let share = u16::try_from(DEVICE_MAX_OPEN_TICKETS).unwrap();
    for n in 0..share {
        store.create_ticket(ticket(n), NOW).await.unwrap();
    }
    let mut past = ticket(share);
    past.issuer = device(1);
    assert_eq!(store.create_ticket(past.clone(), NOW).await, Err(CreateTicketError::TooManyOfIssuer));
    store.create_ticket(ticket(share), NOW).await.unwrap();
    store.set_ticket_state(id(0), device(1), TicketState::Void, NOW).await.unwrap();
    past.ticket = id(share + 1);
    store.create_ticket(past, NOW).await.unwrap();
}

/// Newest first, with the values as registered.
pub async fn an_issuer_sees_own_tickets_only<S: Store>(store: S) {
    for n in 1..=3 {
        store.create_ticket(ticket(n), NOW).await.unwrap();
    }
    let mut other = ticket(4);
    (other.issuer, other.chart, other.role) = (device(2), None, 3);
    store.create_ticket(other.clone(), NOW).await.unwrap();
    let own: Vec<_> =
        store.tickets_of(device(1), NOW).await.unwrap().iter().map(|t| t.ticket.ticket).collect();
    assert_eq!(own, [id(3), id(2), id(1)]);
    let theirs = store.tickets_of(device(2), NOW).await.unwrap();
    assert_eq!(theirs.len(), 1);
    assert!(theirs[0].ticket == other && theirs[0].state == TicketState::Open);
    assert!(store.tickets_of(device(3), NOW).await.unwrap().is_empty());
    assert!(store.ticket(id(9), NOW).await.unwrap().is_none());
}

/// The limit of the sealed request.
pub async fn a_blob_at_the_limit_and_one_past<S: Store>(store: S) {
    store.create_ticket(ticket(1), NOW).await.unwrap();
    let past = store.redeem_ticket(id(1), vec![1; ENROL_BLOB_MAX_BYTES + 1], NOW).await;
    assert!(matches!(past, Err(RedeemError::Store(StoreError::TooLarge { .. }))));
    store.redeem_ticket(id(1), vec![1; ENROL_BLOB_MAX_BYTES], NOW).await.unwrap();
    assert_eq!(store.redeem_ticket(id(2), vec![1], NOW).await, Err(RedeemError::Unknown));
}
