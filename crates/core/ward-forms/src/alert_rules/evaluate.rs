//! Running a rule set over a history.

use super::alert::{Alert, AlertKey, Compared, Evaluation, NotJudged, Trigger};
use super::history::{Answered, Content, History, Occasion, ReportVersion};
use super::missed_rows::missed;
use super::reading::{ItemReading, Measured, Reading, readings};
use super::rule::{AlertRule, AlertRules, RuleKind, Target, Threshold};
use super::wording::{number, unsettled};
use super::worsening::worsening;
use crate::answer_value::AnswerValue;
use crate::eortc_qlq_c30::Direction;
use crate::limits::MAX_NOT_JUDGED;
use crate::score::UsedAnswer;
use std::collections::BTreeMap;

/// The linkId of the question with which a participant asks to be called.
pub(super) const CALL_ME_LINK_ID: &str = "call-me";

/// Scores are fractions that a machine rounds. A difference this small between a value and its limit
/// is rounding, and is read in favour of the alert.
pub(super) const ROUNDING: f64 = 1e-9;

/// Runs every rule on every report of a history.
///
/// ```
/// use ward_forms::alert_rules::{AlertRules, History, Occasion, evaluate};
///
/// let rules = AlertRules::parse(br#"{"format": "ward/alert-rules", "version": 1, "name": "n", "revision": "1",
///     "rules": [{"id": "silent", "kind": "missed", "severity": "notice", "inARow": 2}]}"#)?;
/// let day = |at_ms: i64, occurrence: &str| Occasion {
///     planned_at_ms: at_ms, at_ms, occurrence: occurrence.into(), instrument: "https://example.org/diary".into(), title: "Diary".into() };
/// let missed = vec![day(1, "2026-03-01"), day(2, "2026-03-02")];
/// let history = History { participant: "p".into(), reports: vec![], missed };
/// let found = evaluate(&rules, &history);
/// assert_eq!(found.alerts[0].sentence, "“Diary” missed 2 times in a row, since 2026-03-01");
/// # Ok::<(), ward_forms::StrictJsonError>(())
/// ```
#[must_use]
pub fn evaluate(rules: &AlertRules, history: &History) -> Evaluation {
    let answered = history.answered();
    let mut found = Evaluation::default();
    for rule in rules.rules() {
        let revision = rules.revision();
        let mut run = Run { rule, revision, history, found: &mut found, was_asked: false };
        match rule.kind() {
            RuleKind::Threshold { of, limit } => threshold(&mut run, &answered, of, *limit),
            RuleKind::Worsening { of, by, since, worse } => {
                worsening(&mut run, &answered, of, (*by, *since, *worse));
            }
            RuleKind::Missed { in_a_row } => missed(&mut run, &answered, *in_a_row),
            RuleKind::PatientUrgent { link_id, answers } => urgent(&mut run, &answered, link_id, answers),
        }
        if !run.was_asked {
            found.never_asked.push(rule.id().to_owned());
        }
    }
    // A stable sort: what is equal keeps the order of the rules.
    let order = |at_ms: i64, key: &AlertKey| (at_ms, key.occurrence.clone(), key.instrument.clone());
    found.alerts.sort_by_key(|alert| order(alert.at_ms, &alert.key));
    found.not_judged.sort_by_key(|gap| order(gap.at_ms, &gap.key));
    found
}

