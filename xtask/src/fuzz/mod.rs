//! `cargo xtask fuzz`: the targets of `ward-fuzz` under libFuzzer, with runs that add up.
//!
//! Everything of a target lies in `target/fuzz/TARGET`: the inputs that reached something new, what was
//! run so far, and seeds, which are made anew each time. A failing input goes to `testdata/fuzz/TARGET`,
//! where the ordinary tests replay it.

mod engine;
mod finding;
mod job;
mod run_line;
mod tally;

use crate::limits::{FUZZ_JOBS_MAX, FUZZ_MINUTES_MAX};
use crate::{process, project, sim};
use anyhow::{Context, Result, bail};
use engine::Engine;
use job::Outcome;
use std::path::{Path, PathBuf};
use tally::{Run, Tally};

/// The package with the targets, and its program that knows them.
const PACKAGE: &str = "ward-fuzz";
const INPUTS: &str = "inputs";

/// Where the files of one target are.
struct Folders {
    target: String,
    /// What the fuzzer keeps between runs.
    corpus: PathBuf,
    /// Where runs begin: made anew each time.
    seeds: PathBuf,
    /// What fails lies here until it has a name.
    crashes: PathBuf,
    words: PathBuf,
    tally: PathBuf,
    /// Inputs that stay with the project.
    kept: PathBuf,
}

impl Folders {
    fn of(target: &str) -> Result<Self> {
        let root = project::root()?;
        let own = root.join("target/fuzz").join(target);
        Ok(Self {
            target: target.to_owned(),
            corpus: own.join("corpus"),
            seeds: own.join("seeds"),
            crashes: own.join("crashes"),
            words: own.join("seeds.words"),
            tally: own.join("tally.json"),
            kept: root.join("testdata/fuzz").join(target),
        })
    }

    fn make(&self) -> Result<()> {
        for folder in [&self.corpus, &self.seeds, &self.crashes, &self.kept] {
            std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        Ok(())
    }
}

/// What the words ask for.
#[derive(Debug, PartialEq)]
enum Order {
    List,
    Fuzz { target: String, minutes: f64, jobs: u32, tally: Option<PathBuf> },
    Replay { target: String, file: PathBuf },
}

/// Lists the targets, fuzzes one, or replays one input.
pub fn run(words: &[String]) -> Result<bool> {
    match order(words)? {
        Order::List => list(),
        Order::Replay { target, file } => {
            // Relative to where the command was given; the program runs elsewhere.
            let file = std::env::current_dir()?.join(file);
            inputs(&["replay", &target, &file.to_string_lossy()])
        }
        Order::Fuzz { target, minutes, jobs, tally } => fuzz(&target, minutes, jobs, tally),
    }
}

fn order(words: &[String]) -> Result<Order> {
    let Some((target, rest)) = words.split_first() else { return Ok(Order::List) };
    if target.starts_with('-') || !target.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
        bail!("say which target first: cargo xtask fuzz TARGET --minutes N; cargo xtask fuzz lists them");
    }
    let (mut minutes, mut jobs, mut tally, mut file) = (None, 1, None, None);
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--minutes" => {
                let number = value()?.parse::<f64>().ok();
                let number = number.filter(|number| *number > 0.0 && *number <= FUZZ_MINUTES_MAX);
                let why = || {
                    format!("--minutes is a number of minutes of processor time, at most {FUZZ_MINUTES_MAX}")
                };
                minutes = Some(number.with_context(why)?);
            }
            "--jobs" => {
                let number = value()?.parse().ok().filter(|jobs| (1..=FUZZ_JOBS_MAX).contains(jobs));
                jobs = number.with_context(|| format!("--jobs is a number from 1 to {FUZZ_JOBS_MAX}"))?;
            }
            "--tally" => tally = Some(PathBuf::from(value()?)),
            "--replay" => file = Some(PathBuf::from(value()?)),
            other => bail!("there is no option {other}"),
        }
    }
    let target = target.clone();
    match (minutes, file) {
        (Some(minutes), None) => Ok(Order::Fuzz { target, minutes, jobs, tally }),
        (None, Some(file)) => Ok(Order::Replay { target, file }),
        _ => bail!("say either for how long, --minutes N, or what to replay, --replay FILE"),
    }
}

