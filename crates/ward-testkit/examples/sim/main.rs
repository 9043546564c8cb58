//! Runs schedules of the simulator on every core: `cargo xtask sim` builds and starts this.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

mod options;
mod tally_file;
mod workers;

use options::{Options, Work};
use std::process::ExitCode;
use ward_testkit::sim::{Schedule, Template, run, shrink, tell};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = Options::read(&arguments).and_then(|options| match &options.work {
        Work::Seeds(_) => workers::run_seeds(&options),
        Work::One(schedule) => one(schedule, &options),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("sim: {why}");
            ExitCode::from(2)
        }
    }
}

/// One schedule, told at length. If it fails, the smallest one that fails alike is printed.
fn one(schedule: &Schedule, options: &Options) -> Result<bool, String> {
    workers::runtime()?.block_on(async {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let rows = options.rows(folder.path());
        let template = Template::in_memory().await;
        let outcome = run(&template, schedule, rows.clone()).await;
        println!("{schedule}");
        for (name, count) in outcome.tally.faults.iter().chain(&outcome.tally.paths) {
            println!("{count:>6}  {name}");
        }
        let Some(failure) = outcome.failure else {
            println!("nothing lost, nothing apart, nothing stuck");
            return Ok(true);
        };
        println!("FAILED: {failure}");
        let smallest = shrink(&template, schedule, failure.verdict, &rows).await;
        let again = tell(&template, &smallest, rows).await;
        println!("smallest schedule:\n\n# {}\n{smallest}", failure.verdict.word());
        for line in &again.told {
            println!("{line}");
        }
        if let Some(failure) = again.failure {
            println!("it ends: {failure}");
        }
        Ok(false)
    })
}
