//! What the session says is complete is what the check of a finished response accepts, and nobody is
//! held to what they can't give.

use crate::form_parts::{
    calculated, enabled, form, initial, item, locked, min_occurs, of, put_away, required, top, with,
};
use serde_json::{Value, json};
use ward_forms::{
    AnswerValue, Answering, Finding, FindingCode, ItemPath, Questionnaire, QuestionnaireResponse, Severity,
    Surroundings, validate, validate_in,
};

const NOW: &str = "2026-03-02T07:30:00+09:00";

fn whole(number: i32) -> AnswerValue {
    AnswerValue::Integer(number)
}

fn next(answering: &Answering) -> Option<String> {
    answering.next_question().map(|step| step.path.to_string())
}

fn group(link_id: &str, extension: Value, items: Value) -> Value {
    json!({"linkId": link_id, "type": "group", "text": link_id, "extension": extension, "item": items})
}

fn top_of(link_id: &str, instance: usize) -> ItemPath {
    ItemPath::root().child(link_id, instance)
}

fn repeating(group: Value) -> Value {
    with(group, "repeats", json!(true))
}

/// What is complete is taken, and passes its own check.
fn complete(form: &Questionnaire, answering: &Answering, authored: Option<&str>) -> QuestionnaireResponse {
    assert_eq!(answering.next_question(), None);
    let done = answering.finish(authored).unwrap();
    let found = validate(form, &done);
    assert!(!found.iter().any(Finding::is_error), "{found:?}");
    done
}

#[test]
fn the_head_of_the_response_is_the_same_before_and_after() {
    let form = form(json!([
        locked(item("when", "dateTime", json!([calculated("%resource.authored")]))),
        required(item("final", "integer", json!([enabled("%resource.status = 'completed'")]))),
        item("draft", "integer", json!([enabled("%resource.status = 'in-progress'")]))
    ]));
    let mut answering = Answering::new_in(form.clone(), Surroundings::new().at(NOW));
    assert_eq!(next(&answering).as_deref(), Some("final"));
    answering.answer(&top("final"), whole(1)).unwrap();
    let later = "2026-03-02T07:31:00+09:00";
    let done = complete(&form, &answering, Some(later));
    assert_eq!(done.items()[0].answers()[0].value(), Some(&AnswerValue::DateTime(later.to_owned())));
    assert_eq!(answering.draft().status().code(), "in-progress", "what is put away is a draft");
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    let resumed = Answering::resume_in(form, put_away(&answering), Surroundings::new().at(NOW));
    assert_eq!(resumed.finish(Some(later)), Ok(done));
    assert!(answering.finish(None).is_ok());
}

#[test]
fn today_is_the_day_where_the_person_is() {
    let rule = json!([{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint", "extension": [
        {"url": "human", "valueString": "Not a day to come."}, {"url": "severity", "valueCode": "error"},
        {"url": "expression", "valueString": "answer.value <= today()"}]}]);
    let form = form(json!([
        item("symptom", "date", rule),
        locked(item("day", "date", json!([calculated("today()")])))
    ]));
    // It is still the first of March in UTC.
    let mut answering = Answering::new_in(form.clone(), Surroundings::new().at(NOW));
    let second = AnswerValue::Date("2026-03-02".to_owned());
    answering.answer(&top("symptom"), second.clone()).unwrap();
    let done = complete(&form, &answering, Some(NOW));
    assert_eq!(done.items()[1].answers()[0].value(), Some(&second));
}

fn watched() -> Questionnaire {
    let condition = |operator: &str, answer: Value| {
        let mut condition = json!({"question": "q", "operator": operator});
        let field = if answer.is_boolean() { "answerBoolean" } else { "answerInteger" };
        condition[field] = answer;
        json!([condition])
    };
    form(json!([
        repeating(group(
            "g",
            json!([]),
            json!([item("q", "integer", json!([])), item("p", "integer", json!([]))])
        )),
        with(item("r", "integer", json!([])), "enableWhen", condition("exists", json!(false))),
        with(required(item("r2", "integer", json!([]))), "enableWhen", condition("=", json!(5)))
    ]))
}

