//! FHIR `date`, `dateTime` and `time` of any precision, and how they compare.
//!
//! Source: FHIR R4 §2.24.0.1 (primitive types). A partial date such as `2026-03`
//! is compared on the parts both sides have; if those are equal and one side is
//! more precise, the order is unknown.

use std::cmp::Ordering;

/// A parsed `date`, `dateTime` or `time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Calendar parts; 0 where the precision ends earlier.
    Date { year: i32, month: u32, day: u32 },
    /// An instant: seconds from 1970-01-01T00:00:00Z and nanoseconds.
    Instant { seconds: i64, nanos: u32 },
    /// A time of day: seconds from midnight and nanoseconds.
    TimeOfDay { seconds: u32, nanos: u32 },
}

impl Moment {
    /// Reads a FHIR `date`: year, year and month, or a full date.
    pub(crate) fn date(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = digits(parts.next()?, 4)?;
        let month = parts
            .next()
            .map(|part| digits(part, 2))
            .map_or(Some(0), |m| m.filter(|m| (1..=12).contains(m)))?;
        let day = match parts.next() {
            None => 0,
            Some(part) => digits(part, 2).filter(|day| (1..=days_in_month(year, month)).contains(day))?,
        };
        if parts.next().is_some() || year == 0 {
            return None;
        }
        Some(Self::Date { year: i32::try_from(year).ok()?, month, day })
    }

    /// Reads a FHIR `dateTime`: a date of any precision, or a full date with a
    /// time and a time zone.
    pub(crate) fn date_time(text: &str) -> Option<Self> {
        let Some((date, rest)) = text.split_once('T') else {
            return Self::date(text);
        };
        let Self::Date { year, month, day } = Self::date(date)? else {
            return None;
        };
        if day == 0 {
            return None;
        }
        let (time, offset_seconds) = split_zone(rest)?;
        let Self::TimeOfDay { seconds, nanos } = Self::time(time)? else {
            return None;
        };
        let seconds = days_from_epoch(year, month, day) * 86_400 + i64::from(seconds) - offset_seconds;
        Some(Self::Instant { seconds, nanos })
    }

    /// Reads a FHIR `time`: `hh:mm:ss` with an optional fraction.
    pub(crate) fn time(text: &str) -> Option<Self> {
        let (whole, fraction) = match text.split_once('.') {
            None => (text, None),
            Some((whole, fraction)) => (whole, Some(fraction)),
        };
        let mut parts = whole.split(':');
        let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
        let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
        // FHIR allows :60 for a leap second.
        let second = digits(parts.next()?, 2).filter(|second| *second <= 60)?;
        if parts.next().is_some() {
            return None;
        }
        let nanos = match fraction {
            None => 0,
            Some(fraction) => nanos(fraction)?,
        };
        Some(Self::TimeOfDay { seconds: hour * 3600 + minute * 60 + second, nanos })
    }

    /// The order of two moments, when it is known.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Date { year, month, day }, Self::Date { year: y, month: m, day: d }) => {
                let by_year = year.cmp(y);
                if by_year != Ordering::Equal {
                    return Some(by_year);
                }
                part_order(*month, *m)
                    .unwrap_or_else(|| part_order(*day, *d).unwrap_or(Some(Ordering::Equal)))
            }
            (Self::Instant { seconds, nanos }, Self::Instant { seconds: s, nanos: n }) => {
                Some((seconds, nanos).cmp(&(s, n)))
            }
            (Self::TimeOfDay { seconds, nanos }, Self::TimeOfDay { seconds: s, nanos: n }) => {
                Some((seconds, nanos).cmp(&(s, n)))
            }
            _ => None,
        }
    }

    /// The order of two moments when one may be a date and the other an instant.
    /// An instant counts as its day in UTC, so that a form stays in use until the
    /// end of its last day.
    pub(crate) fn order_by_day(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Instant { .. }, Self::Date { .. }) => self.to_date().order(other),
            (Self::Date { .. }, Self::Instant { .. }) => self.order(&other.to_date()),
            _ => self.order(other),
        }
    }

    fn to_date(self) -> Self {
        let Self::Instant { seconds, .. } = self else {
            return self;
        };
        let (year, month, day) = date_from_days(seconds.div_euclid(86_400));
        Self::Date { year, month, day }
    }
}

/// Compares one calendar part. `None` means: equal, go on to the next part;
/// `Some(None)`: the precision ends on one side only, so the order is unknown.
#[expect(clippy::option_option, reason = "three outcomes: go on, unknown, decided")]
fn part_order(left: u32, right: u32) -> Option<Option<Ordering>> {
    match (left, right) {
        (0, 0) => Some(Some(Ordering::Equal)),
        (0, _) | (_, 0) => Some(None),
        (left, right) if left == right => None,
        (left, right) => Some(Some(left.cmp(&right))),
    }
}

