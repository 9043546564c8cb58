//! What is planned for a participant, and where each planned time stands.

use super::calendar::iso_day;
use super::chart_forms::ChartForms;
use super::evidence::Evidence;
use super::kept_aside::{answers_waiting, plans_being_checked, plans_not_trusted};
use super::local_day::{Here, local_day, participant_calendar};
use super::planned_answers::{PlannedAnswer, answers_by_url};
use super::standing_words::{counted_at, participations};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::schedule::{
    Course, DueList, Given, LocalCalendar, Moment, Occurrence as PlannedTime, OccurrenceState, Participation,
    Reminded, ReminderPlan, Schedule, ScheduleError, Situation, Standing, WrittenSchedule, plan_reminders,
};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    ChartTimes, ChartView, EntryKind, FieldState, Instrument, InstrumentSchedule, Occurrence, Thread, Written,
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

/// One questionnaire of a chart, over all its versions and schedules.
pub struct PlannedInstrument<'v> {
    /// The address of the questionnaire.
    pub url: &'v str,
    /// Its schedules.
    pub course: Course,
    /// When each of them was written.
    written_at: Vec<TimestampMs>,
    /// The instruments that brought them: one for each revision of the course.
    revisions: Vec<Brought<'v>>,
    given: Vec<Given>,
    answers: Vec<PlannedAnswer>,
    /// The answers, and after them those that are kept aside until somebody says whether they count.
    with_aside: Vec<Given>,
    /// The entries of those that are kept aside.
    aside: Vec<EntryId>,
}

/// An instrument with a schedule.
#[derive(Debug, Clone, Copy)]
struct Brought<'v> {
    entry: EntryId,
    instrument: &'v Instrument,
    is_voided: bool,
}

impl<'v> PlannedInstrument<'v> {
    /// The entry that planned a time.
    pub fn entry_of(&self, planned: &PlannedTime) -> Option<EntryId> {
        self.revisions.get(planned.revision).map(|brought| brought.entry)
    }

    /// The instrument that planned a time: the version of the questionnaire that is asked.
    pub fn instrument_of(&self, planned: &PlannedTime) -> Option<&'v Instrument> {
        self.instrument(planned.revision)
    }

    /// An instrument by the place of its schedule in the course.
    pub fn instrument(&self, revision: usize) -> Option<&'v Instrument> {
        self.revisions.get(revision).map(|brought| brought.instrument)
    }

    /// The entries that brought schedules, oldest first; none that was declared void.
    pub fn entries(&self) -> impl Iterator<Item = EntryId> + '_ {
        self.revisions.iter().filter(|brought| !brought.is_voided).map(|brought| brought.entry)
    }

    /// The newest entry with a schedule of it.
    pub fn newest_entry(&self) -> Option<EntryId> {
        let standing = self.revisions.iter().rev().find(|brought| !brought.is_voided);
        standing.or_else(|| self.revisions.last()).map(|brought| brought.entry)
    }

    /// After how many missed in a row a schedule has the site told, by the entry that brought it.
    pub(super) fn limits(&self) -> impl Iterator<Item = (EntryId, u32)> + '_ {
        self.revisions.iter().enumerate().filter_map(|(revision, brought)| {
            let reminders = self.course.schedule(revision)?.reminders()?;
            Some((brought.entry, reminders.escalate_after_missed?))
        })
    }

    /// Answers that are kept aside until somebody says whether they count.
    pub fn kept_aside(&self) -> &[EntryId] {
        &self.aside
    }

    fn leave_out(&mut self, left_out: &BTreeSet<EntryId>) {
        let aside = self.with_aside.split_off(self.given.len());
        let answers = self.given.drain(..).zip(self.answers.drain(..));
        let kept = answers.filter(|(_, answer)| !left_out.contains(&answer.entry));
        (self.given, self.answers) = kept.collect::<Vec<_>>().into_iter().unzip();
        self.with_aside = self.given.iter().cloned().chain(aside).collect();
    }

    /// Whether an answer, by its place among those given and those kept aside, is one of the latter.
    pub(super) fn is_aside(&self, place: usize) -> bool {
        place >= self.given.len()
    }

    /// An answer by its place among those given.
    pub(super) fn answer(&self, place: usize) -> Option<&PlannedAnswer> {
        self.answers.get(place)
    }

    /// The answer that counts for a planned time.
    pub fn answer_of(&self, planned: &PlannedTime) -> Option<&PlannedAnswer> {
        planned.state.answer().and_then(|place| self.answers.get(place))
    }
}