#[test]
fn an_empty_repetition_counts_in_the_end_as_it_did_before() {
    let form = watched();
    let mut answering = Answering::new(form.clone());
    let q = |instance: usize| ItemPath::root().child("g", instance).child("q", 0);
    answering.answer(&q(0), whole(5)).unwrap();
    let second = answering.add_instance(&top("g")).unwrap();
    for _ in 0..3 {
        let step = answering.next_question().unwrap();
        answering.skip(&step.path).unwrap();
    }
    assert_eq!(next(&answering).as_deref(), Some("r"), "the nearest q has no answer");
    answering.answer(&top("r"), whole(7)).unwrap();
    let done = complete(&form, &answering, None);
    let items: Vec<&str> = done.items().iter().map(|item| item.link_id()).collect();
    assert_eq!(items, ["g", "g", "r"], "the answer of r is kept");
    let again = Answering::amend(form.clone(), done.clone());
    assert!(again.says_the_same(&done));

    // One that was taken away counts no more.
    answering.remove_instance(&second).unwrap();
    assert_eq!(next(&answering).as_deref(), Some("r2"));
    answering.answer(&top("r2"), whole(1)).unwrap();
    let done = complete(&form, &answering, None);
    assert_eq!(done.items().len(), 2);
}

#[test]
fn empty_repetitions_that_nothing_looks_at_are_left_out() {
    let form = watched();
    let mut answering = Answering::new(form);
    answering.add_instance(&top("g")).unwrap();
    answering.add_instance(&top("g")).unwrap();
    assert_eq!(answering.finish(None).unwrap().items().len(), 0);
    let plain =
        self::form(json!([repeating(group("g", json!([]), json!([item("q", "integer", json!([]))])))]));
    let mut answering = Answering::new(plain);
    answering.answer(&top("g").child("q", 0), whole(1)).unwrap();
    answering.add_instance(&top("g")).unwrap();
    assert_eq!(answering.finish(None).unwrap().items().len(), 1);
}

#[test]
fn a_repetition_that_was_added_and_holds_nothing_owes_nothing() {
    let questions = || json!([required(item("when", "date", json!([]))), item("how", "string", json!([]))]);
    let form = |extension: Value| form(json!([repeating(group("g", extension, questions()))]));
    let when = |instance: usize| top_of("g", instance).child("when", 0);
    let mut answering = Answering::new(form(json!([])));
    for _ in 0..3 {
        // The first that is added is the one that stands there in any case.
        answering.add_instance(&top("g")).unwrap();
    }
    assert_eq!(answering.progress().owed, 0, "what is left out in the end owes nothing");
    answering.finish(None).unwrap();
    answering.answer(&top_of("g", 1).child("how", 0), AnswerValue::String("badly".into())).unwrap();
    assert_eq!(answering.progress().owed, 1, "where something was said the rest is owed");
    assert!(answering.skip(&when(1)).is_err());
    assert!(answering.finish(None).is_err());
    answering.skip(&when(0)).unwrap();
    answering.skip(&when(2)).unwrap();

    // Two are asked for: whichever is filled in, one more is owed, with its required question and the
    // last one, which is owed while nothing is said.
    let mut answering = Answering::new(form(json!([min_occurs(2)])));
    answering.add_instance(&top("g")).unwrap();
    assert_eq!(answering.progress().owed, 4);
    answering.answer(&when(2), AnswerValue::Date("2026-03-02".into())).unwrap();
    assert_eq!(answering.progress().owed, 2);
    answering.answer(&when(1), AnswerValue::Date("2026-03-01".into())).unwrap();
    assert_eq!(answering.progress().owed, 0);
    assert_eq!(answering.finish(None).unwrap().items().len(), 2);
}

#[test]
fn a_group_in_which_nobody_can_answer_owes_nothing() {
    let sum = format!("{} + {}", of("a"), of("b"));
    let score = || locked(item("score", "integer", json!([calculated(&sum)])));
    let form = form(json!([
        item("a", "integer", json!([])),
        item("b", "integer", json!([])),
        required(group("scores", json!([]), json!([score()]))),
        repeating(group("more", json!([min_occurs(2)]), json!([with(score(), "linkId", json!("again"))]))),
        required(group("files", json!([]), json!([item("file", "attachment", json!([]))])))
    ]));
    let mut answering = Answering::new(form.clone());
    for link_id in ["a", "b"] {
        answering.skip(&top(link_id)).unwrap();
    }
    complete(&form, &answering, None);
}

