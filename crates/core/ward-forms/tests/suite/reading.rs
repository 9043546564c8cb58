//! Reading and writing forms and responses: what is understood, what is kept, and
//! what is refused with which error.

use serde_json::{Value, json};
use ward_forms::{
    AnswerOptions, AnswerValue, EnableBehavior, FormError, ItemType, Operator, PublicationStatus,
    Questionnaire, QuestionnaireResponse, ResponseStatus, limits,
};

fn form(items: Value) -> Result<Questionnaire, FormError> {
    parse(&json!({"resourceType": "Questionnaire", "status": "active", "item": items}))
}

fn parse(value: &Value) -> Result<Questionnaire, FormError> {
    Questionnaire::parse(&serde_json::to_vec(value).unwrap())
}

fn response(items: Value) -> Result<QuestionnaireResponse, FormError> {
    parse_response(&json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}))
}

fn parse_response(value: &Value) -> Result<QuestionnaireResponse, FormError> {
    QuestionnaireResponse::parse(&serde_json::to_vec(value).unwrap())
}

#[test]
fn every_field_of_an_item_is_understood() {
    let value = json!({
    "resourceType": "Questionnaire", "url": "https://example.org/f", "version": "2", "title": "T", "status": "draft",
    "item": [
        {"linkId": "g", "type": "group", "text": "Group", "repeats": true, "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs", "valueInteger": 1},
            {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs", "valueInteger": 3}],
         "item": [
            {"linkId": "q", "prefix": "1a", "text": "Question", "type": "integer", "required": true,
             "readOnly": true, "initial": [{"valueInteger": 4}],
             "code": [{"system": "s", "code": "c", "display": "d"}],
             "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueInteger": 1},
                {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", "valueInteger": 9},
                {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-hidden", "valueBoolean": true}]},
            {"linkId": "s", "type": "string", "maxLength": 7, "enableBehavior": "any",
             "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": "[a-z]+"},
                           {"url": "http://hl7.org/fhir/StructureDefinition/minLength", "valueInteger": 2}],
             "enableWhen": [{"question": "q", "operator": ">=", "answerInteger": 2},
                            {"question": "q", "operator": "exists", "answerBoolean": false}]},
            {"linkId": "d", "type": "decimal", "extension": [
                {"url": "http://hl7.org/fhir/StructureDefinition/maxDecimalPlaces", "valueInteger": 2}]}
        ]}
    ]});
    let form = parse(&value).unwrap();
    assert_eq!(
        (form.url(), form.version(), form.title()),
        (Some("https://example.org/f"), Some("2"), Some("T"))
    );
    assert_eq!(
        (form.status(), form.canonical().as_deref()),
        (PublicationStatus::Draft, Some("https://example.org/f|2"))
    );
    let group = form.item("g").unwrap();
    assert_eq!((group.rules.min_occurs, group.rules.max_occurs, group.repeats), (Some(1), Some(3), true));
    assert_eq!(group.children.len(), 3);
    let question = form.item("q").unwrap();
    assert_eq!(question.parent, Some(group.index));
    assert_eq!((question.prefix.as_deref(), question.text.as_deref()), (Some("1a"), Some("Question")));
    assert!(question.required && question.read_only && question.hidden);
    assert_eq!(question.initial, [AnswerValue::Integer(4)]);
    assert_eq!(question.codes.first().unwrap().code.as_deref(), Some("c"));
    assert_eq!(question.rules.min_value, Some(AnswerValue::Integer(1)));
    assert_eq!(question.rules.max_value, Some(AnswerValue::Integer(9)));
    let text = form.item("s").unwrap();
    assert_eq!((text.rules.min_chars, text.rules.max_chars), (Some(2), Some(7)));
    assert_eq!(text.rules.pattern.as_deref(), Some("[a-z]+"));
    assert_eq!(text.enable_behavior, Some(EnableBehavior::Any));
    let operators: Vec<_> = text.conditions.iter().map(|condition| condition.operator).collect();
    assert_eq!(operators, [Operator::GreaterOrEqual, Operator::Exists]);
    assert!(text.conditions.iter().all(|condition| condition.target == Some(question.index)));
    assert_eq!(form.item("d").unwrap().rules.max_decimal_places, Some(2));
}

