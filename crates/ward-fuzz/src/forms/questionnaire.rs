//! Forms as authors write them: `JSON`, then a zero byte and choices for a walk through the form.

use super::walk::walk;
use super::written_again::{as_dense, as_json};
use crate::Target;
use crate::choices::{Choices, parts};
use crate::limits::{FINDINGS_PER_BYTE_MAX, MESSAGE_MAX_BYTES};
use ward_forms::{
    Answering, CheckedFile, Finding, InstrumentCheck, LanguageChoice, Questionnaire, check_instrument,
    json_report, lint, sarif_report, score_symptoms, text_report, validate,
};

pub(crate) const TARGET: Target = Target {
    name: "questionnaire",
    about: "a form is read or refused with a finding, both entry points agree, a walk through it ends in a response that holds",
    words: &[
        r#""resourceType":"Questionnaire""#,
        r#""linkId":""#,
        r#""type":""#,
        r#""text":""#,
        r#""item":["#,
        r#""required":true"#,
        r#""repeats":true"#,
        r#""readOnly":true"#,
        r#""maxLength":"#,
        r#""initial":["#,
        r#""answerOption":["#,
        r#""answerValueSet":""#,
        r#""contained":["#,
        r#""enableWhen":["#,
        r#""question":""#,
        r#""operator":""#,
        r#""exists""#,
        r#""enableBehavior":"any""#,
        r#""answerBoolean":true"#,
        r#""valueCoding":{"#,
        r#""valueString":""#,
        r#""valueInteger":"#,
        r#""extension":["#,
        r#""url":""#,
        r#""valueExpression":{"#,
        r#""language":"text/fhirpath""#,
        r#""expression":""#,
        r#""code":["#,
        r#""prefix":""#,
        r#""group""#,
        r#""choice""#,
        r#""open-choice""#,
        r#""quantity""#,
        r#""decimal""#,
        "/uv/sdc/StructureDefinition/sdc-questionnaire-",
        "http://hl7.org/fhir/StructureDefinition/",
        "calculatedExpression",
        "enableWhenExpression",
        "variable",
        "itemWeight",
        "minOccurs",
        "maxOccurs",
        "regex",
        "translation",
        "minValue",
        "maxValue",
        "maxDecimalPlaces",
        "questionnaire-unitOption",
        "questionnaire-optionExclusive",
        "targetConstraint",
    ],
    run,
};

fn run(input: &[u8]) {
    let [json, choices] = parts(input);
    let check = check_instrument(json);
    let read = Questionnaire::parse(json);
    assert_eq!(read.is_ok(), check.form.is_some(), "reading and checking agree on what is a form");
    assert!(check.form.is_some() || check.findings.iter().any(Finding::is_error), "a refusal says why");
    if let Ok(form) = &read {
        assert_eq!(form.as_json(), json, "the form keeps its bytes");
        let errors = |findings: &[Finding]| findings.iter().filter(|finding| finding.is_error()).count();
        assert!(errors(&lint(form)) == 0 || !check.can_be_published(), "what lint refuses is not published");
        places(form);
        filled_in(form, Choices::of(choices));
    }
    bounded(json.len(), &check.findings);
    reported(check);
}

/// Each item stands where its index, its linkId and its path say.
fn places(form: &Questionnaire) {
    let languages = LanguageChoice::of(form.language().unwrap_or("de-AT"));
    for item in form.items() {
        assert!(form.get(item.index).is_some_and(|found| found.link_id == item.link_id), "its own place");
        assert!(form.item(&item.link_id).is_some_and(|found| found.index == item.index), "its own linkId");
        assert_eq!(form.path_of(item).link_id(), Some(item.link_id.as_str()), "its own path");
        let shown = form.text_of(item, &languages).is_some();
        assert!(shown || item.text.is_none(), "a text is shown in some language");
        item.options.listed().iter().for_each(|option| drop(form.label_of(option, &languages)));
    }
}

fn filled_in(form: &Questionnaire, mut choices: Choices<'_>) {
    let answering = walk(form, &mut choices);
    let progress = answering.progress();
    assert!(progress.answered <= progress.asked, "no more answers than questions");
    if let Some(draft) = as_json(&answering.draft()) {
        let resumed = Answering::resume(form.clone(), draft);
        assert_eq!(resumed.progress(), progress, "a draft that was kept is as far as before");
        assert!(resumed.says_the_same(&answering.draft()), "a draft that was kept says the same");
    }
    match answering.finish(Some("2026-03-01T09:30:00Z")) {
        Ok(done) => {
            assert_eq!(progress.owed, 0, "what is finished owes nothing");
            let again = as_json(&done);
            for response in std::iter::once(&done).chain(&again) {
                assert!(!validate(form, response).iter().any(Finding::is_error), "what is finished holds");
            }
            as_dense(form, &done);
            drop(score_symptoms(form, &done));
        }
        Err(findings) => assert!(findings.iter().any(Finding::is_error), "a refusal says why"),
    }
    as_dense(form, &answering.draft());
}

/// An answer to an input is not much longer than the input.
pub(super) fn bounded(input_bytes: usize, findings: &[Finding]) {
    let most = input_bytes.saturating_mul(FINDINGS_PER_BYTE_MAX).saturating_add(1);
    assert!(findings.len() <= most, "{} findings for {input_bytes} bytes", findings.len());
    for finding in findings {
        let bytes = finding.message.len();
        assert!(
            (1..=MESSAGE_MAX_BYTES).contains(&bytes),
            "a message of {bytes} bytes ({})",
            finding.code.as_str()
        );
    }
}

/// Each report has every finding once, and no terminal obeys it.
fn reported(check: InstrumentCheck) {
    let count = check.findings.len();
    let files = [CheckedFile { name: "form.json".to_owned(), check }];
    let text = text_report(&files);
    assert_eq!(text.lines().count(), count + 1, "a line a finding, and one that sums up");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "no control character in a report");
    let listed = |report: &serde_json::Value, pointer: &str| {
        report.pointer(pointer).and_then(serde_json::Value::as_array).map(Vec::len)
    };
    assert_eq!(listed(&json_report(&files), "/files/0/findings"), Some(count), "the JSON report is whole");
    assert_eq!(listed(&sarif_report(&files, "1"), "/runs/0/results"), Some(count), "SARIF is whole");
}
