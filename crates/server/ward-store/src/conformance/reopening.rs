//! Bisection, mending, and a log that is opened again.

use super::samples::{NOW, chart, device, push};
use crate::{CheckpointKind, NewOperation, PageRequest, ReopenedLog, SavedCheckpoint, Store, StoredTile};
use sha2::{Digest as _, Sha256};
use ward_api::LogName;
use ward_id::{EnvelopeHash, Incarnation, TreeRoot};

fn reopened(number: u32) -> ReopenedLog {
    let byte = u8::try_from(number).unwrap_or_default();
    ReopenedLog { number, leaf: EnvelopeHash::from_bytes([byte; 32]) }
}

/// The places that are there, in the order of the question.
pub async fn entries_at_places_of_a_chain<S: Store>(store: S) {
    let operations = push(1, 1, 1..=5);
    store.append_operations(operations.clone(), NOW).await.unwrap();
    let first = &operations[0];
    let ask =
        |places: &[u64]| store.chain_entries(first.chart, first.device, first.incarnation, places.to_vec());
    let found = ask(&[1, 3, 5, 6, u64::MAX]).await.unwrap();
    let expected = [0usize, 2, 4].map(|place| (place as u64 + 1, operations[place].entry_id));
    assert_eq!(found, expected);
    assert_eq!(ask(&[0]).await.unwrap(), []);
    let other = store.chain_entries(chart(9), device(1), Incarnation(1), vec![1]).await.unwrap();
    assert_eq!(other, []);
}

/// Bytes of the leaf are taken, others are not.
pub async fn only_the_right_bytes_mend_an_envelope<S: Store>(store: S) {
    let operations: Vec<NewOperation> = push(1, 1, 1..=2)
        .into_iter()
        .map(|one| {
            let envelope_hash = EnvelopeHash::from_bytes(Sha256::digest(&one.bytes).into());
            NewOperation { envelope_hash, ..one }
        })
        .collect();
    store.append_operations(operations.clone(), NOW).await.unwrap();
    assert!(store.repair_operation(1, operations[1].bytes.clone()).await.unwrap());
    assert!(!store.repair_operation(1, operations[0].bytes.clone()).await.unwrap());
    assert!(!store.repair_operation(7, operations[1].bytes.clone()).await.unwrap());
    let kept = store.operation_at(1).await.unwrap().unwrap();
    assert_eq!(kept.bytes, operations[1].bytes);
}

/// One leaf comes before all operations; heads and tiles of the old log are gone, those of the
/// membership log stay.
pub async fn a_log_is_opened_again_with_one_leaf_before_all<S: Store>(store: S) {
    assert_eq!(store.olog_reopened().await.unwrap(), None);
    let (one, two) = (push(1, 1, 1..=2), push(2, 2, 1..=1));
    store.append_operations(one.clone(), NOW).await.unwrap();
    store.append_operations(two.clone(), NOW).await.unwrap();
    let head = SavedCheckpoint { size: 3, root: TreeRoot::from_bytes([1; 32]), note: vec![1] };
    store.save_checkpoint(LogName::Olog, CheckpointKind::Signed, head).await.unwrap();
    let tile = || StoredTile { level: 0, index: 0, bytes: vec![7; crate::limits::TILE_BYTES] };
    store.save_tiles(LogName::Olog, vec![tile()]).await.unwrap();
    store.save_tiles(LogName::Mlog, vec![tile()]).await.unwrap();
    store.reopen_olog(reopened(2)).await.unwrap();
    store.reopen_olog(reopened(2)).await.unwrap();
    assert_eq!(store.olog_reopened().await.unwrap(), Some(reopened(2)));
    assert_eq!(store.olog_size().await.unwrap(), 4);
    let hashes = [reopened(2).leaf, one[0].envelope_hash, one[1].envelope_hash, two[0].envelope_hash];
    assert_eq!(store.olog_leaves(0, 10).await.unwrap(), hashes);
    assert_eq!(store.olog_leaves(1, 3).await.unwrap(), hashes[1..3]);
    assert_eq!(store.checkpoint(LogName::Olog, CheckpointKind::Signed).await.unwrap(), None);
    assert_eq!(store.tile(LogName::Olog, 0, 0).await.unwrap(), None);
    assert!(store.tile(LogName::Mlog, 0, 0).await.unwrap().is_some());
    assert_eq!(store.operation_at(0).await.unwrap(), None);
    assert_eq!(store.operation_at(3).await.unwrap().unwrap().bytes, two[0].bytes);
    let request = PageRequest { chart: chart(1), after: None, limit_bytes: 1 << 20 };
    let page = store.operations_page(request).await.unwrap();
    assert_eq!(page.operations.iter().map(|one| one.index).collect::<Vec<_>>(), [1, 2]);
    // It goes on, and a repeat keeps its place.
    let more = store.append_operations(push(1, 1, 2..=3), NOW).await.unwrap();
    assert_eq!(
        more.placed.iter().map(|placed| (placed.index, placed.new)).collect::<Vec<_>>(),
        [(2, false), (4, true)]
    );
    // A second time: only the leaf is another one.
    store.reopen_olog(reopened(3)).await.unwrap();
    store.reopen_olog(reopened(2)).await.unwrap();
    assert_eq!(store.olog_leaves(0, 1).await.unwrap(), [reopened(3).leaf]);
    assert_eq!(
        (store.olog_size().await.unwrap(), store.olog_reopened().await.unwrap()),
        (5, Some(reopened(3)))
    );
}

/// Nothing survived but the promise.
pub async fn a_log_that_lost_everything_begins_with_its_leaf<S: Store>(store: S) {
    store.reopen_olog(reopened(2)).await.unwrap();
    assert_eq!(store.olog_size().await.unwrap(), 1);
    let appended = store.append_operations(push(1, 1, 1..=1), NOW).await.unwrap();
    assert_eq!((appended.placed[0].index, appended.log_size), (1, 2));
}
