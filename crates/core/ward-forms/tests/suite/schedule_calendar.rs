//! Days and times on a participant's wall: clocks that are moved, days that do not exist, travels.

use jiff::Timestamp;
use ward_forms::schedule::{LocalCalendar, LocalTime, TimeZone};
use ward_id::TimestampMs;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn ms(text: &str) -> TimestampMs {
    TimestampMs(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn day(text: &str) -> i64 {
    ms(&format!("{text}T00:00:00Z")).utc_day()
}

fn time(text: &str) -> LocalTime {
    LocalTime::parse(text).unwrap()
}

fn at(zone_name: &str, date: &str, clock: &str) -> TimestampMs {
    LocalCalendar::of_zone(zone(zone_name)).first_at(day(date), time(clock))
}

#[test]
fn a_time_that_the_clock_skips_is_the_first_after_it() {
    // 02:00 becomes 03:00.
    for skipped in ["02:00", "02:30", "02:59", "03:00"] {
        assert_eq!(at("Europe/Berlin", "2026-03-29", skipped), ms("2026-03-29T01:00:00Z"), "{skipped}");
    }
    assert_eq!(at("America/New_York", "2026-03-08", "02:30"), ms("2026-03-08T07:00:00Z"));
    // 02:00 becomes 02:30: half an hour.
    assert_eq!(at("Australia/Lord_Howe", "2026-10-04", "02:15"), ms("2026-10-03T15:30:00Z"));
    assert_eq!(at("Australia/Lord_Howe", "2026-10-04", "02:30"), ms("2026-10-03T15:30:00Z"));
}

#[test]
fn of_a_time_that_the_clock_shows_twice_the_first_counts() {
    assert_eq!(at("Europe/Berlin", "2026-10-25", "02:30"), ms("2026-10-25T00:30:00Z"));
    assert_eq!(at("America/New_York", "2026-11-01", "01:15"), ms("2026-11-01T05:15:00Z"));
    assert_eq!(at("Australia/Lord_Howe", "2026-04-05", "01:45"), ms("2026-04-04T14:45:00Z"));
    let berlin = LocalCalendar::of_zone(zone("Europe/Berlin"));
    let hours = (berlin.start_of(day("2026-10-26")).0 - berlin.start_of(day("2026-10-25")).0) / 3_600_000;
    assert_eq!(hours, 25);
}

#[test]
fn a_midnight_that_the_clock_skips_or_shows_twice_still_begins_one_day() {
    // In Beirut 00:00 becomes 01:00; in Havana 01:00 becomes 00:00 again.
    let beirut = LocalCalendar::of_zone(zone("Asia/Beirut"));
    assert_eq!(beirut.start_of(day("2026-03-29")), ms("2026-03-28T22:00:00Z"));
    assert_eq!(beirut.day_at(ms("2026-03-28T21:59:59Z")), day("2026-03-28"));
    assert_eq!(beirut.day_at(ms("2026-03-28T22:00:00Z")), day("2026-03-29"));
    // In Beirut's autumn, midnight becomes 23:00 of the day before: that day was over.
    let again = ms("2026-10-24T21:30:00Z");
    assert_eq!(beirut.shown_at(again), (day("2026-10-24"), time("23:30")));
    assert_eq!(beirut.day_at(ms("2026-10-24T20:59:00Z")), day("2026-10-24"));
    let first = beirut.start_of(day("2026-10-25"));
    assert_eq!(beirut.day_at(first), day("2026-10-25"));
    assert_eq!(beirut.day_at(first.plus_ms(-1)), day("2026-10-24"));
}

#[test]
fn a_day_that_does_not_exist_holds_no_moment() {
    let apia = LocalCalendar::of_zone(zone("Pacific/Apia"));
    let days = ["2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"];
    let starts = days.map(|date| apia.start_of(day(date)));
    assert_eq!(starts[1], ms("2011-12-30T10:00:00Z"));
    assert_eq!(starts[1], starts[2], "the 30th was left out");
    assert_eq!(starts[2].0 - starts[0].0, 24 * 3_600_000);
    assert_eq!(apia.day_at(starts[1].plus_ms(-1)), day("2011-12-29"));
    assert_eq!(apia.day_at(starts[1]), day("2011-12-31"));
    assert_eq!(apia.first_at(day("2011-12-30"), time("15:00")), starts[1]);
}

#[test]
fn who_flies_west_after_midnight_goes_on_in_the_day_that_had_begun() {
    // In Berlin at 00:10 of the 3rd, then in New York, where it is 18:30 of the 2nd.
    let landed = ms("2026-03-02T23:30:00Z");
    let travels = LocalCalendar::of_travels([
        (ms("2026-03-02T23:10:00Z"), zone("Europe/Berlin")),
        (landed, zone("America/New_York")),
    ]);
    assert_eq!(travels.shown_at(landed), (day("2026-03-02"), time("18:30")));
    assert_eq!(travels.day_at(landed), day("2026-03-03"), "the 2nd was over");
    assert_eq!(travels.start_of(day("2026-03-03")), ms("2026-03-02T23:00:00Z"));
    assert_eq!(travels.start_of(day("2026-03-04")), ms("2026-03-04T05:00:00Z"), "a long day");
    assert_eq!(travels.start_of(day("2026-03-01")), ms("2026-02-28T23:00:00Z"), "before they were seen");
}

#[test]
fn who_flies_east_over_the_date_line_misses_no_moment() {
    // From Honolulu, 10:00 of the 2nd, to Auckland, 09:00 of the 3rd.
    let landed = ms("2026-03-02T20:00:00Z");
    let travels = LocalCalendar::of_travels([
        (landed, zone("Pacific/Auckland")),
        (ms("2026-03-01T20:00:00Z"), zone("Pacific/Honolulu")),
    ]);
    assert_eq!(travels.start_of(day("2026-03-03")), landed, "the 3rd begins on arrival");
    assert_eq!(travels.day_at(landed.plus_ms(-1)), day("2026-03-02"));
    // And back at once: the 3rd has begun and goes on until Honolulu has the 4th.
    let back = LocalCalendar::of_travels([
        (ms("2026-03-01T20:00:00Z"), zone("Pacific/Honolulu")),
        (landed, zone("Pacific/Auckland")),
        (landed.plus_ms(3_600_000), zone("Pacific/Honolulu")),
    ]);
    assert_eq!(back.start_of(day("2026-03-03")), landed);
    assert_eq!(back.day_at(landed.plus_ms(7_200_000)), day("2026-03-03"));
    assert_eq!(back.start_of(day("2026-03-04")), ms("2026-03-04T10:00:00Z"));
}

#[test]
fn instants_beyond_every_calendar_have_a_day() {
    let berlin = LocalCalendar::of_zone(zone("Europe/Berlin"));
    for far in [i64::MIN, i64::MAX] {
        let day = berlin.day_at(TimestampMs(far));
        assert!(berlin.start_of(day) <= berlin.start_of(day + 1));
        let _ = berlin.shown_at(TimestampMs(far));
        let _ = berlin.start_of(far);
    }
}

#[test]
fn a_day_that_the_wall_shows_still_is_not_over_by_a_clock_that_was_left_behind() {
    // Seen in Berlin in the morning of the 2nd, and in New York at 18:30, when Berlin has the 3rd.
    let (morning, landed) = (ms("2026-03-02T08:00:00Z"), ms("2026-03-02T23:30:00Z"));
    let travels =
        LocalCalendar::of_travels([(morning, zone("Europe/Berlin")), (landed, zone("America/New_York"))]);
    assert_eq!(travels.day_at(landed), day("2026-03-02"));
    assert_eq!(travels.end_of(day("2026-03-02")), ms("2026-03-03T05:00:00Z"), "midnight in New York");
    // A journey takes two days at most: what was over long before stays so.
    let later = LocalCalendar::of_travels([
        (morning, zone("Europe/Berlin")),
        (landed.plus_ms(5 * 86_400_000), zone("America/New_York")),
    ]);
    assert_eq!(later.end_of(day("2026-03-02")), ms("2026-03-02T23:00:00Z"));
}

#[test]
fn several_devices_end_a_day_with_the_last_of_them_and_one_that_was_put_away_ends_none() {
    let noon = |date: &str| ms(&format!("{date}T12:00:00Z"));
    let phone =
        vec![(noon("2026-03-02"), zone("America/New_York")), (noon("2026-05-02"), zone("America/New_York"))];
    let laptop = vec![(noon("2026-03-03"), TimeZone::UTC)];
    let both = LocalCalendar::of_devices([phone.clone(), laptop.clone()], None);
    assert_eq!(both.start_of(day("2026-03-04")), ms("2026-03-04T00:00:00Z"), "by the laptop");
    assert_eq!(both.end_of(day("2026-03-03")), ms("2026-03-04T05:00:00Z"), "by the phone");
    assert_eq!(both.start_of(day("2026-04-20")), ms("2026-04-20T04:00:00Z"), "the laptop was put away");
    let on_phone = LocalCalendar::of_devices([laptop], Some(phone));
    assert_eq!(on_phone.start_of(day("2026-03-04")), ms("2026-03-04T05:00:00Z"), "its own wall opens a day");
    assert_eq!(on_phone.end_of(day("2026-03-03")), ms("2026-03-04T05:00:00Z"));
}

#[test]
fn somebody_whom_nobody_saw_may_be_anywhere() {
    let nobody = LocalCalendar::of_travels([]);
    assert_eq!(nobody.start_of(day("2026-03-02")), ms("2026-03-01T10:00:00Z"), "where days begin first");
    assert_eq!(nobody.end_of(day("2026-03-02")), ms("2026-03-03T12:00:00Z"), "where they end last");
}

#[test]
fn the_latest_day_is_that_of_the_wall_furthest_east_whichever_device_asks() {
    let evening = ms("2026-03-03T04:00:00Z");
    let (west, east) = (zone("America/Los_Angeles"), zone("Pacific/Auckland"));
    let devices = |own| LocalCalendar::of_devices([vec![(evening, east.clone())]], own);
    assert_eq!(devices(None).latest_day_at(evening), day("2026-03-03"));
    let on_phone = devices(Some(vec![(evening, west.clone())]));
    assert_eq!(
        (on_phone.day_at(evening), on_phone.latest_day_at(evening)),
        (day("2026-03-02"), day("2026-03-03"))
    );
    // On a journey both zones are possible.
    let lands = evening.plus_ms(86_400_000);
    let travels =
        LocalCalendar::of_travels([(ms("2026-03-03T03:00:00Z"), west.clone()), (lands, east.clone())]);
    assert_eq!(
        (travels.day_at(evening), travels.latest_day_at(evening)),
        (day("2026-03-02"), day("2026-03-03"))
    );
    assert_eq!(LocalCalendar::of_zone(west).latest_day_at(evening), day("2026-03-02"));
    // Of whom nobody knows where they are, it is the day furthest east on Earth.
    assert_eq!(LocalCalendar::anywhere().latest_day_at(ms("2026-03-02T11:00:00Z")), day("2026-03-03"));
    assert_eq!(devices(None).latest_day_at(TimestampMs(i64::MAX)), ward_forms::limits::SCHEDULE_DAYS.end);
}

#[test]
fn a_device_that_comes_later_makes_no_past_day_later() {
    let of = |name: &str| TimeZone::get(name).unwrap();
    let here: Vec<(TimestampMs, TimeZone)> = vec![(TimestampMs(20_514 * 86_400_000), of("Europe/Berlin"))];
    // 15:00 UTC, when it is the next day already in the two others.
    let at = TimestampMs(20_515 * 86_400_000 + 15 * 3_600_000);
    let before = LocalCalendar::of_devices([here.clone()], None).latest_day_at(at);
    assert_eq!(before, 20_515);
    for zone in ["Asia/Tokyo", "Pacific/Auckland"] {
        let later = vec![(at.plus_ms(90 * 86_400_000), of(zone))];
        let after = LocalCalendar::of_devices([here.clone(), later.clone()], None);
        assert_eq!(after.latest_day_at(at), before, "{zone}");
        let own = LocalCalendar::of_devices([here.clone()], Some(later));
        assert_eq!(own.latest_day_at(at), before, "{zone}, on that device");
        // One that was there counts.
        let there = vec![(at.plus_ms(-86_400_000), of(zone)), (at.plus_ms(86_400_000), of(zone))];
        let both = LocalCalendar::of_devices([here.clone(), there], None);
        assert_eq!(both.latest_day_at(at), before + 1, "{zone}");
    }
}
