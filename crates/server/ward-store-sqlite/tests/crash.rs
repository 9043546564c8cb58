//! A crash at any moment: what was acknowledged is there, the rest is there whole or not at all.
//!
//! With the write-ahead file never worked in, the database file stays as it was and the other one
//! only grows. So a copy of both, taken while writing goes on, is what a crash would leave; and
//! cutting the copy anywhere is what a disk leaves that lost its last writes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio::task::JoinSet;
use ward_id::TimestampMs;
use ward_store::conformance::push;
use ward_store::{OlogStore, Upkeep};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

fn options() -> SqliteOptions {
    SqliteOptions { checkpoint_pages: 0, ..SqliteOptions::default() }
}

fn wal(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    std::fs::copy(wal(from), wal(to)).unwrap();
}

/// Opens what a crash left and says how many operations it holds, after checking everything.
async fn reopen(path: &Path) -> u64 {
    let store = SqliteStore::open(path, SqliteOptions::default()).unwrap();
    let report = store.integrity_check().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.operations % 3, 0, "pushes of three are whole");
    let next = report.operations;
    let more = store.append_operations(push(99, 99, 1..=1), TimestampMs(1)).await.unwrap();
    assert_eq!(more.placed[0].index, next, "the log goes on without a hole");
    store.close().await;
    report.operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_a_crash_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = SqliteStore::open(&path, options()).unwrap();
    let acknowledged = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for device in 0..8u8 {
        let (store, acknowledged, stop) = (store.clone(), Arc::clone(&acknowledged), Arc::clone(&stop));
        writers.spawn(async move {
            for begin in (1..).step_by(3) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                store
                    .append_operations(push(device % 2, device, begin..=begin + 2), TimestampMs(1))
                    .await
                    .unwrap();
                acknowledged.fetch_add(3, Ordering::SeqCst);
            }
        });
    }
    let mut copies = Vec::new();
    for n in 0..12u64 {
        while acknowledged.load(Ordering::SeqCst) < 30 * (n + 1) {
            tokio::task::yield_now().await;
        }
        let promised = acknowledged.load(Ordering::SeqCst);
        let to = folder.path().join(format!("crash-{n}.db"));
        let from = path.clone();
        let target = to.clone();
        tokio::task::spawn_blocking(move || copy(&from, &target)).await.unwrap();
        copies.push((promised, to));
    }
    stop.store(true, Ordering::Relaxed);
    writers.join_all().await;
    store.close().await;
    for (promised, path) in copies {
        let found = reopen(&path).await;
        assert!(found >= promised, "{found} of {promised} acknowledged operations are there");
    }
}

#[tokio::test]
async fn a_torn_end_of_the_write_ahead_file_loses_whole_pushes_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = SqliteStore::open(&path, options()).unwrap();
    let mut ends = Vec::new();
    for begin in (1..=30).step_by(3) {
        store.append_operations(push(1, 1, begin..=begin + 2), TimestampMs(1)).await.unwrap();
        ends.push((std::fs::metadata(wal(&path)).unwrap().len(), begin + 2));
    }
    let whole = std::fs::read(wal(&path)).unwrap();
    let torn = folder.path().join("torn.db");
    let (first_end, _) = ends[0];
    let step = (whole.len() - first_end as usize) / 41;
    for cut in (first_end as usize..=whole.len()).step_by(step) {
        for flipped in [false, true] {
            let mut bytes = whole[..cut].to_vec();
            if flipped {
                // The last sector arrived, but not what was written.
                let place = bytes.len() - 100;
                bytes[place] ^= 1;
            }
            std::fs::copy(&path, &torn).unwrap();
            std::fs::write(wal(&torn), &bytes).unwrap();
            let found = reopen(&torn).await;
            let want =
                ends.iter().filter(|(end, _)| *end as usize <= cut).map(|(_, count)| *count).max().unwrap();
            assert!(found == want || flipped && found < want, "cut at {cut}: {found} of {want}");
            for file in ["torn.db", "torn.db-wal", "torn.db-shm"] {
                let file = folder.path().join(file);
                assert!(!file.exists() || std::fs::remove_file(file).is_ok());
            }
        }
    }
    store.close().await;
}