#[test]
fn every_item_type_has_its_code() {
    for (kind, code) in ItemType::ALL {
        let form = form(json!([{"linkId": "a", "type": code}])).unwrap();
        assert_eq!(form.item("a").unwrap().item_type, kind);
        assert_eq!(kind.code(), code);
    }
    assert!(matches!(
        form(json!([{"linkId": "a", "type": "slider"}])),
        Err(FormError::WrongShape { field, .. }) if field == "type"
    ));
}

#[test]
fn options_of_each_type_with_weight_and_exclusive() {
    let form = form(json!([{"linkId": "a", "type": "choice", "answerOption": [
        {"valueCoding": {"system": "s", "code": "1", "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 2.5}]}},
        {"valueString": "none", "initialSelected": true, "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive", "valueBoolean": true},
            {"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 3}]},
        {"valueInteger": 4}, {"valueDate": "2026-01-01"}, {"valueTime": "10:00:00"}]}]))
    .unwrap();
    let item = form.item("a").unwrap();
    let options = item.options.listed();
    let weights: Vec<_> = options.iter().map(|option| option.weight).collect();
    assert_eq!(weights, [Some(2.5), Some(3.0), None, None, None]);
    let exclusive: Vec<_> = options.iter().map(|option| option.exclusive).collect();
    assert_eq!(exclusive, [false, true, false, false, false]);
    assert_eq!(item.initial, [AnswerValue::text("none")]);
    let labels: Vec<_> = options.iter().map(ward_forms::AnswerOption::label).collect();
    assert_eq!(labels, ["1", "none", "4", "2026-01-01", "10:00:00"]);
}

#[test]
fn contained_value_sets_are_expanded() {
    let value = |value_set: Value, reference: &str| {
        json!({"resourceType": "Questionnaire", "status": "active", "contained": [value_set],
               "item": [{"linkId": "a", "type": "choice", "answerValueSet": reference}]})
    };
    let expansion = json!({"resourceType": "ValueSet", "id": "v", "expansion": {"contains": [
        {"abstract": true, "code": "heading", "contains": [{"system": "s", "code": "1", "display": "One"}]},
        {"system": "s", "code": "2"}]}});
    let compose = json!({"resourceType": "ValueSet", "id": "v", "compose": {"include": [
        {"system": "s", "concept": [{"code": "1", "display": "One"}, {"code": "2"}]}]}});
    for value_set in [expansion, compose] {
        let form = parse(&value(value_set, "#v")).unwrap();
        let labels: Vec<_> =
            form.item("a").unwrap().options.listed().iter().map(ward_forms::AnswerOption::label).collect();
        assert_eq!(labels, ["One", "2"]);
    }
    let rule = json!({"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "s"}]}});
    for (value_set, reference) in [(rule.clone(), "#v"), (rule.clone(), "#w"), (rule, "http://example.org/v")]
    {
        let form = parse(&value(value_set, reference)).unwrap();
        assert_eq!(form.item("a").unwrap().options, AnswerOptions::Elsewhere(reference.to_owned()));
    }
}

#[test]
fn unknown_content_of_a_form_is_given_back() {
    let value = json!({"resourceType": "Questionnaire", "status": "active", "x": {"y": [1, null, {"z": "é"}]},
        "item": [{"linkId": "a", "type": "string", "_text": {"extension": []}, "unheard": 1.25}]});
    assert_eq!(parse(&value).unwrap().as_value().to_string(), value.to_string());
}

#[test]
fn unknown_content_of_a_response_is_given_back_in_its_order() {
    let value = json!({
        "meta": {"tag": [1]}, "resourceType": "QuestionnaireResponse", "status": "amended", "contained": [],
        "item": [
            {"text": "G", "linkId": "g", "extension": [{"url": "u"}], "item": [
                {"answer": [{"extension": [], "valueCoding": {"code": "c", "userSelected": true}, "z": 0, "item": [
                    {"linkId": "n", "answer": [{"valueCode": "odd"}, {}], "odd": {}}]}], "linkId": "q", "a": 1}]},
            {"linkId": "empty", "item": [], "answer": []}],
        "authored": "2026-03-01T10:00:00Z", "zz": null});
    let response = parse_response(&value).unwrap();
    assert_eq!(response.to_value().to_string(), value.to_string());
    assert_eq!(response.to_json(), value.to_string().into_bytes());
    assert_eq!(response.status(), ResponseStatus::Amended);
    assert_eq!(response.authored(), Some("2026-03-01T10:00:00Z"));
}

#[test]
fn a_response_status_is_known_or_refused() {
    for code in ["in-progress", "completed", "amended", "entered-in-error", "stopped"] {
        let value = json!({"resourceType": "QuestionnaireResponse", "status": code});
        assert_eq!(parse_response(&value).unwrap().status().code(), code);
    }
    let value = json!({"resourceType": "QuestionnaireResponse", "status": "done"});
    assert!(matches!(parse_response(&value), Err(FormError::WrongShape { field, .. }) if field == "status"));
}

#[test]
fn broken_structure_is_named_with_its_place() {
    let cases = [
        (json!([{"type": "group"}]), "Questionnaire: the field linkId is missing"),
        (json!([{"linkId": "", "type": "group"}]), "Questionnaire: the field linkId is missing"),
        (json!([{"linkId": "a"}]), "a: the field type is missing"),
        (
            json!([{"linkId": "a", "type": "group", "item": [{"linkId": "b", "type": "string", "required": "yes"}]}]),
            "a/b: the field required must be true or false",
        ),
        (
            json!([{"linkId": "a", "type": "string", "maxLength": -1}]),
            "a: the field maxLength must be a whole number of 0 or more",
        ),
        (
            json!([{"linkId": "a", "type": "choice", "answerOption": [{}]}]),
            "a: the field answerOption.value[x] is missing",
        ),
        (
            json!([{"linkId": "a", "type": "choice", "answerOption": [{"valueInteger": "x"}]}]),
            "a: the field valueInteger must be a value of its type",
        ),
        (
            json!([{"linkId": "a", "type": "choice", "answerOption": [{"valueInteger": 1, "valueString": "x"}]}]),
            "a: the field value[x] must be given once",
        ),
        (
            json!([{"linkId": "a", "type": "string", "enableWhen": [{"operator": "=", "answerInteger": 1}]}]),
            "a: the field enableWhen.question is missing",
        ),
        (
            json!([{"linkId": "a", "type": "string", "enableWhen": [{"question": "b", "operator": "exists", "answerInteger": 1}]}]),
            "a: the field enableWhen.answer[x] must be answerBoolean for the operator exists",
        ),
        (json!("x"), "Questionnaire: the field item must be an array"),
        (json!([1]), "Questionnaire: the field item must be an object"),
    ];
    for (items, message) in cases {
        assert_eq!(form(items).unwrap_err().to_string(), message);
    }
    assert_eq!(
        form(json!([{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}])),
        Err(FormError::DuplicateLinkId { link_id: "a".to_owned() })
    );
    assert!(matches!(
        parse(&json!({"resourceType": "Patient"})),
        Err(FormError::WrongResource { found, .. }) if found == "Patient"
    ));
    assert!(matches!(parse(&json!([])), Err(FormError::WrongResource { .. })));
    assert!(matches!(
        response(json!([{"linkId": "a", "answer": [3]}])),
        Err(FormError::WrongShape { field, .. }) if field == "answer"
    ));
    assert!(matches!(
        response(json!([{"answer": []}])),
        Err(FormError::MissingField { field: "linkId", .. })
    ));
    assert!(matches!(
        response(json!([{"linkId": "a", "answer": [{"valueString": "x", "valueInteger": 1}]}])),
        Err(FormError::WrongShape { .. })
    ));
}

#[test]
fn loops_are_named() {
    let when = |question: &str| json!([{"question": question, "operator": "exists", "answerBoolean": true}]);
    let item = |link_id: &str, question: &str| json!({"linkId": link_id, "type": "string", "enableWhen": when(question)});
    let cycle = |items: Value| match form(items) {
        Err(FormError::EnableWhenLoop { cycle }) => cycle,
        other => panic!("expected a loop, got {other:?}"),
    };
    assert_eq!(cycle(json!([item("a", "a")])), ["a"]);
    assert_eq!(
        cycle(json!([item("a", "b"), item("b", "c"), item("c", "a"), item("d", "a")])),
        ["a", "b", "c"]
    );
    // A group that waits for a question inside it waits for itself.
    assert_eq!(
        cycle(json!([{"linkId": "g", "type": "group", "enableWhen": when("q"),
                      "item": [{"linkId": "q", "type": "string"}]}])),
        ["g", "q"]
    );
    let message = form(json!([item("a", "b"), item("b", "a")])).unwrap_err().to_string();
    assert_eq!(message, "these items wait for one another: a > b");
}

/// `levels` items, each in the one before.
fn nested(levels: usize, key: &str) -> Value {
    let mut value = json!([]);
    for level in (0..levels).rev() {
        value = json!([{"linkId": format!("l{level}"), "type": "group", key: value}]);
    }
    value
}

#[test]
fn nesting_at_the_limit_and_one_past() {
    assert!(form(nested(limits::MAX_ITEM_DEPTH, "item")).is_ok());
    assert!(matches!(form(nested(limits::MAX_ITEM_DEPTH + 1, "item")), Err(FormError::ItemsTooDeep { .. })));
    assert!(response(nested(limits::MAX_ITEM_DEPTH, "item")).is_ok());
    assert!(matches!(
        response(nested(limits::MAX_ITEM_DEPTH + 1, "item")),
        Err(FormError::ItemsTooDeep { .. })
    ));
    // Under answers each level costs twice the JSON depth, and still fits.
    let under_answers = |levels: usize| {
        let mut value = json!([]);
        for _ in 0..levels {
            value = json!([{"linkId": "l", "answer": [{"valueInteger": 1, "item": value}]}]);
        }
        value
    };
    assert!(response(under_answers(limits::MAX_ITEM_DEPTH)).is_ok());
    assert!(matches!(
        response(under_answers(limits::MAX_ITEM_DEPTH + 1)),
        Err(FormError::ItemsTooDeep { .. })
    ));
}

#[test]
fn counts_at_the_limit_and_one_past() {
    let items = |count: usize| {
        Value::Array((0..count).map(|n| json!({"linkId": n.to_string(), "type": "string"})).collect())
    };
    assert_eq!(form(items(limits::MAX_ITEMS)).unwrap().items().len(), limits::MAX_ITEMS);
    assert!(matches!(form(items(limits::MAX_ITEMS + 1)), Err(FormError::TooMany { what: "items", .. })));

    let options = |count: usize| {
        let list: Vec<_> = (0..count).map(|n| json!({"valueInteger": n})).collect();
        json!([{"linkId": "a", "type": "choice", "answerOption": list}])
    };
    assert!(form(options(limits::MAX_OPTIONS_PER_ITEM)).is_ok());
    assert!(matches!(form(options(limits::MAX_OPTIONS_PER_ITEM + 1)), Err(FormError::TooMany { .. })));

    let conditions = |count: usize| {
        let when = json!({"question": "a", "operator": "exists", "answerBoolean": true});
        json!([{"linkId": "a", "type": "string"},
               {"linkId": "b", "type": "string", "enableBehavior": "any", "enableWhen": vec![when; count]}])
    };
    assert!(form(conditions(limits::MAX_CONDITIONS_PER_ITEM)).is_ok());
    assert!(matches!(form(conditions(limits::MAX_CONDITIONS_PER_ITEM + 1)), Err(FormError::TooMany { .. })));

    let response_items =
        |count: usize| Value::Array((0..count).map(|n| json!({"linkId": n.to_string()})).collect());
    assert!(response(response_items(limits::MAX_RESPONSE_ITEMS)).is_ok());
    assert!(matches!(
        response(response_items(limits::MAX_RESPONSE_ITEMS + 1)),
        Err(FormError::TooMany { what: "items", .. })
    ));
    let answers = |count: usize| json!([{"linkId": "a", "answer": vec![json!({"valueInteger": 1}); count]}]);
    assert!(response(answers(limits::MAX_RESPONSE_ANSWERS)).is_ok());
    assert!(matches!(
        response(answers(limits::MAX_RESPONSE_ANSWERS + 1)),
        Err(FormError::TooMany { what: "answers", .. })
    ));
}

#[test]
fn a_value_set_shared_by_many_items_is_counted_each_time() {
    let concepts: Vec<_> = (0..1_000).map(|n| json!({"code": n.to_string()})).collect();
    let value = |items: usize| {
        let items: Vec<_> = (0..items)
            .map(|n| json!({"linkId": n.to_string(), "type": "choice", "answerValueSet": "#v"}))
            .collect();
        json!({"resourceType": "Questionnaire", "status": "active", "item": items, "contained": [
            {"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "s", "concept": concepts.clone()}]}}]})
    };
    let fits = limits::MAX_OPTIONS / 1_000;
    assert!(parse(&value(fits)).is_ok());
    assert!(matches!(parse(&value(fits + 1)), Err(FormError::TooMany { .. })));
}

#[test]
fn string_sizes_at_the_limit_and_one_past() {
    let link_id = |bytes: usize| json!([{"linkId": "a".repeat(bytes), "type": "string"}]);
    assert!(form(link_id(limits::MAX_LINK_ID_BYTES)).is_ok());
    assert!(matches!(form(link_id(limits::MAX_LINK_ID_BYTES + 1)), Err(FormError::FieldTooLong { .. })));
    assert!(response(json!([{"linkId": "a".repeat(limits::MAX_LINK_ID_BYTES)}])).is_ok());
    assert!(matches!(
        response(json!([{"linkId": "a".repeat(limits::MAX_LINK_ID_BYTES + 1)}])),
        Err(FormError::FieldTooLong { .. })
    ));
    let text = |bytes: usize| json!([{"linkId": "a", "type": "string", "text": "t".repeat(bytes)}]);
    assert!(form(text(limits::MAX_TEXT_BYTES)).is_ok());
    assert!(matches!(form(text(limits::MAX_TEXT_BYTES + 1)), Err(FormError::FieldTooLong { .. })));
}

#[test]
fn total_bytes_at_the_limit_and_one_past() {
    let padded = |json: &str, bytes: usize| format!("{json}{}", " ".repeat(bytes - json.len())).into_bytes();
    let form = r#"{"resourceType": "Questionnaire", "status": "active"}"#;
    assert!(Questionnaire::parse(&padded(form, limits::MAX_QUESTIONNAIRE_BYTES)).is_ok());
    assert!(matches!(
        Questionnaire::parse(&padded(form, limits::MAX_QUESTIONNAIRE_BYTES + 1)),
        Err(FormError::TooManyBytes { .. })
    ));
    let response = r#"{"resourceType": "QuestionnaireResponse", "status": "completed"}"#;
    assert!(QuestionnaireResponse::parse(&padded(response, limits::MAX_RESPONSE_BYTES)).is_ok());
    assert!(matches!(
        QuestionnaireResponse::parse(&padded(response, limits::MAX_RESPONSE_BYTES + 1)),
        Err(FormError::TooManyBytes { .. })
    ));
}

#[test]
fn a_chain_of_conditions_as_long_as_a_form_may_be_is_read() {
    let items: Vec<_> = (0..limits::MAX_ITEMS)
        .map(|n| {
            let next = (n + 1).to_string();
            json!({"linkId": n.to_string(), "type": "boolean",
                   "enableWhen": [{"question": next, "operator": "=", "answerBoolean": true}]})
        })
        .collect();
    // The last one refers to nothing, so there is no loop.
    assert!(form(Value::Array(items)).is_ok());
}