#[test]
fn what_only_the_app_could_know_is_missed_with_a_warning() {
    let form = form(json!([
        required(locked(item("name", "string", json!([initial("%patient.name.family")])))),
        required(item("file", "attachment", json!([]))),
        required(locked(item("site", "string", json!([]))))
    ]));
    let answering = Answering::new(form.clone());
    let done = complete(&form, &answering, None);
    let found: Vec<_> =
        validate(&form, &done).into_iter().map(|finding| (finding.code, finding.severity)).collect();
    assert_eq!(found, [(FindingCode::Required, Severity::Warning); 3]);
    let patient = json!({"resourceType": "Patient", "name": [{"family": "Nkosi"}]});
    let known = Answering::new_in(form.clone(), Surroundings::new().with_resource("patient", patient));
    assert_eq!(validate(&form, &complete(&form, &known, None)).len(), 2);
}

#[test]
fn a_group_in_doubt_owes_no_repetition_and_no_last_question() {
    let female = || json!([enabled("%patient.gender = 'female'"), min_occurs(1)]);
    let form = form(json!([
        repeating(group("pregnancy", female(), json!([item("weeks", "integer", json!([]))]))),
        required(group(
            "part",
            json!([]),
            json!([item("pregnant", "boolean", json!([enabled("%patient.gender = 'female'")]))])
        ))
    ]));
    let mut answering = Answering::new(form.clone());
    while let Some(step) = answering.next_question() {
        assert!(!step.is_owed, "{}", step.path);
        answering.skip(&step.path).unwrap();
    }
    let done = complete(&form, &answering, None);
    let patient = json!({"resourceType": "Patient", "gender": "female"});
    let known = Surroundings::new().with_resource("patient", patient);
    let found = validate_in(&form, &done, &known);
    let owed: Vec<_> = found.iter().filter(|finding| finding.is_error()).map(|found| found.code).collect();
    assert_eq!(owed, [FindingCode::TooFew, FindingCode::Required, FindingCode::Required]);
}

#[test]
fn repetitions_that_are_owed_are_asked_without_being_added() {
    let form = form(json!([repeating(group(
        "drug",
        json!([min_occurs(2)]),
        json!([item("name", "integer", json!([]))])
    ))]));
    let name = |instance: usize| ItemPath::root().child("drug", instance).child("name", 0);
    let mut answering = Answering::new(form.clone());
    answering.answer(&name(0), whole(1)).unwrap();
    assert_eq!(answering.next_question().unwrap().path, name(1));
    assert!(answering.next_question().unwrap().is_owed);
    let found = answering.finish(None).unwrap_err();
    assert_eq!(found[0].code, FindingCode::TooFew);
    assert_eq!(found[0].message, "This part of the form must be filled in at least 2 times.");
    answering.answer(&name(1), whole(2)).unwrap();
    assert_eq!(complete(&form, &answering, None).items().len(), 2);
    answering.remove_instance(&top("drug")).unwrap();
    assert_eq!(answering.next_question().unwrap().path, name(1), "another one stands there again");
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn what_a_response_was_refused_for_is_asked_again() {
    let rule = |text: &str| {
        json!([{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint", "extension": [
            {"url": "human", "valueString": "Less."}, {"url": "severity", "valueCode": "error"},
            {"url": "expression", "valueString": text}]}])
    };
    let form = form(json!([
        item("a", "integer", json!([])),
        group(
            "g",
            rule("item.where(linkId='b').answer.value < 10"),
            json!([item("b", "integer", json!([]))])
        )
    ]));
    let b = top("g").child("b", 0);
    let mut answering = Answering::new(form.clone());
    answering.answer(&top("a"), whole(1)).unwrap();
    answering.answer(&b, whole(12)).unwrap();
    assert_eq!(answering.next_question(), None);
    let mut resumed = Answering::resume(form.clone(), put_away(&answering));
    let refused = resumed.finish(None).unwrap_err();
    assert!(resumed.ask_again(&refused));
    assert_eq!(resumed.next_question().unwrap().path, b, "and nothing else");
    resumed.answer(&b, whole(9)).unwrap();
    complete(&form, &resumed, None);
    assert!(!resumed.ask_again(&[]));
}

#[test]
fn a_list_that_is_not_at_hand_is_said_and_not_asked() {
    let form = form(json!([
        required(with(item("kind", "choice", json!([])), "answerValueSet", json!("https://example.org/v"))),
        item("a", "integer", json!([]))
    ]));
    let mut answering = Answering::new(form.clone());
    let step = answering.next_question().unwrap();
    assert_eq!(
        (step.link_id.as_str(), step.notes),
        ("a", vec!["kind (this can't be answered here)".to_owned()])
    );
    answering.skip(&top("a")).unwrap();
    complete(&form, &answering, None);
}
