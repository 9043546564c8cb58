//! The calendar on a participant's wall, wherever they are.
//!
//! One device has one wall. Its days follow one another without a gap and each instant belongs to exactly
//! one of them; a day that was over never comes back. Who was seen in the new day and
//! flies west goes on in it, and who flies east has a shorter day.
//!
//! Several devices may show several zones, and a person whom nobody has seen may be anywhere. Then a day
//! begins when it begins on the first of their walls, and is over when it is over on the last: nobody is
//! too late by a clock at which they did not look. A participant's own device opens a day by its own wall.
//!
//! A time that the clock skips counts as the first one after it; of a time that it shows twice, the
//! first counts.

use super::local_time::LocalTime;
use super::wall::{Wall, day_of};
use crate::date_time::date_from_days;
use crate::limits::{
    DEVICE_SILENT_MS, FURTHEST_EAST_S, FURTHEST_WEST_S, JOURNEY_MAX_MS, MINUTES_PER_DAY, SCHEDULE_DAYS,
};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use ward_id::TimestampMs;

pub(super) const DAY_MS: i64 = 86_400_000;
pub(super) const MINUTE_MS: i64 = 60_000;
const SECOND_MS: i64 = 1_000;

/// Where a participant was, as time zones.
#[derive(Debug, Clone)]
pub struct LocalCalendar {
    /// At least one.
    walls: Vec<Wall>,
    /// The wall of the device that asks.
    own: Option<usize>,
}

/// From one instant to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first: TimestampMs,
    pub(super) last: TimestampMs,
}

/// Instants with the zones in which a device was seen, in any order.
pub type Sightings = Vec<(TimestampMs, TimeZone)>;

impl LocalCalendar {
    /// A calendar of somebody who never leaves a zone.
    #[must_use]
    pub fn of_zone(zone: TimeZone) -> Self {
        Self { walls: vec![Wall::of_zone(zone)], own: None }
    }

    /// A calendar of somebody of whom nobody knows where they are: a day begins where it begins first on
    /// Earth, and is over where it is over last.
    #[must_use]
    pub fn anywhere() -> Self {
        let fixed = |seconds: i32| Offset::from_seconds(seconds).unwrap_or(Offset::UTC).to_time_zone();
        let walls = [FURTHEST_EAST_S, FURTHEST_WEST_S].map(|seconds| Wall::of_zone(fixed(seconds)));
        Self { walls: walls.into(), own: None }
    }

    /// A calendar of somebody who was seen with one device. Before the first sighting they are taken to
    /// have been there already.
    #[must_use]
    pub fn of_travels(seen: impl IntoIterator<Item = (TimestampMs, TimeZone)>) -> Self {
        Self::of_devices([seen.into_iter().collect()], None)
    }

    /// A calendar of somebody with several devices; `own` is the one that asks, which counts beside the
    /// others. Of whom nothing was seen, [`LocalCalendar::anywhere`].
    #[must_use]
    pub fn of_devices(devices: impl IntoIterator<Item = Sightings>, own: Option<Sightings>) -> Self {
        let mut walls: Vec<Wall> = devices.into_iter().filter_map(Wall::of_sightings).collect();
        let of_own = own.and_then(Wall::of_sightings);
        let own = of_own.is_some().then_some(walls.len());
        walls.extend(of_own);
        if walls.is_empty() { Self::anywhere() } else { Self { walls, own } }
    }

    /// The first instant at which the clock has come to a time of a day: on the wall of the device that
    /// asks, else on the first of all.
    #[must_use]
    pub fn first_at(&self, day: i64, time: LocalTime) -> TimestampMs {
        let naive_ms = naive_ms(day, time);
        match self.own.and_then(|own| self.walls.get(own)) {
            Some(own) => own.first_at(naive_ms),
            None => self.on_walls(naive_ms).min().unwrap_or(TimestampMs(naive_ms)),
        }
    }

    /// The first instant at which the clock has come to a time of a day on every wall.
    #[must_use]
    pub fn over_at(&self, day: i64, time: LocalTime) -> TimestampMs {
        let naive_ms = naive_ms(day, time);
        self.on_walls(naive_ms).max().unwrap_or(TimestampMs(naive_ms))
    }

