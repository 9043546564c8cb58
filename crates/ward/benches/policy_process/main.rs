//! What a policy check costs as a whole process, from its start to its end: CPU time, user and system together,
//! and the most memory that it ever held. Beside it, where they are installed, two other programs.
//!
//! `cargo bench -p ward --bench policy_process [-- PLAN]` takes a plan of yours, or that of 1,000 resources in
//! `WARD_CORPORA`. `WARD_BENCH_CFN_GUARD` and `WARD_BENCH_CHECKOV` name the others; otherwise PATH is asked.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures"
)]

mod process;
mod repeated;
#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use process::{best_cpu, peak_mb, program};
use repeated::repeated;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use stopwatch::{Gates, quick};

/// Runs of which the best one counts; of the others, which take seconds each, only a few.
const ROUNDS: usize = 10;
const PEER_ROUNDS: usize = 2;
/// How often the resources of a plan stand in the large one.
const COPIES: usize = 10;
/// Rules for cfn-guard that ask for what twenty of Ward's rules ask for.
const GUARD_RULES: &str = include_str!("rules.guard");

fn main() -> ExitCode {
    stopwatch::print_machine();
    let gates = Gates::default();
    println!("\nwhole processes; CPU time, user and system, best of {ROUNDS}; memory at its peak");
    for words in [&["--version"][..], &["policy", "rules"]] {
        let ms = best_cpu(rounds(ROUNDS), || ward(words, None)) * 1e3;
        gates.target(&format!("start: ward {}", words.join(" ")), ms, "ms", ms < 10.0, "< 10 ms");
    }
    let Some(plan) = plan() else {
        println!("  no plan was measured: name one, or set WARD_CORPORA");
        return ExitCode::SUCCESS;
    };
    let folder = tempfile::tempdir().unwrap();
    let small = std::fs::read(&plan).unwrap();
    let large_file = folder.path().join("large.json");
    std::fs::write(&large_file, repeated(&small, COPIES)).unwrap();
    checks_of_ward(&gates, "the plan", &plan, (25.0, 25.0));
    checks_of_ward(&gates, "its resources ten times", &large_file, (120.0, 80.0));
    let guard_rules = folder.path().join("rules.guard");
    std::fs::write(&guard_rules, GUARD_RULES).unwrap();
    peer("cfn-guard", "WARD_BENCH_CFN_GUARD", "20 rules", |program| {
        let mut command = Command::new(program);
        command.args(["validate", "--show-summary", "none", "--output-format", "json", "--structured"]);
        command.arg("--rules").arg(&guard_rules).arg("--data").arg(&plan);
        command
    });
    peer("checkov", "WARD_BENCH_CHECKOV", "all its checks for plans", |program| {
        let mut command = Command::new(program);
        command.args(["--framework", "terraform_plan", "--quiet", "--compact", "--output", "json"]);
        command.arg("--skip-download").arg("--file").arg(&plan);
        command
    });
    gates.exit()
}

fn rounds(wanted: usize) -> usize {
    if quick() { 1 } else { wanted }
}

/// The plan that was named, or that of the corpora.
fn plan() -> Option<PathBuf> {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    named.or_else(|| Some(Path::new(&std::env::var_os("WARD_CORPORA")?).join("policy/speed/plan-1000.json")))
}

fn ward(words: &[&str], file: Option<&Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
    command.args(words).args(file);
    command
}

fn checks_of_ward(gates: &Gates, what: &str, file: &Path, (most_ms, most_mb): (f64, f64)) {
    let bytes = std::fs::metadata(file).unwrap().len();
    println!("\n{what}: {bytes} bytes, all rules");
    for (format, has_target) in [("text", true), ("json", false)] {
        let command = || ward(&["policy", "check", "--format", format], Some(file));
        let ms = best_cpu(rounds(ROUNDS), command) * 1e3;
        let mb = peak_mb(command());
        if has_target {
            gates.target(
                &format!("ward, {format}: CPU"),
                ms,
                "ms",
                ms <= most_ms,
                &format!("<= {most_ms} ms"),
            );
        } else {
            println!("         ward, {format}: CPU {ms:.1} ms");
        }
        match mb {
            Some(mb) if has_target => {
                gates.target(
                    &format!("ward, {format}: memory"),
                    mb,
                    "MB",
                    mb <= most_mb,
                    &format!("<= {most_mb} MB"),
                );
            }
            Some(mb) => println!("         ward, {format}: memory {mb:.1} MB"),
            None => println!("         memory was not measured: GNU time is not installed"),
        }
    }
}

/// Another program on the same plan, if it is there.
fn peer(name: &str, variable: &str, what: &str, command: impl Fn(&OsStr) -> Command) {
    let Some(program) = program(name, variable) else {
        println!("\n{name} was not measured: {variable} is not set, and it is not on PATH");
        return;
    };
    let cpu = best_cpu(rounds(PEER_ROUNDS), || command(&program));
    let memory = peak_mb(command(&program)).map_or("not measured".to_owned(), |mb| format!("{mb:.0} MB"));
    println!(
        "\n{name} on the plan, {what}: CPU {cpu:.2} s (best of {}), memory {memory}",
        rounds(PEER_ROUNDS)
    );
}
