//! How many of the planned questionnaires were answered, and when.

use super::chart_forms::ChartForms;
use super::local_day::{local_day, participant_zone};
use super::schedule::{ParticipationHistory, first_answered_day, planned_days};
use serde::Serialize;
use ward_id::{EntryId, TimestampMs};
use ward_sync::ChartView;

/// Days of a week.
const WEEK_DAYS: i64 = 7;

/// Planned times counted. `expected = completed + missed`; late ones are among the completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AdherenceCounts {
    /// Planned times whose day is over, or that were answered already.
    pub expected: u32,
    /// Answered.
    pub completed: u32,
    /// Answered after their day was over, where the participant was.
    pub late: u32,
    /// Not answered.
    pub missed: u32,
}

impl AdherenceCounts {
    fn add(&mut self, planned: &Planned) {
        self.expected += 1;
        match planned.answer {
            PlannedAnswer::InTime => self.completed += 1,
            PlannedAnswer::Late => {
                self.completed += 1;
                self.late += 1;
            }
            PlannedAnswer::Missed => self.missed += 1,
        }
    }
}

/// One week of a questionnaire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AdherenceWeek {
    /// Weeks since the first planned day, from 0.
    pub week: i64,
    /// The counts.
    pub counts: AdherenceCounts,
}

/// One questionnaire of a chart, over all its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstrumentAdherence {
    /// The address of the questionnaire.
    pub instrument_url: String,
    /// Its title; the address where it has none.
    pub title: String,
    /// The newest entry that planned it.
    pub entry: EntryId,
    /// All weeks together.
    pub total: AdherenceCounts,
    /// Week by week; weeks in which nothing was expected are left out.
    pub weeks: Vec<AdherenceWeek>,
    /// Planned times answered in a row up to now, in time or late.
    pub streak: u32,
    /// Planned times missed in a row up to now.
    pub missed_in_a_row: u32,
    /// The day on which that row of missed ones began, counted from 1970-01-01.
    pub missed_since_day: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlannedAnswer {
    InTime,
    Late,
    Missed,
}

#[derive(Debug, Clone, Copy)]
struct Planned {
    day: i64,
    answer: PlannedAnswer,
}

/// Counts the planned times of a chart up to `now`. Days on which the participant was pausing, or
/// after leaving or finishing, are not expected.
pub fn adherence(view: &ChartView<'_>, now: TimestampMs) -> Vec<InstrumentAdherence> {
    let forms = ChartForms::of(view);
    let history = ParticipationHistory::of(view);
    let today = local_day(participant_zone(view), now);
    let of_instrument = |(url, (days, entry)): (&str, (_, EntryId))| {
        let days: std::collections::BTreeSet<i64> = days;
        let first_day = days.first().copied().unwrap_or_default();
        let expected: Vec<Planned> = days
            .into_iter()
            .filter(|day| history.expects_answers(*day))
            .filter_map(|day| planned(view, url, day, today))
            .collect();
        let (mut total, mut weeks) = (AdherenceCounts::default(), Vec::<AdherenceWeek>::new());
        for planned in &expected {
            total.add(planned);
            let week = planned.day.saturating_sub(first_day) / WEEK_DAYS;
            if weeks.last().is_none_or(|last| last.week != week) {
                weeks.push(AdherenceWeek { week, counts: AdherenceCounts::default() });
            }
            if let Some(last) = weeks.last_mut() {
                last.counts.add(planned);
            }
        }
        let missed = |planned: &&Planned| planned.answer == PlannedAnswer::Missed;
        let missed_row: Vec<&Planned> = expected.iter().rev().take_while(missed).collect();
        let streak = expected.iter().rev().take_while(|planned| !missed(planned)).count();
        InstrumentAdherence {
            instrument_url: url.to_owned(),
            title: forms.title(url).to_owned(),
            entry,
            total,
            weeks,
            streak: u32::try_from(streak).unwrap_or(u32::MAX),
            missed_in_a_row: u32::try_from(missed_row.len()).unwrap_or(u32::MAX),
            missed_since_day: missed_row.last().map(|planned| planned.day),
        }
    };
    planned_days(view).into_iter().map(of_instrument).collect()
}

/// A planned time that counts: its day is over, or it was answered.
fn planned(view: &ChartView<'_>, url: &str, day: i64, today: i64) -> Option<Planned> {
    let answer = match first_answered_day(view, url, day) {
        Some(answered) if answered > day => PlannedAnswer::Late,
        Some(_) => PlannedAnswer::InTime,
        None if today > day => PlannedAnswer::Missed,
        None => return None,
    };
    Some(Planned { day, answer })
}
