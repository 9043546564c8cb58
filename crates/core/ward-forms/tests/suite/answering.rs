//! The answering session: order, refusals, going back, repeating, finishing.

use serde_json::{Value, json};
use ward_forms::{
    AnswerError, AnswerValue, Answering, FindingCode, ItemPath, Progress, Questionnaire,
    QuestionnaireResponse, ResponseStatus, limits, validate,
};

fn form(items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active", "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

fn three_questions() -> Questionnaire {
    form(json!([
        {"linkId": "intro", "type": "display", "text": "Welcome"},
        {"linkId": "g", "type": "group", "text": "Part 1", "item": [
            {"linkId": "a", "type": "boolean", "text": "A?", "required": true},
            {"linkId": "b", "type": "integer", "text": "B?", "required": true,
             "enableWhen": [{"question": "a", "operator": "=", "answerBoolean": true}]}]},
        {"linkId": "c", "type": "string", "text": "C?", "maxLength": 5}]))
}

fn top(link_id: &str) -> ItemPath {
    ItemPath::top(link_id)
}

fn in_group(link_id: &str) -> ItemPath {
    top("g").child(link_id, 0)
}

#[test]
fn asks_one_after_the_other_and_shows_headings_and_notes() {
    let mut answering = Answering::new(three_questions());
    let step = answering.next_question().unwrap();
    assert_eq!((step.path.clone(), step.is_owed), (in_group("a"), true));
    assert_eq!((step.headings, step.notes), (vec!["Part 1".to_owned()], vec!["Welcome".to_owned()]));
    answering.answer(&step.path, AnswerValue::Boolean(true)).unwrap();
    assert_eq!(answering.next_question().unwrap().path, in_group("b"));
    assert_eq!(answering.progress(), Progress { answered: 1, asked: 3, owed: 1 });
    answering.answer(&in_group("b"), AnswerValue::Integer(3)).unwrap();
    let step = answering.next_question().unwrap();
    assert_eq!((step.path.clone(), step.is_owed, step.max_chars), (top("c"), false, Some(5)));
    assert!(step.notes.is_empty());
    answering.skip(&step.path).unwrap();
    assert_eq!(answering.next_question(), None);
}

#[test]
fn refuses_what_does_not_fit_and_keeps_the_answer_before() {
    let mut answering = Answering::new(three_questions());
    answering.answer(&top("c"), AnswerValue::text("fine")).unwrap();
    let refused = answering.answer(&top("c"), AnswerValue::text("too long"));
    assert!(matches!(
        refused,
        Err(AnswerError::Refused { findings, .. }) if findings.first().unwrap().code == FindingCode::TooLong
    ));
    assert_eq!(answering.question(&top("c")).unwrap().answers, [AnswerValue::text("fine")]);
    assert!(matches!(
        answering.answer(&in_group("b"), AnswerValue::Integer(1)),
        Err(AnswerError::SwitchedOff { .. })
    ));
    assert!(matches!(
        answering.answer(&top("x"), AnswerValue::Integer(1)),
        Err(AnswerError::NoSuchQuestion { .. })
    ));
    assert!(matches!(
        answering.answer(&top("a"), AnswerValue::Boolean(true)),
        Err(AnswerError::NoSuchQuestion { .. })
    ));
    assert!(matches!(
        answering.answer(&top("intro"), AnswerValue::Boolean(true)),
        Err(AnswerError::NotAnswerable { .. })
    ));
    assert!(matches!(answering.skip(&in_group("a")), Err(AnswerError::AnswerOwed { .. })));
}

#[test]
fn goes_back_over_what_is_still_asked() {
    let mut answering = Answering::new(three_questions());
    answering.answer(&in_group("a"), AnswerValue::Boolean(true)).unwrap();
    answering.answer(&in_group("b"), AnswerValue::Integer(3)).unwrap();
    answering.skip(&top("c")).unwrap();
    assert_eq!(answering.back().unwrap().path, top("c"));
    let step = answering.back().unwrap();
    assert_eq!((step.path, step.answers), (in_group("b"), vec![AnswerValue::Integer(3)]));
    // `b` goes off; the way back leads over it.
    answering.answer(&in_group("b"), AnswerValue::Integer(4)).unwrap();
    answering.answer(&in_group("a"), AnswerValue::Boolean(false)).unwrap();
    assert_eq!(answering.back().unwrap().path, in_group("a"));
    assert_eq!(answering.back(), None);
    assert_eq!(answering.next_question().unwrap().path, in_group("a"));
}

#[test]
fn finish_leaves_disabled_answers_out_and_the_draft_keeps_them() {
    let form = three_questions();
    let mut answering = Answering::new(form.clone());
    assert_eq!(answering.finish(None).unwrap_err().first().unwrap().path, in_group("a"));
    answering.answer(&in_group("a"), AnswerValue::Boolean(true)).unwrap();
    answering.answer(&in_group("b"), AnswerValue::Integer(3)).unwrap();
    answering.answer(&in_group("a"), AnswerValue::Boolean(false)).unwrap();
    let done = answering.finish(Some("2026-03-01T09:30:00Z")).unwrap();
    assert_eq!(
        done.to_value(),
        json!({"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": "completed",
               "authored": "2026-03-01T09:30:00Z",
               "item": [{"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueBoolean": false}]}]}]})
    );
    assert!(validate(&form, &done).is_empty());
    answering.answer(&in_group("a"), AnswerValue::Boolean(true)).unwrap();
    assert_eq!(answering.question(&in_group("b")).unwrap().answers, [AnswerValue::Integer(3)]);
    assert_eq!(
        answering.finish(Some("yesterday")).unwrap_err().first().unwrap().code,
        FindingCode::BadAuthored
    );
}

