//! Validation of responses: each rule, once broken and once kept.

use serde_json::{Value, json};
use ward_forms::{Questionnaire, QuestionnaireResponse, Severity, lint, validate};

fn form(items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
        "effectivePeriod": {"start": "2026-01-01", "end": "2026-12"}, "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

/// Path, code and location of each finding, for a completed response.
fn findings(item: Value, response: Value) -> Vec<(String, &'static str, String)> {
    found(&form(json!([item])), json!({"status": "completed", "questionnaire": "u|1", "item": response}))
}

fn found(form: &Questionnaire, mut response: Value) -> Vec<(String, &'static str, String)> {
    response["resourceType"] = json!("QuestionnaireResponse");
    let response = QuestionnaireResponse::parse(&serde_json::to_vec(&response).unwrap()).unwrap();
    validate(form, &response)
        .into_iter()
        .map(|finding| {
            (finding.path.to_string(), finding.code.as_str(), finding.location.unwrap_or_default())
        })
        .collect()
}

fn codes(item: Value, answers: Value) -> Vec<&'static str> {
    let response = json!([{"linkId": "q", "answer": answers}]);
    findings(item, response).into_iter().map(|(_, code, _)| code).collect()
}

fn question(kind: &str, more: Value) -> Value {
    let mut item = json!({"linkId": "q", "type": kind, "text": "Q"});
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn extension(url: &str, kind: &str, value: Value) -> Value {
    json!({"extension": [{"url": format!("http://hl7.org/fhir/StructureDefinition/{url}"), kind: value}]})
}

const NONE: [&str; 0] = [];

#[test]
fn each_type_takes_its_own_value_and_no_other() {
    let values = [
        ("boolean", json!({"valueBoolean": true})),
        ("decimal", json!({"valueDecimal": 1.5})),
        ("integer", json!({"valueInteger": 1})),
        ("date", json!({"valueDate": "2026-02"})),
        ("dateTime", json!({"valueDateTime": "2026-02-01T10:00:00Z"})),
        ("time", json!({"valueTime": "10:00:00"})),
        ("string", json!({"valueString": "x"})),
        ("url", json!({"valueUri": "https://example.org"})),
        ("choice", json!({"valueCoding": {"code": "c"}})),
        ("quantity", json!({"valueQuantity": {"value": 1}})),
        ("attachment", json!({"valueAttachment": {"title": "t"}})),
        ("reference", json!({"valueReference": {"reference": "Patient/1"}})),
    ];
    for (kind, _) in &values {
        for (other, value) in &values {
            let expected = if kind == other { vec![] } else { vec!["wrong-type"] };
            assert_eq!(codes(question(kind, json!({})), json!([value])), expected, "{kind} {other}");
        }
    }
    assert_eq!(codes(question("text", json!({})), json!([{"valueString": "x"}])), NONE);
    assert_eq!(codes(question("open-choice", json!({})), json!([{"valueString": "x"}])), NONE);
    assert_eq!(codes(question("open-choice", json!({})), json!([{"valueCode": "x"}])), ["wrong-type"]);
    assert_eq!(codes(question("date", json!({})), json!([{"valueDate": "1.2.2026"}])), ["wrong-type"]);
    assert_eq!(codes(question("integer", json!({})), json!([{"valueInteger": 1.5}])), ["wrong-type"]);
}

#[test]
fn groups_displays_and_abstract_questions_take_no_answer() {
    for kind in ["group", "display", "question"] {
        let found =
            findings(question(kind, json!({})), json!([{"linkId": "q", "answer": [{"valueString": "x"}]}]));
        assert_eq!(
            found,
            [("q".to_owned(), "answer-not-allowed", "QuestionnaireResponse.item[0]".to_owned())]
        );
    }
}

#[test]
fn option_membership() {
    let options = json!({"repeats": true, "answerOption": [
        {"valueCoding": {"system": "s", "code": "1"}}, {"valueCoding": {"system": "s", "code": "2"}},
        {"valueCoding": {"system": "s", "code": "0"}, "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive", "valueBoolean": true}]}]});
    let coding = |system: &str, code: &str| json!({"valueCoding": {"system": system, "code": code}});
    let choice = |answers: Value| codes(question("choice", options.clone()), answers);
    assert_eq!(choice(json!([coding("s", "1"), coding("s", "2")])), NONE);
    assert_eq!(choice(json!([coding("s", "3")])), ["not-an-option"]);
    assert_eq!(choice(json!([coding("t", "1")])), ["not-an-option"]);
    assert_eq!(choice(json!([coding("s", "0")])), NONE);
    assert_eq!(choice(json!([coding("s", "0"), coding("s", "1")])), ["exclusive-option"]);
    assert_eq!(codes(question("open-choice", options.clone()), json!([{"valueString": "mine"}])), NONE);
    assert_eq!(codes(question("open-choice", options), json!([coding("s", "9")])), ["not-an-option"]);
    let strings = json!({"answerOption": [{"valueString": "a"}]});
    assert_eq!(codes(question("string", strings.clone()), json!([{"valueString": "a"}])), NONE);
    assert_eq!(codes(question("string", strings), json!([{"valueString": "b"}])), ["not-an-option"]);
    let elsewhere = json!({"answerValueSet": "http://example.org/v"});
    assert_eq!(codes(question("choice", elsewhere), json!([coding("s", "1")])), ["options-elsewhere"]);
}

