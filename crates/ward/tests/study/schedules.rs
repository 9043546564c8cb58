//! A schedule from a file to a participant's phone, and an anchor that is moved.

use crate::commands::Study;
use crate::{DIARY, severe_nausea};
use jiff::civil::Date;
use jiff::{ToSpan as _, ZonedDateTime};
use serde_json::{Value, json};

/// The date so many days after another.
fn after(first: Date, days: i64) -> String {
    first.checked_add(days.days()).unwrap().to_string()
}

fn plan(first: Date) -> String {
    json!({"format": "ward/schedule", "version": 1, "revision": 1,
        "anchors": [{"name": "start", "date": first.to_string()}, {"name": "surgery"}],
        "items": [
            {"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 14},
             "window": {"due": 0, "closes": 1}},
            {"id": "week-1", "anchor": "surgery", "day": 7, "window": {"opens": -2, "due": 0, "closes": 2}}],
        "reminders": {"times": ["09:00"], "perDay": 2, "escalateAfterMissed": 2}})
    .to_string()
}

fn occurrences(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["occurrence"].as_str().unwrap()).collect()
}

#[test]
fn a_schedule_is_checked_given_followed_and_moved() {
    // Midnight may pass while this runs: nothing below depends on it.
    let first = ZonedDateTime::now().date();
    let day = |days| after(first, days);
    let study = Study::begin();
    let coordinator = study.enrol_staff("anna", "coordinator");
    let team = study.run("site/admin-1", &["team", "set", &coordinator]);
    let team = team["team"].as_str().unwrap().to_owned();
    study.ok("anna", &["sync"]);

    // A schedule that no phone could follow opens no chart.
    study.write("wrong.json", &plan(first).replace("\"opens\":-2", "\"opens\":9"));
    study.write("plan.json", &plan(first));
    let invite = |file: &'static str| {
        vec!["invite", "--team", &team, "--name", "Ada Example", "--instrument", DIARY, "--schedule", file]
    };
    let refused = study.failure("anna", &invite("wrong.json"));
    assert!(
        refused["why"].as_str().unwrap().contains("week-1: its window closes before it opens"),
        "{refused}"
    );
    assert_eq!(study.run("anna", &["chart"]), json!([]));

    let invitation = study.run("anna", &invite("plan.json"));
    let chart = invitation["chart"].as_str().unwrap().to_owned();
    study.enrol_patient("phone", &invitation);
    study.ok("phone", &["sync"]);
    let today = study.run("phone", &["due", "--days", "3"]);
    let has = |list: &Value, name: &str| occurrences(list).contains(&name);
    assert!(has(&today["due"], &day(0)) && !has(&today["due"], &day(2)), "{today}");
    assert!(has(&today["upcoming"], &day(2)) && has(&today["upcoming"], &day(3)), "{today}");
    assert!(has(&today["reminders"], &day(2)), "{today}");

    // The answer belongs to what is due, and has no reminders left.
    study.write("day.json", &severe_nausea().to_string());
    let later = ["answer", "--answers", "day.json", "--for", "week-1"];
    assert_eq!(study.exit_code("phone", &later), 2, "surgery has no date yet");
    let saved = study.run("phone", &["answer", "--answers", "day.json", "--for", &day(0)]);
    assert_eq!(saved["occurrence"], json!(day(0)));
    let answered = study.run("phone", &["due", "--days", "3"]);
    assert!(!has(&answered["due"], &day(0)) && !has(&answered["reminders"], &day(0)), "{answered}");
    study.ok("phone", &["sync"]);

    // Surgery was five days ago: the visit of the first week waits from now on.
    study.ok("anna", &["sync"]);
    let unknown = ["assign", "--chart", &chart, "--anchor", "discharge=2026-03-02"];
    assert_eq!(study.exit_code("anna", &unknown), 1);
    let surgery = format!("surgery={}", day(-5));
    study.run("anna", &["assign", "--chart", &chart, "--anchor", &surgery]);
    study.ok("anna", &["sync"]);
    study.ok("phone", &["sync"]);
    let moved = study.run("phone", &["due"]);
    assert!(has(&moved["due"], "week-1"), "{moved}");
    let shown = study.run("anna", &["chart", &chart]);
    let counts = &shown["adherence"][0]["total"];
    assert_eq!(
        (&counts["expected"], &counts["completed"], &counts["missed"]),
        (&json!(1), &json!(1), &json!(0)),
        "{shown}"
    );
}