/// What is planned for the participant of a chart.
pub struct Planning<'v> {
    /// The questionnaires, by address.
    pub instruments: Vec<PlannedInstrument<'v>>,
    /// Schedules that cannot be followed, with why. What was planned before goes on.
    pub unreadable: Vec<(EntryId, ScheduleError)>,
    /// Schedules in a form that only a newer app reads: nobody knows of which questionnaire.
    pub unknown: usize,
    /// Answers to questionnaires of which no schedule is known.
    pub unscheduled: Vec<PlannedAnswer>,
    /// Schedules and words about participation of a lost device of the site: until staff take them over, nothing
    /// of them is asked.
    pub being_checked: Vec<EntryId>,
    /// The same of a device that is not trusted any more: the site must plan again.
    pub not_trusted: Vec<EntryId>,
    calendar: LocalCalendar,
    participation: Participation,
    /// The same, as far as it had been said by then.
    as_said: Participation,
}

/// A schedule as it stands in a chart.
struct Found<'v> {
    brought: Brought<'v>,
    order: (u64, EntryId),
    written: WrittenSchedule,
    written_at: TimestampMs,
}

impl<'v> Planning<'v> {
    /// Reads it from a chart.
    pub fn of(view: &'v ChartView<'_>) -> Self {
        Self::seen_from(view, None)
    }

    /// Reads it from a chart on a device: that of the participant knows better than any entry where it is.
    pub fn seen_from(view: &'v ChartView<'_>, here: Option<&Here>) -> Self {
        let times = ChartTimes::of_receipts(view);
        let calendar = participant_calendar(view, &times, here);
        let clock = Clock { times: &times, evidence: Evidence::of(view, &times), calendar: &calendar };
        let mut unreadable = Vec::new();
        let mut found: Vec<Found<'v>> = Vec::new();
        for thread in view.instruments() {
            let voided = match thread.state() {
                FieldState::Voided(void) => Some(clock.known(void)),
                _ => None,
            };
            for written in thread.versions() {
                match schedule_of(written.value) {
                    Ok(schedule) => found.push(clock.found(written, schedule, voided)),
                    // One that was corrected or declared void since is in nobody's way.
                    Err(error) if is_current(thread, written.id()) => unreadable.push((written.id(), error)),
                    Err(_) => {}
                }
            }
        }
        found.sort_by_key(|found| found.order);
        let mut by_url: BTreeMap<&'v str, Vec<Found<'v>>> = BTreeMap::new();
        for found in found {
            by_url.entry(found.brought.instrument.url.as_str()).or_default().push(found);
        }
        let (mut answers, mut aside) = (answers_by_url(view, &times), answers_waiting(view, &times));
        let planned = |(url, schedules): (&'v str, Vec<Found<'v>>)| {
            let own = answers.remove(url).unwrap_or_default();
            planned_instrument(url, schedules, own, aside.remove(url).unwrap_or_default())
        };
        let (participation, as_said) = participations(view, (&times, &clock.evidence), here);
        Self {
            instruments: by_url.into_iter().map(planned).collect(),
            unreadable,
            unknown: view.unreadable(EntryKind::INSTRUMENT),
            unscheduled: answers.into_values().flatten().map(|(_, answer)| answer).collect(),
            being_checked: plans_being_checked(view),
            not_trusted: plans_not_trusted(view),
            calendar,
            participation,
            as_said,
        }
    }

    /// The same, as if some answers had not been given.
    pub(super) fn without_answers(mut self, left_out: &BTreeSet<EntryId>) -> Self {
        self.instruments.iter_mut().for_each(|planned| planned.leave_out(left_out));
        self
    }

    /// Where the participant stands at an instant, as it was written down.
    pub fn standing(&self, at: TimestampMs) -> Standing {
        self.participation.at(at)
    }

    /// The calendar on the participant's wall.
    pub const fn calendar(&self) -> &LocalCalendar {
        &self.calendar
    }

    /// Where each planned time of a questionnaire stands at an instant. What is kept aside answers nothing, and
    /// what it names was not missed.
    pub fn due_list(&self, planned: &PlannedInstrument<'_>, now: TimestampMs, ahead_days: u16) -> DueList {
        let situation = self.situation(&planned.given);
        let list = planned.course.due_list(&situation, now, ahead_days);
        if planned.aside.is_empty() {
            return list;
        }
        list.beside(&self.due_list_with_aside(planned, now), planned.given.len())
    }

    /// The same, as if what is kept aside counted.
    pub(super) fn due_list_with_aside(&self, planned: &PlannedInstrument<'_>, now: TimestampMs) -> DueList {
        planned.course.due_list(&self.situation(&planned.with_aside), now, 0)
    }

