//! Alerts of what takes no part in a chart: answers of a device that was revoked, or that wait for adoption, and
//! rows of missed times that such a device of the site planned, or asked for again after a pause. Nothing of them
//! counts as said; but a severe answer must not lie unread because a phone was lost, nor a silent participant
//! because a laptop was. Answers of a device that is not trusted any more end no row.

use super::alert_work::alert_work_about;
use super::chart_forms::ChartForms;
use super::chart_reports::chart_reports;
use super::kept_aside::{answers_aside, answers_not_trusted, instruments_aside, participation_aside};
use super::named_chart::NamedChart;
use super::rule_book::RuleBook;
use super::schedule::Planning;
use super::wording::one_line;
use super::work_item::{Desk, WorkItem};
use std::collections::BTreeSet;
use ward_id::{EntryId, TimestampMs};
use ward_sync::ChartView;

/// What stands before the words of such an alert.
const ASIDE: &str = "from a device that was revoked, kept aside: ";

/// What of a chart is kept aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Answers.
    pub answers: BTreeSet<EntryId>,
    /// Questionnaires with their schedules.
    pub instruments: BTreeSet<EntryId>,
    /// Words about participation.
    pub participation: BTreeSet<EntryId>,
}

impl SetAside {
    /// What is kept aside of a chart, and was not declined.
    pub fn of(view: &ChartView<'_>) -> Self {
        Self {
            answers: answers_aside(view),
            instruments: instruments_aside(view),
            participation: participation_aside(view),
        }
    }

    /// Whether it is nothing.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.instruments.is_empty() && self.participation.is_empty()
    }
}

/// The alerts of what is kept aside. `trusted` is the chart as it would be if the devices were trusted, without
/// what staff declined; what was acknowledged is read in the chart as it is.
pub fn set_aside_work(
    book: &RuleBook,
    chart: &NamedChart<'_>,
    trusted: &ChartView<'_>,
    aside: &SetAside,
    now: TimestampMs,
) -> Vec<WorkItem> {
    let forms = ChartForms::of(trusted);
    let mut desk = Desk::new(chart.chart, &chart.label, chart.view);
    let planning = Planning::of(trusted).without_answers(&answers_not_trusted(chart.view));
    let reports = chart_reports(chart.chart, trusted, &forms, &planning, now);
    alert_work_about(&mut desk, &reports, book, aside);
    for item in &mut desk.items {
        item.reason = one_line(&format!("{ASIDE}{}", item.reason));
    }
    desk.items
}
