//! One rule while it runs, and what it says of the versions of one report.

use super::alert::{Alert, AlertKey, Compared, NotJudged, Trigger};
use super::history::{Answered, Content, History, Occasion, ReportVersion};
use super::kept::Kept;
use super::reading::{Measured, Reading};
use super::rule::{AlertRule, AlertSeverity, RuleKind};
use super::wording::{number, unsettled};
use crate::eortc_qlq_c30::Direction;
use crate::limits::{MAX_ALERTS, MAX_NOT_JUDGED};
use std::collections::BTreeSet;

/// What presses more is kept first: a wish to be called, then by severity, then the newest.
type AlertRank = (bool, AlertSeverity, i64);
/// What somebody has to ask about is kept first, then the newest.
type GapRank = (bool, i64);

/// What all rules found.
pub(super) struct Found {
    pub(super) alerts: Kept<AlertRank, Alert>,
    pub(super) gaps: Kept<GapRank, NotJudged>,
}

impl Found {
    pub(super) const fn new() -> Self {
        Self {
            alerts: Kept::at_most(MAX_ALERTS, |_| true),
            gaps: Kept::at_most(MAX_NOT_JUDGED, |(is_to_ask, _)| *is_to_ask),
        }
    }
}

/// One rule while it runs.
pub(super) struct Run<'r> {
    pub(super) rule: &'r AlertRule,
    pub(super) revision: &'r str,
    pub(super) history: &'r History,
    /// The units in which other rules of the set look at the same question.
    pub(super) units_elsewhere: BTreeSet<Option<&'r str>>,
    pub(super) found: &'r mut Found,
    /// Whether there was anything to look at.
    pub(super) was_asked: bool,
}

impl Run<'_> {
    fn key(&self, occasion: &Occasion, about: &str) -> AlertKey {
        AlertKey {
            participant: self.history.participant.clone(),
            instrument: occasion.instrument.clone(),
            occurrence: occasion.occurrence.clone(),
            revision: self.revision.to_owned(),
            rule: self.rule.id().to_owned(),
            about: about.to_owned(),
        }
    }

    /// Raises an alert about answers.
    pub(super) fn raise(
        &mut self,
        occasion: &Occasion,
        about: &str,
        versions: usize,
        triggers: Vec<Trigger>,
        what: String,
    ) {
        let sentence = format!("{what}, on {}{}", occasion.occurrence, unsettled(versions));
        self.push(occasion, about, versions > 1, triggers, (what, sentence));
    }

    /// Raises an alert about a row of missed times, whose words say when it began.
    pub(super) fn raise_row(&mut self, reached: &Occasion, trigger: Trigger, what: String) {
        self.push(reached, "", false, vec![trigger], (what.clone(), what));
    }

    fn push(
        &mut self,
        occasion: &Occasion,
        about: &str,
        unsettled: bool,
        triggers: Vec<Trigger>,
        (what, sentence): (String, String),
    ) {
        let (key, severity, at_ms) = (self.key(occasion, about), self.rule.severity(), occasion.at_ms);
        let rank = (matches!(self.rule.kind(), RuleKind::PatientUrgent { .. }), severity, at_ms);
        self.found.alerts.push(rank, Alert { key, severity, at_ms, unsettled, triggers, what, sentence });
    }

    pub(super) fn not_judged(&mut self, occasion: &Occasion, about: &str, gap: Gap) {
        let Gap { why, versions, is_to_ask } = gap;
        let (key, at_ms) = (self.key(occasion, about), occasion.at_ms);
        self.found.gaps.push((is_to_ask, at_ms), NotJudged { key, at_ms, versions, is_to_ask, why });
    }

    /// The versions of a report that can be read. One that can't is told.
    pub(super) fn readable<'h>(&mut self, report: &Answered<'h>) -> Vec<(&'h ReportVersion, &'h Content)> {
        let mut readable = Vec::new();
        for version in &report.versions {
            match version.content.as_deref() {
                Ok(content) => readable.push((*version, content)),
                Err(why) => {
                    self.was_asked = true;
                    let why = format!("the answers cannot be judged: {why}");
                    let gap = Gap { why, versions: vec![version.id.clone()], is_to_ask: false };
                    self.not_judged(report.occasion, "", gap);
                }
            }
        }
        readable
    }
}

