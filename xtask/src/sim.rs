//! `cargo xtask sim`: schedules of the simulator, with signatures and key wrapping replaced by keyed
//! hashes unless the real ones are asked for.
//!
//! The replacement is a flag of the compiler, never a feature: features of a crate add up, and a
//! release could get one by accident. Cargo gives workspace crates, and them alone, to a program that
//! stands in for the compiler; here that program is this one, which adds the flag. Dependencies are
//! shared with every other build.

use crate::{kill_loop, process, project};
use anyhow::{Context, Result};
use std::process::Command;

/// The compiler flag of the stand-in. Whoever compiles the `ward` command with it gets an error.
const FLAG: &str = "ward_stand_in";
/// Set for the time of a build with the stand-in: this program then stands in for the compiler.
const WRAPPING: &str = "WARD_WRAPS_THE_COMPILER";
/// The simulator is built for speed: it runs for longer than that takes.
const OPTIMISE: (&str, &str) = ("CARGO_PROFILE_DEV_OPT_LEVEL", "3");
/// Kills of the real server process when none other are asked for.
const KILLS: &str = "20";

/// Schedules that the build server runs with the stand-in.
const CI_STAND_IN: &str = "1..2001";
/// Schedules that it runs with the real algorithms.
const CI_REAL: &str = "1..201";

/// How signatures are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signatures {
    StandIn,
    Real,
}

/// Runs what the words ask for; those that are not about building go to the simulator.
pub fn run(words: &[String]) -> Result<bool> {
    if words.iter().any(|word| word == "--process") {
        return kill_loop::run(Some(KILLS));
    }
    let real = words.iter().any(|word| word == "--real");
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--real").collect();
    simulate(if real { Signatures::Real } else { Signatures::StandIn }, &words)
}

/// The schedules of the build server, with the stand-in.
pub fn few_with_stand_in() -> Result<bool> {
    simulate(Signatures::StandIn, &["--seeds", CI_STAND_IN])
}

/// The schedules of the build server, with the real algorithms.
pub fn few_with_real_signatures() -> Result<bool> {
    simulate(Signatures::Real, &["--seeds", CI_REAL])
}

/// Builds what the build server runs.
pub fn build() -> Result<bool> {
    let build = |signatures| process::run(&mut cargo("build", signatures)?);
    Ok(build(Signatures::StandIn)? && build(Signatures::Real)?)
}

fn simulate(signatures: Signatures, words: &[&str]) -> Result<bool> {
    let mut command = cargo("run", signatures)?;
    command.arg("--quiet").arg("--").args(words).env("WARD_SIM_REVISION", revision()?);
    process::run(&mut command)
}

fn cargo(what: &str, signatures: Signatures) -> Result<Command> {
    let mut command = project::cargo(&[what, "--package", "ward-testkit", "--example", "sim"])?;
    command.env(OPTIMISE.0, OPTIMISE.1);
    if signatures == Signatures::StandIn {
        let this = std::env::current_exe().context("finding this program")?;
        command.env("RUSTC_WORKSPACE_WRAPPER", this).env(WRAPPING, "1");
    }
    Ok(command)
}

/// The commit that the project stands at, and whether it was changed since.
pub fn revision() -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(project::root()?).args(["describe", "--always", "--dirty"]);
    Ok(process::output(&mut git)?.trim().to_owned())
}

/// Whether this program was started in place of the compiler.
pub fn wraps_the_compiler() -> bool {
    std::env::var_os(WRAPPING).is_some()
}

/// Starts the compiler with the flag of the stand-in. The first argument is the compiler.
pub fn wrap_the_compiler() -> Result<bool> {
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next().context("cargo names the compiler first")?;
    let mut command = Command::new(compiler);
    command.args(arguments).args(["--cfg", FLAG]).env_remove(WRAPPING);
    process::run(&mut command)
}
