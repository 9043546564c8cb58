//! Reminders: times, quiet hours, caps, escalation; and that the plan is the same whenever it is made.

use jiff::Timestamp;
use serde_json::{Value, json};
use ward_forms::schedule::{
    Course, EndReason, Given, LocalCalendar, Participation, Reminded, ReminderKind, ReminderPlan, Schedule,
    TimeZone, plan_reminders,
};
use ward_id::TimestampMs;

fn ms(text: &str) -> TimestampMs {
    TimestampMs(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn clock(at: TimestampMs) -> String {
    Timestamp::from_millisecond(at.0).unwrap().strftime("%d %H:%M").to_string()
}

/// A diary from 2026-03-02 on, in UTC, with these reminders.
fn course(item: Value, reminders: Value) -> Course {
    let mut item = item;
    item["id"] = json!("diary");
    item["anchor"] = json!("start");
    let file = json!({"format": "ward/schedule", "version": 1, "revision": 1, "reminders": reminders,
        "anchors": [{"name": "start", "date": "2026-03-02"}], "items": [item]});
    Course::new([Schedule::parse(file.to_string().as_bytes()).unwrap()])
}

fn daily(closes: i64) -> Value {
    json!({"repeat": {"everyDays": 1, "days": 10}, "window": {"due": 0, "closes": closes}})
}

fn given(names: &[&str]) -> Vec<Given> {
    names
        .iter()
        .map(|name| {
            let date = name.split('/').next().unwrap();
            let at = ms(&format!("{date}T00:00:01Z"));
            Given { occurrence: (*name).to_owned(), at, zone: None }
        })
        .collect()
}

fn plan(
    courses: &[(&str, &Course, &[Given])],
    participation: &Participation,
    now: &str,
    days: u16,
) -> ReminderPlan {
    let reminded: Vec<Reminded<'_>> =
        courses.iter().map(|(instrument, course, given)| Reminded { instrument, course, given }).collect();
    plan_reminders(&reminded, &LocalCalendar::of_zone(TimeZone::UTC), participation, ms(now), days)
}

fn lines(plan: &ReminderPlan) -> Vec<String> {
    let line = |one: &ward_forms::schedule::Reminder| {
        format!("{} {} {} {}", clock(one.at), one.instrument, one.occurrence, one.kind.text_key())
    };
    plan.reminders.iter().map(line).collect()
}

#[test]
fn a_diary_is_reminded_of_until_it_is_answered_or_closed() {
    let course = course(daily(1), json!({"times": ["09:00", "19:00"], "perDay": 9}));
    let always = Participation::default();
    let plan_of = |given: &[Given]| plan(&[("d", &course, given)], &always, "2026-03-02T10:00:00Z", 1);
    assert_eq!(
        lines(&plan_of(&[])),
        [
            "02 19:00 d 2026-03-02 reminder.last-day",
            "03 09:00 d 2026-03-02 reminder.late",
            "03 09:00 d 2026-03-03 reminder.last-day",
            "03 19:00 d 2026-03-02 reminder.late",
            "03 19:00 d 2026-03-03 reminder.last-day",
        ]
    );
    assert_eq!(lines(&plan_of(&given(&["2026-03-02"]))).len(), 2, "what is answered has none left");
    let ended = always.clone().ending(ms("2026-03-03T12:00:00Z"), EndReason::Completed);
    let left = plan(&[("d", &course, &[])], &ended, "2026-03-02T10:00:00Z", 5);
    assert_eq!(
        lines(&left),
        ["02 19:00 d 2026-03-02 reminder.last-day", "03 09:00 d 2026-03-02 reminder.late"],
        "the 3rd is not owed any more"
    );
}

#[test]
fn quiet_hours_hold_a_reminder_back() {
    let quiet = |from: &str, to: &str| json!({"times": ["07:00", "22:30"], "perDay": 9, "quiet": {"from": from, "to": to}});
    let at = |closes, rules: Value| {
        let course = course(daily(closes), rules);
        lines(&plan(
            &[("d", &course, &given(&["2026-03-03"]))],
            &Participation::default(),
            "2026-03-02T00:00:00Z",
            1,
        ))
    };
    assert_eq!(
        at(0, quiet("22:00", "08:00")),
        ["02 08:00 d 2026-03-02 reminder.last-day"],
        "the evening's would come when the day is over"
    );
    assert_eq!(
        at(1, quiet("22:00", "08:00")),
        ["02 08:00 d 2026-03-02 reminder.last-day", "03 08:00 d 2026-03-02 reminder.late",],
        "two that wait for one end are one"
    );
    assert_eq!(at(0, quiet("12:00", "13:00")).len(), 2);
}

#[test]
fn the_cap_of_a_day_leaves_each_questionnaire_its_first_reminder() {
    let often = course(daily(0), json!({"times": ["08:00", "09:00", "10:00"], "perDay": 3}));
    let once = course(daily(0), json!({"times": ["18:00"], "perDay": 9}));
    let always = Participation::default();
    let at = |now| lines(&plan(&[("a", &often, &[]), ("b", &once, &[])], &always, now, 0));
    let all = [
        "02 08:00 a 2026-03-02 reminder.last-day",
        "02 09:00 a 2026-03-02 reminder.last-day",
        "02 18:00 b 2026-03-02 reminder.last-day",
    ];
    assert_eq!(at("2026-03-02T00:00:00Z"), all);
    assert_eq!(at("2026-03-02T08:30:00Z"), all[1..], "the same plan, less what is past");
    assert_eq!(at("2026-03-02T18:00:00Z"), [""; 0]);
}

#[test]
fn a_window_that_opens_late_in_the_day_is_reminded_of_at_its_opening() {
    let evening = json!({"repeat": {"everyDays": 1, "days": 2, "times": ["08:00", "20:00"]}});
    let course = course(evening, json!({"atOpening": true, "perDay": 9}));
    let answered =
        [Given { occurrence: "2026-03-02".to_owned(), at: ms("2026-03-02T08:30:00Z"), zone: None }];
    let plan = plan(&[("d", &course, &answered)], &Participation::default(), "2026-03-02T09:00:00Z", 0);
    assert_eq!(lines(&plan), ["02 20:00 d 2026-03-02/2 reminder.last-day"]);
    assert_eq!(plan.reminders[0].kind, ReminderKind::LastDay);
}

#[test]
fn the_site_is_told_once_of_a_row_of_missed_ones() {
    let course = course(daily(0), json!({"times": ["09:00"], "perDay": 1, "escalateAfterMissed": 2}));
    let always = Participation::default();
    let rows = |given: &[Given], now| {
        let plan = plan(&[("d", &course, given)], &always, now, 2);
        let line = |one: &ward_forms::schedule::Escalation| {
            format!("{} since {} reached {}", clock(one.at), one.since, one.reached)
        };
        plan.escalations.iter().map(line).collect::<Vec<_>>()
    };
    let first = "04 00:00 since 2026-03-02 reached 2026-03-03";
    assert_eq!(rows(&[], "2026-03-02T10:00:00Z"), [first], "if nobody answers");
    assert_eq!(rows(&[], "2026-03-09T10:00:00Z"), [first], "one row, however long");
    assert_eq!(
        rows(&given(&["2026-03-04"]), "2026-03-09T10:00:00Z"),
        [first, "07 00:00 since 2026-03-05 reached 2026-03-06"]
    );
    assert_eq!(
        rows(&given(&["2026-03-03"]), "2026-03-03T10:00:00Z"),
        ["06 00:00 since 2026-03-04 reached 2026-03-05"]
    );
    let paused = Participation::default().pausing(ms("2026-03-01T00:00:00Z"), None);
    let none = plan(&[("d", &course, &[])], &paused, "2026-03-09T10:00:00Z", 2);
    assert_eq!(none, ReminderPlan::default(), "a pause is no silence");
}

#[test]
fn what_is_in_time_is_reminded_of_before_what_is_late() {
    let course = course(daily(1), json!({"times": ["19:00"], "perDay": 1}));
    let always = Participation::default();
    let plan = plan(&[("d", &course, &[])], &always, "2026-03-03T08:00:00Z", 0);
    assert_eq!(lines(&plan), ["03 19:00 d 2026-03-03 reminder.last-day"], "yesterday's is late");
}

#[test]
fn a_questionnaire_that_wishes_nothing_caps_nothing() {
    let often = course(daily(0), json!({"times": ["08:00", "14:00", "20:00"], "perDay": 3}));
    let done =
        course(json!({"repeat": {"everyDays": 1, "days": 1}}), json!({"times": ["09:00"], "perDay": 1}));
    let always = Participation::default();
    let given = given(&["2026-03-02"]);
    let at = |now| lines(&plan(&[("a", &often, &[]), ("b", &done, &given)], &always, now, 0)).len();
    assert_eq!(at("2026-03-05T00:00:00Z"), 3);
}

#[test]
fn what_was_reminded_of_before_it_was_answered_counts_for_the_day() {
    let early = course(daily(0), json!({"times": ["09:00"], "perDay": 1}));
    let late = course(daily(0), json!({"times": ["18:00"], "perDay": 1}));
    let always = Participation::default();
    let answered =
        [Given { occurrence: "2026-03-02".to_owned(), at: ms("2026-03-02T10:00:00Z"), zone: None }];
    let at = |given: &[Given], now| lines(&plan(&[("a", &early, given), ("b", &late, &[])], &always, now, 0));
    assert_eq!(at(&[], "2026-03-02T08:00:00Z"), ["02 09:00 a 2026-03-02 reminder.last-day"]);
    assert_eq!(at(&answered, "2026-03-02T11:00:00Z"), [""; 0], "one was shown on this day");
    let before = [Given { at: ms("2026-03-02T08:00:00Z"), ..answered[0].clone() }];
    assert_eq!(at(&before, "2026-03-02T11:00:00Z").len(), 1, "none was shown on this day");
}

#[test]
fn amended_quiet_hours_hold_for_what_waits_already() {
    let file = |revision: u32, from: &str, quiet: &str| {
        let file = json!({"format": "ward/schedule", "version": 1, "revision": revision, "from": from,
            "reminders": {"times": ["07:00"], "perDay": 3, "quiet": {"from": "22:00", "to": quiet}},
            "anchors": [{"name": "start", "date": "2026-03-02"}],
            "items": [{"id": "visit", "anchor": "start", "window": {"due": 20}}]});
        Schedule::parse(file.to_string().as_bytes()).unwrap()
    };
    let course = Course::new([file(1, "2026-03-02", "06:00"), file(2, "2026-03-05", "09:00")]);
    let plan = plan(&[("d", &course, &[])], &Participation::default(), "2026-03-05T00:00:00Z", 0);
    assert_eq!(lines(&plan), ["05 09:00 d visit reminder.open"]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Computed later, the plan is what is left of the earlier one.
    #[test]
    fn the_plan_of_later_is_the_rest_of_that_of_earlier(
        cap in 1_u8..5,
        closes in 0_i64..3,
        hours in 0_i64..72,
        flight in proptest::option::of(0_i64..96),
        quiet_from in 0_u16..24,
        answered in proptest::collection::btree_set(2_u32..9, 0..4),
    ) {
        let quiet = json!({"from": format!("{quiet_from:02}:00"), "to": format!("{:02}:30", (quiet_from + 8) % 24)});
        let rules = |times: Value| json!({"times": times, "perDay": cap, "quiet": quiet, "atOpening": true});
        let first = course(daily(closes), rules(json!(["07:00", "12:00", "21:00"])));
        let second = course(daily(0), rules(json!(["06:30", "22:00"])));
        let names: Vec<String> = answered.iter().map(|day| format!("2026-03-{day:02}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let answers = given(&names);
        let always = Participation::default();
        let zone = |name: &str| TimeZone::get(name).unwrap();
        // A flight west at some hour, or none; and the night in which Havana shows an hour twice.
        let calendar = match flight {
            None => LocalCalendar::of_zone(zone("Europe/Berlin")),
            Some(hour) => {
                let landed = ms("2026-03-02T00:00:00Z").plus_ms(hour * 3_600_000);
                let seen = landed.plus_ms(-3_600_000);
                LocalCalendar::of_travels([(seen, zone("Europe/Berlin")), (landed, zone("America/New_York"))])
            }
        };
        let reminded = [
            Reminded { instrument: "a", course: &first, given: &answers },
            Reminded { instrument: "b", course: &second, given: &[] },
        ];
        let early = ms("2026-03-01T20:00:00Z");
        let late = early.plus_ms(hours * 3_600_000);
        let whole = plan_reminders(&reminded, &calendar, &always, early, 6);
        proptest::prop_assert_eq!(&whole, &plan_reminders(&reminded, &calendar, &always, early, 6));
        let rest = plan_reminders(&reminded, &calendar, &always, late, 1);
        let end = calendar.start_of(calendar.day_at(late) + 2);
        let expected: Vec<_> =
            whole.reminders.iter().filter(|one| one.at > late && one.at < end).cloned().collect();
        proptest::prop_assert_eq!(rest.reminders, expected);
        let mut per_day = std::collections::BTreeMap::new();
        for reminder in &whole.reminders {
            let count = per_day.entry(calendar.day_at(reminder.at)).or_insert(0);
            *count += 1;
            proptest::prop_assert!(*count <= cap);
            let (_, time) = calendar.shown_at(reminder.at);
            let hour = time.minutes() / 60;
            let into = (hour + 24 - quiet_from) % 24;
            proptest::prop_assert!(into >= 8, "{} lies in quiet hours", time);
        }
    }
}
