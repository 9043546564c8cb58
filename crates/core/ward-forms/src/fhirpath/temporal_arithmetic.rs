//! Adding durations to dates and times, and their earliest and latest readings.
//!
//! Source: FHIRPath 2.0 §6.6.8 and §6.6.9; boundaries: FHIRPath STU `lowBoundary`, `highBoundary`.

use super::temporal::{Precision, Temporal, TemporalKind};
use crate::date_time::{date_from_days, days_from_epoch, days_in_month};
use crate::limits::MAX_DAYS_FROM_EPOCH;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};

/// A unit of time that can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeUnit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl TimeUnit {
    /// The unit that a word of FHIRPath names, singular or plural.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        match word.strip_suffix('s').unwrap_or(word) {
            "year" => Some(Self::Year),
            "month" => Some(Self::Month),
            "week" => Some(Self::Week),
            "day" => Some(Self::Day),
            "hour" => Some(Self::Hour),
            "minute" => Some(Self::Minute),
            "second" => Some(Self::Second),
            "millisecond" => Some(Self::Millisecond),
            _ => None,
        }
    }

    /// The unit that a UCUM code names, if it has the same length on every calendar: `a` and `mo`
    /// are means, not years and months of a calendar.
    pub(super) fn from_ucum(code: &str) -> Option<Self> {
        match code {
            "wk" => Some(Self::Week),
            "d" => Some(Self::Day),
            "h" => Some(Self::Hour),
            "min" => Some(Self::Minute),
            "s" => Some(Self::Second),
            "ms" => Some(Self::Millisecond),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }

    fn nanos(self) -> i128 {
        match self {
            // By definition, where a year or a month is added to something of other parts.
            Self::Year => 365 * 86_400 * 1_000_000_000,
            Self::Month => 30 * 86_400 * 1_000_000_000,
            Self::Week => 7 * 86_400 * 1_000_000_000,
            Self::Day => 86_400 * 1_000_000_000,
            Self::Hour => 3_600 * 1_000_000_000,
            Self::Minute => 60 * 1_000_000_000,
            Self::Second => 1_000_000_000,
            Self::Millisecond => 1_000_000,
        }
    }
}

const NANOS_PER_DAY: i128 = 86_400 * 1_000_000_000;

impl Temporal {
    /// This value, later by an amount of a unit. Nothing if the result is not a date that can be
    /// written, or if a time of day is to move by a unit of the calendar.
    pub(super) fn plus(&self, amount: Decimal, unit: TimeUnit) -> Option<Self> {
        // Fractions of anything longer than a second are ignored.
        let is_short = matches!(unit, TimeUnit::Second | TimeUnit::Millisecond);
        let amount = if is_short { amount } else { amount.trunc() };
        match unit {
            TimeUnit::Year | TimeUnit::Month => {
                if self.kind == TemporalKind::Time {
                    return None;
                }
                let per_unit = if unit == TimeUnit::Year { 12 } else { 1 };
                self.plus_months(amount.to_i64()?.checked_mul(per_unit)?)
            }
            _ => {
                let per_unit = Decimal::from_i128(unit.nanos())?;
                self.plus_nanos(amount.checked_mul(per_unit)?.trunc().to_i128()?)
            }
        }
    }