#[test]
fn lengths_count_characters_at_the_limit_and_one_past() {
    let rules =
        json!({"maxLength": 3, "extension": extension("minLength", "valueInteger", json!(2))["extension"]});
    let text = |text: &str| codes(question("string", rules.clone()), json!([{"valueString": text}]));
    assert_eq!(text("ééé"), NONE);
    assert_eq!(text("éééé"), ["too-long"]);
    assert_eq!(text("éé"), NONE);
    assert_eq!(text("é"), ["too-short"]);
    assert_eq!(text("   "), ["empty-answer"]);
}

#[test]
fn ranges_at_the_limit_and_one_past() {
    let bounded = |kind: &str, field: &str, least: Value, most: Value| {
        question(
            kind,
            json!({"extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/minValue", field: least},
            {"url": "http://hl7.org/fhir/StructureDefinition/maxValue", field: most}]}),
        )
    };
    for (number, expected) in
        [(0, vec!["below-minimum"]), (1, vec![]), (9, vec![]), (10, vec!["above-maximum"])]
    {
        let item = bounded("integer", "valueInteger", json!(1), json!(9));
        assert_eq!(codes(item, json!([{"valueInteger": number}])), expected, "{number}");
    }
    for (date, expected) in [
        ("2025-12-31", vec!["below-minimum"]),
        ("2026-01-01", vec![]),
        ("2026", vec![]),
        ("2026-06-30", vec![]),
        ("2026-07", vec!["above-maximum"]),
    ] {
        let item = bounded("date", "valueDate", json!("2026-01-01"), json!("2026-06-30"));
        assert_eq!(codes(item, json!([{"valueDate": date}])), expected, "{date}");
    }
    let amounts = question(
        "quantity",
        json!({"extension": [
        {"url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity",
         "valueQuantity": {"value": 5, "unit": "kg"}}]}),
    );
    let amount = |value: i32, unit: &str| json!([{"valueQuantity": {"value": value, "unit": unit}}]);
    assert_eq!(codes(amounts.clone(), amount(5, "kg")), NONE);
    assert_eq!(codes(amounts.clone(), amount(4, "kg")), ["below-minimum"]);
    assert_eq!(codes(amounts, amount(6, "mile")), ["unit-mismatch"]);
}

#[test]
fn units_decimals_and_patterns() {
    let units = json!({"extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption",
         "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kilogram"}}]});
    let amount = |code: &str| json!([{"valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": code}}]);
    assert_eq!(codes(question("quantity", units.clone()), amount("kg")), NONE);
    assert_eq!(codes(question("quantity", units), amount("g")), ["not-a-unit"]);

    let decimals = extension("maxDecimalPlaces", "valueInteger", json!(1));
    assert_eq!(codes(question("decimal", decimals.clone()), json!([{"valueDecimal": 1.5}])), NONE);
    assert_eq!(codes(question("decimal", decimals), json!([{"valueDecimal": 1.25}])), ["too-many-decimals"]);

    let pattern = |source: &str| question("string", extension("regex", "valueString", json!(source)));
    assert_eq!(codes(pattern("[0-9]{4}"), json!([{"valueString": "1234"}])), NONE);
    assert_eq!(codes(pattern("[0-9]{4}"), json!([{"valueString": "12345"}])), ["pattern"]);
    assert_eq!(codes(pattern("(?=x)"), json!([{"valueString": "x"}])), ["pattern-not-checked"]);
}

