//! Planned times missed in a row. A row is one item, and again one each time that it doubled after somebody
//! acknowledged it. It stays when answers come again, also such that were given after the close, and when the
//! missed times are excused afterwards: somebody was to look, and says whether they did.

use super::alert_work::{closing, matter_of, urgency};
use super::chart_reports::ChartReports;
use super::missed_times::RowSince;
use super::raised_alert::{RaisedAlert, row_of};
use super::rule_book::RuleRevision;
use super::wording::{counted, cut_line};
use super::work_item::{Desk, Raised, Told, slug};
use crate::limits::WHAT_SHOWN_MAX;
use std::collections::BTreeMap;
use ward_forms::alert_rules::{Alert, AlertRules, AlertSeverity, Evaluation};
use ward_id::TimestampMs;

/// The questionnaire of a row, and the planned time with which it began.
type Row = (String, String);

/// How often the length of a row has doubled from one on.
type Stage = u32;

/// One alert about a row.
struct OfRow {
    raised: RaisedAlert,
    /// The planned time with which the row became long enough.
    reached: String,
}

/// The alerts of each row, by stage.
#[derive(Default)]
pub(super) struct Rows {
    rows: BTreeMap<Row, BTreeMap<Stage, Vec<OfRow>>>,
}

impl Rows {
    /// Notes the rows that a revision raises, as far as no newer one says as much about them.
    pub(super) fn note(&mut self, revision: &RuleRevision, reports: &ChartReports<'_>, now: &Evaluation) {
        for alert in &now.alerts {
            let Some((since, ..)) = row_of(alert) else { continue };
            let instrument = alert.key.instrument.as_str();
            let ended =
                revision.ended_by().is_some_and(|place| reports.row_follows(instrument, since, place));
            let Some(first) = reports.times.get(instrument, since).filter(|_| !ended) else { continue };
            // What the schedule says by which the row was planned goes before a rule that the study did not
            // write.
            if revision.number == 0 && reports.times.limit_of(first.entry).is_some() {
                continue;
            }
            let Some((rule, _)) = matter_of(revision, &alert.key) else { continue };
            self.push(alert, RaisedAlert::of_row(alert, rule, revision.number, first.entry));
        }
    }

    /// Notes the rows of which the schedules themselves say that the site is told.
    pub(super) fn note_schedules(
        &mut self,
        reports: &ChartReports<'_>,
        schedules: &AlertRules,
        now: &Evaluation,
    ) {
        for alert in &now.alerts {
            let Some((since, limit, _)) = row_of(alert) else { continue };
            let first = reports.times.get(&alert.key.instrument, since);
            let Some(first) = first.filter(|first| reports.times.limit_of(first.entry) == Some(limit)) else {
                continue;
            };
            if let Some(rule) = schedules.rules().iter().find(|rule| rule.id() == alert.key.rule) {
                self.push(alert, RaisedAlert::of_row(alert, rule, 0, first.entry));
            }
        }
    }

    /// Keeps some of the rows.
    pub(super) fn retain(&mut self, keeps: impl Fn((&str, &str)) -> bool) {
        self.rows.retain(|(instrument, since), _| keeps((instrument, since)));
    }

    fn push(&mut self, alert: &Alert, raised: RaisedAlert) {
        let Some((since, _, raised_at)) = row_of(alert) else { return };
        let row = self.rows.entry((alert.key.instrument.clone(), since.to_owned())).or_default();
        let known = row.entry(raised_at.max(1).ilog2()).or_default();
        let is_said =
            |one: &OfRow| one.raised.is_of_another(&raised) && one.raised.severity >= raised.severity;
        if !known.iter().any(is_said) {
            known.push(OfRow { raised, reached: alert.key.occurrence.clone() });
        }
    }
}

/// The items of rows: what was acknowledged, with what was done, and of what was not the longest.
pub(super) fn row_work(desk: &mut Desk<'_>, reports: &ChartReports<'_>, rows: Rows) {
    for ((instrument, since), stages) in rows.rows {
        let longest = stages.keys().max().copied().unwrap_or_default();
        let (mut open, mut waiting_since) = (None, None::<TimestampMs>);
        for (stage, alerts) in stages {
            let Some(item) = RowItem::of(reports, (&instrument, &since), (stage, longest), alerts) else {
                continue;
            };
            if desk.is_acknowledged(&item.matters, &item.raised) {
                item.push(desk);
            } else {
                let first = waiting_since.map_or(item.raised.since, |since| since.min(item.raised.since));
                waiting_since = Some(first);
                open = Some(item);
            }
        }
        if let Some((mut item, since)) = open.zip(waiting_since) {
            item.raised.since = since;
            item.push(desk);
        }
    }
}

/// A row at one of its lengths.
struct RowItem {
    severity: AlertSeverity,
    matters: Vec<String>,
    raised: Raised<()>,
    told: Told,
}

impl RowItem {
    fn of(
        reports: &ChartReports<'_>,
        (instrument, since): (&str, &str),
        (stage, longest): (Stage, Stage),
        alerts: Vec<OfRow>,
    ) -> Option<Self> {
        let severity = alerts.iter().map(|one| one.raised.severity).max()?;
        let pressing = alerts.iter().filter(|one| one.raised.severity == severity);
        let first = pressing.min_by_key(|one| one.raised.since)?;
        let since_then = since_then(reports, (instrument, since), &first.reached);
        let name = |severity: AlertSeverity| format!("missed-{}-{}", severity.code(), slug(since));
        // Who acted on a longer row has acted on this one.
        let lengths = (stage..=longest).map(|stage| format!("-{stage}"));
        let matters = lengths
            .flat_map(|length| {
                closing(severity, name).into_iter().map(move |matter| format!("{matter}{length}"))
            })
            .collect();
        let raised = Raised { entry: first.raised.entry, since: first.raised.since, detail: () };
        let reason = format!("{}{since_then}", cut_line(&first.raised.what, WHAT_SHOWN_MAX));
        let alerts = alerts.into_iter().map(|one| one.raised).collect();
        Some(Self { severity, matters, raised, told: Told { reason, alerts } })
    }

    fn push(self, desk: &mut Desk<'_>) {
        desk.standing(urgency(self.severity, false), &self.matters, &[self.raised], self.told);
    }
}

/// What became of a row since it was reached, in words.
fn since_then(reports: &ChartReports<'_>, (instrument, since): (&str, &str), reached: &str) -> String {
    let mut out = String::new();
    if reports.times.answered_after(instrument, reached) {
        out.push_str("; answers came again since");
    }
    let RowSince { answered_after_close, excused } = reports.times.since_then(instrument, since);
    match answered_after_close {
        0 => {}
        1 => out.push_str("; one answered after its close"),
        several => out.push_str(&format!("; {several} answered after their close")),
    }
    if excused > 0 {
        out.push_str("; later excused");
    }
    match reports.times.aside_around(instrument, since) {
        0 => {}
        aside => out.push_str(&format!(
            "; counted with {}",
            counted(aside, "answer kept aside", "answers kept aside")
        )),
    }
    out
}
