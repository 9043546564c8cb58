//! Alert rules over repeating groups and over grades of which a part was not asked: a certain value
//! anywhere raises, and nobody owes what the form did not ask.

use serde_json::{Value, json};
use ward_forms::alert_rules::{AlertRules, Evaluation, History, Occasion, Report, ReportVersion, evaluate};
use ward_forms::limits::{MAX_ALERTS, MAX_NOT_JUDGED};
use ward_forms::pro_ctcae::{Attribute, CompositeShape, STRUCTURE_SYSTEM, composite_grade};
use ward_forms::{
    LeftOutReason, Questionnaire, QuestionnaireResponse, score_symptom_instances, score_symptoms,
};

fn rules(rules: Value) -> AlertRules {
    let set =
        json!({"format": "ward/alert-rules", "version": 1, "name": "study", "revision": "1", "rules": rules});
    AlertRules::parse(set.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn asked(link_id: &str, code: &str) -> Value {
    json!({"linkId": link_id, "type": "integer", "text": "?",
        "code": [{"system": STRUCTURE_SYSTEM, "code": code, "display": "Pain"}]})
}

/// Pain by severity and interference, in each place that hurts.
fn places() -> Questionnaire {
    form(json!([{"linkId": "place", "type": "group", "repeats": true, "text": "Each place",
        "item": [asked("s", "pain/severity"), asked("i", "pain/interference")]}]))
}

fn form(items: Value) -> Questionnaire {
    let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active", "item": items});
    Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn answers(items: Value) -> QuestionnaireResponse {
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    QuestionnaireResponse::parse(response.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn items(of: &[(&str, i32)]) -> Value {
    let one = |(id, score): &(&str, i32)| json!({"linkId": id, "answer": [{"valueInteger": score}]});
    Value::Array(of.iter().map(one).collect())
}

fn in_places(of: &[&[(&str, i32)]]) -> QuestionnaireResponse {
    answers(of.iter().map(|one| json!({"linkId": "place", "item": items(one)})).collect())
}

fn found(rules: &AlertRules, form: &Questionnaire, days: &[QuestionnaireResponse]) -> Evaluation {
    let report = |(day, response): (i64, &QuestionnaireResponse)| Report {
        occasion: Occasion {
            planned_at_ms: day,
            at_ms: day,
            occurrence: format!("day {day}"),
            instrument: "u".to_owned(),
            title: "Diary".to_owned(),
        },
        versions: vec![ReportVersion::read(&format!("v{day}"), form, response, None)],
        ends_rows: true,
    };
    let reports = (1..).zip(days).map(report).collect();
    evaluate(rules, &History { participant: "p".to_owned(), reports, missed: Vec::new() })
}

fn severe() -> AlertRules {
    rules(
        json!([{"id": "r", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 3}]),
    )
}

#[test]
fn a_certain_grade_3_in_any_place_raises() {
    // One place is certain, another has a worse score and a gap; the order must not matter.
    let certain: &[(&str, i32)] = &[("s", 3), ("i", 3)];
    let open: &[(&str, i32)] = &[("s", 4)];
    for order in [[certain, open], [open, certain]] {
        let raised = found(&severe(), &places(), &[in_places(&order)]);
        assert_eq!(raised.alerts.len(), 1, "{raised:?}");
        assert_eq!(raised.alerts[0].what, "pain: grade 3");
        assert_eq!(raised.alerts[0].triggers.len(), 1, "the open place fires nothing");
        assert!(raised.not_judged.is_empty(), "an alert is an alert");
    }
    let gap = found(&severe(), &places(), &[in_places(&[open, &[("s", 0)]])]);
    assert!(gap.alerts.is_empty());
    assert_eq!(gap.not_judged.len(), 1, "a mild place settles nothing about the open one");
    assert!(gap.not_judged[0].is_to_ask);
}

#[test]
fn a_place_that_is_worse_for_certain_is_found_behind_one_that_is_not() {
    let worse = rules(json!([{"id": "w", "kind": "worsening", "severity": "concern",
        "of": {"symptom": "pain"}, "by": 2, "since": "baseline"}]));
    // Severity 1 without interference is grade 1 or 2; severity 4 without it is 2 or 3.
    let days = [in_places(&[&[("s", 0)]]), in_places(&[&[("s", 1)], &[("s", 4)]])];
    let raised = found(&worse, &places(), &days);
    assert_eq!(raised.alerts.len(), 1, "{raised:?}");
    assert!(
        raised.alerts[0].what.starts_with("pain got worse: grade at least 2"),
        "{}",
        raised.alerts[0].what
    );
}

#[test]
fn the_place_that_is_shown_is_the_worst_for_certain() {
    let shown =
        |places_of: &[&[(&str, i32)]]| score_symptoms(&places(), &in_places(places_of)).remove(0).grade;
    assert_eq!(shown(&[&[("s", 4)], &[("s", 3), ("i", 3)]]), Some(3));
    let all = score_symptom_instances(&places(), &in_places(&[&[("s", 4)], &[("s", 3), ("i", 3)]]));
    assert_eq!(all.iter().map(|one| one.grade).collect::<Vec<_>>(), [None, Some(3)]);
}

/// Frequency, severity, interference; what comes after an answer of 0 is not asked.
fn branched() -> Questionnaire {
    let after = |mut item: Value, before: &str| {
        item["enableWhen"] = json!([{"question": before, "operator": ">", "answerInteger": 0}]);
        item
    };
    form(json!([
        asked("f", "pain/frequency"),
        after(asked("s", "pain/severity"), "f"),
        after(asked("i", "pain/interference"), "s")
    ]))
}

#[test]
fn what_was_not_asked_is_no_gap() {
    let least = composite_grade(CompositeShape::Fsi, &[Some(4), Some(0), Some(0)]);
    let from = |limit: u8| {
        rules(
            json!([{"id": "r", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": limit}]),
        )
    };
    let day = answers(items(&[("f", 4), ("s", 0)]));
    let raised = found(&from(3), &branched(), std::slice::from_ref(&day));
    assert!(raised.alerts.is_empty() && raised.not_judged.is_empty(), "{raised:?}");
    let least = least.unwrap_or_else(|| panic!("the table has it"));
    assert_eq!(
        found(&from(least), &branched(), std::slice::from_ref(&day)).alerts.len(),
        usize::from(least > 0)
    );
    // Refused is another matter.
    let refused = found(&from(3), &branched(), &[answers(items(&[("f", 4), ("s", 2)]))]);
    assert_eq!(refused.not_judged.len(), 1, "{refused:?}");
}

#[test]
fn a_grade_says_only_the_answers_that_made_it() {
    let form = form(json!([asked("s", "pain/severity"), asked("i", "pain/interference")]));
    let score = score_symptoms(&form, &answers(items(&[("s", 0), ("i", 3)]))).remove(0).to_score();
    assert_eq!(score.value(), Some(0.0));
    let used: Vec<String> = score.used.iter().map(|one| one.path.to_string()).collect();
    assert_eq!(used, ["s"]);
    assert_eq!(
        (score.left_out[0].question.as_str(), score.left_out[0].why),
        ("interference", LeftOutReason::NotNeeded)
    );
    assert_eq!(Attribute::from_code("interference"), Some(Attribute::Interference));
}

#[test]
fn every_symptom_with_attributes_that_have_no_grade_is_told() {
    let form = form(json!([asked("p", "pain/presence"), asked("s", "pain/severity")]));
    let told = found(
        &severe(),
        &form,
        &[answers(json!([{"linkId": "p", "answer": [{"valueBoolean": true}]},
        {"linkId": "s", "answer": [{"valueInteger": 4}]}]))],
    );
    assert!(told.alerts.is_empty());
    assert_eq!(
        told.not_judged[0].why,
        "no grade is defined for what is asked".replace("no grade", "pain: no grade")
    );
}

#[test]
fn the_same_version_given_twice_holds_once() {
    let form = places();
    let version = || ReportVersion::read("v", &form, &in_places(&[&[("s", 4), ("i", 4)]]), None);
    let occasion = Occasion {
        planned_at_ms: 1,
        at_ms: 1,
        occurrence: "day 1".to_owned(),
        instrument: "u".to_owned(),
        title: "Diary".to_owned(),
    };
    let reports = vec![Report { occasion, versions: vec![version(), version()], ends_rows: true }];
    let raised = evaluate(&severe(), &History { participant: "p".to_owned(), reports, missed: Vec::new() });
    assert!(!raised.alerts[0].unsettled);
    assert_eq!(raised.alerts[0].triggers.len(), 1);
}

#[test]
fn what_cannot_be_judged_is_named_up_to_the_limit_and_then_counted() {
    let many: Vec<Value> = (0..100)
        .map(|n| json!({"id": format!("r{n}"), "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 1}))
        .collect();
    let set = rules(Value::Array(many));
    let nothing = answers(json!([]));
    let of = |days: usize| {
        let days: Vec<QuestionnaireResponse> = (0..days).map(|_| nothing.clone()).collect();
        let found = found(&set, &form(json!([asked("s", "pain/severity")])), &days);
        (found.not_judged.len(), found.not_judged_unnamed)
    };
    assert_eq!(of(MAX_NOT_JUDGED / 100), (MAX_NOT_JUDGED, 0));
    assert_eq!(of(MAX_NOT_JUDGED / 100 + 1), (MAX_NOT_JUDGED, 100));
}

#[test]
fn what_presses_most_and_is_newest_is_named_up_to_the_limit() {
    let rule = |id: String, severity: &str| {
        json!({"id": id, "kind": "threshold", "severity": severity,
        "of": {"symptom": "pain"}, "atLeast": 1})
    };
    let mut many: Vec<Value> = (0..99).map(|n| rule(format!("n{n}"), "notice")).collect();
    many.push(rule("u".to_owned(), "urgent"));
    many.push(json!({"id": "call", "kind": "patient-urgent", "severity": "notice", "item": "call-me"}));
    let set = rules(Value::Array(many));
    let asked =
        form(json!([asked("s", "pain/severity"), {"linkId": "call-me", "type": "boolean", "text": "?"}]));
    let day = answers(json!([{"linkId": "s", "answer": [{"valueInteger": 4}]},
        {"linkId": "call-me", "answer": [{"valueBoolean": true}]}]));
    let of = |days: usize| {
        let days: Vec<QuestionnaireResponse> = (0..days).map(|_| day.clone()).collect();
        found(&set, &asked, &days)
    };
    // A rule less each day than the limit holds, and one day past it.
    let days = MAX_ALERTS / 101;
    let all = of(days);
    assert_eq!((all.alerts.len(), all.alerts_unnamed), (days * 101, 0));
    let days = days + 2;
    let cut = of(days);
    assert_eq!((cut.alerts.len(), cut.alerts_unnamed), (MAX_ALERTS, days * 101 - MAX_ALERTS));
    for id in ["call", "u"] {
        assert_eq!(cut.alerts.iter().filter(|alert| alert.key.rule == id).count(), days, "{id}");
    }
    let newest = format!("day {days}");
    assert_eq!(cut.alerts.iter().filter(|alert| alert.key.occurrence == newest).count(), 101);
}

#[test]
fn what_was_not_asked_is_a_start_too() {
    // On the first day severity is 0, so that nobody asks about interference; on the eighth it is 2.
    let worse = rules(json!([{"id": "w", "kind": "worsening", "severity": "concern",
        "of": {"symptom": "*"}, "by": 2, "since": "baseline"}]));
    let start = answers(items(&[("f", 1), ("s", 0)]));
    let later = answers(items(&[("f", 3), ("s", 3), ("i", 3)]));
    let least =
        composite_grade(CompositeShape::Fsi, &[Some(1), Some(0), Some(0)]).unwrap_or_else(|| panic!());
    let raised = found(&worse, &branched(), &[start, later.clone()]);
    assert_eq!(raised.alerts.len(), 1, "{raised:?}");
    assert!(raised.alerts[0].what.contains(&format!("up from {least} at the start (day 1)")), "{raised:?}");
    assert!(raised.not_judged.is_empty());
    // A first day that stands by what was asked is itself compared.
    let first = answers(items(&[("f", 1), ("s", 0)]));
    assert!(found(&worse, &branched(), &[later, first]).alerts.is_empty());
}

#[test]
fn the_weight_of_an_option_comes_before_the_number_in_it() {
    let form =
        form(json!([{"linkId": "n", "type": "integer", "text": "?", "answerOption": [{"valueInteger": 1,
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 7}]}]}]));
    let rule = rules(
        json!([{"id": "r", "kind": "threshold", "severity": "notice", "of": {"item": "n"}, "atLeast": 7}]),
    );
    assert_eq!(found(&rule, &form, &[answers(items(&[("n", 1)]))]).alerts.len(), 1);
}
