//! Work that the study's alert rules raise about answers: what they said, and what has to be asked before a
//! rule can be judged. What was missed is raised in `row_work`.
//!
//! Of one report and one symptom (or score, or question) there is one item, with the most pressing rule
//! on top and all others that fired beside it, so that a severe day is one line and not five. The newest
//! revision of the rules is run over the whole chart. What an earlier revision could have raised, or a version
//! of the answers that was corrected since, stays too, and says so: no alert goes away without a person who
//! says what was done.

use super::chart_reports::{ChartReport, ChartReports};
use super::raised_alert::{RaisedAlert, subject_of};
use super::row_work::{Rows, row_work};
use super::rule_book::{RuleBook, RuleRevision};
use super::scores::Version;
use super::set_aside_work::SetAside;
use super::wording::cut_line;
use super::work_item::{Desk, Raised, Told, Urgency, known_at, slug};
use crate::limits::{OCCURRENCE_SHOWN_MAX, WHAT_SHOWN_MAX, WORDS_SHOWN_MAX};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::alert_rules::{
    Alert, AlertKey, AlertRule, AlertRules, AlertSeverity, Evaluation, RuleKind, evaluate,
};
use ward_id::EntryId;

/// Why an alert would not be raised today.
const RULE_CHANGED: &str = "the rule was changed since";
const COMPARISON_CHANGED: &str = "what it was compared with was changed since";

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
    let (found, rows, left_out) = all_alerts(reports, book);
    row_work(desk, reports, rows);
    report_work(desk, reports, found);
    too_many(desk, reports, left_out);
}

/// What is raised about some of the answers and schedules alone: those that are kept aside.
pub(super) fn alert_work_about(
    desk: &mut Desk<'_>,
    reports: &ChartReports<'_>,
    book: &RuleBook,
    aside: &SetAside,
) {
    let (mut found, mut rows, _) = all_alerts(reports, book);
    // Where a word about participation is aside, any row may hang on it.
    rows.retain(|row| {
        !aside.participation.is_empty() || reports.times.is_planned_by(row, &aside.instruments)
    });
    row_work(desk, reports, rows);
    found.values_mut().for_each(|by_report| by_report.retain(|entry, _| aside.answers.contains(entry)));
    report_work(desk, reports, found);
}

/// How much was found and not listed, because there is too much of it.
#[derive(Default)]
struct LeftOut {
    alerts: usize,
    to_ask: usize,
}

fn all_alerts(reports: &ChartReports<'_>, book: &RuleBook) -> (Found, Rows, LeftOut) {
    let (holding, ever) = (reports.holding(), reports.ever());
    let (mut found, mut still, mut rows) = (Found::new(), Still::new(), Rows::default());
    let mut left_out = LeftOut::default();
    for (age, revision) in book.revisions().iter().rev().enumerate() {
        let now = evaluate(&revision.own, &holding);
        let of_corrected = ever.as_ref().map(|ever| evaluate(&revision.own, ever));
        let once = of_corrected.as_ref().unwrap_or(&now);
        let takes = |report: &ChartReport<'_>| revision.looks_at(report.written.arrival.sealed_at);
        let pass = |is_past| Pass { revision, reports, is_past, is_newest: age == 0 };
        pass(false).note_still(&now.alerts, &mut still, takes);
        rows.note(revision, reports, &now);
        pass(false).note(&now.alerts, &mut found, |_, report, _| takes(report));
        if age == 0 {
            ask_work(&mut found, reports, revision, &now);
            left_out.to_ask = now.to_ask_unnamed;
        }
        left_out.alerts = left_out.alerts.max(now.alerts_unnamed.max(once.alerts_unnamed));
        // What was corrected and is reported as pressing again counts once, with what holds.
        let is_replaced = |alert: &Alert, report: &ChartReport<'_>, matter: &Matter| {
            let again = still.get(&(matter.clone(), report.record));
            !report.holds() && again.is_some_and(|severity| *severity >= alert.severity)
        };
        pass(true).note(&once.alerts, &mut found, |alert, report, matter| {
            takes(report) && !is_replaced(alert, report, matter)
        });
    }
    let schedules = AlertRules::of_schedules(reports.times.limits());
    rows.note_schedules(reports, &schedules, &evaluate(&schedules, &holding));
    (found, rows, left_out)
}

