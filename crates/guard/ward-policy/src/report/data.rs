//! The report as data, for programs. Field names are a format: they only grow.

use super::{Checked, exit_of};
use crate::evaluate::Assessment;
use crate::finding::Finding;
use crate::graph::Note;
use crate::law::{ParagraphHash, Relation, Strength};
use crate::rules::{Cell, Rule, RuleSet};
use crate::verdict::Verdict;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Version of the report's format.
const FORMAT: u32 = 1;

/// A whole check.
#[derive(Debug, Serialize)]
pub struct CheckReport<'a> {
    /// Version of this format.
    pub format: u32,
    /// The exit code of the process.
    pub exit: u8,
    /// Each input.
    pub inputs: Vec<InputReport<'a>>,
    /// Documents in the folders that are no infrastructure code: nothing of them was checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<&'a str>,
}

/// One input.
#[derive(Debug, Serialize)]
pub struct InputReport<'a> {
    /// As the caller named it.
    pub name: &'a str,
    /// The exit code that it alone would give.
    pub exit: u8,
    /// Its format, if it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Why it was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many resources it has.
    pub resources: usize,
    /// How many of them rules judged.
    pub judged: usize,
    /// Verdicts by their word.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// The baseline has findings that are gone or changed: the check does not pass until they are out of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub baseline_has_to_shrink: bool,
    /// What must be known about the whole input.
    pub notes: Vec<NoteReport<'a>>,
    /// What does not pass.
    pub findings: FindingReports<'a>,
    /// Types that no rule knows, with the number of their resources.
    pub not_covered: BTreeMap<&'a str, usize>,
}

/// Something about the whole input.
#[derive(Debug, Serialize)]
pub struct NoteReport<'a> {
    /// Whether it blocks.
    pub blocks: bool,
    /// In a sentence.
    pub text: &'a str,
    /// File, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl<'a> NoteReport<'a> {
    fn new(note: &'a Note) -> Self {
        let place = note.place.as_ref();
        let (file, line) = (place.map(|place| &*place.file), place.map(|place| place.line));
        Self { blocks: note.blocks, text: &note.text, file, line }
    }
}

/// The findings of an input. Each is put together when it is written: all of them together would take many
/// times the room of the plan.
#[derive(Debug)]
pub struct FindingReports<'a> {
    findings: &'a [Finding<'a>],
    rules: &'a RuleSet,
}

impl<'a> FindingReports<'a> {
    /// One after another.
    pub fn iter(&self) -> impl Iterator<Item = FindingReport<'a>> {
        self.findings.iter().map(|finding| FindingReport::new(finding, self.rules))
    }
}

impl Serialize for FindingReports<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// One finding.
#[derive(Debug, Serialize)]
pub struct FindingReport<'a> {
    /// Id of the rule.
    pub rule: &'a str,
    /// What the rule asks for.
    pub title: &'a str,
    /// Which part of the rule it is, if the rule has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect: Option<&'a str>,
    /// How much harm a violation does.
    pub severity: &'static str,
    /// The verdict.
    pub verdict: &'static str,
    /// Address of the resource.
    pub address: &'a str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The modules around it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<String>,
    /// File, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<&'a str>,
    /// Line in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether it was found so beside the code.
    pub drift: bool,
    /// What was seen.
    pub observed: Vec<ObservationReport<'a>>,
    /// What is expected.
    pub expected: &'a str,
    /// The paragraphs it would violate or work against.
    pub citations: Vec<CitationReport<'a>>,
    /// What follows.
    pub consequence: Vec<&'a str>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'a str>,
    /// Version of the rule.
    pub rule_hash: &'a str,
    /// By what it is waived, or why a waiver that names it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiver: Option<&'a str>,
}

/// A value that decided.
#[derive(Debug, Serialize)]
pub struct ObservationReport<'a> {
    /// The resource, if it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
    /// Path in the resource.
    pub path: &'a str,
    /// The value as it may be shown.
    pub value: &'a str,
    /// Where it comes from.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub origin: &'a str,
}

/// A paragraph of law.
#[derive(Debug, Serialize)]
pub struct CitationReport<'a> {
    /// Its key in the data.
    pub key: &'a str,
    /// As a lawyer writes it.
    pub cite: &'a str,
    /// Its title.
    pub title: &'a str,
    /// How binding it is.
    pub strength: &'static str,
    /// How the safeguard stands to it.
    pub relation: &'static str,
    /// Why.
    pub rationale: &'a str,
    /// What it asks for, in our words.
    pub summary: &'a str,
    /// Whether there is a hash of the official paragraph.
    pub paragraph_checked: bool,
    /// When the summary was compared with the official text.
    pub verified: Option<&'a str>,
}

