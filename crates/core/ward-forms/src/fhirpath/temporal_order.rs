//! How dates and times compare when one may be known less precisely than the other.
//!
//! Source: FHIRPath 2.0 §6.1.1 and §6.2: parts are compared from the year down; where one value ends
//! and the other goes on, the order is unknown.

use super::temporal::{Precision, Temporal, TemporalKind};
use crate::date_time::{date_from_days, days_from_epoch, days_in_month};
use std::cmp::Ordering;

/// The zones that a time without one may be in lie between 12 hours west and 14 hours east of UTC.
const WESTERNMOST_SECONDS: i64 = -12 * 3600;
const EASTERNMOST_SECONDS: i64 = 14 * 3600;

const DAY_SECONDS: i64 = 86_400;

impl Temporal {
    /// Whether the two have an order at all: a time of day has none with a date.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        (self.kind == TemporalKind::Time) == (other.kind == TemporalKind::Time)
    }

    /// The order of two values, when it is known. Equal means equal on every part of the same precision.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        if self.offset_min.is_some() != other.offset_min.is_some() {
            return self.order_despite_zone(other);
        }
        if !self.has_same_hours(other) {
            return Self::order_apart(self.span_in_utc(), other.span_in_utc());
        }
        let (left, right) = if self.offset_min == other.offset_min {
            (self.without_leap_second(), other.without_leap_second())
        } else {
            (self.in_utc(), other.in_utc())
        };
        let precision = left.precision.min(right.precision);
        for part in [
            Precision::Year,
            Precision::Month,
            Precision::Day,
            Precision::Hour,
            Precision::Minute,
            Precision::Second,
        ] {
            if part > precision {
                break;
            }
            let order = left.part(part).cmp(&right.part(part));
            if order != Ordering::Equal {
                return Some(order);
            }
        }
        (left.precision == right.precision).then_some(Ordering::Equal)
    }

    fn part(&self, precision: Precision) -> (i64, u32) {
        match precision {
            Precision::Year => (i64::from(self.year), 0),
            Precision::Month => (i64::from(self.month), 0),
            Precision::Day => (i64::from(self.day), 0),
            Precision::Hour => (i64::from(self.hour), 0),
            Precision::Minute => (i64::from(self.minute), 0),
            Precision::Second => (i64::from(self.second), self.nanos),
        }
    }

    /// Whether the hours of the two begin at the same minutes, where one of them is only known by its hour.
    fn has_same_hours(&self, other: &Self) -> bool {
        let apart_min = self.offset_min.unwrap_or(0) - other.offset_min.unwrap_or(0);
        apart_min % 60 == 0 || (self.precision > Precision::Hour && other.precision > Precision::Hour)
    }

    /// One has a zone and the other none, be it a date or a time: the order is known only when it is the
    /// same in every zone.
    fn order_despite_zone(&self, other: &Self) -> Option<Ordering> {
        Self::order_apart(self.span_in_utc(), other.span_in_utc())
    }

    /// The order of two spans of time that don't touch.
    fn order_apart(mine: (i64, i64), theirs: (i64, i64)) -> Option<Ordering> {
        if mine.1 <= theirs.0 {
            Some(Ordering::Less)
        } else if mine.0 >= theirs.1 {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    /// The seconds of UTC, from and up to, in which the value may lie.
    fn span_in_utc(&self) -> (i64, i64) {
        let from = self.seconds();
        let to = from + self.length_seconds();
        match self.offset_min {
            Some(minutes) => (from - i64::from(minutes) * 60, to - i64::from(minutes) * 60),
            None => (from - EASTERNMOST_SECONDS, to - WESTERNMOST_SECONDS),
        }
    }

    /// How long the last known part is.
    fn length_seconds(&self) -> i64 {
        let of_month = |month| i64::from(days_in_month(u32::try_from(self.year).unwrap_or(1), month));
        match self.precision {
            Precision::Year => (1..=12).map(of_month).sum::<i64>() * DAY_SECONDS,
            Precision::Month => of_month(self.month) * DAY_SECONDS,
            Precision::Day => DAY_SECONDS,
            Precision::Hour => 3600,
            Precision::Minute => 60,
            // The fraction lies within.
            Precision::Second => 1,
        }
    }

    /// Seconds from 1970-01-01T00:00 by the value's own clock.
    pub(super) fn seconds(&self) -> i64 {
        let days = days_from_epoch(self.year, self.month, self.day);
        days * 86_400 + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    /// The same value with its parts counted in UTC; unchanged if it has no zone.
    fn in_utc(&self) -> Self {
        match self.offset_min {
            Some(minutes) if minutes != 0 && self.precision >= Precision::Hour => {
                let whole_minutes = self.seconds().div_euclid(60) - i64::from(minutes);
                let mut utc = self.at_minute(whole_minutes);
                utc.offset_min = Some(0);
                utc
            }
            _ => self.without_leap_second(),
        }
    }

    /// A leap second is the first one of the next minute, as every clock counts it.
    fn without_leap_second(&self) -> Self {
        if self.second < 60 { *self } else { self.at_minute(self.seconds().div_euclid(60)) }
    }

    /// This value moved to another minute, its seconds kept. A leap second has moved the minute on.
    fn at_minute(&self, minutes_from_epoch: i64) -> Self {
        let (year, month, day) = date_from_days(minutes_from_epoch.div_euclid(1_440));
        let of_day = u32::try_from(minutes_from_epoch.rem_euclid(1_440)).unwrap_or(0);
        Self { year, month, day, hour: of_day / 60, minute: of_day % 60, second: self.second % 60, ..*self }
    }
}