/// A list that is too long to be shown is a fault of the rules, and must not look like a whole one.
fn too_many(desk: &mut Desk<'_>, reports: &ChartReports<'_>, left_out: LeftOut) {
    let newest = reports.by_entry.values().max_by_key(|report| report.order());
    let Some(raised) = newest.map(|report| [Raised::of(&report.written)]) else { return };
    if left_out.alerts > 0 {
        let reason = format!(
            "{} more alerts than can be listed: the study's rules fire on nearly everything and must be changed",
            left_out.alerts
        );
        desk.unanswerable(Urgency::Urgent, "too-many-alerts", &raised, reason);
    }
    if left_out.to_ask > 0 {
        let reason = format!(
            "{} more answers to ask about than can be listed; the oldest are left out",
            left_out.to_ask
        );
        desk.unanswerable(Urgency::Concern, "too-many-to-ask", &raised, reason);
    }
}

fn report_work(desk: &mut Desk<'_>, reports: &ChartReports<'_>, found: Found) {
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
    /// Whether the revision is the one that counts.
    is_newest: bool,
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
                raised.outdated = self.outdated(report);
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

    /// Why answers that hold would not raise this today.
    fn outdated(&self, report: &ChartReport<'_>) -> Option<&'static str> {
        match (self.is_newest, self.is_past && report.holds()) {
            (false, _) => Some(RULE_CHANGED),
            (true, true) => Some(COMPARISON_CHANGED),
            (true, false) => None,
        }
    }

    /// What became of answers that raised an alert and hold no more.
    fn corrected(&self, report: &ChartReport<'_>, raised: &RaisedAlert, matter: &Matter) -> Option<String> {
        let (_, subject, is_wish) = matter;
        match report.version {
            Version::Current | Version::OneOfSeveral => None,
            Version::Voided => Some("declared void".to_owned()),
            Version::Replaced if *is_wish => Some("taken back in a correction".to_owned()),
            Version::Replaced if raised.is_symptom => Some(self.corrected_to(report.record, subject)),
            Version::Replaced => Some("corrected".to_owned()),
        }
    }
}

impl Pass<'_, '_> {
    /// What the corrections of a response say of a symptom: of several that hold the worst.
    fn corrected_to(&self, record: EntryId, symptom: &str) -> String {
        let grades: Vec<Option<u8>> =
            self.reports.holding_of(record).map(|report| report.grade(symptom)).collect();
        let worst = grades.iter().flatten().max();
        match (grades.as_slice(), worst) {
            ([_], Some(grade)) => format!("corrected to grade {grade}"),
            ([], _) | ([_], None) => "corrected; the grade is not known now".to_owned(),
            (several, Some(grade)) => {
                format!(
                    "corrected {} times at once, to grade {grade} or less; nobody has chosen",
                    several.len()
                )
            }
            (several, None) => {
                format!("corrected {} times at once; nobody has chosen, no grade is known", several.len())
            }
        }
    }
}

/// The rule behind a name, and what its alerts are about.
pub(super) fn matter_of<'r>(revision: &'r RuleRevision, key: &AlertKey) -> Option<(&'r AlertRule, Matter)> {
    let rule = revision.rules.rules().iter().find(|rule| rule.id() == key.rule)?;
    let is_wish = matches!(rule.kind(), RuleKind::PatientUrgent { .. });
    Some((rule, (key.instrument.clone(), subject_of(rule, &key.about), is_wish)))
}

