//! What one questionnaire's schedules plan together: the first one, and those that amended it.
//!
//! A revision governs the days from its first one on, until the first day of any later revision. One that
//! amends a schedule that is followed already governs no day that has begun anywhere when it is known: what
//! somebody was asked this morning is not asked otherwise this evening, and what ran is not planned anew. One
//! that was declared void ends with that day, and what it had amended goes on.
//!
//! A repeat is planned by the revision that governs its day. A visit stands where the newest revision
//! puts it that governs the day to which it puts it, or whose window for it was still open when the
//! revision was written.

use super::occurrence::OccurrenceName;
use super::plan::{RepeatDays, Schedule, ScheduledItem, Timing};
use crate::limits::{SCHEDULE_DAYS, SCHEDULE_MAX_CYCLES, SCHEDULE_MAX_DAYS};
use std::collections::BTreeMap;
use std::ops::Range;
use ward_id::TimestampMs;

/// Days of a week.
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: so many days after a Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// An instant with the day that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: TimestampMs,
    /// The day, counted from 1970-01-01: of several that may be possible the latest, so that no day counts as
    /// still to come which has begun.
    pub day: i64,
}

/// A schedule as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSchedule {
    /// The schedule.
    pub schedule: Schedule,
    /// From when the participant could know of it; `None` for one that was always known.
    pub written: Option<Moment>,
    /// From when they could know that it was declared void, if it was.
    pub voided: Option<Moment>,
}

impl From<Schedule> for WrittenSchedule {
    fn from(schedule: Schedule) -> Self {
        Self { schedule, written: None, voided: None }
    }
}

/// The schedules of one questionnaire for one participant, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Course {
    revisions: Vec<Revision>,
}

#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) schedule: Schedule,
    pub(super) written: Option<Moment>,
    pub(super) voided: Option<Moment>,
    /// The first day that it may govern, and the first that it may not.
    reach: Range<i64>,
    /// The days that it governs.
    governed: Vec<Range<i64>>,
}

impl Revision {
    /// The first day that it may govern.
    pub(super) const fn begins(&self) -> i64 {
        self.reach.start
    }

    /// Whether it could be known before an instant.
    fn was_known(&self, at: TimestampMs) -> bool {
        self.written.is_none_or(|written| written.at < at)
    }

    /// The last day about which it may have asked when another one could be known, if it had begun.
    fn ran_until(&self, other: Moment) -> Option<i64> {
        // What was written before it and arrived after it had asked nobody yet.
        let asked = self.written.is_none_or(|written| written.at <= other.at);
        let voided = self.voided.filter(|voided| voided.at <= other.at);
        let last = voided.map_or(other.day, |voided| other.day.min(voided.day));
        (asked && self.reach.start <= last).then_some(last)
    }
}

/// A planned time on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) revision: usize,
    pub(super) item: usize,
    pub(super) day: i64,
    /// Which time of the day, from 0.
    pub(super) slot: usize,
}

impl Course {
    /// Puts schedules together that were always known, oldest first.
    #[must_use]
    pub fn new(schedules: impl IntoIterator<Item = Schedule>) -> Self {
        Self::of(schedules.into_iter().map(WrittenSchedule::from))
    }

    /// Puts schedules together, oldest first.
    #[must_use]
    pub fn of(schedules: impl IntoIterator<Item = WrittenSchedule>) -> Self {
        let mut revisions: Vec<Revision> = Vec::new();
        for WrittenSchedule { schedule, written, voided } in schedules {
            let named = schedule.holds_from().unwrap_or(SCHEDULE_DAYS.start);
            let free = written.and_then(|moment| free_from(&revisions, moment));
            let from = free.map_or(named, |free| named.max(free));
            let end = voided.map_or(SCHEDULE_DAYS.end, |voided| voided.day.saturating_add(1));
            let reach = from..end.min(SCHEDULE_DAYS.end);
            revisions.push(Revision { schedule, written, voided, reach, governed: Vec::new() });
        }
        let mut free = vec![SCHEDULE_DAYS];
        for revision in revisions.iter_mut().rev() {
            revision.governed = free.iter().filter_map(|days| common(days, &revision.reach)).collect();
            free = free.iter().flat_map(|days| without(days, &revision.reach)).collect();
        }
        Self { revisions }
    }

