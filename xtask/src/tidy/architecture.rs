//! `ARCHITECTURE.md` fits one sitting and says for each crate what it must not know.

use super::Finding;
use super::manifests::crates;
use crate::limits::ARCHITECTURE_MAX_LINES;
use crate::source_tree::SourceTree;

const PAGE: &str = "ARCHITECTURE.md";

/// Length, and an `Invariant:` for each crate below `crates/`.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let Some(page) = tree.file(PAGE) else {
        return vec![Finding::new(PAGE, 0, "is missing: one picture, entry points, one paragraph a crate")];
    };
    let mut findings = Vec::new();
    let count = page.text.lines().count();
    if count > ARCHITECTURE_MAX_LINES {
        let message = format!("has {count} lines; at most {ARCHITECTURE_MAX_LINES}, so that it is read");
        findings.push(Finding::new(PAGE, count, message));
    }
    let names: Vec<String> = crates(tree)
        .into_iter()
        .filter(|krate| krate.path.starts_with("crates/"))
        .map(|krate| krate.name)
        .collect();
    let described = with_invariant(&page.text, &names);
    for name in names.iter().filter(|name| !described.contains(name)) {
        let message = format!("has no paragraph that begins with `{name}` and has a line `Invariant:`");
        findings.push(Finding::new(PAGE, 0, message));
    }
    findings
}

/// Crates whose paragraph, up to the next crate's, has an `Invariant:`.
fn with_invariant<'a>(text: &str, names: &'a [String]) -> Vec<&'a String> {
    let mut current = None;
    let mut described = Vec::new();
    for line in text.lines() {
        if let Some(name) = names.iter().find(|name| begins_with(line, name)) {
            current = Some(name);
        } else if line.starts_with('#') {
            current = None;
        }
        if line.contains("Invariant:") {
            described.extend(current);
        }
    }
    described
}

/// Whether a line starts with this name, after marks of headings, lists and emphasis.
fn begins_with(line: &str, name: &str) -> bool {
    line.trim_start_matches(['#', '-', '*', '`', '|', ' ', '['])
        .strip_prefix(name)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    const MANIFEST: &str = "[package]\nname = \"ward-id\"\n";

    #[test]
    fn a_crate_without_an_invariant_is_named() {
        let page = "# Ward\n### `ward-id-more`\nInvariant: it is another crate.\n### `ward-id`\nTyped ids.\n";
        let tree = SourceTree::of(&[(PAGE, page), ("crates/core/ward-id/Cargo.toml", MANIFEST)]);
        let findings = messages(&check(&tree));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("`ward-id`"), "{findings:?}");

        let page = "# Ward\n- **`ward-id`** has typed ids.\n  **Invariant:** knows no keys.\n";
        let tree = SourceTree::of(&[(PAGE, page), ("crates/core/ward-id/Cargo.toml", MANIFEST)]);
        assert!(check(&tree).is_empty());
    }

    #[test]
    fn a_page_that_is_missing_or_too_long_is_found() {
        assert_eq!(check(&SourceTree::default()).len(), 1);
        let at_the_limit = "x\n".repeat(ARCHITECTURE_MAX_LINES);
        assert!(check(&SourceTree::of(&[(PAGE, &at_the_limit)])).is_empty());
        let over = "x\n".repeat(ARCHITECTURE_MAX_LINES + 1);
        assert_eq!(check(&SourceTree::of(&[(PAGE, &over)])).len(), 1);
    }
}