/// What was not answered, where it decides whether a rule fires.
fn ask_work(found: &mut Found, reports: &ChartReports<'_>, revision: &RuleRevision, now: &Evaluation) {
    for gap in now.not_judged.iter().filter(|gap| gap.is_to_ask) {
        let Some((_, matter)) = matter_of(revision, &gap.key) else { continue };
        let entries = gap.versions.iter().filter_map(|id| id.parse::<EntryId>().ok());
        for entry in entries.filter(|entry| reports.by_entry.contains_key(entry)) {
            let of_report = found.entry(matter.clone()).or_default().entry(entry).or_default();
            // Of several gaps the fullest words: a range says more than that a part is missing.
            let known = of_report.gap.as_ref().map_or(0, String::len);
            if gap.why.len() > known {
                of_report.gap = Some(gap.why.clone());
            }
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
        Told::from(format!("ask about {}{}", cut_line(why, WHAT_SHOWN_MAX), times(reports, raised)))
    };
    desk.recurring(Urgency::ToAsk, &[format!("ask-{}", slug(subject))], to_ask, asks);
}

pub(super) fn urgency(severity: AlertSeverity, is_wish: bool) -> Urgency {
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
    let words = words.map(|words| format!("; wrote: “{}”", cut_line(&words, WORDS_SHOWN_MAX)));
    // What is long is cut by itself, so that it pushes nothing else off the line.
    let what = cut_line(&whats.join("; "), WHAT_SHOWN_MAX);
    Told {
        reason: format!("{what}{}{}", times(reports, raised), words.unwrap_or_default()),
        alerts: raised.iter().flat_map(|one| one.detail.alerts.iter().cloned()).collect(),
    }
}

/// `, on 2026-03-01`, or `, 3 times since 2026-03-01`; and what became of the answers and of the rules since.
/// Several versions of one report, and one day that was sent twice, are one time.
fn times(reports: &ChartReports<'_>, raised: &[Raised<OfReport>]) -> String {
    let report = |one: &Raised<OfReport>| reports.by_entry.get(&one.entry);
    let since = raised.first().and_then(report).map(ChartReport::occurrence).unwrap_or_default();
    let since = cut_line(since, OCCURRENCE_SHOWN_MAX);
    let occasions: BTreeSet<&str> = raised.iter().filter_map(report).map(ChartReport::occurrence).collect();
    let mut out = match occasions.len() {
        0 | 1 => format!(", on {since}"),
        count => format!(", {count} times since {since}"),
    };
    let corrected = |one: &Raised<OfReport>| {
        let holds = report(one)?.holds();
        (!holds).then(|| one.detail.alerts.iter().find_map(|alert| alert.corrected.clone()))?
    };
    let corrected: Vec<String> = raised.iter().filter_map(corrected).collect();
    match corrected.as_slice() {
        [] => {}
        [only] if raised.len() == 1 => out.push_str(&format!("; later {only}")),
        some => out.push_str(&format!("; {} of them later corrected", some.len())),
    }
    let newest = raised.last().map(|one| one.detail.alerts.as_slice()).unwrap_or_default();
    if newest.iter().any(|alert| alert.unsettled) {
        out.push_str("; several versions of these answers hold and nobody has chosen");
    }
    // Only where nothing on the line would be raised today.
    if let Some(outdated) = newest.first().and_then(|alert| alert.outdated)
        && newest.iter().all(|alert| alert.outdated.is_some())
    {
        out.push_str("; ");
        out.push_str(outdated);
    }
    out
}

/// What the participant wrote freely in the same answers.
fn note_of(reports: &ChartReports<'_>, entry: EntryId) -> Option<String> {
    reports.by_entry.get(&entry)?.note.clone()
}

/// The matters whose acknowledgement closes one of this severity, its own first: who said what was done
/// about something as pressing has done so about this, too.
pub(super) fn closing(severity: AlertSeverity, name: impl Fn(AlertSeverity) -> String) -> Vec<String> {
    let pressing = AlertSeverity::ALL.iter().map(|(known, _)| *known).filter(|known| *known >= severity);
    pressing.map(name).collect()
}
