//! Schedules as files and as bytes, and what is wrong with them.

use serde_json::{Value, json};
use ward_forms::schedule::{Schedule, ScheduleError, ScheduleFault, ScheduleFinding};
use ward_forms::{Severity, StrictJsonError, limits};

const EXAMPLE: &[u8] = include_bytes!("../../../../../testdata/schedules/nausea-trial.json");

fn example() -> Value {
    serde_json::from_slice(EXAMPLE).unwrap()
}

fn parse(value: &Value) -> Result<Schedule, StrictJsonError> {
    Schedule::parse(value.to_string().as_bytes())
}

/// The example with one member changed.
fn with(pointer: &str, value: Value) -> Schedule {
    let mut changed = example();
    *changed.pointer_mut(pointer).unwrap() = value;
    parse(&changed).unwrap()
}

fn errors(schedule: &Schedule) -> Vec<ScheduleFault> {
    let is_error = |finding: &ScheduleFinding| finding.severity == Severity::Error;
    schedule.check().into_iter().filter(is_error).map(|finding| finding.fault).collect()
}

#[test]
fn a_schedule_comes_back_from_its_bytes_and_from_its_json() {
    let schedule = Schedule::parse(EXAMPLE).unwrap();
    assert_eq!(Schedule::from_bytes(&schedule.to_bytes()), Ok(schedule.clone()));
    assert_eq!(parse(&schedule.to_json()), Ok(schedule.clone()));
    assert_eq!(errors(&schedule), []);
    let warnings: Vec<ScheduleFault> = schedule.check().into_iter().map(|finding| finding.fault).collect();
    assert_eq!(warnings, [ScheduleFault::AnchorNotSet("end-of-treatment".into())]);
    let simple = Schedule::every_days(20_514, 7, 28);
    assert_eq!(Schedule::from_bytes(&simple.to_bytes()), Ok(simple.clone()));
    assert_eq!(parse(&simple.to_json()), Ok(simple));
}

#[test]
fn the_example_of_the_documentation_is_the_one_that_is_tested() {
    let page = include_str!("../../../../../docs/schedules.md");
    let shown = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(shown.as_bytes(), EXAMPLE);
}

#[test]
fn a_field_that_nobody_knows_is_named() {
    let wrong = [
        ("/items/0/window", json!({"open": 1}), "$.items[0].window: the field open is not known"),
        ("/format", json!("ward/alert-rules"), "$.format: must be \"ward/schedule\""),
        ("/version", json!(2), "$.version: must be 1"),
        ("/anchors/0/date", json!("2026-02-30"), "$.anchors[0].date: must be a date such as \"2026-03-02\""),
        ("/items/1/cycle/length", json!(0), "$.items[1].cycle.length: must be a whole number from 1 to 366"),
        ("/items/1/cycle", json!({"count": 3}), "$.items[1].cycle: the field length is missing"),
        ("/items/0/day", json!(3_661), "$.items[0].day: must be a whole number from -3660 to 3660"),
        ("/items/2/repeat", json!({"days": 3}), "$.items[2].repeat: must be either everyDays or weekdays"),
        (
            "/items/2/repeat/weekdays",
            json!(["Mon"]),
            "$.items[2].repeat.weekdays: must be mon, tue, wed, thu, fri, sat, sun",
        ),
        ("/reminders/times", json!(["24:00"]), "$.reminders.times: must be a time such as \"08:00\""),
        ("/reminders/perDay", json!(25), "$.reminders.perDay: must be a whole number from 1 to 24"),
        ("/anchors/1/cycles/0", json!({"cycle": 3}), "$.anchors[1].cycles[0]: the field date is missing"),
    ];
    for (pointer, value, message) in wrong {
        let mut changed = example();
        *changed.pointer_mut(pointer).unwrap() = value;
        assert_eq!(parse(&changed).unwrap_err().to_string(), message);
    }
    let both = json!({"id": "x", "anchor": "chemo", "cycle": {"length": 1}, "repeat": {"everyDays": 1}});
    let mut changed = example();
    changed["items"][0] = both;
    assert_eq!(parse(&changed).unwrap_err().to_string(), "$.items[0]: must be either a cycle or a repeat");
    let many = vec![json!({"id": "x", "anchor": "chemo"}); limits::SCHEDULE_MAX_ITEMS + 1];
    changed["items"] = json!(many);
    assert!(matches!(parse(&changed), Err(StrictJsonError::TooMany { limit: 64, .. })));
}