#[test]
fn a_group_that_owes_an_answer_does_not_let_its_last_question_go() {
    let form = form(json!([{"linkId": "g", "type": "group", "required": true, "item": [
        {"linkId": "a", "type": "string"}, {"linkId": "b", "type": "string"}]}]));
    let mut answering = Answering::new(form);
    answering.skip(&in_group("a")).unwrap();
    assert!(answering.next_question().unwrap().is_owed);
    assert!(matches!(answering.skip(&in_group("b")), Err(AnswerError::AnswerOwed { .. })));
    // An answer to any of its questions pays for the group.
    answering.answer(&in_group("a"), AnswerValue::text("x")).unwrap();
    answering.skip(&in_group("b")).unwrap();
    assert!(answering.next_question().is_none());
    assert!(answering.finish(None).is_ok());
    answering.clear(&in_group("a")).unwrap();
    answering.skip(&in_group("a")).unwrap();
    assert_eq!(answering.next_question().unwrap().path, in_group("b"));
}

#[test]
fn clearing_asks_again() {
    let mut answering = Answering::new(three_questions());
    answering.answer(&in_group("a"), AnswerValue::Boolean(false)).unwrap();
    answering.clear(&in_group("a")).unwrap();
    assert_eq!(answering.next_question().unwrap().path, in_group("a"));
    assert!(answering.question(&in_group("a")).unwrap().answers.is_empty());
}

#[test]
fn a_draft_is_taken_up_and_a_finished_one_amended() {
    let form = three_questions();
    let mut answering = Answering::new(form.clone());
    answering.answer(&in_group("a"), AnswerValue::Boolean(false)).unwrap();
    let saved = answering.draft().to_json();
    let mut answering = Answering::resume(form.clone(), QuestionnaireResponse::parse(&saved).unwrap());
    assert_eq!(answering.next_question().unwrap().path, top("c"));
    answering.answer(&top("c"), AnswerValue::text("ok")).unwrap();
    let done = answering.finish(None).unwrap();
    assert_eq!(done.status(), ResponseStatus::Completed);

    let mut correcting = Answering::amend(form, done);
    correcting.answer(&top("c"), AnswerValue::text("okay")).unwrap();
    assert_eq!(correcting.finish(None).unwrap().status(), ResponseStatus::Amended);
}

