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

/// A diary that opened yesterday and is in time for days, so that it does not matter when midnight passes;
/// and a visit after surgery.
fn wide_plan(first: Date) -> String {
    json!({"format": "ward/schedule", "version": 1, "revision": 1,
        "anchors": [{"name": "start", "date": after(first, -1)}, {"name": "surgery"}],
        "items": [
            {"id": "diary", "anchor": "start", "repeat": {"everyDays": 30, "days": 90},
             "window": {"due": 5, "closes": 10}},
            {"id": "week-1", "anchor": "surgery", "day": 7, "window": {"opens": -2, "due": 3, "closes": 4}}],
        "reminders": {"times": ["09:00"], "perDay": 2}})
    .to_string()
}

#[test]
fn answers_go_where_something_waits_and_amendments_keep_what_they_do_not_change() {
    let first = ZonedDateTime::now().date();
    let day = |days| after(first, days);
    let study = Study::begin();
    let coordinator = study.enrol_staff("anna", "coordinator");
    let team = study.run("site/admin-1", &["team", "set", &coordinator]);
    let team = team["team"].as_str().unwrap().to_owned();
    study.ok("anna", &["sync"]);
    study.write("day.json", &severe_nausea().to_string());
    // The schedule begins yesterday, so that today is a day of it like others.
    let file =
        wide_plan(first).replace("\"revision\":1", &format!("\"revision\":1,\"from\":\"{}\"", day(-1)));
    study.write("plan.json", &file);
    let invite =
        ["invite", "--team", &team, "--name", "Ada", "--instrument", DIARY, "--schedule", "plan.json"];
    let invitation = study.run("anna", &invite);
    let chart = invitation["chart"].as_str().unwrap().to_owned();
    study.enrol_patient("phone", &invitation);
    study.ok("phone", &["sync"]);

    // What waits is answered by its name; nobody is asked twice for it.
    let saved = study.run("phone", &["answer", "--answers", "day.json"]);
    assert_eq!(saved["occurrence"], json!(day(-1)));
    let entry = saved["entry"].as_str().unwrap();
    let again = study.failure("phone", &["answer", "--answers", "day.json"]);
    assert_eq!(again["exit"], 1, "{again}");
    assert!(again["what"].as_str().unwrap().contains("is answered already"), "{again}");
    assert!(again["next"].as_str().unwrap().contains(&format!("--amend {entry}")), "{again}");
    study.ok("phone", &["sync"]);
    study.ok("anna", &["sync"]);

    // A questionnaire that is given again keeps its schedule; one with another begins when it says so.
    let assign = |more: &[&str]| {
        let mut args = vec!["assign", "--chart", &chart];
        args.extend(more);
        study.run("anna", &args)
    };
    let names = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap() };
    let kept = assign(&["--instrument", DIARY]);
    let planned = &kept["planned"][0];
    assert_eq!(
        (names(&planned["next"]), names(&planned["no_longer"])),
        (vec![day(29), day(59)], vec![]),
        "{kept}"
    );
    let weekly = assign(&["--instrument", DIARY, "--every-days", "7", "--days", "21", "--from", &day(40)]);
    let planned = &weekly["planned"][0];
    assert_eq!(names(&planned["next"]), [day(40), day(47), day(54)], "{weekly}");
    assert_eq!(names(&planned["no_longer"]), [day(59)], "{weekly}");

    // Surgery was five days ago. The weekly diary still begins on its day, and nothing of it is lost.
    let surgery = format!("surgery={}", day(-5));
    let moved = assign(&["--anchor", &surgery]);
    assert_eq!(moved["entries"].as_array().unwrap().len(), 2, "one for each schedule to come: {moved}");
    let planned = &moved["planned"][0];
    assert_eq!(names(&planned["next"]), ["week-1".to_owned(), day(29), day(40), day(47), day(54)], "{moved}");
    assert_eq!(names(&planned["no_longer"]), [""; 0], "{moved}");
    let today = ["assign", "--chart", &chart, "--anchor", &surgery, "--from", &day(0)];
    assert_eq!(study.exit_code("anna", &today), 2, "a day that has begun is not changed");
    study.ok("anna", &["sync"]);
    study.ok("phone", &["sync"]);

    // The visit is open now: it is asked, by its own name, and then nothing waits any more.
    let saved = study.run("phone", &["answer", "--answers", "day.json"]);
    assert_eq!(saved["occurrence"], json!("week-1"));
    let none = study.failure("phone", &["answer", "--answers", "day.json", "--for", &day(29)]);
    assert_eq!(none["exit"], 2, "{none}");
    let due = study.printed_for_people("phone", &["due"]);
    assert!(due.contains("Nothing waits for answers now."), "{due}");
    let shown = study.printed_for_people("phone", &["chart", &chart]);
    assert!(shown.contains("2 of 2 answered"), "{shown}");

    // Who answers is not written down as screened without a warning; who does not yet, is.
    let screened = ["record", "participation", "screened", "--chart", &chart];
    let told = study.printed_for_people("anna", &screened);
    assert!(told.contains("! They answered once already."), "{told}");
    let active = ["record", "participation", "active", "--chart", &chart];
    assert!(!study.printed_for_people("anna", &active).contains('!'));
    // A program is told as well; who has left takes no part any more, and nobody says so.
    let told = study.run("anna", &screened);
    assert!(told["warning"].as_str().unwrap().starts_with("They answered once already"), "{told}");
    study.run("anna", &["record", "participation", "withdrawn", "--chart", &chart]);
    let told = study.run("anna", &screened);
    assert!(told["warning"].is_null(), "{told}");

    // A job that runs again gives no second answers, unless it says so.
    let entry = saved["entry"].as_str().unwrap();
    let twice = ["answer", "--answers", "day.json", "--for", "week-1"];
    let refused = study.failure("phone", &twice);
    assert!(refused["next"].as_str().unwrap().contains(&format!("--amend {entry}")), "{refused}");
    let again = study.run("phone", &[&twice[..], &["--again"]].concat());
    assert_eq!(again["answered_already"], json!(entry), "{again}");
}
