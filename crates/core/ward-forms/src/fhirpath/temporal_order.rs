//! How dates and times compare when one may be known less precisely than the other.
//!
//! Source: FHIRPath 2.0 §6.1.1 and §6.2: parts are compared from the year down; where one value ends
//! and the other goes on, the order is unknown.

use super::temporal::{Precision, Temporal, TemporalKind};
use crate::date_time::{date_from_days, days_from_epoch};
use std::cmp::Ordering;

/// Zones lie between 12 hours west and 14 hours east of UTC; the hour beyond covers a value whose
/// minutes are not known.
const ZONE_DOUBT_SECONDS: i64 = 15 * 3600;

impl Temporal {
    /// Whether the two have an order at all: a time of day has none with a date.
    pub(super) fn is_comparable(&self, other: &Self) -> bool {
        (self.kind == TemporalKind::Time) == (other.kind == TemporalKind::Time)
    }

    /// The order of two values, when it is known. Equal means equal on every part of the same precision.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        let have_clocks = self.precision >= Precision::Hour && other.precision >= Precision::Hour;
        if have_clocks && self.offset_min.is_some() != other.offset_min.is_some() {
            return self.order_despite_zone(other);
        }
        let (left, right) = if self.offset_min == other.offset_min {
            (*self, *other)
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

    /// One has a zone and the other none: the order is known only when no zone could change it.
    fn order_despite_zone(&self, other: &Self) -> Option<Ordering> {
        let seconds = self.in_utc().seconds() - other.in_utc().seconds();
        (seconds.abs() > ZONE_DOUBT_SECONDS).then(|| seconds.cmp(&0))
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
            _ => *self,
        }
    }

    /// This value moved to another minute, its seconds kept. A leap second has moved the minute on.
    fn at_minute(&self, minutes_from_epoch: i64) -> Self {
        let (year, month, day) = date_from_days(minutes_from_epoch.div_euclid(1_440));
        let of_day = u32::try_from(minutes_from_epoch.rem_euclid(1_440)).unwrap_or(0);
        Self { year, month, day, hour: of_day / 60, minute: of_day % 60, second: self.second % 60, ..*self }
    }
}
