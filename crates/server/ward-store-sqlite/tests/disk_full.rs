//! No room: a request is refused whole, reads go on, and writing works again when there is room.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;
use ward_id::TimestampMs;
use ward_store::conformance::{chart, operation, push};
use ward_store::{AppendError, MetaKey, MetaStore, OlogStore, PageRequest, StoreError, Upkeep};
use ward_store_sqlite::{SqliteOptions, SqliteStore, limits::PAGE_BYTES};

const NOW: TimestampMs = TimestampMs(1);

fn open(path: &Path, max_bytes: Option<u64>) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions { max_bytes, ..SqliteOptions::default() }).unwrap()
}

/// Appends pushes of two operations until the store is full; says how many operations it took.
async fn fill(store: &SqliteStore) -> u64 {
    for begin in (1..2_000).step_by(2) {
        let two = vec![operation(1, 1, begin, 0, 5_000), operation(1, 1, begin + 1, 0, 5_000)];
        match store.append_operations(two, NOW).await {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error, AppendError::Store(StoreError::StorageFull));
                return begin - 1;
            }
        }
    }
    panic!("the store never got full");
}

#[tokio::test]
async fn a_full_store_refuses_whole_pushes_serves_reads_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("site.db"), Some(100 * u64::from(PAGE_BYTES)));
    let kept = fill(&store).await;
    assert!(kept > 50, "{kept}");
    assert_eq!(store.olog_size().await.unwrap(), kept);
    let page =
        store.operations_page(PageRequest { chart: chart(1), after: Some(kept - 3), limit_bytes: 100_000 });
    let page = page.await.unwrap();
    assert_eq!((page.operations.len() as u64, page.more), (2, false));
    assert!(store.integrity_check().await.unwrap().is_sound());
    for _ in 0..3 {
        let large = vec![operation(1, 1, kept + 1, 0, 200_000)];
        assert_eq!(store.append_operations(large, NOW).await, Err(StoreError::StorageFull.into()));
    }
    store.set_max_bytes(Some(200 * u64::from(PAGE_BYTES))).await.unwrap();
    let next = store.append_operations(vec![operation(1, 1, kept + 1, 0, 200_000)], NOW).await.unwrap();
    assert_eq!(next.placed[0].index, kept, "no index was lost to a refused push");
    assert!(store.integrity_check().await.unwrap().is_sound());
    store.close().await;
}

/// One request that does not fit fails alone, though it shares its commit with others that do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_fits_is_kept_beside_one_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("site.db"), Some(80 * u64::from(PAGE_BYTES)));
    let mut tasks = tokio::task::JoinSet::new();
    for device in 0..40u8 {
        let store = store.clone();
        let large = device % 4 == 0;
        tasks.spawn(async move {
            let own = if large {
                (1..=8).map(|seq| operation(2, device, seq, 0, 250_000)).collect()
            } else {
                push(1, device, 1..=1)
            };
            (large, store.append_operations(own, NOW).await)
        });
    }
    for (large, answer) in tasks.join_all().await {
        match answer {
            Ok(_) => assert!(!large),
            Err(error) => {
                assert!(large, "{error}");
                assert_eq!(error, AppendError::Store(StoreError::StorageFull));
            }
        }
    }
    assert_eq!(store.olog_size().await.unwrap(), 30);
    assert!(store.integrity_check().await.unwrap().is_sound());
    store.close().await;
}

/// What a full store acknowledged is still there after a restart.
#[tokio::test]
async fn a_full_store_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = open(&path, Some(60 * u64::from(PAGE_BYTES)));
    let kept = fill(&store).await;
    store.close().await;
    assert!(matches!(store.olog_size().await, Err(StoreError::Stopped { .. })));
    let again = open(&path, None);
    assert_eq!(again.olog_size().await.unwrap(), kept);
    again.put_meta(MetaKey::new("test.key"), vec![1; 100_000]).await.unwrap();
    again.append_operations(vec![operation(1, 1, kept + 1, 0, 5_000)], NOW).await.unwrap();
    again.close().await;
}
