//! What the list of a very large chart costs. It is measured by hand: a machine that does something else
//! beside it would fail the build for nothing.

use crate::builder::*;
use crate::rule_sets::*;
use serde_json::json;
use std::time::Instant;

/// Reports in a row, over nearly three years.
const REPORTS: i64 = 1_000;
/// Revisions that each change every rule.
const REVISIONS: u64 = 8;

/// `cargo nextest run --release -p ward-client --run-ignored only alert_cost --no-capture`
#[test]
#[ignore = "it measures"]
fn the_list_of_a_thousand_reports_under_eight_revisions() {
    let mut chart = TestChart::with_diary(1, 1_200);
    for number in 0..REPORTS {
        chart.sealed_at = Some(u64::try_from(number).unwrap() / 10);
        let score = usize::try_from(number % 5).unwrap();
        chart.report(number, &Answers::of(&[("nausea", score), ("pain", 4 - score)]));
    }
    let rules = |revision: u64| {
        json!([
            {"id": "severe", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 3},
            {"id": "part", "kind": "threshold", "severity": "urgent",
                "of": {"symptom": "*", "attribute": "*"}, "atLeast": 2 + revision % 3},
            {"id": "worse", "kind": "worsening", "severity": "concern", "of": {"symptom": "*"},
                "by": 1 + revision % 3, "since": "baseline"},
            {"id": "leap", "kind": "worsening", "severity": "notice", "of": {"symptom": "*"},
                "by": 1 + revision % 3, "since": "previous"}])
    };
    let sets: Vec<_> = (1..=REVISIONS).map(|number| set(number, number * 12, rules(number))).collect();
    let view = chart.view();
    let named = ward_client::views::NamedChart::new(chart.id, &view);
    for count in [0, 1, sets.len()] {
        let book = ward_client::views::RuleBook::of(&sets[..count]);
        let begun = Instant::now();
        let items = ward_client::views::worklist_by(&book, std::slice::from_ref(&named), day(REPORTS));
        let alerts: usize = items.iter().map(|item| item.alerts.len()).sum();
        println!("{count} revisions: {} items, {alerts} alerts, {:?}", items.len(), begun.elapsed());
        assert!(alerts > 0);
    }
}