#[test]
fn a_correction_asks_every_question_and_knows_whether_something_changed() {
    let form = three_questions();
    let mut answering = Answering::new(form.clone());
    answering.answer(&in_group("a"), AnswerValue::Boolean(false)).unwrap();
    answering.answer(&top("c"), AnswerValue::text("ok")).unwrap();
    let done = answering.finish(Some("2026-03-01")).unwrap();

    let mut correcting = Answering::amend(form.clone(), done.clone());
    let first = correcting.next_question().unwrap();
    assert_eq!((first.path.clone(), first.answers), (in_group("a"), vec![AnswerValue::Boolean(false)]));
    correcting.answer(&first.path, AnswerValue::Boolean(false)).unwrap();
    assert_eq!(correcting.next_question().unwrap().path, top("c"), "the second answer is asked too");
    assert!(correcting.says_the_same(&done));
    correcting.answer(&top("c"), AnswerValue::text("okay")).unwrap();
    assert!(!correcting.says_the_same(&done));

    // Its draft asks again what was not changed, and nothing else.
    let draft = correcting.draft();
    let resumed = Answering::resume_amendment(form, &done, draft);
    assert_eq!(resumed.next_question().unwrap().path, in_group("a"));
    assert_eq!(resumed.question(&top("c")).unwrap().answers, [AnswerValue::text("okay")]);
    assert!(!resumed.says_the_same(&done));
    assert_eq!(resumed.finish(None).unwrap().status(), ResponseStatus::Amended);
}

#[test]
fn what_the_form_filled_in_is_still_asked_after_a_pause() {
    let form = form(json!([
        {"linkId": "a", "type": "boolean", "text": "A?", "required": true},
        {"linkId": "b", "type": "integer", "text": "B?", "required": true, "initial": [{"valueInteger": 0}]}]));
    let mut answering = Answering::new(form.clone());
    answering.answer(&top("a"), AnswerValue::Boolean(true)).unwrap();
    let draft = QuestionnaireResponse::parse(&answering.draft().to_json()).unwrap();
    let mut resumed = Answering::resume(form.clone(), draft);
    let step = resumed.next_question().expect("nobody has seen the filled-in answer");
    assert_eq!((step.path, step.answers), (top("b"), vec![AnswerValue::Integer(0)]));
    resumed.answer(&top("b"), AnswerValue::Integer(3)).unwrap();
    let again = Answering::resume(form, resumed.draft());
    assert_eq!(again.next_question(), None, "what a person changed is not asked again");
}

