//! Where each planned time stands at an instant.
//!
//! - An answer belongs to the planned time that it names. The first finished one counts that did not come
//!   long before its window; what corrects it later does not make it late. It is in time if the calendar
//!   of the participant says so, or the clock of the place where it was given.
//! - A planned time is owed unless the participant was pausing, had left or had finished at the last
//!   moment at which it was in time, or could hardly know of it by then. What was answered while taking
//!   part counts all the same.
//! - While a participant pauses, nothing is asked for; what is still open when the pause ends is. What
//!   was late already when they left or finished is missed.

use super::course::{Course, Moment, Place, Revision};
use super::given_answers::GivenAnswers;
use super::local_calendar::LocalCalendar;
use super::occurrence::{Excuse, Occurrence, OccurrenceName, OccurrenceState};
use super::participation::{Participation, Standing};
use super::window_times::{Times, times_of};
use crate::limits::{EARLY_ANSWER_MS, KNOWN_BEFORE_DUE_MS, SCHEDULE_MAX_STEP_DAYS, VISIT_MOVED_ON_MAX_DAYS};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use ward_id::TimestampMs;

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The planned time that it names.
    pub occurrence: String,
    /// When it was given.
    pub at: TimestampMs,
    /// The zone of the device on which it was given, if it is known.
    pub zone: Option<TimeZone>,
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
    /// Answers that came long before the window of what they name: their places among those given. They
    /// are kept and shown, and what they name is asked for all the same.
    pub early: Vec<usize>,
    /// Visits as they were missed where they stood, before a later schedule put them elsewhere.
    pub moved: Vec<Occurrence>,
}

impl DueList {
    /// What is asked for now.
    pub fn due(&self) -> impl Iterator<Item = &Occurrence> {
        self.occurrences.iter().filter(|occurrence| occurrence.state.is_due())
    }

    /// The same, with what `aside` answers too: answers that are kept aside complete nothing, and what they
    /// answer before its close was not missed. `given` is the number of the answers that count; in `aside` they
    /// are followed by those that are kept aside.
    #[must_use]
    pub fn beside(mut self, aside: &Self, given: usize) -> Self {
        let is_beside = |one: &&Occurrence| match one.state {
            OccurrenceState::Completed(answer)
            | OccurrenceState::CompletedLate { answer, after_close: false } => answer >= given,
            _ => false,
        };
        let names: BTreeSet<&OccurrenceName> =
            aside.occurrences.iter().filter(is_beside).map(|one| &one.name).collect();
        for one in &mut self.occurrences {
            if one.state == OccurrenceState::Missed && names.contains(&one.name) {
                one.excuse = Some(Excuse::KeptAside);
                one.state = OccurrenceState::NotOwed(Excuse::KeptAside);
            }
        }
        self
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
        let mut answers = GivenAnswers::of(situation.given);
        // A window may open long before its planned day.
        let last =
            today.saturating_add(i64::from(ahead_days)).saturating_add(i64::from(SCHEDULE_MAX_STEP_DAYS));
        let desk = Desk { course: self, situation, now };
        let (mut occurrences, mut moved) = (Vec::new(), Vec::new());
        let mut early = Vec::new();
        for (name, place) in self.days(answers.last_day().max(last)) {
            let given = answers.take(&name);
            occurrences.extend(desk.occurrence(name, &[place], &given, &mut early));
        }
        for (name, places) in self.visits() {
            let given = answers.take(&name);
            let stands = desk.occurrence(name.clone(), &self.that_count(&places), &given, &mut early);
            moved.extend(desk.missed_before(name, stands.as_ref(), &places));
            occurrences.extend(stands);
        }
        occurrences.retain(|one| one.opens_at < horizon || one.state.answer().is_some());
        occurrences.sort_by(|left, right| {
            (left.opens_at, left.planned_day, &left.name).cmp(&(
                right.opens_at,
                right.planned_day,
                &right.name,
            ))
        });
        early.sort_unstable();
        DueList { occurrences, unplanned: answers.rest(), early, moved }
    }
}

struct Desk<'a> {
    course: &'a Course,
    situation: &'a Situation<'a>,
    now: TimestampMs,
}

/// The answer that counts for a planned time.
#[derive(Clone, Copy)]
struct Counted {
    place: usize,
    at: TimestampMs,
    is_in_time: bool,
    is_before_close: bool,
}