/// One rule while it runs.
pub(super) struct Run<'r> {
    pub(super) rule: &'r AlertRule,
    revision: &'r str,
    pub(super) history: &'r History,
    found: &'r mut Evaluation,
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
        self.found.alerts.push(Alert { key, severity, at_ms, unsettled, triggers, what, sentence });
    }

    pub(super) fn not_judged(&mut self, occasion: &Occasion, about: &str, gap: Gap) {
        if self.found.not_judged.len() >= MAX_NOT_JUDGED {
            self.found.not_judged_unnamed += 1;
            return;
        }
        let Gap { why, versions, is_partly_known } = gap;
        let (key, at_ms) = (self.key(occasion, about), occasion.at_ms);
        self.found.not_judged.push(NotJudged { key, at_ms, versions, is_partly_known, why });
    }

    /// The versions of a report that can be read. One that can't is told.
    pub(super) fn readable<'h>(&mut self, report: &Answered<'h>) -> Vec<(&'h ReportVersion, &'h Content)> {
        let mut readable = Vec::new();
        for version in &report.versions {
            match &version.content {
                Ok(content) => readable.push((*version, content)),
                Err(why) => {
                    self.was_asked = true;
                    let why = format!("the answers cannot be judged: {why}");
                    let gap = Gap { why, versions: vec![version.id.clone()], is_partly_known: false };
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
    why: String,
    versions: Vec<String>,
    is_partly_known: bool,
}

impl Gap {
    /// Adds what one version lacks. The first words stay, unless a later gap is one that a question
    /// settles.
    fn note(&mut self, version: &ReportVersion, why: String, is_partly_known: bool) {
        if self.why.is_empty() || (is_partly_known && !self.is_partly_known) {
            self.why = why;
        }
        self.is_partly_known |= is_partly_known;
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
                if self.worst.as_ref().is_none_or(|(known, _)| is_worse(*known)) {
                    self.worst = Some((value, sentence(value, &compared)));
                }
                self.triggers.push(Trigger {
                    version: Some(version.id.clone()),
                    value: Some(value),
                    incomplete: reading.measured.why().map(str::to_owned),
                    used: reading.used.clone(),
                    compared,
                });
            }
            Verdict::Silent => {}
            Verdict::Open => {
                let is_partly_known = matches!(reading.measured, Measured::Between { .. });
                self.gap.get_or_insert_default().note(version, gap_words(reading), is_partly_known);
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
        Measured::Between { low, high, why } => {
            format!("{words}: {unit_before}between {} and {} ({why})", number(*low), number(*high))
        }
        Measured::Unknown { why } => format!("{words}: {why}"),
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

fn threshold(run: &mut Run<'_>, answered: &[Answered<'_>], of: &Target, limit: Threshold) {
    for report in answered.iter().filter(|report| run.rule.is_about(&report.occasion.instrument)) {
        let mut about: BTreeMap<String, Judged> = BTreeMap::new();
        for (version, content) in run.readable(report) {
            for reading in readings(of, content) {
                run.was_asked = true;
                let (end, worse) = match limit {
                    Threshold::AtLeast(_) => ("at least", Direction::HigherIsWorse),
                    Threshold::AtMost(_) => ("at most", Direction::LowerIsWorse),
                };
                let sentence = |value: f64, _: &Compared| {
                    format!("{}: {}", reading.words, value_words(&reading, value, end))
                };
                let verdict = reached(&reading.measured, limit);
                let judged = about.entry(reading.about.clone()).or_default();
                judged.note(version, &reading, verdict, worse, sentence);
            }
        }
        about.into_iter().for_each(|(about, judged)| judged.close(run, report, &about));
    }
}

fn reached(measured: &Measured, limit: Threshold) -> Verdict {
    let Some((low, high)) = measured.bounds() else { return Verdict::Open };
    match limit {
        Threshold::AtLeast(limit) if low >= limit - ROUNDING => {
            Verdict::Fires(low, Compared::AtLeast { limit })
        }
        Threshold::AtLeast(limit) if high < limit - ROUNDING => Verdict::Silent,
        Threshold::AtMost(limit) if high <= limit + ROUNDING => {
            Verdict::Fires(high, Compared::AtMost { limit })
        }
        Threshold::AtMost(limit) if low > limit + ROUNDING => Verdict::Silent,
        Threshold::AtLeast(_) | Threshold::AtMost(_) => Verdict::Open,
    }
}

fn urgent(run: &mut Run<'_>, answered: &[Answered<'_>], link_id: &str, answers: &[String]) {
    for report in answered.iter().filter(|report| run.rule.is_about(&report.occasion.instrument)) {
        let (mut triggers, mut what, mut gap) = (Vec::new(), None, None::<Gap>);
        for version in &report.versions {
            let items = version.content.as_ref().map_or(&version.bare, |content| &content.items);
            if let Err(why) = &version.content {
                run.was_asked = true;
                let why = format!("the answers cannot be judged: {why}");
                gap.get_or_insert_default().note(version, why, false);
            }
            for item in items.iter().filter(|item| item.link_id() == link_id) {
                run.was_asked = true;
                let Wishes { yes, not_known } = wishes(item, answers);
                if let Some(why) = not_known {
                    gap.get_or_insert_default().note(version, format!("{}: {why}", item.words()), true);
                }
                if yes.is_empty() {
                    continue;
                }
                what.get_or_insert_with(|| urgent_words(&item.words(), link_id));
                triggers.push(Trigger {
                    version: Some(version.id.clone()),
                    value: None,
                    incomplete: None,
                    used: yes,
                    compared: Compared::Wish,
                });
            }
        }
        match (what, gap) {
            (Some(what), _) => run.raise(report.occasion, link_id, report.versions.len(), triggers, what),
            (None, Some(gap)) => {
                let about = if gap.is_partly_known { link_id } else { "" };
                run.not_judged(report.occasion, about, gap);
            }
            (None, None) => {}
        }
    }
}

/// What the answers to a question say about a wish.
struct Wishes {
    /// Those that mean yes.
    yes: Vec<UsedAnswer>,
    /// Why one of the others may mean yes too.
    not_known: Option<&'static str>,
}

/// Yes is `true`, or a code that the rule names. A code where the rule names none, and words of one's
/// own, may mean anything: somebody must read them.
fn wishes(item: &ItemReading, answers: &[String]) -> Wishes {
    let mut out = Wishes { yes: Vec::new(), not_known: None };
    for (value, _) in &item.values {
        let is_yes = match value {
            AnswerValue::Boolean(yes) => Ok(*yes),
            AnswerValue::Coding(coding) => match &coding.code {
                Some(_) if answers.is_empty() => Err("the rule does not say which answers mean yes"),
                Some(code) => Ok(answers.contains(code)),
                None => Err("answered in words of their own"),
            },
            AnswerValue::String(text) if text.trim().is_empty() => Ok(false),
            AnswerValue::String(_) => Err("answered in words of their own"),
            _ => Err("the answer is neither yes nor no"),
        };
        match is_yes {
            Ok(true) => out.yes.push(UsedAnswer {
                path: item.path.clone(),
                answer: value.write().1,
                counted_as: 1.into(),
            }),
            Ok(false) => {}
            Err(why) => out.not_known = Some(why),
        }
    }
    out
}

fn urgent_words(question: &str, link_id: &str) -> String {
    if link_id == CALL_ME_LINK_ID {
        "asks to be called".to_owned()
    } else {
        format!("says that it is urgent ({question})")
    }
}
