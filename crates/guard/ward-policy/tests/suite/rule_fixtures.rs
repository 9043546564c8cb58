//! Every rule that comes with Ward gives the verdicts of its fixtures, and has fixtures that count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use ward_policy::graph::{Action, Graph};
use ward_policy::rules::{Fixture, RuleSet, read_fixtures};
use ward_policy::{Finding, Settings, Verdict, builtin_rules, run_fixtures, verdict_for, verdict_for_part};

pub fn fixtures() -> Vec<Fixture> {
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
pub struct RuleSets {
    usual: RuleSet,
    decided: Vec<(Settings, RuleSet)>,
}

impl RuleSets {
    pub fn new(fixtures: &[Fixture]) -> Self {
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

    pub fn of(&self, fixture: &Fixture) -> &RuleSet {
        let decided = self.decided.iter().find(|(settings, _)| *settings == fixture.settings);
        decided.map_or(&self.usual, |(_, rules)| rules)
    }
}

/// What the rule of a fixture, or its part, finds.
pub fn found<'a>(
    graph: &'a Graph,
    rules: &'a RuleSet,
    fixture: &Fixture,
    address: &str,
) -> Option<Finding<'a>> {
    match &fixture.aspect {
        Some(aspect) => verdict_for_part(graph, rules, &fixture.rule, aspect, address),
        None => verdict_for(graph, rules, &fixture.rule, address),
    }
}

/// As an organisation's own rules are tried, and no part of them is left out.
#[test]
fn every_fixture_gets_its_verdict_and_every_cell_is_tried() {
    let mut rules = builtin_rules().unwrap();
    let ids: Vec<_> = rules.rules().iter().map(|rule| rule.id.clone()).collect();
    let run = run_fixtures(&mut rules, &fixtures(), &ids);
    assert!(run.verdicts > ids.len() * 3, "{} verdicts", run.verdicts);
    assert!(run.wrong.is_empty(), "{:#?}", run.wrong);
    assert!(run.untried.is_empty(), "{:#?}", run.untried);
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
