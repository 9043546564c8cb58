//! Answers that were begun at the terminal are found again, whatever became of their time.

use crate::commands::Study;
use crate::{DIARY, severe_nausea};
use jiff::{ToSpan as _, ZonedDateTime};
use serde_json::{Value, json};

/// The day so many days from today. Midnight may pass while this runs: nothing depends on it.
fn day(days: i64) -> String {
    ZonedDateTime::now().date().checked_add(days.days()).unwrap().to_string()
}

/// A diary that can be answered for days, and other items; it holds from a day on.
fn plan(revision: u32, from: &str, others: &[Value]) -> String {
    let diary = json!({"id": "diary", "anchor": "start", "repeat": {"everyDays": 30, "days": 90},
        "window": {"due": 5, "closes": 10}});
    let items = [&[diary][..], others].concat();
    let anchors = json!([{"name": "start", "date": day(-1)}]);
    json!({"format": "ward/schedule", "version": 1, "revision": revision, "from": from,
        "anchors": anchors, "items": items})
    .to_string()
}

/// A participant's phone with a diary and a visit that can both be answered now. Gives the chart and the name
/// of the diary's time.
fn phone_with_a_diary_and_a_visit(study: &Study) -> (String, String) {
    let diary = day(-1);
    let visit = json!({"id": "visit", "anchor": "start", "day": 3,
        "window": {"opens": -3, "due": 3, "closes": 4}});
    study.write("plan.json", &plan(1, &diary, &[visit]));
    study.write("day.json", &severe_nausea().to_string());
    let coordinator = study.enrol_staff("anna", "coordinator");
    let team = study.run("site/admin-1", &["team", "set", &coordinator]);
    let team = team["team"].as_str().unwrap().to_owned();
    study.ok("anna", &["sync"]);
    let invite =
        ["invite", "--team", &team, "--name", "Ada", "--instrument", DIARY, "--schedule", "plan.json"];
    let invitation = study.run("anna", &invite);
    study.enrol_patient("phone", &invitation);
    study.ok("phone", &["sync"]);
    (invitation["chart"].as_str().unwrap().to_owned(), diary)
}

#[test]
fn what_was_begun_for_a_time_that_is_planned_no_more_is_found() {
    let study = Study::begin();
    let (chart, _) = phone_with_a_diary_and_a_visit(&study);
    let (stopped, shown) = study.typed("phone", &["answer", "--for", "visit"], "1\nq\n");
    assert!(stopped, "{shown}");
    // The site leaves the visit out. Whoever names it, or has nothing else to answer, is asked.
    study.write("without.json", &plan(2, &day(1), &[]));
    study.ok("anna", &["sync"]);
    study.run("anna", &["assign", "--chart", &chart, "--instrument", DIARY, "--schedule", "without.json"]);
    study.ok("anna", &["sync"]);
    study.ok("phone", &["sync"]);
    let due = study.run("phone", &["due"]);
    assert!(due["due"].as_array().unwrap().iter().all(|one| one["occurrence"] != "visit"), "{due}");
    study.run("phone", &["answer", "--answers", "day.json"]);
    for args in [&["answer"][..], &["answer", "--for", "visit"]] {
        let (went_on, shown) = study.typed("phone", args, "\n");
        assert!(!went_on && shown.contains("for visit (it belongs to no planned time)"), "{shown}");
        let (stopped, shown) = study.typed("phone", args, "g\nq\n");
        assert!(stopped && shown.contains("Stopped. What you entered is kept"), "{shown}");
    }
}

#[test]
fn what_was_begun_is_found_until_it_is_finished_or_thrown_away() {
    let study = Study::begin();
    let (_, diary) = phone_with_a_diary_and_a_visit(&study);
    let (stopped, shown) = study.typed("phone", &["answer", "--for", "visit"], "1\nq\n");
    assert!(stopped && shown.contains("Stopped. What you entered is kept"), "{shown}");

    // The same visit is answered from elsewhere. What was begun stays, and is not sent by Enter alone.
    let saved = study.run("phone", &["answer", "--answers", "day.json", "--for", "visit"]);
    assert!(saved["answered_already"].is_null(), "{saved}");
    let entry = saved["entry"].as_str().unwrap();
    let begun = study.run("phone", &["answer", "--drafts"]);
    assert_eq!((&begun[0]["occurrence"], &begun[0]["answered_already"]), (&json!("visit"), &json!(entry)));
    let answered = format!("for visit (answered already as {entry})");
    let (went_on, shown) = study.typed("phone", &["answer", "--for", "visit"], "\n");
    assert!(!went_on && shown.contains(&answered) && shown.contains("what you began is kept"), "{shown}");
    assert!(shown.contains(&format!("--amend {entry}")), "{shown}");

    // What waits is asked after Enter: first whether to go on with the other.
    let (stopped, shown) = study.typed("phone", &["answer"], "\nq\n");
    assert!(
        stopped && shown.contains(&answered) && shown.contains("Enter keeps them as they are"),
        "{shown}"
    );
    // Whatever is asked takes one of these answers.
    let lines = format!("\n{}", "1\nno\n".repeat(60));
    let (saved, shown) = study.typed("phone", &["answer"], &lines);
    assert!(saved && shown.contains("saved on this device as"), "{shown}");
    let due = study.run("phone", &["due"]);
    assert!(due["due"].as_array().unwrap().iter().all(|one| one["occurrence"] != diary.as_str()), "{due}");

    // Nothing waits any more, and still it is found: to go on with, or to throw away.
    let (went_on, shown) = study.typed("phone", &["answer"], "\n");
    assert!(!went_on && shown.contains(&answered) && shown.contains("is answered already"), "{shown}");
    let (stopped, shown) = study.typed("phone", &["answer"], "g\nq\n");
    assert!(stopped && shown.contains("Stopped. What you entered is kept"), "{shown}");
    let (_, shown) = study.typed("phone", &["answer", "--instrument", "https://example.org/other"], "\n");
    assert!(!shown.contains("You began"), "another questionnaire was named: {shown}");
    let (_, shown) = study.typed("phone", &["answer"], "d\n");
    assert!(shown.contains(&answered), "{shown}");
    assert_eq!(study.run("phone", &["answer", "--drafts"]), json!([]));
}
