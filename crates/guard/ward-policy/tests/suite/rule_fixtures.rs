//! Every rule that comes with Ward gives the verdicts of its fixtures, and has fixtures that count.

use std::collections::BTreeSet;
use std::path::PathBuf;
use ward_policy::graph::{Action, Graph};
use ward_policy::rules::{Fixture, RuleSet, read_fixtures};
use ward_policy::{Verdict, builtin_rules, verdict_for};

fn fixtures() -> Vec<Fixture> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../policies/fixtures"));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        read_fixtures(&name, &std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn every_fixture_gets_its_verdict() {
    let rules = builtin_rules().unwrap();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        for case in &fixture.cases {
            for (address, expected) in &case.expected {
                let found = verdict_for(&case.graph, &rules, &fixture.rule, address);
                let verdict = found.as_ref().map(|finding| finding.verdict);
                if verdict != Some(*expected) {
                    let seen: Vec<String> =
                        found.iter().flat_map(|one| one.observed.iter().map(|seen| seen.line())).collect();
                    wrong.push(format!(
                        "{}: {} {address}: expected {expected}, got {verdict:?} {seen:?}",
                        case.place, fixture.rule
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The fixtures of a rule with what each expects.
fn expectations<'f>(fixtures: &'f [Fixture], rule: &str) -> Vec<(&'f Graph, &'f str, Verdict)> {
    let of_rule = fixtures.iter().filter(|fixture| fixture.rule.as_str() == rule);
    let cases = of_rule.flat_map(|fixture| &fixture.cases);
    cases
        .flat_map(|case| case.expected.iter().map(|(address, verdict)| (&case.graph, &**address, *verdict)))
        .collect()
}

#[test]
fn every_rule_has_fixtures_that_pass_fail_and_stay_open() {
    let rules = builtin_rules().unwrap();
    let fixtures = fixtures();
    let mut missing = Vec::new();
    for rule in rules.rules() {
        let expected = expectations(&fixtures, rule.id.as_str());
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Indeterminate] {
            if !expected.iter().any(|(_, _, found)| *found == verdict) {
                missing.push(format!("{}: no fixture that is {verdict}", rule.id));
            }
        }
        for cell in &rule.cells {
            for verdict in [Verdict::Pass, Verdict::Fail] {
                let is_there = expected.iter().any(|(graph, address, found)| {
                    let kind = &graph.at(address).unwrap().1.kind;
                    *found == verdict && cell.types.contains(kind)
                });
                if !is_there {
                    missing.push(format!(
                        "{}: no fixture of {} that is {verdict}",
                        rule.id,
                        cell.types.join(", ")
                    ));
                }
            }
            let applies = expected.iter().any(|(graph, address, found)| {
                *found == Verdict::NotApplicable && cell.types.contains(&graph.at(address).unwrap().1.kind)
            });
            if cell.applies.is_some() && !applies {
                missing.push(format!(
                    "{}: no fixture of {} that it does not concern",
                    rule.id,
                    cell.types.join(", ")
                ));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn no_rule_concerns_what_is_removed() {
    let rules = builtin_rules().unwrap();
    for fixture in fixtures() {
        for case in &fixture.cases {
            for (address, verdict) in &case.expected {
                if *verdict == Verdict::Fail {
                    let graph = without(&case.graph, address);
                    let found = verdict_for(&graph, &rules, &fixture.rule, address).map(|one| one.verdict);
                    assert_eq!(found, Some(Verdict::NotApplicable), "{} {address}", fixture.rule);
                }
            }
        }
    }
}

/// The same infrastructure, one resource of which is removed.
fn without(graph: &Graph, address: &str) -> Graph {
    let mut resources: Vec<_> = graph.resources().map(|(_, resource)| resource.clone()).collect();
    for resource in resources.iter_mut().filter(|resource| &*resource.address == address) {
        resource.action = Action::Delete;
    }
    Graph::new(graph.format(), resources, Vec::new()).unwrap()
}

#[test]
fn every_fixture_is_of_a_rule_that_is_there() {
    let rules: RuleSet = builtin_rules().unwrap();
    let known: BTreeSet<&str> = rules.rules().iter().map(|rule| rule.id.as_str()).collect();
    for fixture in fixtures() {
        assert!(known.contains(fixture.rule.as_str()), "{}", fixture.rule);
    }
}
