//! The report as SARIF 2.1.0, for tools that show findings beside the code.
//!
//! Source: SARIF 2.1.0 (OASIS), §3.13 to §3.54. A violation is a result of kind `fail`; what is not known
//! or was not evaluated is `open`, with level `none` as §3.27.10 asks for. Such results do not stand alone:
//! a run in which anything blocks and is no violation says so in its notifications.

use super::BASELINE_HAS_TO_SHRINK;
use super::data::consequences;
use super::source_files::SourceFiles;
use super::{Checked, exit_of};
use crate::evaluate::Assessment;
use crate::finding::{Finding, Observation};
use crate::law::Citation;
use crate::rules::{Rule, RuleSet, Severity};
use crate::verdict::{Exit, Verdict};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Name of the taxonomy in which the paragraphs stand.
const LAW: &str = "law";

/// The report of these inputs, of one run of this version of Ward.
#[must_use]
pub fn sarif(
    inputs: &[Checked<'_>],
    rules: &RuleSet,
    allow_empty: bool,
    files: &dyn SourceFiles,
    version: &str,
) -> Value {
    let log = Log::new(inputs, rules, files);
    let results: Vec<Value> = log.findings().map(|(input, finding)| log.result(input, finding)).collect();
    let exit = exit_of(inputs, allow_empty);
    let notifications = notifications(inputs, allow_empty);
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "ward",
                "version": version,
                "rules": log.rules.values().map(|rule| log.descriptor(rule)).collect::<Vec<_>>(),
            }},
            "taxonomies": [{
                "name": LAW,
                "shortDescription": {"text": "Paragraphs that a finding would violate or work against."},
                "taxa": log.law.values().map(|citation| taxon(citation)).collect::<Vec<_>>(),
            }],
            "invocations": [{
                "executionSuccessful": notifications.is_empty(),
                "exitCode": exit.code(),
                "exitCodeDescription": exit_words(exit),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

const fn exit_words(exit: Exit) -> &'static str {
    match exit {
        Exit::Pass => "everything is proven",
        Exit::Violation => "a rule is not met",
        Exit::Indeterminate => "something could not be known or evaluated",
        Exit::NotRead => "an input was not read",
    }
}

/// What blocks and is no finding: inputs that were not read, and what is said of an input as a whole.
fn notifications(inputs: &[Checked<'_>], allow_empty: bool) -> Vec<Value> {
    let mut told = Vec::new();
    let mut tell = |input: &str, text: &str| {
        told.push(json!({"level": "error", "message": {"text": format!("{input}: {text}")}}));
    };
    for input in inputs {
        match &input.result {
            Err(error) => tell(input.name, &format!("not read: {error}")),
            Ok(assessment) => {
                for note in assessment.graph.notes().iter().filter(|note| note.blocks) {
                    tell(input.name, &note.text);
                }
                if assessment.recognised == 0 && !allow_empty {
                    tell(input.name, "no rule knows any of its resources, so nothing was proven");
                }
                if assessment.baseline_has_to_shrink {
                    tell(input.name, BASELINE_HAS_TO_SHRINK);
                }
                for finding in &assessment.findings {
                    let what = match finding.verdict {
                        Verdict::Error => "could not be evaluated",
                        Verdict::Indeterminate => "is not known before the deployment",
                        _ => continue,
                    };
                    let at = &finding.resource.address;
                    tell(input.name, &format!("{} {what} for {at}", finding.rule.id));
                }
            }
        }
    }
    told
}

fn taxon(citation: &Citation) -> Value {
    json!({
        "id": citation.cite,
        "name": citation.title,
        "shortDescription": {"text": citation.summary},
        "helpUri": citation.source,
        "properties": {"strength": citation.strength.word()},
    })
}

/// What the parts of a log point at by their places.
struct Log<'l> {
    inputs: &'l [Checked<'l>],
    set: &'l RuleSet,
    files: &'l dyn SourceFiles,
    /// Rules with findings, by their ids.
    rules: BTreeMap<&'l str, &'l Rule>,
    /// The paragraphs of these rules, by their citations.
    law: BTreeMap<&'l str, &'l Citation>,
}

