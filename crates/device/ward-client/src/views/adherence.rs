//! How many of the planned questionnaires were answered, and when.

use super::chart_forms::ChartForms;
use super::schedule::{PlannedInstrument, Planning};
use serde::Serialize;
use ward_forms::schedule::{
    AdherenceCounts, AdherenceWeek, DueList, Excuse, OccurrenceName, OccurrenceState, adherence as count,
};
use ward_id::{EntryId, TimestampMs};
use ward_sync::ChartView;

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
    /// The planned time with which that row of missed ones began.
    pub missed_since: Option<MissedSince>,
    /// After how many missed in a row the site is told, if the schedule says so.
    pub escalate_after_missed: Option<u32>,
    /// Answers whose clock showed a time that cannot be: they were counted by the nearest time that
    /// what arrived before and after allows.
    pub counted_by_bounds: Vec<EntryId>,
    /// Answers that belong to no planned time; they are counted nowhere.
    pub unplanned: Vec<EntryId>,
    /// Answers that came long before the time that they name; it is asked for all the same.
    pub before_their_time: Vec<EntryId>,
    /// Answers that are kept aside because their device was lost, or that which brought their questionnaire. What
    /// they name is neither completed nor missed until somebody says whether they count.
    pub kept_aside: Vec<EntryId>,
    /// Visits that were over, or nearly, when the participant could first know of them: not owed, and not
    /// answered.
    pub never_asked: Vec<String>,
}

/// The first of a row of missed ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissedSince {
    /// The planned time.
    pub occurrence: String,
    /// Its day, counted from 1970-01-01.
    pub day: i64,
    /// From when it counts as missed.
    pub missed_at: TimestampMs,
}

/// Counts the planned times of a chart up to `now`, as [`ward_forms::schedule`] defines it.
pub fn adherence(view: &ChartView<'_>, now: TimestampMs) -> Vec<InstrumentAdherence> {
    adherence_of(&Planning::of(view), &ChartForms::of(view), now)
}

/// The same, as a device knows what is planned.
pub fn adherence_of(
    planning: &Planning<'_>,
    forms: &ChartForms,
    now: TimestampMs,
) -> Vec<InstrumentAdherence> {
    let of_instrument = |planned: &PlannedInstrument<'_>| {
        let list = planning.due_list(planned, now, 0);
        Some(of_list(planned, forms.title(planned.url), planned.newest_entry()?, &list))
    };
    planning.instruments.iter().filter_map(of_instrument).collect()
}

fn of_list(
    planned: &PlannedInstrument<'_>,
    title: &str,
    entry: EntryId,
    list: &DueList,
) -> InstrumentAdherence {
    let counted = count(list);
    let first_missed = counted.missed_row.first().and_then(|place| list.occurrences.get(*place));
    let expected = list.occurrences.iter().filter(|one| one.is_expected());
    let answers = expected.filter_map(|one| planned.answer_of(one));
    let entries = |places: &[usize]| {
        let answers = places.iter().filter_map(|place| planned.answer(*place));
        answers.map(|answer| answer.entry).collect()
    };
    let never_asked = list.occurrences.iter().filter(|one| {
        let is_visit = !matches!(one.name, OccurrenceName::Day { .. });
        is_visit && one.state == OccurrenceState::NotOwed(Excuse::PlannedTooLate)
    });
    InstrumentAdherence {
        instrument_url: planned.url.to_owned(),
        title: title.to_owned(),
        entry,
        total: counted.total,
        weeks: counted.weeks,
        streak: counted.streak,
        missed_in_a_row: u32::try_from(counted.missed_row.len()).unwrap_or(u32::MAX),
        missed_since: first_missed.map(|one| MissedSince {
            occurrence: one.name.to_string(),
            day: one.planned_day,
            missed_at: one.closes_at,
        }),
        escalate_after_missed: planned
            .course
            .newest()
            .and_then(|schedule| schedule.reminders())
            .and_then(|rules| rules.escalate_after_missed),
        counted_by_bounds: answers.filter(|answer| answer.is_by_bounds).map(|answer| answer.entry).collect(),
        unplanned: entries(&list.unplanned),
        before_their_time: entries(&list.early),
        kept_aside: planned.kept_aside().to_vec(),
        never_asked: never_asked.map(|one| one.name.to_string()).collect(),
    }
}
