//! What extensions say, as typed data: SDC, translations, rules; and the languages of a person.

use serde_json::{Value, json};
use ward_forms::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSIONS_PER_ITEM, MAX_TRANSLATIONS_PER_TEXT};
use ward_forms::{
    Answering, FormError, ItemExtensions, LanguageChoice, Orientation, Questionnaire, QuestionnaireResponse,
    Severity, validate, validate_among,
};

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

fn parse(items: Value) -> Result<Questionnaire, FormError> {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
        "language": "en", "title": "Diary", "_title": translation(&[("de", "Tagebuch")]), "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap())
}

fn form(items: Value) -> Questionnaire {
    parse(items).unwrap()
}

fn base(name: &str, kind: &str, value: Value) -> Value {
    json!({"url": format!("{BASE}{name}"), kind: value})
}

fn formula(url: &str, name: Option<&str>, text: &str) -> Value {
    json!({"url": url, "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}})
}

fn translation(texts: &[(&str, &str)]) -> Value {
    let list: Vec<Value> = texts
        .iter()
        .map(|(language, text)| {
            json!({"url": format!("{BASE}translation"), "extension": [
                {"url": "lang", "valueCode": language}, {"url": "content", "valueString": text}]})
        })
        .collect();
    json!({"extension": list})
}

fn extensions(list: Value) -> ItemExtensions {
    form(json!([{"linkId": "q", "type": "integer", "extension": list}])).items()[0].extensions.clone()
}

#[test]
fn each_extension_is_typed_data() {
    let mut open_label = base("questionnaire-x", "valueString", json!("Other:"));
    open_label["url"] = json!(format!("{SDC}openLabel"));
    open_label["_valueString"] = translation(&[("de", "Anderes:")]);
    let read = extensions(json!([
        base("questionnaire-itemControl", "valueCodeableConcept", json!({"coding": [{"code": "slider"}]})),
        base("questionnaire-choiceOrientation", "valueCode", json!("horizontal")),
        base("entryFormat", "valueString", json!("hh:mm")),
        open_label,
        base("questionnaire-unit", "valueCoding", json!({"system": "ucum", "code": "mg"})),
        formula(&format!("{SDC}enableWhenExpression"), None, "%a > 1"),
        formula(&format!("{SDC}initialExpression"), None, "1"),
        formula(&format!("{SDC}calculatedExpression"), None, "2"),
        formula(&format!("{BASE}variable"), Some("a"), "3"),
        {"url": format!("{BASE}targetConstraint"), "extension": [
            {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "warning"},
            {"url": "expression", "valueExpression": {"language": "text/fhirpath", "expression": "true"}},
            {"url": "human", "valueString": "A rule."}]},
        {"url": "https://example.org/unknown", "valueString": "kept"}]));
    assert_eq!(read.controls[0].code.as_deref(), Some("slider"));
    assert_eq!(read.orientation, Some(Orientation::Horizontal));
    assert_eq!(read.entry_format.as_deref(), Some("hh:mm"));
    assert_eq!(read.open_label.as_deref(), Some("Other:"));
    assert_eq!(read.open_label_translations.get("de"), Some("Anderes:"));
    assert_eq!(read.unit.as_ref().unwrap().code.as_deref(), Some("mg"));
    let all: Vec<_> = read.expressions().map(|(kind, formula)| (kind, formula.text.as_str())).collect();
    let expected = [
        ("variable", "3"),
        ("enableWhenExpression", "%a > 1"),
        ("initialExpression", "1"),
        ("calculatedExpression", "2"),
        ("constraint", "true"),
    ];
    assert_eq!(all, expected);
    assert_eq!(read.variables[0].name.as_deref(), Some("a"));
    assert_eq!(
        (read.constraints[0].is_error, read.constraints[0].human.as_deref()),
        (false, Some("A rule."))
    );
}

#[test]
fn expressions_at_the_limit_and_one_past() {
    let with = |text: String, count: usize| {
        let one = formula(&format!("{BASE}variable"), Some("a"), &text);
        parse(json!([{"linkId": "q", "type": "integer", "extension": vec![one; count]}]))
    };
    assert!(with("x".repeat(MAX_EXPRESSION_BYTES), 1).is_ok());
    assert!(matches!(with("x".repeat(MAX_EXPRESSION_BYTES + 1), 1), Err(FormError::FieldTooLong { .. })));
    assert!(with("1".to_owned(), MAX_EXPRESSIONS_PER_ITEM).is_ok());
    assert!(matches!(with("1".to_owned(), MAX_EXPRESSIONS_PER_ITEM + 1), Err(FormError::TooMany { .. })));
}

#[test]
fn translations_at_the_limit_and_one_past() {
    let many: Vec<String> = (0..=MAX_TRANSLATIONS_PER_TEXT).map(|n| format!("x{n}")).collect();
    let texts: Vec<(&str, &str)> = many.iter().map(|language| (language.as_str(), "T")).collect();
    let form = form(json!([{"linkId": "q", "type": "string", "text": "Q", "_text": translation(&texts)}]));
    let read = &form.items()[0].text_translations;
    assert_eq!(read.languages().count(), MAX_TRANSLATIONS_PER_TEXT);
    assert_eq!(read.get(&many[MAX_TRANSLATIONS_PER_TEXT - 1]), Some("T"));
    assert_eq!(read.get(&many[MAX_TRANSLATIONS_PER_TEXT]), None);
}

#[test]
fn a_person_is_asked_in_their_language() {
    let form = form(json!([
        {"linkId": "g", "type": "group", "text": "Night", "_text": translation(&[("de", "Nacht")]), "item": [
            {"linkId": "d", "type": "display", "text": "Read this.", "_text": translation(&[("de", "Bitte lesen.")])},
            {"linkId": "q", "type": "choice", "prefix": "1.", "_prefix": translation(&[("de", "Nr. 1")]),
             "text": "Did you sleep?",
             "_text": translation(&[("de", "Haben Sie geschlafen?"), ("de-CH", "Händ Sie gschlafe?")]),
             "answerOption": [
                {"valueCoding": {"system": "s", "code": "y", "display": "Yes", "_display": translation(&[("de", "Ja")])}},
                {"valueString": "sometimes", "_valueString": translation(&[("de", "manchmal")])},
                {"valueInteger": 3}]}]}]));
    let step = |tag: &str| {
        let mut answering = Answering::new(form.clone());
        answering.read_in(LanguageChoice::of(tag));
        answering.next_question().unwrap()
    };
    let labels = |tag: &str| step(tag).options.iter().map(|option| option.label()).collect::<Vec<_>>();
    assert_eq!(step("de-CH").text.as_deref(), Some("Händ Sie gschlafe?"));
    assert_eq!(step("de-AT").text.as_deref(), Some("Haben Sie geschlafen?"));
    assert_eq!(step("fr").text.as_deref(), Some("Did you sleep?"));
    assert_eq!(step("de-AT").prefix.as_deref(), Some("Nr. 1"));
    assert_eq!(
        (step("de").headings, step("de").notes),
        (vec!["Nacht".to_owned()], vec!["Bitte lesen.".to_owned()])
    );
    assert_eq!(labels("de"), ["Ja", "manchmal", "3"]);
    assert_eq!(labels("fr"), ["Yes", "sometimes", "3"]);
    assert_eq!(form.title_in(&LanguageChoice::of("de-CH")), Some("Tagebuch"));

    // What is stored is the form's own option, whatever language it was read in.
    let mut answering = Answering::new(form.clone());
    answering.read_in(LanguageChoice::of("de"));
    let step = answering.next_question().unwrap();
    answering.answer(&step.path, step.options[0].value.clone()).unwrap();
    let finished = answering.finish(None).unwrap();
    let stored = &finished.to_value()["item"][0]["item"][0]["answer"][0]["valueCoding"];
    assert_eq!(stored, &json!({"system": "s", "code": "y", "display": "Yes"}));
}

#[test]
fn words_of_a_contained_value_set_are_translated_by_designations() {
    let value = json!({"resourceType": "Questionnaire", "status": "active", "contained": [
        {"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "s", "concept": [
            {"code": "y", "display": "Yes", "designation": [{"language": "de", "value": "Ja"}]}]}]}}],
        "item": [{"linkId": "q", "type": "choice", "text": "Q", "answerValueSet": "#v"}]});
    let form = Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    let option = &form.items()[0].options.listed()[0];
    assert_eq!(form.label_of(option, &LanguageChoice::of("de-CH")), "Ja");
    assert_eq!(form.label_of(option, &LanguageChoice::of("fr")), "Yes");
}

