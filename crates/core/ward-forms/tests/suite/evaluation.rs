//! Expressions of a form while it is answered and when a response is checked.

use serde_json::{Value, json};
use ward_forms::{
    AnswerError, AnswerValue, Answering, CompiledForm, ExpressionFailure, FormError, ItemPath, Questionnaire,
    QuestionnaireResponse, Severity, Surroundings, validate, validate_in,
};

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

fn form_with(extension: Value, items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
        "extension": extension, "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

fn form(items: Value) -> Questionnaire {
    form_with(json!([]), items)
}

fn formula(url: &str, name: Option<&str>, text: &str) -> Value {
    json!({"url": url, "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}})
}

fn calculated(text: &str) -> Value {
    formula(&format!("{SDC}calculatedExpression"), None, text)
}

fn enabled(text: &str) -> Value {
    formula(&format!("{SDC}enableWhenExpression"), None, text)
}

fn initial(text: &str) -> Value {
    formula(&format!("{SDC}initialExpression"), None, text)
}

fn variable(name: &str, text: &str) -> Value {
    formula(&format!("{BASE}variable"), Some(name), text)
}

fn rule(text: &str, human: &str) -> Value {
    json!({"url": format!("{BASE}targetConstraint"), "extension": [
        {"url": "human", "valueString": human}, {"url": "severity", "valueCode": "error"},
        {"url": "expression", "valueExpression": {"language": "text/fhirpath", "expression": text}}]})
}

fn integer(link_id: &str, extension: Vec<Value>) -> Value {
    json!({"linkId": link_id, "type": "integer", "text": link_id, "extension": extension})
}

fn locked(link_id: &str, text: &str) -> Value {
    json!({"linkId": link_id, "type": "integer", "text": link_id, "readOnly": true, "extension": [calculated(text)]})
}

fn of(link_id: &str) -> String {
    format!("%resource.item.where(linkId='{link_id}').answer.value")
}

fn top(link_id: &str) -> ItemPath {
    ItemPath::top(link_id)
}

fn give(answering: &mut Answering, link_id: &str, number: i32) {
    answering.answer(&top(link_id), AnswerValue::Integer(number)).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

fn shown(answering: &Answering, link_id: &str) -> Vec<i32> {
    let item = answering.item(&top(link_id)).unwrap();
    let whole = |value: &AnswerValue| match value {
        AnswerValue::Integer(number) => *number,
        other => panic!("{other:?} is no whole number"),
    };
    item.answers.iter().map(whole).collect()
}

fn asked(answering: &Answering) -> Vec<String> {
    answering.questions().into_iter().map(|step| step.path.to_string()).collect()
}

fn codes(findings: &[ward_forms::Finding]) -> Vec<(String, &'static str, Severity)> {
    findings.iter().map(|found| (found.path.to_string(), found.code.as_str(), found.severity)).collect()
}

#[test]
fn a_missing_answer_gives_no_score() {
    let sum = format!("{} + {}", of("a"), of("b"));
    let mut answering =
        Answering::new(form(json!([integer("a", vec![]), integer("b", vec![]), locked("sum", &sum)])));
    give(&mut answering, "a", 3);
    assert!(shown(&answering, "sum").is_empty());
    assert_eq!(answering.item(&top("sum")).unwrap().calculated, Some(Ok(vec![])));
    give(&mut answering, "b", 4);
    assert_eq!(shown(&answering, "sum"), [7]);
    assert!(matches!(
        answering.answer(&top("sum"), AnswerValue::Integer(1)),
        Err(AnswerError::NotAnswerable { .. })
    ));
    answering.clear(&top("a")).unwrap();
    assert!(shown(&answering, "sum").is_empty());
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    let done = answering.finish(None).unwrap();
    assert_eq!(done.items().len(), 1, "a score that is missing is not given away");
}

#[test]
fn scores_of_scores_follow_in_the_order_of_dependence() {
    // The last in the form comes first in the order of evaluation.
    let mut answering = Answering::new(form(json!([
        locked("third", &format!("{} + 1", of("second"))),
        locked("second", &format!("{} * 2", of("first"))),
        integer("first", vec![])
    ])));
    give(&mut answering, "first", 5);
    assert_eq!((shown(&answering, "second"), shown(&answering, "third")), (vec![10], vec![11]));
    assert_eq!(answering.questions().len(), 1, "what nobody may change is not asked");
}

#[test]
fn an_answer_that_a_person_changed_stands_until_it_is_cleared() {
    let double = format!("{} * 2", of("a"));
    let form = form(json!([
        integer("a", vec![]),
        integer("b", vec![calculated(&double)]),
        locked("c", &format!("{} + 1", of("b")))
    ]));
    let mut answering = Answering::new(form.clone());
    give(&mut answering, "a", 2);
    let step = answering.question(&top("b")).unwrap();
    assert!(step.is_calculated && step.answers == [AnswerValue::Integer(4)]);
    give(&mut answering, "b", 7);
    give(&mut answering, "a", 3);
    assert_eq!((shown(&answering, "b"), shown(&answering, "c")), (vec![7], vec![8]));
    assert_eq!(codes(&answering.findings()), [("b".to_owned(), "calculated-differs", Severity::Information)]);

    // A draft that was put away keeps it, and what was followed goes on following.
    let draft = QuestionnaireResponse::parse(&answering.draft().to_json()).unwrap();
    let mut resumed = Answering::resume(form.clone(), draft);
    give(&mut resumed, "a", 5);
    assert_eq!((shown(&resumed, "b"), shown(&resumed, "c")), (vec![7], vec![8]));

    let done = answering.finish(None).unwrap();
    assert_eq!(codes(&validate(&form, &done)), [("b".to_owned(), "calculated-differs", Severity::Warning)]);

    answering.clear(&top("b")).unwrap();
    assert_eq!((shown(&answering, "b"), shown(&answering, "c")), (vec![6], vec![7]));
    assert_eq!(answering.findings(), []);
}

#[test]
fn a_response_whose_score_was_tampered_with_is_refused() {
    let form = form(json!([integer("a", vec![]), locked("score", &format!("{} * 2", of("a")))]));
    let response = |score: Value| {
        let value = json!({"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": "completed",
            "item": [{"linkId": "a", "answer": [{"valueInteger": 4}]}, score]});
        validate(&form, &QuestionnaireResponse::parse(&serde_json::to_vec(&value).unwrap()).unwrap())
    };
    let with = |number: i32| json!({"linkId": "score", "answer": [{"valueInteger": number}]});
    assert_eq!(response(with(8)), []);
    let found = response(with(9));
    assert_eq!(codes(&found), [("score".to_owned(), "calculated-differs", Severity::Error)]);
    assert_eq!(found[0].location.as_deref(), Some("QuestionnaireResponse.item[1]"));
    assert_eq!(codes(&response(json!({"linkId": "score"}))), codes(&found), "so is one that was taken out");
}

#[test]
fn an_expression_switches_items_on_and_their_answers_come_back() {
    let more = format!("{} > 3", of("a"));
    let deep = "%resource.item.where(linkId='g').item.where(linkId='b').answer.value = 1".to_owned();
    let mut answering = Answering::new(form(json!([integer("a", vec![]),
        {"linkId": "g", "type": "group", "extension": [enabled(&more)], "item": [integer("b", vec![])]},
        integer("c", vec![enabled(&deep)]),
        integer("d", vec![enabled(&format!("{}.exists()", of("c")))])])));
    assert_eq!(asked(&answering), ["a"], "what is missing does not switch on");
    give(&mut answering, "a", 4);
    let b = top("g").child("b", 0);
    answering.answer(&b, AnswerValue::Integer(1)).unwrap();
    give(&mut answering, "c", 2);
    give(&mut answering, "d", 3);
    assert_eq!(asked(&answering), ["a", "g/b", "c", "d"]);
    give(&mut answering, "a", 1);
    assert_eq!(asked(&answering), ["a"]);
    assert_eq!(answering.finish(None).unwrap().items().len(), 1);
    // The whole chain comes back with its answers.
    give(&mut answering, "a", 9);
    assert_eq!((shown(&answering, "c"), shown(&answering, "d")), (vec![2], vec![3]));
    assert_eq!(answering.finish(None).unwrap().items().len(), 4);
}

#[test]
fn each_instance_has_variables_and_scores_of_its_own() {
    let group = json!({"linkId": "g", "type": "group", "repeats": true,
        "extension": [variable("w", "item.where(linkId='weight').answer.value")],
        "item": [integer("weight", vec![]),
            {"linkId": "double", "type": "integer", "readOnly": true, "extension": [calculated("%w * 2")]},
            {"linkId": "why", "type": "string", "extension": [enabled("%w > 100")]}]});
    let total = "%resource.item.where(linkId='g').item.where(linkId='double').answer.value.sum()";
    let mut answering = Answering::new(form(json!([group, locked("total", total)])));
    let at = |instance: usize, link_id: &str| ItemPath::root().child("g", instance).child(link_id, 0);
    answering.answer(&at(0, "weight"), AnswerValue::Integer(150)).unwrap();
    answering.add_instance(&top("g")).unwrap();
    assert_eq!(shown(&answering, "total"), [300]);
    answering.answer(&at(1, "weight"), AnswerValue::Integer(50)).unwrap();
    assert_eq!(asked(&answering), ["g/weight", "g/why", "g[1]/weight"]);
    assert_eq!(shown(&answering, "total"), [400]);
    answering.answer(&at(0, "why"), AnswerValue::text("x")).unwrap();
    answering.remove_instance(&top("g")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!((asked(&answering), shown(&answering, "total")), (vec!["g/weight".to_owned()], vec![100]));
    answering.remove_instance(&top("g")).unwrap();
    assert!(shown(&answering, "total").is_empty());
    assert!(matches!(answering.remove_instance(&top("g")), Err(AnswerError::NoSuchInstance { .. })));
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn what_is_filled_in_is_filled_in_once() {
    let form = form(json!([
        integer("a", vec![initial("2 + 3")]),
        integer("b", vec![initial(&format!("{} + 1", of("a")))]),
        integer("c", vec![enabled(&format!("{} > 9", of("a"))), initial(&of("a"))])
    ]));
    let mut answering = Answering::new(form.clone());
    assert_eq!(
        (shown(&answering, "a"), shown(&answering, "b"), shown(&answering, "c")),
        (vec![5], vec![6], vec![])
    );
    give(&mut answering, "a", 10);
    assert_eq!((shown(&answering, "b"), shown(&answering, "c")), (vec![6], vec![10]), "c is first asked now");
    give(&mut answering, "a", 1);
    give(&mut answering, "a", 12);
    assert_eq!(shown(&answering, "c"), [10]);
    answering.clear(&top("b")).unwrap();
    assert!(shown(&answering, "b").is_empty());
    let resumed = Answering::resume(form, answering.draft());
    assert!(shown(&resumed, "b").is_empty(), "an answer that was taken away is not filled in again");
}

#[test]
fn what_is_not_known_is_an_error_and_shuts_nobody_out() {
    let form = form(json!([
        {"linkId": "weeks", "type": "integer", "required": true, "extension": [enabled("%patient.gender = 'female'")]},
        integer("age", vec![calculated("today() - %patient.birthDate")]),
        integer("text", vec![calculated("'a' + 'b'")]),
        integer("half", vec![calculated("1 / 2")])]));
    let answering = Answering::new(form.clone());
    let step = answering.question(&top("weeks")).unwrap();
    assert!(!step.is_owed, "it may be that nobody should be asked this");
    let expected = [
        ("weeks".to_owned(), "expression-failed", Severity::Warning),
        ("age".to_owned(), "expression-failed", Severity::Warning),
        ("text".to_owned(), "expression-failed", Severity::Warning),
        ("half".to_owned(), "expression-failed", Severity::Warning),
    ];
    assert_eq!(codes(&answering.findings()), expected);
    assert_eq!(step.findings[0].path, top("weeks"));
    assert!(step.findings[0].message.contains("%patient"), "{}", step.findings[0].message);
    let failure = |link_id: &str| answering.item(&top(link_id)).unwrap().calculated;
    assert_eq!(failure("half"), Some(Err(ExpressionFailure::OtherType { expected: "a whole number" })));
    let done = answering.finish(None).unwrap();
    assert!(validate(&form, &done).iter().all(|finding| !finding.is_error()));

    let known = |gender: &str| {
        Surroundings::new().with_resource("patient", json!({"resourceType": "Patient", "gender": gender}))
    };
    assert!(!asked(&Answering::new_in(form.clone(), known("male"))).contains(&"weeks".to_owned()));
    let female = Answering::new_in(form.clone(), known("female"));
    assert!(female.question(&top("weeks")).unwrap().is_owed);
    assert_eq!(codes(&female.finish(None).unwrap_err())[0].1, "required");
    assert!(codes(&validate_in(&form, &done, &known("female"))).iter().any(|found| found.1 == "required"));
}

#[test]
fn the_time_is_an_argument_and_that_of_writing_counts_in_the_end() {
    let form = form(json!([
        {"linkId": "day", "type": "date", "readOnly": true, "extension": [calculated("today()")]},
        integer("late", vec![enabled("today() > @2026-03-01")])]));
    let mut answering = Answering::new_in(form.clone(), Surroundings::new().at("2026-03-01T23:50:00+01:00"));
    assert_eq!(asked(&answering), Vec::<String>::new());
    assert_eq!(answering.item(&top("day")).unwrap().answers, [AnswerValue::Date("2026-03-01".to_owned())]);
    let done = answering.finish(Some("2026-03-02T00:10:00+01:00")).unwrap();
    assert_eq!(done.items()[0].answers()[0].value(), Some(&AnswerValue::Date("2026-03-02".to_owned())));
    assert_eq!(validate(&form, &done), [], "a check years later sees the time of writing");
    answering.set_surroundings(Surroundings::new().at("2026-03-02T08:00:00+01:00"));
    assert_eq!(asked(&answering), ["late"]);
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn rules_are_said_beside_the_field_and_stop_a_response() {
    let form = form_with(
        json!([rule("%resource.item.where(linkId='b').exists()", "Give b.")]),
        json!([integer("a", vec![rule("answer.value < 10", "Less than 10, please.")]),
            {"linkId": "g", "type": "group", "extension": [rule(
                "item.where(linkId='low').answer.value <= item.where(linkId='high').answer.value", "Low comes first.")],
             "item": [integer("low", vec![]), integer("high", vec![])]},
            integer("b", vec![])]),
    );
    let mut answering = Answering::new(form);
    give(&mut answering, "a", 12);
    let step = answering.question(&top("a")).unwrap();
    assert_eq!(step.findings[0].message, "Less than 10, please.");
    let at = |link_id: &str| top("g").child(link_id, 0);
    answering.answer(&at("low"), AnswerValue::Integer(5)).unwrap();
    let broken = |path: &str| (path.to_owned(), "constraint-broken", Severity::Error);
    assert_eq!(codes(&answering.findings()), [broken(""), broken("a")], "half a pair breaks no rule");
    answering.answer(&at("high"), AnswerValue::Integer(4)).unwrap();
    assert_eq!(codes(&answering.findings()), [broken(""), broken("a"), broken("g")]);
    assert_eq!(codes(&answering.finish(None).unwrap_err()), [broken(""), broken("a"), broken("g")]);
    give(&mut answering, "a", 1);
    give(&mut answering, "b", 1);
    answering.answer(&at("high"), AnswerValue::Integer(6)).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!(answering.findings(), []);
    assert!(answering.finish(None).is_ok());
}

#[test]
fn loops_are_named_and_a_stored_form_with_one_can_be_answered() {
    let form = form(json!([
        integer("x", vec![]),
        locked("a", &format!("{} + {}", of("b"), of("x"))),
        locked("b", &format!("iif({}.exists(), {} + 1, 1)", of("a"), of("a")))
    ]));
    let Err(FormError::EnableWhenLoop { cycle }) = CompiledForm::compile(&form) else { panic!("a loop") };
    assert_eq!(cycle, ["a", "b"]);
    let mut answering = Answering::new(form);
    give(&mut answering, "x", 1);
    assert_eq!(answering.item(&top("a")).unwrap().calculated, Some(Err(ExpressionFailure::Loop)));
    assert!(answering.finish(None).is_ok());

    let itself = self::form(json!([locked("a", &format!("{} + 1", of("a")))]));
    assert!(CompiledForm::compile(&itself).is_err());
    let variables = form_with(json!([variable("p", "%q"), variable("q", "%p")]), json!([locked("a", "%p")]));
    let answering = Answering::new(variables);
    assert_eq!(answering.item(&top("a")).unwrap().calculated, Some(Err(ExpressionFailure::Loop)));
}

#[test]
fn what_only_may_be_a_loop_is_evaluated_to_its_rest() {
    // Each reads the whole group, in which the other stands; neither reads the other.
    let of_group = |link_id: &str| {
        format!(
            "%resource.item.where(linkId='g').item.where(linkId='{link_id}' and answer.exists()).answer.value * 2"
        )
    };
    let form =
        form(json!([{"linkId": "g", "type": "group", "item": [integer("a", vec![]), integer("b", vec![]),
        locked("of-a", &of_group("a")), locked("of-b", &of_group("b"))]}]));
    assert!(CompiledForm::compile(&form).is_ok());
    let mut answering = Answering::new(form);
    let at = |link_id: &str| top("g").child(link_id, 0);
    answering.answer(&at("a"), AnswerValue::Integer(2)).unwrap();
    answering.answer(&at("b"), AnswerValue::Integer(3)).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!(answering.item(&at("of-a")).unwrap().answers, [AnswerValue::Integer(4)]);
    assert_eq!(answering.item(&at("of-b")).unwrap().answers, [AnswerValue::Integer(6)]);
}

#[test]
fn names_of_the_form_and_of_its_item_are_known() {
    let mut item = integer("a", vec![calculated("%questionnaire.item.count() + %qitem.code.count()")]);
    item["code"] = json!([{"code": "1"}, {"code": "2"}]);
    item["readOnly"] = json!(true);
    let answering = Answering::new(form(json!([item, integer("b", vec![])])));
    assert_eq!(shown(&answering, "a"), [4]);
}

#[test]
fn weights_of_offered_answers_add_up() {
    let question = |link_id: &str| {
        let option = |code: &str, weight: f64| {
            json!({"valueCoding": {"system": "s", "code": code, "display": code, "extension":
                [{"url": format!("{BASE}ordinalValue"), "valueDecimal": weight}]}})
        };
        json!({"linkId": link_id, "type": "choice", "answerOption": [option("x", 1.0), option("y", 2.0)]})
    };
    let weight = |link_id: &str| format!("{}.ordinal()", of(link_id));
    let mut answering = Answering::new(form(json!([
        question("a"),
        question("b"),
        locked("sum", &format!("{} + {}", weight("a"), weight("b")))
    ])));
    for link_id in ["a", "b"] {
        let last = answering.question(&top(link_id)).unwrap().options[1].value.clone();
        answering.answer(&top(link_id), last).unwrap();
    }
    assert_eq!(shown(&answering, "sum"), [4]);
}
