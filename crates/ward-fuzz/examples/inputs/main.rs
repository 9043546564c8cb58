//! What `cargo xtask fuzz` needs to know of the targets: their names, inputs to begin with, and what one
//! input does.
//!
//! - `list` prints a line for each target: name, tab, what it asserts.
//! - `seeds TARGET FOLDER` writes inputs to begin with into an empty folder, and words into `FOLDER.words`.
//! - `replay TARGET FILE` gives one input to its target.
#![expect(clippy::print_stdout, reason = "a command line tool prints")]

mod seeds;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use ward_fuzz::{TARGETS, Target};

/// The environment variable that names the folder of files that Ward did not write.
const CORPORA: &str = "WARD_CORPORA";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["list"] => TARGETS.iter().for_each(|target| println!("{}\t{}", target.name, target.about)),
        ["seeds", name, folder] => write_seeds(target(name)?, Path::new(folder))?,
        ["replay", name, file] => {
            let input = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
            (target(name)?.run)(&input);
            println!("{name} holds for the {} bytes of {file}", input.len());
        }
        _ => return Err("list | seeds TARGET FOLDER | replay TARGET FILE".into()),
    }
    Ok(())
}

fn target(name: &str) -> Result<&'static Target, String> {
    ward_fuzz::target(name).ok_or_else(|| format!("there is no target {name}"))
}

fn write_seeds(target: &Target, folder: &Path) -> Result<(), Box<dyn Error>> {
    if folder.is_dir() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let corpora = std::env::var_os(CORPORA).filter(|value| !value.is_empty()).map(PathBuf::from);
    let seeds = seeds::of(target.name, corpora.as_deref())?;
    println!("{}: {} inputs to begin with", target.name, seeds.len());
    for (place, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("{place:05}")), seed)?;
    }
    let lines: Vec<String> = target.words.iter().map(|word| format!("\"{}\"", escaped(word))).collect();
    fs::write(folder.with_extension("words"), lines.join("\n") + "\n")?;
    Ok(())
}

/// A word as the fuzzer's dictionaries are written.
fn escaped(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' => format!("\\{}", char::from(byte)),
            b' '..=b'~' => char::from(byte).to_string(),
            other => format!("\\x{other:02X}"),
        })
        .collect()
}
