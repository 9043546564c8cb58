//! Work that the study's alert rules raise: what answers said, what was missed, and what has to be asked
//! before a rule can be judged.
//!
//! Of one report and one symptom (or score, or question) there is one item, with the most pressing rule
//! on top and all others that fired beside it, so that a severe day is one line and not five. The newest
//! revision of the rules is run over the whole chart. What an earlier revision, or a version of the
//! answers that was corrected since, once raised stays too, and says so: no alert goes away without a
//! person who says what was done.

use super::chart_reports::{ChartReport, ChartReports};
use super::raised_alert::{RaisedAlert, row_of, subject_of};
use super::rule_book::{RuleBook, RuleRevision};
use super::scores::{NOTE_LINK_ID, Version};
use super::work_item::{Desk, Raised, Told, Urgency, known_at, slug};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::AnswerValue;
use ward_forms::alert_rules::{Alert, AlertKey, AlertRule, AlertSeverity, Evaluation, RuleKind, evaluate};
use ward_id::{EntryId, TimestampMs};

/// What an item is about: the questionnaire, the symptom or question, and whether it is a wish.
type Matter = (String, String, bool);

/// The alerts of one report about one matter, in the order of the rules.
#[derive(Default)]
struct OfReport {
    alerts: Vec<RaisedAlert>,
    /// What is missing beside them.
    gap: Option<String>,
}

/// The alerts of a chart, by matter and then by report.
type Found = BTreeMap<Matter, BTreeMap<EntryId, OfReport>>;

/// How much what holds of a response presses, by matter.
type Still = BTreeMap<(Matter, EntryId), AlertSeverity>;

/// All work that the rules raise.
pub(super) fn alert_work(desk: &mut Desk<'_>, reports: &ChartReports<'_>, book: &RuleBook) {
    let (holding, ever) = (reports.holding(), reports.ever());
    let (mut found, mut still) = (Found::new(), Still::new());
    // When the revision after the one at hand began; nothing comes after the newest.
    let mut until: Option<TimestampMs> = None;
    let runs: Vec<(&RuleRevision, Evaluation, Evaluation)> = book
        .revisions()
        .iter()
        .rev()
        .map(|revision| (revision, evaluate(&revision.rules, &holding), evaluate(&revision.rules, &ever)))
        .collect();
    let mut rows = Rows::new();
    for (revision, now, once) in &runs {
        let before = |report: &ChartReport<'_>| until.is_none_or(|until| report.since() < until);
        let current = Pass { revision, reports, is_past: false };
        current.note_still(&now.alerts, &mut still, before);
        note_rows(&mut rows, revision, reports, now, until);
        if until.is_none() {
            current.note(&now.alerts, &mut found, |_, _, _| true);
            ask_work(&mut found, reports, revision, now);
        }
        // What was corrected and is reported as pressing again counts once, with what holds.
        let is_replaced = |alert: &Alert, report: &ChartReport<'_>, matter: &Matter| {
            let again = still.get(&(matter.clone(), report.record));
            !report.holds() && again.is_some_and(|severity| *severity >= alert.severity)
        };
        let past = Pass { revision, reports, is_past: true };
        past.note(&once.alerts, &mut found, |alert, report, matter| {
            before(report) && !is_replaced(alert, report, matter)
        });
        until = Some(revision.from);
    }
    row_work(desk, reports, rows);
    for (matter, by_report) in found {
        matter_work(desk, reports, &matter, by_report);
    }
}

fn triggering<'r, 'a>(
    alert: &'r Alert,
    reports: &'r ChartReports<'a>,
) -> impl Iterator<Item = &'r ChartReport<'a>> {
    let ids = alert.triggers.iter().filter_map(|trigger| trigger.version.as_deref());
    let ids: BTreeSet<EntryId> = ids.filter_map(|id| id.parse().ok()).collect();
    ids.into_iter().filter_map(|id| reports.by_entry.get(&id))
}

/// One run of one revision.
struct Pass<'r, 'a> {
    revision: &'r RuleRevision,
    reports: &'r ChartReports<'a>,
    /// Whether it looks for what was once raised and is no more.
    is_past: bool,
}

