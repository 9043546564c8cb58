//! What was planned for a participant and missed, in one order with what was answered.
//!
//! Planned times are counted by their day on the participant's calendar, and within it by when they open: the
//! answered ones and the missed ones alike, so that a row of missed ones is neither cut nor joined by a clock.
//! What was missed stays missed here, and says what became of it: it was answered after its close, or somebody
//! excused it afterwards (a pause or an end that is said to have begun earlier, a schedule that is said to have
//! arrived later than it was written, a visit that was moved when its window was over). People were told of it.

use super::calendar::DAY_MS;
use super::chart_forms::ChartForms;
use super::schedule::{PlannedInstrument, Planning};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::alert_rules::{Occasion, Report};
use ward_forms::schedule::{DueList, Occurrence, OccurrenceName, OccurrenceState};
use ward_id::{EntryId, TimestampMs};

/// The name of a planned time: the questionnaire, and the time in words.
type Name = (String, String);

/// What became of a planned time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was answered before its close.
    Answered,
    /// It counted as missed.
    Missed,
    /// It counted as missed, and was answered after its close.
    AnsweredAfterClose,
    /// It counted as missed until it was excused.
    Excused,
    /// None of these.
    Other,
}

impl Fate {
    const fn was_missed(self) -> bool {
        matches!(self, Self::Missed | Self::AnsweredAfterClose | Self::Excused)
    }
}

/// What is known of one planned time.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedTime {
    /// Its place in the order of planned times, in milliseconds of an imagined clock.
    pub(super) place_ms: i64,
    /// The entry that planned it.
    pub(super) entry: EntryId,
    closes_at: TimestampMs,
    fate: Fate,
    /// Whether the answer that counts here is kept aside.
    is_by_aside: bool,
}

impl PlannedTime {
    /// Whether it ends a row, whatever becomes of the answers that are kept aside.
    fn is_surely_answered(&self) -> bool {
        self.fate == Fate::Answered && !self.is_by_aside
    }
}

/// How much of a row of missed times is missed no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RowSince {
    /// Answered after their close.
    pub(super) answered_after_close: usize,
    /// Excused afterwards.
    pub(super) excused: usize,
}

/// The planned times of a chart.
#[derive(Default)]
pub(super) struct MissedTimes {
    by_name: BTreeMap<Name, PlannedTime>,
    titles: BTreeMap<String, String>,
    /// After how many missed in a row a schedule has the site told, by the entry that brought it.
    limits: BTreeMap<EntryId, (String, u32)>,
}

impl MissedTimes {
    /// Reads them from a chart, up to `now`.
    pub(super) fn of(planning: &Planning<'_>, forms: &ChartForms, now: TimestampMs) -> Self {
        let mut out = Self::default();
        for planned in &planning.instruments {
            let url = || planned.url.to_owned();
            out.limits.extend(planned.limits().map(|(entry, limit)| (entry, (url(), limit))));
            out.titles.insert(url(), forms.title(planned.url).to_owned());
            let list = planning.due_list_with_aside(planned, now);
            out.take(planned, &list, &planning.due_list_as_said(planned, now));
        }
        out
    }

    fn take(&mut self, planned: &PlannedInstrument<'_>, list: &DueList, before: &DueList) {
        let fates = fates(list, before);
        let mut order: Vec<(&Occurrence, Fate)> = fates.into_values().collect();
        order.sort_by(|(left, _), (right, _)| {
            let key = |one: &Occurrence| (one.planned_day, one.opens_at);
            key(left).cmp(&key(right)).then_with(|| left.name.to_string().cmp(&right.name.to_string()))
        });
        let (mut day, mut place) = (i64::MIN, 0_i64);
        for (one, fate) in order {
            place = if one.planned_day == day { place.saturating_add(1) } else { 0 };
            day = one.planned_day;
            let Some(entry) = planned.entry_of(one) else { continue };
            let place_ms = day_place(day).saturating_add(place);
            let is_by_aside = one.state.answer().is_some_and(|answer| planned.is_aside(answer));
            let time = PlannedTime { place_ms, entry, closes_at: one.closes_at, fate, is_by_aside };
            self.by_name.insert((planned.url.to_owned(), one.name.to_string()), time);
        }
    }

    /// What is known of a planned time.
    pub(super) fn get(&self, instrument: &str, occurrence: &str) -> Option<&PlannedTime> {
        self.by_name.get(&(instrument.to_owned(), occurrence.to_owned()))
    }

    /// Those that counted as missed: the input of alerts about rows of them.
    pub(super) fn missed(&self) -> Vec<Occasion> {
        let missed = self.by_name.iter().filter(|(_, time)| time.fate.was_missed());
        missed.map(|(name, time)| self.occasion(name, time)).collect()
    }

    /// Those that were answered before their close, and end rows of missed ones.
    pub(super) fn answered(&self) -> Vec<Report> {
        let answered = self.by_name.iter().filter(|(_, time)| time.fate == Fate::Answered);
        let report = |(name, time)| Report {
            occasion: self.occasion(name, time),
            versions: Vec::new(),
            ends_rows: true,
        };
        answered.map(report).collect()
    }

