//! A rule set over past data: alerts a week, the share of surveys with one, and the share acted upon,
//! each counted by hand.

use serde_json::json;
use ward_forms::alert_rules::{
    Acknowledgement, AcknowledgementError, AlertKey, AlertRules, History, Occasion, Report, ReportVersion,
    Share, evaluate, simulate,
};
use ward_forms::limits::{MAX_ACTION_BYTES, MAX_RULE_NAME_BYTES};
use ward_forms::pro_ctcae::STRUCTURE_SYSTEM;
use ward_forms::{AnswerValue, Questionnaire, QuestionnaireResponse, ResponseItem, ResponseStatus};

const DIARY: &str = "https://example.org/diary";

fn rules() -> AlertRules {
    let set = json!({"format": "ward/alert-rules", "version": 1, "name": "study", "revision": "1", "rules": [
        {"id": "severe", "kind": "threshold", "severity": "urgent", "of": {"symptom": "pain"}, "atLeast": 3},
        {"id": "worse", "kind": "worsening", "severity": "concern", "of": {"symptom": "pain"}, "by": 2, "since": "baseline"},
        {"id": "silent", "kind": "missed", "severity": "notice", "inARow": 2},
        {"id": "cough", "kind": "threshold", "severity": "notice", "of": {"symptom": "cough"}, "atLeast": 1}]});
    AlertRules::parse(set.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// Days counted from Monday, 2 March 2026.
fn occasion(day: i64) -> Occasion {
    let at_ms = (20_514 + day) * 86_400_000 + 8 * 3_600_000;
    Occasion {
        planned_at_ms: at_ms,
        at_ms,
        occurrence: format!("day {day}"),
        instrument: DIARY.to_owned(),
        title: "Diary".to_owned(),
    }
}

/// A severity of 0 to 4 alone is graded 0, 1, 2, 3, 3; `None` is no answer.
fn report(day: i64, severity: Option<i32>) -> Report {
    let form = json!({"resourceType": "Questionnaire", "url": DIARY, "status": "active", "item": [
        {"linkId": "s", "type": "integer", "text": "?",
         "code": [{"system": STRUCTURE_SYSTEM, "code": "pain/severity", "display": "Pain"}]}]});
    let form = Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let mut response = QuestionnaireResponse::to(&form, ResponseStatus::Completed);
    if let Some(severity) = severity {
        response.push_item(ResponseItem::answered("s", [AnswerValue::Integer(severity)]));
    }
    let versions = vec![ReportVersion::read("v", &form, &response, None)];
    Report { occasion: occasion(day), versions, ends_rows: true }
}

fn history(participant: &str, severities: &[(i64, Option<i32>)], missed: &[i64]) -> History {
    History {
        participant: participant.to_owned(),
        reports: severities.iter().map(|(day, severity)| report(*day, *severity)).collect(),
        missed: missed.iter().map(|day| occasion(*day)).collect(),
    }
}

fn histories() -> [History; 2] {
    [
        // Week 1: start at grade 1, then severe and worse at once. Week 2: nothing. Week 4: severe, worse.
        history("a", &[(0, Some(1)), (3, Some(3)), (7, Some(2)), (21, Some(4))], &[]),
        // Week 1: one report without an answer; week 2: three missed in a row.
        history("b", &[(1, None), (2, Some(0))], &[8, 9, 10]),
    ]
}

#[test]
fn the_load_is_counted_as_by_hand() {
    let load = simulate(&rules(), &histories(), &[]);
    assert_eq!(load.participants, 2);
    assert_eq!(load.weeks, ["2026-03-02", "2026-03-09", "2026-03-23"]);
    assert_eq!(load.weeks_observed, 4, "the week without any report counts for the mean");
    // Six surveys; the two severe ones have an alert, one of them by two rules.
    assert_eq!(load.surveys_with_alert, Share { part: 2, whole: 6 });
    assert_eq!(load.acted_upon, Share { part: 0, whole: 5 });
    let by_rule: Vec<_> = load
        .rules
        .iter()
        .map(|rule| {
            (rule.rule.as_str(), rule.per_week.as_slice(), rule.surveys, rule.not_judged, rule.never_asked)
        })
        .collect();
    assert_eq!(
        by_rule,
        [
            ("severe", &[1, 0, 1][..], 2, 1, 0),
            ("worse", &[1, 0, 1][..], 2, 1, 0),
            ("silent", &[0, 1, 0][..], 0, 0, 0),
            ("cough", &[0, 0, 0][..], 0, 0, 2),
        ]
    );
    assert_eq!(load.rules[0].mean_per_week, Some(0.5));
    assert_eq!(
        (load.rules[0].participants, load.rules[2].participants, load.rules[2].kind),
        (1, 1, "missed")
    );
}

#[test]
fn what_somebody_did_is_the_share_acted_upon() {
    let histories = histories();
    let keys: Vec<AlertKey> =
        histories.iter().flat_map(|one| evaluate(&rules(), one).alerts).map(|alert| alert.key).collect();
    let by = |key: &AlertKey| {
        Acknowledgement::new(key.clone(), "nurse-1", 5, "called").unwrap_or_else(|error| panic!("{error}"))
    };
    let elsewhere = AlertKey { rule: "old rule".to_owned(), ..keys[0].clone() };
    let before = AlertKey { revision: "0".to_owned(), ..keys[1].clone() };
    // One alert twice, another once, one of a rule that is gone, one of an earlier revision.
    let done = [by(&keys[0]), by(&keys[0]), by(&keys[4]), by(&elsewhere), by(&before)];
    let load = simulate(&rules(), &histories, &done);
    assert_eq!(load.acted_upon, Share { part: 2, whole: 5 });
    assert_eq!(load.unmatched_acknowledgements, 2);
    let per_rule: Vec<_> =
        load.rules.iter().map(|rule| (rule.acted_upon.part, rule.acted_upon.whole)).collect();
    assert_eq!(per_rule, [(1, 2), (0, 2), (1, 1), (0, 0)]);
    assert_eq!(
        (done[0].by(), done[0].at_ms(), done[0].action(), done[0].alert()),
        ("nurse-1", 5, "called", &keys[0])
    );
}

#[test]
fn an_acknowledgement_says_who_and_what() {
    let key = AlertKey {
        participant: "p".to_owned(),
        instrument: DIARY.to_owned(),
        occurrence: "day 1".to_owned(),
        revision: "1".to_owned(),
        rule: "r".to_owned(),
        about: String::new(),
    };
    let new = |by: &str, action: &str| Acknowledgement::new(key.clone(), by, 0, action).err();
    assert_eq!(new(" ", "called"), Some(AcknowledgementError::Who));
    assert_eq!(new("nurse-1", "\n"), Some(AcknowledgementError::What));
    assert_eq!(new(&"n".repeat(MAX_RULE_NAME_BYTES), &"a".repeat(MAX_ACTION_BYTES)), None);
    assert_eq!(new(&"n".repeat(MAX_RULE_NAME_BYTES + 1), "called"), Some(AcknowledgementError::Who));
    assert_eq!(new("nurse-1", &"a".repeat(MAX_ACTION_BYTES + 1)), Some(AcknowledgementError::What));
}

#[test]
fn nothing_gives_nothing() {
    let load = simulate(&rules(), &[], &[]);
    assert_eq!((load.participants, load.weeks.len(), load.weeks_observed), (0, 0, 0));
    assert_eq!((load.surveys_with_alert.ratio(), load.acted_upon.ratio()), (None, None));
    assert!(load.rules.iter().all(|rule| rule.alerts == 0 && rule.mean_per_week.is_none()));
}