    /// The first day that something may govern which can be known at a moment: none that has begun under what is
    /// followed. `None` where nothing is.
    #[must_use]
    pub fn free_from(&self, moment: Moment) -> Option<i64> {
        free_from(&self.revisions, moment)
    }

    /// The same with other instants at which each schedule, by its place, could be known. What each governs
    /// stays as it is.
    #[must_use]
    pub fn known_since(mut self, known_at: impl Fn(usize) -> Option<TimestampMs>) -> Self {
        for (number, revision) in self.revisions.iter_mut().enumerate() {
            if let (Some(written), Some(at)) = (&mut revision.written, known_at(number)) {
                written.at = at;
            }
        }
        self
    }

    /// The schedule that was written last and not declared void.
    #[must_use]
    pub fn newest(&self) -> Option<&Schedule> {
        let mut standing = self.revisions.iter().filter(|revision| revision.voided.is_none());
        standing.next_back().map(|revision| &revision.schedule)
    }

    /// A schedule by its place.
    #[must_use]
    pub fn schedule(&self, revision: usize) -> Option<&Schedule> {
        self.revision(revision).map(|revision| &revision.schedule)
    }

    /// The schedules as they were written, oldest first.
    pub fn written(&self) -> impl Iterator<Item = WrittenSchedule> + '_ {
        self.revisions.iter().map(|revision| WrittenSchedule {
            schedule: revision.schedule.clone(),
            written: revision.written,
            voided: revision.voided,
        })
    }

    /// The schedules that govern a day or one after it: their places, with the first such day of each.
    #[must_use]
    pub fn to_come(&self, day: i64) -> Vec<(usize, i64)> {
        let numbered = self.revisions.iter().enumerate();
        let first = |revision: &Revision| {
            revision.governed.iter().filter(|days| day < days.end).map(|days| days.start.max(day)).min()
        };
        let mut out: Vec<(usize, i64)> = numbered.filter_map(|(n, it)| Some((n, first(it)?))).collect();
        out.retain(|(number, _)| self.revision(*number).is_some_and(|it| it.voided.is_none()));
        out.sort_by_key(|(_, first)| *first);
        out
    }

    /// What is planned from a day on to another, in order: repeats on those days, and visits whose window
    /// reaches into them.
    #[must_use]
    pub fn planned(&self, days: Range<i64>) -> Vec<(i64, OccurrenceName)> {
        let repeats =
            self.days(days.end.saturating_sub(1)).into_iter().map(|(name, place)| (place.day, name));
        let mut out: Vec<(i64, OccurrenceName)> = repeats.filter(|(day, _)| days.contains(day)).collect();
        for (name, places) in self.visits() {
            let Some(place) = self.standing_place(&self.that_count(&places), |_| true) else { continue };
            let window = self.item(&place).map(|item| item.window).unwrap_or_default();
            let on = |offset: i16| place.day.saturating_add(i64::from(offset));
            if on(window.opens) < days.end && days.start <= on(window.closes) {
                out.push((place.day, name));
            }
        }
        out.sort();
        out
    }

    pub(super) fn revision(&self, number: usize) -> Option<&Revision> {
        self.revisions.get(number)
    }

    pub(super) fn item(&self, place: &Place) -> Option<&ScheduledItem> {
        self.schedule(place.revision)?.items.get(place.item)
    }

    /// The planned days of repeats up to a day, by name.
    pub(super) fn days(&self, last: i64) -> BTreeMap<OccurrenceName, Place> {
        let mut out = BTreeMap::new();
        for (number, revision) in self.revisions.iter().enumerate() {
            for (item, planned) in revision.schedule.items.iter().enumerate() {
                let slots = planned.slots();
                for day in revision.repeat_days(planned, last) {
                    for slot in 0..slots {
                        let name = OccurrenceName::Day {
                            day,
                            slot: u8::try_from(slot).unwrap_or(0).saturating_add(1),
                        };
                        // Two items for one day are one: the first decides.
                        out.entry(name).or_insert(Place { revision: number, item, day, slot });
                    }
                }
            }
        }
        out
    }

    /// All places of each visit, by revision.
    pub(super) fn visits(&self) -> BTreeMap<OccurrenceName, Vec<Place>> {
        let mut out: BTreeMap<OccurrenceName, Vec<Place>> = BTreeMap::new();
        for (number, revision) in self.revisions.iter().enumerate() {
            for (item, planned) in revision.schedule.items.iter().enumerate() {
                for (name, day) in revision.schedule.visits_of(planned) {
                    out.entry(name).or_default().push(Place { revision: number, item, day, slot: 0 });
                }
            }
        }
        out
    }

    /// Those places that count: a revision that never governed a day put nothing anywhere.
    pub(super) fn that_count(&self, places: &[Place]) -> Vec<Place> {
        let governs = |number| self.revision(number).is_some_and(|revision| !revision.governed.is_empty());
        places.iter().filter(|place| governs(place.revision)).copied().collect()
    }

    /// Where a visit stands that nobody answered; `None` for one that a later revision left out before its
    /// day. `was_open` tells whether a place's window was open still when its revision was written.
    pub(super) fn standing_place(
        &self,
        places: &[Place],
        was_open: impl Fn(&Place) -> bool,
    ) -> Option<Place> {
        let stands = |place: &&Place| self.stands(place, |_| true, &was_open);
        if let Some(place) = places.iter().rev().find(stands) {
            return Some(*place);
        }
        // Over before anybody was asked: it is shown, and not owed.
        let newest = places.last()?;
        (newest.day < self.revision(newest.revision)?.reach.start).then_some(*newest)
    }

    /// The places of a visit for an answer: first where it stood as the schedule was then, for what is
    /// amended later makes no answer late; then the others, the newest first.
    pub(super) fn answered_places(
        &self,
        places: &[Place],
        answered: Moment,
        was_open: impl Fn(&Place) -> bool,
    ) -> Vec<Place> {
        let was_known = |number: usize| {
            let known = |it: &Revision| match it.written {
                Some(written) => written.at <= answered.at,
                None => it.reach.start <= answered.day,
            };
            self.revision(number).is_some_and(known)
        };
        let known = || places.iter().rev().filter(|place| was_known(place.revision));
        let stood = known().find(|place| self.stands(place, was_known, &was_open));
        let first = stood.or_else(|| known().next()).or_else(|| places.first());
        first.into_iter().chain(places.iter().rev()).copied().collect()
    }

    /// Where a visit stood just before an instant, by what was known then, of all its places.
    pub(super) fn stood_at(
        &self,
        places: &[Place],
        at: TimestampMs,
        was_open: impl Fn(&Place) -> bool,
    ) -> Option<Place> {
        let known = |number: usize| self.revision(number).is_some_and(|it| it.was_known(at));
        // As in `that_count`, of those days that no other one had taken by then.
        let governs = |number: usize| {
            let Some(reach) = self.revision(number).map(|revision| revision.reach.clone()) else {
                return false;
            };
            let later = self.revisions.iter().enumerate().skip(number.saturating_add(1));
            let taken = later.filter(|(later, _)| known(*later)).map(|(_, later)| &later.reach);
            let left = taken
                .fold(vec![reach], |left, taken| left.iter().flat_map(|days| without(days, taken)).collect());
            left.iter().any(|days| !days.is_empty())
        };
        let counted = |place: &&Place| known(place.revision) && governs(place.revision);
        let mut then = places.iter().rev().filter(counted);
        then.find(|place| self.stands(place, known, &was_open)).copied()
    }

    /// Whether a revision puts a visit where it stands, of those revisions that are known.
    fn stands(
        &self,
        place: &Place,
        is_known: impl Fn(usize) -> bool,
        was_open: impl Fn(&Place) -> bool,
    ) -> bool {
        let Some(own) = self.revision(place.revision) else { return false };
        let reaches = |(number, it): (usize, &Revision)| is_known(number) && it.reach.contains(&place.day);
        let governing = self.revisions.iter().enumerate().rposition(reaches);
        governing == Some(place.revision) || place.day < own.reach.start && was_open(place)
    }
}

