//! cargo-deny: licences, sources and bans always; advisories where their database is at hand.

use crate::limits::{ADVISORY_DB_FOLDER, CARGO_DENY_VERSION};
use crate::steps::StepResult;
use crate::{process, project, setup};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Puts cargo-deny into the project's own `target/tools` unless the machine has one.
///
/// Without optimisation: measured on two cores, 1.2 minutes to build instead of 3.1, and
/// it answers in about the same time.
pub fn install() -> Result<bool> {
    if setup::is_program("cargo-deny") || own_program()?.is_file() {
        return Ok(true);
    }
    println!("building cargo-deny {CARGO_DENY_VERSION} into target/tools (a minute or two, once)");
    let root = project::root()?.join("target/tools");
    let mut command = project::cargo(&["install", "cargo-deny", "--locked", "--debug", "--quiet"])?;
    process::run(command.args(["--version", CARGO_DENY_VERSION, "--root"]).arg(root))
}

/// Why no advisory was looked at, as the step's result says it.
const ADVISORIES_SKIPPED: &str =
    "advisories SKIPPED: their database is not here; set CARGO_DENY_DB to a copy of the RustSec database";

/// Checks licences, sources and bans, then advisories if their database is at hand. What was not
/// looked at is named in the result.
pub fn check() -> Result<StepResult> {
    let rest = process::run(deny(&["check", "bans", "licenses", "sources"])?.current_dir(project::root()?))?;
    let advisories = match advisory_database()? {
        Some(folder) => Some(check_advisories(folder)?),
        None => None,
    };
    Ok(result(rest, advisories))
}

/// `cargo xtask deny`.
pub fn command() -> Result<bool> {
    if !install()? {
        return Ok(false);
    }
    let StepResult { ok, skipped, .. } = check()?;
    if let Some(skipped) = skipped {
        println!("{skipped}");
    }
    Ok(ok)
}

fn result(rest: bool, advisories: Option<bool>) -> StepResult {
    let skipped = advisories.is_none().then_some(ADVISORIES_SKIPPED);
    StepResult { skipped, ..StepResult::from(rest && advisories.unwrap_or(true)) }
}

fn check_advisories(folder: PathBuf) -> Result<bool> {
    let root = project::root()?;
    let config = root.join("target/deny-advisories.toml");
    let text = std::fs::read_to_string(root.join("deny.toml")).context("reading deny.toml")?;
    std::fs::write(&config, with_database(&text, &folder)).context("writing target/deny-advisories.toml")?;
    let mut command = deny(&["--offline", "check", "--config"])?;
    process::run(command.arg(config).arg("advisories").current_dir(root))
}

fn deny(arguments: &[&str]) -> Result<Command> {
    let own = own_program()?;
    let program = if own.is_file() { own } else { PathBuf::from("cargo-deny") };
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

fn own_program() -> Result<PathBuf> {
    Ok(project::root()?.join("target/tools/bin/cargo-deny"))
}

/// The folder in which cargo-deny finds its database, if there is one.
fn advisory_database() -> Result<Option<PathBuf>> {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME")?;
        Some(PathBuf::from(home).join(".cargo"))
    });
    let mut places: Vec<PathBuf> = std::env::var_os("CARGO_DENY_DB").map(PathBuf::from).into_iter().collect();
    places.extend(cargo_home.iter().flat_map(|home| [home.join("advisory-db"), home.join("advisory-dbs")]));
    for place in places {
        if place.join(ADVISORY_DB_FOLDER).is_dir() {
            return Ok(Some(place));
        }
        if place.join("crates").is_dir() {
            return linked(&place).map(Some);
        }
    }
    Ok(None)
}

/// A bare clone of the database, under the name by which cargo-deny looks for it.
fn linked(clone: &Path) -> Result<PathBuf> {
    let folder = project::root()?.join("target/advisory-dbs");
    std::fs::create_dir_all(&folder).context("making target/advisory-dbs")?;
    let link = folder.join(ADVISORY_DB_FOLDER);
    if !link.exists() {
        #[cfg(unix)]
        std::os::unix::fs::symlink(clone, &link).context("linking the advisory database")?;
    }
    Ok(folder)
}

/// The configuration with the place of the database added to its `[advisories]`.
fn with_database(config: &str, folder: &Path) -> String {
    let place = format!("[advisories]\ndb-path = {:?}\n", folder.to_string_lossy());
    config.replacen("[advisories]\n", &place, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_looked_at_is_named_in_the_result() {
        assert_eq!(result(true, None).skipped, Some(ADVISORIES_SKIPPED));
        assert_eq!(result(true, Some(true)).skipped, None);
        assert!(!result(true, Some(false)).ok && !result(false, None).ok && result(true, None).ok);
    }

    #[test]
    fn the_database_is_named_in_its_table() {
        let config = with_database("[graph]\n\n[advisories]\nyanked = \"deny\"\n", Path::new("a/b"));
        assert_eq!(config, "[graph]\n\n[advisories]\ndb-path = \"a/b\"\nyanked = \"deny\"\n");
    }
}
