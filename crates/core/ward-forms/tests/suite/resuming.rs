//! What a draft or a finished response gives when it is taken up again: nobody is credited with an
//! answer they never saw, and nothing that was there is taken away.

use crate::form_parts::{calculated, enabled, form, initial, item, locked, of, put_away, top};
use serde_json::json;
use ward_forms::{
    AnswerValue, Answering, FindingCode, ItemPath, Questionnaire, QuestionnaireResponse, Severity,
    Surroundings, validate,
};

fn whole(number: i32) -> AnswerValue {
    AnswerValue::Integer(number)
}

fn date(text: &str) -> AnswerValue {
    AnswerValue::Date(text.to_owned())
}

fn at(time: &str) -> Surroundings {
    Surroundings::new().at(time)
}

fn shown(answering: &Answering, link_id: &str) -> Vec<AnswerValue> {
    answering.item(&top(link_id)).unwrap().answers
}

fn next(answering: &Answering) -> Option<String> {
    answering.next_question().map(|step| step.link_id)
}

#[test]
fn what_an_expression_filled_in_is_asked_until_somebody_has_seen_it() {
    let form = form(json!([
        item("a", "boolean", json!([])),
        item("weight", "integer", json!([initial("70")])),
        item("height", "integer", json!([initial("180")]))
    ]));
    let mut answering = Answering::new(form.clone());
    answering.answer(&top("a"), AnswerValue::Boolean(true)).unwrap();
    let mut resumed = Answering::resume(form.clone(), put_away(&answering));
    assert_eq!(next(&resumed).as_deref(), Some("weight"), "nobody has seen it");
    resumed.answer(&top("weight"), whole(70)).unwrap();
    let again = Answering::resume(form.clone(), put_away(&resumed));
    assert_eq!(next(&again).as_deref(), Some("height"), "what was confirmed is not asked again");

    // A draft without marks does not say who has seen it.
    let json = json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": [
        {"linkId": "a", "answer": [{"valueBoolean": true}]},
        {"linkId": "weight", "answer": [{"valueInteger": 70}]},
        {"linkId": "height", "answer": [{"valueInteger": 180}]}]});
    let draft = QuestionnaireResponse::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!(next(&Answering::resume(form, draft)).as_deref(), Some("weight"));
}

#[test]
fn the_marks_of_a_draft_stay_in_drafts() {
    let form = form(json!([
        item("a", "integer", json!([initial("1")])),
        item("b", "integer", json!([calculated(&format!("{} * 2", of("a")))]))
    ]));
    let mut answering = Answering::new(form.clone());
    answering.answer(&top("a"), whole(3)).unwrap();
    let marks =
        |text: &[u8]| String::from_utf8(text.to_vec()).unwrap().matches("urn:ward:draft-mark").count();
    assert_eq!(marks(&answering.draft().to_json()), 2);
    let resumed = Answering::resume(form, put_away(&answering));
    let done = resumed.finish(None).unwrap();
    assert_eq!(marks(&done.to_json()), 0);
    assert_eq!(done, answering.finish(None).unwrap());
    assert_eq!(put_away(&resumed).items()[1], put_away(&answering).items()[1], "the mark is not doubled");
}

#[test]
fn the_time_of_writing_fills_in_nothing_that_nobody_sees() {
    let form = form(json!([
        item("a", "integer", json!([])),
        item("late", "integer", json!([enabled("today() > @2026-03-01"), initial("5")]))
    ]));
    let mut answering = Answering::new_in(form, at("2026-03-01T23:50:00+01:00"));
    answering.answer(&top("a"), whole(1)).unwrap();
    let done = answering.finish(Some("2026-03-02T00:10:00+01:00")).unwrap();
    assert_eq!(done.items().len(), 1, "{:?}", done.to_value());
    answering.set_surroundings(at("2026-03-02T00:10:00+01:00"));
    assert_eq!(next(&answering).as_deref(), Some("late"));
}

