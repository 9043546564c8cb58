//! Days of the calendar, for laws that are looked at again and waivers that end. No clock: whoever calls
//! says what day it is.

use std::fmt;

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

/// Days in 400 years of the Gregorian calendar.
const CYCLE_DAYS: i64 = 146_097;
/// Days from the first of March of the year 0 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

impl Day {
    /// A day by its number since 1970-01-01.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Reads a day such as `2026-11-30`; a day that the calendar does not have is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let is_plain = [(year, 4), (month, 2), (day, 2)]
            .into_iter()
            .all(|(part, digits)| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_plain || parts.next().is_some() {
            return None;
        }
        let found = Self::of(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        // What is written again in another way is no day: the thirtieth of February.
        (found.to_string() == text).then_some(found)
    }

    /// How many days it is after another one.
    #[must_use]
    pub const fn days_since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }

    /// So many days later.
    #[must_use]
    pub const fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Years begin in March here, so that the odd day of February comes last.
    fn of(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let cycle = year.div_euclid(400);
        let of_cycle = year.rem_euclid(400);
        let of_year = (153 * ((month + 9).rem_euclid(12)) + 2) / 5 + day - 1;
        let days = of_cycle * 365 + of_cycle / 4 - of_cycle / 100 + of_year;
        Self(cycle * CYCLE_DAYS + days - EPOCH_DAYS)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.saturating_add(EPOCH_DAYS);
        let (cycle, rest) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
        let of_cycle = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
        let of_year = rest - (365 * of_cycle + of_cycle / 4 - of_cycle / 100);
        let march_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = cycle * 400 + of_cycle + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_hundred_years_follows_the_one_before() {
        let first = Day::parse("1800-01-01").unwrap();
        let (mut year, mut month, mut day) = (1800, 1, 1);
        for number in 0..292_194 {
            let text = format!("{year:04}-{month:02}-{day:02}");
            let found = first.plus(number);
            assert_eq!(found.to_string(), text);
            assert_eq!(Day::parse(&text), Some(found));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i32::from(is_leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, last) if last == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(Day::parse("1970-01-01"), Some(Day::from_number(0)));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "2026-01-01x",
            "-026-01-01",
            "",
            "2026-01-01-",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        let (one, other) = (Day::parse("2024-02-28").unwrap(), Day::parse("2024-03-01").unwrap());
        assert_eq!(other.days_since(one), 2);
    }
}