impl<'l> Log<'l> {
    fn new(inputs: &'l [Checked<'l>], set: &'l RuleSet, files: &'l dyn SourceFiles) -> Self {
        let mut log = Self { inputs, set, files, rules: BTreeMap::new(), law: BTreeMap::new() };
        let read = inputs.iter().filter_map(|input| input.result.as_ref().ok());
        for finding in read.flat_map(|assessment: &Assessment<'_>| &assessment.findings) {
            // The same rules, as the set holds them: they live as long as the log.
            let Some(rule) = set.rule(finding.rule.id.as_str()) else { continue };
            log.rules.insert(rule.id.as_str(), rule);
            for cell in &rule.cells {
                for (_, citation) in set.citations_of(rule, cell) {
                    log.law.insert(&citation.cite, citation);
                }
            }
        }
        log
    }

    fn findings(&self) -> impl Iterator<Item = (&'l str, &'l Finding<'l>)> {
        let read = self.inputs.iter().filter_map(|input| Some((input.name, input.result.as_ref().ok()?)));
        read.flat_map(|(name, assessment)| assessment.findings.iter().map(move |finding| (name, finding)))
    }

    fn descriptor(&self, rule: &Rule) -> Value {
        let parts = rule.cells.iter().flat_map(|cell| self.set.citations_of(rule, cell));
        let cites: BTreeSet<&str> = parts.map(|(_, citation)| &*citation.cite).collect();
        let relationships: Vec<Value> = cites
            .iter()
            .map(
                |cite| json!({"target": {"id": cite, "toolComponent": {"name": LAW}}, "kinds": ["relevant"]}),
            )
            .collect();
        let consequences: BTreeSet<&str> =
            rule.cells.iter().flat_map(|cell| consequences(rule, cell, self.set)).collect();
        let why = consequences.into_iter().collect::<Vec<_>>().join(" ");
        json!({
            "id": rule.id.as_str(),
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": why},
            "help": {"text": format!("{}. {why} Law: {}.", rule.title, cites.into_iter().collect::<Vec<_>>().join("; "))},
            "defaultConfiguration": {"level": level(rule.severity)},
            "relationships": relationships,
            "properties": {
                "security-severity": security_severity(rule.severity),
                "tags": ["security", &*rule.area],
                "version": rule.hash,
            },
        })
    }

    fn result(&self, input: &str, finding: &Finding<'_>) -> Value {
        let id = finding.rule.id.as_str();
        let is_violation = matches!(finding.verdict, Verdict::Fail | Verdict::Waived);
        let citations = self.set.citations_of(finding.rule, finding.cell);
        let taxa: Vec<Value> = citations
            .iter()
            .map(|(_, citation)| json!({"id": citation.cite, "toolComponent": {"name": LAW}}))
            .collect();
        let mut result = Map::new();
        result.insert("ruleId".to_owned(), json!(id));
        result.insert("ruleIndex".to_owned(), json!(self.rules.keys().position(|known| *known == id)));
        result.insert("kind".to_owned(), json!(if is_violation { "fail" } else { "open" }));
        let level = if is_violation { level(finding.rule.severity) } else { "none" };
        result.insert("level".to_owned(), json!(level));
        result.insert("message".to_owned(), json!({"text": message(finding, citations.first())}));
        result.insert("locations".to_owned(), json!([self.location(input, finding)]));
        result.insert("partialFingerprints".to_owned(), json!({"wardFinding/v1": fingerprint(finding)}));
        result.insert("taxa".to_owned(), Value::Array(taxa));
        result.insert("properties".to_owned(), json!({"verdict": finding.verdict.word()}));
        if finding.verdict == Verdict::Waived {
            let by = finding.waiver.as_deref().unwrap_or_default();
            let suppression = json!({"kind": "external", "status": "accepted", "justification": by});
            result.insert("suppressions".to_owned(), json!([suppression]));
        }
        Value::Object(result)
    }

    fn location(&self, input: &str, finding: &Finding<'_>) -> Value {
        let resource = finding.resource;
        let physical = match &resource.place {
            Some(place) => json!({
                "artifactLocation": {"uri": uri(&self.files.path(input, &place.file))},
                "region": {"startLine": place.line.max(1)},
            }),
            None => json!({"artifactLocation": {"uri": uri(input)}}),
        };
        json!({
            "physicalLocation": physical,
            "logicalLocations": [{
                "name": resource.name,
                "fullyQualifiedName": resource.address,
                "kind": "resource",
            }],
        })
    }
}

fn message(finding: &Finding<'_>, first: Option<&(&crate::law::Cited, &Citation)>) -> String {
    let observed: Vec<String> = finding.observed.iter().map(Observation::line).collect();
    let word = match finding.verdict {
        Verdict::Fail | Verdict::Waived => "is not met",
        Verdict::Indeterminate => "is not known before the deployment",
        _ => "could not be evaluated",
    };
    let mut text = format!("{} {word} by {}.", finding.rule.title, finding.resource.address);
    // Writing to a text does not fail.
    if !observed.is_empty() {
        let _ = write!(text, " Observed: {}.", observed.join("; "));
    }
    let _ = write!(text, " Expected: {}.", finding.cell.expected);
    if let Some((_, citation)) = first {
        let _ = write!(text, " {} {}: {}", citation.cite, citation.title, citation.summary);
    }
    text
}

/// The same for the same finding of later runs, wherever its lines have moved to.
fn fingerprint(finding: &Finding<'_>) -> String {
    let mut hasher = Sha256::new();
    let role = format!("{:?}", finding.resource.role);
    let aspect = finding.cell.aspect.as_deref().unwrap_or_default();
    for part in [finding.rule.id.as_str(), aspect, &finding.resource.address, &role] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    ward_id::hex_encode(hasher.finalize().get(..16).unwrap_or_default())
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// As tools that scan code sort them: over 9 is critical, over 7 high, over 4 medium.
const fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

/// A file's name as a relative or absolute URI reference, RFC 3986 §2.1.
fn uri(name: &str) -> String {
    let mut out = String::new();
    for byte in name.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // As above.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
