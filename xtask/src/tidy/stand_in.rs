//! The simulator's stand-in for signatures is chosen in `hazmat` only, and nothing but
//! `cargo xtask sim` asks the compiler for it.

use super::Finding;
use crate::source_tree::SourceTree;

/// Written in parts, so that this file does not contain what it looks for.
const FLAG: &str = concat!("ward_", "stand_in");

/// Files that may name the flag, with what they do with it.
const NAMED: [&str; 5] = [
    // Says that the compiler knows it.
    "Cargo.toml",
    // Refuses it.
    "crates/ward/src/main.rs",
    // Says in the tally which signatures there were.
    "crates/ward-testkit/examples/sim/tally_file.rs",
    // Asks for it.
    "xtask/src/sim.rs",
    "docs/simulator.md",
];

/// The line without which a release could be built with the stand-in.
const REFUSAL: &str = concat!("#[cfg(ward_", "stand_in)]\ncompile_error!(");

/// Whether a path is one of the raw algorithms.
fn is_hazmat(path: &str) -> bool {
    path.ends_with("/src/hazmat.rs") || path.contains("/src/hazmat/")
}

/// Nothing names the flag that has no business with it, and the command refuses it.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !is_hazmat(&file.path) && !NAMED.contains(&&*file.path)) {
        for (index, _) in file.text.lines().enumerate().filter(|(_, line)| line.contains(FLAG)) {
            let message = format!("only hazmat may branch on {FLAG}, and only xtask sim may set it");
            findings.push(Finding::new(&file.path, index + 1, message));
        }
    }
    let refuses = tree.file("crates/ward/src/main.rs").is_none_or(|file| file.text.contains(REFUSAL));
    if !refuses {
        findings.push(Finding::new(
            "crates/ward/src/main.rs",
            0,
            format!("{FLAG} must be a compile error here"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    #[test]
    fn the_flag_is_named_where_it_belongs() {
        let line = format!("#[cfg({FLAG})]\nmod x;\n");
        let tree = SourceTree::of(&[
            ("crates/core/a/src/hazmat.rs", line.as_str()),
            ("crates/core/a/src/hazmat/b.rs", line.as_str()),
            ("crates/core/a/src/safe.rs", line.as_str()),
            ("crates/ward/src/main.rs", "fn main() {}\n"),
            (".cargo/config.toml", line.as_str()),
        ]);
        let found = messages(&check(&tree));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("crates/core/a/src/safe.rs:1")), "{found:?}");
        assert!(found.iter().any(|one| one.starts_with(".cargo/config.toml:1")), "{found:?}");
        assert!(found.iter().any(|one| one.starts_with("crates/ward/src/main.rs:0")), "{found:?}");
        let refusing = format!("{REFUSAL}\"no\");\nfn main() {{}}\n");
        assert!(check(&SourceTree::of(&[("crates/ward/src/main.rs", refusing.as_str())])).is_empty());
    }
}
