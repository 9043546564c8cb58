//! A file has one subject and a name that says it.

use super::Finding;
use crate::limits::SOURCE_FILE_MAX_LINES;
use crate::source_tree::{SourceTree, file_name};

const DRAWERS: [&str; 10] =
    ["util", "utils", "helper", "helpers", "misc", "common", "manager", "managers", "shared", "stuff"];
const SOURCE_ENDINGS: [&str; 8] = [".rs", ".ts", ".js", ".svelte", ".sh", ".sql", ".py", ".css"];

/// File and folder names that say nothing, and files with two subjects.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_source = SOURCE_ENDINGS.iter().any(|ending| file.path.ends_with(ending));
        if !is_source {
            continue;
        }
        if let Some(drawer) = file.path.split('/').find_map(drawer_in) {
            let message =
                format!("{drawer:?} is a drawer, not a subject: name the file after what it is about");
            findings.push(Finding::new(&file.path, 0, message));
        }
        let count = file.text.lines().count();
        if count > SOURCE_FILE_MAX_LINES {
            let message =
                format!("has {count} lines; beyond {SOURCE_FILE_MAX_LINES} it has two subjects: split it");
            findings.push(Finding::new(&file.path, count, message));
        }
    }
    findings
}

/// The drawer that a part of a path is named after: `utils`, `test_helpers.rs`, ...
fn drawer_in(part: &str) -> Option<&'static str> {
    let stem = file_name(part).split('.').next().unwrap_or(part);
    let mut words = stem.split(['_', '-']);
    words.find_map(|word| DRAWERS.iter().find(|drawer| **drawer == word).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawers_are_found() {
        for path in [
            "crates/a/src/utils.rs",
            "crates/a/src/http_helpers.rs",
            "web/common/x.ts",
            "crates/a/src/key_manager.rs",
        ] {
            assert_eq!(check(&SourceTree::of(&[(path, "")])).len(), 1, "{path}");
        }
        for path in ["crates/a/src/commons.rs", "crates/a/src/receipt.rs", "docs/common.md"] {
            assert!(check(&SourceTree::of(&[(path, "")])).is_empty(), "{path}");
        }
    }

    #[test]
    fn files_are_at_most_so_long() {
        let text = |count| "\n".repeat(count);
        let find = |count| check(&SourceTree::of(&[("crates/a/src/x.rs", &text(count))])).len();
        assert_eq!(find(SOURCE_FILE_MAX_LINES), 0);
        assert_eq!(find(SOURCE_FILE_MAX_LINES + 1), 1);
    }
}
