//! Where each planned time stands at an instant.
//!
//! - An answer belongs to the planned time that it names. The first finished one counts; what corrects
//!   it later does not make it late.
//! - A planned time is owed unless the participant was pausing, had left or had finished at the last
//!   moment at which it was in time. What was answered while taking part counts all the same.
//! - While a participant pauses, nothing is asked for; what is still open when the pause ends is. What
//!   was late already when they left or finished is missed.

use super::course::{Course, Place};
use super::local_calendar::LocalCalendar;
use super::local_time::LocalTime;
use super::occurrence::{Excuse, Occurrence, OccurrenceName, OccurrenceState};
use super::participation::{Participation, Standing};
use super::plan::{ScheduledItem, Timing};
use crate::limits::{SCHEDULE_MAX_STEP_DAYS, VISIT_MOVED_ON_MAX_DAYS};
use std::collections::BTreeMap;
use ward_id::TimestampMs;

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The planned time that it names.
    pub occurrence: String,
    /// When it was given.
    pub at: TimestampMs,
}

/// What is known of a participant beside the schedule.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Where they were.
    pub calendar: &'a LocalCalendar,
    /// Whether they took part.
    pub participation: &'a Participation,
    /// What they answered, in any order.
    pub given: &'a [Given],
}

/// The planned times of a questionnaire at an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueList {
    /// Each planned time up to the horizon, and each one that is answered, by when it opens.
    pub occurrences: Vec<Occurrence>,
    /// Answers that name no planned time, or one that an amendment took away: their places among those
    /// given. They are kept and shown, and counted nowhere.
    pub unplanned: Vec<usize>,
}

impl DueList {
    /// What is asked for now.
    pub fn due(&self) -> impl Iterator<Item = &Occurrence> {
        self.occurrences.iter().filter(|occurrence| occurrence.state.is_due())
    }

    /// What was expected and not answered, in order of the time from which it counts as missed: the
    /// input of alerts about missed diaries.
    #[must_use]
    pub fn missed(&self) -> Vec<&Occurrence> {
        let missed = self.occurrences.iter().filter(|one| one.state == OccurrenceState::Missed);
        let mut missed: Vec<&Occurrence> = missed.collect();
        missed.sort_by_key(|one| (one.closes_at, one.opens_at));
        missed
    }
}

impl Course {
    /// Where every planned time stands at `now`: those whose window opens up to so many days ahead, and
    /// all that are answered.
    #[must_use]
    pub fn due_list(&self, situation: &Situation<'_>, now: TimestampMs, ahead_days: u16) -> DueList {
        let today = situation.calendar.day_at(now);
        let horizon =
            situation.calendar.start_of(today.saturating_add(i64::from(ahead_days)).saturating_add(1));
        let mut answers = Answers::of(situation.given);
        // A window may open long before its planned day.
        let last =
            today.saturating_add(i64::from(ahead_days)).saturating_add(i64::from(SCHEDULE_MAX_STEP_DAYS));
        let desk = Desk { course: self, situation, now };
        let mut occurrences = Vec::new();
        for (name, place) in self.days(answers.last_day().max(last)) {
            let answer = answers.take(&name);
            occurrences.extend(desk.occurrence(name, place, answer, None));
        }
        for (name, places) in self.visits() {
            let answer = answers.take(&name);
            let place = match answer {
                Some((_, at)) => {
                    self.answered_place(&places, situation.calendar.day_at(at)).map(|place| (place, None))
                }
                None => self
                    .standing_place(&places)
                    .map(|(place, is_over)| (place, is_over.then_some(Excuse::PlannedTooLate))),
            };
            let Some((place, excuse)) = place else { continue };
            occurrences.extend(desk.occurrence(name, place, answer, excuse));
        }
        occurrences.retain(|one| one.opens_at < horizon || one.state.answer().is_some());
        occurrences.sort_by(|left, right| {
            (left.opens_at, left.planned_day, &left.name).cmp(&(
                right.opens_at,
                right.planned_day,
                &right.name,
            ))
        });
        DueList { occurrences, unplanned: answers.rest() }
    }
}

/// The first answer to each planned time.
struct Answers {
    by_name: BTreeMap<OccurrenceName, (usize, TimestampMs)>,
    /// Those whose name no schedule makes.
    odd: Vec<usize>,
}

impl Answers {
    fn of(given: &[Given]) -> Self {
        let mut out = Self { by_name: BTreeMap::new(), odd: Vec::new() };
        for (place, answer) in given.iter().enumerate() {
            let Some(name) = OccurrenceName::parse(&answer.occurrence) else {
                out.odd.push(place);
                continue;
            };
            let first = out.by_name.entry(name).or_insert((place, answer.at));
            if answer.at < first.1 {
                *first = (place, answer.at);
            }
        }
        out
    }

