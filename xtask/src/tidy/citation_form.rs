//! Citations have the one form that `cargo xtask cites` reads.

use super::Finding;
use crate::source_tree::SourceTree;

/// `RFC 9180 §5.1`, `21 CFR 11.10(e)`, `C2SP tlog-tiles`.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, number, line) in tree.rust_lines(&["crates/"]) {
        if let Some(message) = fault(&line.comment) {
            findings.push(Finding::new(&file.path, number, message));
        }
    }
    findings
}

fn fault(comment: &str) -> Option<String> {
    let words: Vec<&str> =
        comment.split_whitespace().map(|word| word.trim_matches(['(', ',', ';', '`', '['])).collect();
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    for (i, word) in words.iter().enumerate() {
        let next = words.get(i + 1).copied().unwrap_or_default();
        let after = words.get(i + 2).copied().unwrap_or_default();
        let before = i.checked_sub(1).and_then(|before| words.get(before)).copied().unwrap_or_default();
        if word.strip_prefix("RFC").is_some_and(|rest| starts_with_digit(rest.trim_start_matches('-'))) {
            return Some(format!("{word}: write `RFC 9180 §5.1`, with a space"));
        }
        let is_section =
            |text: &str| ["section", "sec.", "sect."].contains(&text.to_ascii_lowercase().as_str());
        if *word == "RFC" && starts_with_digit(next) && is_section(after) {
            return Some(format!("RFC {next} {after}: write the section as `§5.1`"));
        }
        if *word == "§" {
            return Some("write the section as `§5.1`, without a space".to_owned());
        }
        let is_clause = |text: &str| starts_with_digit(text) || text.to_ascii_lowercase().starts_with("part");
        if *word == "CFR" && !(starts_with_digit(before) && is_clause(next)) {
            return Some("write a regulation as `21 CFR 11.10(e)`".to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_forms_are_found() {
        for comment in [
            "RFC9180 §5.1",
            "see RFC-9180",
            "RFC 9180 Section 5.1",
            "RFC 9180 § 5.1",
            "CFR 11.10",
            "45 CFR §164.312",
        ] {
            let text = format!("// {comment}\n");
            assert_eq!(check(&SourceTree::of(&[("crates/a/src/x.rs", &text)])).len(), 1, "{comment}");
        }
    }

    #[test]
    fn the_one_form_and_plain_words_are_accepted() {
        for comment in
            ["RFC 9180 §5.1", "(21 CFR 11.10(e))", "45 CFR Part 164", "C2SP tlog-tiles", "the RFC says"]
        {
            assert_eq!(fault(comment), None, "{comment}");
        }
    }
}
