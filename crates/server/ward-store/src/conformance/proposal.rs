//! Proposals.

use super::samples::{NOW, chart, device, mlog_hash};
use crate::limits::{DEVICE_MAX_PROPOSALS, PROPOSAL_MAX_LIFE_MS, SITE_MAX_PROPOSALS};
use crate::{MlogAppend, ProposalError, Store, StoredProposal};
use ward_id::Subject;

/// As many of one device as it may have, then of the next.
fn proposer(n: u16) -> u8 {
    u8::try_from(usize::from(n) / DEVICE_MAX_PROPOSALS).unwrap() + 1
}

fn proposal(n: u16) -> StoredProposal {
    let bytes = n.to_be_bytes().to_vec();
    StoredProposal {
        hash: mlog_hash(&bytes),
        subject: Subject::from(chart(1)),
        proposer: device(proposer(n)),
        received_at: NOW.plus_ms(i64::from(n)),
        bytes,
    }
}

/// They come out as they went in, oldest first, once each.
pub async fn proposals_wait_and_are_withdrawn<S: Store>(store: S) {
    for n in [2, 1, 3, 1] {
        store.add_proposal(proposal(n)).await.unwrap();
    }
    assert_eq!(store.proposals().await.unwrap(), [proposal(2), proposal(1), proposal(3)]);
    assert!(store.remove_proposal(proposal(1).hash).await.unwrap());
    assert!(!store.remove_proposal(proposal(1).hash).await.unwrap());
    assert_eq!(store.proposals().await.unwrap(), [proposal(2), proposal(3)]);
}

/// At the limit and one past.
pub async fn proposals_are_limited<S: Store>(store: S) {
    let limit = u16::try_from(SITE_MAX_PROPOSALS).unwrap();
    for n in 0..limit {
        store.add_proposal(proposal(n)).await.unwrap();
    }
    assert_eq!(store.add_proposal(proposal(limit)).await, Err(ProposalError::TooMany));
    store.add_proposal(proposal(0)).await.unwrap();
    store.remove_proposal(proposal(0).hash).await.unwrap();
    store.add_proposal(proposal(limit)).await.unwrap();
    assert_eq!(store.proposals().await.unwrap().len(), SITE_MAX_PROPOSALS);
}

/// One device's share at the limit and one past; the others go on.
pub async fn one_device_leaves_room_for_the_others<S: Store>(store: S) {
    let share = u16::try_from(DEVICE_MAX_PROPOSALS).unwrap();
    let own = |n| StoredProposal { proposer: device(1), ..proposal(n) };
    for n in 0..share {
        store.add_proposal(own(n)).await.unwrap();
    }
    assert_eq!(store.add_proposal(own(share)).await, Err(ProposalError::TooManyOfProposer));
    store.add_proposal(own(0)).await.unwrap();
    store.add_proposal(proposal(share)).await.unwrap();
    store.remove_proposal(own(0).hash).await.unwrap();
    store.add_proposal(own(share + 1)).await.unwrap();
}

/// What nobody signs runs out, and makes room when the next one comes.
pub async fn old_proposals_run_out<S: Store>(store: S) {
    for n in 1..=3 {
        store.add_proposal(proposal(n)).await.unwrap();
    }
    let end = proposal(2).received_at.plus_ms(PROPOSAL_MAX_LIFE_MS);
    let late = StoredProposal { received_at: end, ..proposal(9) };
    store.add_proposal(late.clone()).await.unwrap();
    assert_eq!(store.proposals().await.unwrap(), [proposal(3), late.clone()]);
    assert_eq!(store.purge_proposals(proposal(2).received_at).await.unwrap(), 0);
    assert_eq!(store.purge_proposals(proposal(3).received_at).await.unwrap(), 1);
    assert_eq!(store.proposals().await.unwrap(), [late]);
}

/// A revoked device's paper goes with its sessions.
pub async fn a_revocation_drops_what_the_device_proposed<S: Store>(store: S) {
    let share = u16::try_from(DEVICE_MAX_PROPOSALS).unwrap();
    for n in [0, share] {
        store.add_proposal(proposal(n)).await.unwrap();
    }
    let entry = MlogAppend {
        expected_size: 0,
        subject: Subject::from(chart(1)),
        entry_hash: mlog_hash(b"revoke"),
        bytes: b"revoke".to_vec(),
        package: None,
        ended_devices: vec![device(1)],
        received_at: NOW,
    };
    store.append_mlog(entry).await.unwrap();
    assert_eq!(store.proposals().await.unwrap(), [proposal(share)]);
}
