//! What a check of infrastructure code costs as a whole process: from its start to its end, with everything
//! the system does for it. Best of ten; CPU time is that of its one thread, user and system together.
//!
//! `WARD_CORPORA=FOLDER cargo bench -p ward --bench policy_process`. Linux only: the figures are read from
//! `/proc` before the process is gone.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures"
)]

#[path = "../../../bench/stopwatch.rs"]
mod stopwatch;

use serde_json::Value;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use stopwatch::Gates;

/// The plan of 1,000 resources, below the corpora.
const PLAN: &str = "policy/speed/plan-1000.json";
/// How often its resources are repeated in the large plan.
const COPIES: usize = 10;
/// Runs of which the best one counts.
const RUNS: usize = 10;
/// Between two looks at a process that ends.
const PAUSE: Duration = Duration::from_millis(1);

/// What one process cost.
#[derive(Clone, Copy)]
struct Cost {
    cpu_ms: f64,
    peak_mb: f64,
}

fn main() -> ExitCode {
    stopwatch::print_machine();
    let gates = Gates::default();
    for arguments in [&["--version"][..], &["policy", "rules"]] {
        let cost = best(arguments);
        println!("\nward {}", arguments.join(" "));
        gates.target("CPU time", cost.cpu_ms, "ms", cost.cpu_ms < 10.0, "< 10");
    }
    let Some(corpora) = std::env::var_os("WARD_CORPORA") else {
        println!("\nno plan was checked: WARD_CORPORA names no folder");
        return gates.exit();
    };
    let plan = Path::new(&corpora).join(PLAN);
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("plan.json");
    std::fs::write(&large, repeated(&std::fs::read_to_string(&plan).unwrap())).unwrap();
    for (name, plan, most_ms, most_mb) in
        [("1,000 resources", &plan, 25.0, 25.0), ("10,000 resources", &large, 120.0, 80.0)]
    {
        for format in ["text", "json"] {
            let cost = best(&["policy", "check", "--format", format, plan.to_str().unwrap()]);
            println!("\nward policy check, {name}, the report as {format}");
            gates.target("CPU time", cost.cpu_ms, "ms", cost.cpu_ms <= most_ms, &format!("<= {most_ms}"));
            gates.target(
                "peak",
                cost.peak_mb,
                "MB resident",
                cost.peak_mb <= most_mb,
                &format!("<= {most_mb}"),
            );
        }
    }
    gates.exit()
}

fn best(arguments: &[&str]) -> Cost {
    let runs = if stopwatch::quick() { 2 } else { RUNS };
    let costs = (0..runs).map(|_| cost_of(arguments));
    let least = |one: Cost, other: Cost| Cost {
        cpu_ms: one.cpu_ms.min(other.cpu_ms),
        // The peak is what was needed at most.
        peak_mb: one.peak_mb.max(other.peak_mb),
    };
    costs.reduce(least).unwrap()
}

fn cost_of(arguments: &[&str]) -> Cost {
    let mut ward = Command::new(env!("CARGO_BIN_EXE_ward"));
    let mut child = ward.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut report = child.stdout.take().unwrap();
    let (mut piece, mut peak_mb) = (vec![0; 16 * 1024], 0.0_f64);
    // Whoever waits for the rest to be read holds all of its memory.
    while report.read(&mut piece).unwrap() > 0 {
        peak_mb = peak_mb.max(peak_mb_of(&child).unwrap_or(0.0));
    }
    while !has_ended(&child) {
        std::thread::sleep(PAUSE);
    }
    let schedule = about(&child, "schedstat");
    let run_ns: f64 = schedule.split(' ').next().unwrap().parse().unwrap();
    assert!(child.wait().unwrap().code().is_some_and(|code| code < 3), "ward {arguments:?} read nothing");
    Cost { cpu_ms: run_ns / 1e6, peak_mb }
}

fn about(child: &Child, what: &str) -> String {
    std::fs::read_to_string(format!("/proc/{}/{what}", child.id())).unwrap()
}

/// `None` once the process gave its memory back.
fn peak_mb_of(child: &Child) -> Option<f64> {
    let status = about(child, "status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = peak.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Whether the process is over, and only its figures are still there.
fn has_ended(child: &Child) -> bool {
    about(child, "stat").rsplit_once(')').is_some_and(|(_, state)| state.trim_start().starts_with('Z'))
}

/// The plan with each resource so often, each time with another address.
fn repeated(plan: &str) -> String {
    let mut plan: Value = serde_json::from_str(plan).unwrap();
    for list in
        ["/resource_changes", "/planned_values/root_module/resources", "/configuration/root_module/resources"]
    {
        let resources = plan.pointer_mut(list).and_then(Value::as_array_mut).unwrap();
        let once = resources.clone();
        for copy in 1..COPIES {
            resources.extend(once.iter().cloned().map(|mut resource| {
                let name = format!("{}_{copy}", resource["name"].as_str().unwrap());
                resource["address"] = format!("{}.{name}", resource["type"].as_str().unwrap()).into();
                resource["name"] = name.into();
                resource
            }));
        }
    }
    plan.to_string()
}
