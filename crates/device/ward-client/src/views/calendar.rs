//! UTC days and instants as text (ISO 8601, proleptic Gregorian calendar). No time zone data: an
//! entry's own zone is shown beside its instant where it matters.

use crate::limits::DAY_MAX;
use ward_id::TimestampMs;

/// Milliseconds of a UTC day.
pub const DAY_MS: i64 = 86_400_000;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_FROM_MARCH_0: i64 = 719_468;
/// Days of 400 years.
const ERA_DAYS: i64 = 146_097;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CivilDate {
    /// The year; 0 is the year before 1.
    pub year: i64,
    /// The month, from 1.
    pub month: i64,
    /// The day of the month, from 1.
    pub day: i64,
}

/// The date of a day counted from 1970-01-01. Years are counted from March, so that the leap day
/// is the last one and months have a regular pattern of 153 days in five.
pub const fn civil_date(day: i64) -> CivilDate {
    let day = if day > DAY_MAX {
        DAY_MAX
    } else if day < -DAY_MAX {
        -DAY_MAX
    } else {
        day
    };
    let from_march = day + EPOCH_FROM_MARCH_0;
    let era = from_march.div_euclid(ERA_DAYS);
    let in_era = from_march.rem_euclid(ERA_DAYS);
    let year_in_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_in_era + year_in_era / 4 - year_in_era / 100);
    let month_from_march = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_in_era + era * 400 + if month <= 2 { 1 } else { 0 };
    CivilDate { year, month, day }
}

/// The day of a date, counted from 1970-01-01.
pub const fn day_number(date: CivilDate) -> i64 {
    let year = if date.month <= 2 { date.year - 1 } else { date.year };
    let era = year.div_euclid(400);
    let year_in_era = year.rem_euclid(400);
    let month_from_march = if date.month > 2 { date.month - 3 } else { date.month + 9 };
    let in_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    let in_era = year_in_era * 365 + year_in_era / 4 - year_in_era / 100 + in_year;
    era * ERA_DAYS + in_era - EPOCH_FROM_MARCH_0
}

/// `YYYY-MM-DD`; a sign stands before years outside 0 to 9999.
pub fn iso_day(day: i64) -> String {
    let CivilDate { year, month, day } = civil_date(day);
    match year {
        0..=9_999 => format!("{year:04}-{month:02}-{day:02}"),
        10_000.. => format!("+{year}-{month:02}-{day:02}"),
        _ => format!("-{:04}-{month:02}-{day:02}", -year),
    }
}

/// The day that a text of the form `YYYY-MM-DD` names; `None` for anything else.
pub fn parse_iso_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse::<i64>().ok() } else { None }
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let date = CivilDate { year, month, day };
    let number = day_number(date);
    (civil_date(number) == date).then_some(number)
}

/// `YYYY-MM-DDThh:mm:ss.mmmZ`.
pub fn iso_instant(at: TimestampMs) -> String {
    let in_day = at.0.rem_euclid(DAY_MS);
    let (hours, minutes) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (seconds, millis) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z", iso_day(at.utc_day()))
}

/// As [`iso_instant`], for FHIR: `None` outside the years 1 to 9999, which FHIR R4 cannot write.
pub fn fhir_instant(at: TimestampMs) -> Option<String> {
    let writable = (1..=9_999).contains(&civil_date(at.utc_day()).year);
    writable.then(|| iso_instant(at))
}

/// `YYYY-MM-DD hh:mm UTC`, for people.
pub fn plain_minute(at: TimestampMs) -> String {
    let minutes = at.0.rem_euclid(DAY_MS) / 60_000;
    format!("{} {:02}:{:02} UTC", iso_day(at.utc_day()), minutes / 60, minutes % 60)
}

/// The first instant of a day.
pub const fn day_start(day: i64) -> TimestampMs {
    TimestampMs(day.saturating_mul(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates() {
        for (day, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
            (-719_528, "0000-01-01"),
            (2_932_896, "9999-12-31"),
        ] {
            assert_eq!(iso_day(day), text);
            assert_eq!(parse_iso_day(text), Some(day));
        }
        assert_eq!(iso_day(2_932_897), "+10000-01-01");
        assert_eq!(iso_day(-719_529), "-0001-12-31");
        for odd in
            ["", "2026-2-01", "2026-02-30", "2026-13-01", "2026-02-01T00:00", "+026-01-01", "2026-00-10"]
        {
            assert_eq!(parse_iso_day(odd), None, "{odd}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = civil_date(-1_000);
        for day in -999..146_097 {
            let date = civil_date(day);
            assert_eq!(day_number(date), day);
            let next_day =
                date.day == before.day + 1 && (date.month, date.year) == (before.month, before.year);
            let next_month = date.day == 1 && before.day >= 28 && date.month == before.month % 12 + 1;
            assert!(date > before && (next_day || next_month), "{before:?} {date:?}");
            before = date;
        }
    }

    #[test]
    fn instants() {
        let at = TimestampMs(1_772_438_400_123);
        assert_eq!(iso_instant(at), "2026-03-02T08:00:00.123Z");
        assert_eq!(plain_minute(at), "2026-03-02 08:00 UTC");
        assert_eq!(iso_instant(TimestampMs(-1)), "1969-12-31T23:59:59.999Z");
        assert_eq!(fhir_instant(at).as_deref(), Some("2026-03-02T08:00:00.123Z"));
        for far in [TimestampMs(i64::MIN), TimestampMs(i64::MAX)] {
            assert_eq!(fhir_instant(far), None);
            assert!(!iso_instant(far).is_empty());
        }
        assert_eq!(iso_day(i64::MAX), iso_day(DAY_MAX));
    }
}
