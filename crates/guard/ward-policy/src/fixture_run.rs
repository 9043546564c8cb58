//! Running fixtures: which resources get another verdict than they should, and what no fixture tries.

use crate::evaluate::{verdict_for, verdict_for_part};
use crate::finding::Observation;
use crate::rules::{Cell, Fixture, FixtureCase, Rule, RuleId, RuleSet};
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// How fixtures went.
#[derive(Debug, Default)]
pub struct FixtureRun {
    /// How many verdicts were asked for.
    pub verdicts: usize,
    /// What came out otherwise.
    pub wrong: Vec<WrongVerdict>,
    /// Rules and cells that no fixture tries with a verdict that they can give.
    pub untried: Vec<Untried>,
}

/// A resource that got another verdict than its fixture expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongVerdict {
    /// File and line of the case.
    pub place: String,
    /// The rule.
    pub rule: RuleId,
    /// The resource.
    pub address: Box<str>,
    /// What the fixture expects.
    pub expected: Verdict,
    /// What the rule says; nothing if it does not know the type, or there is no such rule or part.
    pub found: Option<Verdict>,
    /// What it saw.
    pub observed: Vec<String>,
}

/// A verdict that no fixture expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untried {
    /// The rule.
    pub rule: RuleId,
    /// The types of the cell; empty if it is about the rule as a whole.
    pub types: Vec<Box<str>>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Runs fixtures, and looks whether they try each cell of these rules: each has to pass and to fail, not to
/// concern what `applies` leaves out, and each rule has to stay open once, unless its fixtures say why it
/// can't. The settings of the rules are those of the last fixture afterwards.
pub fn run_fixtures(rules: &mut RuleSet, fixtures: &[Fixture], tried: &[RuleId]) -> FixtureRun {
    let mut run = FixtureRun::default();
    for fixture in fixtures {
        rules.set_settings(fixture.settings.clone());
        for case in &fixture.cases {
            run_case(rules, fixture, case, &mut run);
        }
    }
    for rule in tried.iter().filter_map(|id| rules.rule(id.as_str())) {
        look_for_untried(rule, fixtures, &mut run.untried);
    }
    run
}

fn run_case(rules: &RuleSet, fixture: &Fixture, case: &FixtureCase, run: &mut FixtureRun) {
    for (address, expected) in &case.expected {
        run.verdicts += 1;
        let finding = match &fixture.aspect {
            Some(aspect) => verdict_for_part(&case.graph, rules, &fixture.rule, aspect, address),
            None => verdict_for(&case.graph, rules, &fixture.rule, address),
        };
        let found = finding.as_ref().map(|finding| finding.verdict);
        if found != Some(*expected) {
            let observed = finding.iter().flat_map(|one| one.observed.iter().map(Observation::line));
            run.wrong.push(WrongVerdict {
                place: case.place.clone(),
                rule: fixture.rule.clone(),
                address: address.clone(),
                expected: *expected,
                found,
                observed: observed.collect(),
            });
        }
    }
}

fn look_for_untried(rule: &Rule, fixtures: &[Fixture], untried: &mut Vec<Untried>) {
    let of_rule: Vec<&Fixture> = fixtures.iter().filter(|fixture| fixture.rule == rule.id).collect();
    let is_excused = |verdict: Verdict| {
        of_rule.iter().any(|fixture| fixture.without.iter().any(|(excused, _)| *excused == verdict))
    };
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Indeterminate] {
        let mut cases = of_rule.iter().flat_map(|fixture| &fixture.cases);
        let is_tried = cases.any(|case| case.expected.iter().any(|(_, expected)| *expected == verdict));
        if !is_tried && !is_excused(verdict) {
            untried.push(Untried { rule: rule.id.clone(), types: Vec::new(), verdict });
        }
    }
    for cell in &rule.cells {
        let not_concerned = cell.applies.as_ref().map(|_| Verdict::NotApplicable);
        for verdict in [Verdict::Pass, Verdict::Fail].into_iter().chain(not_concerned) {
            let kinds = kinds_of(&of_rule, cell.aspect.as_deref(), verdict);
            if !kinds.iter().any(|kind| judges(cell, kind)) {
                untried.push(Untried { rule: rule.id.clone(), types: cell.types.clone(), verdict });
            }
        }
    }
}

/// Types of resources that get a verdict from a part of a rule. A pass of the whole rule is one of each of
/// its parts; any other verdict is only that of the part that is named.
fn kinds_of<'f>(of_rule: &[&'f Fixture], aspect: Option<&str>, verdict: Verdict) -> BTreeSet<&'f str> {
    let is_meant = |fixture: &&&Fixture| {
        let is_whole = fixture.aspect.is_none() && verdict == Verdict::Pass;
        fixture.aspect.as_deref() == aspect || is_whole
    };
    let cases = of_rule.iter().filter(is_meant).flat_map(|fixture| &fixture.cases);
    let kinds = cases.flat_map(|case| {
        let expected = case.expected.iter().filter(move |(_, found)| *found == verdict);
        expected.filter_map(|(address, _)| case.graph.at(address)).map(|(_, resource)| &*resource.kind)
    });
    kinds.collect()
}

fn judges(cell: &Cell, kind: &str) -> bool {
    cell.types.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => **known == *kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OwnRules;

    const RULE: &str = "version: 1\narea: own\ntitle: Own\nrules:\n  - id: ORG-001\n    title: A queue has an owner\n    \
        severity: low\n    requirements: [processors]\n    cells:\n      - types: [aws_sqs_queue]\n        expected: a tag owner\n        \
        applies: {path: name, set: true}\n        check: {path: tags.owner, set: true}\n";

    fn run(cases: &str) -> FixtureRun {
        let mut own = OwnRules::default();
        own.add("own.yaml", RULE).unwrap();
        let fixtures = format!("version: 1\narea: own\nfixtures:\n  - rule: ORG-001\n    cases:\n{cases}");
        own.add("fixtures.yaml", &fixtures).unwrap();
        let (ids, fixtures) = (own.ids(), own.take_fixtures());
        run_fixtures(&mut own.with_builtin().unwrap(), &fixtures, &ids)
    }

    #[test]
    fn whole_fixtures_leave_nothing_and_each_gap_is_told() {
        let whole = "      - pass: {aws_sqs_queue.a: {name: q, tags: {owner: ann}}}\n        fail: {aws_sqs_queue.b: {name: q}}\n        \
                     indeterminate: {aws_sqs_queue.c: {name: q, tags: !unknown }}\n        not-applicable: {aws_sqs_queue.d: {}}\n";
        let all = run(whole);
        assert!(all.wrong.is_empty() && all.untried.is_empty(), "{all:?}");
        assert_eq!(all.verdicts, 4);
        let some = run("      - pass: {aws_sqs_queue.a: {name: q, tags: {owner: ann}}}\n");
        let untried: Vec<Verdict> = some.untried.iter().map(|one| one.verdict).collect();
        use Verdict::{Fail, Indeterminate, NotApplicable};
        assert_eq!(untried, [Fail, Indeterminate, Fail, NotApplicable]);
    }

    #[test]
    fn fails_closed_a_verdict_that_is_not_the_expected_one_is_told() {
        let wrong = run("      - pass: {aws_sqs_queue.a: {name: q}, aws_vpc.v: {}}\n").wrong;
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert_eq!((wrong[0].found, wrong[1].found), (Some(Verdict::Fail), None));
        assert!(wrong[0].place.starts_with("fixtures.yaml:"), "{wrong:?}");
    }
}
