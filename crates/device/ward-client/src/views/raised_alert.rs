//! An alert as people see it: which rule, of which revision, on which answers, since when.

use super::chart_reports::ChartReport;
use super::rule_book::RuleRevision;
use super::scores::Version;
use super::wording::plain_line;
use serde::Serialize;
use ward_forms::alert_rules::{Alert, AlertRule, AlertSeverity, Compared, RuleKind, Target, Trigger};
use ward_id::{EntryId, TimestampMs};

/// One alert of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RaisedAlert {
    /// The rule.
    pub rule: String,
    /// The kind of the rule.
    pub kind: &'static str,
    /// The revision of the rule set; 0 for the built-in rules.
    pub revision: u64,
    /// How much it presses.
    pub severity: AlertSeverity,
    /// What it says, without when.
    pub what: String,
    /// The planned time that was answered; of a row of missed ones the one that made it long enough.
    pub occurrence: String,
    /// The answers that raised it; of a row of missed ones the entry that planned them.
    pub entry: EntryId,
    /// The answers that it used, each `linkId: answer`.
    pub used: Vec<String>,
    /// With what they were compared, where that is an earlier report.
    pub compared: Option<String>,
    /// Since when it is known.
    pub since: TimestampMs,
    /// What became of the answers, where they hold no more.
    pub corrected: Option<String>,
    /// Why it would not be raised today, though the answers hold.
    pub outdated: Option<&'static str>,
    /// Whether several versions of the answers hold at once and nobody has chosen.
    pub unsettled: bool,
    /// Whether it is about one attribute of a symptom.
    #[serde(skip)]
    pub(super) is_part: bool,
    /// Whether it is about a symptom.
    #[serde(skip)]
    pub(super) is_symptom: bool,
    /// Whether it was found among what was once raised.
    #[serde(skip)]
    pub(super) is_past: bool,
}

impl RaisedAlert {
    pub(super) fn of(
        alert: &Alert,
        rule: &AlertRule,
        revision: &RuleRevision,
        report: &ChartReport<'_>,
    ) -> Self {
        let entry = report.written.id();
        let version = entry.to_string();
        let own = || alert.triggers.iter().filter(|trigger| trigger.version.as_deref() == Some(&version));
        let mut used = Vec::new();
        for answer in own().flat_map(|trigger| &trigger.used) {
            let words = plain_line(&format!("{}: {}", answer.path, answer_words(&answer.answer)));
            if !used.contains(&words) {
                used.push(words);
            }
        }
        let of = match rule.kind() {
            RuleKind::Threshold { of, .. } | RuleKind::Worsening { of, .. } => Some(of),
            RuleKind::Missed { .. } | RuleKind::PatientUrgent { .. } => None,
        };
        Self {
            rule: plain_line(rule.id()),
            kind: rule.kind().code(),
            revision: revision.number,
            severity: alert.severity,
            what: plain_line(what_of(own().collect(), &alert.what)),
            occurrence: plain_line(report.occurrence()),
            entry,
            used,
            compared: own().find_map(|trigger| compared_with(&trigger.compared)),
            since: report.since(),
            corrected: None,
            outdated: None,
            unsettled: report.version == Version::OneOfSeveral,
            is_part: matches!(of, Some(Target::Attribute { .. })),
            is_symptom: matches!(of, Some(Target::Attribute { .. } | Target::Grade { .. })),
            is_past: false,
        }
    }

    pub(super) fn of_row(alert: &Alert, rule: &AlertRule, revision: u64, planned_by: EntryId) -> Self {
        Self {
            rule: plain_line(rule.id()),
            kind: rule.kind().code(),
            revision,
            severity: alert.severity,
            what: plain_line(&alert.what),
            occurrence: plain_line(&alert.key.occurrence),
            entry: planned_by,
            used: Vec::new(),
            compared: None,
            since: TimestampMs(alert.at_ms),
            corrected: None,
            outdated: None,
            unsettled: false,
            is_part: false,
            is_symptom: false,
            is_past: false,
        }
    }
}

impl RaisedAlert {
    /// Whether it comes of another rule set.
    pub(super) fn is_of_another(&self, other: &Self) -> bool {
        self.revision != other.revision
    }
}

/// What an item is about: of `nausea/severity` the symptom, of a score or a question the whole.
pub(super) fn subject_of(rule: &AlertRule, about: &str) -> String {
    let of = match rule.kind() {
        RuleKind::Threshold { of, .. } | RuleKind::Worsening { of, .. } => Some(of),
        RuleKind::Missed { .. } | RuleKind::PatientUrgent { .. } => None,
    };
    match of {
        Some(Target::Attribute { .. }) => {
            about.split_once('/').map_or(about, |(symptom, _)| symptom).to_owned()
        }
        _ => about.to_owned(),
    }
}

/// A row of missed times: since when it lasts, how many make an alert, and with how many this one was raised.
/// `None` for an alert about answers.
pub(super) fn row_of(alert: &Alert) -> Option<(&str, u32, u32)> {
    alert.triggers.iter().find_map(|trigger| match &trigger.compared {
        Compared::InARow { since, limit, raised_at, .. } => Some((since.as_str(), *limit, *raised_at)),
        _ => None,
    })
}

/// What the version at hand says: of several places in it the worst.
fn what_of<'t>(own: Vec<&'t Trigger>, of_all: &'t str) -> &'t str {
    if own.iter().any(|trigger| trigger.what == of_all) {
        return of_all;
    }
    let lower_is_worse = |trigger: &&&Trigger| matches!(trigger.compared, Compared::AtMost { .. });
    let value = |trigger: &&&Trigger| trigger.value.unwrap_or_default();
    let worst = own.iter().max_by(|left, right| {
        let order = value(left).total_cmp(&value(right));
        if lower_is_worse(left) { order.reverse() } else { order }
    });
    worst.map_or(of_all, |trigger| trigger.what.as_str())
}

fn compared_with(compared: &Compared) -> Option<String> {
    match compared {
        Compared::Baseline { value, occurrence, .. } => {
            Some(plain_line(&format!("{value} at the start ({occurrence})")))
        }
        Compared::Previous { value, occurrence, .. } => {
            Some(plain_line(&format!("{value} before ({occurrence})")))
        }
        _ => None,
    }
}

/// An answer on a line: the words of a code, a text or number as it is.
fn answer_words(answer: &serde_json::Value) -> String {
    let text = |field: &str| answer.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    match answer {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(_) => {
            text("display").or_else(|| text("code")).unwrap_or_else(|| answer.to_string())
        }
        other => other.to_string(),
    }
}