fn age_form() -> Questionnaire {
    form(json!([
        item("a", "integer", json!([])),
        locked(item("age", "integer", json!([calculated("iif(%patient.gender = 'female', 63, 64)")])))
    ]))
}

#[test]
fn a_stored_calculated_answer_stands_where_its_expression_fails() {
    let form = age_form();
    let known =
        Surroundings::new().with_resource("patient", json!({"resourceType": "Patient", "gender": "female"}));
    let mut answering = Answering::new_in(form.clone(), known.clone());
    answering.answer(&top("a"), whole(1)).unwrap();
    let done = answering.finish(None).unwrap();

    // An app that knows no patient corrects another answer.
    let mut correcting = Answering::amend(form.clone(), done);
    correcting.answer(&top("a"), whole(2)).unwrap();
    assert_eq!(shown(&correcting, "age"), [whole(63)]);
    let said = correcting.findings();
    assert_eq!((said[0].code, said[0].severity), (FindingCode::ExpressionFailed, Severity::Warning));
    assert!(said[0].message.contains("stands"), "{}", said[0].message);
    let amended = correcting.finish(None).unwrap();
    assert_eq!(amended.items()[1].answers()[0].value(), Some(&whole(63)));
    assert!(validate(&form, &amended).iter().all(|finding| !finding.is_error()));
    assert_eq!(correcting.compare_with_scratch(), Ok(()));

    // What it was told later counts at once.
    let male =
        Surroundings::new().with_resource("patient", json!({"resourceType": "Patient", "gender": "male"}));
    correcting.set_surroundings(male);
    assert_eq!(shown(&correcting, "age"), [whole(64)]);
    // What was calculated here does not outlive the answers that it came from.
    correcting.set_surroundings(Surroundings::new());
    assert_eq!(shown(&correcting, "age"), []);
}

#[test]
fn a_stored_calculated_answer_comes_back_when_its_group_does() {
    let form = form(json!([item("a", "integer", json!([])),
        {"linkId": "g", "type": "group", "enableWhen": [{"question": "a", "operator": "=", "answerInteger": 1}],
         "item": [item("age", "integer", json!([calculated("%patient.age + 1")]))]}]));
    let json = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [
        {"linkId": "a", "answer": [{"valueInteger": 1}]},
        {"linkId": "g", "item": [{"linkId": "age", "answer": [{"valueInteger": 63}]}]}]});
    let done = QuestionnaireResponse::parse(json.to_string().as_bytes()).unwrap();
    let mut correcting = Answering::amend(form, done);
    let age = |answering: &Answering| answering.item(&top("g").child("age", 0)).unwrap().answers;
    correcting.answer(&top("a"), whole(2)).unwrap();
    assert_eq!(correcting.finish(None).unwrap().items().len(), 1, "it is not given away meanwhile");
    correcting.answer(&top("a"), whole(1)).unwrap();
    assert_eq!(age(&correcting), [whole(63)]);
    assert_eq!(correcting.compare_with_scratch(), Ok(()));
}