#[test]
fn questions_of_an_unsupported_kind_are_shown_as_such() {
    let form = form(json!([
        {"linkId": "file", "type": "attachment", "text": "A photo of the rash"},
        {"linkId": "secret", "type": "group", "extension": [base("questionnaire-hidden", "valueBoolean", json!(true))],
         "item": [{"linkId": "ref", "type": "reference", "text": "Hidden"}]},
        {"linkId": "q", "type": "string", "text": "Q"}]));
    let step = Answering::new(form).next_question().unwrap();
    assert_eq!(
        (step.link_id.as_str(), step.notes),
        ("q", vec!["A photo of the rash (this can't be answered here)".to_owned()])
    );
}

fn response(status: &str, named: &str, answers: Value) -> QuestionnaireResponse {
    let value = json!({"resourceType": "QuestionnaireResponse", "questionnaire": named, "status": status,
        "item": [{"linkId": "q", "answer": answers}]});
    QuestionnaireResponse::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

#[test]
fn constraints_are_checked_where_they_stand() {
    let rule = |formula: &str, severity: Option<&str>| {
        let mut parts = vec![
            json!({"url": "key", "valueId": "k"}),
            json!({"url": "human", "valueString": "A rule."}),
            json!({"url": "expression", "valueString": formula}),
        ];
        parts.extend(severity.map(|severity| json!({"url": "severity", "valueCode": severity})));
        json!({"url": format!("{BASE}questionnaire-constraint"), "extension": parts})
    };
    let form = form(json!([{"linkId": "q", "type": "integer", "text": "Q", "extension": [
        rule("answer.value > 0", None), rule("answer.value > 1", Some("error")),
        rule("%resource.item.answer.value = 2", Some("warning")), rule("false", None),
        rule("answer.value > %nobody", None), rule("answer.value > %resource.item.where(linkId='x').answer.value", None)]}]));
    let found = |status: &str| -> Vec<(&'static str, Severity, Option<String>)> {
        let response = response(status, "u|1", json!([{"valueInteger": 1}]));
        let findings = validate(&form, &response).into_iter();
        findings.map(|finding| (finding.code.as_str(), finding.severity, finding.location)).collect()
    };
    let at = || Some("QuestionnaireResponse.item[0]".to_owned());
    let expected = [
        ("constraint-broken", Severity::Error, at()),
        ("constraint-broken", Severity::Warning, at()),
        ("constraint-broken", Severity::Error, at()),
        ("constraint-not-checked", Severity::Warning, at()),
    ];
    assert_eq!(found("completed"), expected);
    assert_eq!(found("in-progress"), []);
}

#[test]
fn an_answer_from_a_list_that_is_not_at_hand_is_not_accepted_as_final() {
    let found = |kind: &str, status: &str| {
        let form = form(
            json!([{"linkId": "q", "type": kind, "text": "Q", "answerValueSet": "https://example.org/v"}]),
        );
        let findings =
            validate(&form, &response(status, "u|1", json!([{"valueCoding": {"system": "s", "code": "1"}}])));
        findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(found("choice", "completed"), [("options-elsewhere", Severity::Error)]);
    assert_eq!(found("choice", "in-progress"), [("options-elsewhere", Severity::Information)]);
    assert_eq!(found("open-choice", "amended"), [("options-elsewhere", Severity::Warning)]);
}

#[test]
fn a_response_is_checked_against_the_version_it_names() {
    let version = |version: &str, kind: &str| {
        let value = json!({"resourceType": "Questionnaire", "url": "u", "version": version, "status": "active",
            "item": [{"linkId": "q", "type": kind, "text": "Q"}]});
        Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
    };
    let forms = [version("1", "string"), version("2", "integer")];
    let found = |named: &str| {
        let findings = validate_among(&forms, &response("completed", named, json!([{"valueInteger": 1}])));
        findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(found("u|1"), ["wrong-type"]);
    assert_eq!(found("u|2"), [""; 0]);
    assert_eq!(found("u|3"), ["instrument-not-held"]);
    assert_eq!(found("other"), ["instrument-not-held"]);
}

#[test]
fn lists_of_the_standard_are_offered_and_checked() {
    let gender = "http://hl7.org/fhir/ValueSet/administrative-gender";
    let offered = |reference: &str| {
        let form = form(json!([{"linkId": "q", "type": "choice", "text": "Q", "answerValueSet": reference}]));
        form.items()[0].options.listed().len()
    };
    assert_eq!((offered(gender), offered(&format!("{gender}|4.0.1"))), (4, 4));
    assert_eq!((offered(&format!("{gender}|5.0.0")), offered("https://example.org/v")), (0, 0));
}

#[test]
fn words_that_are_not_those_of_the_code_are_refused() {
    let option = json!({"system": "s", "code": "1", "display": "Very  bad", "_display": translation(&[("de", "Sehr schlimm")])});
    let form = form(json!([{"linkId": "q", "type": "choice", "text": "Q", "answerOption": [
        {"valueCoding": option}, {"valueCoding": {"system": "s", "code": "2"}}]}]));
    let found = |code: &str, display: Option<&str>| {
        let coding = json!({"system": "s", "code": code, "display": display});
        let coding = if display.is_some() { coding } else { json!({"system": "s", "code": code}) };
        let findings = validate(&form, &response("completed", "u|1", json!([{"valueCoding": coding}])));
        findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect::<Vec<_>>()
    };
    assert_eq!(found("1", Some("Not at all")), [("other-words", Severity::Error)]);
    assert_eq!(found("1", Some("")), [("other-words", Severity::Error)]);
    for same in [Some("Very bad"), Some("very BAD "), Some("Sehr schlimm"), None] {
        assert_eq!(found("1", same), [], "{same:?}");
    }
    assert_eq!(found("2", Some("Anything")), []);
}
