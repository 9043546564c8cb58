//! How many alerts a rule set would have raised over past data, and how many were acted upon.

use super::acknowledgement::Acknowledgement;
use super::alert::{AlertKey, Evaluation};
use super::evaluate::evaluate;
use super::history::History;
use super::rule::{AlertRules, AlertSeverity, RuleKind};
use crate::date_time::date_from_days;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const DAY_MS: i64 = 86_400_000;
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: three days after a Monday.
const DAYS_FROM_MONDAY: i64 = 3;

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// The part.
    pub part: usize,
    /// The whole.
    pub whole: usize,
}

impl Share {
    /// The part of the whole, 0 to 1; `None` of nothing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn ratio(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

/// What one rule would have raised.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuleLoad {
    /// The rule.
    pub rule: String,
    /// Its kind.
    pub kind: &'static str,
    /// How much its alerts press.
    pub severity: AlertSeverity,
    /// Alerts of each week, in the order of [`Simulation::weeks`].
    pub per_week: Vec<usize>,
    /// Alerts in all.
    pub alerts: usize,
    /// Alerts a week, over all weeks from the first to the last.
    pub mean_per_week: Option<f64>,
    /// Participants with an alert.
    pub participants: usize,
    /// Surveys with an alert; 0 for missed ones, which are no surveys.
    pub surveys: usize,
    /// Alerts that somebody acted upon.
    pub acted_upon: Share,
    /// Reports on which it could not be judged.
    pub not_judged: usize,
    /// Participants in whose history there was nothing to look at.
    pub never_asked: usize,
}

/// What a rule set would have raised over past data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Simulation {
    /// Participants.
    pub participants: usize,
    /// The weeks in which something was reported or missed, each by its Monday (UTC).
    pub weeks: Vec<String>,
    /// Weeks from the first to the last, those without any report among them.
    pub weeks_observed: usize,
    /// The rules, in the order of the set.
    pub rules: Vec<RuleLoad>,
    /// Surveys with at least one alert, of all surveys. A survey is an answered planned time.
    pub surveys_with_alert: Share,
    /// Alerts that somebody acted upon, of all alerts.
    pub acted_upon: Share,
    /// Acknowledgements that name no alert of these rules.
    pub unmatched_acknowledgements: usize,
}

/// Replays histories under a rule set.
///
/// An alert was acted upon if at least one acknowledgement names it. The share of surveys with an
/// alert counts each survey once, however many rules fire on it; missed ones are no surveys.
#[must_use]
pub fn simulate(
    rules: &AlertRules,
    histories: &[History],
    acknowledgements: &[Acknowledgement],
) -> Simulation {
    let found: Vec<Evaluation> = histories.iter().map(|history| evaluate(rules, history)).collect();
    let weeks: BTreeSet<i64> = histories.iter().flat_map(occasions_at).map(week_of).collect();
    let observed = match (weeks.first(), weeks.last()) {
        (Some(first), Some(last)) => usize::try_from(last - first + 1).unwrap_or(usize::MAX),
        _ => 0,
    };
    let acted: BTreeSet<&AlertKey> = acknowledgements.iter().map(Acknowledgement::alert).collect();
    let raised: BTreeSet<&AlertKey> =
        found.iter().flat_map(|one| &one.alerts).map(|alert| &alert.key).collect();
    let is_missed_rule: BTreeMap<&str, bool> = rules
        .rules()
        .iter()
        .map(|rule| (rule.id(), matches!(rule.kind(), RuleKind::Missed { .. })))
        .collect();
    let on_surveys = raised.iter().filter(|key| is_missed_rule.get(key.rule.as_str()) == Some(&false));
    let with_alert: BTreeSet<_> = on_surveys.map(|key| survey(key)).collect();
    Simulation {
        participants: histories.len(),
        weeks: weeks.iter().map(|week| monday(*week)).collect(),
        weeks_observed: observed,
        rules: rules
            .rules()
            .iter()
            .map(|rule| load(rule.id(), rules, &found, &weeks, observed, &acted))
            .collect(),
        surveys_with_alert: Share {
            part: with_alert.len(),
            whole: histories.iter().map(|history| history.answered().len()).sum(),
        },
        acted_upon: Share { part: raised.intersection(&acted).count(), whole: raised.len() },
        unmatched_acknowledgements: acknowledgements
            .iter()
            .filter(|one| !raised.contains(one.alert()))
            .count(),
    }
}