#[test]
fn what_is_hidden_owes_nothing() {
    let hidden = json!([{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": true}]);
    let form = form(json!([
        {"linkId": "a", "type": "boolean", "text": "A?"},
        {"linkId": "secret", "type": "string", "required": true, "extension": hidden.clone()},
        {"linkId": "g", "type": "group", "extension": hidden, "item": [
            {"linkId": "deep", "type": "string", "required": true}]}]));
    let mut answering = Answering::new(form);
    answering.answer(&top("a"), AnswerValue::Boolean(true)).unwrap();
    assert_eq!(answering.next_question(), None);
    assert!(answering.finish(None).is_ok(), "{:?}", answering.finish(None));
}

#[test]
fn initial_answers_are_shown_and_read_only_is_not_asked() {
    let form = form(json!([
        {"linkId": "a", "type": "integer", "initial": [{"valueInteger": 2}]},
        {"linkId": "fixed", "type": "string", "readOnly": true, "initial": [{"valueString": "site 1"}]},
        {"linkId": "broken", "type": "integer", "initial": [{"valueString": "x"}]},
        {"linkId": "up", "type": "boolean", "initial": [{"valueBoolean": true}], "item": [
            {"linkId": "down", "type": "integer", "initial": [{"valueInteger": 5}]}]}]));
    let mut answering = Answering::new(form);
    let step = answering.next_question().unwrap();
    assert_eq!((step.link_id.as_str(), step.answers), ("a", vec![AnswerValue::Integer(2)]));
    let asked: Vec<_> =
        answering.questions().into_iter().map(|step| (step.link_id, step.answers.len())).collect();
    assert_eq!(asked, [("a", 1), ("broken", 0), ("up", 1), ("down", 1)].map(|(id, n)| (id.to_owned(), n)));
    assert!(matches!(
        answering.answer(&top("fixed"), AnswerValue::text("x")),
        Err(AnswerError::NotAnswerable { .. })
    ));
    let done = answering.finish(None).unwrap();
    assert!(done.items().iter().any(|item| item.link_id() == "fixed"));
}

#[test]
fn several_answers_keep_what_is_nested_under_them() {
    let form = form(json!([{"linkId": "drug", "type": "string", "repeats": true, "item": [
        {"linkId": "dose", "type": "integer", "required": true}]}]));
    let mut answering = Answering::new(form);
    answering.answer_all(&top("drug"), vec![AnswerValue::text("x"), AnswerValue::text("y")]).unwrap();
    let first = ItemPath::root().child("drug", 0).child("dose", 0);
    let second = ItemPath::root().child("drug", 1).child("dose", 0);
    assert_eq!(answering.next_question().unwrap().path, first);
    answering.answer(&first, AnswerValue::Integer(1)).unwrap();
    answering.answer(&second, AnswerValue::Integer(2)).unwrap();
    assert_eq!(answering.next_question(), None);
    // The second drug changes: its dose is asked again, the first stays.
    answering.answer_all(&top("drug"), vec![AnswerValue::text("x"), AnswerValue::text("z")]).unwrap();
    assert_eq!(answering.next_question().unwrap().path, second);
    assert_eq!(answering.question(&first).unwrap().answers, [AnswerValue::Integer(1)]);
    answering.answer_all(&top("drug"), vec![]).unwrap();
    assert_eq!(answering.questions().len(), 1);
}

#[test]
fn repeating_groups_are_offered_but_owe_nothing_until_begun() {
    let form = form(json!([{"linkId": "g", "type": "group", "repeats": true, "item": [
        {"linkId": "name", "type": "string", "required": true}, {"linkId": "more", "type": "string"}]}]));
    let mut answering = Answering::new(form);
    assert!(!answering.next_question().unwrap().is_owed);
    assert!(answering.finish(None).is_ok());
    answering.answer(&in_group("more"), AnswerValue::text("x")).unwrap();
    assert!(answering.question(&in_group("name")).unwrap().is_owed);
    assert!(answering.finish(None).is_err());
    answering.answer(&in_group("name"), AnswerValue::text("n")).unwrap();
    let second = answering.add_instance(&top("g")).unwrap();
    assert_eq!(second.to_string(), "g[1]");
    answering.answer(&second.child("name", 0), AnswerValue::text("m")).unwrap();
    assert_eq!(answering.finish(None).unwrap().items().len(), 2);
}

#[test]
fn instances_at_the_limit_and_one_past() {
    let group = |extension: Value| {
        form(json!([{"linkId": "g", "type": "group", "repeats": true, "extension": extension,
                     "item": [{"linkId": "q", "type": "string"}]}]))
    };
    let most = json!([{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs", "valueInteger": 2}]);
    for (form, limit) in [(group(json!([])), limits::MAX_GROUP_INSTANCES), (group(most), 2)] {
        let mut answering = Answering::new(form);
        for _ in 0..limit {
            answering.add_instance(&top("g")).unwrap();
        }
        assert!(matches!(answering.add_instance(&top("g")), Err(AnswerError::NoMoreInstances { .. })));
    }
    let mut answering = Answering::new(three_questions());
    assert!(matches!(answering.add_instance(&top("g")), Err(AnswerError::NoMoreInstances { .. })));
}

#[test]
fn an_unknown_item_of_a_draft_is_reported_not_dropped() {
    let draft = json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": [
        {"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueBoolean": false}]}]}, {"linkId": "old"}]});
    let draft = QuestionnaireResponse::parse(&serde_json::to_vec(&draft).unwrap()).unwrap();
    let findings = Answering::resume(three_questions(), draft).finish(None).unwrap_err();
    assert_eq!(findings.first().unwrap().code, FindingCode::UnknownLinkId);
}
