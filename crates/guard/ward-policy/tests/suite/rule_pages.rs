//! `docs/policy` has a page of every rule and the table of requirements, made from the rules.
//! `WARD_WRITE_VECTORS=1` writes them anew.

use std::collections::BTreeSet;
use std::path::PathBuf;
use ward_policy::builtin_rules;
use ward_policy::report::{mapping_page, rule_page};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/policy"))
}

fn is_writing() -> bool {
    std::env::var_os("WARD_WRITE_VECTORS").is_some()
}

/// Whether a file says this. It is written first when that is asked for.
fn says(file: &PathBuf, text: &str) -> bool {
    if is_writing() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    std::fs::read_to_string(file).is_ok_and(|found| found == text)
}

#[test]
fn every_rule_has_its_page_and_no_page_is_stale() {
    let rules = builtin_rules().unwrap();
    let mut known = BTreeSet::new();
    for rule in rules.rules() {
        let name = format!("{}.md", rule.id);
        let is_current = says(&folder().join("rules").join(&name), &rule_page(&rules, rule));
        assert!(
            is_current,
            "docs/policy/rules/{name} is not what the rules say: WARD_WRITE_VECTORS=1 writes it"
        );
        known.insert(name);
    }
    let there = std::fs::read_dir(folder().join("rules")).unwrap();
    let there: BTreeSet<String> =
        there.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, known);
}

#[test]
fn the_table_of_requirements_is_current() {
    let rules = builtin_rules().unwrap();
    let is_current = says(&folder().join("mapping.md"), &mapping_page(&rules));
    assert!(is_current, "docs/policy/mapping.md is not what the rules say: WARD_WRITE_VECTORS=1 writes it");
}
