//! Work about the rules themselves: every care team is told that they changed, and of what cannot be followed.

use crate::builder::*;
use crate::rule_sets::*;
use serde_json::json;
use ward_client::views::{NamedChart, RuleBook, Urgency, WorkItem, rule_work};
use ward_sync::PublishedAlertRules;

#[test]
fn every_team_is_told_once_that_the_rules_changed() {
    let (mut a, b) = (TestChart::with_diary(1, 14), TestChart::with_diary(2, 14));
    let told = |a: &TestChart, sets: &[PublishedAlertRules]| {
        let (view_a, view_b) = (a.view(), b.view());
        let charts = [NamedChart::new(a.id, &view_a), NamedChart::new(b.id, &view_b)];
        let one_team: Vec<&NamedChart<'_>> = charts.iter().collect();
        rule_work(&RuleBook::of(sets), &[one_team], |_| None)
    };
    assert_eq!(told(&a, &[]), [], "the built-in rules are no news");
    let sets = [set(1, 10, json!([])), set(2, 20, nausea_from(3, "urgent"))];
    let first = told(&a, &sets[..1]);
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].urgency, first[0].closable), (Urgency::Concern, true));
    let said =
        "the study's rules changed to revision 1, 2026-03-02 by their clock: 0 new, 4 no longer, 0 changed";
    assert_eq!(first[0].reason, said);
    let gone = "no longer: severe (urgent): any symptom, at least 3".to_owned();
    assert!(first[0].values.contains(&gone), "{:?}", first[0].values);
    a.write(Who::Clinician, day(1), first[0].acknowledgement("asked the study why"));
    let known = told(&a, &sets[..1]);
    assert!(known[0].acknowledged.as_ref().is_some_and(|by| by.action == "asked the study why"));
    // The next one is news again, against what was acknowledged.
    let second = told(&a, &sets);
    assert!(second[0].acknowledged.is_none() && second[0].reason.contains("revision 2"));
    assert_eq!(second[0].values, ["new: sick (urgent): nausea, at least 3"]);
    // Another set under the same number was not acknowledged.
    assert!(told(&a, &[set(1, 10, nausea_from(1, "notice"))])[0].acknowledged.is_none());
    // Each team is told for itself.
    let (view_a, view_b) = (a.view(), b.view());
    let charts = [NamedChart::new(a.id, &view_a), NamedChart::new(b.id, &view_b)];
    let teams: Vec<Vec<&NamedChart<'_>>> = charts.iter().map(|chart| vec![chart]).collect();
    let items = rule_work(&RuleBook::of(&sets[..1]), &teams, |_| None);
    let acknowledged: Vec<bool> = items.iter().map(|item| item.acknowledged.is_some()).collect();
    assert_eq!(acknowledged, [true, false]);
}

#[test]
fn rules_that_cannot_be_followed_are_told_as_pressing() {
    let chart = TestChart::with_diary(1, 14);
    let told = |sets: &[PublishedAlertRules]| {
        chart.with_named(|named| rule_work(&RuleBook::of(sets), &[vec![named]], |_| None))
    };
    let mut garbled = set(2, 20, json!([]));
    garbled.set.rules = b"{".to_vec();
    let partly = set(1, 10, json!([{"id": "trend", "kind": "trend", "severity": "urgent"}]));
    let items = told(&[partly.clone(), garbled]);
    let urgent: Vec<&WorkItem> = items.iter().filter(|item| item.urgency == Urgency::Urgent).collect();
    assert_eq!(urgent.len(), 2, "{items:#?}");
    assert!(urgent.iter().all(|item| !item.closable));
    let said = "revision 2 of the rules cannot be read here; the study has to publish a corrected revision";
    assert!(urgent[0].reason.contains(said), "{}", urgent[0].reason);
    let said = "1 rule of revision 1 cannot be followed here; update this app (trend)";
    assert!(urgent[1].reason.contains(said), "{}", urgent[1].reason);
    let corrected = told(&[partly, set(2, 20, nausea_from(3, "urgent"))]);
    assert!(corrected.iter().all(|item| item.urgency != Urgency::Urgent), "{corrected:#?}");
}

#[test]
fn rules_that_fire_on_everything_say_that_the_list_is_not_whole() {
    let mut chart = TestChart::with_diary(1, 14);
    (0..12).for_each(|number| {
        chart.report(number, &Answers::of(SEVERE));
    });
    // Such a rule is not published any more; what was published once is run.
    let rule = |id: usize| {
        json!({"id": format!("r{id}"), "kind": "threshold", "severity": "notice",
        "of": {"symptom": "*", "attribute": "*"}, "atLeast": 0})
    };
    let rules: Vec<_> = (0..480).map(rule).collect();
    let sets = [set(1, 10, json!(rules))];
    assert_eq!(RuleBook::of(&sets).unreadable(), []);
    chart.sealed_at = Some(11);
    chart.report(12, &Answers { call_me: true, ..Answers::of(SEVERE) });
    let items = open(&chart, &sets);
    let calls = items.iter().filter(|item| item.urgency == Urgency::PatientUrgent).count();
    assert_eq!(calls, 1, "a wish is never left out");
    let shown: usize = items.iter().map(|item| item.alerts.len()).sum();
    let told = items.iter().find(|item| item.id.contains("too-many-alerts"));
    let told = told.unwrap_or_else(|| panic!("{shown} alerts: {:?}", reasons(&items)));
    assert_eq!((told.urgency, told.closable), (Urgency::Urgent, false));
    assert!(told.reason.contains("more alerts than can be listed"), "{}", told.reason);
}
