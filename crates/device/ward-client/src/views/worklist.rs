//! The worklist: what needs somebody's attention, with the reason. Computed on the devices of the
//! care team, because the server cannot read.
//!
//! No item about a participant's safety ends by itself: a later diary without the symptom, or a
//! correction that lowers it, leaves the item open until a person says what was done.

use super::chart_forms::ChartForms;
use super::named_chart::NamedChart;
use super::open_conflicts::conflict_work;
use super::scores::scores;
use super::symptom_work::symptom_work;
use super::unsettled_work::{adoption_work, duplicate_work, missed_work, unusable_work};
use super::work_item::{Desk, WorkItem};
use std::cmp::Reverse;
use ward_id::TimestampMs;

/// All items of all charts. Open ones come first: by urgency, then those that wait longest.
/// Acknowledged ones follow in the same order, with what was done.
pub fn worklist(charts: &[NamedChart<'_>], now: TimestampMs) -> Vec<WorkItem> {
    let mut items: Vec<WorkItem> = charts.iter().flat_map(|chart| work_of(chart, now)).collect();
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

fn work_of(chart: &NamedChart<'_>, now: TimestampMs) -> Vec<WorkItem> {
    let NamedChart { chart, label, view } = chart;
    let forms = ChartForms::of(view);
    let mut desk = Desk::new(*chart, label, view);
    symptom_work(&mut desk, &scores(view, &forms));
    conflict_work(&mut desk, view, &forms);
    missed_work(&mut desk, view, now);
    duplicate_work(&mut desk, view, &forms);
    adoption_work(&mut desk, view);
    unusable_work(&mut desk, view, &forms);
    desk.items
}
