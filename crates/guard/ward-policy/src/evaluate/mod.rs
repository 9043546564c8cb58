//! Judging a graph by a set of rules.

mod addresses;
mod bucket_names;
mod change;
mod cidr;
mod conditions;
mod decided;
mod links;
mod own_key;
mod policy_document;
mod policy_values;
mod ports;
mod same_reads;
mod secret_marks;
mod secrets;
mod trust;
mod truth;
mod value_test;
mod witness;

use crate::finding::{Finding, Observation};
use crate::graph::{Action, Graph, Resource, ResourceId, Role};
use crate::rules::{Cell, Rule, RuleId, RuleSet};
use crate::verdict::{Exit, Verdict};
use conditions::Surroundings;
pub(crate) use same_reads::read_the_same;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use truth::{Outcome, Truth};
use value_test::Asked;

/// How a graph stands to a set of rules.
#[derive(Debug)]
pub struct Assessment<'a> {
    /// The graph that was judged.
    pub graph: &'a Graph,
    /// What does not pass, in the order of the resources, then of the rules.
    pub findings: Vec<Finding<'a>>,
    /// How many verdicts of each kind there were, in the order of [`Verdict::ALL`].
    pub tally: [usize; Verdict::ALL.len()],
    /// How many resources were judged by at least one rule.
    pub recognised: usize,
    /// Types that no rule knows, with the number of their resources.
    pub not_covered: BTreeMap<&'a str, usize>,
    /// Whether the baseline has findings that are gone or changed: they have to be taken out of it.
    pub baseline_has_to_shrink: bool,
}

impl Assessment<'_> {
    /// How many verdicts there were of a kind.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        let at = Verdict::ALL.iter().position(|known| *known == verdict);
        at.and_then(|at| self.tally.get(at)).copied().unwrap_or(0)
    }

    /// Gives a finding another verdict, and counts it so.
    pub(crate) fn set_verdict(&mut self, place: usize, verdict: Verdict) {
        let Some(finding) = self.findings.get_mut(place) else { return };
        let before = std::mem::replace(&mut finding.verdict, verdict);
        for (known, count) in Verdict::ALL.iter().zip(&mut self.tally) {
            *count = count.saturating_sub(usize::from(*known == before)) + usize::from(*known == verdict);
        }
    }

    /// How the check ends.
    #[must_use]
    pub fn exit(&self, allow_empty: bool) -> Exit {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        let noted = self.graph.notes().iter().any(|note| note.blocks).then_some(Verdict::Indeterminate);
        let exit = Exit::of(verdicts.chain(noted), self.recognised, allow_empty);
        if self.baseline_has_to_shrink { exit.and(Exit::Violation) } else { exit }
    }
}

/// Judges every resource of a graph by every rule that knows its type.
#[must_use]
pub fn assess<'a>(graph: &'a Graph, rules: &'a RuleSet) -> Assessment<'a> {
    let surroundings = Surroundings::new(graph, rules);
    let mut assessment = Assessment {
        graph,
        findings: Vec::new(),
        tally: [0; Verdict::ALL.len()],
        recognised: 0,
        not_covered: BTreeMap::new(),
        baseline_has_to_shrink: false,
    };
    // One list for all: most verdicts pass, and go.
    let mut judged = Vec::new();
    for (id, resource) in graph.resources() {
        if !matches!(resource.role, Role::Managed | Role::Drifted) {
            continue;
        }
        // What belongs to the planned one belongs to it as it was found.
        let linked = if resource.role == Role::Drifted { graph.at(&resource.address) } else { None };
        let id = linked.map_or(id, |(planned, _)| planned);
        judge_resource(&surroundings, rules, (id, resource), |_| true, &mut judged);
        // A rule for every type of a provider that doesn't concern this one is no knowledge of it.
        let is_known = |finding: &Finding<'_>| {
            finding.verdict != Verdict::NotApplicable || finding.cell.types.contains(&resource.kind)
        };
        if !judged.iter().any(is_known) {
            *assessment.not_covered.entry(&resource.kind).or_default() += 1;
        } else {
            assessment.recognised += 1;
        }
        for finding in judged.drain(..) {
            let at = Verdict::ALL.iter().position(|verdict| *verdict == finding.verdict);
            if let Some(count) = at.and_then(|at| assessment.tally.get_mut(at)) {
                *count += 1;
            }
            if finding.verdict.blocks() {
                assessment.findings.push(finding);
            }
        }
    }
    assessment
}

