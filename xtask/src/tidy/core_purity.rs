//! Core and guard crates have no I/O, no clock, no environment and no randomness of their own.

use super::Finding;
use super::manifests::{crates, tables_of};
use crate::rust_view::has_word;
use crate::source_tree::{SourceFile, SourceTree, file_name};

const FOLDERS: [&str; 2] = ["crates/core/", "crates/guard/"];

/// Words that core code must not name, and what to take instead.
const FORBIDDEN: [(&str, &str); 16] = [
    ("tokio", "core is sans-I/O: the caller owns the run-time"),
    ("sqlx", "storage is a trait"),
    ("rusqlite", "storage is a trait"),
    ("axum", "transport is a trait"),
    ("hyper", "transport is a trait"),
    ("SystemTime", "time is an argument"),
    ("std::time::Instant", "time is an argument"),
    ("std::fs", "storage is a trait"),
    ("std::net", "transport is a trait"),
    ("std::env", "settings are arguments"),
    ("std::process", "settings are arguments"),
    ("std::thread", "the caller owns threads"),
    ("thread_rng", "randomness is a trait"),
    ("OsRng", "randomness is a trait"),
    ("SysRng", "randomness is a trait"),
    ("getrandom", "randomness is a trait"),
];

/// Modules and types of `std` that are also caught inside `use std::{...}`. `SystemTime` is
/// forbidden everywhere; `Instant` is a word of others too, so it counts where it comes from `std`.
const FORBIDDEN_MODULES: [&str; 6] = ["fs", "net", "env", "process", "thread", "Instant"];

const FORBIDDEN_PACKAGES: [&str; 8] =
    ["tokio", "sqlx", "rusqlite", "axum", "hyper", "rustls", "tower", "rand"];

/// Shipped code of core and guard names nothing that touches the world.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut grouped = false;
    // A build script runs where Ward is built, and is not part of it.
    let is_shipped = |file: &SourceFile| file_name(&file.path) != "build.rs";
    for (file, number, line) in tree.shipped_lines(&FOLDERS).filter(|(file, ..)| is_shipped(file)) {
        for (word, why) in FORBIDDEN {
            if has_word(&line.code, word) {
                findings.push(Finding::new(&file.path, number, format!("core must not name {word}: {why}")));
            }
        }
        grouped |= ["use std::{", "use std::time::{", "use core::time::{"]
            .iter()
            .any(|beginning| line.code.contains(beginning));
        if grouped {
            for module in FORBIDDEN_MODULES.iter().filter(|module| has_word(&line.code, module)) {
                let message = format!("core must not use std::{module}");
                findings.push(Finding::new(&file.path, number, message));
            }
        }
        grouped &= !line.code.contains(';');
    }
    for krate in
        crates(tree).iter().filter(|krate| FOLDERS.iter().any(|folder| krate.path.starts_with(folder)))
    {
        for name in tables_of(&krate.manifest, "dependencies").flat_map(|table| table.keys()) {
            if FORBIDDEN_PACKAGES.contains(&name.as_str()) {
                findings.push(Finding::new(&krate.path, 0, format!("core must not depend on {name}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&SourceTree::of(&[(path, text)])).len()
    }

    #[test]
    fn each_forbidden_word_is_found() {
        for (word, _) in FORBIDDEN {
            assert_eq!(count("crates/core/a/src/x.rs", &format!("use {word}::x;\n")), 1, "{word}");
        }
        assert_eq!(count("crates/guard/a/src/x.rs", "use std::{\n    fmt,\n    fs,\n};\nfn env() {}\n"), 1);
        for grouped in [
            "use std::time::{Duration, Instant};\n",
            "use std::{\n    fmt,\n    time::{Duration, Instant},\n};\n",
            "use std::time::{\n    Duration,\n    SystemTime,\n};\n",
        ] {
            assert_eq!(count("crates/core/a/src/x.rs", grouped), 1, "{grouped}");
        }
        assert_eq!(count("crates/core/a/src/x.rs", "use std::time::Duration;\nenum Moment { Instant }\n"), 0);
    }

    #[test]
    fn tests_comments_texts_and_other_folders_are_free() {
        assert_eq!(count("crates/core/a/src/x.rs", "// tokio\nlet a = \"std::fs\";\n"), 0);
        assert_eq!(count("crates/core/a/src/x.rs", "#[cfg(test)]\nmod tests { use std::fs; }\n"), 0);
        assert_eq!(count("crates/core/a/tests/x.rs", "use std::fs;\n"), 0);
        assert_eq!(count("crates/server/a/src/x.rs", "use tokio::net;\n"), 0);
        assert_eq!(count("crates/core/a/build.rs", "use std::fs;\n"), 0);
    }

    #[test]
    fn packages_are_found_in_the_manifest() {
        let manifest = "[package]\nname = \"a\"\n[dependencies]\ntokio.workspace = true\n";
        assert_eq!(count("crates/core/a/Cargo.toml", manifest), 1);
        let for_tests = "[package]\nname = \"a\"\n[dev-dependencies]\ntokio.workspace = true\n";
        assert_eq!(count("crates/core/a/Cargo.toml", for_tests), 0);
    }
}
