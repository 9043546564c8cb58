//! What persons enter under a calculated answer, and what the form fills in once, outlive changes.

use crate::form_parts::{calculated, form, initial, item, locked, of, top, with};
use serde_json::json;
use std::sync::Arc;
use ward_forms::{
    AnswerValue, Answering, Finding, ItemPath, Questionnaire, QuestionnaireResponse, Surroundings, validate,
};

fn decimal(number: f64) -> AnswerValue {
    AnswerValue::decimal(number).unwrap()
}

/// Weight and height, and what is calculated of them, with a remark under it.
fn bmi_form() -> Arc<Questionnaire> {
    let formula = format!("{} / ({} * {})", of("weight"), of("height"), of("height"));
    let bmi = locked(item("bmi", "decimal", json!([calculated(&formula)])));
    let below = json!([
        {"linkId": "remark", "type": "string", "text": "Remark"},
        locked(item("twice", "decimal", json!([calculated(
            "%resource.item.where(linkId='bmi').answer.value * 2")]))),
    ]);
    Arc::new(form(json!([
        {"linkId": "weight", "type": "decimal", "text": "kg"},
        {"linkId": "height", "type": "decimal", "text": "m"},
        with(bmi, "item", below),
    ])))
}

fn remark_path() -> ItemPath {
    top("bmi").child("remark", 0)
}

fn with_remark() -> Answering {
    let mut answering = Answering::new_in(bmi_form(), Surroundings::new());
    answering.answer(&top("weight"), decimal(80.0)).unwrap();
    answering.answer(&top("height"), decimal(2.0)).unwrap();
    answering.answer(&remark_path(), AnswerValue::text("after the operation")).unwrap();
    answering
}

fn text(response: &QuestionnaireResponse) -> String {
    String::from_utf8(response.to_json()).unwrap()
}

fn remark(answering: &Answering) -> Option<AnswerValue> {
    answering.question(&remark_path()).and_then(|step| step.answers.first().cloned())
}

#[test]
fn a_remark_under_a_calculated_answer_outlives_a_correction() {
    let mut answering = with_remark();
    let before = text(&answering.draft());
    answering.clear(&top("height")).unwrap();
    assert_eq!(
        answering.question(&remark_path()).map(|step| step.path),
        None,
        "there is no score to remark on"
    );
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    let given = text(&answering.finish(None).unwrap());
    assert!(!given.contains("operation") && !given.contains("bmi"), "{given}");
    answering.answer(&top("height"), decimal(2.0)).unwrap();
    assert_eq!(remark(&answering), Some(AnswerValue::text("after the operation")));
    assert_eq!(text(&answering.draft()), before);
    assert!(answering.next_question().is_none(), "nobody is asked the remark again");
}

#[test]
fn a_remark_stays_when_the_score_above_it_changes() {
    let mut answering = with_remark();
    answering.answer(&top("height"), decimal(1.6)).unwrap();
    assert_eq!(remark(&answering), Some(AnswerValue::text("after the operation")));
    let given = text(&answering.finish(None).unwrap());
    assert!(given.contains("31.25") && given.contains("62.5") && given.contains("operation"), "{given}");
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn a_remark_waits_in_the_draft() {
    let mut answering = with_remark();
    answering.clear(&top("height")).unwrap();
    let draft = text(&answering.draft());
    let read = QuestionnaireResponse::parse(draft.as_bytes()).unwrap();
    assert!(!validate(&bmi_form(), &read).iter().any(Finding::is_error), "a draft may hold it");
    let mut again = Answering::resume_in(bmi_form(), read, Surroundings::new());
    assert_eq!(again.compare_with_scratch(), Ok(()));
    again.answer(&top("height"), decimal(1.6)).unwrap();
    assert_eq!(remark(&again), Some(AnswerValue::text("after the operation")));
    let given = text(&again.finish(None).unwrap());
    assert!(given.contains("62.5"), "what is calculated below is calculated anew: {given}");
    assert!(!validate(&bmi_form(), &again.finish(None).unwrap()).iter().any(Finding::is_error));
}

#[test]
fn a_finished_response_has_nothing_under_no_answer() {
    let response = br#"{"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": "completed", "item": [
        {"linkId": "bmi", "answer": [{"item": [{"linkId": "remark", "answer": [{"valueString": "words"}]}]}]}]}"#;
    let response = QuestionnaireResponse::parse(response).unwrap();
    assert!(validate(&bmi_form(), &response).iter().any(Finding::is_error));
}

