//! The questionnaire cases of the FHIR validator, which Ward did not write: whether a response
//! is refused, and which element the finding is about. They are read where `WARD_CORPORA` points and
//! never copied.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "agreement and skips must be seen")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use ward_forms::{Finding, Questionnaire, QuestionnaireResponse, Severity, validate_among};

/// Cases at hand, and how many agree. The counts of agreement may only rise.
const CASES: usize = 37;
const SAME_VERDICT: usize = 37;
const SAME_ELEMENTS: usize = 35;

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("forms/fhir-validator"));
    if root.is_none() {
        println!("skipped: WARD_CORPORA is not set, so there are no validator cases to compare with");
    }
    root
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {} can't be read: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path)).unwrap()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap()
}

/// Severity and element of each issue of an expected outcome.
fn expected(outcome: &Value) -> BTreeSet<(Severity, String)> {
    let issues = outcome["issue"].as_array().into_iter().flatten();
    issues
        .map(|issue| {
            let severity = match text(issue, "severity") {
                "fatal" | "error" => Severity::Error,
                "warning" => Severity::Warning,
                _ => Severity::Information,
            };
            (severity, issue["expression"][0].as_str().unwrap().to_owned())
        })
        .collect()
}

fn found(findings: &[Finding]) -> BTreeSet<(Severity, String)> {
    findings.iter().map(|finding| (finding.severity, finding.location.clone().unwrap_or_default())).collect()
}

fn errors(all: &BTreeSet<(Severity, String)>) -> BTreeSet<&str> {
    all.iter().filter(|(severity, _)| *severity == Severity::Error).map(|(_, at)| at.as_str()).collect()
}

#[test]
fn corpora_verdicts_and_elements_agree() {
    let Some(root) = corpora() else { return };
    let cases = json(&root.join("cases.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), CASES);
    let (mut same_verdict, mut same_elements) = (0, 0);
    let (mut other_verdict, mut other_elements) = (Vec::new(), Vec::new());
    for case in cases {
        let response = QuestionnaireResponse::parse(&read(&root.join(text(case, "response")))).unwrap();
        let forms: Vec<Questionnaire> = case["questionnaires"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| Questionnaire::parse(&read(&root.join(name.as_str().unwrap()))).unwrap())
            .collect();
        let findings = validate_among(&forms, &response);
        let expected = expected(&json(&root.join(text(case, "outcome"))));
        let found = found(&findings);
        let is_refused = !errors(&found).is_empty();
        let agrees = is_refused == case["must_fail"].as_bool().unwrap();
        same_verdict += usize::from(agrees);
        // Warnings that the other validator gives must be there too; Ward may give more.
        let is_same_place = errors(&found) == errors(&expected);
        let has_warnings = expected.iter().all(|(_, at)| found.iter().any(|(_, own)| own == at));
        same_elements += usize::from(is_same_place && has_warnings);
        let verdict = if is_refused { "refused" } else { "accepted" };
        let mark = match (agrees, is_same_place && has_warnings) {
            (true, true) => "agrees",
            (true, false) => "agrees, another element",
            (false, _) => "DISAGREES",
        };
        println!("{}: {verdict}, {mark}", text(case, "name"));
        other_verdict.extend((!agrees).then(|| text(case, "name")));
        other_elements.extend((mark != "agrees").then(|| text(case, "name")));
        if mark != "agrees" {
            println!("    expected {expected:?}\n    found    {found:?}");
        }
    }
    println!("corpus fhir-validator, verdicts: {same_verdict}/{CASES} {}", other_verdict.join(", "));
    println!("corpus fhir-validator, elements: {same_elements}/{CASES} {}", other_elements.join(", "));
    assert!(same_verdict >= SAME_VERDICT, "{same_verdict} verdicts agree, there were {SAME_VERDICT}");
    assert!(same_elements >= SAME_ELEMENTS, "{same_elements} elements agree, there were {SAME_ELEMENTS}");
}