/// The verdict of one rule about one resource, passes included; of several parts the one that weighs
/// most. `None` if the rule does not know its type, or there is no such resource.
#[must_use]
pub fn verdict_for<'a>(
    graph: &'a Graph,
    rules: &'a RuleSet,
    rule: &RuleId,
    address: &str,
) -> Option<Finding<'a>> {
    let (id, resource) = graph.at(address)?;
    let mut findings = Vec::new();
    let is_meant = |one: &Rule| one.id == *rule;
    judge_resource(&Surroundings::new(graph, rules), rules, (id, resource), is_meant, &mut findings);
    findings.into_iter().max_by_key(|finding| finding.verdict)
}

/// As [`verdict_for`], of one part of the rule.
#[must_use]
pub fn verdict_for_part<'a>(
    graph: &'a Graph,
    rules: &'a RuleSet,
    rule: &RuleId,
    aspect: &str,
    address: &str,
) -> Option<Finding<'a>> {
    let (id, resource) = graph.at(address)?;
    let mut findings = Vec::new();
    let is_meant = |one: &Rule| one.id == *rule;
    judge_resource(&Surroundings::new(graph, rules), rules, (id, resource), is_meant, &mut findings);
    findings.into_iter().find(|finding| finding.cell.aspect.as_deref() == Some(aspect))
}

/// One finding for each part of each rule that is meant and knows the type: of several cells, what weighs most.
/// The list that takes them is empty.
fn judge_resource<'a>(
    surroundings: &Surroundings<'a>,
    rules: &'a RuleSet,
    (id, resource): (ResourceId, &'a Resource),
    is_meant: impl Fn(&Rule) -> bool,
    findings: &mut Vec<Finding<'a>>,
) {
    for (rule, cell) in rules.of_type(&resource.kind).filter(|(rule, _)| is_meant(rule)) {
        let finding = judge_cell(surroundings, (rule, cell), id, resource, false);
        let is_same =
            |known: &&mut Finding<'a>| std::ptr::eq(known.rule, rule) && known.cell.aspect == cell.aspect;
        match findings.iter_mut().find(is_same) {
            Some(known) if finding.verdict > known.verdict => *known = finding,
            Some(_) => {}
            None => findings.push(finding),
        }
    }
    // Only what blocks is explained; so only then what is seen is written down.
    for finding in findings.iter_mut().filter(|finding| finding.verdict.blocks()) {
        *finding = judge_cell(surroundings, (finding.rule, finding.cell), id, resource, true);
    }
}

fn judge_cell<'a>(
    surroundings: &Surroundings<'a>,
    (rule, cell): (&'a Rule, &'a Cell),
    id: ResourceId,
    resource: &'a Resource,
    tells: bool,
) -> Finding<'a> {
    let finding = |verdict, observed| Finding { rule, cell, resource, verdict, observed, waiver: None };
    if matches!(resource.action, Action::Delete | Action::Forget) && !cell.judges_removed {
        return finding(Verdict::NotApplicable, Vec::new());
    }
    let outcome = guarded(|| {
        let judge = |condition, asked| surroundings.judge(condition, id, resource, (asked, tells));
        let applies = cell.applies.as_ref().map(|applies| judge(applies, Asked::Concerns));
        let applies = applies.unwrap_or_else(Outcome::yes);
        match applies.truth {
            Truth::No => None,
            Truth::Broken => Some(applies),
            Truth::Yes => Some(judge(&cell.check, Asked::Meets)),
            // If the check holds, it doesn't matter whether the rule concerns the resource.
            Truth::Maybe => Some(match judge(&cell.check, Asked::Meets) {
                met @ Outcome { truth: Truth::Yes, .. } => met,
                _ => applies,
            }),
        }
    });
    match outcome {
        None => finding(Verdict::NotApplicable, Vec::new()),
        Some(Outcome { truth, observed }) => finding(verdict_of(truth), observed),
    }
}

const fn verdict_of(truth: Truth) -> Verdict {
    match truth {
        Truth::Yes => Verdict::Pass,
        Truth::No => Verdict::Fail,
        Truth::Maybe => Verdict::Indeterminate,
        Truth::Broken => Verdict::Error,
    }
}

/// A fault of Ward itself while a rule is evaluated is an error of that rule: it blocks, and the
/// others go on.
fn guarded(evaluate: impl FnOnce() -> Option<Outcome>) -> Option<Outcome> {
    catch_unwind(AssertUnwindSafe(evaluate)).unwrap_or_else(|_| {
        Some(Outcome {
            truth: Truth::Broken,
            observed: vec![Observation {
                address: None,
                path: Box::default(),
                value: "a fault in Ward: the rule was not evaluated".to_owned(),
                origin: String::new(),
            }],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_closed_when_a_rule_crashes() {
        let outcome = guarded(|| panic!("a fault of the test")).unwrap();
        assert_eq!(outcome.truth, Truth::Broken);
        assert!(verdict_of(outcome.truth).blocks());
    }
}
