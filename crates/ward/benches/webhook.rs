//! How long a cluster waits for the webhook: the real process, over TLS, asked 100 times a second on one connection
//! that stays open, as an API server does.
//!
//! It is asked about the objects of kubernetes-goat where `WARD_CORPORA` is set, otherwise about those of
//! `deploy/kubernetes`. A time runs from when a review is due, so that one slow answer does not hide others.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../tests/operate/cluster.rs"]
mod cluster;
#[path = "../../../bench/stopwatch.rs"]
mod stopwatch;

use cluster::MadeCertificate;
use serde_json::Value;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;
use stopwatch::Gates;
use tokio::time::Instant;
use ward_client::native::HttpsTransport;
use ward_client::{ServerAddress, Transport as _};

/// Reviews a second.
const RATE_PER_S: u32 = 100;
const SECONDS: u32 = 10;
const QUICK_SECONDS: u32 = 1;
/// Reviews before the clock counts.
const WARM_UP: usize = 100;
/// What 99 of 100 answers have to stay below, milliseconds.
const TARGET_P99_MS: f64 = 5.0;
/// The name of every review: nothing is kept of one.
const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";
/// Clock ticks a second in /proc (fixed for user space).
const TICKS_PER_S: f64 = 100.0;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let reviews = reviews();
    let bytes: usize = reviews.iter().map(Vec::len).sum();
    println!("\n{} reviews, {} bytes each on average", reviews.len(), bytes / reviews.len());
    let folder = tempfile::tempdir().unwrap();
    let (mut webhook, server) = start(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut gates = Gates::default();
    runtime.block_on(measure(&webhook, &server, &reviews, &mut gates));
    webhook.kill().unwrap();
    webhook.wait().unwrap();
    gates.exit()
}

async fn measure(webhook: &Child, server: &ServerAddress, reviews: &[Vec<u8>], gates: &mut Gates) {
    let transport = Arc::new(HttpsTransport::new());
    let mut refused = 0;
    for review in reviews.iter().cycle().take(WARM_UP.max(reviews.len())) {
        refused += usize::from(!ask(&transport, server, review.clone()).await);
    }
    let seconds = if stopwatch::quick() { QUICK_SECONDS } else { SECONDS };
    let count = RATE_PER_S * seconds;
    let (cpu, client_cpu, began) = (cpu_of(webhook), stopwatch::process_cpu(), Instant::now());
    let asked = reviews.iter().cycle().zip(0..count).map(|(review, at)| {
        let (transport, server, review) = (Arc::clone(&transport), server.clone(), review.clone());
        tokio::spawn(async move {
            let due = began + Duration::from_secs(1) * at / RATE_PER_S;
            tokio::time::sleep_until(due).await;
            let late = due.elapsed();
            ask(&transport, &server, review).await;
            (due.elapsed(), late)
        })
    });
    let (mut times, mut lates) = (Vec::new(), Vec::new());
    for asked in asked.collect::<Vec<_>>() {
        let (time, late) = asked.await.unwrap();
        times.push(time.as_secs_f64() * 1e3);
        lates.push(late.as_secs_f64() * 1e3);
    }
    let used = (cpu_of(webhook) - cpu).as_secs_f64() * 1e3 / f64::from(count);
    let client = (stopwatch::process_cpu() - client_cpu).as_secs_f64() * 1e3 / f64::from(count);
    times.sort_by(f64::total_cmp);
    lates.sort_by(f64::total_cmp);
    println!(
        "{count} reviews at {RATE_PER_S} a second; {refused} of the first {} refused",
        reviews.len().max(WARM_UP)
    );
    println!("  CPU of the webhook {used:.2} ms a review; of this client {client:.2} ms");
    println!(
        "  this client was late by {:.2} ms (p50), {:.2} ms (p99)",
        share(&lates, 0.5),
        share(&lates, 0.99)
    );
    println!(
        "  p50 {:.2} ms, p90 {:.2} ms, worst {:.2} ms",
        share(&times, 0.5),
        share(&times, 0.9),
        share(&times, 1.0)
    );
    let p99 = share(&times, 0.99);
    gates.target("p99 of a review", p99, "ms", p99 <= TARGET_P99_MS, "<= 5 ms");
}

/// The time that a share of all stays within.
fn share(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (share * last as f64).ceil() as usize;
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

/// Whether an object is admitted.
async fn ask(transport: &HttpsTransport, server: &ServerAddress, body: Vec<u8>) -> bool {
    let answer = transport.send(server, cluster::request("/validate", body)).await.unwrap();
    assert_eq!(answer.status, 200);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    answer["response"]["allowed"].as_bool().unwrap()
}

/// Starts the program, with a certificate of its own.
fn start(folder: &Path) -> (Child, ServerAddress) {
    let made = MadeCertificate::new();
    made.write_to(folder);
    let mut child = Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(["--json", "policy", "webhook", "--open", "warn", "--listen", "127.0.0.1:0", "--cert"])
        .arg(folder.join("tls.crt"))
        .arg("--key")
        .arg(folder.join("tls.key"))
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let origin = format!("https://{}", said["address"].as_str().unwrap());
    (child, ServerAddress { origin, spki_pins: vec![made.pin] })
}

/// CPU time that the process used so far.
fn cpu_of(child: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_S)
}

/// A review of every object, as the API server sends it.
fn reviews() -> Vec<Vec<u8>> {
    let folder = match std::env::var_os("WARD_CORPORA").filter(|value| !value.is_empty()) {
        Some(corpora) => PathBuf::from(corpora).join("policy/kubernetes-goat"),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes"),
    };
    let objects = cluster::objects_below(&folder);
    assert!(!objects.is_empty(), "no object in {}", folder.display());
    objects.iter().map(|object| cluster::review(UID, object).to_string().into_bytes()).collect()
}
