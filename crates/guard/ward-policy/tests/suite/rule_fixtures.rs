//! Every rule that comes with Ward gives the verdicts of its fixtures, and has fixtures that count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use ward_policy::graph::{Action, Graph};
use ward_policy::rules::{Cell, Fixture, Rule, RuleSet, read_fixtures};
use ward_policy::{Finding, Settings, Verdict, builtin_rules, verdict_for, verdict_for_part};

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

/// The rules as each fixture's organisation has them.
struct RuleSets {
    usual: RuleSet,
    decided: Vec<(Settings, RuleSet)>,
}

impl RuleSets {
    fn new(fixtures: &[Fixture]) -> Self {
        let mut sets = Self { usual: builtin_rules().unwrap(), decided: Vec::new() };
        for fixture in fixtures {
            let is_known = sets.decided.iter().any(|(settings, _)| *settings == fixture.settings);
            if fixture.settings != Settings::default() && !is_known {
                let rules = builtin_rules().unwrap().with_settings(fixture.settings.clone());
                sets.decided.push((fixture.settings.clone(), rules));
            }
        }
        sets
    }

    fn of(&self, fixture: &Fixture) -> &RuleSet {
        let decided = self.decided.iter().find(|(settings, _)| *settings == fixture.settings);
        decided.map_or(&self.usual, |(_, rules)| rules)
    }
}

/// What the rule of a fixture, or its part, finds.
fn found<'a>(graph: &'a Graph, rules: &'a RuleSet, fixture: &Fixture, address: &str) -> Option<Finding<'a>> {
    match &fixture.aspect {
        Some(aspect) => verdict_for_part(graph, rules, &fixture.rule, aspect, address),
        None => verdict_for(graph, rules, &fixture.rule, address),
    }
}

#[test]
fn every_fixture_gets_its_verdict() {
    let fixtures = fixtures();
    let sets = RuleSets::new(&fixtures);
    let mut wrong = Vec::new();
    for fixture in &fixtures {
        for case in &fixture.cases {
            for (address, expected) in &case.expected {
                let found = found(&case.graph, sets.of(fixture), fixture, address);
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

/// Types of resources that fixtures of a rule expect a verdict for. A pass of the whole rule is one of
/// each of its parts; any other verdict is only that of the part that is named.
fn types<'f>(
    fixtures: &'f [Fixture],
    rule: &Rule,
    aspect: Option<&str>,
    verdict: Verdict,
) -> BTreeSet<&'f str> {
    let of_rule = fixtures.iter().filter(|fixture| {
        let is_whole = fixture.aspect.is_none() && verdict == Verdict::Pass;
        fixture.rule == rule.id && (fixture.aspect.as_deref() == aspect || is_whole)
    });
    let cases = of_rule.flat_map(|fixture| &fixture.cases);
    let kinds = cases.flat_map(|case| {
        let expected = case.expected.iter().filter(move |(_, found)| *found == verdict);
        expected.map(|(address, _)| &*case.graph.at(address).unwrap().1.kind)
    });
    kinds.collect()
}

fn judges(cell: &Cell, kind: &str) -> bool {
    cell.types.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => **known == *kind,
    })
}

#[test]
fn every_rule_has_fixtures_of_each_verdict() {
    let rules = builtin_rules().unwrap();
    let fixtures = fixtures();
    let mut missing = Vec::new();
    for rule in rules.rules() {
        let of_rule = || fixtures.iter().filter(|fixture| fixture.rule == rule.id);
        let can_not: BTreeSet<Verdict> =
            of_rule().flat_map(|one| one.without.iter().map(|(verdict, _)| *verdict)).collect();
        let expected: BTreeSet<Verdict> = of_rule()
            .flat_map(|one| &one.cases)
            .flat_map(|case| case.expected.iter().map(|(_, verdict)| *verdict))
            .collect();
        for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Indeterminate] {
            if !expected.contains(&verdict) && !can_not.contains(&verdict) {
                missing.push(format!("{}: no fixture that is {verdict}", rule.id));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn every_cell_has_fixtures_that_pass_fail_and_are_not_concerned() {
    let rules = builtin_rules().unwrap();
    let fixtures = fixtures();
    let mut missing = Vec::new();
    for rule in rules.rules() {
        for cell in &rule.cells {
            let aspect = cell.aspect.as_deref();
            let mut wanted = vec![Verdict::Pass, Verdict::Fail];
            if cell.applies.is_some() {
                wanted.push(Verdict::NotApplicable);
            }
            for verdict in wanted {
                if !types(&fixtures, rule, aspect, verdict).iter().any(|kind| judges(cell, kind)) {
                    let part = aspect.map(|aspect| format!(" ({aspect})")).unwrap_or_default();
                    missing.push(format!(
                        "{}{part}: no fixture of {} that is {verdict}",
                        rule.id,
                        cell.types.join(", ")
                    ));
                }
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn no_rule_concerns_what_is_removed_unless_it_says_so() {
    let fixtures = fixtures();
    let sets = RuleSets::new(&fixtures);
    for fixture in &fixtures {
        for case in &fixture.cases {
            for (address, _) in case.expected.iter().filter(|(_, verdict)| *verdict == Verdict::Fail) {
                let graph = without(&case.graph, address);
                let found = found(&graph, sets.of(fixture), fixture, address);
                let found = found
                    .map(|one| if one.cell.judges_removed { Verdict::NotApplicable } else { one.verdict });
                assert_eq!(found, Some(Verdict::NotApplicable), "{} {address}", fixture.rule);
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
fn every_fixture_is_of_a_rule_and_a_part_that_are_there() {
    let rules = builtin_rules().unwrap();
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for rule in rules.rules() {
        known
            .entry(rule.id.as_str())
            .or_default()
            .extend(rule.cells.iter().filter_map(|cell| cell.aspect.as_deref()));
    }
    for fixture in fixtures() {
        let aspects = known.get(fixture.rule.as_str()).unwrap_or_else(|| panic!("{}", fixture.rule));
        assert!(fixture.aspect.is_none_or(|aspect| aspects.contains(&*aspect)), "{}", fixture.rule);
    }
}