    fn plus_months(&self, months: i64) -> Option<Self> {
        // What ends at the year moves by whole years.
        let months = if self.precision == Precision::Year { months / 12 * 12 } else { months };
        let total = i64::from(self.year)
            .checked_mul(12)?
            .checked_add(i64::from(self.month) - 1)?
            .checked_add(months)?;
        let year = i32::try_from(total.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
        let month = u32::try_from(total.rem_euclid(12)).ok()? + 1;
        // The last day of the month stands in for a day that the month doesn't have.
        let day = self.day.min(days_in_month(u32::try_from(year).ok()?, month));
        Some(Self { year, month, day, ..*self })
    }

    fn plus_nanos(&self, nanos: i128) -> Option<Self> {
        match self.precision {
            Precision::Year => {
                let years = i64::try_from(nanos / TimeUnit::Year.nanos()).ok()?;
                return self.plus_months(years.checked_mul(12)?);
            }
            Precision::Month => {
                return self.plus_months(i64::try_from(nanos / TimeUnit::Month.nanos()).ok()?);
            }
            _ => {}
        }
        // Only whole parts of the value's own precision can be added to it.
        let part = match self.precision {
            Precision::Hour => TimeUnit::Hour.nanos(),
            Precision::Minute => TimeUnit::Minute.nanos(),
            Precision::Second => 1,
            _ => NANOS_PER_DAY,
        };
        let nanos = nanos / part * part;
        let of_day = i128::from(self.hour) * 3_600_000_000_000
            + i128::from(self.minute) * 60_000_000_000
            + i128::from(self.second) * 1_000_000_000
            + i128::from(self.nanos);
        let days = i128::from(days_from_epoch(self.year, self.month, self.day));
        let is_time = self.kind == TemporalKind::Time;
        let total = if is_time {
            of_day.checked_add(nanos)?.rem_euclid(NANOS_PER_DAY)
        } else {
            days.checked_mul(NANOS_PER_DAY)?.checked_add(of_day)?.checked_add(nanos)?
        };
        let mut moved = *self;
        if !is_time {
            let days = i64::try_from(total.div_euclid(NANOS_PER_DAY)).ok()?;
            // Beyond this the calendar has no year of four digits.
            if days.abs() > MAX_DAYS_FROM_EPOCH {
                return None;
            }
            (moved.year, moved.month, moved.day) = date_from_days(days);
            if !(1..=9999).contains(&moved.year) {
                return None;
            }
        }
        moved.set_clock(u64::try_from(total.rem_euclid(NANOS_PER_DAY)).ok()?);
        if moved.nanos != 0 {
            moved.fraction_digits = moved.fraction_digits.max(3);
            if !moved.nanos.is_multiple_of(1_000_000) {
                moved.fraction_digits = 9;
            }
        }
        Some(moved)
    }

    fn set_clock(&mut self, nanos_of_day: u64) {
        let part = |value: u64| u32::try_from(value).unwrap_or(0);
        let seconds = nanos_of_day / 1_000_000_000;
        self.nanos = part(nanos_of_day % 1_000_000_000);
        self.hour = part(seconds / 3600);
        self.minute = part(seconds / 60 % 60);
        self.second = part(seconds % 60);
    }

    /// How many digits the value has: 4 for a year, 8 for a date, 17 for a time to the millisecond.
    pub(super) fn digits(&self) -> i32 {
        let whole = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14 + i32::from(self.fraction_digits),
        };
        if self.kind == TemporalKind::Time { whole - 8 } else { whole }
    }

    /// The earliest or latest reading of this value, with so many digits. Nothing if that many digits
    /// don't end at a part.
    pub(super) fn boundary(&self, digits: Option<i32>, is_high: bool) -> Option<Self> {
        let most = match self.kind {
            TemporalKind::Date => 8,
            TemporalKind::DateTime => 17,
            TemporalKind::Time => 9,
        };
        let digits = digits.unwrap_or(most);
        let of_date = if self.kind == TemporalKind::Time { digits.checked_add(8)? } else { digits };
        let precision = match of_date {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 | 17 => Precision::Second,
            _ => return None,
        };
        if digits > most || (self.kind == TemporalKind::Time && precision < Precision::Hour) {
            return None;
        }
        let mut bound = *self;
        if is_high {
            bound.fill_highest();
        }
        if precision >= Precision::Hour && self.kind == TemporalKind::DateTime {
            // A time without a zone began first in the easternmost zone and ends last in the westernmost.
            let outermost = if is_high { -12 * 60 } else { 14 * 60 };
            bound.offset_min = bound.offset_min.or(Some(outermost));
        } else {
            bound.offset_min = None;
        }
        bound.precision = precision;
        bound.fraction_digits = if of_date == 17 { 3 } else { 0 };
        Some(bound.without_lower_parts())
    }

    fn fill_highest(&mut self) {
        let known = self.precision;
        if known < Precision::Month {
            self.month = 12;
        }
        if known < Precision::Day && self.kind != TemporalKind::Time {
            self.day = days_in_month(u32::try_from(self.year).unwrap_or(1), self.month);
        }
        if known < Precision::Hour {
            self.hour = 23;
        }
        if known < Precision::Minute {
            self.minute = 59;
        }
        if known < Precision::Second {
            self.second = 59;
        }
        // What was written of the fraction stays, down to the millisecond.
        if let Some(digits) = 3_u32.checked_sub(u32::from(self.fraction_digits)) {
            self.nanos += (10_u32.pow(digits) - 1) * 1_000_000;
        }
    }

    /// Parts beyond the precision hold their least value again.
    fn without_lower_parts(mut self) -> Self {
        let precision = self.precision;
        if precision < Precision::Month {
            self.month = 1;
        }
        if precision < Precision::Day {
            self.day = 1;
        }
        if precision < Precision::Hour {
            self.hour = 0;
        }
        if precision < Precision::Minute {
            self.minute = 0;
        }
        if precision < Precision::Second {
            self.second = 0;
        }
        if self.fraction_digits == 0 {
            self.nanos = 0;
        }
        self
    }
}
