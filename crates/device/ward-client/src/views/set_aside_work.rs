//! Alerts of answers that take no part in a chart: those of a device that was revoked, and those that wait for
//! adoption. Nothing of them counts as said; but a severe answer must not lie unread because a phone was lost.

use super::alert_work::alert_work_about;
use super::chart_forms::ChartForms;
use super::chart_reports::chart_reports;
use super::named_chart::NamedChart;
use super::rule_book::RuleBook;
use super::schedule::Planning;
use super::wording::one_line;
use super::work_item::{Desk, WorkItem};
use std::collections::BTreeSet;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartView, EntryKind, Place, QuarantineReason, TimelineItem};

/// What stands before the words of such an alert.
const ASIDE: &str = "from a device that was revoked, kept aside: ";

/// Answers that are kept aside because a device was revoked, theirs or that of their questionnaire. Those that
/// staff declined were looked at.
pub fn answers_aside(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    let declined = view.declined();
    let is_aside = |item: &&TimelineItem<'_>| {
        let aside =
            [QuarantineReason::ToBeAdopted, QuarantineReason::Severed, QuarantineReason::InstrumentAside];
        let is_answer = item.entry.body().kind == EntryKind::QUESTIONNAIRE_RESPONSE;
        is_answer && aside.iter().any(|reason| item.place == Place::Quarantined(*reason))
    };
    let aside = view.timeline().iter().filter(is_aside).map(|item| item.entry.id());
    aside.filter(|entry| !declined.contains(entry)).collect()
}

/// The alerts of these answers. `trusted` is the chart as it would be if their devices were trusted; what was
/// acknowledged is read in the chart as it is.
pub fn set_aside_work(
    book: &RuleBook,
    chart: &NamedChart<'_>,
    trusted: &ChartView<'_>,
    answers: &BTreeSet<EntryId>,
    now: TimestampMs,
) -> Vec<WorkItem> {
    let forms = ChartForms::of(trusted);
    let mut desk = Desk::new(chart.chart, &chart.label, chart.view);
    alert_work_about(
        &mut desk,
        &chart_reports(chart.chart, trusted, &forms, &Planning::of(trusted), now),
        book,
        answers,
    );
    for item in &mut desk.items {
        item.reason = one_line(&format!("{ASIDE}{}", item.reason));
    }
    desk.items
}
