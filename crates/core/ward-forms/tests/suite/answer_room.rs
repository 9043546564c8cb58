//! Answers are held to what an entry and a draft hold: what does not fit is refused before it is taken.

use crate::form_parts::{calculated, form, initial, item, of, top};
use crate::walk::{Dice, value_for};
use serde_json::{Value, json};
use ward_forms::{
    AnswerError, AnswerRoom, AnswerValue, Answering, FindingCode, ItemPath, Questionnaire, encode_answers,
};

fn texts() -> Questionnaire {
    form(json!([
        {"linkId": "a", "type": "text", "text": "How have you been?"},
        {"linkId": "b", "type": "text", "text": "Anything else?"},
    ]))
}

fn draft_bytes(answering: &Answering) -> usize {
    answering.draft().to_json().len()
}

fn text(bytes: usize) -> AnswerValue {
    AnswerValue::text("a".repeat(bytes))
}

const fn room(bytes: usize) -> AnswerRoom {
    AnswerRoom { response_bytes: bytes, draft_bytes: bytes }
}

#[test]
fn an_answer_at_the_limit_and_one_past() {
    let mut free = Answering::new(texts());
    free.answer(&top("a"), text(500)).unwrap();
    free.answer(&top("b"), text(700)).unwrap();
    let exact = draft_bytes(&free);

    let mut bounded = Answering::new(texts());
    bounded.keep_within(room(exact));
    bounded.answer(&top("a"), text(500)).unwrap();
    let before = bounded.draft();
    let refused = bounded.answer(&top("b"), text(701)).unwrap_err();
    let AnswerError::NoRoom { path, question } = &refused else { panic!("{refused:?}") };
    assert_eq!((path.to_string().as_str(), question.as_str()), ("b", "Anything else?"));
    assert_eq!(
        refused.to_string(),
        "the answer to “Anything else?” is too long to be kept together with the others"
    );
    assert_eq!(bounded.draft(), before, "what was there stays");
    assert_eq!(bounded.next_question().unwrap().link_id, "b", "and it is asked again");
    bounded.answer(&top("b"), text(700)).unwrap();
    assert_eq!(draft_bytes(&bounded), exact);
    // What makes them shorter is always taken.
    bounded.keep_within(room(10));
    bounded.answer(&top("a"), text(499)).unwrap();
    assert!(bounded.answer(&top("a"), text(501)).is_err());
}

#[test]
fn a_finished_response_is_held_to_what_an_entry_holds() {
    let mut answering = Answering::new(texts());
    answering.answer(&top("a"), text(10)).unwrap();
    answering.answer(&top("b"), text(900)).unwrap();
    answering.keep_within(AnswerRoom { response_bytes: 600, draft_bytes: 2_000 });
    let found = answering.finish(None).unwrap_err();
    assert_eq!((found[0].code, found[0].path.to_string().as_str()), (FindingCode::ResponseTooLarge, "b"));
    assert!(found[0].message.ends_with("shorter, first that to “Anything else?”."), "{}", found[0].message);
    assert!(answering.ask_again(&found));
    assert_eq!(answering.next_question().unwrap().link_id, "b");
    answering.answer(&top("b"), text(300)).unwrap();
    assert!(answering.finish(None).is_ok());
    // A draft may be longer than an entry, but not what is given away of it.
    assert!(matches!(answering.answer(&top("b"), text(900)), Err(AnswerError::NoRoom { .. })));
}

#[test]
fn what_fits_in_dense_form_is_not_refused_for_its_length_as_json() {
    let option = json!([{"valueCoding": {"system": "https://example.org/degree", "code": "1", "display": "A little"}}]);
    let questions: Vec<Value> = (0..40)
        .map(|n| json!({"linkId": format!("q{n}"), "type": "choice", "text": "T", "answerOption": option}))
        .collect();
    let mut answering = Answering::new(form(Value::Array(questions)));
    answering.keep_within(AnswerRoom { response_bytes: 500, draft_bytes: 50_000 });
    for step in answering.questions() {
        answering.answer(&step.path, step.options[0].value.clone()).unwrap();
    }
    let done = answering.finish(Some("2026-03-01T09:30:00+01:00")).unwrap();
    let dense = encode_answers(answering.questionnaire(), done.status(), &done).unwrap();
    assert!(done.to_json().len() > 500 && dense.len() <= 500, "{} bytes", dense.len());
}

#[test]
fn what_the_form_makes_of_an_answer_has_to_fit_too() {
    let path = of("a");
    let form = form(json!([
        {"linkId": "a", "type": "text", "text": "T"},
        item("twice", "text", json!([calculated(&format!("{path} & {path} & {path} & {path}"))])),
    ]));
    let mut answering = Answering::new(form);
    answering.keep_within(room(2_000));
    answering.answer(&top("a"), text(300)).unwrap();
    let before = answering.draft();
    assert!(matches!(answering.answer(&top("a"), text(400)), Err(AnswerError::NoRoom { .. })));
    assert_eq!(answering.draft(), before);
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

/// Whatever is answered, in whatever order: a draft is never longer than there is room for, and what is
/// refused leaves no trace.
#[test]
fn drafts_stay_within_their_room() {
    let score = format!("{} + 1", of("n"));
    let group = json!({"linkId": "g", "type": "group", "text": "T", "repeats": true, "item": [
        {"linkId": "gt", "type": "text", "text": "T", "initial": [{"valueString": "as it was the day before"}]},
        {"linkId": "gn", "type": "integer", "text": "T"}]});
    let form = std::sync::Arc::new(form(json!([
        {"linkId": "n", "type": "integer", "text": "T"},
        item("score", "integer", json!([calculated(&score)])),
        item("first", "integer", json!([initial("41 + 1")])),
        {"linkId": "t", "type": "text", "text": "T", "repeats": true, "item": [
            {"linkId": "why", "type": "string", "text": "T"}]},
        {"linkId": "off", "type": "text", "text": "T",
            "enableWhen": [{"question": "n", "operator": ">", "answerInteger": 40}]},
        group,
    ])));
    let (mut refused, mut full) = (0, 0);
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let limit = 700 + dice.below(1_500);
        let mut answering = Answering::new(std::sync::Arc::clone(&form));
        answering.keep_within(room(limit));
        for step in 0..40 {
            let questions = answering.questions();
            let Some(question) = dice.pick(&questions).cloned() else { break };
            let before = answering.draft();
            let is_refused = match dice.below(8) {
                0 => answering.add_instance(&ItemPath::root().child("g", 0)).is_err(),
                1 => answering.skip(&question.path).is_err(),
                _ if question.item_type == ward_forms::ItemType::Integer => {
                    answering.answer(&question.path, value_for(&question, &mut dice)).is_err()
                }
                _ => {
                    let words = "\u{1}b\"".repeat(1 + dice.below(60));
                    answering.answer(&question.path, AnswerValue::text(words)).is_err()
                }
            };
            if is_refused {
                refused += 1;
                assert_eq!(answering.draft(), before, "seed {seed}, step {step}");
            }
            let bytes = draft_bytes(&answering);
            assert!(bytes <= limit, "seed {seed}, step {step}: {bytes} of {limit}");
            full += usize::from(bytes + 200 > limit);
        }
        assert_eq!(answering.compare_with_scratch(), Ok(()), "seed {seed}");
    }
    assert!(refused > 100 && full > 100, "{refused} refused, {full} nearly full");
}
