//! `cargo xtask kill-loop N`: the server is killed N times in the middle of its work.

use crate::{process, project};
use anyhow::{Context, Result};

/// How often the test kills the server.
const VARIABLE: &str = "WARD_KILL_LOOPS";

/// Runs the kill loop of `ward-server` with N rounds.
pub fn run(rounds: Option<&str>) -> Result<bool> {
    let rounds = rounds
        .and_then(|rounds| rounds.parse::<u32>().ok())
        .filter(|rounds| *rounds > 0)
        .context("say how often, for example: cargo xtask kill-loop 200")?;
    let arguments = ["test", "--package", "ward-server", "--test", "kill_loop", "--", "--nocapture"];
    process::run(project::cargo(&arguments)?.env(VARIABLE, rounds.to_string()))
}
