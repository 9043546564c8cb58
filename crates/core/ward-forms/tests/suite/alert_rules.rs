//! Alert rules over histories: what fires, what stays silent, what nobody can judge, and that neither
//! the order of the reports nor a contradiction hides an alert.

use proptest::prelude::*;
use serde_json::{Value, json};
use ward_forms::alert_rules::{
    Alert, AlertRules, AlertSeverity, Compared, Evaluation, History, Occasion, Report, ReportVersion,
    evaluate,
};
use ward_forms::eortc_qlq_c30::{ITEMS, ScoreMap};
use ward_forms::limits::{MAX_QUESTION_IN_SENTENCE_CHARS, MAX_WEIGHT};
use ward_forms::pro_ctcae::STRUCTURE_SYSTEM;
use ward_forms::{Questionnaire, QuestionnaireResponse};

const DIARY: &str = "https://example.org/diary";

fn rules(rules: Value) -> AlertRules {
    let set =
        json!({"format": "ward/alert-rules", "version": 1, "name": "study", "revision": "1", "rules": rules});
    AlertRules::parse(set.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn one(rule: Value) -> AlertRules {
    rules(json!([rule]))
}

/// Nausea by frequency and severity, pain by severity and interference, rash by presence; the later
/// attribute only after a first one above 0. A temperature with a unit, a wish, places of soreness.
fn form() -> Questionnaire {
    let asked = |link_id: &str, code: &str, label: &str| {
        json!({"linkId": link_id, "type": "integer", "text": "?",
            "code": [{"system": STRUCTURE_SYSTEM, "code": code, "display": label}]})
    };
    let after = |mut item: Value, first: &str| {
        item["enableWhen"] = json!([{"question": first, "operator": "!=", "answerInteger": 0}]);
        item
    };
    let form = json!({"resourceType": "Questionnaire", "url": DIARY, "version": "1", "status": "active", "item": [
        asked("nf", "nausea/frequency", "Nausea"),
        after(asked("ns", "nausea/severity", "Nausea"), "nf"),
        asked("ps", "pain/severity", "Pain"),
        asked("pi", "pain/interference", "Pain"),
        asked("rash", "rash/presence", "Rash"),
        {"linkId": "temperature", "type": "quantity", "text": "Your temperature"},
        {"linkId": "steps", "type": "integer", "text": "Steps", "repeats": true},
        {"linkId": "call-me", "type": "boolean", "text": "Shall we call you?"},
        {"linkId": "help", "type": "choice", "text": "How soon do you need help?", "answerOption": [
            {"valueCoding": {"code": "now"}}, {"valueCoding": {"code": "later"}}]}]});
    Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn version(id: &str, answers: &[(&str, Value)]) -> ReportVersion {
    let items: Vec<Value> = answers
        .iter()
        .map(|(link_id, answer)| {
            let answers = match answer {
                Value::Array(list) => list.clone(),
                one => vec![one.clone()],
            };
            json!({"linkId": link_id, "answer": answers})
        })
        .collect();
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    let response = QuestionnaireResponse::parse(response.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    ReportVersion::read(id, &form(), &response, None)
}

fn int(number: i32) -> Value {
    json!({"valueInteger": number})
}

/// The day of March 2026 as an occasion of the diary.
fn day(day: u8) -> Occasion {
    let at_ms = (20_512 + i64::from(day)) * 86_400_000;
    Occasion {
        planned_at_ms: at_ms,
        at_ms,
        occurrence: format!("2026-03-{day:02}"),
        instrument: DIARY.to_owned(),
        title: "Diary".to_owned(),
    }
}

fn report(on: u8, versions: Vec<ReportVersion>) -> Report {
    Report { occasion: day(on), versions, ends_rows: true }
}

/// One report a day from the first of March on, each with one version.
fn days(answers: &[&[(&str, Value)]]) -> History {
    let reports =
        (1..).zip(answers).map(|(on, answers)| report(on, vec![version(&format!("v{on}"), answers)]));
    History { participant: "p1".to_owned(), reports: reports.collect(), missed: Vec::new() }
}

fn sentences(found: &Evaluation) -> Vec<&str> {
    found.alerts.iter().map(|alert| alert.sentence.as_str()).collect()
}

fn gaps(found: &Evaluation) -> Vec<&str> {
    found.not_judged.iter().map(|gap| gap.why.as_str()).collect()
}

fn only(found: &Evaluation) -> &Alert {
    assert_eq!(found.alerts.len(), 1, "{found:?}");
    found.alerts.first().unwrap_or_else(|| panic!("an alert"))
}

fn severe_pain() -> AlertRules {
    one(
        json!({"id": "r", "kind": "threshold", "severity": "urgent", "of": {"symptom": "pain"}, "atLeast": 3}),
    )
}

#[test]
fn a_threshold_fires_at_its_value_and_not_below() {
    let history = days(&[
        &[("ps", int(4)), ("pi", int(1))],
        &[("ps", int(4)), ("pi", int(3))],
        &[("ps", int(1)), ("pi", int(0))],
    ]);
    let found = evaluate(&severe_pain(), &history);
    let alert = only(&found);
    assert_eq!(alert.sentence, "pain: grade 3, on 2026-03-02");
    assert_eq!((alert.severity, alert.unsettled, alert.at_ms), (AlertSeverity::Urgent, false, day(2).at_ms));
    assert_eq!(
        (alert.key.rule.as_str(), alert.key.about.as_str(), alert.key.participant.as_str()),
        ("r", "pain", "p1")
    );
    let trigger = &alert.triggers[0];
    assert_eq!(
        (trigger.version.as_deref(), trigger.value, trigger.incomplete.as_deref()),
        (Some("v2"), Some(3.0), None)
    );
    assert_eq!(trigger.compared, Compared::AtLeast { limit: 3.0 });
    let used: Vec<_> =
        trigger.used.iter().map(|one| (one.path.to_string(), one.counted_as.as_u64())).collect();
    assert_eq!(used, [("ps".to_owned(), Some(4)), ("pi".to_owned(), Some(3))]);
    assert!(found.not_judged.is_empty() && found.never_asked.is_empty());
}

#[test]
fn what_is_missing_is_judged_by_what_it_can_be() {
    // Severity 4 without interference: grade 2 or 3.
    let partly = days(&[&[("ps", int(4))]]);
    let found = evaluate(&severe_pain(), &partly);
    assert_eq!(gaps(&found), ["pain: grade between 2 and 3 (severity 4, interference not answered)"]);
    assert!(found.alerts.is_empty());
    let at_least = |limit: u8| {
        one(
            json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": limit}),
        )
    };
    let found = evaluate(&at_least(2), &partly);
    assert_eq!(
        sentences(&found),
        ["pain: grade at least 2 (severity 4, interference not answered), on 2026-03-01"]
    );
    assert_eq!(only(&found).triggers[0].incomplete.as_deref(), Some("severity 4, interference not answered"));
    // Severity 1 without interference is grade 1 or 2: it cannot be 3.
    let mild = evaluate(&severe_pain(), &days(&[&[("ps", int(1))]]));
    assert!(mild.alerts.is_empty() && mild.not_judged.is_empty());
    // Nothing answered: nothing is known, and nothing is zero.
    let nothing = evaluate(&at_least(1), &days(&[&[]]));
    assert_eq!(gaps(&nothing), ["pain: severity not answered, interference not answered"]);
}

#[test]
fn every_symptom_is_looked_at_by_itself() {
    let rule = one(
        json!({"id": "r", "kind": "threshold", "severity": "concern", "of": {"symptom": "*"}, "atLeast": 2}),
    );
    let history =
        days(&[&[("nf", int(3)), ("ns", int(1)), ("ps", int(4)), ("pi", int(4)), ("rash", int(1))]]);
    let found = evaluate(&rule, &history);
    // Presence has no grade and is no gap of a rule about all symptoms.
    assert_eq!(sentences(&found), ["pain: grade 3, on 2026-03-01"]);
    let attributes = one(json!({"id": "r", "kind": "threshold", "severity": "concern",
        "of": {"symptom": "*", "attribute": "*"}, "atLeast": 3}));
    let found = evaluate(&attributes, &history);
    assert_eq!(
        sentences(&found),
        [
            "nausea: frequency 3, on 2026-03-01",
            "pain: interference 4, on 2026-03-01",
            "pain: severity 4, on 2026-03-01"
        ]
    );
    let named = one(
        json!({"id": "r", "kind": "threshold", "severity": "concern", "of": {"symptom": "rash"}, "atLeast": 1}),
    );
    assert_eq!(gaps(&evaluate(&named, &history)), ["rash: no grade is defined for what is asked"]);
}

#[test]
fn a_question_that_was_not_asked_is_not_missing() {
    let rule = one(json!({"id": "r", "kind": "threshold", "severity": "notice",
        "of": {"symptom": "nausea", "attribute": "severity"}, "atLeast": 1}));
    let found = evaluate(&rule, &days(&[&[("nf", int(0))]]));
    assert!(found.alerts.is_empty() && found.not_judged.is_empty());
    assert_eq!(found.never_asked, ["r"], "there was nothing to look at in the whole history");
    let asked = evaluate(&rule, &days(&[&[("nf", int(0))], &[("nf", int(2))]]));
    assert_eq!(gaps(&asked), ["nausea: severity not answered"]);
    assert!(asked.never_asked.is_empty());
}

#[test]
fn a_misspelt_symptom_is_told() {
    let rule = one(
        json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"symptom": "nausia"}, "atLeast": 1}),
    );
    let found = evaluate(&rule, &days(&[&[("nf", int(4)), ("ns", int(4))]]));
    assert_eq!((found.alerts.len(), found.never_asked), (0, vec!["r".to_owned()]));
}

fn worse(since: &str) -> AlertRules {
    one(
        json!({"id": "w", "kind": "worsening", "severity": "concern", "of": {"symptom": "pain"}, "by": 2, "since": since}),
    )
}

/// Severity and interference that give this grade.
fn pain(grade: i32) -> Vec<(&'static str, Value)> {
    let (severity, interference) =
        [(0, 0), (1, 0), (4, 0), (4, 4)][usize::try_from(grade).unwrap_or_default()];
    vec![("ps", int(severity)), ("pi", int(interference))]
}

fn pains(grades: &[i32]) -> History {
    let answers: Vec<_> = grades.iter().map(|grade| pain(*grade)).collect();
    days(&answers.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn worsening_since_the_start_and_since_the_last_time() {
    let history = pains(&[1, 2, 3, 3]);
    let since_start = evaluate(&worse("baseline"), &history);
    assert_eq!(
        sentences(&since_start),
        [
            "pain got worse: grade 3, up from 1 at the start (2026-03-01), on 2026-03-03",
            "pain got worse: grade 3, up from 1 at the start (2026-03-01), on 2026-03-04"
        ]
    );
    let compared = Compared::Baseline { value: 1.0, occurrence: "2026-03-01".into(), version: "v1".into() };
    assert_eq!(since_start.alerts[0].triggers[0].compared, compared);
    assert!(evaluate(&worse("previous"), &history).alerts.is_empty());
    let leap = evaluate(&worse("previous"), &pains(&[3, 1, 3]));
    assert_eq!(sentences(&leap), ["pain got worse: grade 3, up from 1 before (2026-03-02), on 2026-03-03"]);
    assert!(evaluate(&worse("baseline"), &pains(&[3, 1, 3])).alerts.is_empty());
    assert!(evaluate(&worse("baseline"), &pains(&[3])).not_judged.is_empty());
}

#[test]
fn the_start_is_the_first_report_with_a_value() {
    let mut history = pains(&[1, 0, 2]);
    history.reports[0].versions = vec![version("v1", &[])];
    let found = evaluate(&worse("baseline"), &history);
    assert_eq!(
        sentences(&found),
        ["pain got worse: grade 2, up from 0 at the start (2026-03-02), on 2026-03-03"]
    );
    assert_eq!(gaps(&found), ["pain: severity not answered, interference not answered"]);
    // A range that is worse by enough at its least end fires; else nobody can say.
    history.reports[2].versions = vec![version("v3", &[("ps", int(4))])];
    let found = evaluate(&worse("baseline"), &history);
    assert_eq!(
        sentences(&found),
        [
            "pain got worse: grade at least 2 (severity 4, interference not answered), up from 0 at the start (2026-03-02), on 2026-03-03"
        ]
    );
    history.reports[2].versions = vec![version("v3", &[("ps", int(2))])];
    let found = evaluate(&worse("baseline"), &history);
    assert!(found.alerts.is_empty());
    assert_eq!(gaps(&found)[1], "pain: grade between 1 and 3 (severity 2, interference not answered)");
}

#[test]
fn every_version_of_a_contradiction_is_judged() {
    let mut history = pains(&[2]);
    history.reports[0].versions = vec![version("b", &pain(1)), version("a", &pain(3))];
    let found = evaluate(&severe_pain(), &history);
    let alert = only(&found);
    assert!(alert.unsettled);
    assert_eq!(alert.triggers.len(), 1);
    assert_eq!(
        alert.sentence,
        "pain: grade 3, on 2026-03-01; 2 versions of these answers hold at once and nobody has chosen"
    );
    // The sentence tells the worst of several versions that fire.
    let from_1 = one(
        json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 1}),
    );
    history.reports[0].versions = vec![version("a", &pain(1)), version("b", &pain(3))];
    let found = evaluate(&from_1, &history);
    assert!(only(&found).sentence.starts_with("pain: grade 3, on"));
    assert_eq!(only(&found).triggers.iter().map(|one| one.value).collect::<Vec<_>>(), [Some(1.0), Some(3.0)]);
    // Two reports of one planned time are versions of one.
    let twice = History {
        reports: vec![report(1, vec![version("b", &pain(1))]), report(1, vec![version("a", &pain(3))])],
        ..pains(&[])
    };
    assert!(only(&evaluate(&severe_pain(), &twice)).unsettled);
    // A worsening compares with the version against which the new value is worse.
    let mut after = pains(&[0, 2]);
    after.reports[0].versions = vec![version("a", &pain(2)), version("b", &pain(0))];
    let compared = &only(&evaluate(&worse("baseline"), &after)).triggers[0].compared.clone();
    assert_eq!(
        compared,
        &Compared::Baseline { value: 0.0, occurrence: "2026-03-01".into(), version: "b".into() }
    );
    // One version that cannot be judged does not hide that another fires, and is told where none does.
    history.reports[0].versions = vec![version("a", &[]), version("b", &pain(3))];
    assert_eq!(evaluate(&severe_pain(), &history).alerts.len(), 1);
    history.reports[0].versions = vec![version("a", &[]), version("b", &pain(1))];
    assert_eq!(gaps(&evaluate(&severe_pain(), &history)).len(), 1);
}

#[test]
fn answers_that_cannot_be_read_are_told_for_every_rule_about_them() {
    let set = rules(json!([
        {"id": "a", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 1},
        {"id": "b", "kind": "worsening", "severity": "notice", "of": {"item": "steps"}, "by": 1, "since": "previous"},
        {"id": "c", "kind": "patient-urgent", "severity": "urgent", "item": "call-me"},
        {"id": "d", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 1, "instrument": "https://example.org/other"}]));
    let history = History {
        reports: vec![report(
            1,
            vec![ReportVersion::unreadable("v", "their questionnaire is not in the chart")],
        )],
        ..pains(&[])
    };
    let found = evaluate(&set, &history);
    let told: Vec<_> = found.not_judged.iter().map(|gap| (gap.key.rule.as_str(), gap.why.as_str())).collect();
    let why = "the answers cannot be judged: their questionnaire is not in the chart";
    assert_eq!(told, [("a", why), ("b", why), ("c", why)]);
    assert_eq!(found.never_asked, ["d"]);
}

#[test]
fn missed_in_a_row_is_raised_again_when_the_row_doubles() {
    let rule = one(json!({"id": "m", "kind": "missed", "severity": "notice", "inARow": 2}));
    let history = |answered: &[u8], missed: &[u8]| History {
        participant: "p1".to_owned(),
        reports: answered.iter().map(|on| report(*on, vec![version("v", &[])])).collect(),
        missed: missed.iter().map(|on| day(*on)).collect(),
    };
    let found = evaluate(&rule, &history(&[1, 4], &[2, 3, 5]));
    let alert = only(&found);
    assert_eq!(alert.sentence, "“Diary” missed 2 times in a row, since 2026-03-02");
    assert_eq!((alert.key.occurrence.as_str(), alert.triggers[0].version.as_deref()), ("2026-03-03", None));
    // A longer row keeps the alert's name and says how long it is now.
    let longer = evaluate(&rule, &history(&[1], &[4, 3, 2, 2]));
    assert_eq!(only(&longer).key, alert.key);
    let in_a_row =
        |missed, raised_at| Compared::InARow { limit: 2, missed, raised_at, since: "2026-03-02".into() };
    assert_eq!(only(&longer).triggers[0].compared, in_a_row(3, 2));
    // Once it has doubled there is a second one; the first says what it said.
    let doubled = evaluate(&rule, &history(&[1], &[6, 5, 4, 3, 2]));
    let raised: Vec<_> = doubled.alerts.iter().map(|alert| alert.triggers[0].compared.clone()).collect();
    assert_eq!(raised, [in_a_row(2, 2), in_a_row(5, 4)]);
    assert_eq!(doubled.alerts[0].key, alert.key);
    assert_eq!(doubled.alerts[1].key.occurrence, "2026-03-05");
    assert_eq!(evaluate(&rule, &history(&[3], &[1, 2, 4, 5])).alerts.len(), 2, "two rows");
    // A report that only bears the name of a missed time ends no row: it may have come days before it.
    assert_eq!(
        only(&evaluate(&rule, &history(&[2], &[1, 2, 3]))).triggers[0].compared,
        Compared::InARow { limit: 2, missed: 3, raised_at: 2, since: "2026-03-01".into() }
    );
    assert_eq!(evaluate(&rule, &history(&[], &[])).never_asked, ["m"]);
    // Nor does one that belongs to no planned time; one that nobody may read yet does.
    let mut stray = history(&[3], &[2, 4]);
    stray.reports[0].ends_rows = false;
    assert_eq!(sentences(&evaluate(&rule, &stray)), ["“Diary” missed 2 times in a row, since 2026-03-02"]);
    stray.reports[0].ends_rows = true;
    stray.reports[0].versions.clear();
    assert!(evaluate(&rule, &stray).alerts.is_empty());
    let once = one(json!({"id": "m", "kind": "missed", "severity": "notice", "inARow": 1}));
    assert_eq!(sentences(&evaluate(&once, &history(&[], &[7]))), ["“Diary” missed once, on 2026-03-07"]);
    // A row goes by what was planned: an early deadline of a later time and a late one of an earlier
    // time change nothing.
    let mut turned = history(&[1], &[2, 3]);
    turned.missed[0].at_ms = day(9).at_ms;
    turned.reports[0].occasion.at_ms = day(8).at_ms;
    assert_eq!(only(&evaluate(&rule, &turned)).key, alert.key);
    // Each questionnaire has rows of its own.
    let mut mixed = history(&[], &[1, 2]);
    mixed.missed[1].instrument = "https://example.org/other".to_owned();
    assert!(evaluate(&rule, &mixed).alerts.is_empty());
}

#[test]
fn a_wish_to_be_called_fires_in_every_version_that_has_it() {
    let rule = one(json!({"id": "u", "kind": "patient-urgent", "severity": "urgent", "item": "call-me"}));
    let yes = || version("a", &[("call-me", json!({"valueBoolean": true}))]);
    let no = || version("b", &[("call-me", json!({"valueBoolean": false}))]);
    let with = |versions| History { reports: vec![report(1, versions)], ..pains(&[]) };
    let found = evaluate(&rule, &with(vec![yes()]));
    assert_eq!(sentences(&found), ["asks to be called, on 2026-03-01"]);
    assert_eq!(only(&found).triggers[0].used[0].path.to_string(), "call-me");
    assert!(only(&evaluate(&rule, &with(vec![no(), yes()]))).unsettled);
    let silent = evaluate(&rule, &with(vec![no()]));
    assert!(silent.alerts.is_empty() && silent.not_judged.is_empty() && silent.never_asked.is_empty());
    let coded = one(
        json!({"id": "u", "kind": "patient-urgent", "severity": "urgent", "item": "help", "answers": ["now"]}),
    );
    let found =
        evaluate(&coded, &with(vec![version("a", &[("help", json!({"valueCoding": {"code": "now"}}))])]));
    assert_eq!(sentences(&found), ["says that it is urgent (“How soon do you need help?”), on 2026-03-01"]);
    let later =
        evaluate(&coded, &with(vec![version("a", &[("help", json!({"valueCoding": {"code": "later"}}))])]));
    assert!(later.alerts.is_empty() && later.not_judged.is_empty());
    // A coded answer to a rule that names no code, and words of one's own, may mean yes.
    let unnamed = one(json!({"id": "u", "kind": "patient-urgent", "severity": "urgent", "item": "help"}));
    let now = || vec![version("a", &[("help", json!({"valueCoding": {"code": "now"}}))])];
    let found = evaluate(&unnamed, &with(now()));
    assert!(found.alerts.is_empty());
    assert_eq!(gaps(&found), ["“How soon do you need help?”: the rule does not say which answers mean yes"]);
    assert_eq!(found.not_judged[0].versions, ["a"]);
    let own = evaluate(&coded, &with(vec![version("a", &[("help", json!({"valueString": "at once!"}))])]));
    assert_eq!(gaps(&own), ["“How soon do you need help?”: answered in words of their own"]);
}

#[test]
fn an_amount_counts_in_the_unit_of_the_rule_and_what_cannot_be_measured_is_asked_about() {
    let fever = one(
        json!({"id": "f", "kind": "threshold", "severity": "urgent", "of": {"item": "temperature", "unit": "Cel"}, "atLeast": 38.5}),
    );
    let measured =
        |value: Value| evaluate(&fever, &days(&[&[("temperature", json!({"valueQuantity": value}))]]));
    let found =
        measured(json!({"value": 38.5, "unit": "°C", "system": "http://unitsofmeasure.org", "code": "Cel"}));
    assert_eq!(sentences(&found), ["“Your temperature”: 38.5, on 2026-03-01"]);
    assert!(measured(json!({"value": 38.4, "code": "Cel"})).alerts.is_empty());
    for (value, why) in [
        (
            json!({"value": 101.3, "code": "finger"}),
            "101.3 finger: the unit of the answer is not the unit of the rule",
        ),
        (json!({"value": 40}), "40: the unit of the answer is not the unit of the rule"),
        (json!({"value": 40, "code": "Cel", "comparator": "<"}), "answered < 40 Cel"),
        (json!({"value": 38, "code": "Cel", "comparator": ">"}), "answered > 38 Cel"),
        (json!({"code": "Cel"}), "Cel: the answer has no number"),
        (
            json!({"value": 40, "code": "[degF]", "system": "urn:other"}),
            "40 [degF]: the unit of the answer is not the unit of the rule",
        ),
    ] {
        let found = measured(value);
        assert!(found.alerts.is_empty());
        assert_eq!(gaps(&found), [format!("“Your temperature”: {why}")]);
        assert!(found.not_judged[0].is_to_ask, "{why}");
    }
    // What certainly reaches the limit raises, and what certainly does not is silent.
    for (value, sentence) in [
        (json!({"value": 104, "code": "[degF]"}), "“Your temperature”: 40, on 2026-03-01"),
        (
            json!({"value": 40, "code": "Cel", "comparator": ">"}),
            "“Your temperature”: at least 40 (answered > 40 Cel), on 2026-03-01",
        ),
        (
            json!({"value": 38.5, "code": "Cel", "comparator": ">="}),
            "“Your temperature”: at least 38.5 (answered >= 38.5 Cel), on 2026-03-01",
        ),
    ] {
        assert_eq!(sentences(&measured(value)), [sentence]);
    }
    for value in
        [json!({"value": 98.6, "code": "[degF]"}), json!({"value": 37, "code": "Cel", "comparator": "<"})]
    {
        let found = measured(value);
        assert!(found.alerts.is_empty() && found.not_judged.is_empty(), "{found:?}");
    }
}

#[test]
fn a_unit_that_another_rule_judges_needs_nobodys_eye() {
    let of = |id: &str, unit: &str, limit: f64| {
        json!({"id": id, "kind": "threshold", "severity": "urgent",
        "of": {"item": "temperature", "unit": unit}, "atLeast": limit})
    };
    let set = rules(json!([of("c", "Cel", 38.5), of("f", "fingers", 4.0)]));
    let found = evaluate(
        &set,
        &days(&[&[("temperature", json!({"valueQuantity": {"value": 2, "unit": "fingers"}}))]]),
    );
    assert!(found.alerts.is_empty());
    let asked: Vec<bool> = found.not_judged.iter().map(|gap| gap.is_to_ask).collect();
    assert_eq!(asked, [false]);
}

#[test]
fn a_symptom_that_was_refused_whole_is_asked_about() {
    let found = evaluate(&severe_pain(), &days(&[&[("nf", int(0))]]));
    assert_eq!(gaps(&found), ["pain: severity not answered, interference not answered"]);
    assert!(found.not_judged[0].is_to_ask);
    // A question of another kind may be left out.
    let steps = one(
        json!({"id": "s", "kind": "threshold", "severity": "notice", "of": {"item": "steps"}, "atLeast": 1}),
    );
    let found = evaluate(&steps, &days(&[&[]]));
    assert_eq!((gaps(&found), found.not_judged[0].is_to_ask), (vec!["“Steps”: not answered"], false));
}

/// The day's report with a place in the order in which reports became known.
fn known(on: u8, order: u64, grade: i32) -> Report {
    report(on, vec![version(&format!("v{on}"), &pain(grade)).known_as(order)])
}

#[test]
fn a_report_that_comes_late_takes_no_worsening_back() {
    let of = |reports: Vec<Report>| History { reports, ..pains(&[]) };
    // Day 2 is 0, day 4 is 2: worse. Then the interview of day 1 comes, with 2.
    let raised = vec![known(2, 1, 0), known(4, 2, 2)];
    let before = evaluate(&worse("baseline"), &of(raised.clone()));
    assert_eq!(
        sentences(&before),
        ["pain got worse: grade 2, up from 0 at the start (2026-03-02), on 2026-03-04"]
    );
    let late = [raised, vec![known(1, 3, 2)]].concat();
    assert_eq!(evaluate(&worse("baseline"), &of(late.clone())).alerts, before.alerts);
    // A value that is reported after that is measured from the start as it is known by then.
    let after = [late, vec![known(5, 4, 2)]].concat();
    assert_eq!(evaluate(&worse("baseline"), &of(after)).alerts, before.alerts);
    // A late one in between, for a rule that looks at the report before.
    let between = vec![known(1, 1, 0), known(4, 2, 2), known(3, 3, 1)];
    let found = evaluate(&worse("previous"), &of(between));
    assert_eq!(sentences(&found), ["pain got worse: grade 2, up from 0 before (2026-03-01), on 2026-03-04"]);
    // A late start that is better raises what was not raised before.
    let better = vec![known(2, 1, 2), known(4, 2, 2), known(1, 3, 0)];
    assert_eq!(evaluate(&worse("baseline"), &of(better)).alerts.len(), 2);
    // What came in order is compared with the start and the report before alone.
    let steady = vec![known(1, 1, 2), known(2, 2, 0), known(3, 3, 2)];
    assert!(evaluate(&worse("baseline"), &of(steady)).alerts.is_empty());
}

#[test]
fn the_worst_of_several_answers_counts_and_a_gap_beside_it_is_told() {
    let rule = one(
        json!({"id": "s", "kind": "worsening", "severity": "notice", "of": {"item": "steps"}, "by": 100, "since": "previous", "worse": "lower"}),
    );
    let steps = |numbers: &[i32]| Value::Array(numbers.iter().map(|one| int(*one)).collect());
    let found = evaluate(&rule, &days(&[&[("steps", steps(&[500, 400]))], &[("steps", steps(&[450, 300]))]]));
    assert_eq!(
        sentences(&found),
        ["“Steps” got worse: 300, down from 400 before (2026-03-01), on 2026-03-02"]
    );
    let odd = json!([int(450), {"valueString": "many"}]);
    let found = evaluate(&rule, &days(&[&[("steps", steps(&[500]))], &[("steps", odd)]]));
    assert!(found.alerts.is_empty());
    assert_eq!(gaps(&found), ["“Steps”: the answer has no number"]);
}

fn qlq(answer: i32) -> ReportVersion {
    let items: Vec<Value> = (1..=ITEMS)
        .map(|item| json!({"linkId": format!("q{item}"), "type": "integer", "text": "?"}))
        .collect();
    let form = json!({"resourceType": "Questionnaire", "url": "u", "status": "active", "item": items});
    let form = Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let items: Vec<Value> =
        (1..=5).map(|item| json!({"linkId": format!("q{item}"), "answer": [int(answer)]})).collect();
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    let response = QuestionnaireResponse::parse(response.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    let numbers: serde_json::Map<String, Value> =
        (1..=ITEMS).map(|item| (format!("q{item}"), json!(item))).collect();
    let map = json!({"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": numbers});
    let map = ScoreMap::parse(map.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    ReportVersion::read("v", &form, &response, Some(&map))
}

#[test]
fn of_a_functional_scale_less_is_worse() {
    let set = rules(json!([
        {"id": "fall", "kind": "worsening", "severity": "concern", "of": {"score": "eortc-qlq-c30/PF2"}, "by": 33.3, "since": "baseline"},
        {"id": "low", "kind": "threshold", "severity": "concern", "of": {"score": "eortc-qlq-c30/PF2"}, "atMost": 50},
        {"id": "pain", "kind": "threshold", "severity": "concern", "of": {"score": "eortc-qlq-c30/PA"}, "atLeast": 1}]));
    let history = History {
        reports: vec![report(1, vec![qlq(1)]), report(2, vec![qlq(2)]), report(3, vec![qlq(3)])],
        ..pains(&[])
    };
    let found = evaluate(&set, &history);
    assert_eq!(
        sentences(&found),
        [
            "physical functioning got worse: score 66.7, down from 100 at the start (2026-03-01), on 2026-03-02",
            "physical functioning got worse: score 33.3, down from 100 at the start (2026-03-01), on 2026-03-03",
            "physical functioning: score 33.3, on 2026-03-03"
        ]
    );
    assert_eq!(gaps(&found)[0], "pain: 0 of 2 questions have a usable answer; 1 are needed");
}

#[test]
fn a_difference_of_rounding_is_read_in_favour_of_the_alert() {
    // 100/3 against 200/3: a third of 100 apart, which no binary number is.
    let rule = one(
        json!({"id": "r", "kind": "worsening", "severity": "notice", "of": {"score": "eortc-qlq-c30/PF2"}, "by": 33.333_333_333_333_34, "since": "previous"}),
    );
    let history = History {
        reports: vec![report(1, vec![qlq(2)]), report(2, vec![qlq(3)]), report(3, vec![qlq(4)])],
        ..pains(&[])
    };
    assert_eq!(evaluate(&rule, &history).alerts.len(), 2);
}

#[test]
fn a_weight_counts_up_to_the_limit() {
    let weighed = |weight: i32| {
        let form = json!({"resourceType": "Questionnaire", "status": "active", "item": [
            {"linkId": "n", "type": "choice", "text": "?", "answerOption": [{"valueCoding": {"code": "a"},
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": weight}]}]}]});
        let form =
            Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [
            {"linkId": "n", "answer": [{"valueCoding": {"code": "a"}}]}]});
        let response = QuestionnaireResponse::parse(response.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
        let versions = vec![ReportVersion::read("v", &form, &response, None)];
        let rule = one(
            json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"item": "n"}, "atLeast": 1}),
        );
        let found = evaluate(&rule, &History { reports: vec![report(1, versions)], ..pains(&[]) });
        (found.alerts.len(), found.not_judged.len())
    };
    assert_eq!(weighed(MAX_WEIGHT), (1, 0));
    assert_eq!(weighed(MAX_WEIGHT + 1), (0, 1));
}

#[test]
fn a_short_question_stands_in_the_sentence_and_a_long_one_does_not() {
    let sentence = |chars: usize| {
        let form = json!({"resourceType": "Questionnaire", "status": "active", "item": [
            {"linkId": "n", "type": "integer", "text": "ö".repeat(chars)}]});
        let form =
            Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": [
            {"linkId": "n", "answer": [int(1)]}]});
        let response = QuestionnaireResponse::parse(response.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
        let versions = vec![ReportVersion::read("v", &form, &response, None)];
        let rule = one(
            json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"item": "n"}, "atLeast": 1}),
        );
        let found = evaluate(&rule, &History { reports: vec![report(1, versions)], ..pains(&[]) });
        only(&found).sentence.clone()
    };
    assert!(sentence(MAX_QUESTION_IN_SENTENCE_CHARS).starts_with("“ö"));
    assert_eq!(sentence(MAX_QUESTION_IN_SENTENCE_CHARS + 1), "n: 1, on 2026-03-01");
}