    /// When each wall that counts then comes to a local time.
    fn on_walls(&self, naive_ms: i64) -> impl Iterator<Item = TimestampMs> + '_ {
        let all = move || self.walls.iter().enumerate().map(move |(n, wall)| (n, wall.first_at(naive_ms)));
        let counted = move |(n, at): &(usize, TimestampMs)| self.counts(*n, *at);
        let any = self.walls.len() == 1 || !all().any(|one| counted(&one));
        all().filter(move |one| any || counted(one)).map(|(_, at)| at)
    }

    /// Whether a wall counts at an instant: a device that was put away ends no day, and one that was not
    /// there yet began none.
    fn counts(&self, number: usize, at: TimestampMs) -> bool {
        let Some(wall) = self.walls.get(number) else { return false };
        let mut others = self.walls.iter().enumerate().filter(|(n, _)| *n != number);
        let is_gone = at > wall.seen.last.plus_ms(DEVICE_SILENT_MS)
            && others.any(|(_, other)| other.seen.last > wall.seen.last);
        !self.is_early(number, at) && !is_gone
    }

    /// Whether a device was not there yet at an instant, and another one was seen before it.
    fn is_early(&self, number: usize, at: TimestampMs) -> bool {
        let Some(wall) = self.walls.get(number) else { return false };
        at < wall.seen.first.plus_ms(-JOURNEY_MAX_MS)
            && self.walls.iter().any(|other| other.seen.first < wall.seen.first)
    }

    /// The first instant of a day.
    #[must_use]
    pub fn start_of(&self, day: i64) -> TimestampMs {
        self.first_at(day, LocalTime::MIDNIGHT)
    }

    /// The first instant at which a day is over.
    #[must_use]
    pub fn end_of(&self, day: i64) -> TimestampMs {
        self.over_at(day.saturating_add(1), LocalTime::MIDNIGHT)
    }

    /// The day to which an instant belongs: the last one that has begun.
    #[must_use]
    pub fn day_at(&self, at: TimestampMs) -> i64 {
        let at = within_schedule_days(at);
        let (mut day, _) = self.shown_at(at);
        // A clock that was set back, or a place further west, shows a day again that is over.
        while day < SCHEDULE_DAYS.end && self.start_of(day.saturating_add(1)) <= at {
            day = day.saturating_add(1);
        }
        // What the wall shows may not have begun on the walls that count.
        while day > SCHEDULE_DAYS.start && self.start_of(day) > at {
            day = day.saturating_sub(1);
        }
        day
    }

    /// The latest day that has begun at an instant on any wall that was there then, in any zone that is possible
    /// there, whichever device asks: no later one was asked for yet. A device that comes later changes nothing
    /// of it.
    #[must_use]
    pub fn latest_day_at(&self, at: TimestampMs) -> i64 {
        let at = within_schedule_days(at);
        let there = self.walls.iter().enumerate().filter(|(number, _)| !self.is_early(*number, at));
        let latest = there.map(|(_, wall)| wall.latest_day_at(at)).max();
        latest.unwrap_or_else(|| self.day_at(at))
    }

    /// What the wall shows at an instant: that of the device that asks, else the one that was seen last.
    #[must_use]
    pub fn shown_at(&self, at: TimestampMs) -> (i64, LocalTime) {
        let own = self.own.and_then(|own| self.walls.get(own));
        let wall = own.or_else(|| self.walls.iter().max_by_key(|wall| wall.seen.last));
        let local_ms = wall.map_or(at.0, |wall| wall.shown_ms(at));
        let minute = u16::try_from(local_ms.rem_euclid(DAY_MS) / MINUTE_MS).unwrap_or_default();
        let time = LocalTime::new(minute / 60, minute % 60).unwrap_or(LocalTime::MIDNIGHT);
        (day_of(local_ms), time)
    }
}

/// The nearest instant of the days on which something may be planned.
fn within_schedule_days(at: TimestampMs) -> TimestampMs {
    let (first, end) = (SCHEDULE_DAYS.start.saturating_mul(DAY_MS), SCHEDULE_DAYS.end.saturating_mul(DAY_MS));
    TimestampMs(at.0.clamp(first, end))
}

/// A time of a day in milliseconds since 1970 without a zone.
pub(super) fn naive_ms(day: i64, time: LocalTime) -> i64 {
    let day = day.clamp(SCHEDULE_DAYS.start, SCHEDULE_DAYS.end);
    day.saturating_mul(DAY_MS).saturating_add(i64::from(time.minutes()).saturating_mul(MINUTE_MS))
}

pub(super) fn milliseconds(offset: Offset) -> i64 {
    i64::from(offset.seconds()).saturating_mul(SECOND_MS)
}

pub(super) fn offset_ms(zone: &TimeZone, at: TimestampMs) -> i64 {
    Timestamp::from_millisecond(at.0).map_or(0, |at| milliseconds(zone.to_offset(at)))
}

/// The instant at which the clocks of a zone skip a local time.
pub(super) fn end_of_gap(zone: &TimeZone, naive_ms: i64, before: Offset, after: Offset) -> TimestampMs {
    // Between these two the clocks are moved once; zones move them at whole seconds.
    let mut low_s = naive_ms.saturating_sub(milliseconds(after)).div_euclid(SECOND_MS);
    let mut high_s = naive_ms.saturating_sub(milliseconds(before)).div_euclid(SECOND_MS);
    while high_s.saturating_sub(low_s) > 1 {
        let middle_s = low_s.midpoint(high_s);
        if offset_ms(zone, TimestampMs(middle_s.saturating_mul(SECOND_MS))) == milliseconds(before) {
            low_s = middle_s;
        } else {
            high_s = middle_s;
        }
    }
    TimestampMs(high_s.saturating_mul(SECOND_MS))
}

pub(super) fn civil(naive_ms: i64) -> Option<DateTime> {
    let (year, month, day) = date_from_days(naive_ms.div_euclid(DAY_MS));
    let minute = naive_ms.rem_euclid(DAY_MS) / MINUTE_MS;
    let minutes = i64::from(MINUTES_PER_DAY);
    let (hour, minute) = (minute % minutes / 60, minute % 60);
    DateTime::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        0,
        0,
    )
    .ok()
}
