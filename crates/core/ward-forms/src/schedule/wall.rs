//! The clock on one wall: that of one device, as the zones tell in which it was seen.
//!
//! Between the last time in one zone and the first in another, either may be the one on the wall. A time
//! has come when it has come in every zone that is possible. So a journey lengthens the day on which it
//! is made, and never ends one that the traveller's own wall still shows.

use super::local_calendar::{DAY_MS, Span, civil, end_of_gap, milliseconds, naive_ms, offset_ms};
use super::local_time::LocalTime;
use crate::limits::{JOURNEY_MAX_MS, SCHEDULE_DAYS, ZONE_DISTANCE_MAX_MS};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use ward_id::TimestampMs;

/// The clock of one device.
#[derive(Debug, Clone)]
pub(super) struct Wall {
    /// In order; the first one reaches back for ever.
    stretches: Vec<Stretch>,
    /// When the device was first and last seen.
    pub(super) seen: Span,
}

/// From an instant on, the zones that may be those of the device.
#[derive(Debug, Clone)]
struct Stretch {
    from: TimestampMs,
    zone: TimeZone,
    /// Another one that is possible as well.
    or: Option<TimeZone>,
}

/// A row of sightings in one zone.
struct Stay {
    first: TimestampMs,
    last: TimestampMs,
    zone: TimeZone,
}

impl Wall {
    /// A wall that never moves.
    pub(super) fn of_zone(zone: TimeZone) -> Self {
        let always = TimestampMs(i64::MIN);
        let stretches = vec![Stretch { from: always, zone, or: None }];
        Self { stretches, seen: Span { first: always, last: TimestampMs(i64::MAX) } }
    }

    /// A wall that was seen in zones at instants, in any order; `None` if it was seen nowhere.
    pub(super) fn of_sightings(seen: impl IntoIterator<Item = (TimestampMs, TimeZone)>) -> Option<Self> {
        let mut seen: Vec<(TimestampMs, TimeZone)> = seen.into_iter().collect();
        seen.sort_by_key(|(at, _)| *at);
        let mut stays: Vec<Stay> = Vec::new();
        for (at, zone) in seen {
            match stays.last_mut() {
                Some(stay) if stay.zone == zone => stay.last = at,
                _ => stays.push(Stay { first: at, last: at, zone }),
            }
        }
        let span = Span { first: stays.first()?.first, last: stays.last()?.last };
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut before: Option<&Stay> = None;
        for stay in &stays {
            if let Some(before) = before {
                // What was seen at an instant is certain for that instant.
                let from = before.last.plus_ms(1).max(stay.first.plus_ms(-JOURNEY_MAX_MS));
                if from < stay.first {
                    let (zone, or) = (before.zone.clone(), Some(stay.zone.clone()));
                    stretches.push(Stretch { from, zone, or });
                }
            }
            let from = if before.is_none() { TimestampMs(i64::MIN) } else { stay.first };
            stretches.push(Stretch { from, zone: stay.zone.clone(), or: None });
            before = Some(stay);
        }
        Some(Self { stretches, seen: span })
    }

    /// The first instant at which the clock has come to a local time, in every zone that is possible.
    pub(super) fn first_at(&self, naive_ms: i64) -> TimestampMs {
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

    /// What it shows at an instant, in milliseconds since 1970 without a zone: the least of what is
    /// possible.
    pub(super) fn shown_ms(&self, at: TimestampMs) -> i64 {
        at.0.saturating_add(self.offsets_ms(at).min().unwrap_or_default())
    }

    /// The latest day that has begun on it, in any zone that is possible: the furthest that it may show, and
    /// what had begun before a clock was set back or a place further west was reached.
    pub(super) fn latest_day_at(&self, at: TimestampMs) -> i64 {
        let mut day = day_of(self.furthest_ms(at));
        while day < SCHEDULE_DAYS.end
            && self.first_at(naive_ms(day.saturating_add(1), LocalTime::MIDNIGHT)) <= at
        {
            day = day.saturating_add(1);
        }
        day
    }

    /// The most that it may show at an instant.
    fn furthest_ms(&self, at: TimestampMs) -> i64 {
        at.0.saturating_add(self.offsets_ms(at).max().unwrap_or_default())
    }

    /// How far the zones that are possible at an instant are from UTC.
    fn offsets_ms(&self, at: TimestampMs) -> impl Iterator<Item = i64> + '_ {
        let place = self.stretches.partition_point(|stretch| stretch.from <= at).saturating_sub(1);
        let zones = self.stretches.get(place).into_iter().flat_map(Stretch::zones);
        zones.map(move |zone| offset_ms(zone, at))
    }
}

impl Stretch {
    fn zones(&self) -> impl Iterator<Item = &TimeZone> {
        std::iter::once(&self.zone).chain(&self.or)
    }

    fn first_at(&self, naive_ms: i64) -> TimestampMs {
        self.zones().map(|zone| first_in(zone, naive_ms, self.from)).max().unwrap_or(TimestampMs(naive_ms))
    }
}

/// The first instant from one on at which the clocks of a zone have come to a local time.
fn first_in(zone: &TimeZone, naive_ms: i64, from: TimestampMs) -> TimestampMs {
    let at = |offset: Offset| TimestampMs(naive_ms.saturating_sub(milliseconds(offset)));
    let Some(local) = civil(naive_ms) else { return TimestampMs(naive_ms).max(from) };
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => at(offset).max(from),
        AmbiguousOffset::Gap { before, after } => end_of_gap(zone, naive_ms, before, after).max(from),
        AmbiguousOffset::Fold { before, .. } if at(before) >= from => at(before),
        // Who arrives between the two times sees the second.
        AmbiguousOffset::Fold { after, .. } => {
            let shown_ms = from.0.saturating_add(offset_ms(zone, from));
            if shown_ms >= naive_ms { from } else { at(after) }
        }
    }
}

/// The day of a local time.
pub(super) const fn day_of(naive_ms: i64) -> i64 {
    naive_ms.div_euclid(DAY_MS)
}
