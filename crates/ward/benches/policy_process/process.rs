//! Measuring a program as a whole, as the kernel counts it.

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// What the kernel counts in `/proc/PID/stat`.
const TICKS_PER_S: f64 = 100.0;
/// Places of user and system time, and of those of children, behind the name in `/proc/PID/stat`.
const TIMES: std::ops::Range<usize> = 11..15;

/// The least CPU time of some runs, in seconds.
pub fn best_cpu(rounds: usize, command: impl Fn() -> Command) -> f64 {
    (0..rounds).map(|_| cpu(command())).fold(f64::INFINITY, f64::min)
}

/// CPU time of one run in seconds, read after it ended and before it is forgotten.
fn cpu(mut command: Command) -> f64 {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    waitid(WaitId::Pid(Pid::from_child(&child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", child.id())).unwrap();
    // Of its first thread to the nanosecond; of all threads and children only in ticks.
    let first_ns: f64 = read("schedstat").split(' ').next().unwrap().parse().unwrap();
    let stat = read("stat");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = fields[TIMES].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    child.wait().unwrap();
    (first_ns / 1e9).max(ticks / TICKS_PER_S)
}

/// The most memory of one run, as GNU time reads it from the kernel. `None` without GNU time.
pub fn peak_mb(command: Command) -> Option<f64> {
    let report = tempfile::NamedTempFile::new().unwrap();
    let mut timed = Command::new("time");
    timed.args(["--format", "%M", "--quiet", "--output"]).arg(report.path());
    timed.arg(command.get_program()).args(command.get_args());
    timed.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    timed.status().ok()?;
    let kib: f64 = std::fs::read_to_string(report.path()).unwrap().trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Where a program is: a variable says it, or PATH has it.
pub fn program(name: &str, variable: &str) -> Option<OsString> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named);
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.map(Into::into)
}