fn digits(text: &str, count: usize) -> Option<u32> {
    if text.len() != count || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn nanos(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Beyond nanoseconds nothing that people enter differs.
    let mut padded: String = fraction.chars().take(9).collect();
    while padded.len() < 9 {
        padded.push('0');
    }
    padded.parse().ok()
}

fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix('Z') {
        return Some((time, 0));
    }
    let at = text.rfind(['+', '-'])?;
    let (time, zone) = (text.get(..at)?, text.get(at..)?);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let hours = digits(hours, 2).filter(|hours| *hours <= 14)?;
    let minutes = digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    Some((time, sign * i64::from(hours * 3600 + minutes * 60)))
}

pub(crate) fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        0 => 0,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in 400-year
/// eras that start on 1 March so that the leap day comes last.
pub(crate) fn days_from_epoch(year: i32, month: u32, day: u32) -> i64 {
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The year, month and day that is so many days after 1970-01-01.
pub(crate) fn date_from_days(days_from_epoch: i64) -> (i32, u32, u32) {
    let days = days_from_epoch + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    (
        i32::try_from(year).unwrap_or(i32::MAX),
        u32::try_from(month).unwrap_or(0),
        u32::try_from(day).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_precision() {
        for text in ["2026", "2026-02", "2024-02-29", "1905-08-23"] {
            assert!(Moment::date(text).is_some(), "{text}");
        }
        for text in
            ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.5+02:00", "2026-03", "2015-02-07T13:28:17-05:00"]
        {
            assert!(Moment::date_time(text).is_some(), "{text}");
        }
        for text in ["00:00:00", "23:59:59.999", "23:59:60"] {
            assert!(Moment::time(text).is_some(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_date() {
        for text in
            ["", "26", "2026-13", "2026-00", "2026-02-29", "2026-2-1", "2026-02-01-01", "0000", "２０２６"]
        {
            assert_eq!(Moment::date(text), None, "{text}");
        }
        for text in
            ["2026-03T10:00:00Z", "2026-03-01T10:00:00", "2026-03-01T25:00:00Z", "2026-03-01T10:00:00+15:00"]
        {
            assert_eq!(Moment::date_time(text), None, "{text}");
        }
        for text in ["10:00", "10:00:00.", "24:00:00", "10:60:00", "1:00:00"] {
            assert_eq!(Moment::time(text), None, "{text}");
        }
    }

    #[test]
    fn known_instants() {
        let at = |text| Moment::date_time(text).unwrap();
        assert_eq!(at("1970-01-01T00:00:00Z"), Moment::Instant { seconds: 0, nanos: 0 });
        assert_eq!(at("2000-03-01T00:00:00Z"), Moment::Instant { seconds: 951_868_800, nanos: 0 });
        assert_eq!(at("2026-03-01T02:00:00+02:00"), at("2026-03-01T00:00:00Z"));
    }

    #[test]
    fn an_instant_counts_as_its_day_in_utc() {
        let day =
            |instant, date| Moment::date_time(instant).unwrap().order_by_day(&Moment::date(date).unwrap());
        assert_eq!(day("2024-02-29T23:59:59Z", "2024-02-29"), Some(Ordering::Equal));
        assert_eq!(day("2024-03-01T00:30:00+01:00", "2024-02-29"), Some(Ordering::Equal));
        assert_eq!(day("2024-03-01T00:00:00Z", "2024-02-29"), Some(Ordering::Greater));
        assert_eq!(day("1969-12-31T12:00:00Z", "1970-01-01"), Some(Ordering::Less));
        assert_eq!(day("2023-12-31T12:00:00Z", "2024"), Some(Ordering::Less));
    }

    #[test]
    fn partial_dates_compare_on_common_parts() {
        let order = |a, b| Moment::date(a).unwrap().order(&Moment::date(b).unwrap());
        assert_eq!(order("2025", "2026-05-01"), Some(Ordering::Less));
        assert_eq!(order("2026", "2026-05-01"), None);
        assert_eq!(order("2026-05", "2026-05-01"), None);
        assert_eq!(order("2026-06", "2026-05-01"), Some(Ordering::Greater));
        assert_eq!(order("2026-05", "2026-05"), Some(Ordering::Equal));
        assert_eq!(order("2026-05-01", "2026-05-01"), Some(Ordering::Equal));
    }
}
