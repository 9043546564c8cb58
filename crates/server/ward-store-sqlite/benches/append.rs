//! Figures of the store: `cargo bench -p ward-store-sqlite`. Envelopes have 817 bytes, the size of
//! a questionnaire response of 20 answers.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at any error"
)]

use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use ward_id::TimestampMs;
use ward_store::conformance::{chart, operation};
use ward_store::{NewOperation, OlogStore, PageRequest, Upkeep};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

const NOW: TimestampMs = TimestampMs(1_800_000_000_000);
const ENVELOPE_BYTES: usize = 817;

fn piece(c: u8, d: u8, begin: u64, count: u64) -> Vec<NewOperation> {
    (begin..begin + count).map(|seq| operation(c, d, seq, 0, ENVELOPE_BYTES)).collect()
}

fn say(what: &str, count: u64, took: Duration) {
    println!(
        "{what:<52} {count:>7} in {:>8.1} ms  {:>9.0}/s",
        took.as_secs_f64() * 1e3,
        count as f64 / took.as_secs_f64()
    );
}

/// One caller, one push after the other.
async fn alone(store: &SqliteStore, pushes: Vec<Vec<NewOperation>>) -> (u64, Duration) {
    let count = pushes.iter().map(|push| push.len() as u64).sum();
    let began = Instant::now();
    for push in pushes {
        store.append_operations(push, NOW).await.unwrap();
    }
    (count, began.elapsed())
}

/// Many callers, each with its own chain.
async fn together(store: &SqliteStore, callers: Vec<Vec<Vec<NewOperation>>>) -> (u64, Duration) {
    let count = callers.iter().flatten().map(|push| push.len() as u64).sum();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for pushes in callers {
        let store = store.clone();
        tasks.spawn(async move {
            for push in pushes {
                store.append_operations(push, NOW).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    (count, began.elapsed())
}

async fn pull(store: &SqliteStore, c: u8) -> (u64, Duration) {
    let (mut after, mut count) = (None, 0);
    let began = Instant::now();
    loop {
        let request = PageRequest { chart: chart(c), after, limit_bytes: 1024 * 1024 };
        let page = store.operations_page(request).await.unwrap();
        count += page.operations.len() as u64;
        after = page.operations.last().map(|operation| operation.index);
        if !page.more {
            return (count, began.elapsed());
        }
    }
}

#[tokio::main]
async fn main() {
    let folder =
        tempfile::tempdir_in(std::env::var("WARD_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    let (count, took) = alone(&store, (1..=500).map(|seq| piece(1, 1, seq, 1)).collect()).await;
    say("append, 1 operation, one caller (one fsync each)", count, took);
    let (count, took) = alone(&store, (0..160).map(|n| piece(2, 2, n * 64 + 1, 64)).collect()).await;
    say("append, 64 operations, one caller", count, took);
    let before = store.stats().await.unwrap();
    let singles = (0..64u8).map(|d| (1..=40).map(|seq| piece(3, 64 + d, seq, 1)).collect()).collect();
    let (count, took) = together(&store, singles).await;
    say("append, 1 operation, 64 callers", count, took);
    let after = store.stats().await.unwrap();
    println!("    {:.1} requests in one commit", count as f64 / (after.commits - before.commits) as f64);
    let batches = (0..16u8).map(|d| (0..20).map(|n| piece(4, 128 + d, n * 64 + 1, 64)).collect()).collect();
    let (count, took) = together(&store, batches).await;
    say("append, 64 operations, 16 callers", count, took);
    let (count, took) = alone(&store, (0..160).map(|n| piece(2, 2, n * 64 + 1, 64)).collect()).await;
    say("the same again, 64 operations (known)", count, took);
    let (count, took) = pull(&store, 2).await;
    say("pull, pages of 1 MiB", count, took);
    let (count, took) = pull(&store, 4).await;
    say("pull, pages of 1 MiB, 16 chains", count, took);
    let stats = store.stats().await.unwrap();
    println!("{} bytes stored for each operation of {ENVELOPE_BYTES}", stats.store_bytes / stats.operations);
    store.close().await;
}