fn load(
    id: &str,
    rules: &AlertRules,
    found: &[Evaluation],
    weeks: &BTreeSet<i64>,
    observed: usize,
    acted: &BTreeSet<&AlertKey>,
) -> RuleLoad {
    let rule = rules.rules().iter().find(|rule| rule.id() == id);
    let alerts: Vec<_> =
        found.iter().flat_map(|one| &one.alerts).filter(|alert| alert.key.rule == id).collect();
    let mut counts: BTreeMap<i64, usize> = weeks.iter().map(|week| (*week, 0)).collect();
    for alert in &alerts {
        *counts.entry(week_of(alert.at_ms)).or_default() += 1;
    }
    let is_missed = rule.is_some_and(|rule| matches!(rule.kind(), RuleKind::Missed { .. }));
    let surveys: BTreeSet<_> = alerts.iter().map(|alert| survey(&alert.key)).collect();
    let participants: BTreeSet<&str> = alerts.iter().map(|alert| alert.key.participant.as_str()).collect();
    let gaps = found.iter().flat_map(|one| &one.not_judged).filter(|gap| gap.key.rule == id);
    RuleLoad {
        rule: id.to_owned(),
        kind: rule.map_or("", |rule| rule.kind().code()),
        severity: rule.map_or(AlertSeverity::Notice, super::AlertRule::severity),
        per_week: counts.into_values().collect(),
        alerts: alerts.len(),
        mean_per_week: Share { part: alerts.len(), whole: observed }.ratio(),
        participants: participants.len(),
        surveys: if is_missed { 0 } else { surveys.len() },
        acted_upon: Share {
            part: alerts.iter().filter(|alert| acted.contains(&alert.key)).count(),
            whole: alerts.len(),
        },
        not_judged: gaps.map(|gap| survey(&gap.key)).collect::<BTreeSet<_>>().len(),
        never_asked: found.iter().filter(|one| one.never_asked.iter().any(|rule| rule == id)).count(),
    }
}

/// Which survey an alert is about.
fn survey(key: &AlertKey) -> (&str, &str, &str) {
    (&key.participant, &key.instrument, &key.occurrence)
}

fn occasions_at(history: &History) -> impl Iterator<Item = i64> {
    let reported = history.answered().into_iter().map(|report| report.occasion.at_ms);
    reported.chain(history.missed.iter().map(|occasion| occasion.at_ms))
}

/// Weeks since the one of 1970-01-01; a week begins on Monday.
fn week_of(at_ms: i64) -> i64 {
    (at_ms.div_euclid(DAY_MS) + DAYS_FROM_MONDAY).div_euclid(WEEK_DAYS)
}

/// The Monday of a week, `2026-03-02`.
fn monday(week: i64) -> String {
    let (year, month, day) = date_from_days(week * WEEK_DAYS - DAYS_FROM_MONDAY);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        let day = |day: i64| monday(week_of(day * DAY_MS));
        assert_eq!(day(0), "1969-12-29");
        assert_eq!(day(3), "1969-12-29");
        assert_eq!(day(4), "1970-01-05");
        // 2026-03-01 is a Sunday, 20,513 days after 1970-01-01.
        assert_eq!((day(20_513), day(20_514)), ("2026-02-23".to_owned(), "2026-03-02".to_owned()));
        assert_eq!(week_of(-1), week_of(0));
    }

    #[test]
    fn the_end_of_time_is_a_week_too() {
        for at_ms in [i64::MIN, i64::MAX] {
            assert!(!monday(week_of(at_ms)).is_empty());
        }
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        assert_eq!(Share::default().ratio(), None);
        assert_eq!(Share { part: 1, whole: 4 }.ratio(), Some(0.25));
    }
}
