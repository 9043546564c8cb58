//! One process of the fuzzer, or several that share what they find.

use super::Folders;
use super::engine::Engine;
use super::run_line::RunLine;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::Stdio;

/// Seconds of processor time between two lines of progress.
const SECONDS_PER_LINE: f64 = 30.0;

/// How one process ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Its time was over and nothing had failed.
    pub success: bool,
    /// Inputs that it ran.
    pub executions: u64,
    /// Processor time.
    pub cpu_seconds: f64,
    /// Places in the code that its inputs reach.
    pub edges: u64,
    /// The same, told apart by how often, and by values that are compared.
    pub features: u64,
    /// The most memory that it had.
    pub peak_memory_mb: u64,
    /// The file with an input that failed.
    pub artifact: Option<PathBuf>,
    /// What the target said when it panicked, or what the fuzzer says of it.
    pub panic: Option<String>,
}

/// Runs so many processes, each for so many seconds of processor time.
pub fn run(engine: &Engine, folders: &Folders, cpu_seconds: f64, jobs: u32) -> Result<Vec<Outcome>> {
    std::thread::scope(|scope| {
        let started: Vec<_> =
            (1..=jobs).map(|job| scope.spawn(move || one(engine, folders, cpu_seconds, job))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Outcome>>| {
            thread.join().unwrap_or_else(|_| anyhow::bail!("a job of the fuzzer could not be followed"))
        };
        started.into_iter().map(join).collect()
    })
}

fn one(engine: &Engine, folders: &Folders, cpu_seconds: f64, job: u32) -> Result<Outcome> {
    let mut command = engine.command_for(&folders.target, cpu_seconds);
    command
        .arg(format!("-dict={}", folders.words.display()))
        .arg(format!("-artifact_prefix={}/", folders.crashes.display()))
        // What another process finds is taken over within a second.
        .arg("-reload=1")
        .args([&folders.corpus, &folders.seeds, &folders.kept]);
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("starting the fuzzer")?;
    let mut outcome = match child.stderr.take() {
        Some(pipe) => follow(pipe, |line| println!("  [{job}] {line}")),
        None => Outcome::default(),
    };
    outcome.success = child.wait()?.success();
    Ok(outcome)
}

/// Reads what the fuzzer says until it ends, and shows what somebody should see.
fn follow(pipe: impl Read, mut show: impl FnMut(&str)) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut shown_at, mut is_message) = (0.0, false);
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if is_message {
            outcome.panic = Some(line.clone());
        }
        let read = RunLine::of(&line);
        if is_message || matches!(read, RunLine::Panicked | RunLine::Fault(_) | RunLine::Other) {
            show(&line);
        }
        is_message = read == RunLine::Panicked;
        match read {
            RunLine::Status { executions, edges, features } => {
                outcome.executions = executions;
                (outcome.edges, outcome.features) = (edges, features);
            }
            RunLine::CpuSeconds(seconds) => {
                outcome.cpu_seconds = seconds;
                if seconds - shown_at >= SECONDS_PER_LINE {
                    shown_at = seconds;
                    let Outcome { executions, edges, features, .. } = outcome;
                    show(&format!(
                        "{seconds:.0} s: {executions} executions, {edges} edges, {features} features"
                    ));
                }
            }
            RunLine::Executions(executions) => outcome.executions = executions,
            RunLine::PeakMemoryMb(peak) => outcome.peak_memory_mb = peak,
            RunLine::Artifact(path) => outcome.artifact = Some(path.into()),
            RunLine::Fault(fault) => {
                outcome.panic.get_or_insert(fault);
            }
            RunLine::Panicked | RunLine::Chatter | RunLine::Other => {}
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_fails_says_where_and_why() {
        let text = "INFO: Seed: 1\n#8\tNEW    cov: 5 ft: 6 corp: 2/3b\nward-fuzz: processor seconds 31.00\n\
            \nthread '<unnamed>' (1) panicked at crates/a.rs:1:2:\nassertion failed: one spelling\n\
            ==1== ERROR: libFuzzer: deadly signal\nstat::number_of_executed_units: 9\nstat::peak_rss_mb: 40\n\
            artifact_prefix='c/'; Test unit written to c/crash-12\n";
        let mut shown = Vec::new();
        let outcome = follow(text.as_bytes(), |line| shown.push(line.to_owned()));
        let expected = Outcome {
            success: false,
            executions: 9,
            cpu_seconds: 31.0,
            edges: 5,
            features: 6,
            peak_memory_mb: 40,
            artifact: Some("c/crash-12".into()),
            panic: Some("assertion failed: one spelling".into()),
        };
        assert_eq!(outcome, expected);
        assert_eq!(shown[0], "31 s: 8 executions, 5 edges, 6 features");
        assert!(shown.contains(&"assertion failed: one spelling".to_owned()), "{shown:?}");
        assert!(!shown.iter().any(|line| line.starts_with("INFO")), "{shown:?}");
    }
}
