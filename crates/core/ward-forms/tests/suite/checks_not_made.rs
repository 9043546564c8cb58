//! Expressions that fail: what is at hand and fails excuses nobody, what is not at hand is said, and what
//! would make a response unreadable is not calculated.

use crate::form_parts::{
    calculated, enabled, form, initial, item, locked, min_occurs, of, required, top, with,
};
use serde_json::{Value, json};
use std::sync::Arc;
use ward_forms::limits::{MAX_CALCULATED_BYTES, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
use ward_forms::{
    AnswerError, AnswerValue, Answering, Coding, ExpressionFailure, Finding, FindingCode, ItemPath,
    Questionnaire, QuestionnaireResponse, Severity, Surroundings, validate, validate_in,
};

fn codes(findings: &[Finding]) -> Vec<(String, &'static str, Severity)> {
    findings.iter().map(|found| (found.path.to_string(), found.code.as_str(), found.severity)).collect()
}

fn response(status: &str, items: &Value) -> QuestionnaireResponse {
    let json = json!({"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": status, "item": items});
    QuestionnaireResponse::parse(&serde_json::to_vec(&json).unwrap()).unwrap()
}

/// Which pains there are, and a question that a broken expression gates.
fn broken_gate() -> Arc<Questionnaire> {
    let gate = format!("{} > 1", of("pain"));
    Arc::new(form(json!([
        {"linkId": "pain", "type": "integer", "text": "T", "repeats": true},
        required(item("worst", "integer", json!([enabled(&gate)]))),
        with(required(item("part", "group", json!([enabled(&gate)]))), "item", json!([
            {"linkId": "where", "type": "string", "text": "T"}])),
    ])))
}

#[test]
fn an_expression_that_fails_with_all_at_hand_excuses_nobody() {
    let form = broken_gate();
    let mut answering = Answering::new_in(Arc::clone(&form), Surroundings::new());
    let numbers = vec![AnswerValue::Integer(1), AnswerValue::Integer(2)];
    answering.answer_all(&top("pain"), numbers).unwrap();
    let step = answering.question(&top("worst")).unwrap();
    assert!(step.is_owed, "two answers are no excuse");
    assert!(
        step.findings.iter().any(|found| found.message.contains("so it is asked")),
        "{:?}",
        step.findings
    );
    let owed = codes(&answering.finish(None).unwrap_err());
    let error = |path: &str| (path.to_owned(), "required", Severity::Error);
    assert_eq!(owed, [error("worst"), error("part")]);
    answering.answer(&top("worst"), AnswerValue::Integer(2)).unwrap();
    answering.answer(&top("part").child("where", 0), AnswerValue::text("knee")).unwrap();
    let done = answering.finish(None).unwrap();
    let told = codes(&validate(&form, &done));
    assert!(
        told.contains(&("worst".to_owned(), "expression-failed", Severity::Warning)),
        "the site is told: {told:?}"
    );
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn what_could_not_be_checked_years_later_is_said() {
    let form = form(json!([
        required(item("weeks", "integer", json!([enabled("%patient.gender = 'female'")]))),
        locked(item("age", "integer", json!([calculated("%patient.age")]))),
        required(item("open", "integer", json!([]))),
        with(
            required(item("part", "group", json!([enabled("%patient.gender = 'female'")]))),
            "item",
            json!([
            {"linkId": "in_part", "type": "integer", "text": "T"}])
        ),
        with(
            with(
                item("births", "group", json!([enabled("%patient.gender = 'female'"), min_occurs(1)])),
                "repeats",
                json!(true)
            ),
            "item",
            json!([{"linkId": "year", "type": "integer", "text": "T"}])
        ),
    ]));
    let items = json!([{"linkId": "age", "answer": [{"valueInteger": 44}]}, {"linkId": "open", "answer": [{"valueInteger": 1}]}]);
    let written = response("completed", &items);
    let not_checked: Vec<String> = validate(&form, &written)
        .into_iter()
        .filter(|found| found.code == FindingCode::NotChecked)
        .map(|found| found.path.to_string())
        .collect();
    assert_eq!(not_checked, ["weeks", "age", "part", "births"]);
    let patient = json!({"resourceType": "Patient", "gender": "male", "age": 44});
    let known = Surroundings::new().with_resource("patient", patient);
    assert_eq!(codes(&validate_in(&form, &written, &known)), []);
    assert!(
        !validate(&form, &response("in-progress", &items))
            .iter()
            .any(|found| found.code == FindingCode::NotChecked)
    );
}

#[test]
fn a_calculated_text_is_never_too_long_to_be_read_again() {
    let doubled = |times: usize| format!("{}{}", of("a"), ".select($this & $this)".repeat(times));
    let form = form(json!([
        {"linkId": "a", "type": "string", "text": "T"},
        item("fits", "text", json!([calculated(&doubled(5))])),
        item("long", "text", json!([calculated(&format!("{} & 'x'", doubled(5)))])),
        item("first", "text", json!([initial(&format!("{} & 'x'", doubled(5)))])),
    ]));
    let mut answering = Answering::new(form);
    answering.answer(&top("a"), AnswerValue::text("a".repeat(MAX_CALCULATED_BYTES / 32))).unwrap();
    let calculated = |link_id: &str| answering.item(&top(link_id)).unwrap().calculated;
    assert!(matches!(calculated("fits"), Some(Ok(values)) if values.len() == 1));
    let limit_bytes = MAX_CALCULATED_BYTES;
    assert_eq!(calculated("long"), Some(Err(ExpressionFailure::TooLong { limit_bytes })));
    let draft = answering.draft().to_json();
    assert!(QuestionnaireResponse::parse(&draft).is_ok());
}

#[test]
fn answers_that_nobody_could_read_again_are_not_given_away() {
    let form = form(json!([{"linkId": "a", "type": "text", "text": "T", "repeats": true}]));
    let mut answering = Answering::new(form);
    let texts = |bytes: usize| {
        vec![AnswerValue::text("a".repeat(bytes / 2)), AnswerValue::text("b".repeat(bytes / 2))]
    };
    answering.answer_all(&top("a"), texts(MAX_RESPONSE_BYTES)).unwrap();
    let found = answering.finish(None).unwrap_err();
    assert_eq!(found[0].code, FindingCode::ResponseTooLarge);
    assert!(answering.ask_again(&found), "it can be made shorter");
    answering.answer_all(&top("a"), texts(MAX_RESPONSE_BYTES - 400)).unwrap();
    assert!(QuestionnaireResponse::parse(&answering.finish(None).unwrap().to_json()).is_ok());
}

#[test]
fn a_session_adds_no_more_instances_than_a_draft_may_hold() {
    let questions: Vec<Value> =
        (0..99).map(|n| json!({"linkId": format!("q{n}"), "type": "integer", "text": "T"})).collect();
    let inner = json!({"linkId": "inner", "type": "group", "text": "T", "repeats": true, "item": questions});
    let form =
        form(json!([{"linkId": "outer", "type": "group", "text": "T", "repeats": true, "item": [inner]}]));
    let mut answering = Answering::new(form);
    let mut count = 0;
    let refused = loop {
        let outer = ItemPath::root().child("outer", count / 100);
        let path =
            if count % 100 == 0 { ItemPath::root().child("outer", 0) } else { outer.child("inner", 0) };
        match answering.add_instance(&path) {
            Ok(_) => count += 1,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AnswerError::NoMoreInstances { .. }));
    let items = answering.items().len();
    assert!(items <= MAX_RESPONSE_ITEMS && items > MAX_RESPONSE_ITEMS - 202, "{items}");
}

#[test]
fn a_correction_keeps_words_that_were_signed() {
    let option = json!([{"valueCoding": {"system": "s", "code": "1", "display": "Mild"}}]);
    let form = Arc::new(form(json!([
        {"linkId": "a", "type": "choice", "text": "T", "answerOption": option, "readOnly": true},
        {"linkId": "c", "type": "choice", "text": "T", "answerOption": option},
        {"linkId": "b", "type": "integer", "text": "T"},
    ])));
    let old = json!({"valueCoding": {"system": "s", "code": "1", "display": "A little"}});
    let items = json!([{"linkId": "a", "answer": [old]}, {"linkId": "c", "answer": [old]}]);
    let signed = response("completed", &items);
    assert!(validate(&form, &signed).iter().any(Finding::is_error), "a new response is held to it");
    let mut answering = Answering::amend_in(Arc::clone(&form), signed, Surroundings::new());
    let other = AnswerValue::Coding(Coding::new("s", "1", "Severe"));
    assert!(answering.answer(&top("c"), other).is_err(), "other words are not entered");
    answering.answer(&top("b"), AnswerValue::Integer(3)).unwrap();
    let amended = answering.finish(None).unwrap();
    let told: Vec<_> = codes(&validate(&form, &amended));
    let warned = |path: &str| (path.to_owned(), "other-words", Severity::Warning);
    assert_eq!(told, [warned("a"), warned("c")]);
}