impl Pass<'_, '_> {
    fn note(
        &self,
        alerts: &[Alert],
        found: &mut Found,
        takes: impl Fn(&Alert, &ChartReport<'_>, &Matter) -> bool,
    ) {
        for alert in alerts {
            let Some((rule, matter)) = matter_of(self.revision, &alert.key) else { continue };
            for report in triggering(alert, self.reports).filter(|report| takes(alert, report, &matter)) {
                let of_report =
                    found.entry(matter.clone()).or_default().entry(report.written.id()).or_default();
                // A newer revision, or the answers that hold, already say at least as much.
                let is_said = |known: &RaisedAlert| known.severity >= alert.severity && !self.is_own(known);
                if of_report.alerts.iter().any(is_said) {
                    continue;
                }
                let mut raised = RaisedAlert::of(alert, rule, self.revision, report);
                raised.is_past = self.is_past;
                raised.corrected = self.corrected(report, &raised, &matter);
                of_report.alerts.push(raised);
            }
        }
    }

    /// Notes how much each response presses as it holds and as the list shows it: what this revision does not
    /// show any more replaces nothing.
    fn note_still(&self, alerts: &[Alert], still: &mut Still, takes: impl Fn(&ChartReport<'_>) -> bool) {
        for alert in alerts {
            let Some((_, matter)) = matter_of(self.revision, &alert.key) else { continue };
            for report in triggering(alert, self.reports).filter(|report| takes(report)) {
                let known = still.entry((matter.clone(), report.record)).or_insert(alert.severity);
                *known = (*known).max(alert.severity);
            }
        }
    }

    fn is_own(&self, known: &RaisedAlert) -> bool {
        known.revision == self.revision.number && known.is_past == self.is_past
    }

    /// What became of answers that raised an alert and hold no more.
    fn corrected(&self, report: &ChartReport<'_>, raised: &RaisedAlert, matter: &Matter) -> Option<String> {
        let (_, subject, is_wish) = matter;
        match report.version {
            Version::Current | Version::OneOfSeveral => None,
            Version::Voided => Some("declared void".to_owned()),
            Version::Replaced if *is_wish => Some("taken back in a correction".to_owned()),
            Version::Replaced if raised.is_symptom => {
                let mut holding = self.reports.by_entry.values();
                let own = |other: &&ChartReport<'_>| other.record == report.record && other.holds();
                let grade = holding.find(own).and_then(|other| other.grade(subject));
                Some(grade.map_or("corrected to no grade".to_owned(), |grade| {
                    format!("corrected to grade {grade}")
                }))
            }
            Version::Replaced => Some("corrected".to_owned()),
        }
    }
}

/// The rule behind a name, and what its alerts are about.
fn matter_of<'r>(revision: &'r RuleRevision, key: &AlertKey) -> Option<(&'r AlertRule, Matter)> {
    let rule = revision.rules.rules().iter().find(|rule| rule.id() == key.rule)?;
    let is_wish = matches!(rule.kind(), RuleKind::PatientUrgent { .. });
    Some((rule, (key.instrument.clone(), subject_of(rule, &key.about), is_wish)))
}

/// What was not answered, where it decides whether a rule fires.
fn ask_work(found: &mut Found, reports: &ChartReports<'_>, revision: &RuleRevision, now: &Evaluation) {
    for gap in now.not_judged.iter().filter(|gap| gap.is_partly_known) {
        let Some((_, matter)) = matter_of(revision, &gap.key) else { continue };
        let entries = gap.versions.iter().filter_map(|id| id.parse::<EntryId>().ok());
        for entry in entries.filter(|entry| reports.by_entry.contains_key(entry)) {
            let of_report = found.entry(matter.clone()).or_default().entry(entry).or_default();
            of_report.gap.get_or_insert_with(|| gap.why.clone());
        }
    }
}

fn matter_work(
    desk: &mut Desk<'_>,
    reports: &ChartReports<'_>,
    matter: &Matter,
    by_report: BTreeMap<EntryId, OfReport>,
) {
    let (_, subject, is_wish) = matter;
    let mut by_severity: BTreeMap<AlertSeverity, Vec<Raised<OfReport>>> = BTreeMap::new();
    let mut to_ask = Vec::new();
    for (entry, of_report) in by_report {
        let Some(report) = reports.by_entry.get(&entry) else { continue };
        let raised = Raised { entry, since: known_at(&report.written), detail: of_report };
        match raised.detail.alerts.iter().map(|alert| alert.severity).max() {
            Some(severity) => by_severity.entry(severity).or_default().push(raised),
            None => to_ask.push(raised),
        }
    }
    let order = |raised: &mut Vec<Raised<OfReport>>| {
        raised.sort_by_key(|one| (reports.by_entry.get(&one.entry).map(ChartReport::order), one.entry));
    };
    for (severity, mut raised) in by_severity.into_iter().rev() {
        order(&mut raised);
        let prefix = if *is_wish { "call-" } else { "" };
        let name = |severity: AlertSeverity| format!("{prefix}{}-{}", severity.code(), slug(subject));
        let matters = closing(severity, name);
        desk.recurring(urgency(severity, *is_wish), &matters, raised, |raised| {
            told(reports, raised, *is_wish)
        });
    }
    order(&mut to_ask);
    let asks = |raised: &[Raised<OfReport>]| {
        let why = raised.last().and_then(|one| one.detail.gap.as_deref()).unwrap_or_default();
        Told::from(format!("ask about {why}{}", times(reports, raised)))
    };
    desk.recurring(Urgency::ToAsk, &[format!("ask-{}", slug(subject))], to_ask, asks);
}

fn urgency(severity: AlertSeverity, is_wish: bool) -> Urgency {
    match severity {
        AlertSeverity::Urgent if is_wish => Urgency::PatientUrgent,
        AlertSeverity::Urgent => Urgency::Urgent,
        AlertSeverity::Concern => Urgency::Concern,
        AlertSeverity::Notice => Urgency::Notice,
    }
}

/// The line of an item, and every alert in it.
fn told(reports: &ChartReports<'_>, raised: &[Raised<OfReport>], is_wish: bool) -> Told {
    let newest = raised.last().map(|one| &one.detail);
    let alerts = newest.map(|of_report| of_report.alerts.as_slice()).unwrap_or_default();
    let pressing = alerts.iter().map(|alert| alert.severity).max();
    let mut whats: Vec<&str> = Vec::new();
    let top = || alerts.iter().filter(|alert| Some(alert.severity) == pressing);
    // A grade that presses as much sums up the attributes beside it.
    let has_whole = top().any(|alert| !alert.is_part);
    for alert in top() {
        let is_summed_up = alert.is_part && has_whole;
        if !is_summed_up && !whats.contains(&alert.what.as_str()) {
            whats.push(&alert.what);
        }
    }
    let gap = newest.and_then(|of_report| of_report.gap.as_deref());
    // What is missing may be worse than what is known.
    let is_open = !has_whole || pressing < Some(AlertSeverity::Urgent);
    whats.extend(gap.filter(|_| is_open));
    let words = if is_wish { raised.iter().rev().find_map(|one| note_of(reports, one.entry)) } else { None };
    let words = words.map(|words| format!("; wrote: “{words}”")).unwrap_or_default();
    Told {
        reason: format!("{}{}{words}", whats.join("; "), times(reports, raised)),
        alerts: raised.iter().flat_map(|one| one.detail.alerts.iter().cloned()).collect(),
    }
}

/// `, on 2026-03-01`, or `, 3 times since 2026-03-01`; and what corrections made of it.
fn times(reports: &ChartReports<'_>, raised: &[Raised<OfReport>]) -> String {
    let first = raised.first().and_then(|one| reports.by_entry.get(&one.entry));
    let since = first.map(ChartReport::occurrence).unwrap_or_default();
    let mut out = match raised.len() {
        1 => format!(", on {since}"),
        count => format!(", {count} times since {since}"),
    };
    let corrected = |one: &Raised<OfReport>| {
        let report = reports.by_entry.get(&one.entry)?;
        (!report.holds()).then(|| one.detail.alerts.iter().find_map(|alert| alert.corrected.clone()))?
    };
    let corrected: Vec<String> = raised.iter().filter_map(corrected).collect();
    match corrected.as_slice() {
        [] => {}
        [only] if raised.len() == 1 => out.push_str(&format!("; later {only}")),
        some => out.push_str(&format!("; {} of them later corrected", some.len())),
    }
    out
}

/// What the participant wrote freely in the same answers.
fn note_of(reports: &ChartReports<'_>, entry: EntryId) -> Option<String> {
    let report = reports.by_entry.get(&entry)?;
    report.answers(NOTE_LINK_ID).find_map(|value| match value {
        AnswerValue::String(text) => Some(text.clone()),
        _ => None,
    })
}

/// The alerts of each row of missed times, by questionnaire and by the time with which the row began.
type Rows<'r> = BTreeMap<(&'r str, &'r str), Vec<(RaisedAlert, &'r Alert)>>;