    fn occasion(&self, name: &Name, time: &PlannedTime) -> Occasion {
        let (instrument, occurrence) = name.clone();
        Occasion {
            planned_at_ms: time.place_ms,
            at_ms: time.closes_at.0,
            title: self.titles.get(&instrument).cloned().unwrap_or_default(),
            instrument,
            occurrence,
        }
    }

    /// The times of a questionnaire.
    fn of_instrument<'m>(
        &'m self,
        instrument: &'m str,
    ) -> impl Iterator<Item = (&'m str, &'m PlannedTime)> + 'm {
        let own = self.by_name.range((instrument.to_owned(), String::new())..);
        let own = own.take_while(move |((of, _), _)| of == instrument);
        own.map(|((_, occurrence), time)| (occurrence.as_str(), time))
    }

    /// The times of a questionnaire that were answered before their close, and stand before a place.
    pub(super) fn answered_in_time<'m>(
        &'m self,
        instrument: &'m str,
        before_ms: i64,
    ) -> impl Iterator<Item = &'m str> {
        let is_earlier = move |time: &PlannedTime| time.fate == Fate::Answered && time.place_ms < before_ms;
        self.of_instrument(instrument).filter(move |(_, time)| is_earlier(time)).map(|(name, _)| name)
    }

    /// Whether one of a questionnaire's times after this one was answered before its close.
    pub(super) fn answered_after(&self, instrument: &str, occurrence: &str) -> bool {
        let Some(reached) = self.get(instrument, occurrence) else { return false };
        let is_later = |time: &PlannedTime| time.fate == Fate::Answered && time.place_ms > reached.place_ms;
        self.of_instrument(instrument).any(|(_, time)| is_later(time))
    }

    /// The missed times of a row that begins at a planned time: up to the next one that was answered before its
    /// close.
    fn row<'m>(&'m self, instrument: &'m str, since: &str) -> Vec<&'m PlannedTime> {
        let Some(first) = self.get(instrument, since) else { return Vec::new() };
        let mut times: Vec<&PlannedTime> = self.of_instrument(instrument).map(|(_, time)| time).collect();
        times.retain(|time| time.place_ms >= first.place_ms);
        times.sort_by_key(|time| time.place_ms);
        let row = times.into_iter().take_while(|time| time.fate != Fate::Answered);
        row.filter(|time| time.fate.was_missed()).collect()
    }

    /// How many times of a row, which begins at a planned time, were answered after their close or excused.
    pub(super) fn since_then(&self, instrument: &str, since: &str) -> RowSince {
        let row = self.row(instrument, since);
        let count = |fate: Fate| row.iter().filter(|time| time.fate == fate).count();
        RowSince { answered_after_close: count(Fate::AnsweredAfterClose), excused: count(Fate::Excused) }
    }

    /// Whether one of these entries planned a time of a row.
    pub(super) fn is_planned_by(
        &self,
        (instrument, since): (&str, &str),
        entries: &BTreeSet<EntryId>,
    ) -> bool {
        self.row(instrument, since).iter().any(|time| entries.contains(&time.entry))
    }

    /// How many times around the begin of a row count as answered only by what is kept aside: without that the
    /// row would be another one.
    pub(super) fn aside_around(&self, instrument: &str, since: &str) -> usize {
        let Some(first) = self.get(instrument, since) else { return 0 };
        let times = || self.of_instrument(instrument).map(|(_, time)| time);
        let ends = || times().filter(|time| time.is_surely_answered()).map(|time| time.place_ms);
        let last_before = ends().filter(|place| *place < first.place_ms).max();
        let next_after = ends().filter(|place| *place > first.place_ms).min();
        let is_around = |time: &&PlannedTime| {
            last_before.is_none_or(|end| time.place_ms > end)
                && next_after.is_none_or(|end| time.place_ms < end)
        };
        times().filter(|time| time.is_by_aside).filter(is_around).count()
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

/// What became of each planned time, by what holds and by what was told before it and holds no more.
fn fates<'l>(list: &'l DueList, before: &'l DueList) -> BTreeMap<&'l OccurrenceName, (&'l Occurrence, Fate)> {
    let mut out: BTreeMap<&OccurrenceName, (&Occurrence, Fate)> =
        list.occurrences.iter().map(|one| (&one.name, (one, fate_of(one)))).collect();
    let told = before.occurrences.iter().filter(|one| fate_of(one).was_missed());
    for one in told.chain(&list.moved).chain(&before.moved) {
        let stands = out.get(&one.name).is_some_and(|(_, fate)| fate.was_missed() || *fate == Fate::Answered);
        if !stands {
            out.insert(&one.name, (one, Fate::Excused));
        }
    }
    out
}

fn fate_of(one: &Occurrence) -> Fate {
    match one.state {
        OccurrenceState::Completed(_) | OccurrenceState::CompletedLate { after_close: false, .. } => {
            Fate::Answered
        }
        OccurrenceState::CompletedLate { .. } if one.excuse.is_none() => Fate::AnsweredAfterClose,
        OccurrenceState::Missed => Fate::Missed,
        _ => Fate::Other,
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