/// Every target with what it asserts and what was run so far.
fn list() -> Result<bool> {
    let text = process::output(&mut inputs_command(&["list"])?)?;
    for (name, about) in text.lines().filter_map(|line| line.split_once('\t')) {
        println!("{name}\n    {about}");
        println!("    {}", Tally::read(&Folders::of(name)?.tally)?.sentence());
    }
    Ok(true)
}

fn fuzz(target: &str, minutes: f64, jobs: u32, tally_file: Option<PathBuf>) -> Result<bool> {
    let folders = Folders::of(target)?;
    let tally_file = match tally_file {
        Some(file) => std::env::current_dir()?.join(file),
        None => folders.tally.clone(),
    };
    let mut tally = Tally::read(&tally_file)?;
    let known = process::output(&mut inputs_command(&["list"])?)?;
    if !known.lines().any(|line| line.split_once('\t').is_some_and(|(name, _)| name == target)) {
        bail!("there is no target {target}; cargo xtask fuzz lists them");
    }
    folders.make()?;
    if !inputs(&["seeds", target, &folders.seeds.to_string_lossy()])? {
        return Ok(false);
    }
    let engine = Engine::build()?;
    println!("fuzzing {target}: {minutes} minutes of processor time, {jobs} at once");
    let outcomes = job::run(&engine, &folders, minutes * 60.0 / f64::from(jobs), jobs)?;
    let corpus_inputs = count(&folders.corpus)?;
    let run = Run::of(&outcomes, corpus_inputs);
    tally.add(target, &sim::revision()?, &run);
    tally.write(&tally_file)?;
    println!("this run: {}", run.sentence());
    println!("all runs: {}", tally.sentence());
    report(&engine, &folders, &outcomes)
}

/// Names what failed and keeps it with the project; true if nothing failed.
fn report(engine: &Engine, folders: &Folders, outcomes: &[Outcome]) -> Result<bool> {
    let mut all_passed = true;
    for outcome in outcomes {
        match (&outcome.artifact, outcome.success) {
            (Some(artifact), _) => {
                all_passed = false;
                let kept = finding::keep(engine, folders, artifact, outcome.panic.as_deref())?;
                println!("FAILED: {}", outcome.panic.as_deref().unwrap_or("no message; see above"));
                let root = project::root()?;
                let kept = kept.strip_prefix(&root).unwrap_or(&kept).display();
                println!("  kept as {kept}");
                println!("  replay: cargo xtask fuzz {} --replay {kept}", folders.target);
                println!("  cargo xtask test replays it too, and fails until the fault is mended");
            }
            (None, false) => bail!("the fuzzer ended early and left no input; what it said stands above"),
            (None, true) => {}
        }
    }
    Ok(all_passed)
}

fn inputs(arguments: &[&str]) -> Result<bool> {
    process::run(&mut inputs_command(arguments)?)
}

fn inputs_command(arguments: &[&str]) -> Result<std::process::Command> {
    let mut command = project::cargo(&["run", "--quiet", "--package", PACKAGE, "--example", INPUTS, "--"])?;
    command.args(arguments);
    Ok(command)
}

fn count(folder: &Path) -> Result<u64> {
    let files = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    Ok(u64::try_from(files.filter_map(Result::ok).count())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(Into::into).collect()
    }

    #[test]
    fn words_are_read() {
        assert_eq!(order(&[]).unwrap(), Order::List);
        let fuzz = order(&words("response --minutes 0.5 --jobs 2 --tally t.json")).unwrap();
        let tally = Some("t.json".into());
        assert_eq!(fuzz, Order::Fuzz { target: "response".into(), minutes: 0.5, jobs: 2, tally });
        let replay = order(&words("response --replay a.input")).unwrap();
        assert_eq!(replay, Order::Replay { target: "response".into(), file: "a.input".into() });
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "--minutes 5",
            "../x --minutes 5",
            "response",
            "response --minutes",
            "response --minutes 0",
            "response --minutes NaN",
            "response --minutes 1e9",
            "response --minutes 5 --jobs 0",
            "response --minutes 5 --replay x",
            "response --minute 5",
        ] {
            assert!(order(&words(text)).is_err(), "{text}");
        }
    }
}
