//! The worklist: what needs somebody's attention, with the reason. Computed on the devices of the
//! care team, because the server cannot read.
//!
//! No item about a participant's safety ends by itself: a later diary without the symptom, or a
//! correction that lowers it, leaves the item open until a person says what was done.

use super::alert_work::alert_work;
use super::chart_forms::ChartForms;
use super::chart_reports::chart_reports;
use super::named_chart::NamedChart;
use super::open_conflicts::conflict_work;
use super::planned_work::planned_work;
use super::rule_book::RuleBook;
use super::schedule::Planning;
use super::unscored_work::unscored_work;
use super::unsettled_work::{adoption_work, duplicate_work, unusable_work};
use super::work_item::{Desk, WorkItem};
use crate::parallel;
use std::cmp::Reverse;
use ward_id::TimestampMs;

/// As [`worklist_by`], by the built-in alert rules.
pub fn worklist(charts: &[NamedChart<'_>], now: TimestampMs) -> Vec<WorkItem> {
    worklist_by(&RuleBook::built_in(), charts, now)
}

/// All items of all charts, with the alerts of a study's rules. Open ones come first: by urgency, then those that wait longest.
/// Acknowledged ones follow in the same order, with what was done.
pub fn worklist_by(book: &RuleBook, charts: &[NamedChart<'_>], now: TimestampMs) -> Vec<WorkItem> {
    let of_each = parallel::map_each(charts, |chart| work_of(book, chart, now));
    let mut items: Vec<WorkItem> = of_each.into_iter().flatten().collect();
    sort_items(&mut items);
    items
}

/// The order of the worklist.
pub(crate) fn sort_items(items: &mut [WorkItem]) {
    items.sort_by(|a, b| {
        let key = |item: &WorkItem| (item.acknowledged.is_some(), Reverse(item.urgency), item.since);
        key(a).cmp(&key(b)).then_with(|| (&a.chart, &a.id).cmp(&(&b.chart, &b.id)))
    });
}

fn work_of(book: &RuleBook, chart: &NamedChart<'_>, now: TimestampMs) -> Vec<WorkItem> {
    let NamedChart { chart, label, view } = chart;
    let forms = ChartForms::of(view);
    let planning = Planning::of(view);
    let mut desk = Desk::new(*chart, label, view);
    let reports = chart_reports(*chart, view, &forms, &planning, now);
    alert_work(&mut desk, &reports, book);
    unscored_work(&mut desk, &reports);
    conflict_work(&mut desk, view, &forms);
    duplicate_work(&mut desk, view, &forms);
    planned_work(&mut desk, view, &forms, &planning, now);
    adoption_work(&mut desk, view);
    unusable_work(&mut desk, view, &forms, &planning);
    desk.items
}
