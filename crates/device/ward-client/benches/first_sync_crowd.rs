//! 300 phones meet the server for the first time together, while others go on as on any day: how long
//! a day's push of one entry takes meanwhile, against the same with nobody else there.
//!
//! Everything runs on this machine over TLS on loopback: the server on two threads, the crowd on one,
//! the phone of the day on another. A crowd computes on phones of its own, so where the machine knows
//! priorities its thread runs at the lowest (and what it takes of the server's cores is still in the
//! figures).
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and stops at any error"
)]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stopwatch::{Gates, quick};
use ward_client::native::HttpsTransport;
use ward_client::{Certified, Client, Comparison, NewInvite, ServerAddress};
use ward_crypto::Role;
use ward_sync::{Dose, DoseOutcome, MedicationId};
use ward_testkit::{FakeEnv, MemoryKey, MemoryRows, START, SeededRng, Site};

const SEED: u64 = 37;
const CROWD: usize = 300;
const PUSHES: usize = 100;
const RATIO_MAX: f64 = 2.0;

type Phone = Client<MemoryRows, HttpsTransport, FakeEnv, MemoryKey>;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (crowd, pushes) = if quick() { (6, 10) } else { (CROWD, PUSHES) };
    let (server, mut day, phones) = runtime.block_on(begin(crowd));
    let alone = on_a_thread(move || {
        let times = push_day(&mut day, pushes, &AtomicBool::new(false));
        (times, day)
    });
    let (alone, mut day) = alone.join().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&over);
    let began = Instant::now();
    let crowd_thread = on_a_thread(move || {
        let stands_back = stand_back();
        println!(
            "the crowd's thread {}",
            if stands_back { "stands back" } else { "competes with the server" }
        );
        let synced = sync_together(phones);
        done.store(true, Ordering::Release);
        synced
    });
    let meanwhile = on_a_thread(move || push_day(&mut day, usize::MAX, &over)).join().unwrap();
    let synced = crowd_thread.join().unwrap();
    drop(server);
    println!("{synced} phones synced for the first time in {:.1} s", began.elapsed().as_secs_f64());
    println!(
        "  alone      {} syncs with one entry: p50 {:>6.1} ms, p95 {:>6.1} ms",
        alone.len(),
        at(&alone, 50),
        at(&alone, 95)
    );
    println!(
        "  meanwhile  {} syncs with one entry: p50 {:>6.1} ms, p95 {:>6.1} ms",
        meanwhile.len(),
        at(&meanwhile, 50),
        at(&meanwhile, 95)
    );
    let ratio = at(&meanwhile, 95) / at(&alone, 95);
    let gates = Gates::default();
    gates.target("p95 of a day's push beside the crowd", ratio, "x", ratio <= RATIO_MAX, "<= 2 x");
    gates.exit()
}

/// Gives this thread the lowest priority; whether the machine did.
#[cfg(target_os = "linux")]
fn stand_back() -> bool {
    // On Linux the priority is that of the calling thread.
    rustix::process::setpriority_process(None, 19).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn stand_back() -> bool {
    false
}

fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    std::thread::spawn(work)
}

/// The time at a percentile, milliseconds.
fn at(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len().saturating_sub(1)) * percent / 100;
    sorted.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// A site that listens, a phone of the day that has synced, and a crowd that has not.
async fn begin(crowd: usize) -> (ward_testkit::Loopback, Phone, Vec<Phone>) {
    let mut site = Site::small(SEED).await;
    let server = site.server.listen().await;
    let mut phones = Vec::new();
    for number in 0..=crowd {
        phones.push(phone(&mut site, &server.address, number).await);
    }
    site.coordinator.sync().await;
    let mut day = phones.pop().unwrap();
    for _ in 0..3 {
        day.sync().await.unwrap();
    }
    // The server lives as long as the listener.
    std::mem::forget(site);
    (server, day, phones)
}

/// A participant's phone that is enrolled and has written three days of doses without a network.
async fn phone(site: &mut Site, address: &ServerAddress, number: usize) -> Phone {
    let (chart, person) = site.open_chart().await;
    let name = format!("phone {number}");
    let env = FakeEnv::new(site.clock.clone(), SEED, &name);
    let key = MemoryKey::new(&mut SeededRng::new(SEED, &format!("{name}/key")));
    let mut client = Client::open(MemoryRows::new(), HttpsTransport::new(), env, key).await.unwrap();
    let server = Some(address.clone());
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    client.enrol_begin(&ticket.to_text()).await.unwrap();
    site.coordinator.client.pending_enrolments().await.unwrap();
    let certified = site.coordinator.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    assert!(matches!(certified, Certified::Done(_)));
    client.enrol_finish().await.unwrap();
    for _ in 0..9 {
        client.capture(chart, dose()).await.unwrap();
    }
    client
}

fn dose() -> Dose {
    Dose {
        medication: MedicationId::new("ondansetron"),
        due_at: START,
        outcome: DoseOutcome::Taken,
        at: START,
        note: None,
    }
}

/// One entry and a sync, again and again, until so many or until it is over.
fn push_day(day: &mut Phone, most: usize, over: &AtomicBool) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let chart = day.me().unwrap().chart.unwrap();
    let mut times = Vec::new();
    runtime.block_on(async {
        while times.len() < most && !over.load(Ordering::Acquire) {
            day.capture(chart, dose()).await.unwrap();
            let began = Instant::now();
            let report = day.sync().await.unwrap();
            times.push(began.elapsed());
            assert_eq!(report.unsent, 0, "{report:?}");
        }
    });
    times
}

/// All of them at once, each to its end; how many were complete.
fn sync_together(phones: Vec<Phone>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let mut tasks = tokio::task::JoinSet::new();
        for mut phone in phones {
            tasks.spawn_local(async move {
                let mut report = phone.sync().await.unwrap();
                // Busy or limited: the app comes back by itself.
                for _ in 0..20 {
                    if report.unsent == 0 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    report = phone.sync().await.unwrap();
                }
                report.unsent == 0
            });
        }
        let mut complete = 0;
        while let Some(done) = tasks.join_next().await {
            complete += usize::from(done.unwrap());
        }
        complete
    })
}
