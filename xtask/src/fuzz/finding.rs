//! An input that fails: made as small as it goes, named after what it broke, kept with the project.

use super::Folders;
use super::engine::Engine;
use crate::limits::{FUZZ_KEPT_MAX_BYTES, FUZZ_MINIMISE_SECONDS};
use crate::process;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Words of a message that stand in a name.
const WORDS_IN_NAME: usize = 8;
/// Digits of the hash that the fuzzer names the input by.
const DIGITS_IN_NAME: usize = 8;

/// Keeps an input; gives where.
pub fn keep(engine: &Engine, folders: &Folders, artifact: &Path, message: Option<&str>) -> Result<PathBuf> {
    let file =
        artifact.file_name().and_then(|name| name.to_str()).context("the failing input has no name")?;
    let smallest = minimised(engine, folders, artifact, file)?;
    let size_bytes = smallest.metadata().context("reading the failing input")?.len();
    if size_bytes > FUZZ_KEPT_MAX_BYTES {
        bail!(
            "the failing input has {size_bytes} bytes, more than the {FUZZ_KEPT_MAX_BYTES} that are kept; it lies in {}",
            smallest.display()
        );
    }
    let kept = folders.kept.join(name(file, message));
    std::fs::copy(&smallest, &kept).with_context(|| format!("keeping {}", kept.display()))?;
    Ok(kept)
}

/// A smaller input that fails too. What needs much time or memory is kept as it is: making it smaller
/// would take as long again for each try.
fn minimised(engine: &Engine, folders: &Folders, artifact: &Path, file: &str) -> Result<PathBuf> {
    if !file.starts_with("crash-") {
        return Ok(artifact.to_path_buf());
    }
    let smaller = folders.crashes.join(format!("smaller-{file}"));
    let mut command = engine.command(&folders.target);
    command
        .arg("-minimize_crash=1")
        .arg(format!("-max_total_time={FUZZ_MINIMISE_SECONDS}"))
        .arg(format!("-exact_artifact_path={}", smaller.display()))
        .arg(artifact);
    println!("making the failing input smaller, for at most {FUZZ_MINIMISE_SECONDS} seconds");
    process::works(&mut command);
    // Without a smaller one there is no such file, and what no longer fails is not what was found.
    let fails = |input: &Path| !process::works(engine.command(&folders.target).arg(input));
    Ok(if smaller.is_file() && fails(&smaller) { smaller } else { artifact.to_path_buf() })
}

/// `crash-aea2e392...` with a message becomes `accepted_bytes_are_the_one_spelling_aea2e392.input`.
fn name(file: &str, message: Option<&str>) -> String {
    let (kind, hash) = file.split_once('-').unwrap_or(("input", file));
    let said: Vec<String> = message
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS_IN_NAME)
        .map(str::to_ascii_lowercase)
        .collect();
    let said = if said.is_empty() { kind.to_owned() } else { said.join("_") };
    let digits: String = hash.chars().filter(char::is_ascii_hexdigit).take(DIGITS_IN_NAME).collect();
    format!("{said}_{digits}.input")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_named_after_what_it_broke() {
        let hash = "crash-aea2e3923af219a8956f626558ef32f30a914ebc";
        assert_eq!(name(hash, None), "crash_aea2e392.input");
        assert_eq!(
            name(hash, Some("assertion failed: a text/<of> any \u{e4} kind, however long that may be")),
            "assertion_failed_a_text_of_any_kind_however_aea2e392.input"
        );
        assert_eq!(
            name("timeout-0011", Some("timeout after 20 seconds")),
            "timeout_after_20_seconds_0011.input"
        );
    }
}
