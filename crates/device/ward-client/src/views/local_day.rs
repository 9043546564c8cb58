//! Which day it was for the person who wrote: the calendar day in the zone of the entry, not in UTC.
//! A diary of Monday that is written at 22:30 in New York is one of Monday.
//!
//! An entry names its zone (IANA) and no offset; the rules of zones come from the machine. Where these
//! rules are not at hand (a browser), and for a zone that the machine does not know, a single day counts
//! in UTC; a participant's calendar takes no notice of such a zone.

use super::calendar::iso_instant;
use super::standing_words::counted_at;
use std::collections::BTreeMap;
use ward_crypto::Role;
use ward_forms::schedule::{LocalCalendar, Sightings, TimeZone};
use ward_id::{DeviceId, TimestampMs};
use ward_sync::{ChartTimes, ChartView, EntryTime};

/// What a device writes where the system names no zone.
const NO_ZONE: &str = "Etc/Unknown";

/// How far a zone is from UTC at an instant; `None` for one that the machine does not know.
#[cfg(feature = "native")]
fn offset_s(zone: &str, at: TimestampMs) -> Option<i64> {
    use jiff::Timestamp;
    let known = Timestamp::from_millisecond(at.0).ok().zip(rules_of(zone));
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

/// The rules of a zone; `None` for one that the machine does not know.
#[cfg(feature = "native")]
pub(super) fn rules_of(zone: &str) -> Option<TimeZone> {
    TimeZone::get(zone).ok().filter(|_| zone != NO_ZONE)
}

/// The rules of zones are not at hand.
#[cfg(not(feature = "native"))]
pub(super) const fn rules_of(_zone: &str) -> Option<TimeZone> {
    None
}

/// Where the device is that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// The device.
    pub device: DeviceId,
    /// Whether it is the participant's. Where somebody else is says something only of a participant whom
    /// nobody has seen.
    pub is_participants: bool,
    /// The zones (IANA) that it showed, with the instants.
    pub seen: Vec<(TimestampMs, String)>,
}

/// The calendar on the walls of a participant, wherever they were, as the zones of what their devices wrote
/// tell; as those of interviews tell if they never wrote alone. On their own device, where that was and is
/// now counts too.
pub(super) fn participant_calendar(
    view: &ChartView<'_>,
    times: &ChartTimes<'_>,
    here: Option<&Here>,
) -> LocalCalendar {
    let mut known = KnownZones::default();
    let mut devices: BTreeMap<DeviceId, Sightings> = BTreeMap::new();
    for item in view.timeline().iter().filter(|item| item.place.stands()) {
        let body = item.entry.body();
        let is_own = item.author.is_some_and(|author| author.role == Role::Patient);
        let Some(zone) = known.get(&body.zone).filter(|_| is_own) else { continue };
        let at = times.get(item.entry.id()).map_or(body.captured_at, EntryTime::counted_at);
        devices.entry(item.entry.frame().device).or_default().push((at, zone));
    }
    if devices.is_empty() {
        let interviews = interviewed_in(view, times, &mut known);
        let here = here.map(|here| sightings(here, &mut known)).unwrap_or_default();
        return LocalCalendar::of_devices([interviews], Some(here));
    }
    let own = here.filter(|here| here.is_participants).map(|here| {
        let mut seen = devices.remove(&here.device).unwrap_or_default();
        seen.extend(sightings(here, &mut known));
        seen
    });
    LocalCalendar::of_devices(devices.into_values(), own)
}

fn sightings(here: &Here, known: &mut KnownZones) -> Sightings {
    here.seen.iter().filter_map(|(at, zone)| Some((*at, known.get(zone)?))).collect()
}

/// Where those were who interviewed the participant.
fn interviewed_in(view: &ChartView<'_>, times: &ChartTimes<'_>, known: &mut KnownZones) -> Sightings {
    let threads = view.responses().values().flatten();
    // Who decides between answers may be somewhere else.
    let answers = threads.flat_map(|thread| thread.past.iter().chain(&thread.current));
    let answers = answers.filter(|written| !written.is_decision());
    let seen = answers.map(|written| (counted_at(written, times), written.entry.body().zone.as_str()));
    seen.filter_map(|(at, zone)| Some((at, known.get(zone)?))).collect()
}

/// Rules of zones, each looked up once.
#[derive(Default)]
struct KnownZones(BTreeMap<String, Option<TimeZone>>);

impl KnownZones {
    fn get(&mut self, zone: &str) -> Option<TimeZone> {
        if let Some(known) = self.0.get(zone) {
            return known.clone();
        }
        let rules = rules_of(zone);
        self.0.insert(zone.to_owned(), rules.clone());
        rules
    }
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
        assert!(rules_of(NO_ZONE).is_none(), "no system named it");
    }
}
