//! The calendar on a participant's wall, wherever they are.
//!
//! A day begins when the participant's own calendar first shows it, and ends when it first shows a later
//! one. So each instant belongs to exactly one day, days follow one another without a gap, and a day
//! that was over never comes back: who flies west after midnight goes on in the day that had begun, and
//! who flies east has a shorter day.
//!
//! A time that the clock skips counts as the first one after it; of a time that it shows twice, the
//! first counts.

use crate::date_time::date_from_days;
use crate::limits::{MINUTES_PER_DAY, SCHEDULE_DAYS, ZONE_DISTANCE_MAX_MS};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use ward_id::TimestampMs;

use super::local_time::LocalTime;

pub(super) const DAY_MS: i64 = 86_400_000;
const MINUTE_MS: i64 = 60_000;
const SECOND_MS: i64 = 1_000;

/// Where a participant was, as time zones.
#[derive(Debug, Clone)]
pub struct LocalCalendar {
    /// In order; the first one reaches back for ever.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Clone)]
struct Stretch {
    from: TimestampMs,
    zone: TimeZone,
}

impl LocalCalendar {
    /// A calendar of somebody who never leaves a zone.
    #[must_use]
    pub fn of_zone(zone: TimeZone) -> Self {
        Self { stretches: vec![Stretch { from: TimestampMs(i64::MIN), zone }] }
    }

    /// A calendar of somebody who was seen in zones at instants, in any order. Before the first one
    /// they are taken to have been there already; in UTC if they were seen nowhere.
    #[must_use]
    pub fn of_travels(seen: impl IntoIterator<Item = (TimestampMs, TimeZone)>) -> Self {
        let mut seen: Vec<(TimestampMs, TimeZone)> = seen.into_iter().collect();
        seen.sort_by_key(|(at, _)| *at);
        seen.dedup_by(|later, earlier| later.1 == earlier.1);
        let mut stretches: Vec<Stretch> =
            seen.into_iter().map(|(from, zone)| Stretch { from, zone }).collect();
        match stretches.first_mut() {
            Some(first) => first.from = TimestampMs(i64::MIN),
            None => return Self::of_zone(TimeZone::UTC),
        }
        Self { stretches }
    }

    /// The first instant at which the clock has come to a time of a day.
    #[must_use]
    pub fn first_at(&self, day: i64, time: LocalTime) -> TimestampMs {
        let naive_ms = day
            .clamp(SCHEDULE_DAYS.start, SCHEDULE_DAYS.end)
            .saturating_mul(DAY_MS)
            .saturating_add(i64::from(time.minutes()).saturating_mul(MINUTE_MS));
        // No zone is further from UTC than this: what ended before cannot have come so far.
        let earliest = TimestampMs(naive_ms).plus_ms(-ZONE_DISTANCE_MAX_MS);
        let skip = self.stretches.partition_point(|stretch| stretch.from <= earliest).saturating_sub(1);
        let mut stretches = self.stretches.iter().skip(skip).peekable();
        let mut first = TimestampMs(naive_ms);
        while let Some(stretch) = stretches.next() {
            first = stretch.first_at(naive_ms);
            if stretches.peek().is_none_or(|next| first < next.from) {
                break;
            }
        }
        first
    }

    /// The first instant of a day.
    #[must_use]
    pub fn start_of(&self, day: i64) -> TimestampMs {
        self.first_at(day, LocalTime::MIDNIGHT)
    }

    /// The day to which an instant belongs.
    #[must_use]
    pub fn day_at(&self, at: TimestampMs) -> i64 {
        let range = (SCHEDULE_DAYS.start.saturating_mul(DAY_MS), SCHEDULE_DAYS.end.saturating_mul(DAY_MS));
        let at = TimestampMs(at.0.clamp(range.0, range.1));
        let (mut day, _) = self.shown_at(at);
        // A clock that was set back, or a place further west, shows a day again that is over.
        while day < SCHEDULE_DAYS.end && self.start_of(day.saturating_add(1)) <= at {
            day = day.saturating_add(1);
        }
        day
    }

    /// What the wall shows at an instant.
    #[must_use]
    pub fn shown_at(&self, at: TimestampMs) -> (i64, LocalTime) {
        let place = self.stretches.partition_point(|stretch| stretch.from <= at).saturating_sub(1);
        let offset = self.stretches.get(place).map_or(0, |stretch| offset_ms(&stretch.zone, at));
        let local_ms = at.0.saturating_add(offset);
        let minute = local_ms.rem_euclid(DAY_MS) / MINUTE_MS;
        let minute = u16::try_from(minute).unwrap_or_default();
        let time = LocalTime::new(minute / 60, minute % 60).unwrap_or(LocalTime::MIDNIGHT);
        (local_ms.div_euclid(DAY_MS), time)
    }
}

impl Stretch {
    /// The first instant from its beginning on at which its clock has come to a local time.
    fn first_at(&self, naive_ms: i64) -> TimestampMs {
        let at = |offset: Offset| TimestampMs(naive_ms.saturating_sub(milliseconds(offset)));
        let Some(local) = civil(naive_ms) else { return TimestampMs(naive_ms).max(self.from) };
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).max(self.from),
            AmbiguousOffset::Gap { before, after } => {
                end_of_gap(&self.zone, naive_ms, before, after).max(self.from)
            }
            AmbiguousOffset::Fold { before, .. } if at(before) >= self.from => at(before),
            // Who arrives between the two times sees the second.
            AmbiguousOffset::Fold { after, .. } => {
                let shown_ms = self.from.0.saturating_add(offset_ms(&self.zone, self.from));
                if shown_ms >= naive_ms { self.from } else { at(after) }
            }
        }
    }
}

fn milliseconds(offset: Offset) -> i64 {
    i64::from(offset.seconds()).saturating_mul(SECOND_MS)
}

fn offset_ms(zone: &TimeZone, at: TimestampMs) -> i64 {
    Timestamp::from_millisecond(at.0).map_or(0, |at| milliseconds(zone.to_offset(at)))
}

/// The instant at which the clocks of a zone skip a local time.
fn end_of_gap(zone: &TimeZone, naive_ms: i64, before: Offset, after: Offset) -> TimestampMs {
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

fn civil(naive_ms: i64) -> Option<DateTime> {
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