#[test]
fn each_fault_is_found() {
    use ScheduleFault as Fault;
    let item = "baseline".to_owned();
    let cases = [
        (
            with("/items/0/window", json!({"opens": 3, "due": 1, "closes": 2})),
            Fault::ClosesBeforeItOpens(item.clone()),
        ),
        (
            with("/items/0/window", json!({"opens": 0, "due": 4, "closes": 3})),
            Fault::DueOutsideWindow(item.clone()),
        ),
        (
            with("/items/0/anchor", json!("surgery")),
            Fault::UnknownAnchor { item: item.clone(), anchor: "surgery".into() },
        ),
        (
            with("/items/2/until", json!("death")),
            Fault::UnknownAnchor { item: "diary".into(), anchor: "death".into() },
        ),
        (with("/items/0/id", json!("day-1")), Fault::NameTwice("day-1".into())),
        (with("/anchors/0/name", json!("chemo")), Fault::NameTwice("chemo".into())),
        (with("/items/0/id", json!("2026-03-02")), Fault::Name("2026-03-02".into())),
        (with("/items", json!([])), Fault::Count("the items")),
        (with("/anchors", json!([])), Fault::Count("the anchors")),
        (with("/reminders/times", json!([])), Fault::Count("the times of reminders")),
        (with("/reminders/times", json!(["19:00", "09:00"])), Fault::TimesOutOfOrder("the reminders".into())),
        (
            with("/reminders/quiet", json!({"from": "08:00", "to": "08:00"})),
            Fault::Range { at: "the reminders".into(), what: "the quiet time" },
        ),
        (
            with("/items/2/repeat", json!({"everyDays": 1, "times": ["20:00", "08:00"]})),
            Fault::TimesOutOfOrder("diary".into()),
        ),
        (
            with(
                "/items/2",
                json!({"id": "diary", "anchor": "chemo", "repeat": {"everyDays": 2, "times": ["08:00", "20:00"]},
                                    "window": {"opens": -1}}),
            ),
            Fault::TimesOverDays("diary".into()),
        ),
        (
            with("/anchors/1/cycles", json!([{"cycle": 3, "date": "2026-03-01"}])),
            Fault::CyclesOutOfOrder("day-1".into()),
        ),
    ];
    for (schedule, fault) in cases {
        let found = errors(&schedule);
        assert!(found.contains(&fault), "{fault:?} is not among {found:?}");
    }
}

#[test]
fn quiet_hours_are_found_only_where_nothing_can_wait_for_their_end() {
    // The one reminder waits until the quiet hours end, and then the diary of the day is over.
    let schedule = |times: Value, closes: i64| {
        let mut changed = example();
        changed["items"][2]["window"] = json!({"opens": 0, "due": 0, "closes": closes});
        changed["reminders"]["times"] = times;
        parse(&changed).unwrap()
    };
    let swallowed = ScheduleFault::QuietHoursSwallow("diary".into());
    assert_eq!(errors(&schedule(json!(["22:00"]), 0)), [swallowed]);
    assert_eq!(errors(&schedule(json!(["22:00"]), 1)), [], "there is the next morning");
    assert_eq!(errors(&schedule(json!(["07:00"]), 0)), [], "it waits until 08:00");
}

#[test]
fn overlaps_are_errors_within_an_item_and_warnings_between_two() {
    let weekly = |window: Value| {
        let repeat = json!({"everyDays": 7, "days": 28});
        with(
            "/items/2",
            json!({"id": "diary", "anchor": "chemo", "day": 60, "repeat": repeat, "window": window}),
        )
    };
    let overlap = |finding: &ScheduleFinding| matches!(finding.fault, ScheduleFault::WindowsOverlap { .. });
    let of = |schedule: &Schedule| schedule.check().into_iter().filter(overlap).collect::<Vec<_>>();
    let within = of(&weekly(json!({"opens": -3, "due": 4})));
    assert_eq!(within[0].severity, Severity::Error);
    assert_eq!(
        within[0].fault.to_string(),
        "the windows of 2026-05-08 and 2026-05-15 overlap: both would be asked at once"
    );
    assert_eq!(of(&weekly(json!({"opens": -3, "due": 3}))).len(), 1, "only that with a visit of a cycle");
    assert_eq!(of(&weekly(json!({"opens": -3, "due": 3})))[0].severity, Severity::Warning);
    let late = of(&weekly(json!({"opens": 0, "due": 0, "closes": 30})));
    assert_eq!(late, [], "what is late may wait beside what is in time");
}