#[test]
fn each_of_several_calculated_answers_keeps_its_own() {
    let doses = with(item("doses", "integer", json!([calculated(&of("dose"))])), "repeats", json!(true));
    let form = form(json!([
        {"linkId": "dose", "type": "integer", "text": "Doses", "repeats": true},
        with(doses, "item", json!([{"linkId": "remark", "type": "string", "text": "Remark"}])),
    ]));
    let mut answering = Answering::new(form);
    let numbers = |list: &[i32]| list.iter().copied().map(AnswerValue::Integer).collect::<Vec<_>>();
    answering.answer_all(&top("dose"), numbers(&[1, 2])).unwrap();
    let remark = |at: usize| ItemPath::root().child("doses", at).child("remark", 0);
    answering.answer(&remark(1), AnswerValue::text("of two")).unwrap();
    let of = |answering: &Answering, at: usize| {
        answering.question(&remark(at)).and_then(|step| step.answers.first().cloned())
    };
    answering.answer_all(&top("dose"), numbers(&[2, 3])).unwrap();
    assert_eq!((of(&answering, 0), of(&answering, 1)), (Some(AnswerValue::text("of two")), None));
    answering.answer_all(&top("dose"), numbers(&[4])).unwrap();
    assert_eq!(of(&answering, 0), None, "what was said of one is not said of another");
    answering.clear(&top("dose")).unwrap();
    assert_eq!(of(&answering, 0), None);
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    answering.answer_all(&top("dose"), numbers(&[7, 8])).unwrap();
    assert_eq!((of(&answering, 0), of(&answering, 1)), (None, None));
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn what_is_filled_in_below_a_score_that_reads_everything_is_filled_in_once() {
    let score = item("score", "integer", json!([calculated("%resource.item.count()")]));
    let below = with(
        json!({"linkId": "below", "type": "integer", "text": "T"}),
        "initial",
        json!([{"valueInteger": 1}]),
    );
    let form = form(json!([
        {"linkId": "a", "type": "integer", "text": "T"},
        with(score, "item", json!([below])),
    ]));
    let mut answering = Answering::new(form);
    let below = top("score").child("below", 0);
    answering.answer(&below, AnswerValue::Integer(5)).unwrap();
    answering.answer(&top("a"), AnswerValue::Integer(5)).unwrap();
    let step = answering.question(&below).unwrap();
    assert_eq!(step.answers, [AnswerValue::Integer(5)], "it stays when the score changes");
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn what_was_filled_in_and_cleared_is_not_filled_in_again() {
    let gate = json!({"linkId": "gate", "type": "boolean", "text": "T"});
    let filled = with(
        item("weight", "integer", json!([initial("70")])),
        "enableWhen",
        json!([{"question": "gate", "operator": "=", "answerBoolean": true}]),
    );
    let form = Arc::new(form(json!([gate, filled])));
    let mut answering = Answering::new_in(Arc::clone(&form), Surroundings::new());
    answering.answer(&top("gate"), AnswerValue::Boolean(true)).unwrap();
    assert_eq!(answering.question(&top("weight")).unwrap().answers, [AnswerValue::Integer(70)]);
    answering.clear(&top("weight")).unwrap();
    answering.answer(&top("gate"), AnswerValue::Boolean(false)).unwrap();
    let draft = QuestionnaireResponse::parse(&answering.draft().to_json()).unwrap();
    let mut again = Answering::resume_in(form, draft, Surroundings::new());
    again.answer(&top("gate"), AnswerValue::Boolean(true)).unwrap();
    assert_eq!(again.question(&top("weight")).unwrap().answers, []);
    assert!(again.next_question().is_some_and(|step| step.path == top("weight")), "it is asked");
}
