//! `cargo xtask ci`: all tests, then the gates, then what it took.

use crate::steps::{Share, Steps};
use crate::{deny, process, project, secrets, setup, sim, tests_run};
use anyhow::{Result, bail};

/// Lints that tests may break: a test that panics is a test that fails.
const ALLOWED_IN_TESTS: [&str; 6] = [
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::indexing_slicing",
    "clippy::panic",
    "clippy::print_stdout",
    "clippy::print_stderr",
];

/// Runs everything. Each gate runs even if an earlier one failed.
pub fn run() -> Result<bool> {
    let mut steps = Steps::default();
    if !steps.run(Share::Tools, "setup", setup::run) {
        return Ok(steps.finish());
    }
    steps.run(Share::Tools, "cargo-deny", deny::install);
    let corpora = tests_run::run_all(&mut steps)?;
    if steps.run(Share::Compile, "compile the simulator", sim::build) {
        steps.run(Share::Tests, "simulator, stand-in signatures", sim::few_with_stand_in);
        steps.run(Share::Tests, "simulator, real signatures", sim::few_with_real_signatures);
    }
    steps.run(Share::Rest, "clippy", clippy);
    steps.run(Share::Rest, "clippy for tests", clippy_for_tests);
    steps.run(Share::Rest, "format", || cargo(&["fmt", "--all", "--check"]));
    steps.run(Share::Rest, "licences, sources, bans, advisories", deny::check);
    steps.run(Share::Rest, "secrets", secrets::check);
    steps.run(Share::Rest, "wasm", wasm);
    println!();
    corpora.print();
    println!();
    for line in steps.times().into_iter().chain(steps.budget()) {
        println!("{line}");
    }
    Ok(steps.finish())
}

fn cargo(arguments: &[&str]) -> Result<bool> {
    process::run(&mut project::cargo(arguments)?)
}

fn clippy() -> Result<bool> {
    cargo(&["clippy", "--workspace", "--lib", "--bins", "--examples", "--", "-D", "warnings"])
}

fn clippy_for_tests() -> Result<bool> {
    let mut arguments = vec!["clippy", "--workspace", "--tests", "--", "-D", "warnings"];
    arguments.extend(ALLOWED_IN_TESTS.iter().flat_map(|lint| ["-A", lint]));
    cargo(&arguments)
}

/// Core crates run in a browser too, so they have to build for it.
fn wasm() -> Result<bool> {
    let paths = project::paths()?;
    let crates = core_crates(&paths);
    if crates.is_empty() {
        bail!("there is no crate in crates/core");
    }
    let mut arguments = vec!["build", "--target", "wasm32-unknown-unknown", "--lib"];
    arguments.extend(crates.iter().flat_map(|name| ["--package", name]));
    cargo(&arguments)
}

fn core_crates(paths: &[String]) -> Vec<&str> {
    paths
        .iter()
        .filter_map(|path| path.strip_prefix("crates/core/").or_else(|| path.strip_prefix("crates/guard/")))
        .filter_map(|path| path.strip_suffix("/Cargo.toml"))
        .filter(|name| !name.contains('/'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_crates_are_found_by_their_folder() {
        let paths = [
            "crates/core/ward-id/Cargo.toml",
            "crates/server/ward-api/Cargo.toml",
            "crates/core/x/y/Cargo.toml",
        ]
        .map(String::from);
        assert_eq!(core_crates(&paths), ["ward-id"]);
    }
}