impl Desk<'_> {
    /// Where a planned time stands. Of several places, one is chosen by the answer, or by what was
    /// planned last.
    fn occurrence(
        &self,
        name: OccurrenceName,
        places: &[Place],
        given: &[usize],
        early: &mut Vec<usize>,
    ) -> Option<Occurrence> {
        let is_repeat = matches!(name, OccurrenceName::Day { .. });
        let mut found = None;
        for number in given {
            let Some(answer) = self.situation.given.get(*number) else { continue };
            found = self.answered(*number, answer, places, is_repeat);
            if found.is_some() {
                break;
            }
            early.push(*number);
        }
        let (stand, counted) = match found {
            Some((stand, counted)) => (stand, Some(counted)),
            None if is_repeat => (self.stand(*places.first()?, true)?, None),
            None => {
                let place = self.course.standing_place(places, |place| self.was_open(*place))?;
                (self.stand(place, false)?, None)
            }
        };
        let excuse = self.excuse(&stand, counted);
        Some(Occurrence {
            name,
            revision: stand.place.revision,
            item: self.course.item(&stand.place)?.id.clone(),
            planned_day: stand.place.day,
            opens_at: stand.times.opens,
            due_until: stand.times.due,
            closes_at: stand.times.closes,
            excuse,
            state: self.state(&stand, counted, excuse),
        })
    }

    /// A visit as it was missed where it stood, before a later schedule put it elsewhere or left it out.
    fn missed_before(
        &self,
        name: OccurrenceName,
        stands: Option<&Occurrence>,
        places: &[Place],
    ) -> Option<Occurrence> {
        if stands.is_some_and(|stands| stands.state.answer().is_some()) {
            return None;
        }
        let elsewhere = |place: &&Place| stands.is_none_or(|stands| stands.revision != place.revision);
        let was_missed = |place: &Place| {
            let stand = self.stand(*place, false)?;
            let closed = stand.times.closes;
            let stood = || self.course.stood_at(places, closed, |place| self.was_open(*place));
            let is_missed = closed <= self.now && self.excuse(&stand, None).is_none();
            (is_missed && stood() == Some(*place)).then_some(stand)
        };
        let stand = places.iter().rev().filter(elsewhere).find_map(was_missed)?;
        Some(Occurrence {
            name,
            revision: stand.place.revision,
            item: self.course.item(&stand.place)?.id.clone(),
            planned_day: stand.place.day,
            opens_at: stand.times.opens,
            due_until: stand.times.due,
            closes_at: stand.times.closes,
            excuse: None,
            state: OccurrenceState::Missed,
        })
    }

    /// The place that an answer was given for, and what it is there; `None` if it came long before the
    /// window of every place.
    fn answered(
        &self,
        number: usize,
        answer: &Given,
        places: &[Place],
        is_repeat: bool,
    ) -> Option<(Stand, Counted)> {
        let places = if is_repeat {
            places.to_vec()
        } else {
            let moment = Moment { at: answer.at, day: self.situation.calendar.day_at(answer.at) };
            self.course.answered_places(places, moment, |place| self.was_open(*place))
        };
        places.into_iter().find_map(|place| {
            let stand = self.stand(place, is_repeat)?;
            let counted = self.counted(number, answer, &stand)?;
            Some((stand, counted))
        })
    }

    /// A place with its window and the time from which it could be known.
    fn stand(&self, mut place: Place, is_repeat: bool) -> Option<Stand> {
        let item = self.course.item(&place)?;
        let mut times = times_of(item, &place, self.situation.calendar);
        // A visit on a day that does not exist stands on the first that does.
        let planned = place.day;
        while !is_repeat && times.are_empty() && place.day.saturating_sub(planned) < VISIT_MOVED_ON_MAX_DAYS {
            place.day = place.day.saturating_add(1);
            times = times_of(item, &place, self.situation.calendar);
        }
        let revision = self.course.revision(place.revision)?;
        let known = self.known_at(revision, &place, &times);
        // A visit of which nobody knew while it was in time is in time for as long as it can be answered.
        if !is_repeat && times.due <= known {
            times.due = times.closes;
        }
        let voided = revision.voided.map(|voided| voided.at);
        Some(Stand { place, times, known, voided })
    }

    /// From when the participant could know of a place.
    fn known_at(&self, revision: &Revision, place: &Place, times: &Times) -> TimestampMs {
        let always = TimestampMs(i64::MIN);
        let participation = self.situation.participation;
        // Who did not take part while it was in time may have begun to before it closed.
        let was_waiting = participation.at(times.due.plus_ms(-1)) == Standing::NotYet;
        let until = if was_waiting { times.closes } else { times.due };
        let held =
            (place.day < revision.begins()).then(|| self.situation.calendar.start_of(revision.begins()));
        let written = revision.written.map(|written| written.at).or(held);
        written.max(participation.asked_since(until)).unwrap_or(always)
    }

    /// Whether the window of a place was open when its revision was written, or else began to hold.
    fn was_open(&self, place: Place) -> bool {
        let Some(revision) = self.course.revision(place.revision) else { return false };
        let held = || self.situation.calendar.start_of(revision.begins());
        let since = revision.written.map_or_else(held, |written| written.at);
        self.stand(place, false).is_some_and(|stand| since < stand.times.closes)
    }

    /// What an answer is for a planned time; `None` if it came long before its window.
    fn counted(&self, place: usize, answer: &Given, stand: &Stand) -> Option<Counted> {
        let at = answer.at;
        let may_be = |times: &Times| at >= times.opens.plus_ms(-EARLY_ANSWER_MS);
        let is_plain = may_be(&stand.times) && at < stand.times.due;
        // Only where the calendar says otherwise is the clock asked that its author saw.
        let own = answer.zone.as_ref().filter(|_| !is_plain).and_then(|zone| {
            let item = self.course.item(&stand.place)?;
            Some(times_of(item, &stand.place, &LocalCalendar::of_zone(zone.clone())))
        });
        if !may_be(&stand.times) && !own.as_ref().is_some_and(may_be) {
            return None;
        }
        let is_in_time = at < stand.times.due || own.as_ref().is_some_and(|times| at < times.due);
        let is_before_close = at < stand.times.closes || own.is_some_and(|times| at < times.closes);
        Some(Counted { place, at, is_in_time, is_before_close })
    }

    fn excuse(&self, stand: &Stand, answer: Option<Counted>) -> Option<Excuse> {
        let Stand { times, known, voided, .. } = stand;
        if times.are_empty() {
            return Some(Excuse::NoTime);
        }
        let participation = self.situation.participation;
        let took_part =
            |answer: Counted| answer.is_before_close && participation.at(answer.at) == Standing::Active;
        if times.due > *known && answer.is_some_and(took_part) {
            return None;
        }
        let is_before_close = answer.is_some_and(|answer| answer.is_before_close);
        if !is_before_close && voided.is_some_and(|voided| voided < times.closes) {
            return Some(Excuse::TakenBack);
        }
        match participation.at(times.due.plus_ms(-1)) {
            Standing::Active if times.due < known.plus_ms(KNOWN_BEFORE_DUE_MS) => {
                Some(Excuse::PlannedTooLate)
            }
            Standing::Active => None,
            Standing::NotYet => Some(Excuse::NotYet),
            Standing::Paused => Some(Excuse::Paused),
            Standing::Ended(reason) => Some(Excuse::Ended(reason)),
        }
    }

    fn state(&self, stand: &Stand, answer: Option<Counted>, excuse: Option<Excuse>) -> OccurrenceState {
        let Stand { times, known, .. } = stand;
        if let Some(Counted { place, is_in_time, is_before_close, .. }) = answer {
            return if is_in_time {
                OccurrenceState::Completed(place)
            } else {
                OccurrenceState::CompletedLate { answer: place, after_close: !is_before_close }
            };
        }
        match excuse {
            // It is asked for while it can be answered, and not held against anybody.
            Some(Excuse::PlannedTooLate) if self.now < times.closes && *known < times.due => {}
            Some(excuse) => return OccurrenceState::NotOwed(excuse),
            None => {}
        }
        if self.now < times.opens {
            return OccurrenceState::Upcoming;
        }
        if self.now >= times.closes {
            return OccurrenceState::Missed;
        }
        match self.situation.participation.at(self.now) {
            Standing::Active if self.now < times.due => OccurrenceState::Open,
            Standing::Active => OccurrenceState::Late,
            Standing::NotYet => OccurrenceState::NotOwed(Excuse::NotYet),
            Standing::Paused => OccurrenceState::NotOwed(Excuse::Paused),
            Standing::Ended(reason) if self.now < times.due => {
                OccurrenceState::NotOwed(Excuse::Ended(reason))
            }
            Standing::Ended(_) => OccurrenceState::Missed,
        }
    }
}

/// A planned time with what its place says of it.
struct Stand {
    place: Place,
    times: Times,
    /// From when the participant could know of it.
    known: TimestampMs,
    /// When the schedule that planned it was declared void.
    voided: Option<TimestampMs>,
}
