//! Rules against the form that they watch over: each way in which a rule can look as if it worked and
//! never fire.

use serde_json::{Value, json};
use ward_forms::alert_rules::{AlertRuleProblem, AlertRules};
use ward_forms::pro_ctcae::STRUCTURE_SYSTEM;
use ward_forms::{FindingCode, Questionnaire, Severity, lint};

const URL: &str = "https://example.org/diary";

fn set(rules: Value) -> AlertRules {
    let set =
        json!({"format": "ward/alert-rules", "version": 1, "name": "s", "revision": "1", "rules": rules});
    AlertRules::parse(set.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn asked(code: &str) -> Value {
    json!({"linkId": code, "type": "integer", "text": "?", "code": [{"system": STRUCTURE_SYSTEM, "code": code}]})
}

fn form(items: Value) -> Questionnaire {
    let form = json!({"resourceType": "Questionnaire", "url": URL, "version": "1", "status": "active", "item": items});
    Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn unit(code: &str) -> Value {
    json!({"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption", "valueCoding": {"code": code}})
}

fn diary() -> Questionnaire {
    form(json!([
        asked("pain/severity"), asked("rash/presence"), asked("odd/presence"), asked("odd/severity"),
        {"linkId": "temperature", "type": "quantity", "text": "?", "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit", "valueCoding": {"code": "Cel"}}]},
        {"linkId": "fever", "type": "quantity", "text": "?", "extension": [unit("Cel"), unit("[degF]")]},
        {"linkId": "either", "type": "quantity", "text": "?", "extension": [unit("Cel"), unit("finger")]},
        {"linkId": "mood", "type": "choice", "text": "?", "answerOption": [
            {"valueCoding": {"code": "1"}}, {"valueCoding": {"code": "2"}}]},
        {"linkId": "name", "type": "string", "text": "?"},
        {"linkId": "call", "type": "boolean", "text": "?"}]))
}

fn problems(mut rule: Value) -> Vec<AlertRuleProblem> {
    rule["id"] = json!("r");
    rule["severity"] = json!("notice");
    rule["instrument"] = json!(URL);
    set(json!([rule])).check(&diary())
}

#[test]
fn every_rule_that_can_never_fire_on_a_form_is_named() {
    use AlertRuleProblem as P;
    let r = || "r".to_owned();
    let at_least = |of: Value, limit: i32| json!({"kind": "threshold", "of": of, "atLeast": limit});
    let urgent =
        |item: &str, answers: Value| json!({"kind": "patient-urgent", "item": item, "answers": answers});
    for (rule, expected) in [
        (at_least(json!({"symptom": "pain"}), 3), vec![]),
        (at_least(json!({"symptom": "*"}), 3), vec![]),
        (at_least(json!({"symptom": "pian"}), 3), vec![P::NotInForm { rule: r(), about: "pian".into() }]),
        (
            at_least(json!({"symptom": "pain", "attribute": "frequency"}), 3),
            vec![P::NotInForm { rule: r(), about: "pain/frequency".into() }],
        ),
        (at_least(json!({"symptom": "rash"}), 1), vec![P::NoGrade { rule: r(), symptom: "rash".into() }]),
        (at_least(json!({"symptom": "odd"}), 1), vec![P::NoGrade { rule: r(), symptom: "odd".into() }]),
        (at_least(json!({"item": "temperature", "unit": "Cel"}), 38), vec![]),
        (
            at_least(json!({"item": "temperature"}), 38),
            vec![P::OtherUnit { rule: r(), link_id: "temperature".into() }],
        ),
        (
            at_least(json!({"item": "temperature", "unit": "mm[Hg]"}), 100),
            vec![P::OtherUnit { rule: r(), link_id: "temperature".into() }],
        ),
        (at_least(json!({"item": "fever", "unit": "Cel"}), 38), vec![]),
        (
            at_least(json!({"item": "either", "unit": "Cel"}), 38),
            vec![P::OtherUnit { rule: r(), link_id: "either".into() }],
        ),
        (at_least(json!({"item": "mood"}), 2), vec![]),
        (at_least(json!({"item": "mood"}), 1), vec![P::AlwaysReached { rule: r(), link_id: "mood".into() }]),
        (at_least(json!({"item": "mood"}), 3), vec![P::NeverReached { rule: r(), link_id: "mood".into() }]),
        (at_least(json!({"item": "name"}), 3), vec![P::NoNumber { rule: r(), link_id: "name".into() }]),
        (json!({"kind": "patient-urgent", "item": "call"}), vec![]),
        (
            json!({"kind": "patient-urgent", "item": "mood"}),
            vec![P::NoYes { rule: r(), link_id: "mood".into() }],
        ),
        (urgent("mood", json!(["2"])), vec![]),
        (
            urgent("mood", json!(["9"])),
            vec![P::NotOffered { rule: r(), link_id: "mood".into(), code: "9".into() }],
        ),
        (
            json!({"kind": "patient-urgent", "item": "name"}),
            vec![P::NoWish { rule: r(), link_id: "name".into() }],
        ),
        (json!({"kind": "missed", "inARow": 2}), vec![]),
    ] {
        assert_eq!(problems(rule.clone()), expected, "{rule}");
        assert!(expected.iter().all(|problem| problem.to_string().starts_with("r: ")));
    }
}

#[test]
fn a_rule_for_every_form_is_told_only_where_no_form_asks() {
    let rules = set(json!([
        {"id": "a", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 1},
        {"id": "b", "kind": "threshold", "severity": "notice", "of": {"symptom": "cough"}, "atLeast": 1},
        {"id": "c", "kind": "threshold", "severity": "notice", "of": {"symptom": "pian"}, "atLeast": 1},
        {"id": "d", "kind": "missed", "severity": "notice", "inARow": 2, "instrument": "https://example.org/x"}]));
    let other = form(json!([asked("cough/severity")]));
    assert_eq!(rules.check(&other), []);
    assert_eq!(rules.never_asked(&[&diary(), &other]), ["c", "d"]);
}

#[test]
fn each_offered_unit_needs_a_rule_that_judges_it() {
    let of = |id: &str, unit: &str| {
        json!({"id": id, "kind": "threshold", "severity": "notice",
        "of": {"item": "either", "unit": unit}, "atLeast": 3, "instrument": URL})
    };
    assert_eq!(set(json!([of("a", "Cel"), of("b", "finger")])).check(&diary()), []);
    assert_eq!(set(json!([of("a", "Cel"), of("b", "[degF]")])).check(&diary()).len(), 2);
}

#[test]
fn the_built_in_rules_are_a_set_like_any_other() {
    let rules = AlertRules::built_in();
    assert_eq!(rules.revision(), "0");
    let ids: Vec<&str> = rules.rules().iter().map(|rule| rule.id()).collect();
    assert_eq!(ids, ["call", "severe", "severe-attribute", "worse", "missed"]);
    assert_eq!(rules.check(&diary()), []);
}

#[test]
fn attributes_without_a_grade_are_refused_before_publication() {
    let found = lint(&diary());
    let refused: Vec<_> = found.iter().filter(|one| one.code == FindingCode::NoGradeDefined).collect();
    assert_eq!(refused.len(), 1, "{found:?}");
    assert_eq!(refused[0].severity, Severity::Error);
    assert!(refused[0].message.contains("odd") && refused[0].message.contains("severity and presence"));
}
