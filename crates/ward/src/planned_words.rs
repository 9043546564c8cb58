//! Planned times in words: whoever answers sees for which one.

use ward_client::views::calendar::iso_day;
use ward_forms::schedule::OccurrenceName;

const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A planned time by its name: `Monday 2 March 2026`, `Monday 2 March 2026, time 2`, `baseline`,
/// `day-1 of cycle 3`. A name that no schedule makes stays as it is.
pub fn planned_words(name: &str) -> String {
    match OccurrenceName::parse(name) {
        Some(OccurrenceName::Day { day, slot: 1 }) => date_words(day),
        Some(OccurrenceName::Day { day, slot }) => format!("{}, time {slot}", date_words(day)),
        Some(OccurrenceName::Visit { item }) => item,
        Some(OccurrenceName::Cycle { item, cycle }) => format!("{item} of cycle {cycle}"),
        None => name.to_owned(),
    }
}

/// A day, counted from 1970-01-01, which was a Thursday.
pub fn date_words(day: i64) -> String {
    let weekday = usize::try_from(day.rem_euclid(7)).ok().and_then(|place| WEEKDAYS.get(place));
    let date = iso_day(day);
    let mut parts = date.split('-');
    let (year, month, of_month) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()).and_then(|month| {
        let place = month.checked_sub(1)?;
        MONTHS.get(place)
    });
    match (weekday, year, month, of_month) {
        (Some(weekday), Some(year), Some(month), Some(of_month)) => {
            format!("{weekday} {} {month} {year}", of_month.trim_start_matches('0'))
        }
        _ => date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_times_are_told_in_words() {
        let words =
            ["2026-03-02", "2026-03-02/2", "1970-01-01", "2024-02-29", "baseline", "day-1/3", "Tuesday!"];
        assert_eq!(
            words.map(planned_words),
            [
                "Monday 2 March 2026",
                "Monday 2 March 2026, time 2",
                "Thursday 1 January 1970",
                "Thursday 29 February 2024",
                "baseline",
                "day-1 of cycle 3",
                "Tuesday!"
            ]
        );
        assert_eq!(date_words(-1), "Wednesday 31 December 1969");
    }
}