#[test]
fn a_calculated_answer_of_yesterday_is_not_a_persons_own() {
    let form =
        form(json!([item("day", "date", json!([calculated("today()")])), item("a", "integer", json!([]))]));
    let (first, second) = (at("2026-03-01T09:00:00+01:00"), at("2026-03-02T09:00:00+01:00"));
    let mut answering = Answering::new_in(form.clone(), first.clone());
    answering.answer(&top("a"), whole(1)).unwrap();
    let resumed = Answering::resume_in(form.clone(), put_away(&answering), second.clone());
    assert_eq!(shown(&resumed, "day"), [date("2026-03-02")]);
    assert!(!resumed.item(&top("day")).unwrap().is_overridden);
    assert_eq!(resumed.findings(), []);

    // So it is when the time is told later,
    let mut told_later = Answering::resume(form.clone(), put_away(&answering));
    assert_eq!(shown(&told_later, "day"), [date("2026-03-01")]);
    told_later.set_surroundings(second.clone());
    assert_eq!(shown(&told_later, "day"), [date("2026-03-02")]);

    // and when a finished response is corrected.
    let done = answering.finish(Some("2026-03-01T09:05:00+01:00")).unwrap();
    let correcting = Answering::amend_in(form.clone(), done.clone(), second.clone());
    assert_eq!(shown(&correcting, "day"), [date("2026-03-02")]);
    assert!(correcting.says_the_same(&done), "a new day alone corrects nothing");

    // What a person gave stays theirs, in a draft and in a response.
    answering.answer(&top("day"), date("2026-02-20")).unwrap();
    let resumed = Answering::resume_in(form.clone(), put_away(&answering), second.clone());
    assert_eq!(shown(&resumed, "day"), [date("2026-02-20")]);
    assert!(resumed.item(&top("day")).unwrap().is_overridden);
    let own = answering.finish(Some("2026-03-01T09:05:00+01:00")).unwrap();
    let mut correcting = Answering::amend_in(form, own.clone(), second);
    assert_eq!(shown(&correcting, "day"), [date("2026-02-20")]);
    assert!(correcting.says_the_same(&own) && !correcting.says_the_same(&done));
    correcting.clear(&top("day")).unwrap();
    assert!(!correcting.says_the_same(&own), "taking it back is a correction");
}

#[test]
fn a_confirmed_calculated_answer_that_changes_is_shown_again() {
    let form = form(json!([
        item("a", "integer", json!([])),
        item("b", "integer", json!([calculated(&format!("{} * 2", of("a")))]))
    ]));
    let mut answering = Answering::new(form);
    answering.answer(&top("a"), whole(2)).unwrap();
    answering.answer(&top("b"), whole(4)).unwrap();
    assert_eq!(next(&answering), None);
    answering.answer(&top("a"), whole(3)).unwrap();
    assert_eq!(next(&answering).as_deref(), Some("b"), "6 was confirmed by nobody");
    answering.answer(&top("b"), whole(6)).unwrap();
    assert_eq!(answering.back().unwrap().link_id, "b");
    assert_eq!(answering.back().unwrap().link_id, "a", "the way back has each question once");
}

#[test]
fn what_is_nested_under_a_choice_stays_when_another_is_taken_back() {
    let option = |code: &str| json!({"valueCoding": {"code": code, "display": code}});
    let form = form(json!([{"linkId": "where", "type": "choice", "repeats": true,
        "answerOption": [option("x"), option("y"), option("z")],
        "item": [item("bad", "integer", json!([]))]}]));
    let choice = |code: &str| AnswerValue::Coding(ward_forms::Coding::new("", code, code));
    let choice = |code: &str| match choice(code) {
        AnswerValue::Coding(mut coding) => {
            coding.system = None;
            AnswerValue::Coding(coding)
        }
        other => other,
    };
    let bad = |answer: usize| ItemPath::root().child("where", answer).child("bad", 0);
    let values = |answering: &Answering, answer: usize| answering.question(&bad(answer)).unwrap().answers;
    let mut answering = Answering::new(form);
    answering.answer_all(&top("where"), vec![choice("y"), choice("z")]).unwrap();
    answering.answer(&bad(0), whole(2)).unwrap();
    answering.answer(&bad(1), whole(3)).unwrap();
    answering.answer_all(&top("where"), vec![choice("x"), choice("y"), choice("z")]).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!((values(&answering, 1), values(&answering, 2)), (vec![whole(2)], vec![whole(3)]));
    assert_eq!(answering.next_question().unwrap().path, bad(0), "only the new one is asked about");
    answering.answer_all(&top("where"), vec![choice("z"), choice("y")]).unwrap();
    assert_eq!((values(&answering, 0), values(&answering, 1)), (vec![whole(3)], vec![whole(2)]));
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    answering.answer_all(&top("where"), vec![choice("z")]).unwrap();
    assert_eq!(values(&answering, 0), [whole(3)]);
    assert_eq!((answering.next_question(), answering.compare_with_scratch()), (None, Ok(())));
}
