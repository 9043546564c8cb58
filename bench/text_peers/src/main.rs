//! Ward's text engine beside others:
//! `WARD_CORPORA=… cargo run --release --manifest-path bench/text_peers/Cargo.toml`.
//!
//! The same recordings in the same run, in turns, CPU time of the thread, best of ten. A peer does
//! more or less than Ward where it stores something else; the lines say what is compared.

#[path = "../../../crates/core/ward-text/tests/suite/gunzip.rs"]
mod gunzip;
#[path = "../../../crates/core/ward-text/tests/suite/history.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod history;
#[path = "../../stopwatch.rs"]
mod stopwatch;
#[path = "../../../crates/core/ward-sync/tests/suite/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests")]
mod support;

mod agreement;
mod diamond;
mod replicas;
mod traces;
mod ward_side;
mod wire;

use diamond::Diamond;
use replicas::{AutomergeReplica, LoroReplica, Replica, YrsReplica};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;
use stopwatch::{Gates, quick, thread_cpu};
use traces::{Keystroke, Traces};

const ROUNDS: usize = 10;
/// Keystrokes in one burst.
pub const BURST: usize = 100;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let Some(traces) = Traces::read() else {
        println!("skipped: WARD_CORPORA is not set, so there are no recordings to replay");
        return ExitCode::SUCCESS;
    };
    let mut gates = Gates::default();
    sequential(&traces, &mut gates);
    concurrent(&traces, &gates);
    two_devices(&gates);
    wire::bytes_per_keystroke(&traces.paper, &gates);
    agreement::with_diamond_types();
    agreement::with_all(&traces);
    gates.exit()
}

/// One thing to measure: what it is, and work that tells how long it took.
type Course<'a> = (&'static str, Box<dyn FnMut() -> Duration + 'a>);

fn timed<R>(work: impl FnOnce() -> R) -> Duration {
    let began = thread_cpu();
    black_box(work());
    thread_cpu() - began
}