#[test]
fn files_have_the_size_they_claim_and_no_more_than_allowed() {
    let file = |more: Value| json!([{"valueAttachment": more}]);
    let limit = extension("maxSize", "valueDecimal", json!(3));
    let of = |more: Value| codes(question("attachment", limit.clone()), file(more));
    assert_eq!(of(json!({"data": "YWJj", "size": 3})), NONE);
    assert_eq!(of(json!({"data": "YWJj", "size": 4})), ["file-size"]);
    assert_eq!(of(json!({"data": "YWJjZA=="})), ["file-too-large"]);
    assert_eq!(of(json!({"url": "https://example.org/f", "size": 4})), ["file-too-large"]);
}

#[test]
fn numbers_of_answers() {
    let two = json!([{"valueString": "a"}, {"valueString": "b"}]);
    assert_eq!(codes(question("string", json!({})), two.clone()), ["not-repeatable"]);
    assert_eq!(codes(question("string", json!({"repeats": true})), two.clone()), NONE);
    let occurs = |name: &str, count: u32| {
        let mut rules = extension(&format!("questionnaire-{name}"), "valueInteger", json!(count));
        rules["repeats"] = json!(true);
        question("string", rules)
    };
    assert_eq!(codes(occurs("maxOccurs", 2), two.clone()), NONE);
    assert_eq!(codes(occurs("maxOccurs", 1), two.clone()), ["too-many"]);
    assert_eq!(codes(occurs("minOccurs", 2), two.clone()), NONE);
    assert_eq!(codes(occurs("minOccurs", 3), two), ["too-few"]);
    assert_eq!(codes(occurs("minOccurs", 1), json!([])), ["required"]);
    assert_eq!(codes(question("string", json!({})), json!([{}])), ["empty-answer"]);
}

#[test]
fn numbers_of_group_instances() {
    let group = |more: Value| {
        let mut item = json!({"linkId": "g", "type": "group", "item": [{"linkId": "q", "type": "string"}]});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    let one = json!({"linkId": "g", "item": [{"linkId": "q", "answer": [{"valueString": "x"}]}]});
    let of = |item: Value, count: usize| {
        findings(item, json!(vec![one.clone(); count])).into_iter().map(|found| found.1).collect::<Vec<_>>()
    };
    assert_eq!(of(group(json!({})), 1), NONE);
    assert_eq!(of(group(json!({})), 2), ["not-repeatable"]);
    assert_eq!(of(group(json!({"repeats": true})), 2), NONE);
    assert_eq!(of(group(json!({"required": true})), 0), ["required"]);
    let mut most = extension("questionnaire-maxOccurs", "valueInteger", json!(1));
    most["repeats"] = json!(true);
    assert_eq!(of(group(most), 2), ["too-many"]);
    let mut least = extension("questionnaire-minOccurs", "valueInteger", json!(2));
    least["repeats"] = json!(true);
    assert_eq!(of(group(least), 1), ["too-few"]);
}

#[test]
fn owed_answers_are_named_at_the_element_that_lacks_them() {
    let group = json!({"linkId": "g", "type": "group", "item": [
        {"linkId": "a", "type": "string", "required": true}, {"linkId": "b", "type": "string", "required": true}]});
    let half = json!([{"linkId": "g", "item": [{"linkId": "a", "answer": [{"valueString": "x"}]}]}]);
    assert_eq!(
        findings(group.clone(), half),
        [("g/b".to_owned(), "required", "QuestionnaireResponse.item[0]".to_owned())]
    );
    assert_eq!(findings(group, json!([])).len(), 2);
}

#[test]
fn disabled_items_owe_nothing_and_keep_nothing() {
    let form = form(json!([
        {"linkId": "a", "type": "boolean"},
        {"linkId": "b", "type": "string", "required": true,
         "enableWhen": [{"question": "a", "operator": "=", "answerBoolean": true}]}]));
    let response = |status: &str, items: Value| {
        found(&form, json!({"status": status, "questionnaire": "u", "item": items}))
    };
    let off = json!([{"linkId": "a", "answer": [{"valueBoolean": false}]}]);
    assert_eq!(response("completed", off), []);
    let kept = json!([{"linkId": "a", "answer": [{"valueBoolean": false}]},
                      {"linkId": "b", "answer": [{"valueString": "x"}]}]);
    assert_eq!(
        response("completed", kept.clone()),
        [("b".to_owned(), "disabled-answer", "QuestionnaireResponse.item[1]".to_owned())]
    );
    assert_eq!(response("in-progress", kept), []);
    let owed = json!([{"linkId": "a", "answer": [{"valueBoolean": true}]}]);
    assert_eq!(response("amended", owed.clone()).first().unwrap().1, "required");
    assert_eq!(response("in-progress", owed), []);
}

#[test]
fn items_without_a_place_are_named() {
    let group = json!({"linkId": "g", "type": "group", "item": [{"linkId": "q", "type": "string", "item": [
        {"linkId": "n", "type": "string"}]}]});
    let of = |response: Value| findings(group.clone(), response);
    let at = |path: &str, code: &'static str, place: &str| {
        vec![(path.to_owned(), code, format!("QuestionnaireResponse.{place}"))]
    };
    assert_eq!(of(json!([{"linkId": "x"}])), at("x", "unknown-link-id", "item[0]"));
    assert_eq!(
        of(json!([{"linkId": "q", "answer": [{"valueString": "x"}]}])),
        at("q", "wrong-place", "item[0]")
    );
    let answered = |more: Value| {
        let mut item = json!({"linkId": "q", "answer": [{"valueString": "x"}]});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([{"linkId": "g", "item": [item]}])
    };
    assert_eq!(
        of(answered(json!({"item": [{"linkId": "n"}]}))),
        at("g/q/n", "wrong-place", "item[0].item[0].item[0]")
    );
    let twice = json!([{"linkId": "g", "item": [{"linkId": "q"}, {"linkId": "q"}]}]);
    assert_eq!(of(twice), at("g/q", "duplicate-item", "item[0].item[1]"));
    let under = json!([{"linkId": "g", "item": [{"linkId": "q", "answer": [
        {"valueString": "x", "item": [{"linkId": "n"}, {"linkId": "x"}]}]}]}]);
    assert_eq!(of(under), at("g/q/x", "unknown-link-id", "item[0].item[0].answer[0].item[1]"));
}