/// A day's answers: each of the two attributes of pain perhaps, and perhaps a second version.
fn any_history() -> impl Strategy<Value = History> {
    let answers = || (prop::option::of(0..5_i32), prop::option::of(0..5_i32));
    let a_day = (prop::collection::vec(answers(), 0..3), any::<bool>());
    prop::collection::vec(a_day, 0..8).prop_map(|all| {
        let mut history = pains(&[]);
        for (on, (versions, expected)) in (1_u8..).zip(all) {
            if versions.is_empty() {
                history.missed.extend(expected.then(|| day(on)));
                continue;
            }
            let versions = versions.iter().enumerate().map(|(place, (severity, interference))| {
                let mut answers = Vec::new();
                answers.extend(severity.map(|score| ("ps", int(score))));
                answers.extend(interference.map(|score| ("pi", int(score))));
                version(&format!("v{on}-{place}"), &answers)
            });
            history.reports.push(report(on, versions.collect()));
        }
        history
    })
}

fn all_kinds() -> AlertRules {
    rules(json!([
        {"id": "t", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 2},
        {"id": "b", "kind": "worsening", "severity": "concern", "of": {"symptom": "pain"}, "by": 1, "since": "baseline"},
        {"id": "p", "kind": "worsening", "severity": "concern", "of": {"symptom": "*", "attribute": "*"}, "by": 2, "since": "previous"},
        {"id": "m", "kind": "missed", "severity": "notice", "inARow": 2}]))
}

