//! A clinician's new device meets a site with 10,000 records whose charts have checkpoints that two
//! people signed: over TLS on loopback, into its own sealed SQLite file, until every chart can be
//! shown; and how long verifying all of it takes afterwards.
//!
//! Server, client and the load of the machine share its cores. Each round is another device with
//! an empty store.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at any error"
)]

mod cold_devices;
#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use cold_devices::{ColdClient, SEED, enrolled_clinician, write};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use stopwatch::{Gates, process_cpu, quick};
use ward_client::ChartTrust;
use ward_testkit::{START, Site, diary_instrument};

const PATIENTS: usize = 10;
const RECORDS: usize = 10_000;
const DEVICES: usize = 5;
const USABLE_MAX_S: f64 = 0.5;

fn main() -> ExitCode {
    stopwatch::print_machine();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(run())
}

async fn run() -> ExitCode {
    let (patients, records) = if quick() { (1, 600) } else { (PATIENTS, RECORDS) };
    let mut site = Site::small(SEED).await;
    let server = site.server.listen().await;
    let folder = tempfile::tempdir().unwrap();
    let mut cold = Vec::new();
    for number in 0..if quick() { 1 } else { DEVICES } {
        let path = folder.path().join(format!("clinician-{number}.db"));
        cold.push(enrolled_clinician(&mut site, &server.address, &path, number).await);
    }
    for number in 0..patients {
        let mut patient = site.patient(&format!("patient {number}")).await;
        let chart = patient.chart();
        site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 14)).await.unwrap();
        write(&mut patient, records / patients).await;
        // A phone writes the next one only after many entries; here it is asked to, unless one covers all.
        patient.client.write_checkpoint(chart).await.unwrap();
        patient.client.sync().await.unwrap();
    }
    for _ in 0..3 {
        site.coordinator.client.sync().await.unwrap();
    }
    println!("{records} records of {patients} participants under checkpoints; {} devices begin", cold.len());
    let mut best = Duration::MAX;
    for client in &mut cold {
        best = best.min(begin(client, &site, records).await);
    }
    let gates = Gates::default();
    let usable_s = best.as_secs_f64();
    let bound = format!("<= {USABLE_MAX_S} s");
    gates.target("a usable chart from a checkpoint", usable_s * 1e3, "ms", usable_s <= USABLE_MAX_S, &bound);
    gates.exit()
}

/// From an empty store to every chart, the worklist and the adherence on the screen; then verifying.
async fn begin(client: &mut ColdClient, site: &Site, records: usize) -> Duration {
    let (began, cpu) = (Instant::now(), process_cpu());
    let report = client.sync().await.unwrap();
    let synced = began.elapsed();
    let charts = client.charts();
    let shown: usize = charts.iter().map(|chart| client.chart(chart.chart).unwrap().timeline().len()).sum();
    let work = client.worklist(site.clock.now()).unwrap().len();
    let (usable, cpu) = (began.elapsed(), process_cpu() - cpu);
    assert!(report.is_complete(), "{report:?}");
    assert!(shown >= records && work > 0, "{report:?}, {shown} shown");
    for chart in &charts {
        let trust = client.chart_trust(chart.chart).unwrap();
        assert!(matches!(trust, ChartTrust::BeingVerified { .. } | ChartTrust::Whole), "{trust:?}");
    }
    let verifying = Instant::now();
    assert!(client.verify_checkpoints().await.unwrap().is_empty());
    println!(
        "  usable after {:>6.0} ms (sync {:>6.0} ms), {:>6.0} ms CPU of all threads, server included; verified in \
         {:>6.0} ms more",
        usable.as_secs_f64() * 1e3,
        synced.as_secs_f64() * 1e3,
        cpu.as_secs_f64() * 1e3,
        verifying.elapsed().as_secs_f64() * 1e3
    );
    usable
}
