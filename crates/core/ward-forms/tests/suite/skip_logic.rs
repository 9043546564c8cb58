//! Skip logic, seen through the questions that an answering session asks.

use serde_json::{Value, json};
use ward_forms::{AnswerValue, Answering, ItemPath, Questionnaire, QuestionnaireResponse, validate};

fn form(items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "status": "active", "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

/// The paths of the questions that are on for a response with these items.
fn asked(form: &Questionnaire, items: Value) -> Vec<String> {
    let value = json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": items});
    let draft = QuestionnaireResponse::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let answering = Answering::resume(form.clone(), draft);
    answering.questions().iter().map(|step| step.path.to_string()).collect()
}

fn when(question: &str, operator: &str, kind: &str, value: Value) -> Value {
    json!({"question": question, "operator": operator, kind: value})
}

fn is_true(question: &str) -> Value {
    json!([when(question, "=", "answerBoolean", json!(true))])
}

fn yes(link_id: &str) -> Value {
    json!({"linkId": link_id, "answer": [{"valueBoolean": true}]})
}

fn no(link_id: &str) -> Value {
    json!({"linkId": link_id, "answer": [{"valueBoolean": false}]})
}

#[test]
fn all_and_any() {
    for (behavior, both, one, none) in [("all", true, false, false), ("any", true, true, false)] {
        let form = form(json!([
            {"linkId": "a", "type": "boolean"}, {"linkId": "b", "type": "boolean"},
            {"linkId": "c", "type": "boolean", "enableBehavior": behavior, "enableWhen": [
                when("a", "=", "answerBoolean", json!(true)), when("b", "=", "answerBoolean", json!(true))]}]));
        let has_c = |items: Value| asked(&form, items).contains(&"c".to_owned());
        assert_eq!(has_c(json!([yes("a"), yes("b")])), both, "{behavior}");
        assert_eq!(has_c(json!([yes("a"), no("b")])), one, "{behavior}");
        assert_eq!(has_c(json!([])), none, "{behavior}");
    }
}

#[test]
fn a_disabled_question_counts_as_unanswered_along_the_whole_chain() {
    let form = form(json!([
        {"linkId": "d", "type": "boolean", "enableWhen": is_true("c")},
        {"linkId": "c", "type": "boolean", "enableWhen": is_true("b")},
        {"linkId": "b", "type": "boolean", "enableWhen": is_true("a")},
        {"linkId": "a", "type": "boolean"}]));
    assert_eq!(asked(&form, json!([yes("a"), yes("b"), yes("c")])), ["d", "c", "b", "a"]);
    // All answers are still in the draft, but the first link is gone.
    assert_eq!(asked(&form, json!([yes("d"), yes("c"), yes("b"), no("a")])), ["a"]);
}

#[test]
fn exists_false_holds_when_the_question_is_disabled() {
    let form = form(json!([
        {"linkId": "a", "type": "boolean"},
        {"linkId": "b", "type": "boolean", "enableWhen": is_true("a")},
        {"linkId": "c", "type": "string", "enableWhen": [when("b", "exists", "answerBoolean", json!(false))]},
        {"linkId": "d", "type": "string", "enableWhen": [when("b", "exists", "answerBoolean", json!(true))]}]));
    assert_eq!(asked(&form, json!([yes("a"), yes("b")])), ["a", "b", "d"]);
    assert_eq!(asked(&form, json!([no("a"), yes("b")])), ["a", "c"]);
}

#[test]
fn not_equal_holds_without_an_answer() {
    let form = form(json!([
        {"linkId": "a", "type": "boolean"},
        {"linkId": "b", "type": "string", "enableWhen": [when("a", "!=", "answerBoolean", json!(true))]}]));
    assert_eq!(asked(&form, json!([])), ["a", "b"]);
    assert_eq!(asked(&form, json!([yes("a")])), ["a"]);
}

#[test]
fn a_disabled_group_disables_what_is_in_it() {
    let form = form(json!([
        {"linkId": "a", "type": "boolean"},
        {"linkId": "g", "type": "group", "enableWhen": is_true("a"), "item": [
            {"linkId": "h", "type": "group", "item": [{"linkId": "q", "type": "boolean"}]}]},
        {"linkId": "after", "type": "string", "enableWhen": is_true("q")}]));
    let answered = json!({"linkId": "g", "item": [{"linkId": "h", "item": [yes("q")]}]});
    assert_eq!(asked(&form, json!([yes("a"), answered])), ["a", "g/h/q", "after"]);
    assert_eq!(asked(&form, json!([no("a"), answered])), ["a"]);
}

#[test]
fn questions_under_a_question_exist_only_under_its_answers() {
    let form = form(json!([{"linkId": "drug", "type": "string", "repeats": true, "item": [
        {"linkId": "still", "type": "boolean"},
        {"linkId": "dose", "type": "integer", "required": true, "enableWhen": is_true("still")}]}]));
    assert_eq!(asked(&form, json!([])), ["drug"]);
    let two = json!([{"linkId": "drug", "answer": [
        {"valueString": "x", "item": [no("still")]}, {"valueString": "y", "item": [yes("still")]}]}]);
    assert_eq!(asked(&form, two), ["drug", "drug/still", "drug[1]/still", "drug[1]/dose"]);
}

#[test]
fn a_nested_question_may_ask_for_the_answer_above_it() {
    let form = form(json!([{"linkId": "a", "type": "boolean", "item": [
        {"linkId": "why", "type": "string", "enableWhen": is_true("a")}]}]));
    assert_eq!(asked(&form, json!([yes("a")])), ["a", "a/why"]);
    assert_eq!(asked(&form, json!([no("a")])), ["a"]);
}

#[test]
fn each_repetition_looks_at_its_own_answers() {
    let form = form(json!([{"linkId": "g", "type": "group", "repeats": true, "item": [
        {"linkId": "detail", "type": "string", "enableWhen": is_true("flag")},
        {"linkId": "flag", "type": "boolean"},
        {"linkId": "late", "type": "string", "enableWhen": is_true("flag")}]}]));
    let group = |flag: Value| json!({"linkId": "g", "item": [flag]});
    let mixed = json!([group(yes("flag")), group(no("flag")), group(yes("flag"))]);
    assert_eq!(
        asked(&form, mixed),
        ["g/detail", "g/flag", "g/late", "g[1]/flag", "g[2]/detail", "g[2]/flag", "g[2]/late"]
    );
}

#[test]
fn from_outside_a_repetition_the_nearest_occurrence_counts() {
    let form = form(json!([
        {"linkId": "before", "type": "string", "enableWhen": is_true("flag")},
        {"linkId": "g", "type": "group", "repeats": true, "item": [{"linkId": "flag", "type": "boolean"}]},
        {"linkId": "after", "type": "string", "enableWhen": is_true("flag")}]));
    let group = |flag: Value| json!({"linkId": "g", "item": [flag]});
    assert_eq!(
        asked(&form, json!([group(yes("flag")), group(no("flag"))])),
        ["before", "g/flag", "g[1]/flag"]
    );
    assert_eq!(
        asked(&form, json!([group(no("flag")), group(yes("flag"))])),
        ["g/flag", "g[1]/flag", "after"]
    );
}

#[test]
fn a_condition_on_nothing_never_holds_and_exists_false_does() {
    let form = form(json!([
        {"linkId": "a", "type": "string", "enableWhen": is_true("ghost")},
        {"linkId": "b", "type": "string", "enableWhen": [when("ghost", "exists", "answerBoolean", json!(false))]}]));
    assert_eq!(asked(&form, json!([])), ["b"]);
}

#[test]
fn an_empty_repetition_is_seen_in_the_response_as_in_the_draft() {
    // `after` looks at the last repetition. An empty one hides it, and stays in the response: a question
    // that nobody was asked is not owed in the end.
    let form = form(json!([
        {"linkId": "g", "type": "group", "repeats": true, "item": [{"linkId": "flag", "type": "boolean"}]},
        {"linkId": "after", "type": "string", "required": true, "enableWhen": is_true("flag")}]));
    let mut answering = Answering::new(form.clone());
    answering.answer(&answering.path_of("flag").unwrap(), AnswerValue::Boolean(true)).unwrap();
    let second = answering.add_instance(&ItemPath::top("g")).unwrap();
    let done = answering.finish(None).unwrap();
    assert!(validate(&form, &done).is_empty());
    assert_eq!(done.items().len(), 2);
    answering.remove_instance(&second).unwrap();
    let findings = answering.finish(None).unwrap_err();
    assert_eq!(
        findings.iter().map(|f| (f.path.to_string(), f.code.as_str())).collect::<Vec<_>>(),
        [("after".to_owned(), "required")]
    );
}