fn free_from(revisions: &[Revision], moment: Moment) -> Option<i64> {
    let ran = revisions.iter().filter_map(|earlier| earlier.ran_until(moment)).max();
    ran.map(|last| last.saturating_add(1))
}

/// The days of both.
fn common(one: &Range<i64>, other: &Range<i64>) -> Option<Range<i64>> {
    let days = one.start.max(other.start)..one.end.min(other.end);
    (!days.is_empty()).then_some(days)
}

/// The days of one that are not days of the other.
fn without(one: &Range<i64>, other: &Range<i64>) -> Vec<Range<i64>> {
    if common(one, other).is_none() {
        return vec![one.clone()];
    }
    let parts = [one.start..other.start, other.end..one.end];
    parts.into_iter().filter(|days| !days.is_empty()).collect()
}

impl ScheduledItem {
    /// How many times of one day it has.
    pub(super) fn slots(&self) -> usize {
        match &self.timing {
            Timing::Repeat { times, .. } => times.len().max(1),
            Timing::Visit { .. } | Timing::Cycle { .. } => 1,
        }
    }
}

impl Schedule {
    /// The day from which nothing of an item is planned any more.
    fn end_of(&self, item: &ScheduledItem) -> i64 {
        let until = item.until.as_deref().and_then(|name| self.anchor(name)).and_then(|anchor| anchor.day);
        until.unwrap_or(SCHEDULE_DAYS.end).min(SCHEDULE_DAYS.end)
    }