impl<'a> CheckReport<'a> {
    /// The report of these inputs.
    #[must_use]
    pub fn new(inputs: &'a [Checked<'a>], rules: &'a RuleSet, allow_empty: bool) -> Self {
        Self {
            format: FORMAT,
            exit: exit_of(inputs, allow_empty).code(),
            inputs: inputs.iter().map(|input| InputReport::new(input, rules, allow_empty)).collect(),
            passed_over: Vec::new(),
        }
    }

    /// The same, with documents that were passed over.
    #[must_use]
    pub fn with_passed_over(mut self, paths: &'a [String]) -> Self {
        self.passed_over = paths.iter().map(String::as_str).collect();
        self
    }
}

impl<'a> InputReport<'a> {
    fn new(input: &'a Checked<'a>, rules: &'a RuleSet, allow_empty: bool) -> Self {
        let mut report = Self {
            name: input.name,
            exit: input.exit(allow_empty).code(),
            format: None,
            error: None,
            resources: 0,
            baseline_has_to_shrink: false,
            judged: 0,
            verdicts: BTreeMap::new(),
            notes: Vec::new(),
            findings: FindingReports { findings: &[], rules },
            not_covered: BTreeMap::new(),
        };
        match &input.result {
            Ok(assessment) => report.fill(assessment),
            Err(error) => report.error = Some(error.to_string()),
        }
        report
    }

    fn fill(&mut self, assessment: &'a Assessment<'a>) {
        self.format = Some(assessment.graph.format().name());
        self.resources = assessment.graph.len();
        self.judged = assessment.recognised;
        self.baseline_has_to_shrink = assessment.baseline_has_to_shrink;
        self.verdicts =
            Verdict::ALL.iter().map(|verdict| (verdict.word(), assessment.count(*verdict))).collect();
        self.notes = assessment.graph.notes().iter().map(NoteReport::new).collect();
        self.findings.findings = &assessment.findings;
        self.not_covered = assessment.not_covered.clone();
    }
}

impl<'a> FindingReport<'a> {
    fn new(finding: &'a Finding<'a>, rules: &'a RuleSet) -> Self {
        let Finding { rule, cell, resource, verdict, observed, waiver } = finding;
        let place = resource.place.as_ref();
        Self {
            rule: rule.id.as_str(),
            title: &rule.title,
            aspect: cell.aspect.as_deref(),
            severity: rule.severity.word(),
            verdict: verdict.word(),
            address: &resource.address,
            kind: &resource.kind,
            modules: modules(finding),
            file: place.map(|place| &*place.file),
            line: place.map(|place| place.line),
            drift: resource.role == crate::graph::Role::Drifted,
            observed: observed.iter().map(observation).collect(),
            expected: &cell.expected,
            citations: citations_of(finding.rule, finding.cell, rules),
            consequence: consequences(rule, cell, rules),
            fix: cell.fix.as_deref(),
            rule_hash: &rule.hash,
            waiver: waiver.as_deref(),
        }
    }
}

fn observation(seen: &crate::finding::Observation) -> ObservationReport<'_> {
    ObservationReport {
        address: seen.address.as_deref(),
        path: &seen.path,
        value: &seen.value,
        origin: &seen.origin,
    }
}

/// The calls of modules around a resource, outermost first.
fn modules(finding: &Finding<'_>) -> Vec<String> {
    let steps = finding.resource.module.steps().iter();
    steps
        .map(|step| {
            let key = step.key.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("module.{}{key}", step.name)
        })
        .collect()
}

/// The paragraphs of a part of a rule.
pub(super) fn citations_of<'a>(
    rule: &'a Rule,
    cell: &'a Cell,
    rules: &'a RuleSet,
) -> Vec<CitationReport<'a>> {
    let cited = rules.citations_of(rule, cell).into_iter();
    cited
        .map(|(cited, citation)| CitationReport {
            key: &citation.key,
            cite: &citation.cite,
            title: &citation.title,
            strength: Strength::word(citation.strength),
            relation: Relation::word(cited.relation),
            rationale: &cited.rationale,
            summary: &citation.summary,
            paragraph_checked: matches!(citation.paragraph, ParagraphHash::Sha256(_)),
            verified: citation.verified.as_deref(),
        })
        .collect()
}

/// What follows: from the rule itself, then from its requirements.
pub(super) fn consequences<'a>(rule: &'a Rule, cell: &'a Cell, rules: &'a RuleSet) -> Vec<&'a str> {
    let own = rule.consequence.as_deref();
    let required = rules.requirements_of(rule, cell).map(|requirement| &*requirement.consequence);
    own.into_iter().chain(required).collect()
}
