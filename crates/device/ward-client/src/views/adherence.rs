//! How many of the planned questionnaires were answered, and when.

use super::chart_forms::ChartForms;
use super::local_day::{local_day, participant_zone};
use super::schedule::{ParticipationHistory, first_answer, planned_days};
use serde::Serialize;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartTimes, ChartView};

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
    /// Answers whose clock showed a time that cannot be: they were counted by the nearest time that
    /// what arrived before and after allows.
    pub counted_by_bounds: Vec<EntryId>,
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
    by_bounds: Option<EntryId>,
}

/// Counts the planned times of a chart up to `now`. Days on which the participant was pausing, or
/// after leaving or finishing, are not expected.
pub fn adherence(view: &ChartView<'_>, now: TimestampMs) -> Vec<InstrumentAdherence> {
    let forms = ChartForms::of(view);
    let history = ParticipationHistory::of(view);
    let today = local_day(participant_zone(view), now);
    let times = ChartTimes::of_receipts(view);
    let of_instrument = |(url, (days, entry)): (&str, (_, EntryId))| {
        let days: std::collections::BTreeSet<i64> = days;
        let first_day = days.first().copied().unwrap_or_default();
        let expected: Vec<Planned> = days
            .into_iter()
            .filter(|day| history.expects_answers(*day))
            .filter_map(|day| planned(view, &times, url, day, today))
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
            counted_by_bounds: expected.iter().filter_map(|planned| planned.by_bounds).collect(),
        }
    };
    planned_days(view).into_iter().map(of_instrument).collect()
}

/// A planned time that was missed.
pub(super) struct MissedTime {
    /// The address of the questionnaire.
    pub(super) instrument_url: String,
    /// The day for which it was planned.
    pub(super) day: i64,
    /// The newest entry that planned it.
    pub(super) planned_by: EntryId,
}

/// Every planned time up to `now` that was expected and not answered.
pub(super) fn missed_times(view: &ChartView<'_>, now: TimestampMs) -> Vec<MissedTime> {
    let history = ParticipationHistory::of(view);
    let today = local_day(participant_zone(view), now);
    let times = ChartTimes::of_receipts(view);
    let mut out = Vec::new();
    for (url, (days, planned_by)) in planned_days(view) {
        let expected = days.into_iter().take_while(|day| *day < today);
        for day in expected.filter(|day| history.expects_answers(*day)) {
            let is_missed = |one: &Planned| one.answer == PlannedAnswer::Missed;
            if planned(view, &times, url, day, today).as_ref().is_some_and(is_missed) {
                out.push(MissedTime { instrument_url: url.to_owned(), day, planned_by });
            }
        }
    }
    out
}

/// A planned time that counts: its day is over, or it was answered.
fn planned(view: &ChartView<'_>, times: &ChartTimes<'_>, url: &str, day: i64, today: i64) -> Option<Planned> {
    let first = first_answer(view, times, url, day);
    let answer = match first.map(|first| first.day) {
        Some(answered) if answered > day => PlannedAnswer::Late,
        Some(_) => PlannedAnswer::InTime,
        None if today > day => PlannedAnswer::Missed,
        None => return None,
    };
    let by_bounds = first.filter(|first| first.by_bounds).map(|first| first.entry);
    Some(Planned { day, answer, by_bounds })
}
