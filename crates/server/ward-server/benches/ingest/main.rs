//! How many operations a server takes: over real TLS on loopback, with durable acknowledgement.
//!
//! Eight clients post the same response of 30 answers, one operation a request and 64 a request.
//! The server is this program, started again as a child, so that its memory and its CPU time are
//! its own. In the same run, in turns, the limit: a bare TLS server that takes the same number of
//! bytes and commits rows of the same size in groups, with no Ward in it. Then the curve: a push
//! at a thousand to a million stored operations.
//!
//! Beside it, the signatures that every push needs are measured by themselves: the limit of a
//! server that does those and nothing else on top of the bare one.
//!
//! `cargo bench -p ward-server --bench ingest -- one` runs a part: `one`, `many` or `curve`.
//!
//! Envelopes and proofs are made before the clock starts: they are the devices' work.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures and stops at any error"
)]

mod bare_server;
mod child;
mod curve;
mod load;
mod pens;
mod primitives;
#[path = "../../../../../bench/stopwatch.rs"]
mod stopwatch;
#[path = "../../tests/it/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "shared with the tests as a whole"
)]
mod support;
mod ward_server_child;

use child::{Child, Kind, Usage};
use load::{Framing, Volley, fire};
use pens::{Clients, Posted};
use primitives::Primitives;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use stopwatch::{Gates, quick};

/// Clients at a time.
const CLIENTS: usize = 8;
const RATIO_MIN: f64 = 0.5;
const RESIDENT_MAX_MB: f64 = 100.0;

fn main() -> ExitCode {
    match child::role() {
        Some((Kind::Ward, folder)) => ward_server_child::run(&folder),
        Some((Kind::Bare, folder)) => bare_server::run(&folder),
        None => parent(),
    }
}

fn parent() -> ExitCode {
    stopwatch::print_machine();
    let mut gates = Gates::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if wanted("one") || wanted("many") {
            throughput(&mut gates).await;
        }
        if wanted("curve") {
            curve::run(&mut gates).await;
        }
    });
    gates.exit()
}

/// Whether a part of the bench was asked for; all of them, if none was named.
fn wanted(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|name| name == part)
}

/// One way of posting.
struct Plan {
    part: &'static str,
    operations_a_request: usize,
    requests_a_client: usize,
    target_per_s: f64,
}

/// What came of one plan.
#[derive(Default)]
struct Outcome {
    ward: Best,
    bare: Best,
}

/// The round with the most operations a second.
#[derive(Default)]
struct Best {
    per_s: f64,
    volley: Volley,
    cpu_us: f64,
}

impl Best {
    fn take(&mut self, volley: Volley, operations: usize, before: Usage, after: Usage) {
        let per_s = operations as f64 / volley.took.as_secs_f64();
        if per_s > self.per_s {
            let cpu_us = (after.cpu - before.cpu).as_secs_f64() * 1e6 / operations as f64;
            *self = Self { per_s, volley, cpu_us };
        }
    }
}

async fn throughput(gates: &mut Gates) {
    let folder = scratch();
    let tls = child::write_certificate(folder.path());
    let ward = Child::start(Kind::Ward, folder.path(), &tls).await;
    let bare = Child::start(Kind::Bare, folder.path(), &tls).await;
    let mut clients = Clients::begin(&ward, CLIENTS).await;
    println!(
        "\na response of 30 answers: envelope of {} bytes; {CLIENTS} clients on this machine too",
        clients.envelope_bytes()
    );
    let primitives = Primitives::measure(&clients);
    let rounds = if quick() { 1 } else { 5 };
    let mut posted = 0;
    for plan in [
        Plan { part: "one", operations_a_request: 1, requests_a_client: 400, target_per_s: 1_500.0 },
        Plan { part: "many", operations_a_request: 64, requests_a_client: 30, target_per_s: 10_000.0 },
    ]
    .into_iter()
    .filter(|plan| wanted(plan.part))
    {
        let mut outcome = Outcome::default();
        for _ in 0..rounds {
            posted += round(&plan, &mut clients, (&ward, &bare), &mut outcome).await;
        }
        report(&plan, &outcome, &primitives, gates);
    }
    let usage = ward.usage();
    gates.target(
        "resident memory of the server (peak)",
        usage.peak_mb,
        "MB",
        usage.peak_mb <= RESIDENT_MAX_MB,
        "<= 100 MB",
    );
    println!(
        "    resident at the end {:.1} MB, bare server {:.1} MB",
        usage.resident_mb,
        bare.usage().resident_mb
    );
    ward.stop();
    bare.stop();
    let stored = stored_bytes(folder.path()).await;
    println!("    on disk: {:.0} bytes for an operation, {posted} stored", stored as f64 / posted as f64);
}