/// Notes the rows that a revision raises, as far as no newer one says as much about them.
fn note_rows<'r>(
    rows: &mut Rows<'r>,
    revision: &RuleRevision,
    reports: &ChartReports<'_>,
    now: &'r Evaluation,
    until: Option<TimestampMs>,
) {
    for alert in now.alerts.iter().filter(|alert| until.is_none_or(|until| alert.at_ms < until.0)) {
        let Some(since) = row_of(alert) else { continue };
        let Some((rule, _)) = matter_of(revision, &alert.key) else { continue };
        let Some(planned_by) = reports.planned_by.get(&alert.key.instrument) else { continue };
        // What the study's schedule says goes before a rule that the study did not write.
        if revision.number == 0 && reports.own_limits.contains(&alert.key.instrument) {
            continue;
        }
        let row = rows.entry((&alert.key.instrument, since)).or_default();
        let is_said = |(known, _): &(RaisedAlert, &Alert)| {
            known.revision != revision.number && known.severity >= alert.severity
        };
        if !row.iter().any(is_said) {
            row.push((RaisedAlert::of_row(alert, rule, revision, *planned_by), alert));
        }
    }
}

/// Planned times missed in a row. A row is one item, however long it gets. It stays when answers come
/// again: somebody was to look, and says whether they did. What the schedule has the site told, and no rule
/// says, is an item while it lasts.
fn row_work(desk: &mut Desk<'_>, reports: &ChartReports<'_>, rows: Rows<'_>) {
    for row in &reports.escalated {
        if !rows.contains_key(&(row.instrument.as_str(), row.since.as_str())) {
            let raised = [Raised { entry: row.entry, since: row.missed_at, detail: () }];
            let matter = format!("missed-{}", slug(&row.since));
            desk.standing(Urgency::Notice, &[matter], &raised, row.reason.clone());
        }
    }
    for ((_, since), row) in rows {
        let Some(severity) = row.iter().map(|(alert, _)| alert.severity).max() else { continue };
        let pressing = || row.iter().filter(|(alert, _)| alert.severity == severity);
        let Some((first, alert)) = pressing().min_by_key(|(alert, _)| alert.since) else { continue };
        let ended = if reports.answered_after(alert) { "; answers came again since" } else { "" };
        let name = |severity: AlertSeverity| format!("missed-{}-{}", severity.code(), slug(since));
        let raised = [Raised { entry: first.entry, since: first.since, detail: () }];
        let reason = format!("{}{ended}", first.what);
        let (urgency, matters) = (urgency(severity, false), closing(severity, name));
        let alerts = row.into_iter().map(|(alert, _)| alert).collect();
        desk.standing(urgency, &matters, &raised, Told { reason, alerts });
    }
}

/// The matters whose acknowledgement closes one of this severity, its own first: who said what was done
/// about something as pressing has done so about this, too.
fn closing(severity: AlertSeverity, name: impl Fn(AlertSeverity) -> String) -> Vec<String> {
    let pressing = AlertSeverity::ALL.iter().map(|(known, _)| *known).filter(|known| *known >= severity);
    pressing.map(name).collect()
}
