//! Responses as devices and other systems send them: the response, a zero byte, and perhaps a form.

use super::questionnaire::bounded;
use super::written_again::{as_dense, as_json};
use crate::Target;
use crate::choices::parts;
use crate::fixtures::QUESTIONNAIRES;
use serde_json::Value;
use ward_forms::{
    Answering, Finding, Questionnaire, QuestionnaireResponse, score_symptoms, validate, validate_among,
};

pub(crate) const TARGET: Target = Target {
    name: "response",
    about: "a response is written back as it was read, digit for digit; every form gives it one verdict; the dense form gives it back",
    words: &[
        r#""resourceType":"QuestionnaireResponse""#,
        r#""questionnaire":""#,
        r#""status":"completed""#,
        r#""status":"in-progress""#,
        r#""status":"amended""#,
        r#""authored":""#,
        r#""linkId":""#,
        r#""item":["#,
        r#""answer":["#,
        r#""valueBoolean":"#,
        r#""valueDecimal":"#,
        r#""valueInteger":"#,
        r#""valueDate":""#,
        r#""valueDateTime":""#,
        r#""valueTime":""#,
        r#""valueString":""#,
        r#""valueUri":""#,
        r#""valueCoding":{"#,
        r#""valueQuantity":{"#,
        r#""system":""#,
        r#""code":""#,
        r#""display":""#,
        r#""unit":""#,
        r#""value":"#,
        r#""_valueDate":{"#,
        r#""extension":["#,
        "1.50",
        "-0",
        "1e-7",
        "2026-02-30",
        "24:00:00",
        "null",
        "https://ward.example/fhir/Questionnaire/every-type|1",
    ],
    run,
};

fn run(input: &[u8]) {
    let [json, form] = parts(input);
    let Ok(response) = QuestionnaireResponse::parse(json) else { return };
    read_whole(json, &response);
    let again = as_json(&response);
    let carried = Questionnaire::parse(form).ok();
    for form in QUESTIONNAIRES.iter().chain(&carried) {
        judged(json.len(), form, &response, again.as_ref());
        as_dense(form, &response);
        gone_on_with(form, &response);
    }
    let forms: Vec<Questionnaire> = QUESTIONNAIRES.iter().chain(&carried).cloned().collect();
    among(&forms, &response);
}

/// Nothing was lost and nothing added.
fn read_whole(json: &[u8], response: &QuestionnaireResponse) {
    let sent: Option<Value> = serde_json::from_slice(json).ok();
    assert!(sent.as_ref() == Some(&response.to_value()), "a response says what was sent");
    // Where no character is escaped, one text has one spelling, but for the blanks between its parts.
    if !json.contains(&b'\\') {
        let written = response.to_json();
        assert!(written == without_blanks(json), "a response is written as it was sent, digit for digit");
    }
}

/// JSON without the blanks between its parts.
fn without_blanks(json: &[u8]) -> Vec<u8> {
    let mut in_text = false;
    let keep = |byte: &u8| {
        in_text ^= *byte == b'"';
        in_text || !byte.is_ascii_whitespace()
    };
    json.iter().copied().filter(keep).collect()
}

/// One verdict, before the response was kept and after.
fn judged(
    json_bytes: usize,
    form: &Questionnaire,
    response: &QuestionnaireResponse,
    again: Option<&QuestionnaireResponse>,
) {
    let findings = validate(form, response);
    bounded(json_bytes.saturating_add(form.as_json().len()), &findings);
    if let Some(again) = again {
        assert!(findings == validate(form, again), "a response that was kept gets the same verdict");
        assert!(score_symptoms(form, response) == score_symptoms(form, again), "and the same scores");
    }
}

/// Going on with it as a draft, or correcting it, ends in a response that holds, or says why not.
fn gone_on_with(form: &Questionnaire, response: &QuestionnaireResponse) {
    let resumed = Answering::resume(form.clone(), response.clone());
    let amended = Answering::amend(form.clone(), response.clone());
    for answering in [resumed, amended] {
        drop(answering.next_question());
        let progress = answering.progress();
        assert!(progress.answered <= progress.asked, "no more answers than questions");
        match answering.finish(None) {
            Ok(done) => {
                assert!(!validate(form, &done).iter().any(Finding::is_error), "what is finished holds")
            }
            Err(findings) => assert!(findings.iter().any(Finding::is_error), "a refusal says why"),
        }
    }
}

/// Among several forms the one that the response names judges it, and nobody else.
fn among(forms: &[Questionnaire], response: &QuestionnaireResponse) {
    let findings = validate_among(forms, response);
    let named = response.questionnaire();
    let is_named = |form: &&Questionnaire| {
        named.is_some() && (form.canonical().as_deref() == named || form.url() == named)
    };
    match forms.iter().find(is_named) {
        Some(form) => assert!(findings == validate(form, response), "the named form judges"),
        None => assert!(findings.len() == 1 && findings.iter().all(Finding::is_error), "no form, no verdict"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_within_a_text_stay() {
        assert_eq!(without_blanks(b"{ \"a b\" :\n[1, 2.50] }"), b"{\"a b\":[1,2.50]}");
    }
}