#[test]
fn every_overlap_of_an_item_with_itself_is_found() {
    // Between two windows of one item lies a longer one of another.
    let mut changed = example();
    let visit = |id: &str, day: i64, due: i64| json!({"id": id, "anchor": "chemo", "day": day, "window": {"opens": 0, "due": due}});
    let cycle = json!({"id": "a", "anchor": "chemo", "cycle": {"length": 5, "count": 2}, "window": {"opens": 0, "due": 10}});
    changed["items"] = json!([cycle, visit("b", 1, 99)]);
    changed["anchors"][1] = json!({"name": "chemo", "date": "2026-03-09"});
    let found = errors(&parse(&changed).unwrap());
    assert!(found.iter().any(|fault| fault.to_string().contains("a/1 and a/2")), "{found:?}");
}

#[test]
fn two_items_that_meet_on_a_day_are_found() {
    let with_items = |items: Value| {
        let mut changed = example();
        changed["items"] = items;
        parse(&changed).unwrap()
    };
    let item = |id: &str, repeat: Value| json!({"id": id, "anchor": "chemo", "repeat": repeat});
    let slots = with_items(json!([
        item("once", json!({"everyDays": 1, "days": 7})),
        item("twice", json!({"everyDays": 1, "days": 7, "times": ["08:00", "20:00"]})),
    ]));
    let words: Vec<String> = errors(&slots).iter().map(ToString::to_string).collect();
    assert_eq!(words, ["once and twice meet on 2026-03-09: only once is asked then"]);
    let whole = with_items(json!([
        item("daily", json!({"everyDays": 1, "days": 7})),
        item("weekly", json!({"everyDays": 7, "days": 7})),
    ]));
    assert_eq!(errors(&whole), [], "a day is asked once");
    assert!(whole.check().iter().any(|finding| matches!(finding.fault, ScheduleFault::SameDay { .. })));
}

#[test]
fn reminders_at_night_none_at_all_and_those_of_one_time_of_the_day_are_found() {
    let night = with("/reminders", json!({"atOpening": true, "perDay": 2}));
    assert!(errors(&night).contains(&ScheduleFault::NightReminder("diary".into())), "{:?}", errors(&night));
    let mut silent = example();
    silent.as_object_mut().unwrap().remove("reminders");
    let findings = parse(&silent).unwrap().check();
    assert!(findings.iter().any(|finding| finding.fault == ScheduleFault::NoReminders));
    let slots = json!({"id": "diary", "anchor": "chemo", "repeat": {"everyDays": 1, "days": 3, "times": ["08:00", "22:00"]}});
    let mut changed = example();
    changed["items"] = json!([slots]);
    changed["reminders"] = json!({"atOpening": true, "perDay": 2, "quiet": {"from": "21:00", "to": "08:00"}});
    let found = errors(&parse(&changed).unwrap());
    assert_eq!(found, [ScheduleFault::QuietHoursSwallow("diary at 22:00".into())]);
}

#[test]
fn so_many_that_wait_at_once_are_refused_and_bytes_of_them_are_followed() {
    let repeat = json!({"everyDays": 1, "days": 90, "times": ["06:00", "20:00"]});
    let of = |closes: i64| {
        with(
            "/items/2",
            json!({"id": "diary", "anchor": "chemo", "repeat": repeat, "window": {"due": 0, "closes": closes}}),
        )
    };
    assert_eq!(errors(&of(49)), []);
    assert_eq!(errors(&of(50)), [ScheduleFault::TooManyOpen { item: "diary".into(), count: 102 }]);
    assert!(Schedule::from_bytes(&of(50).to_bytes()).is_ok(), "what was given once goes on");
}