async fn round(
    plan: &Plan,
    clients: &mut Clients,
    (ward, bare): (&Child, &Child),
    outcome: &mut Outcome,
) -> usize {
    let requests = if quick() { plan.requests_a_client.div_ceil(10) } else { plan.requests_a_client };
    let operations = CLIENTS * requests * plan.operations_a_request;
    let prepared: Vec<Posted> = clients.prepare(ward, requests, plan.operations_a_request).await;
    let sizes: Vec<Vec<usize>> =
        prepared.iter().map(|one| one.requests.iter().map(Vec::len).collect()).collect();
    let connections = ward.connect(CLIENTS).await;
    let before = ward.usage();
    let volley =
        fire(connections, prepared.into_iter().map(|one| one.requests).collect(), Framing::Http).await;
    let answer_bytes = volley.answer_bytes;
    outcome.ward.take(volley, operations, before, ward.usage());
    let same_size = |sizes: &Vec<usize>| {
        let request = |size: &usize| bare_server::request(*size, plan.operations_a_request, answer_bytes);
        sizes.iter().map(request).collect()
    };
    let requests = sizes.iter().map(same_size).collect();
    let connections = bare.connect(CLIENTS).await;
    let before = bare.usage();
    let volley = fire(connections, requests, Framing::Bare).await;
    outcome.bare.take(volley, operations, before, bare.usage());
    operations
}

fn report(plan: &Plan, outcome: &Outcome, primitives: &Primitives, gates: &mut Gates) {
    let n = plan.operations_a_request;
    println!("\n{n} operation(s) a request, the best round of each");
    for (name, best) in [("ward", &outcome.ward), ("bare TLS and group commit", &outcome.bare)] {
        println!(
            "  {name:<26} {:>7.0} op/s, p50 {:>6.2} ms, p95 {:>6.2} ms, {:>6.0} bytes an operation on the wire, {:>5.0} µs CPU of the server",
            best.per_s,
            millis(best.volley.percentile(50)),
            millis(best.volley.percentile(95)),
            best.volley.wire_bytes as f64 / (best.volley.count() * n) as f64,
            best.cpu_us,
        );
    }
    let per_s = outcome.ward.per_s;
    let target = plan.target_per_s;
    gates.target(&format!("{n} a request"), per_s, "op/s", per_s >= target, &format!(">= {target} op/s"));
    gates.at_least(
        &format!("{n} a request / bare TLS and group commit"),
        per_s / outcome.bare.per_s,
        RATIO_MIN,
    );
    let signatures_us = primitives.us_an_operation(n);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let limit_per_s = 1e6 / (1e6 / outcome.bare.per_s + signatures_us / cores as f64);
    println!(
        "    the signatures alone take {signatures_us:.1} µs an operation: on {cores} cores, bare plus signatures \
         would be {limit_per_s:.0} op/s, and Ward is {:.2} of that",
        per_s / limit_per_s
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A folder on the disk that is measured: `WARD_BENCH_DIR`, or the working folder.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(std::env::var("WARD_BENCH_DIR").unwrap_or_else(|_| ".".to_owned())).unwrap()
}

/// Bytes of the store after the write-ahead file was worked in.
async fn stored_bytes(folder: &Path) -> u64 {
    let path = folder.join("site.db");
    let store =
        ward_store_sqlite::SqliteStore::open(&path, ward_store_sqlite::SqliteOptions::default()).unwrap();
    store.close().await;
    path.metadata().unwrap().len()
}
