//! What a device computes each time it shows what is due: a diary of two years with a visit in each of
//! 24 cycles, nearly all of it answered, at home and after many travels; and its reminders.
#![expect(clippy::unwrap_used, reason = "a bench prints its figures")]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use std::process::ExitCode;
use stopwatch::{Course as Timed, Gates, race};
use ward_forms::schedule::{
    Course, Given, LocalCalendar, Participation, Reminded, Schedule, Situation, TimeZone, adherence,
    plan_reminders,
};
use ward_id::TimestampMs;

const FILE: &[u8] = br#"{"format": "ward/schedule", "version": 1, "revision": 1,
    "anchors": [{"name": "start", "date": "2026-03-02"}],
    "items": [
        {"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 730}, "window": {"due": 0, "closes": 1}},
        {"id": "visit", "anchor": "start", "cycle": {"length": 28, "count": 24}, "window": {"opens": -2, "due": 2}}],
    "reminders": {"times": ["09:00", "19:00"], "quiet": {"from": "21:00", "to": "08:00"}, "perDay": 3,
                  "escalateAfterMissed": 2}}"#;
const FIRST_DAY: i64 = 20_514;
const DAY_MS: i64 = 86_400_000;
/// What a due list may cost.
const DUE_LIST_MAX_US: f64 = 1_000.0;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let schedule = Schedule::parse(FILE).unwrap();
    let course = Course::new([schedule.clone()]);
    let at = |day: i64| TimestampMs((FIRST_DAY + day) * DAY_MS + 10 * 3_600_000);
    let named = |day: i64| Given {
        occurrence: ward_forms::schedule::OccurrenceName::Day { day: FIRST_DAY + day, slot: 1 }.to_string(),
        at: at(day),
        zone: None,
    };
    let given: Vec<Given> = (0..729).filter(|day| day % 12 != 5).map(named).collect();
    let zone = |name: &str| TimeZone::get(name).unwrap();
    let home = LocalCalendar::of_zone(zone("Europe/Berlin"));
    let zones = [zone("Europe/Berlin"), zone("America/New_York")];
    let travels = (0_usize..200).zip(0_i64..).map(|(trip, day)| (at(3 * day), zones.get(trip % 2).cloned()));
    let away = LocalCalendar::of_travels(travels.filter_map(|(at, zone)| Some((at, zone?))));
    let always = Participation::default();
    let now = at(729);
    let list = |calendar: &LocalCalendar| {
        let situation = Situation { calendar, participation: &always, given: &given };
        course.due_list(&situation, now, 1)
    };
    let counted = adherence(&list(&home)).total;
    assert!(counted.completed == 668 && list(&home).occurrences.len() == 754, "{counted:?}");
    println!("\n730 diaries and 24 visits; CPU time of the thread, best of 10");
    let reminded = [Reminded { instrument: "urn:diary", course: &course, given: &given }];
    let bytes = schedule.to_bytes();
    let times = race(vec![
        Timed::each("due list", 50, || list(&home)),
        Timed::each("due list after 200 flights", 50, || list(&away)),
        Timed::each("due list and adherence", 50, || adherence(&list(&home))),
        Timed::each("reminders of two weeks", 50, || plan_reminders(&reminded, &home, &always, now, 14)),
        Timed::each("schedule read from its bytes", 50, || Schedule::from_bytes(&bytes).unwrap()),
    ]);
    times.print();
    let gates = Gates::default();
    for name in ["due list", "due list after 200 flights", "due list and adherence"] {
        let us = times.us(name);
        gates.target(name, us, "µs", us < DUE_LIST_MAX_US, "below 1,000");
    }
    gates.exit()
}
