//! What is planned for a participant, and where each planned time stands.

use super::calendar::iso_day;
use super::chart_forms::ChartForms;
use super::local_day::participant_calendar;
use serde::Serialize;
use std::collections::BTreeMap;
use ward_forms::schedule::{
    Course, DueList, EndReason, Given, LocalCalendar, Occurrence as PlannedTime, OccurrenceState,
    Participation, Reminded, ReminderPlan, Schedule, ScheduleError, Situation, Standing, plan_reminders,
};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    ChartTimes, ChartView, EntryTime, Instrument, InstrumentSchedule, Occurrence, ParticipationState,
    ResponseStatus, Written,
};

/// The name of the planned time on a day: the date where the participant lives.
pub fn occurrence_of(day: i64) -> Occurrence {
    Occurrence::new(iso_day(day))
}

/// The schedule that an instrument brings.
///
/// # Errors
/// [`ScheduleError`]: a newer app wrote it, or the app that wrote it is at fault.
pub fn schedule_of(instrument: &Instrument) -> Result<Schedule, ScheduleError> {
    match &instrument.schedule {
        InstrumentSchedule::EveryDays { first_day, every_days, days } => {
            Schedule::every_days(*first_day, *every_days, *days).valid()
        }
        InstrumentSchedule::Planned(bytes) => Schedule::from_bytes(bytes),
    }
}

/// Where a participant stood over time.
pub(super) fn participation_of(view: &ChartView<'_>) -> Participation {
    let mut writes: Vec<_> = view.participation().iter().flat_map(|thread| &thread.current).collect();
    writes.sort_by_key(|written| (written.value.from, written.order()));
    Participation::new(writes.into_iter().map(|written| {
        let standing = match written.value.state {
            ParticipationState::Screened | ParticipationState::Active => Standing::Active,
            ParticipationState::Paused => Standing::Paused,
            ParticipationState::Withdrawn => Standing::Ended(EndReason::Withdrawn),
            ParticipationState::Completed => Standing::Ended(EndReason::Completed),
        };
        (written.value.from, standing)
    }))
}

/// One questionnaire of a chart, over all its versions and schedules.
pub struct PlannedInstrument<'v> {
    /// The address of the questionnaire.
    pub url: &'v str,
    /// Its schedules.
    pub course: Course,
    /// The instruments that brought them: one for each revision of the course.
    revisions: Vec<(EntryId, &'v Instrument)>,
    given: Vec<Given>,
    /// The entries of the answers, and whether their clocks showed a time that cannot be.
    answers: Vec<(EntryId, bool)>,
}

impl PlannedInstrument<'_> {
    /// The entry that planned a time.
    pub fn entry_of(&self, planned: &PlannedTime) -> Option<EntryId> {
        self.revisions.get(planned.revision).map(|(entry, _)| *entry)
    }

    /// The newest entry with a schedule of it.
    pub fn newest_entry(&self) -> Option<EntryId> {
        self.revisions.last().map(|(entry, _)| *entry)
    }

    /// The newest instrument with a schedule of it.
    pub fn newest_instrument(&self) -> Option<&Instrument> {
        self.revisions.last().map(|(_, instrument)| *instrument)
    }

    /// The answer to a planned time, and whether it was counted by the nearest time that what arrived
    /// before and after allows.
    pub(super) fn answer_of(&self, planned: &PlannedTime) -> Option<(EntryId, bool)> {
        planned.state.answer().and_then(|place| self.answers.get(place)).copied()
    }
}

/// What is planned for the participant of a chart.
pub struct Planning<'v> {
    /// The questionnaires, by address.
    pub instruments: Vec<PlannedInstrument<'v>>,
    /// Schedules that cannot be followed, with why. What was planned before goes on.
    pub unreadable: Vec<(EntryId, ScheduleError)>,
    calendar: LocalCalendar,
    participation: Participation,
}

/// Where a device is.
#[derive(Debug, Clone, Copy)]
pub struct Here<'z> {
    /// The zone (IANA) that it shows.
    pub zone: &'z str,
    /// Since when, at the latest.
    pub since: TimestampMs,
}

impl<'v> Planning<'v> {
    /// Reads it from a chart.
    pub fn of(view: &'v ChartView<'_>) -> Self {
        Self::seen_from(view, None)
    }