#[test]
fn the_head_of_a_response() {
    let form = form(json!([]));
    let of = |response: Value| found(&form, response).into_iter().map(|found| found.1).collect::<Vec<_>>();
    assert_eq!(of(json!({"status": "completed", "questionnaire": "u|1"})), NONE);
    assert_eq!(of(json!({"status": "completed", "questionnaire": "u"})), NONE);
    assert_eq!(of(json!({"status": "completed", "questionnaire": "u|2"})), ["wrong-instrument"]);
    assert_eq!(of(json!({"status": "completed", "questionnaire": "v|1"})), ["wrong-instrument"]);
    assert_eq!(of(json!({"status": "completed"})), ["no-instrument"]);
    for status in ["entered-in-error", "stopped"] {
        assert_eq!(of(json!({"status": status, "questionnaire": "u"})), ["status-not-accepted"]);
    }
    for (authored, expected) in [
        ("2026-01-01", vec![]),
        ("2026-12-31T23:59:59Z", vec![]),
        ("2025-12-31", vec!["outside-period"]),
        ("2027-01-01T00:00:00Z", vec!["outside-period"]),
        ("soon", vec!["bad-authored"]),
    ] {
        let response = json!({"status": "completed", "questionnaire": "u", "authored": authored});
        assert_eq!(of(response), expected, "{authored}");
    }
}

#[test]
fn sentences_never_repeat_the_answer() {
    let form = form(json!([{"linkId": "q", "type": "string", "maxLength": 3,
        "extension": extension("regex", "valueString", json!("x"))["extension"]}]));
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "u",
        "item": [{"linkId": "q", "answer": [{"valueString": "CANARY-7461"}, {"valueInteger": 7461}]}]});
    let response = QuestionnaireResponse::parse(&serde_json::to_vec(&response).unwrap()).unwrap();
    let findings = validate(&form, &response);
    assert_eq!(findings.len(), 4);
    assert!(!serde_json::to_string(&findings).unwrap().contains("7461"));
}

