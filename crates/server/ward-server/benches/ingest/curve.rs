//! Does a push get slower as a site grows? Four servers with a thousand to a million stored
//! operations, asked in turns.

use crate::child::{Child, Kind, write_certificate};
use crate::load::{Framing, fire};
use crate::millis;
use crate::pens::Clients;
use crate::scratch;
use crate::stopwatch::{Gates, quick};
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinSet;
use ward_crypto::sha256;
use ward_id::{ChartId, DeviceId, EntryId, EnvelopeHash, Incarnation, TimestampMs};
use ward_store::{NewOperation, OlogStore as _};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

const RATIO_MAX: f64 = 1.5;
/// Operations of one push while filling.
const PUSH: u64 = 250;
/// Operations of one chart while filling: two years of a busy participant.
const CHART: u64 = 1_000;
/// Callers that fill at a time.
const CALLERS: u64 = 8;
/// Bytes of an envelope while filling: the padding bucket of a middling answer.
const ENVELOPE_BYTES: usize = 1_059;

/// One store of the curve.
struct Level {
    stored: u64,
    server: Child,
    clients: Clients,
    best: Duration,
    p95: Duration,
}

pub async fn run(gates: &mut Gates) {
    let sizes: &[u64] = if quick() { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    println!("\na push of one operation, one client, by operations stored");
    let folder = scratch();
    let roots = write_certificate(folder.path());
    let first = Child::start(Kind::Ward, folder.path(), &roots).await;
    let site = Clients::begin(&first, 1).await;
    first.stop();
    let mut folders = Vec::new();
    let mut filled = 0;
    for &size in sizes {
        fill(folder.path(), filled, size).await;
        filled = size;
        let copy = scratch();
        for name in ["site.db", "tls.crt", "tls.key"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        folders.push((size, copy));
    }
    let mut levels = Vec::new();
    for (stored, folder) in &folders {
        let server = Child::start(Kind::Ward, folder.path(), &roots).await;
        let clients = site.again(2);
        levels.push(Level { stored: *stored, server, clients, best: Duration::MAX, p95: Duration::MAX });
    }
    let (rounds, pushes) = if quick() { (2, 10) } else { (10, 100) };
    for _ in 0..rounds {
        for level in &mut levels {
            let posted = level.clients.prepare(&level.server, pushes, 1).await;
            let connections = level.server.connect(1).await;
            let requests = posted.into_iter().map(|one| one.requests).collect();
            let volley = fire(connections, requests, Framing::Http).await;
            level.best = level.best.min(volley.percentile(50));
            level.p95 = level.p95.min(volley.percentile(95));
        }
    }
    for level in &levels {
        let usage = level.server.usage();
        println!(
            "  {:>9} stored: p50 {:>6.2} ms, p95 {:>6.2} ms, resident {:>5.1} MB",
            level.stored,
            millis(level.best),
            millis(level.p95),
            usage.resident_mb
        );
    }
    if let (Some(small), Some(large)) = (levels.first(), levels.last()) {
        let ratio = millis(large.best) / millis(small.best);
        gates.at_most(&format!("p50 at {} / p50 at {}", large.stored, small.stored), ratio, RATIO_MAX);
    }
    levels.into_iter().for_each(|level| level.server.stop());
}

/// Fills the store itself, through the same door as the server, from `from` to `to` operations.
async fn fill(folder: &Path, from: u64, to: u64) {
    let store = SqliteStore::open(&folder.join("site.db"), SqliteOptions::default()).unwrap();
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = store.clone();
        tasks.spawn(async move {
            let charts = (from.div_ceil(CHART)..to.div_ceil(CHART)).filter(|chart| chart % CALLERS == caller);
            for chart in charts {
                for first in (1..=CHART).step_by(usize::try_from(PUSH).unwrap()) {
                    let push = (first..first + PUSH).map(|seq| operation(chart, seq)).collect();
                    store.append_operations(push, TimestampMs(1_790_000_000_000)).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
    store.close().await;
}

fn operation(chart: u64, seq: u64) -> NewOperation {
    let name = sha256(&chart.to_be_bytes());
    let id = name.first_chunk::<16>().copied().unwrap();
    let entry = sha256(&[name.as_slice(), &seq.to_be_bytes()].concat());
    let bytes: Vec<u8> = entry.iter().copied().cycle().take(ENVELOPE_BYTES).collect();
    NewOperation {
        chart: ChartId::from_bytes(id),
        device: DeviceId::from_bytes(id),
        incarnation: Incarnation(chart),
        seq,
        entry_id: EntryId::from_bytes(entry),
        envelope_hash: EnvelopeHash::from_bytes(sha256(&bytes)),
        epoch: 0,
        bytes,
    }
}
