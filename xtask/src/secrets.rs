//! The secret scan: keys and tokens that must not be in the project's files.
//!
//! `xtask/secret-scan-allow.txt` lists what may look like a secret, with the reason.

use crate::limits::{
    SECRET_HEX_MIN_BITS, SECRET_RUN_MIN_CHARS, SECRET_TOKEN_MIN_BITS, SECRET_TOKEN_MIN_CHARS,
};
use crate::project;
use crate::source_tree::SourceTree;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;

const ALLOW_FILE: &str = "xtask/secret-scan-allow.txt";

/// Beginnings of tokens that well-known services hand out, and how many characters follow.
/// They are written in two parts so that this file does not contain what it looks for.
const KNOWN_TOKENS: [(&str, &str, usize); 6] = [
    ("AK", "IA", 16),
    ("AS", "IA", 16),
    ("gh", "p_", 36),
    ("gh", "s_", 36),
    ("github_", "pat_", 40),
    ("xox", "b-", 20),
];

/// Something that looks like a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Suspect {
    path: String,
    line: usize,
    rule: &'static str,
    /// Its first characters; a report must not spread the rest.
    beginning: String,
}

/// One line of the allow file.
#[derive(Debug)]
struct Allowed {
    path: String,
    rule: String,
}

/// Scans all files and prints what it finds.
pub fn check() -> Result<bool> {
    let tree = project::source_tree()?;
    let allow = tree.file(ALLOW_FILE).map(|file| file.text.as_str()).unwrap_or_default();
    let suspects = scan(&tree, &parse_allow(allow)?);
    for suspect in &suspects {
        let Suspect { path, line, rule, beginning } = suspect;
        println!("{path}:{line}: {rule}: {beginning}...");
    }
    if suspects.is_empty() {
        println!("{} files, nothing that looks like a secret", tree.files.len());
    } else {
        println!("If one of these is no secret, say so and why in {ALLOW_FILE}; if it is one, revoke it.");
    }
    Ok(suspects.is_empty())
}

fn scan(tree: &SourceTree, allowed: &[Allowed]) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            let mut found = |rule, beginning: &str| {
                suspects.push(Suspect {
                    path: file.path.clone(),
                    line: index + 1,
                    rule,
                    beginning: beginning.chars().take(8).collect(),
                });
            };
            if is_private_key(line) {
                found("private-key", "PEM");
            }
            if let Some(token) = known_token(line) {
                found("known-token", token);
            }
            // In a test a hexadecimal text is the known answer of a published vector.
            let in_test = file.is_test_line(index);
            let is_answer = |token: &str| in_test && token.chars().all(|c| c.is_ascii_hexdigit());
            for token in tokens(line).into_iter().filter(|token| is_random(token) && !is_answer(token)) {
                found("random-token", token);
            }
        }
    }
    suspects.retain(|suspect| {
        !allowed.iter().any(|entry| entry.rule == suspect.rule && covers(&entry.path, &suspect.path))
    });
    suspects
}

fn is_private_key(line: &str) -> bool {
    line.split_once(concat!("-----", "BEGIN "))
        .is_some_and(|(_, kind)| kind.contains(concat!("PRIVATE", " KEY-----")))
}

fn known_token(line: &str) -> Option<&str> {
    KNOWN_TOKENS.iter().find_map(|(first, second, follow)| {
        let prefix = format!("{first}{second}");
        let start = line.find(&prefix)?;
        let before = line.get(..start)?.chars().next_back();
        let token = line.get(start..)?;
        let length =
            token.get(prefix.len()..)?.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').count();
        (length >= *follow && !before.is_some_and(|c| c.is_ascii_alphanumeric())).then_some(token)
    })
}

