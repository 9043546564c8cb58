//! A study's own alert rules on the worklist: revisions, what each alert says of itself, corrections,
//! and the report about how alerts were met.

use crate::builder::*;
use crate::rule_sets::*;
use serde_json::json;
use ward_client::views::{Urgency, WorkItem, alert_report, no_action};
use ward_id::TimestampMs;
use ward_sync::*;

#[test]
fn the_rules_of_the_study_take_the_place_of_the_built_in_ones() {
    let mut chart = TestChart::with_diary(1, 14);
    // The phone knows of the set when it seals: pain is nobody's matter any more.
    chart.sealed_at = Some(11);
    let sick = chart.report(0, &Answers::of(SEVERE));
    chart.report(1, &Answers::of(&[("pain", 4)]));
    let sets = [set(1, 10, nausea_from(3, "concern"))];
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
    chart.sealed_at = Some(20);
    let before = chart.report(0, &Answers::of(&[("nausea", 2)]));
    chart.sealed_at = Some(21);
    chart.report(3, &Answers::of(&[("nausea", 2)]));
    // The second revision asks for more; what came before it keeps the alert of the first.
    let sets = [set(1, 10, nausea_from(1, "concern")), set(2, 20, nausea_from(3, "urgent"))];
    let items = open(&chart, &sets);
    assert_eq!(items.len(), 1, "{items:#?}");
    assert!(items[0].reason.ends_with(", on 2026-03-02; the rule was changed since"), "{}", items[0].reason);
    assert_eq!((items[0].entries.as_slice(), items[0].alerts[0].revision), ([before].as_slice(), 1));
    chart.write(Who::Clinician, day(4), items[0].acknowledgement("called"));
    assert_eq!(open(&chart, &sets), []);
}

#[test]
fn no_clock_of_an_admin_or_of_the_server_takes_an_alert_back() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(10);
    chart.report(0, &Answers { call_me: true, ..Answers::of(&[("pain", 4)]) });
    let ids = |items: Vec<WorkItem>| items.into_iter().map(|item| item.id).collect::<Vec<_>>();
    let before = ids(open(&chart, &[]));
    assert_eq!(before.len(), 2);
    // An admin's clock that was reset, one that is years ahead; and eight more sets in a minute.
    for from in [0, i64::MIN, day(365).0, i64::MAX] {
        let mut sets: Vec<PublishedAlertRules> =
            (1..=9).map(|number| set(number, number * 10, nausea_from(3, "urgent"))).collect();
        sets.iter_mut().for_each(|one| one.set.from = TimestampMs(from));
        for count in 0..=sets.len() {
            assert_eq!(ids(open(&chart, &sets[..count])), before, "{count} sets from {from}");
        }
    }
    // The server says of an answer that was sealed after the set that it came long before.
    let mut later = TestChart::with_diary(2, 14);
    later.sealed_at = Some(11);
    later.report_at(day(-300), 0, &Answers::of(&[("pain", 4)]));
    let items = open(&later, &[set(1, 10, nausea_from(3, "urgent"))]);
    assert!(items.iter().all(|item| item.alerts.is_empty()), "{items:#?}");
    assert!(items.iter().all(|item| item.id.contains("-before-its-time-")), "{items:#?}");
}

#[test]
fn a_correction_after_a_new_revision_takes_no_alert_back() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
    let first = chart.report(0, &Answers::of(SEVERE));
    let sets = [set(1, 10, nausea_from(3, "urgent")), set(2, 20, json!([]))];
    let before = open(&chart, &sets);
    assert_eq!(before.len(), 1, "{before:#?}");
    // Something else is corrected, and the grade stays what it was.
    chart.sealed_at = Some(21);
    let more = Answers { note: Some("more"), ..Answers::of(SEVERE) };
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &more);
    chart.amend(Who::Phone, day(3), fixed, first, "forgot something");
    let after = open(&chart, &sets);
    assert_eq!(after.len(), 1, "{after:#?}");
    assert_eq!(after[0].id, before[0].id);
    assert!(after[0].reason.contains("later corrected to grade 3"), "{}", after[0].reason);
}

