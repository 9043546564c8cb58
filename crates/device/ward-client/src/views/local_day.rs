//! Which day it was for the person who wrote: the calendar day in the zone of the entry, not in UTC.
//! A diary of Monday that is written at 22:30 in New York is one of Monday.
//!
//! An entry names its zone (IANA) and no offset; the rules of zones come from the machine. A zone
//! that the machine does not know, and every zone where these rules are not at hand (a browser),
//! counts as UTC.

use super::calendar::iso_instant;
use super::schedule::Here;
use ward_crypto::Role;
use ward_forms::schedule::{LocalCalendar, TimeZone};
use ward_id::TimestampMs;
use ward_sync::{ChartTimes, ChartView, EntryTime};

/// How far a zone is from UTC at an instant; `None` for one that the machine does not know.
#[cfg(feature = "native")]
fn offset_s(zone: &str, at: TimestampMs) -> Option<i64> {
    use jiff::Timestamp;
    let known = Timestamp::from_millisecond(at.0).ok().zip(TimeZone::get(zone).ok());
    known.map(|(instant, zone)| i64::from(zone.to_offset(instant).seconds()))
}

/// The rules of zones are not at hand.
#[cfg(not(feature = "native"))]
const fn offset_s(_zone: &str, _at: TimestampMs) -> Option<i64> {
    None
}

/// The day of an instant in a zone, counted from 1970-01-01.
pub fn local_day(zone: &str, at: TimestampMs) -> i64 {
    at.plus_ms(offset_s(zone, at).unwrap_or(0) * 1_000).utc_day()
}

/// An instant where the zone is, with its distance from UTC; in UTC for a zone that is not known.
pub fn local_instant(zone: &str, at: TimestampMs) -> String {
    let Some(offset_s) = offset_s(zone, at) else { return iso_instant(at) };
    let local = iso_instant(at.plus_ms(offset_s * 1_000));
    let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
    let local = local.trim_end_matches('Z');
    format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The rules of a zone; those of UTC for one that the machine does not know.
#[cfg(feature = "native")]
fn rules_of(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

/// The rules of zones are not at hand.
#[cfg(not(feature = "native"))]
const fn rules_of(_zone: &str) -> TimeZone {
    TimeZone::UTC
}

/// The calendar on the wall of a participant, wherever they were, as the zones of their own answers
/// tell; as those of interviews tell if they never answered alone. On their own device, where that is
/// now counts too.
pub(super) fn participant_calendar(
    view: &ChartView<'_>,
    times: &ChartTimes<'_>,
    here: Option<Here<'_>>,
) -> LocalCalendar {
    let threads = view.responses().values().flatten();
    // Who decides between answers may be somewhere else.
    let answers = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
    let mut seen: Vec<(bool, TimestampMs, &str)> = answers
        .filter(|written| !written.is_decision())
        .map(|written| {
            let at = times.get(written.id()).map_or_else(|| written.captured_at(), EntryTime::counted_at);
            (written.author.role == Role::Patient, at, written.entry.body().zone.as_str())
        })
        .collect();
    seen.extend(here.map(|here| (true, here.since, here.zone)));
    let any_own = seen.iter().any(|(is_own, ..)| *is_own);
    seen.retain(|(is_own, ..)| *is_own == any_own);
    seen.sort_unstable();
    seen.dedup_by_key(|(.., zone)| *zone);
    LocalCalendar::of_travels(seen.into_iter().map(|(_, at, zone)| (at, rules_of(zone))))
}

#[cfg(all(test, feature = "native"))]
mod tests {
    use super::*;
    use crate::views::calendar::iso_day;

    #[test]
    fn evenings_and_mornings_belong_to_their_own_day() {
        // 2026-03-03T03:30:00Z and 2026-03-02T12:30:00Z
        let (night, noon) = (TimestampMs(1_772_508_600_000), TimestampMs(1_772_454_600_000));
        let day = |zone, at| iso_day(local_day(zone, at));
        assert_eq!(day("America/New_York", night), "2026-03-02", "22:30 the evening before");
        assert_eq!(day("Pacific/Auckland", noon), "2026-03-03", "01:30 the next day");
        assert_eq!(day("UTC", night), "2026-03-03");
        assert_eq!(day("Not/A_Zone", night), "2026-03-03", "an unknown zone counts as UTC");
        assert_eq!(local_day("America/New_York", TimestampMs(i64::MAX)), TimestampMs(i64::MAX).utc_day());
    }
}
