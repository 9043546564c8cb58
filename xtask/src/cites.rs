//! `cargo xtask cites`: clause -> code -> test.
//!
//! A rule of a specification or a law is cited beside the code that meets it. This prints
//! them turned round: for each clause the code that cites it and the tests that cite it.

use crate::limits::CITED_ITEM_MAX_DISTANCE_LINES;
use crate::project;
use crate::rust_view::{RustView, is_word};
use crate::source_tree::SourceTree;
use anyhow::Result;
use std::collections::BTreeMap;

/// Where a clause is cited.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    code: Vec<String>,
    tests: Vec<String>,
}

/// Prints every clause with the code and the tests that cite it.
pub fn run() -> Result<bool> {
    let clauses = collect(&project::source_tree()?);
    for line in report(&clauses) {
        println!("{line}");
    }
    Ok(true)
}

fn collect(tree: &SourceTree) -> BTreeMap<String, Places> {
    let mut clauses: BTreeMap<String, Places> = BTreeMap::new();
    for (file, number, line) in tree.rust_lines(&["crates/"]) {
        for clause in citations(&line.comment) {
            // `//!` speaks of the whole file.
            let rust = file.rust.as_ref().filter(|_| !line.comment.starts_with('!'));
            let item = rust.and_then(|rust| item_near(rust, number)).unwrap_or_default();
            let place = format!("{}:{number}  {item}", file.path).trim_end().to_owned();
            let places = clauses.entry(clause).or_default();
            if file.is_test || line.is_test {
                places.tests.push(place);
            } else {
                places.code.push(place);
            }
        }
    }
    clauses
}

fn report(clauses: &BTreeMap<String, Places>) -> Vec<String> {
    let mut lines = Vec::new();
    for (clause, places) in clauses {
        lines.push(clause.clone());
        lines.extend(places.code.iter().map(|place| format!("  code  {place}")));
        lines.extend(places.tests.iter().map(|place| format!("  test  {place}")));
    }
    let tested = clauses.values().filter(|places| !places.tests.is_empty()).count();
    lines.push(format!("{} clauses, {tested} of them cited by a test", clauses.len()));
    lines
}

/// The clauses that a comment cites: `RFC 9180 §5.1`, `21 CFR 11.10(e)`, `C2SP tlog-tiles`,
/// `FIPS 204 §5.2`, `NIST SP 800-38D §8`.
pub fn citations(comment: &str) -> Vec<String> {
    let words: Vec<&str> = comment.split_whitespace().map(bare).collect();
    let word = |i: usize| words.get(i).copied().unwrap_or_default();
    let mut found = Vec::new();
    for i in 0..words.len() {
        let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let (clause, end) = match (word(i), word(i + 1), word(i + 2)) {
            ("RFC", number, _) if is_number(number) => (format!("RFC {number}"), i + 2),
            ("FIPS", number, _) if starts_with_digit(number) => (format!("FIPS {number}"), i + 2),
            ("NIST", "SP", number) if starts_with_digit(number) => (format!("NIST SP {number}"), i + 3),
            ("C2SP", name, _) if name.contains('-') => (format!("C2SP {name}"), i + 2),
            (title, "CFR", clause) if is_number(title) && starts_with_digit(clause) => {
                found.push(format!("{title} CFR {clause}"));
                continue;
            }
            _ => continue,
        };
        match word(end) {
            section if section.starts_with('§') => found.push(format!("{clause} {section}")),
            appendix @ ("Appendix" | "Annex") => found.push(format!("{clause} {appendix} {}", word(end + 1))),
            _ => found.push(clause),
        }
    }
    found
}

/// A word without the punctuation around it; closing brackets stay if they were opened in it.
fn bare(word: &str) -> &str {
    let mut word = word.trim_start_matches(['(', '[', '"', '`', '*', '<']);
    loop {
        let shorter = word.trim_end_matches([',', ';', '.', ':', '"', '`', '*', ']', '>']);
        let unopened = shorter.ends_with(')') && shorter.matches(')').count() > shorter.matches('(').count();
        let shorter = if unopened { shorter.strip_suffix(')').unwrap_or(shorter) } else { shorter };
        if shorter == word {
            return word;
        }
        word = shorter;
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The item that a comment stands above, or else inside of.
fn item_near(rust: &RustView, number: usize) -> Option<String> {
    let after = rust.lines.iter().skip(number - 1).take(CITED_ITEM_MAX_DISTANCE_LINES);
    let is_attribute_or_blank = |code: &str| code.trim().is_empty() || code.trim_start().starts_with("#[");
    let below =
        after.clone().find(|line| !is_attribute_or_blank(&line.code)).and_then(|line| item_name(&line.code));
    below.or_else(|| rust.lines.iter().take(number).rev().find_map(|line| item_name(&line.code)))
}

fn item_name(code: &str) -> Option<String> {
    let mut words = code.split(|c: char| !is_word(c)).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if matches!(word, "fn" | "struct" | "enum" | "trait" | "const" | "mod" | "type") {
            let name = words.next()?;
            // `const fn name`
            return if name == "fn" { words.next().map(Into::into) } else { Some(name.to_owned()) };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_read_from_comments() {
        assert_eq!(citations(" RFC 9180 §5.1, then RFC 6962."), ["RFC 9180 §5.1", "RFC 6962"]);
        assert_eq!(
            citations("(21 CFR 11.10(e)) and 45 CFR 164.312(a)(2)(iv)."),
            ["21 CFR 11.10(e)", "45 CFR 164.312(a)(2)(iv)"]
        );
        assert_eq!(
            citations("C2SP tlog-tiles; FIPS 204 §5.2; NIST SP 800-38D §8"),
            ["C2SP tlog-tiles", "FIPS 204 §5.2", "NIST SP 800-38D §8"]
        );
        assert_eq!(citations("RFC 8032 Appendix A"), ["RFC 8032 Appendix A"]);
        assert!(citations("an RFC says so").is_empty());
    }

    #[test]
    fn clauses_lead_to_code_and_tests() {
        let tree = SourceTree::of(&[(
            "crates/a/src/lib.rs",
            "// RFC 9180 §5.1\n#[must_use]\npub fn seal() {\n    // C2SP tlog-tiles\n    x();\n}\n#[cfg(test)]\nmod tests {\n    // RFC 9180 §5.1\n    fn sealed() {}\n}\n",
        )]);
        let clauses = collect(&tree);
        assert_eq!(clauses["RFC 9180 §5.1"].code, ["crates/a/src/lib.rs:1  seal"]);
        assert_eq!(clauses["RFC 9180 §5.1"].tests, ["crates/a/src/lib.rs:9  sealed"]);
        assert_eq!(clauses["C2SP tlog-tiles"].code, ["crates/a/src/lib.rs:4  seal"]);
        assert_eq!(report(&clauses).last().unwrap(), "2 clauses, 1 of them cited by a test");
    }
}