#[test]
fn an_anchor_moves_its_first_cycle_and_a_plain_repeat_is_told_apart() {
    let chemo = Schedule::parse(EXAMPLE).unwrap();
    let pinned = chemo.with_cycle_start("chemo", 1, 20_600).unwrap().with_anchor("chemo", 20_610).unwrap();
    let anchor = pinned.anchors().iter().find(|anchor| anchor.name == "chemo").unwrap();
    assert_eq!(anchor.cycle_start(1, 21), Some(20_610));
    let weekly = Schedule::every_days(20_514, 7, 28);
    assert_eq!(weekly.as_every_days(), Some((20_514, 7, 28)));
    assert_eq!(
        weekly.clone().revised(3, 20_514).as_every_days(),
        Some((20_514, 7, 28)),
        "but for its number"
    );
    assert_eq!(weekly.revised(3, 20_520).as_every_days(), None, "it holds from another day");
    assert_eq!(pinned.as_every_days(), None);
}

#[test]
fn a_schedule_of_a_million_times_is_refused() {
    let daily = |id: usize| {
        json!({"id": format!("i{id}"), "anchor": "chemo", "repeat": {"everyDays": 1,
        "times": ["06:00", "08:00", "10:00", "12:00", "14:00", "16:00", "18:00", "20:00"]}})
    };
    let mut many = example();
    many["items"] = (0..64).map(daily).collect();
    let many = parse(&many).unwrap();
    let count = 64 * 8 * u64::from(limits::SCHEDULE_MAX_DAYS);
    assert_eq!(errors(&many), [ScheduleFault::TooManyOccurrences { count }]);
    assert_eq!(
        Schedule::from_bytes(&many.to_bytes()),
        Err(ScheduleError::Fault(ScheduleFault::TooManyOccurrences { count }))
    );
    // 5 times 4,000 are the limit; one more is not.
    let mut at_limit = example();
    let times = ["06:00", "08:00", "10:00", "12:00", "14:00"];
    let item = |id: &str, day: i64, days: u32| json!({"id": id, "anchor": "chemo", "day": day, "repeat": {"everyDays": 1, "days": days, "times": times}});
    at_limit["items"] = json!([item("a", 0, 3_000), item("b", 3_000, 1_000)]);
    assert_eq!(errors(&parse(&at_limit).unwrap()), []);
    at_limit["items"][1]["repeat"]["days"] = json!(1_001);
    assert_eq!(errors(&parse(&at_limit).unwrap()), [ScheduleFault::TooManyOccurrences { count: 20_005 }]);
}

#[test]
fn bytes_that_are_no_schedule_are_refused_and_newer_ones_are_told_apart() {
    let good = Schedule::parse(EXAMPLE).unwrap().to_bytes();
    let mut newer = good.clone();
    assert_eq!((newer[1], newer[2]), (0, 1), "the format stands first");
    newer[2] = 2;
    assert_eq!(Schedule::from_bytes(&newer), Err(ScheduleError::Format(2)));
    assert!(matches!(Schedule::from_bytes(&good[..good.len() - 1]), Err(ScheduleError::Encoding(_))));
    assert_eq!(Schedule::from_bytes(&vec![0; limits::SCHEDULE_MAX_BYTES + 1]), Err(ScheduleError::Size));
    for place in 0..good.len() {
        for change in [1, 0x20, 0x80] {
            let mut bytes = good.clone();
            bytes[place] ^= change;
            if let Ok(schedule) = Schedule::from_bytes(&bytes) {
                assert_eq!(schedule.to_bytes(), bytes);
                let _ = schedule.check();
            }
        }
    }
}

#[test]
fn committed_bytes_stay_readable() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/schedules.json");
    let schedules = [
        ("every day for four weeks", Schedule::every_days(20_514, 1, 28)),
        ("once", Schedule::every_days(20_514, 0, 0)),
        ("a trial", Schedule::parse(EXAMPLE).unwrap()),
        ("a trial, amended", amended()),
    ];
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let vectors: Vec<Value> = schedules
        .iter()
        .map(|(name, one)| json!({"name": name, "bytes": hex(one.to_bytes()), "schedule": one.to_json()}))
        .collect();
    let current = format!("{}\n", serde_json::to_string_pretty(&vectors).unwrap());
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), current, "the bytes of schedules changed");
}

fn amended() -> Schedule {
    let trial = Schedule::parse(EXAMPLE).unwrap().revised(2, 20_570);
    let moved = trial.with_anchor("end-of-treatment", 20_640).unwrap();
    assert_eq!(moved.clone().with_anchor("surgery", 1), None);
    moved.with_cycle_start("chemo", 4, 20_580).unwrap()
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        if let Ok(schedule) = Schedule::from_bytes(&bytes) {
            proptest::prop_assert_eq!(schedule.to_bytes(), bytes);
        }
    }
}