/// Everything on a line that could be a token, quoted or not: a key in a settings file stands bare
/// (`KEY=...`), and a key file is one line of hexadecimal digits. The quoted ones come whole; of
/// the others, what stands before an equals sign is a name.
fn tokens(line: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-');
    let quoted = line.split(['"', '\'', '`']).skip(1).filter(|text| text.chars().all(is_part));
    let bare = line.split(|c: char| !is_part(c)).flat_map(|word| word.trim_end_matches('=').split('='));
    // A path or a name of many words is not weighed as a whole: its parts are.
    let parts = bare
        .flat_map(|word| if is_one_piece(word) { vec![word] } else { word.split(['/', '-', '_']).collect() });
    let mut out: Vec<&str> =
        quoted.chain(parts).filter(|text| text.len() >= SECRET_TOKEN_MIN_CHARS).collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// Names and paths are words between their marks; a random token has runs that are none. Base64 has
/// a mark every 32 characters on average.
fn is_one_piece(word: &str) -> bool {
    let marks = word.chars().filter(|c| matches!(c, '/' | '-' | '_' | '+')).count();
    word.len() / (marks + 1) >= SECRET_RUN_MIN_CHARS
}

fn is_random(token: &str) -> bool {
    let any = |test: fn(&char) -> bool| token.chars().any(|c| test(&c));
    let digits = any(char::is_ascii_digit);
    if token.chars().all(|c| c.is_ascii_hexdigit()) {
        return digits && any(char::is_ascii_alphabetic) && entropy_bits(token) >= SECRET_HEX_MIN_BITS;
    }
    digits
        && any(char::is_ascii_uppercase)
        && any(char::is_ascii_lowercase)
        && entropy_bits(token) >= SECRET_TOKEN_MIN_BITS
}

/// Shannon entropy, in bits a character.
fn entropy_bits(token: &str) -> f64 {
    let mut counts: HashMap<char, f64> = HashMap::new();
    for character in token.chars() {
        *counts.entry(character).or_default() += 1.0;
    }
    let length = token.chars().count() as f64;
    counts.values().map(|count| -(count / length) * (count / length).log2()).sum()
}

/// Lines are `path | rule | reason`; a path that ends with `/` is a folder, `*` is one part of a path.
fn parse_allow(text: &str) -> Result<Vec<Allowed>> {
    let mut allowed = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut parts = line.splitn(3, '|').map(str::trim);
        let (path, rule, reason) = (parts.next(), parts.next(), parts.next());
        if reason.is_none_or(|reason| reason.len() < 10) {
            bail!("{ALLOW_FILE}:{}: write `path | rule | reason`, with a reason", index + 1);
        }
        let path = path.context("a path")?.to_owned();
        allowed.push(Allowed { path, rule: rule.context("a rule")?.to_owned() });
    }
    Ok(allowed)
}

