//! Many seeds on many threads. Each thread sets up a site of its own and takes the next seed.

use crate::options::{Options, Work};
use crate::tally_file;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use ward_testkit::sim::{Failure, Rows, Tally, Template, run, schedule, shrink};

/// Failing seeds that are made small; further ones are named only.
const SHRUNK_MAX: usize = 3;
/// One schedule in so many keeps its rows in SQLite files.
const FILES_EVERY: u64 = 100;
/// Time between two lines that say how far it is.
const PROGRESS: Duration = Duration::from_secs(20);

/// What all threads share.
struct Shared<'a> {
    options: &'a Options,
    next: AtomicU64,
    end: u64,
    begun: Instant,
    stop: AtomicBool,
    sums: Mutex<Sums>,
}

struct Sums {
    tally: Tally,
    failures: Vec<(u64, Failure)>,
    told: Instant,
}

/// A runtime for one thread: timers are never waited for, for nothing here waits.
pub fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())
}

/// Runs the seeds and prints what came of them. Whether nothing failed.
pub fn run_seeds(options: &Options) -> Result<bool, String> {
    let Work::Seeds(seeds) = &options.work else { return Err("there are no seeds".to_owned()) };
    let begun = Instant::now();
    let shared = Shared {
        options,
        next: AtomicU64::new(seeds.start),
        end: seeds.end,
        begun,
        stop: AtomicBool::new(false),
        sums: Mutex::new(Sums { tally: Tally::default(), failures: Vec::new(), told: begun }),
    };
    // What a failing schedule says of its panic is in its failure.
    std::panic::set_hook(Box::new(|_| {}));
    let errors: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads).map(|_| scope.spawn(|| work(&shared))).collect();
        threads
            .into_iter()
            .filter_map(|thread| match thread.join() {
                Ok(done) => done.err(),
                Err(_) => Some("a thread ended early".to_owned()),
            })
            .collect()
    });
    let next = shared.next.load(Ordering::Relaxed).min(shared.end);
    let sums = shared.sums.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    tell(&sums.tally, begun.elapsed());
    for (name, count) in sums.tally.faults.iter().chain(&sums.tally.paths) {
        println!("{count:>10}  {name}");
    }
    for (seed, failure) in &sums.failures {
        println!("FAILED seed {seed}: {failure}");
    }
    if let Some(path) = &options.tally {
        tally_file::add(path, (seeds.start, next), &sums.tally, &sums.failures)?;
    }
    match errors.first() {
        Some(error) => Err(error.clone()),
        None => Ok(sums.failures.is_empty()),
    }
}

fn tell(tally: &Tally, took: Duration) {
    let per_s = tally.schedules as f64 / took.as_secs_f64().max(0.001);
    println!(
        "{} schedules ({} whole), {} entries, {} requests, {} faults, {} failed; {per_s:.1} schedules/s",
        tally.schedules,
        tally.whole,
        tally.entries,
        tally.requests,
        tally.faults_happened(),
        tally.failed
    );
}

fn work(shared: &Shared<'_>) -> Result<(), String> {
    runtime()?.block_on(async {
        let template = Template::in_memory().await;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        loop {
            let late = shared
                .options
                .minutes
                .is_some_and(|minutes| shared.begun.elapsed().as_secs() >= minutes * 60);
            if late || shared.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let seed = shared.next.fetch_add(1, Ordering::Relaxed);
            if seed >= shared.end {
                return Ok(());
            }
            let rows = match shared.options.rows(folder.path()) {
                Rows::Memory if seed.is_multiple_of(FILES_EVERY) => Rows::Files(folder.path().to_path_buf()),
                rows => rows,
            };
            one_seed(shared, &template, seed, rows).await;
        }
    })
}

async fn one_seed(shared: &Shared<'_>, template: &Template, seed: u64, rows: Rows) {
    let made = schedule(seed, &shared.options.faults);
    let outcome = run(template, &made, rows.clone()).await;
    let shrinks = {
        let mut sums = shared.sums.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sums.tally.add(&outcome.tally);
        if let Some(failure) = &outcome.failure {
            sums.failures.push((seed, failure.clone()));
        }
        if sums.told.elapsed() >= PROGRESS {
            sums.told = Instant::now();
            tell(&sums.tally, shared.begun.elapsed());
        }
        sums.failures.len() <= SHRUNK_MAX
    };
    if let (Some(failure), true) = (outcome.failure, shrinks) {
        let smallest = shrink(template, &made, failure.verdict, &rows).await;
        println!(
            "seed {seed} FAILED: {failure}\nsmallest schedule (replay: cargo xtask sim --seed {seed}):\n{smallest}"
        );
    }
}