/// Everything in turns; prints and returns the best of each in milliseconds.
fn race(courses: &mut [Course<'_>]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; courses.len()];
    for _ in 0..if quick() { 1 } else { ROUNDS } {
        for (best, (_, work)) in best.iter_mut().zip(courses.iter_mut()) {
            *best = best.min(work().as_secs_f64() * 1e3);
        }
    }
    for ((name, _), best) in courses.iter().zip(&best) {
        println!("  {name:<64} {best:>9.2} ms");
    }
    best
}

fn sequential(traces: &Traces, gates: &mut Gates) {
    let keys = &traces.paper;
    println!(
        "\nautomerge-paper, {} keystrokes of one person: load the history and have the text",
        keys.len()
    );
    let stored = ward_side::stored(keys);
    let diamond = Diamond::typed(keys).encoded();
    let (yrs, loro) = (YrsReplica::typed(1, keys).whole(), LoroReplica::typed(1, keys).whole());
    let automerge = AutomergeReplica::typed(1, keys).whole();
    println!(
        "  stored: Ward {} B in {} bursts, diamond-types {} B, yrs {} B, loro {} B, automerge {} B",
        stored.iter().map(Vec::len).sum::<usize>(),
        stored.len(),
        diamond.len(),
        yrs.len(),
        loro.len(),
        automerge.len()
    );
    let times = race(&mut [
        (
            "Ward: bursts of 100 keystrokes decoded and replayed",
            Box::new(|| timed(|| ward_side::load(&stored))),
        ),
        ("diamond-types: load_from, checkout_tip", Box::new(|| timed(|| Diamond::load(&diamond)))),
        ("yrs: apply_update (deleted text is not kept)", Box::new(|| timed(|| YrsReplica::load(&yrs)))),
        ("loro: import of a snapshot (state is in it)", Box::new(|| timed(|| LoroReplica::load(&loro)))),
        ("automerge: load", Box::new(|| timed(|| AutomergeReplica::load(&automerge)))),
    ]);
    gates.at_most("load, Ward to diamond-types", times[0] / times[1], 2.0);
    println!("\nautomerge-paper: keystroke by keystroke into an empty text");
    let some = &keys[..keys.len().min(40_000)];
    let typed = race(&mut [
        ("Ward: into bursts of 100, each applied", Box::new(|| timed(|| ward_side::typed(keys)))),
        ("diamond-types: oplog and branch", Box::new(|| timed(|| Diamond::typed(keys)))),
        ("yrs: first 40,000, one transaction each", Box::new(|| timed(|| YrsReplica::typed(1, some)))),
        ("loro: first 40,000, one commit at the end", Box::new(|| timed(|| LoroReplica::typed(1, some)))),
    ]);
    gates.at_most("typing, Ward to diamond-types", typed[0] / typed[1], 2.0);
    gates.at_most(
        "load and typing, Ward to diamond-types",
        (times[0] + typed[0]) / (times[1] + typed[1]),
        2.0,
    );
}

fn concurrent(traces: &Traces, gates: &Gates) {
    println!("\nfriendsforever, {} transactions of two people, cold", traces.friends.len());
    let edits = ward_side::concurrent(&traces.friends);
    let stored: Vec<_> = edits.iter().map(ward_side::stored_edit).collect();
    let diamond = Diamond::concurrent(&traces.friends);
    let encoded = diamond.encoded();
    let yrs = replicas::updates_of::<YrsReplica>(&traces.friends);
    let times = race(&mut [
        (
            "Ward: each transaction an edit, decoded, replayed",
            Box::new(|| timed(|| ward_side::replay(&stored))),
        ),
        ("Ward: the same backwards", Box::new(|| timed(|| ward_side::replay_backwards(&stored)))),
        ("diamond-types: load_from, checkout_tip", Box::new(|| timed(|| Diamond::load(&encoded)))),
        (
            "diamond-types: each transaction added, checkout_tip",
            Box::new(|| timed(|| Diamond::concurrent(&traces.friends).text())),
        ),
        ("yrs: one update each", Box::new(|| timed(|| replicas::replay::<YrsReplica>(&yrs)))),
    ]);
    let texts = [ward_side::replay(&stored), Diamond::load(&encoded)];
    assert!(texts.iter().all(|text| *text == traces.friends_text), "the end text is that of the recording");
    gates.target("friendsforever cold", times[0], "ms", times[0] <= 100.0, "<= 100");
    if !quick() {
        let loro = replicas::updates_of::<LoroReplica>(&traces.friends);
        let began = thread_cpu();
        black_box(replicas::replay::<LoroReplica>(&loro));
        println!(
            "  {:<64} {:>9.2} ms (once)",
            "loro: one update each",
            (thread_cpu() - began).as_secs_f64() * 1e3
        );
        println!("  automerge, one change each, is left out");
    }
}

fn two_devices(gates: &Gates) {
    const EDITS: usize = 5_000;
    println!("\ntwo devices, {EDITS} random edits each offline in one paragraph, then merged on one of them");
    let base = "Pain in the left arm since Monday, worse at night.";
    let (first, second) = (traces::random_keys(1, base, EDITS), traces::random_keys(2, base, EDITS));
    let ward = ward_side::TwoDevices::new(base, &first, &second);
    let diamond = diamond::TwoDevices::new(base, &first, &second);
    let times = race(&mut [
        ("Ward: each keystroke an edit", Box::new(|| ward.merge())),
        ("diamond-types", Box::new(|| diamond.merge())),
        ("yrs", Box::new(|| replicas::merge::<YrsReplica>(base, &first, &second))),
        ("loro", Box::new(|| replicas::merge::<LoroReplica>(base, &first, &second))),
    ]);
    if !quick() {
        let automerge = replicas::merge::<AutomergeReplica>(base, &first, &second);
        println!("  {:<64} {:>9.2} ms (once)", "automerge", automerge.as_secs_f64() * 1e3);
    }
    assert_eq!(ward.text(), diamond.text(), "the same order at one place");
    gates.target("two devices x 5,000 edits merged", times[0], "ms", times[0] <= 100.0, "<= 100");
    println!("  review marks of the merged paragraph: {:.2} ms", ward.marks().as_secs_f64() * 1e3);
}

/// The keystrokes of a text as its recording has them.
pub fn apply(keys: &[Keystroke], replica: &mut impl Replica) {
    for key in keys {
        replica.key(key);
    }
}
