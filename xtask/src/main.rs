//! Tasks of the workspace: `cargo xtask` prints them.
//!
//! Two are all that a newcomer needs: `cargo xtask demo` and `cargo xtask test`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod bench;
mod ci;
mod cites;
mod corpora;
mod demo;
mod deny;
mod fuzz;
mod kill_loop;
mod limits;
mod outcome;
mod process;
mod project;
mod rust_view;
mod secrets;
mod setup;
mod sim;
mod source_tree;
mod steps;
mod tests_run;
mod tidy;

use anyhow::{Result, bail};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo [ARGS]      set up what is missing, build, run a seeded trial, print the links
  test             set up what is missing, check the style, run every test there is
  ci               test, and the security gates: clippy, format, cargo-deny, secrets, wasm
  setup            check the machine and add what is missing; silent when nothing is
  tidy             style as a test
  secrets          only the secret scan of ci
  deny             only the check of licences, sources and bans of ci
  cites            which clause of which rule is met where, and which test shows it
  corpora NAME     agree with the files of one corpus (needs WARD_CORPORA)
  bench [NAME]     run the benches, or those of one crate or name (wasm: under Node); --quick: only show that they run
  fuzz             list the fuzz targets; fuzz TARGET --minutes N [--jobs J] [--tally FILE]: N minutes of
                   processor time, runs add up; fuzz TARGET --replay FILE: one input
  kill-loop N      kill the server N times in the middle of its work, lose nothing
  sim ARGS         schedules of the simulator: --seeds A..B | --seed S | --schedule FILE
                   [--faults LIST] [--real] [--files] [--tally FILE] [--minutes N]; or --process
";

fn main() -> ExitCode {
    if sim::wraps_the_compiler() {
        return exit(sim::wrap_the_compiler());
    }
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    exit(dispatch(command.as_deref(), &rest))
}

fn exit(done: Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; `false` means that it ran and something failed, which it has printed.
fn dispatch(command: Option<&str>, rest: &[String]) -> Result<bool> {
    let first = rest.first().map(String::as_str);
    match command {
        None | Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(true)
        }
        Some("demo") => demo::run(rest),
        Some("test") => tests_run::command(),
        Some("ci") => ci::run(),
        Some("setup") => setup::run(),
        Some("tidy") => tidy::run(),
        Some("secrets") => secrets::check(),
        Some("deny") => deny::command(),
        Some("cites") => cites::run(),
        Some("corpora") => corpora::run(first),
        Some("bench") => bench::run(rest),
        Some("fuzz") => fuzz::run(rest),
        Some("kill-loop") => kill_loop::run(first),
        Some("sim") => sim::run(rest),
        Some(other) => bail!("there is no command {other:?}\n\n{HELP}"),
    }
}
