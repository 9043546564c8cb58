//! What was planned for a participant and missed, in one order with what was answered.
//!
//! Planned times are counted by their day on the participant's calendar, and within it by when they open: the
//! answered ones and the missed ones alike, so that a row of missed ones is neither cut nor joined by a clock.
//! A time that counted as missed until somebody excused it afterwards (a pause or an end that is said to have
//! begun earlier) stays missed here, and says so: people were told of it.

use super::calendar::DAY_MS;
use super::chart_forms::ChartForms;
use super::schedule::{PlannedInstrument, Planning};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::alert_rules::Occasion;
use ward_forms::schedule::{DueList, Occurrence, OccurrenceState};
use ward_id::{EntryId, TimestampMs};

/// The name of a planned time: the questionnaire, and the time in words.
type Name = (String, String);

/// What is known of one planned time.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedTime {
    /// Its place in the order of planned times, in milliseconds of an imagined clock.
    pub(super) place_ms: i64,
    /// The entry that planned it.
    pub(super) entry: EntryId,
    /// Whether it was answered while it was open.
    is_in_time: bool,
    /// Whether it was answered at all.
    pub(super) is_answered: bool,
}

/// The planned times of a chart.
pub(super) struct MissedTimes {
    by_name: BTreeMap<Name, PlannedTime>,
    /// Those that counted as missed.
    pub(super) missed: Vec<Occasion>,
    /// Those of them that were excused afterwards.
    excused: BTreeSet<Name>,
    /// After how many missed in a row a schedule has the site told, by the entry that brought it.
    limits: BTreeMap<EntryId, (String, u32)>,
}

impl MissedTimes {
    /// Reads them from a chart, up to `now`.
    pub(super) fn of(planning: &Planning<'_>, forms: &ChartForms, now: TimestampMs) -> Self {
        let mut out = Self {
            by_name: BTreeMap::new(),
            missed: Vec::new(),
            excused: BTreeSet::new(),
            limits: BTreeMap::new(),
        };
        for planned in &planning.instruments {
            let list = planning.due_list(planned, now, 0);
            let before = planning.due_list_as_said(planned, now);
            let limits = planned.limits();
            out.limits.extend(limits.map(|(entry, limit)| (entry, (planned.url.to_owned(), limit))));
            out.take(planned, forms.title(planned.url), &list, &before);
        }
        out
    }

    fn take(&mut self, planned: &PlannedInstrument<'_>, title: &str, list: &DueList, before: &DueList) {
        let name = |one: &Occurrence| (planned.url.to_owned(), one.name.to_string());
        let is_missed = |one: &&Occurrence| one.state == OccurrenceState::Missed;
        let missed: BTreeMap<Name, &Occurrence> =
            list.occurrences.iter().filter(is_missed).map(|one| (name(one), one)).collect();
        let answered: BTreeSet<Name> =
            list.occurrences.iter().filter(|one| one.state.answer().is_some()).map(name).collect();
        let once = before.occurrences.iter().filter(is_missed).map(|one| (name(one), one));
        let once: Vec<(Name, &Occurrence)> =
            once.filter(|(name, _)| !missed.contains_key(name) && !answered.contains(name)).collect();
        self.excused.extend(once.iter().map(|(name, _)| name.clone()));

        let all = list.occurrences.iter().chain(once.iter().map(|(_, one)| *one));
        let mut by_day: BTreeMap<i64, BTreeMap<(TimestampMs, String), &Occurrence>> = BTreeMap::new();
        for one in all {
            by_day.entry(one.planned_day).or_default().insert((one.opens_at, one.name.to_string()), one);
        }
        for (day, times) in by_day {
            for (place, one) in (0..).zip(times.into_values()) {
                let Some(entry) = planned.entry_of(one) else { continue };
                let place_ms = day_place(day).saturating_add(place);
                let is_in_time = match one.state {
                    OccurrenceState::Completed(_) => true,
                    OccurrenceState::CompletedLate { after_close, .. } => !after_close,
                    _ => false,
                };
                self.by_name.insert(
                    name(one),
                    PlannedTime { place_ms, entry, is_in_time, is_answered: one.state.answer().is_some() },
                );
            }
        }
        for (name, one) in missed.into_iter().chain(once) {
            let Some(known) = self.by_name.get(&name) else { continue };
            self.missed.push(Occasion {
                planned_at_ms: known.place_ms,
                at_ms: one.closes_at.0,
                instrument: name.0,
                occurrence: name.1,
                title: title.to_owned(),
            });
        }
    }

    /// What is known of a planned time.
    pub(super) fn get(&self, instrument: &str, occurrence: &str) -> Option<&PlannedTime> {
        self.by_name.get(&(instrument.to_owned(), occurrence.to_owned()))
    }

    /// The times of a questionnaire that were answered while they were open, and stand before a place.
    pub(super) fn answered_in_time<'m>(
        &'m self,
        instrument: &'m str,
        before_ms: i64,
    ) -> impl Iterator<Item = &'m str> {
        let own = self.by_name.iter().filter(move |((of, _), _)| of == instrument);
        own.filter(move |(_, time)| time.is_in_time && time.place_ms < before_ms)
            .map(|((_, occurrence), _)| occurrence.as_str())
    }

    /// How many times of a row, which begins at a planned time, were excused afterwards.
    pub(super) fn excused_from(&self, instrument: &str, since: &str) -> usize {
        let Some(first) = self.get(instrument, since) else { return 0 };
        let of_row = |name: &&Name| {
            name.0 == instrument && self.by_name.get(*name).is_some_and(|one| one.place_ms >= first.place_ms)
        };
        self.excused.iter().filter(of_row).count()
    }

    /// The limit that the schedule states which an entry brought.
    pub(super) fn limit_of(&self, entry: EntryId) -> Option<u32> {
        self.limits.get(&entry).map(|(_, limit)| *limit)
    }

    /// Each limit that a schedule of a questionnaire states or stated.
    pub(super) fn limits(&self) -> BTreeSet<(&str, u32)> {
        self.limits.values().map(|(url, limit)| (url.as_str(), *limit)).collect()
    }
}

/// The first place of a day in the order of planned times.
pub(super) const fn day_place(day: i64) -> i64 {
    day.saturating_mul(DAY_MS)
}

/// The last place of a day: for what was planned for no time of it.
pub(super) const fn day_end_place(day: i64) -> i64 {
    day_place(day).saturating_add(DAY_MS - 1)
}
