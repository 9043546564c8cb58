//! A study's own alert rules on the worklist: revisions, what each alert says of itself, corrections,
//! and the report about how alerts were met.

use crate::builder::*;
use serde_json::{Value, json};
use ward_client::views::{NamedChart, RuleBook, Urgency, WorkItem, alert_report, no_action, worklist_by};
use ward_crypto::V1;
use ward_id::{StudyId, TimestampMs};
use ward_sync::*;

/// A published revision.
fn set(revision: u64, from: TimestampMs, rules: Value) -> AlertRuleSet {
    let rules = json!({"format": "ward/alert-rules", "version": 1, "name": "study",
        "revision": revision.to_string(), "rules": rules});
    let study = StudyId::from_bytes([1; 16]);
    AlertRuleSet { v: V1, study, revision, from, rules: rules.to_string().into_bytes() }
}

fn nausea_from(limit: u8, severity: &str) -> Value {
    json!([{"id": "sick", "kind": "threshold", "severity": severity, "of": {"symptom": "nausea"}, "atLeast": limit}])
}

fn items(chart: &TestChart, sets: &[AlertRuleSet], now: TimestampMs) -> Vec<WorkItem> {
    let book = RuleBook::of(sets);
    chart.with_named(|named: &NamedChart<'_>| worklist_by(&book, std::slice::from_ref(named), now))
}

fn open(chart: &TestChart, sets: &[AlertRuleSet]) -> Vec<WorkItem> {
    let mut items = items(chart, sets, day(0));
    items.retain(|item| item.acknowledged.is_none());
    items
}

fn reasons(items: &[WorkItem]) -> Vec<&str> {
    items.iter().map(|item| item.reason.as_str()).collect()
}

#[test]
fn the_rules_of_the_study_take_the_place_of_the_built_in_ones() {
    let mut chart = TestChart::with_diary(1, 14);
    let sick = chart.report(0, &Answers::of(SEVERE));
    chart.report(1, &Answers::of(&[("pain", 4)]));
    // In force since before anything was reported: pain is nobody's matter any more.
    let sets = [set(1, day(-1), nausea_from(3, "concern"))];
    let items = open(&chart, &sets);
    assert_eq!(reasons(&items), ["feeling sick: grade 3, on 2026-03-02"]);
    assert_eq!((items[0].urgency, items[0].entries.as_slice()), (Urgency::Concern, [sick].as_slice()));
    let alert = &items[0].alerts[0];
    assert_eq!((alert.rule.as_str(), alert.revision, alert.kind), ("sick", 1, "threshold"));
    assert_eq!((alert.entry, alert.since), (sick, day(0).plus_ms(ARRIVES_AFTER_MS)));
    assert!(alert.used.iter().any(|answer| answer.contains("nausea-frequency: ")), "{:?}", alert.used);
}

#[test]
fn an_alert_of_an_earlier_revision_stays_until_somebody_acts() {
    let mut chart = TestChart::with_diary(1, 14);
    let before = chart.report(0, &Answers::of(&[("nausea", 2)]));
    chart.report(3, &Answers::of(&[("nausea", 2)]));
    let lax = nausea_from(3, "urgent");
    let strict = nausea_from(1, "concern");
    // The second revision asks for more; what came before it keeps the alert of the first.
    let sets = [set(1, day(-1), strict), set(2, day(2), lax)];
    let items = open(&chart, &sets);
    assert_eq!(items.len(), 1, "{items:#?}");
    assert_eq!((items[0].entries.as_slice(), items[0].alerts[0].revision), ([before].as_slice(), 1));
    chart.write(Who::Clinician, day(4), items[0].acknowledgement("called"));
    assert_eq!(open(&chart, &sets), []);
}

#[test]
fn a_new_revision_looks_at_what_was_reported_before_it_and_reopens_nothing() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(SEVERE));
    let mild = chart.report(1, &Answers::of(&[("nausea", 2)]));
    let first = [set(1, day(-1), nausea_from(3, "urgent"))];
    let item = open(&chart, &first).remove(0);
    chart.write(Who::Clinician, day(2), item.acknowledgement("called"));
    let both = [first[0].clone(), set(2, day(3), nausea_from(1, "urgent"))];
    let open = open(&chart, &both);
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!((open[0].entries.as_slice(), open[0].alerts[0].revision), ([mild].as_slice(), 2));
}