    /// The first day of a repeat and the first one after it.
    pub(super) fn repeat_range(&self, item: &ScheduledItem) -> Option<(i64, i64)> {
        let Timing::Repeat { day, days, .. } = &item.timing else { return None };
        let first = self.anchor(&item.anchor)?.day?.saturating_add(i64::from(*day));
        let length = i64::from(days.unwrap_or(SCHEDULE_MAX_DAYS).min(SCHEDULE_MAX_DAYS));
        Some((first, first.saturating_add(length).min(self.end_of(item))))
    }

    /// The days of a visit, or of a visit of each cycle, by name.
    pub(super) fn visits_of(&self, item: &ScheduledItem) -> Vec<(OccurrenceName, i64)> {
        let Some(anchor) = self.anchor(&item.anchor) else { return Vec::new() };
        let planned: Vec<(OccurrenceName, Option<i64>)> = match &item.timing {
            Timing::Repeat { .. } => Vec::new(),
            Timing::Visit { day } => {
                let name = OccurrenceName::Visit { item: item.id.clone() };
                vec![(name, anchor.day.map(|start| start.saturating_add(i64::from(*day))))]
            }
            Timing::Cycle { day, length_days, count } => {
                let cycles = count.unwrap_or(SCHEDULE_MAX_CYCLES).min(SCHEDULE_MAX_CYCLES);
                let of_cycle = |cycle| {
                    let start = anchor.cycle_start(cycle, *length_days);
                    let name = OccurrenceName::Cycle { item: item.id.clone(), cycle };
                    (name, start.map(|start| start.saturating_add(i64::from(*day))))
                };
                (1..=cycles).map(of_cycle).collect()
            }
        };
        let end = self.end_of(item);
        let within = |day: &i64| SCHEDULE_DAYS.contains(day) && *day < end;
        planned.into_iter().filter_map(|(name, day)| Some((name, day.filter(within)?))).collect()
    }
}

impl Revision {
    /// The days of a repeat that this revision governs, up to a day.
    fn repeat_days(&self, item: &ScheduledItem, last: i64) -> Vec<i64> {
        let (Some((first, end)), Timing::Repeat { on, .. }) =
            (self.schedule.repeat_range(item), &item.timing)
        else {
            return Vec::new();
        };
        let wanted = first..end.min(last.saturating_add(1));
        let hits = |day: &i64| match on {
            RepeatDays::Every(step) => day.saturating_sub(first).rem_euclid(i64::from((*step).max(1))) == 0,
            RepeatDays::Weekdays(days) => days & (1 << weekday(*day)) != 0,
        };
        self.governed.iter().filter_map(|days| common(days, &wanted)).flatten().filter(hits).collect()
    }
}

/// 0 for a Monday, 6 for a Sunday.
pub(super) fn weekday(day: i64) -> u32 {
    u32::try_from(day.saturating_add(EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS)).unwrap_or_default()
}