#[test]
fn lint_names_what_an_author_should_repair() {
    let exists = |question: &str| json!({"question": question, "operator": "exists", "answerBoolean": true});
    let marked = |link_id: &str, code: &str| {
        json!({"linkId": link_id, "type": "integer", "text": "T", "code": [
            {"system": ward_forms::pro_ctcae::STRUCTURE_SYSTEM, "code": code}]})
    };
    let form = form(json!([
        {"linkId": "nowhere", "type": "string", "text": "T", "enableWhen": [exists("ghost")]},
        {"linkId": "group", "type": "group", "item": []},
        {"linkId": "on-group", "type": "string", "text": "T", "enableWhen": [exists("group")]},
        {"linkId": "choice", "type": "choice", "text": "T", "answerOption": [{"valueCoding": {"system": "s", "code": "1"}}]},
        {"linkId": "not-offered", "type": "string", "text": "T", "enableWhen": [
            {"question": "choice", "operator": "=", "answerCoding": {"system": "s", "code": "9"}}]},
        {"linkId": "no-order", "type": "string", "text": "T", "enableWhen": [
            {"question": "choice", "operator": ">", "answerCoding": {"system": "s", "code": "1"}}]},
        {"linkId": "other-type", "type": "string", "text": "T", "enableWhen": [
            {"question": "choice", "operator": "=", "answerBoolean": true}]},
        {"linkId": "way-round", "type": "string", "text": "T", "enableBehavior": "any", "enableWhen": [
            exists("choice"), {"question": "choice", "operator": "=", "answerCoding": {"system": "s", "code": "9"}}]},
        {"linkId": "which", "type": "string", "text": "T", "enableWhen": [exists("choice"), exists("choice")]},
        {"linkId": "no-text", "type": "string"},
        {"linkId": "no-options", "type": "choice", "text": "T"},
        {"linkId": "file", "type": "attachment", "text": "T"},
        {"linkId": "owed-file", "type": "attachment", "text": "T", "required": true},
        {"linkId": "pattern", "type": "string", "text": "T",
         "extension": extension("regex", "valueString", json!("(?=x)"))["extension"]},
        marked("one", "pain/severity"), marked("two", "pain/severity"), marked("bad", "pain")]));
    let found: Vec<_> = lint(&form)
        .into_iter()
        .map(|finding| (finding.path.to_string(), finding.code.as_str(), finding.severity))
        .collect();
    let expected = [
        ("nowhere", "link-to-nowhere", Severity::Error),
        ("on-group", "condition-never-holds", Severity::Error),
        ("not-offered", "condition-never-holds", Severity::Error),
        ("no-order", "condition-never-holds", Severity::Error),
        ("other-type", "condition-never-holds", Severity::Error),
        ("way-round", "condition-never-holds", Severity::Warning),
        ("which", "no-enable-behavior", Severity::Warning),
        ("no-text", "no-text", Severity::Warning),
        ("no-options", "no-options", Severity::Error),
        ("file", "unsupported-item", Severity::Warning),
        ("owed-file", "unsupported-item", Severity::Error),
        ("pattern", "pattern-not-checked", Severity::Warning),
        ("two", "duplicate-attribute", Severity::Error),
        ("bad", "bad-attribute-code", Severity::Error),
    ];
    assert_eq!(found, expected.map(|(path, code, severity)| (path.to_owned(), code, severity)));
}

#[test]
fn forms_that_nobody_can_finish_are_errors() {
    let hidden = extension("questionnaire-hidden", "valueBoolean", json!(true))["extension"].clone();
    let when = |question: &str, answer: Value| {
        let mut condition = json!({"question": question, "operator": ">="});
        condition.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
        json!([condition])
    };
    let form = form(json!([
        {"linkId": "hidden", "type": "string", "text": "T", "required": true, "extension": hidden.clone()},
        {"linkId": "filled", "type": "string", "text": "T", "required": true, "extension": hidden.clone(),
         "initial": [{"valueString": "x"}]},
        {"linkId": "fixed", "type": "string", "text": "T", "required": true, "readOnly": true},
        {"linkId": "g", "type": "group", "extension": hidden, "item": [
            {"linkId": "below", "type": "string", "text": "T", "required": true}]},
        {"linkId": "elsewhere", "type": "choice", "text": "T", "required": true, "answerValueSet": "http://v"},
        {"linkId": "day", "type": "date", "text": "T"},
        {"linkId": "instant", "type": "dateTime", "text": "T"},
        {"linkId": "by-instant", "type": "string", "text": "T",
         "enableWhen": when("day", json!({"answerDateTime": "2026-03-01T00:00:00Z"}))},
        {"linkId": "by-day", "type": "string", "text": "T",
         "enableWhen": when("instant", json!({"answerDate": "2026-03-01"}))},
        {"linkId": "same-kind", "type": "string", "text": "T",
         "enableWhen": when("day", json!({"answerDate": "2026-03-01"}))}]));
    let errors: Vec<_> = lint(&form)
        .into_iter()
        .filter(ward_forms::Finding::is_error)
        .map(|finding| (finding.path.to_string(), finding.code.as_str()))
        .collect();
    let expected = [
        ("hidden", "owed-but-not-asked"),
        ("fixed", "owed-but-not-asked"),
        ("g/below", "owed-but-not-asked"),
        ("elsewhere", "options-elsewhere"),
        ("by-instant", "condition-never-holds"),
        ("by-day", "condition-never-holds"),
    ];
    assert_eq!(errors, expected.map(|(path, code)| (path.to_owned(), code)));
}