    /// The same, as it was told while nobody had yet said where the participant would have stood, and each
    /// schedule was known when it was written.
    pub(super) fn due_list_as_said(&self, planned: &PlannedInstrument<'_>, now: TimestampMs) -> DueList {
        let situation = Situation { participation: &self.as_said, ..self.situation(&planned.with_aside) };
        let as_written = planned.course.clone().known_since(|number| planned.written_at.get(number).copied());
        as_written.due_list(&situation, now, 0)
    }

    const fn situation<'s>(&'s self, given: &'s [Given]) -> Situation<'s> {
        Situation { calendar: &self.calendar, participation: &self.participation, given }
    }

    /// The reminders of the coming days, over all questionnaires.
    pub fn reminders(&self, now: TimestampMs, days: u16) -> ReminderPlan {
        let own = self.instruments.iter().map(|one| (one, one.given.as_slice()));
        let mut plan = self.planned_reminders(own, now, days);
        if self.instruments.iter().any(|one| !one.aside.is_empty()) {
            // What is kept aside is asked for again, and was not missed.
            let with_aside = self.instruments.iter().map(|one| (one, one.with_aside.as_slice()));
            plan.escalations = self.planned_reminders(with_aside, now, days).escalations;
        }
        plan
    }

    fn planned_reminders<'s>(
        &self,
        given: impl Iterator<Item = (&'s PlannedInstrument<'v>, &'s [Given])>,
        now: TimestampMs,
        days: u16,
    ) -> ReminderPlan
    where
        'v: 's,
    {
        let reminded = given.map(|(one, given)| Reminded { instrument: one.url, course: &one.course, given });
        let reminded: Vec<Reminded<'_>> = reminded.collect();
        plan_reminders(&reminded, &self.calendar, &self.participation, now, days)
    }

    /// What is asked for now.
    pub fn due(&self, forms: &ChartForms, now: TimestampMs) -> Vec<DueInstrument> {
        let mut out = Vec::new();
        for planned in &self.instruments {
            for one in self.due_list(planned, now, 0).due() {
                let Some(Brought { entry, instrument, .. }) = planned.revisions.get(one.revision) else {
                    continue;
                };
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

fn is_current(thread: &Thread<'_, Instrument>, entry: EntryId) -> bool {
    thread.current.iter().any(|written| written.id() == entry)
}

fn planned_instrument<'v>(
    url: &'v str,
    schedules: Vec<Found<'v>>,
    answers: Vec<(Given, PlannedAnswer)>,
    aside: Vec<(Given, PlannedAnswer)>,
) -> PlannedInstrument<'v> {
    let revisions: Vec<Brought<'v>> = schedules.iter().map(|found| found.brought).collect();
    let written_at: Vec<TimestampMs> = schedules.iter().map(|found| found.written_at).collect();
    let course = Course::of(schedules.into_iter().map(|found| found.written));
    let (given, answers): (Vec<Given>, Vec<PlannedAnswer>) = answers.into_iter().unzip();
    let (given_aside, aside): (Vec<Given>, Vec<PlannedAnswer>) = aside.into_iter().unzip();
    let with_aside = given.iter().cloned().chain(given_aside).collect();
    let aside = aside.into_iter().map(|answer| answer.entry).collect();
    PlannedInstrument { url, course, written_at, revisions, given, answers, with_aside, aside }
}

/// By which what the site wrote comes to be known.
struct Clock<'v, 't> {
    times: &'t ChartTimes<'v>,
    evidence: Evidence<'v, 't>,
    calendar: &'t LocalCalendar,
}

impl Clock<'_, '_> {
    fn found<'v>(
        &self,
        written: &Written<'v, Instrument>,
        schedule: Schedule,
        voided: Option<Moment>,
    ) -> Found<'v> {
        let known = self.known(written);
        let day = local_day(&written.entry.body().zone, counted_at(written, self.times));
        // What its author wrote today holds from tomorrow, wherever they are.
        let known = Moment { day: known.day.max(day), ..known };
        Found {
            brought: Brought { entry: written.id(), instrument: written.value, is_voided: voided.is_some() },
            order: written.order(),
            written: WrittenSchedule { schedule, written: Some(known), voided },
            written_at: self.evidence.written_at(written),
        }
    }

    /// From when something could be known, with the latest day that had begun on the participant's calendar.
    fn known<P>(&self, written: &Written<'_, P>) -> Moment {
        let at = self.evidence.known_at(written);
        Moment { at, day: self.calendar.latest_day_at(at) }
    }
}
