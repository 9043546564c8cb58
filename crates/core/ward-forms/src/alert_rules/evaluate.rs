//! Running a rule set over a history.

use super::alert::{AlertKey, Evaluation};
use super::history::History;
use super::missed_rows::missed;
use super::rule::{AlertRule, AlertRules, RuleKind, Target};
use super::run::{Found, Run};
use super::threshold::threshold;
use super::wish::wish;
use super::worsening::worsening;
use std::cmp::Ordering;
use std::collections::BTreeSet;

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
    let (mut found, mut never_asked) = (Found::new(), Vec::new());
    for rule in rules.rules() {
        let units_elsewhere = units_elsewhere(rules, rule);
        let revision = rules.revision();
        let mut run = Run { rule, revision, history, units_elsewhere, found: &mut found, was_asked: false };
        match rule.kind() {
            RuleKind::Threshold { of, limit } => threshold(&mut run, &answered, of, *limit),
            RuleKind::Worsening { of, by, since, worse } => {
                worsening(&mut run, &answered, of, (*by, *since, *worse));
            }
            RuleKind::Missed { in_a_row } => missed(&mut run, *in_a_row),
            RuleKind::PatientUrgent { link_id, answers } => wish(&mut run, &answered, link_id, answers),
        }
        if !run.was_asked {
            never_asked.push(rule.id().to_owned());
        }
    }
    let ((mut alerts, alerts_left_out), (mut not_judged, gaps_left_out)) =
        (found.alerts.finish(), found.gaps.finish());
    // The order of the rules, which the lists have lost where they were cut.
    let place = |id: &str| rules.rules().iter().position(|rule| rule.id() == id);
    alerts.sort_by(|left, right| {
        in_order((left.at_ms, &left.key), (right.at_ms, &right.key))
            .then_with(|| place(&left.key.rule).cmp(&place(&right.key.rule)))
    });
    not_judged.sort_by(|left, right| {
        in_order((left.at_ms, &left.key), (right.at_ms, &right.key))
            .then_with(|| place(&left.key.rule).cmp(&place(&right.key.rule)))
    });
    Evaluation {
        alerts,
        alerts_unnamed: alerts_left_out.all,
        not_judged,
        not_judged_unnamed: gaps_left_out.all,
        to_ask_unnamed: gaps_left_out.of_interest,
        never_asked,
    }
}

fn in_order(left: (i64, &AlertKey), right: (i64, &AlertKey)) -> Ordering {
    let by_occasion = || left.1.occurrence.cmp(&right.1.occurrence);
    left.0.cmp(&right.0).then_with(by_occasion).then_with(|| left.1.instrument.cmp(&right.1.instrument))
}

/// The units in which the other rules of a set look at the question of this one.
pub(super) fn units_elsewhere<'r>(rules: &'r AlertRules, rule: &AlertRule) -> BTreeSet<Option<&'r str>> {
    let item_of = |rule: &'r AlertRule| match rule.kind() {
        RuleKind::Threshold { of: Target::Item { link_id, unit }, .. }
        | RuleKind::Worsening { of: Target::Item { link_id, unit }, .. } => Some((link_id, unit.as_deref())),
        _ => None,
    };
    let own = rules.rules().iter().find(|one| one.id() == rule.id()).and_then(item_of);
    let Some((question, unit)) = own else { return BTreeSet::new() };
    // A rule about one questionnaire judges nothing in the others.
    let covers = |other: &&AlertRule| other.instrument().is_none() || other.instrument() == rule.instrument();
    let others = rules.rules().iter().filter(covers).filter_map(item_of);
    others.filter(|(link_id, other)| *link_id == question && *other != unit).map(|(_, other)| other).collect()
}
