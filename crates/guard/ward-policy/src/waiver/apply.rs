//! Waiving findings.

use super::validity::{approved, demand_of, signed_well};
use super::{SignatureCheck, SignerRole, Waiver, WaiverVoid, binding_of};
use crate::day::Day;
use crate::evaluate::Assessment;
use crate::finding::{Finding, Observation};
use crate::graph::Graph;
use crate::rules::RuleSet;
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// A waiver with the name of its file.
#[derive(Debug, Clone)]
pub struct NamedWaiver {
    /// The file.
    pub file: String,
    /// The waiver.
    pub waiver: Waiver,
}

/// What waivers are looked at with.
#[derive(Clone, Copy)]
pub struct WaiverCheck<'w> {
    /// All waivers.
    pub waivers: &'w [NamedWaiver],
    /// The day of the check.
    pub today: Day,
    /// Checks signatures.
    pub signatures: &'w dyn SignatureCheck,
}

/// Waives every blocking finding that a waiver covers. A finding that a void waiver names stays as it is and
/// says why. Gives the places of the waivers that name a finding at all.
pub fn apply_waivers(
    assessment: &mut Assessment<'_>,
    rules: &RuleSet,
    check: WaiverCheck<'_>,
) -> BTreeSet<usize> {
    let mut used = BTreeSet::new();
    let graph = assessment.graph;
    for place in 0..assessment.findings.len() {
        let Some(finding) = assessment.findings.get_mut(place) else { continue };
        let named: Vec<(usize, &NamedWaiver)> =
            check.waivers.iter().enumerate().filter(|(_, one)| names(&one.waiver, finding)).collect();
        used.extend(named.iter().map(|(at, _)| *at));
        let mut is_waived = false;
        for (_, one) in named {
            let told = match covers(&one.waiver, finding, graph, rules, check) {
                Ok(()) => {
                    is_waived = true;
                    words(one)
                }
                Err(void) => format!("{}: {void}", one.file),
            };
            finding.waiver = Some(told);
            if is_waived {
                break;
            }
        }
        if is_waived {
            assessment.set_verdict(place, Verdict::Waived);
        }
    }
    used
}

fn names(waiver: &Waiver, finding: &Finding<'_>) -> bool {
    finding.verdict.blocks()
        && waiver.rule == finding.rule.id
        && waiver.aspect == finding.cell.aspect
        && waiver.resource == finding.resource.address
}

fn covers(
    waiver: &Waiver,
    finding: &Finding<'_>,
    graph: &Graph,
    rules: &RuleSet,
    check: WaiverCheck<'_>,
) -> Result<(), WaiverVoid> {
    let binding = binding_of(finding, graph).ok_or(WaiverVoid::NotWaivable)?;
    signed_well(waiver, rules.settings(), check.today, check.signatures)?;
    // What approvers read has to be what was seen: the digest alone says nothing to them.
    let observed = finding.observed.iter().map(Observation::line);
    if binding != waiver.binds || !observed.eq(waiver.observed.iter().map(ToString::to_string)) {
        return Err(WaiverVoid::OtherValue);
    }
    approved(waiver, demand_of(finding, rules))
}

/// What a report says of a waiver that counts.
fn words(one: &NamedWaiver) -> String {
    let people = |role| one.waiver.signed_as(role).map(|one| &*one.name).collect::<Vec<_>>().join(", ");
    let alternative =
        one.waiver.alternative.as_deref().map(|text| format!(" Instead: {text}")).unwrap_or_default();
    format!(
        "until {}: {}{alternative} By {}, approved by {} ({})",
        one.waiver.expires,
        one.waiver.reason,
        people(SignerRole::Author),
        people(SignerRole::Approver),
        one.file
    )
}
