//! What is evaluated again after a change: everything that depends on it, however indirectly.

use crate::evaluation::{asked, enabled, form, give, integer, locked, shown, top};
use serde_json::{Value, json};
use ward_forms::{AnswerValue, Answering, ItemPath};

fn when(question: &str, operator: &str, answer: (&str, Value)) -> Value {
    json!([{"question": question, "operator": operator, answer.0: answer.1}])
}

fn five(question: &str) -> Value {
    when(question, "=", ("answerInteger", json!(5)))
}

fn answer(answering: &mut Answering, path: &ItemPath, value: AnswerValue) {
    answering.answer(path, value).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

/// A question that is gated by another one beside it.
fn gated() -> Value {
    json!([{"linkId": "k", "type": "boolean", "text": "k"},
        {"linkId": "q", "type": "integer", "text": "q",
            "enableWhen": when("k", "=", ("answerBoolean", json!(true)))}])
}

#[test]
fn a_filter_that_names_no_items_is_read_through_its_group() {
    let some =
        "%resource.item.where(linkId='g').item.where(linkId='q' or linkId.startsWith('p')).answer.value";
    let mut reader = integer("r", vec![enabled(&format!("{some}.exists()"))]);
    reader["required"] = json!(true);
    let group =
        json!({"linkId": "g", "type": "group", "item": [integer("q", vec![]), integer("p1", vec![])]});
    // The reader stands before what it reads, so that its place in the order of evaluation matters too.
    let mut answering = Answering::new(form(json!([locked("s", &format!("{some}.sum()")), reader, group])));
    answer(&mut answering, &top("g").child("q", 0), AnswerValue::Integer(5));
    assert_eq!((shown(&answering, "s"), asked(&answering)[0].as_str()), (vec![5], "r"));
    answer(&mut answering, &top("g").child("p1", 0), AnswerValue::Integer(2));
    assert_eq!(shown(&answering, "s"), [7]);
    give(&mut answering, "r", 1);
    assert_eq!(answering.finish(None).unwrap().items().len(), 3);
}

#[test]
fn a_place_that_is_off_is_the_nearest_from_the_moment_it_stands_there() {
    let mut reader = integer("r", vec![]);
    reader["enableWhen"] = five("q");
    reader["required"] = json!(true);
    let group = json!({"linkId": "g", "type": "group", "repeats": true, "item": gated()});
    let mut answering = Answering::new(form(json!([group, reader])));
    let at = |instance: usize, link_id: &str| ItemPath::root().child("g", instance).child(link_id, 0);
    let is_asked = |answering: &Answering| asked(answering).contains(&"r".to_owned());
    answer(&mut answering, &at(0, "k"), AnswerValue::Boolean(true));
    answer(&mut answering, &at(0, "q"), AnswerValue::Integer(5));
    assert!(is_asked(&answering));

    answering.add_instance(&top("g")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert!(!is_asked(&answering), "the nearest one is off and was never on");
    answer(&mut answering, &at(1, "k"), AnswerValue::Boolean(true));
    answer(&mut answering, &at(1, "k"), AnswerValue::Boolean(false));
    assert!(!is_asked(&answering));

    answering.remove_instance(&ItemPath::root().child("g", 1)).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert!(is_asked(&answering), "the one that hid the other is gone");
    give(&mut answering, "r", 1);
    assert!(answering.finish(None).is_ok());
}

#[test]
fn so_it_is_below_the_answers_of_a_question() {
    let mut reader = integer("r", vec![]);
    reader["enableWhen"] = five("q");
    let holder = json!({"linkId": "h", "type": "integer", "text": "h", "repeats": true, "item": gated()});
    let mut answering = Answering::new(form(json!([holder, reader])));
    let at = |answer: usize, link_id: &str| ItemPath::root().child("h", answer).child(link_id, 0);
    let give_all = |answering: &mut Answering, numbers: &[i32]| {
        let values = numbers.iter().map(|number| AnswerValue::Integer(*number)).collect();
        answering.answer_all(&top("h"), values).unwrap();
        assert_eq!(answering.compare_with_scratch(), Ok(()));
        asked(answering).contains(&"r".to_owned())
    };
    give_all(&mut answering, &[1]);
    answer(&mut answering, &at(0, "k"), AnswerValue::Boolean(true));
    answer(&mut answering, &at(0, "q"), AnswerValue::Integer(5));
    assert!(give_all(&mut answering, &[1]));
    assert!(!give_all(&mut answering, &[1, 2]));
    assert!(give_all(&mut answering, &[1]));
}

#[test]
fn what_is_nested_under_an_answer_changes_one_by_one_in_what_expressions_see() {
    let group = json!({"linkId": "g", "type": "group", "repeats": true, "item": [integer("c", vec![])]});
    let holder = json!({"linkId": "h", "type": "integer", "text": "h", "repeats": true,
        "item": [integer("a", vec![]), group, integer("b", vec![enabled("%resource.descendants().where(linkId='a').answer.value.sum() > 3")])]});
    let total = "%resource.item.where(linkId='h').answer.item.descendants().answer.value.sum()";
    let mut answering = Answering::new(form(json!([holder, locked("total", total)])));
    answering.answer_all(&top("h"), vec![AnswerValue::Integer(1), AnswerValue::Integer(2)]).unwrap();
    let at = |answer: usize, link_id: &str| ItemPath::root().child("h", answer).child(link_id, 0);
    answer(&mut answering, &at(1, "a"), AnswerValue::Integer(4));
    assert_eq!(asked(&answering), ["h", "h/a", "h/g/c", "h/b", "h[1]/a", "h[1]/g/c", "h[1]/b"]);
    for answer_of_h in 0..2 {
        answer(&mut answering, &at(answer_of_h, "b"), AnswerValue::Integer(1));
        let group = at(answer_of_h, "g");
        answering.add_instance(&group).unwrap();
        answer(&mut answering, &group.child("c", 0), AnswerValue::Integer(7));
    }
    answering.clear(&at(1, "a")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    answering.remove_instance(&at(0, "g")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!(asked(&answering).iter().filter(|path| path.ends_with("/b")).count(), 0);
    answering.answer_all(&top("h"), vec![AnswerValue::Integer(1)]).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}