#[test]
fn a_new_revision_looks_at_what_was_reported_before_it_and_reopens_nothing() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
    chart.report(0, &Answers::of(SEVERE));
    let mild = chart.report(1, &Answers::of(&[("nausea", 2)]));
    let first = [set(1, 10, nausea_from(3, "urgent"))];
    let item = open(&chart, &first).remove(0);
    chart.write(Who::Clinician, day(2), item.acknowledgement("called"));
    let both = [first[0].clone(), set(2, 20, nausea_from(1, "urgent"))];
    let open = open(&chart, &both);
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!((open[0].entries.as_slice(), open[0].alerts[0].revision), ([mild].as_slice(), 2));
}

#[test]
fn a_late_report_of_an_earlier_day_takes_no_worsening_back() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
    chart.report(1, &Answers::of(&[]));
    let worse = chart.report(3, &Answers::of(SEVERE));
    let rules = json!([{"id": "worse", "kind": "worsening", "severity": "concern",
        "of": {"symptom": "nausea"}, "by": 2, "since": "baseline"}]);
    let sets = [set(1, 10, rules)];
    let before = open(&chart, &sets);
    assert_eq!(before[0].entries, [worse]);
    // What another phone says of the first day arrives afterwards, and is as bad.
    let late = response(&occurrence(0), ResponseStatus::Completed, &Answers::of(SEVERE));
    chart.write(Who::LostPhone, day(5), late);
    let after = open(&chart, &sets);
    assert_eq!(after.iter().map(|item| &item.id).collect::<Vec<_>>(), [&before[0].id]);
    let compared = after[0].alerts[0].compared.as_deref();
    assert_eq!(compared, Some("0 at the start (2026-03-03)"));
}

#[test]
fn a_comparison_with_what_was_corrected_since_is_not_forgotten() {
    let rules = json!([{"id": "worse", "kind": "worsening", "severity": "concern",
        "of": {"symptom": "nausea"}, "by": 2, "since": "baseline"}]);
    let sets = [set(1, 10, rules)];
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
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
    chart.sealed_at = Some(11);
    chart.report(0, &Answers::of(SEVERE));
    let concern = [set(1, 10, nausea_from(3, "concern"))];
    let item = open(&chart, &concern).remove(0);
    chart.write(Who::Clinician, day(1), item.acknowledgement("seen"));
    assert_eq!(open(&chart, &concern), []);
    let urgent = [concern[0].clone(), set(2, 20, nausea_from(3, "urgent"))];
    assert_eq!(open(&chart, &urgent).len(), 1);
    let item = open(&chart, &urgent).remove(0);
    chart.write(Who::Clinician, day(3), item.acknowledgement("called"));
    let calmer = [urgent[0].clone(), urgent[1].clone(), set(3, 30, nausea_from(3, "notice"))];
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
fn a_set_cannot_make_a_wish_to_be_called_a_notice() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
    let wish = chart.report(0, &Answers { call_me: true, ..Answers::of(&[]) });
    chart.report(1, &Answers::of(&[]));
    let rules = json!([{"id": "call", "kind": "patient-urgent", "severity": "notice", "item": "call-me"}]);
    let items = open(&chart, &[set(1, 10, rules)]);
    assert_eq!(reasons(&items), ["asks to be called, on 2026-03-02"]);
    assert_eq!((items[0].urgency, items[0].entries.as_slice()), (Urgency::PatientUrgent, [wish].as_slice()));
    chart.write(Who::Clinician, day(2), items[0].acknowledgement("called"));
    let rules = json!([{"id": "call", "kind": "patient-urgent", "severity": "notice", "item": "call-me"}]);
    assert_eq!(open(&chart, &[set(1, 10, rules)]), [], "one acknowledgement ends both");
}

#[test]
fn the_report_counts_what_was_met_and_how_soon() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.sealed_at = Some(11);
    let sets = [set(1, 10, nausea_from(3, "urgent"))];
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
