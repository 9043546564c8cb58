//! When questionnaires are due, while a participant takes part.

use super::calendar::{DAY_MS, day_start, iso_day};
use super::chart_forms::ChartForms;
use super::local_day::{local_day, participant_zone};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    ChartTimes, ChartView, EntryTime, Instrument, Occurrence, ParticipationState, ResponseStatus, Written,
};

/// The days on which an instrument is due, counted from 1970-01-01: its first day, and then every
/// so many days for as long as its schedule runs.
pub fn due_days(instrument: &Instrument) -> impl Iterator<Item = i64> + use<> {
    let Instrument { first_day, every_days, days, .. } = *instrument;
    let length = if every_days == 0 { 1 } else { i64::from(days.max(1)) };
    (0..length).step_by(usize::from(every_days.max(1))).map(move |after| first_day.saturating_add(after))
}

/// The name of the planned time on a day: the date where the participant lives.
pub fn occurrence_of(day: i64) -> Occurrence {
    Occurrence::new(iso_day(day))
}

/// Where a participant stood, and since when.
#[derive(Debug, Clone, Default)]
pub struct ParticipationHistory {
    changes: Vec<(TimestampMs, ParticipationState)>,
}

impl ParticipationHistory {
    /// Reads it from a chart.
    pub fn of(view: &ChartView<'_>) -> Self {
        let mut writes: Vec<_> = view.participation().iter().flat_map(|thread| &thread.current).collect();
        writes.sort_by_key(|written| (written.value.from, written.order()));
        Self {
            changes: writes.into_iter().map(|written| (written.value.from, written.value.state)).collect(),
        }
    }

    /// The state at an instant; `None` before the first word about it.
    pub fn state_at(&self, at: TimestampMs) -> Option<ParticipationState> {
        self.changes.iter().take_while(|(from, _)| *from <= at).last().map(|(_, state)| *state)
    }

    /// Whether answers are expected on a day: not if the participant was pausing or had left or
    /// finished by its end.
    pub fn expects_answers(&self, day: i64) -> bool {
        !matches!(
            self.state_at(day_start(day).plus_ms(DAY_MS - 1)),
            Some(ParticipationState::Paused | ParticipationState::Withdrawn | ParticipationState::Completed)
        )
    }
}

/// A questionnaire that is due and not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DueInstrument {
    /// The address of the questionnaire.
    pub instrument_url: String,
    /// Its version.
    pub instrument_version: String,
    /// Its title; the address where it has none.
    pub title: String,
    /// The planned time: the occurrence that the answer must name.
    pub occurrence: String,
    /// The entry that planned it.
    pub entry: EntryId,
}

/// What is due today, where the participant lives, and not answered. A draft is not an answer.
pub fn due(view: &ChartView<'_>, now: TimestampMs) -> Vec<DueInstrument> {
    let today = local_day(participant_zone(view), now);
    if !ParticipationHistory::of(view).expects_answers(today) {
        return Vec::new();
    }
    let forms = ChartForms::of(view);
    let times = ChartTimes::of_receipts(view);
    let holds_today = assignments(view).into_iter().filter(|held| held.days.contains(&today));
    let due: BTreeMap<&str, &Written<'_, Instrument>> =
        holds_today.map(|held| (held.written.value.url.as_str(), held.written)).collect();
    due.into_values()
        .filter(|written| first_answer(view, &times, &written.value.url, today).is_none())
        .map(|written| DueInstrument {
            instrument_url: written.value.url.clone(),
            instrument_version: written.value.version.clone(),
            title: forms.title(&written.value.url).to_owned(),
            occurrence: iso_day(today),
            entry: written.id(),
        })
        .collect()
}

/// An assignment of a questionnaire with the days on which it holds.
struct Assignment<'v, 'a> {
    written: &'v Written<'a, Instrument>,
    days: BTreeSet<i64>,
}

/// All assignments, oldest first. A later assignment of the same questionnaire ends the earlier ones
/// on its first day: a schedule is changed by writing a new one, and two never add up.
fn assignments<'v, 'a>(view: &'v ChartView<'a>) -> Vec<Assignment<'v, 'a>> {
    let mut planned: Vec<_> = view.instruments().iter().flat_map(|thread| &thread.current).collect();
    planned.sort_by_key(|written| written.order());
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    let mut out = Vec::with_capacity(planned.len());
    for written in planned.into_iter().rev() {
        let end = ends.entry(written.value.url.as_str()).or_insert(i64::MAX);
        let days = due_days(written.value).take_while(|day| *day < *end).collect();
        *end = (*end).min(written.value.first_day);
        out.push(Assignment { written, days });
    }
    out.reverse();
    out
}

/// All planned days of each questionnaire, with the newest entry that planned it.
pub(super) fn planned_days<'v>(view: &'v ChartView<'_>) -> BTreeMap<&'v str, (BTreeSet<i64>, EntryId)> {
    let mut out: BTreeMap<&'v str, (BTreeSet<i64>, EntryId)> = BTreeMap::new();
    for Assignment { written, days } in assignments(view) {
        let (all, entry) =
            out.entry(written.value.url.as_str()).or_insert_with(|| (BTreeSet::new(), written.id()));
        all.extend(days);
        *entry = written.id();
    }
    out
}

/// The first answer to a planned time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FirstAnswer {
    /// The day on which it was given, where its author was.
    pub(super) day: i64,
    /// The entry.
    pub(super) entry: EntryId,
    /// Whether its author's clock showed a time that cannot be, so that the nearest bound counts.
    pub(super) by_bounds: bool,
}

/// The first answer to a planned time, by the author's clock and where the author was. A clock that
/// shows what cannot be decides nothing: then the nearest time counts that what arrived before and
/// after allows. A later correction does not make an answer late.
pub(super) fn first_answer(
    view: &ChartView<'_>,
    times: &ChartTimes<'_>,
    url: &str,
    day: i64,
) -> Option<FirstAnswer> {
    let threads = view.responses().get(&(url.to_owned(), occurrence_of(day)))?;
    // What was declared void answers nothing.
    let holding = threads.iter().filter(|thread| !thread.is_voided());
    let versions = holding.flat_map(|thread| thread.current.iter().chain(&thread.past));
    let finished = versions.filter(|written| written.value.status() != ResponseStatus::Draft);
    let answers = finished.map(|written| {
        let time = times.get(written.id());
        let at = time.map_or_else(|| written.captured_at(), EntryTime::counted_at);
        let answer = FirstAnswer {
            day: local_day(&written.entry.body().zone, at),
            entry: written.id(),
            by_bounds: time.is_some_and(EntryTime::is_outside_bounds),
        };
        (at, answer)
    });
    answers.min_by_key(|(at, answer)| (*at, answer.entry)).map(|(_, answer)| answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_begin_repeat_and_end() {
        let plan = |every_days, days| {
            let instrument = Instrument {
                url: "u".into(),
                version: "1".into(),
                questionnaire: vec![1],
                first_day: 100,
                every_days,
                days,
            };
            due_days(&instrument).collect::<Vec<_>>()
        };
        assert_eq!(plan(7, 21), [100, 107, 114]);
        assert_eq!(plan(7, 22), [100, 107, 114, 121]);
        assert_eq!(plan(1, 3), [100, 101, 102]);
        assert_eq!(plan(0, 30), [100], "once");
        assert_eq!(plan(3, 0), [100], "a schedule has at least its first day");
    }
}
