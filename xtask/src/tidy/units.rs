//! Units stand last in names, each with one spelling.

use super::Finding;
use crate::rust_view::is_word;
use crate::source_tree::SourceTree;

/// Spellings that are not used, and the one that is.
const UNITS: [(&str, &str); 14] = [
    ("_millis", "_ms"),
    ("_milliseconds", "_ms"),
    ("_msec", "_ms"),
    ("_msecs", "_ms"),
    ("_sec", "_s"),
    ("_secs", "_s"),
    ("_seconds", "_s"),
    ("_micros", "_us"),
    ("_microseconds", "_us"),
    ("_usec", "_us"),
    ("_nanos", "_ns"),
    ("_nanoseconds", "_ns"),
    ("_minutes", "_min"),
    ("_mins", "_min"),
];

/// Public functions, fields and constants.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, number, line) in tree.shipped_lines(&["crates/"]) {
        let Some(name) = public_name(&line.code) else { continue };
        let lower = name.to_ascii_lowercase();
        if let Some((long, short)) = UNITS.iter().find(|(long, _)| lower.ends_with(long)) {
            let message = format!("{name}: write the unit as `{short}`, not `{long}`");
            findings.push(Finding::new(&file.path, number, message));
        }
    }
    findings
}

/// The name that a line makes public: of a function, a constant or a field.
fn public_name(code: &str) -> Option<&str> {
    let rest = code.trim_start().strip_prefix("pub")?;
    let mut rest = match rest.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1,
        None => rest.strip_prefix(' ')?,
    }
    .trim_start();
    let is_function = rest.contains("fn ");
    for qualifier in ["const ", "async ", "unsafe ", "fn ", "static ", "mut "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest);
    }
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (name, after) = (rest.get(..end)?, rest.get(end..)?);
    let is_field_or_constant = after.starts_with(':') && !after.starts_with("::");
    (is_function || is_field_or_constant).then_some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&SourceTree::of(&[("crates/a/src/x.rs", text)])).len()
    }

    #[test]
    fn other_spellings_of_units_are_found() {
        assert_eq!(count("pub fn timeout_millis() -> u64 {\n"), 1);
        assert_eq!(count("pub const fn age_secs(self) -> u64 {\n"), 1);
        assert_eq!(count("    pub(crate) wait_seconds: u64,\n"), 1);
        assert_eq!(count("pub const TOKEN_LIFE_MINUTES: u64 = 5;\n"), 1);
    }

    #[test]
    fn the_one_spelling_and_private_names_are_accepted() {
        assert_eq!(count("pub fn timeout_ms() {}\npub wait_s: u64,\npub const LIFE_MIN: u64 = 5;\n"), 0);
        assert_eq!(count("let as_secs = x.as_secs();\nfn old_millis() {}\npub use x::y_secs;\n"), 0);
    }
}