    /// Reads it from a chart on the participant's own device, whose zone is newer than any answer.
    pub fn seen_from(view: &'v ChartView<'_>, here: Option<Here<'_>>) -> Self {
        let times = ChartTimes::of_receipts(view);
        let mut unreadable = Vec::new();
        let mut schedules: BTreeMap<&str, Vec<(EntryId, &Instrument, Schedule)>> = BTreeMap::new();
        let mut written: Vec<&Written<'_, Instrument>> =
            view.instruments().iter().flat_map(|thread| &thread.current).collect();
        written.sort_by_key(|written| written.order());
        for written in written {
            match schedule_of(written.value) {
                Ok(schedule) => schedules.entry(written.value.url.as_str()).or_default().push((
                    written.id(),
                    written.value,
                    schedule,
                )),
                Err(error) => unreadable.push((written.id(), error)),
            }
        }
        let mut answers = first_answers(view, &times);
        let planned = |(url, schedules): (&'v str, Vec<(EntryId, &'v Instrument, Schedule)>)| {
            let revisions = schedules.iter().map(|(entry, instrument, _)| (*entry, *instrument)).collect();
            let course = Course::new(schedules.into_iter().map(|(.., schedule)| schedule));
            let (given, answers) = answers.remove(url).unwrap_or_default().into_iter().unzip();
            PlannedInstrument { url, course, revisions, given, answers }
        };
        Self {
            instruments: schedules.into_iter().map(planned).collect(),
            unreadable,
            calendar: participant_calendar(view, &times, here),
            participation: participation_of(view),
        }
    }

    /// The calendar on the participant's wall.
    pub const fn calendar(&self) -> &LocalCalendar {
        &self.calendar
    }

    /// Where each planned time of a questionnaire stands at an instant.
    pub fn due_list(&self, planned: &PlannedInstrument<'_>, now: TimestampMs, ahead_days: u16) -> DueList {
        let situation =
            Situation { calendar: &self.calendar, participation: &self.participation, given: &planned.given };
        planned.course.due_list(&situation, now, ahead_days)
    }

    /// The same, as if the participant had stood otherwise.
    pub(super) fn due_list_as(
        &self,
        planned: &PlannedInstrument<'_>,
        participation: &Participation,
        now: TimestampMs,
    ) -> DueList {
        let situation = Situation { calendar: &self.calendar, participation, given: &planned.given };
        planned.course.due_list(&situation, now, 0)
    }

    /// The reminders of the coming days, over all questionnaires.
    pub fn reminders(&self, now: TimestampMs, days: u16) -> ReminderPlan {
        let reminded: Vec<Reminded<'_>> = self
            .instruments
            .iter()
            .map(|one| Reminded { instrument: one.url, course: &one.course, given: &one.given })
            .collect();
        plan_reminders(&reminded, &self.calendar, &self.participation, now, days)
    }

    /// What is asked for now.
    pub fn due(&self, forms: &ChartForms, now: TimestampMs) -> Vec<DueInstrument> {
        let mut out = Vec::new();
        for planned in &self.instruments {
            for one in self.due_list(planned, now, 0).due() {
                let Some((entry, instrument)) = planned.revisions.get(one.revision) else { continue };
                out.push(DueInstrument {
                    instrument_url: planned.url.to_owned(),
                    instrument_version: instrument.version.clone(),
                    title: forms.title(planned.url).to_owned(),
                    occurrence: one.name.to_string(),
                    entry: *entry,
                    is_late: one.state == OccurrenceState::Late,
                    due_until: one.due_until,
                    closes_at: one.closes_at,
                });
            }
        }
        out
    }

    /// What was expected and not answered, by the time from which it counts as missed: the input of
    /// alerts about missed diaries.
    pub fn missed(&self, forms: &ChartForms, now: TimestampMs) -> Vec<MissedInstrument> {
        let mut out = Vec::new();
        for planned in &self.instruments {
            for one in self.due_list(planned, now, 0).missed() {
                let Some(entry) = planned.entry_of(one) else { continue };
                out.push(MissedInstrument {
                    instrument_url: planned.url.to_owned(),
                    title: forms.title(planned.url).to_owned(),
                    occurrence: one.name.to_string(),
                    entry,
                    planned_at: one.opens_at,
                    missed_at: one.closes_at,
                });
            }
        }
        out.sort_by(|a, b| (a.missed_at, &a.instrument_url).cmp(&(b.missed_at, &b.instrument_url)));
        out
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
    /// Whether an answer is late already.
    pub is_late: bool,
    /// From when an answer is late.
    pub due_until: TimestampMs,
    /// From when it counts as missed.
    pub closes_at: TimestampMs,
}

/// A planned time that was expected and not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissedInstrument {
    /// The address of the questionnaire.
    pub instrument_url: String,
    /// Its title; the address where it has none.
    pub title: String,
    /// The planned time.
    pub occurrence: String,
    /// The entry that planned it.
    pub entry: EntryId,
    /// From when it could be answered.
    pub planned_at: TimestampMs,
    /// From when it counts as missed.
    pub missed_at: TimestampMs,
}

/// What is due, where the participant lives, and not answered. A draft is not an answer.
pub fn due(view: &ChartView<'_>, now: TimestampMs) -> Vec<DueInstrument> {
    Planning::of(view).due(&ChartForms::of(view), now)
}

/// What was expected up to an instant and not answered, oldest first.
pub fn missed(view: &ChartView<'_>, now: TimestampMs) -> Vec<MissedInstrument> {
    Planning::of(view).missed(&ChartForms::of(view), now)
}

/// The answers to questionnaires, by address; each with its entry and whether its clock was off.
type Answers<'v> = BTreeMap<&'v str, Vec<(Given, (EntryId, bool))>>;

/// The first answer to each planned time, by the author's clock. A clock that shows what cannot be
/// decides nothing: then the nearest time counts that what arrived before and after allows. A later
/// correction does not make an answer late.
fn first_answers<'v>(view: &'v ChartView<'_>, times: &ChartTimes<'_>) -> Answers<'v> {
    let mut out = Answers::new();
    for ((url, occurrence), threads) in view.responses() {
        // What was declared void answers nothing.
        let holding = threads.iter().filter(|thread| !thread.is_voided());
        let versions = holding.flat_map(|thread| thread.current.iter().chain(&thread.past));
        let finished = versions.filter(|written| written.value.status() != ResponseStatus::Draft);
        let answers = finished.map(|written| {
            let time = times.get(written.id());
            let at = time.map_or_else(|| written.captured_at(), EntryTime::counted_at);
            (at, written.id(), time.is_some_and(EntryTime::is_outside_bounds))
        });
        if let Some((at, entry, by_bounds)) = answers.min_by_key(|(at, entry, _)| (*at, *entry)) {
            let given = Given { occurrence: occurrence.as_str().to_owned(), at };
            out.entry(url).or_default().push((given, (entry, by_bounds)));
        }
    }
    out
}