proptest! {
    #[test]
    fn the_order_of_the_reports_changes_nothing(history in any_history(), turn in any::<prop::sample::Index>()) {
        let mut other = history.clone();
        if !other.reports.is_empty() {
            let turn = turn.index(other.reports.len());
            other.reports.rotate_left(turn);
            other.reports.iter_mut().for_each(|report| report.versions.reverse());
        }
        other.missed.reverse();
        prop_assert_eq!(evaluate(&all_kinds(), &history), evaluate(&all_kinds(), &other));
    }

    #[test]
    fn one_more_version_never_silences_a_threshold(history in any_history(), extra in prop::option::of(0..5_i32)) {
        let set = one(json!({"id": "t", "kind": "threshold", "severity": "urgent", "of": {"symptom": "pain"}, "atLeast": 2}));
        let mut more = history.clone();
        for report in &mut more.reports {
            report.versions.push(version("z", &extra.map(|score| ("ps", int(score))).into_iter().collect::<Vec<_>>()));
        }
        let keys = |history| evaluate(&set, history).alerts.into_iter().map(|alert| alert.key).collect::<std::collections::BTreeSet<_>>();
        prop_assert!(keys(&history).is_subset(&keys(&more)));
    }

    #[test]
    fn what_is_missing_hides_no_alert_that_the_whole_would_have_raised(severity in 0..5_i32, interference in 0..5_i32, limit in 1..=3_i32) {
        let set = one(json!({"id": "t", "kind": "threshold", "severity": "urgent", "of": {"symptom": "pain"}, "atLeast": limit}));
        let whole = evaluate(&set, &days(&[&[("ps", int(severity)), ("pi", int(interference))]]));
        for partly in [vec![("ps", int(severity))], vec![("pi", int(interference))], vec![]] {
            let found = evaluate(&set, &days(&[&partly]));
            if whole.alerts.is_empty() {
                prop_assert!(found.alerts.is_empty());
            } else {
                prop_assert!(!found.alerts.is_empty() || !found.not_judged.is_empty());
            }
        }
    }
}
