//! `cargo xtask demo`: from a fresh clone to a running trial.

use crate::{project, setup};
use anyhow::{Context, Result};

/// Builds the `ward` binary and hands over to `ward demo` with the same arguments.
pub fn run(arguments: &[String]) -> Result<bool> {
    if !setup::run()? {
        return Ok(false);
    }
    if !project::root()?.join("target/debug/ward").exists() {
        println!("building Ward; the first time takes some minutes");
    }
    let mut command = project::cargo(&["run", "--package", "ward", "--bin", "ward", "--", "demo"])?;
    // A trial of twenty participants is computed while somebody waits: Ward's own code is optimised a little.
    command.args(arguments).env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    // The demo ends with a running server: from here on its signals and its exit code count, not ours.
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        Err(command.exec()).context("starting the demo")
    }
    #[cfg(not(unix))]
    {
        let status = command.status().context("starting the demo")?;
        Ok(status.success())
    }
}