fn covers(pattern: &str, path: &str) -> bool {
    let is_folder = pattern.ends_with('/');
    let mut parts = path.split('/');
    for expected in pattern.trim_end_matches('/').split('/') {
        match parts.next() {
            Some(part) if expected == "*" || expected == part => {}
            _ => return false,
        }
    }
    parts.next().is_some() == is_folder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<&'static str> {
        scan(&SourceTree::of(&[("a.rs", text)]), &[]).into_iter().map(|suspect| suspect.rule).collect()
    }

    #[test]
    fn private_keys_are_found() {
        assert_eq!(rules(concat!("x\n-----", "BEGIN EC PRIVATE", " KEY-----\n")), ["private-key"]);
        assert_eq!(rules(concat!("-----", "BEGIN CERTIFICATE-----")), Vec::<&str>::new());
    }

    #[test]
    fn tokens_of_known_services_are_found() {
        assert_eq!(rules(concat!("key = AK", "IAABCDEFGHIJKLMNOP")), ["known-token"]);
        assert_eq!(rules(concat!("XAK", "IAABCDEFGHIJKLMNOP")), Vec::<&str>::new());
        assert_eq!(rules(concat!("gh", "p_0123456789abcdefghij0123456789abcdefghij")), ["known-token"]);
    }

    #[test]
    fn random_looking_texts_are_found_and_words_are_not() {
        let hex = format!("\"{}{}\"", "9f86d081884c7d659a2feaa0", "c55ad015a3bf4f1b2b0b822c");
        let base64 = format!("k = '{}{}'", "dGhpc0lzQVJhbmRvbVRv", "a2VuMTIzNDU2Nzg5MFhZWg");
        assert_eq!(rules(&hex), ["random-token"]);
        assert_eq!(rules(&base64), ["random-token"]);
        assert_eq!(rules("\"a_long_name_of_a_test_with_2_numbers_in_1_name\""), Vec::<&str>::new());
        assert_eq!(
            rules("\"0000000000000000000000000000000000000000000000000000000000000000\""),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn bare_tokens_are_weighed_too() {
        let hex = format!("{}{}", "9f86d081884c7d659a2feaa0c55ad015", "a3bf4f1b2b0b822cd15d6c15b0f00a08");
        let base64 = format!("{}{}", "dGhpc0lzQVJhbmRvbVRv", "a2VuMTIzNDU2Nzg5MFhZWg");
        assert_eq!(rules(&format!("{hex}\n")), ["random-token"], "a key file");
        for line in [format!("WARD_KEY={hex}"), format!("key: {base64}=="), format!("export T={base64}")] {
            assert_eq!(rules(&line), ["random-token"], "{line}");
        }
        for plain in [
            "crates/core/ward-forms/tests/corpora_real_forms.rs:114:a_long_name_of_a_test_2",
            "https://ward.example/fhir/StructureDefinition/questionnaire-itemControl-Version2",
            "use crate::limits::{SECRET_TOKEN_MIN_CHARS_AND_MORE_OF_IT_IN_32};",
        ] {
            assert_eq!(rules(plain), Vec::<&str>::new(), "{plain}");
        }
    }

    #[test]
    fn known_answers_in_tests_are_free_and_keys_in_tests_are_not() {
        let hex = format!("\"{}{}\"", "9f86d081884c7d659a2feaa0", "c55ad015a3bf4f1b2b0b822c");
        assert_eq!(rules(&format!("#[cfg(test)]\nmod t {{ const A: &str = {hex}; }}\n")), Vec::<&str>::new());
        let key = concat!("#[test]\nfn t() { f(\"AK", "IAABCDEFGHIJKLMNOP\"); }\n");
        assert_eq!(rules(key), ["known-token"]);
    }

    #[test]
    fn a_report_does_not_spread_the_secret() {
        let text = concat!("AK", "IAABCDEFGHIJKLMNOP");
        let suspects = scan(&SourceTree::of(&[("a", text)]), &[]);
        assert_eq!(suspects[0].beginning.len(), 8);
    }

    #[test]
    fn the_allow_file_names_folder_rule_and_reason() {
        let allowed =
            parse_allow("# note\ncrates/*/*/vectors/ | random-token | published test vectors\n").unwrap();
        let text = format!("\"{}{}\"", "9f86d081884c7d659a2feaa0", "c55ad015a3bf4f1b2b0b822c");
        let in_folder = SourceTree::of(&[("crates/core/ward-id/vectors/a.json", &text)]);
        let beside = SourceTree::of(&[("crates/core/ward-id/src/a.rs", &text)]);
        assert!(scan(&in_folder, &allowed).is_empty());
        assert_eq!(scan(&beside, &allowed).len(), 1);
        assert!(parse_allow("a | random-token |").is_err());
    }

    #[test]
    fn patterns_cover_whole_parts() {
        assert!(covers("Cargo.lock", "Cargo.lock"));
        assert!(!covers("Cargo.lock", "Cargo.lock/x"));
        assert!(covers("testdata/", "testdata/a/b.json"));
        assert!(!covers("testdata/", "testdata"));
    }
}