    fn last_day(&self) -> i64 {
        let days = self.by_name.keys().filter_map(|name| match name {
            OccurrenceName::Day { day, .. } => Some(*day),
            _ => None,
        });
        days.max().unwrap_or(i64::MIN)
    }

    fn take(&mut self, name: &OccurrenceName) -> Option<(usize, TimestampMs)> {
        self.by_name.remove(name)
    }

    fn rest(self) -> Vec<usize> {
        let mut rest = self.odd;
        rest.extend(self.by_name.into_values().map(|(place, _)| place));
        rest.sort_unstable();
        rest
    }
}

struct Desk<'a> {
    course: &'a Course,
    situation: &'a Situation<'a>,
    now: TimestampMs,
}

impl Desk<'_> {
    fn occurrence(
        &self,
        name: OccurrenceName,
        mut place: Place,
        answer: Option<(usize, TimestampMs)>,
        excuse: Option<Excuse>,
    ) -> Option<Occurrence> {
        let item = self.course.item(&place)?;
        let mut times = self.times(item, &place);
        let is_visit = !matches!(name, OccurrenceName::Day { .. });
        // A visit on a day that does not exist stands on the first that does.
        let planned = place.day;
        while is_visit && times.are_empty() && place.day.saturating_sub(planned) < VISIT_MOVED_ON_MAX_DAYS {
            place.day = place.day.saturating_add(1);
            times = self.times(item, &place);
        }
        let excuse = excuse.or_else(|| self.excuse(&times, answer));
        let state = self.state(&times, answer, excuse);
        Some(Occurrence {
            name,
            revision: place.revision,
            item: item.id.clone(),
            planned_day: place.day,
            opens_at: times.opens,
            due_until: times.due,
            closes_at: times.closes,
            excuse,
            state,
        })
    }

    fn times(&self, item: &ScheduledItem, place: &Place) -> Times {
        let calendar = self.situation.calendar;
        let on = |days: i16| place.day.saturating_add(i64::from(days));
        let end = |days: i16| calendar.start_of(on(days).saturating_add(1));
        let slots: &[LocalTime] = match &item.timing {
            Timing::Repeat { times, .. } => times,
            Timing::Visit { .. } | Timing::Cycle { .. } => &[],
        };
        let opens = match slots.get(place.slot) {
            Some(time) => calendar.first_at(on(item.window.opens), *time),
            None => calendar.start_of(on(item.window.opens)),
        };
        // The next one of the same day ends the time of this one.
        let due = match slots.get(place.slot.saturating_add(1)) {
            Some(next) => calendar.first_at(on(item.window.due), *next),
            None => end(item.window.due),
        };
        let closes = end(item.window.closes);
        // Where the clock skips its whole time, it is in time for as long as it can be answered.
        let due = if due <= opens { closes } else { due };
        Times { opens, due, closes }
    }

    fn excuse(&self, times: &Times, answer: Option<(usize, TimestampMs)>) -> Option<Excuse> {
        if times.are_empty() {
            return Some(Excuse::NoTime);
        }
        let participation = self.situation.participation;
        let took_part =
            |(_, at): (usize, TimestampMs)| at < times.closes && participation.at(at) == Standing::Active;
        if answer.is_some_and(took_part) {
            return None;
        }
        match participation.at(times.due.plus_ms(-1)) {
            Standing::Active => None,
            Standing::Paused => Some(Excuse::Paused),
            Standing::Ended(reason) => Some(Excuse::Ended(reason)),
        }
    }

    fn state(
        &self,
        times: &Times,
        answer: Option<(usize, TimestampMs)>,
        excuse: Option<Excuse>,
    ) -> OccurrenceState {
        match (answer, excuse) {
            (Some((answer, at)), _) if at < times.due => OccurrenceState::Completed(answer),
            (Some((answer, at)), _) => {
                OccurrenceState::CompletedLate { answer, after_close: at >= times.closes }
            }
            (None, Some(excuse)) => OccurrenceState::NotOwed(excuse),
            (None, None) if self.now < times.opens => OccurrenceState::Upcoming,
            (None, None) if self.now >= times.closes => OccurrenceState::Missed,
            (None, None) => match self.situation.participation.at(self.now) {
                Standing::Active if self.now < times.due => OccurrenceState::Open,
                Standing::Active => OccurrenceState::Late,
                Standing::Paused => OccurrenceState::NotOwed(Excuse::Paused),
                Standing::Ended(reason) if self.now < times.due => {
                    OccurrenceState::NotOwed(Excuse::Ended(reason))
                }
                Standing::Ended(_) => OccurrenceState::Missed,
            },
        }
    }
}

struct Times {
    opens: TimestampMs,
    due: TimestampMs,
    closes: TimestampMs,
}

impl Times {
    fn are_empty(&self) -> bool {
        self.closes <= self.opens
    }
}
