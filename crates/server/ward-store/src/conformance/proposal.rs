//! Proposals.

use super::samples::{NOW, chart, device, mlog_hash};
use crate::limits::SITE_MAX_PROPOSALS;
use crate::{ProposalError, Store, StoredProposal};
use ward_id::Subject;

fn proposal(n: u16) -> StoredProposal {
    let bytes = n.to_be_bytes().to_vec();
    StoredProposal {
        hash: mlog_hash(&bytes),
        subject: Subject::from(chart(1)),
        proposer: device(1),
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
