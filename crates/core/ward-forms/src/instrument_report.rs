//! What checks of forms found, for a terminal, for programs, and for code-scanning tools.
//!
//! Source: SARIF 2.1.0 (OASIS), §3.13 to §3.54.

use crate::finding::{Finding, Severity};
use crate::instrument_check::InstrumentCheck;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const SARIF_SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A checked form and the name of its file.
#[derive(Debug, Clone)]
pub struct CheckedFile {
    /// The file, as it was named.
    pub name: String,
    /// What was found.
    pub check: InstrumentCheck,
}

/// The report as lines of text. Characters that a terminal would obey are shown as `\u{fffd}`.
#[must_use]
pub fn text_report(files: &[CheckedFile]) -> String {
    let mut out = String::new();
    for file in files {
        let (errors, warnings) = (count(&file.check, Severity::Error), count(&file.check, Severity::Warning));
        for finding in &file.check.findings {
            let path = finding.path.to_string();
            let place = if path.is_empty() { "the form" } else { path.as_str() };
            let level = level_word(finding.severity);
            out.push_str(&shown(&format!(
                "{}: {place}: {level} {}: {}",
                file.name, finding.code, finding.message
            )));
            out.push('\n');
        }
        let verdict = if file.check.can_be_published() { "can be published" } else { "can't be published" };
        let counted = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
        out.push_str(&shown(&format!("{}: {counted}; it {verdict}.", file.name)));
        out.push('\n');
    }
    out
}

/// The report as JSON.
#[must_use]
pub fn json_report(files: &[CheckedFile]) -> Value {
    let files: Vec<Value> = files
        .iter()
        .map(|file| {
            let form = file.check.form.as_ref();
            json!({
                "file": file.name,
                "canonical": form.and_then(crate::Questionnaire::canonical),
                "items": form.map(|form| form.items().len()),
                "canBePublished": file.check.can_be_published(),
                "errors": count(&file.check, Severity::Error),
                "warnings": count(&file.check, Severity::Warning),
                "findings": file.check.findings.iter().map(json_finding).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"files": files})
}

fn json_finding(finding: &Finding) -> Value {
    json!({
        "path": finding.path.to_string(),
        "code": finding.code.as_str(),
        "severity": level_word(finding.severity),
        "message": finding.message,
    })
}

/// The report as SARIF 2.1.0, of one run of this version of Ward.
#[must_use]
pub fn sarif_report(files: &[CheckedFile], version: &str) -> Value {
    let findings = || files.iter().flat_map(|file| &file.check.findings);
    let rules: BTreeSet<&str> = findings().map(|finding| finding.code.as_str()).collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|file| file.check.findings.iter().map(|finding| sarif_result(file, finding, &rules)))
        .collect();
    json!({
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "ward",
                "version": version,
                "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn sarif_result(file: &CheckedFile, finding: &Finding, rules: &BTreeSet<&str>) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    };
    let mut location = Map::new();
    location.insert("physicalLocation".to_owned(), json!({"artifactLocation": {"uri": uri(&file.name)}}));
    if let Some(link_id) = finding.path.link_id() {
        let logical =
            json!({"name": link_id, "fullyQualifiedName": finding.path.to_string(), "kind": "element"});
        location.insert("logicalLocations".to_owned(), json!([logical]));
    }
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": rules.iter().position(|rule| *rule == finding.code.as_str()),
        "level": level,
        "message": {"text": finding.message},
        "locations": [location],
    })
}

/// A file's name as a relative or absolute URI reference (RFC 3986 §2.1).
fn uri(name: &str) -> String {
    let mut out = String::new();
    for byte in name.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn level_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "information",
    }
}

fn count(check: &InstrumentCheck, severity: Severity) -> usize {
    check.findings.iter().filter(|finding| finding.severity == severity).count()
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn shown(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if obeyed(c) { '\u{fffd}' } else { c }).collect()
}