#[test]
fn a_comparison_with_what_was_corrected_since_is_not_forgotten() {
    let rules = json!([{"id": "worse", "kind": "worsening", "severity": "concern",
        "of": {"symptom": "nausea"}, "by": 2, "since": "baseline"}]);
    let sets = [set(1, day(-1), rules)];
    let mut chart = TestChart::with_diary(1, 14);
    let start = chart.report(0, &Answers::of(&[]));
    let worse = chart.report(1, &Answers::of(SEVERE));
    let before = open(&chart, &sets);
    assert_eq!(before[0].entries, [worse]);
    assert!(before[0].alerts[0].compared.as_deref().is_some_and(|from| from.contains("at the start")));
    // The start is corrected: now nothing got worse, and the alert that was raised stays all the same.
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(SEVERE));
    chart.amend(Who::Phone, day(2), fixed, start, "it was bad from the start");
    let after = open(&chart, &sets);
    assert_eq!(after.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), [before[0].id.as_str()]);
}

#[test]
fn an_alert_that_presses_more_is_not_closed_by_one_that_pressed_less() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(SEVERE));
    let concern = [set(1, day(-1), nausea_from(3, "concern"))];
    let item = open(&chart, &concern).remove(0);
    chart.write(Who::Clinician, day(1), item.acknowledgement("seen"));
    assert_eq!(open(&chart, &concern), []);
    let urgent = [concern[0].clone(), set(2, day(2), nausea_from(3, "urgent"))];
    assert_eq!(open(&chart, &urgent).len(), 1);
    let item = open(&chart, &urgent).remove(0);
    chart.write(Who::Clinician, day(3), item.acknowledgement("called"));
    let calmer = [urgent[0].clone(), urgent[1].clone(), set(3, day(4), nausea_from(3, "notice"))];
    assert_eq!(open(&chart, &calmer), [], "who acted on the urgent one has acted");
}

#[test]
fn a_wish_is_heard_without_the_questionnaire() {
    let mut chart = TestChart::with_diary(1, 14);
    let mut no_form =
        response(&occurrence(1), ResponseStatus::Completed, &Answers { call_me: true, ..Answers::of(&[]) });
    no_form.instrument_version = "9".into();
    chart.write(Who::Phone, day(1), no_form);
    let items = open(&chart, &[]);
    assert_eq!(items[0].urgency, Urgency::PatientUrgent, "{items:#?}");
}

#[test]
fn the_report_counts_what_was_met_and_how_soon() {
    let mut chart = TestChart::with_diary(1, 14);
    let sets = [set(1, day(-1), nausea_from(3, "urgent"))];
    for (number, action) in
        [(0, Some("called".to_owned())), (1, Some(no_action("known since the visit"))), (2, None)]
    {
        chart.report(number, &Answers::of(SEVERE));
        let item = open(&chart, &sets).remove(0);
        if let Some(action) = action {
            let at = day(number).plus_ms(ARRIVES_AFTER_MS + HOUR_MS * (number + 1));
            chart.write(Who::Clinician, at, item.acknowledgement(action));
        }
    }
    let report = alert_report(&items(&chart, &sets, day(0)));
    assert_eq!((report.alerts, report.acknowledged, report.acted_upon), (3, 2, 1));
    assert_eq!(report.median_ms_to_acknowledgement, Some(2 * HOUR_MS));
    assert_eq!(report.weeks.len(), 1);
    assert_eq!((report.weeks[0].monday.as_str(), report.weeks[0].alerts), ("2026-03-02", 3));
    assert_eq!(
        (report.rules[0].rule.as_str(), report.rules[0].revision, report.rules[0].alerts),
        ("sick", 1, 3)
    );
}
