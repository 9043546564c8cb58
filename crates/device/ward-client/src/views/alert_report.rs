//! How alerts were met: how many a week, how many somebody acknowledged and acted upon, and how soon.

use super::calendar::{DAY_MS, iso_day};
use super::work_item::WorkItem;
use serde::Serialize;
use std::collections::BTreeMap;
use ward_id::TimestampMs;

/// How an acknowledgement begins that says that nothing had to be done.
const NO_ACTION: &str = "no action: ";

const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: three days after a Monday.
const DAYS_FROM_MONDAY: i64 = 3;

/// What an acknowledgement says where nothing had to be done. It counts as acknowledged, not as acted
/// upon.
pub fn no_action(why: &str) -> String {
    format!("{NO_ACTION}{}", why.trim())
}

/// One week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertWeek {
    /// Its Monday (UTC).
    pub monday: String,
    /// Alerts that became known in it.
    pub alerts: usize,
    /// Those of them that somebody acknowledged.
    pub acknowledged: usize,
    /// Those of them that somebody acted upon.
    pub acted_upon: usize,
}

/// One rule of one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// The rule.
    pub rule: String,
    /// The revision; 0 for the built-in rules.
    pub revision: u64,
    /// Its alerts.
    pub alerts: usize,
    /// Those of them that somebody acknowledged.
    pub acknowledged: usize,
    /// Those of them that somebody acted upon.
    pub acted_upon: usize,
}

/// All of it. An alert is one rule on one report and one matter, or on one row of missed times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertReport {
    /// Alerts.
    pub alerts: usize,
    /// Those of them that somebody acknowledged.
    pub acknowledged: usize,
    /// Those of them that somebody acted upon.
    pub acted_upon: usize,
    /// How long after it became known the middle one of those acknowledged was.
    pub median_ms_to_acknowledgement: Option<i64>,
    /// Week by week; weeks without an alert are left out.
    pub weeks: Vec<AlertWeek>,
    /// Rule by rule.
    pub rules: Vec<RuleReport>,
}

/// How one alert was met.
#[derive(Clone, Copy)]
struct Met {
    acknowledged: bool,
    acted_upon: bool,
}

#[derive(Default)]
struct Count {
    alerts: usize,
    acknowledged: usize,
    acted_upon: usize,
}

impl Count {
    fn add(&mut self, met: Met) {
        self.alerts += 1;
        self.acknowledged += usize::from(met.acknowledged);
        self.acted_upon += usize::from(met.acted_upon);
    }
}

/// Counts the alerts of a worklist with all its acknowledged items.
pub fn alert_report(items: &[WorkItem]) -> AlertReport {
    let (mut all, mut waits) = (Count::default(), Vec::new());
    let mut weeks: BTreeMap<i64, Count> = BTreeMap::new();
    let mut rules: BTreeMap<(u64, &str), Count> = BTreeMap::new();
    // What waits for adoption is nobody's to acknowledge yet.
    for item in items.iter().filter(|item| item.closable) {
        let done = item.acknowledged.as_ref();
        let met = Met {
            acknowledged: done.is_some(),
            acted_upon: done.is_some_and(|done| !done.action.starts_with(NO_ACTION)),
        };
        for alert in &item.alerts {
            all.add(met);
            weeks.entry(week_of(alert.since)).or_default().add(met);
            rules.entry((alert.revision, &alert.rule)).or_default().add(met);
            // A clock that runs behind is no acknowledgement before the alert.
            waits.extend(done.map(|done| done.at.since_ms(alert.since).max(0)));
        }
    }
    waits.sort_unstable();
    AlertReport {
        alerts: all.alerts,
        acknowledged: all.acknowledged,
        acted_upon: all.acted_upon,
        median_ms_to_acknowledgement: median(&waits),
        weeks: weeks.into_iter().map(|(week, count)| row_of_week(week, &count)).collect(),
        rules: rules
            .into_iter()
            .map(|((revision, rule), count)| RuleReport {
                rule: rule.to_owned(),
                revision,
                alerts: count.alerts,
                acknowledged: count.acknowledged,
                acted_upon: count.acted_upon,
            })
            .collect(),
    }
}

/// The middle one; of two middle ones the longer.
fn median(sorted: &[i64]) -> Option<i64> {
    sorted.get(sorted.len() / 2).copied()
}

fn week_of(at: TimestampMs) -> i64 {
    (at.0.div_euclid(DAY_MS) + DAYS_FROM_MONDAY).div_euclid(WEEK_DAYS)
}

fn row_of_week(week: i64, count: &Count) -> AlertWeek {
    AlertWeek {
        monday: iso_day(week * WEEK_DAYS - DAYS_FROM_MONDAY),
        alerts: count.alerts,
        acknowledged: count.acknowledged,
        acted_upon: count.acted_upon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_the_median_is_the_middle_one() {
        let monday = |day: i64| row_of_week(week_of(TimestampMs(day * DAY_MS)), &Count::default()).monday;
        // 2026-03-01 is a Sunday, 20,513 days after 1970-01-01.
        assert_eq!((monday(20_513), monday(20_514)), ("2026-02-23".to_owned(), "2026-03-02".to_owned()));
        assert_eq!(
            (median(&[]), median(&[5]), median(&[1, 9]), median(&[1, 2, 9])),
            (None, Some(5), Some(9), Some(2))
        );
    }

    #[test]
    fn nothing_is_counted_of_items_that_no_rule_raised() {
        let report = alert_report(&[]);
        assert_eq!((report.alerts, report.median_ms_to_acknowledgement), (0, None));
    }
}