/// What keeps a rule from being judged.
#[derive(Debug, Default)]
pub(super) struct Gap {
    pub(super) why: String,
    versions: Vec<String>,
    pub(super) is_to_ask: bool,
}

impl Gap {
    /// Adds what one version lacks. The first words stay, unless a later gap is one that a question
    /// settles.
    pub(super) fn note(&mut self, version: &ReportVersion, why: String, is_to_ask: bool) {
        if self.why.is_empty() || (is_to_ask && !self.is_to_ask) {
            self.why = why;
        }
        self.is_to_ask |= is_to_ask;
        if self.versions.last() != Some(&version.id) {
            self.versions.push(version.id.clone());
        }
    }
}

/// What a verdict on one reading is.
pub(super) enum Verdict {
    /// The rule fires, with this value, compared with that.
    Fires(f64, Compared),
    /// It does not.
    Silent,
    /// Nobody can say.
    Open,
}

/// What the versions of one report say about one thing.
#[derive(Default)]
pub(super) struct Judged {
    triggers: Vec<Trigger>,
    /// The sentence about the worst value, and that value.
    worst: Option<(f64, String)>,
    gap: Option<Gap>,
}

impl Judged {
    pub(super) fn note(
        &mut self,
        version: &ReportVersion,
        reading: &Reading,
        verdict: Verdict,
        worse: Direction,
        sentence: impl FnOnce(f64, &Compared) -> String,
    ) {
        match verdict {
            Verdict::Fires(value, compared) => {
                let is_worse = |known: f64| match worse {
                    Direction::HigherIsWorse => value > known,
                    Direction::LowerIsWorse => value < known,
                };
                let what = sentence(value, &compared);
                if self.worst.as_ref().is_none_or(|(known, _)| is_worse(*known)) {
                    self.worst = Some((value, what.clone()));
                }
                self.triggers.push(Trigger {
                    version: Some(version.id.clone()),
                    what,
                    value: Some(value),
                    incomplete: reading.measured.why().map(str::to_owned),
                    used: reading.used.clone(),
                    compared,
                });
            }
            Verdict::Silent => {}
            Verdict::Open => {
                let (words, is_to_ask) = (gap_words(reading), reading.measured.is_to_ask());
                self.gap.get_or_insert_default().note(version, words, is_to_ask);
            }
        }
    }

    /// One version that fires is enough; else what is missing is told.
    pub(super) fn close(self, run: &mut Run<'_>, report: &Answered<'_>, about: &str) {
        match (self.worst, self.gap) {
            (Some((_, sentence)), _) => {
                run.raise(report.occasion, about, report.versions.len(), self.triggers, sentence);
            }
            (None, Some(gap)) => run.not_judged(report.occasion, about, gap),
            (None, None) => {}
        }
    }
}

/// `nausea: grade between 1 and 3, because interference was not answered`.
fn gap_words(reading: &Reading) -> String {
    let Reading { words, unit_before, .. } = reading;
    match &reading.measured {
        Measured::Between { low, high, why } if low.is_finite() && high.is_finite() => {
            format!("{words}: {unit_before}between {} and {} ({why})", number(*low), number(*high))
        }
        Measured::Between { why, .. } | Measured::Unknown { why, .. } => format!("{words}: {why}"),
        Measured::Exactly(value) => format!("{words}: {unit_before}{}", number(*value)),
    }
}

/// `nausea: grade 3`, or `nausea: grade at least 2 (severity 4, interference not answered)`.
pub(super) fn value_words(reading: &Reading, value: f64, end: &str) -> String {
    let Reading { unit_before, .. } = reading;
    match reading.measured.why() {
        None => format!("{unit_before}{}", number(value)),
        Some(why) => format!("{unit_before}{end} {} ({why})", number(value)),
    }
}
