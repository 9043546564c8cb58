//! The rules that come with Ward against the table of what they have to know.

use std::collections::BTreeSet;
use ward_policy::{RULE_FILES, builtin_rules};

const TABLE: &str = include_str!("../../testdata/rule-table.txt");

/// Rules of the table with their types.
fn table() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| {
        let mut words = line.split_whitespace();
        (words.next().unwrap(), words.collect())
    };
    lines.map(row).collect()
}

#[test]
fn every_rule_of_the_table_is_there_and_knows_its_types_or_says_that_it_does_not() {
    let rules = builtin_rules().unwrap();
    let mut missing = Vec::new();
    for (id, types) in table() {
        let Some(rule) = rules.rule(id) else {
            missing.push(format!("{id} is not there"));
            continue;
        };
        assert!(!types.is_empty(), "{id}");
        // Types stand in cells and in the conditions that look at other resources.
        let known = format!("{:?}", rule.cells);
        for kind in types {
            let is_told = rule.not_covered.iter().any(|one| one.place.contains(kind));
            if !known.contains(&format!("{kind:?}")) && !is_told {
                missing.push(format!("{id} neither knows {kind} nor names it as not covered"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn the_table_has_every_rule_once_and_no_other() {
    let rules = builtin_rules().unwrap();
    let ids: Vec<&str> = table().into_iter().map(|(id, _)| id).collect();
    let once: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(once.len(), ids.len());
    let there: BTreeSet<&str> = rules.rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(there, once);
    assert_eq!(ids.len(), 74);
}

#[test]
fn every_part_of_every_rule_cites_law_of_which_one_paragraph_was_checked() {
    let rules = builtin_rules().unwrap();
    for rule in rules.rules() {
        for cell in &rule.cells {
            let cited = rules.citations_of(rule, cell);
            let is_checked = cited.iter().any(|(_, citation)| {
                matches!(citation.paragraph, ward_policy::law::ParagraphHash::Sha256(_))
            });
            assert!(is_checked, "{} {:?}", rule.id, cell.aspect);
            assert!(
                cited.iter().all(|(_, citation)| citation.strength != ward_policy::law::Strength::Proposed)
            );
        }
    }
}

#[test]
fn two_rules_with_one_id_are_refused() {
    let text = RULE_FILES[0].text;
    let read = || ward_policy::rules::read_rules("a.yaml", text).unwrap();
    let law = || {
        let citations = ward_policy::LAW_FILES
            .iter()
            .flat_map(|file| ward_policy::law::read_instrument(file.name, file.text).unwrap())
            .collect();
        let requirements =
            ward_policy::law::read_requirements("r.yaml", ward_policy::REQUIREMENTS_FILE.text).unwrap();
        ward_policy::law::Law::new(citations, requirements).unwrap()
    };
    let set = |files| ward_policy::rules::RuleSet::new(files, ward_policy::rules::Defaults::default(), law());
    assert!(set(vec![read()]).is_ok());
    let error = set(vec![read(), read()]).unwrap_err();
    assert!(error.to_string().contains("twice"), "{error}");
}
