//! What one questionnaire's schedules plan together: the first one, and those that amended it.
//!
//! A revision governs the days from its first one on, until the first day of any later revision. A
//! repeat is planned by the revision that governs its day. A visit stands where the newest revision
//! puts it that governs the day to which it puts it; a visit that was moved to a day before its
//! revision holds was over before anybody was asked.

use super::occurrence::OccurrenceName;
use super::plan::{RepeatDays, Schedule, ScheduledItem, Timing};
use crate::limits::{SCHEDULE_DAYS, SCHEDULE_MAX_CYCLES, SCHEDULE_MAX_DAYS};
use std::collections::BTreeMap;

/// Days of a week.
const WEEK_DAYS: i64 = 7;
/// 1970-01-01 was a Thursday: so many days after a Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// The schedules of one questionnaire for one participant, in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct Course {
    revisions: Vec<Revision>,
}

#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) schedule: Schedule,
    /// The first day that it governs.
    from: i64,
    /// The first day that it does not govern any more.
    to: i64,
}

impl Revision {
    fn governs(&self, day: i64) -> bool {
        self.from <= day && day < self.to
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
    /// Puts schedules together, oldest first.
    #[must_use]
    pub fn new(schedules: impl IntoIterator<Item = Schedule>) -> Self {
        let begin = |schedule: &Schedule| schedule.holds_from().unwrap_or(SCHEDULE_DAYS.start);
        let mut revisions: Vec<Revision> = schedules
            .into_iter()
            .map(|schedule| Revision { from: begin(&schedule), to: SCHEDULE_DAYS.end, schedule })
            .collect();
        let mut end = SCHEDULE_DAYS.end;
        for revision in revisions.iter_mut().rev() {
            revision.to = end;
            end = end.min(revision.from);
        }
        Self { revisions }
    }

    /// The schedule that was written last.
    #[must_use]
    pub fn newest(&self) -> Option<&Schedule> {
        self.revisions.last().map(|revision| &revision.schedule)
    }

    /// A schedule by its place.
    #[must_use]
    pub fn schedule(&self, revision: usize) -> Option<&Schedule> {
        self.revisions.get(revision).map(|revision| &revision.schedule)
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

    /// Where a visit stands that nobody answered, and whether it was over before anybody was asked;
    /// `None` for one that a later revision left out before its day.
    pub(super) fn standing_place(&self, places: &[Place]) -> Option<(Place, bool)> {
        let governed = |place: &&Place| {
            self.revisions.get(place.revision).is_some_and(|revision| revision.governs(place.day))
        };
        if let Some(place) = places.iter().rev().find(governed) {
            return Some((*place, false));
        }
        let newest = places.last()?;
        let revision = self.revisions.get(newest.revision)?;
        (newest.day < revision.from).then_some((*newest, true))
    }

    /// Where a visit stood for an answer of a day: as the schedule was that held on that day. What is
    /// amended later makes no answer late.
    pub(super) fn answered_place(&self, places: &[Place], answered_day: i64) -> Option<Place> {
        let held = |place: &&Place| {
            self.revisions.get(place.revision).is_some_and(|revision| revision.from <= answered_day)
        };
        places.iter().rev().find(held).or_else(|| places.first()).copied()
    }
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
        let low = first.max(self.from).max(SCHEDULE_DAYS.start);
        let high = end.min(self.to).min(last.saturating_add(1)).min(SCHEDULE_DAYS.end);
        let hits = |day: &i64| match on {
            RepeatDays::Every(step) => day.saturating_sub(first).rem_euclid(i64::from((*step).max(1))) == 0,
            RepeatDays::Weekdays(days) => days & (1 << weekday(*day)) != 0,
        };
        (low..high).filter(hits).collect()
    }
}

/// 0 for a Monday, 6 for a Sunday.
pub(super) fn weekday(day: i64) -> u32 {
    u32::try_from(day.saturating_add(EPOCH_WEEKDAY).rem_euclid(WEEK_DAYS)).unwrap_or_default()
}
