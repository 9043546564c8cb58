//! Inputs that once broke something, or were written to: each is given to its target in a small stack.

use std::fs;
use std::path::{Path, PathBuf};
use ward_fuzz::limits::WORD_MAX_BYTES;
use ward_fuzz::{TARGETS, target};

/// No more than a thread in a browser has.
const STACK_BYTES: usize = 1024 * 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz")
}

/// Runs something in a small stack; what it said when it panicked.
fn in_a_small_stack(work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap();
    thread.join().map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    })
}

#[test]
fn kept_inputs_hold() {
    let mut failed = Vec::new();
    for target in TARGETS {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder().join(target.name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} keeps at least one input", target.name);
        for file in files {
            let input = fs::read(&file).unwrap();
            if let Err(said) = in_a_small_stack(move || (target.run)(&input)) {
                failed.push(format!("{}: {said}", file.display()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_folder_is_one_of_a_target() {
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(target(&name).is_some(), "testdata/fuzz/{name} belongs to no target");
        }
    }
}

#[test]
fn every_word_is_short_enough_for_the_fuzzer() {
    for target in TARGETS {
        let long: Vec<_> = target.words.iter().filter(|word| word.len() > WORD_MAX_BYTES).collect();
        assert!(long.is_empty(), "{}: {long:?}", target.name);
    }
}

#[test]
fn the_small_stack_is_one() {
    let said = in_a_small_stack(|| panic!("said"));
    assert_eq!(said, Err("said".to_owned()));
}
