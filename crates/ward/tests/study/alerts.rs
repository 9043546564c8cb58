//! A rule set tried on a real export: no device, no network.

use crate::commands::Study;
use serde_json::json;

/// One participant answered one day, the worst for nausea and "none" for all else, and asks to be
/// called; the export is what the clinic's device wrote.
pub fn are_tried_on_an_export(study: &Study, export: &str, diary: &str) {
    let rules = json!({"format": "ward/alert-rules", "version": 1, "name": "nausea study", "revision": "3", "rules": [
        {"id": "severe", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 3},
        {"id": "worse", "kind": "worsening", "severity": "concern", "of": {"symptom": "*"}, "by": 2, "since": "baseline"},
        {"id": "call", "kind": "patient-urgent", "severity": "urgent", "item": "call-me"},
        {"id": "silent", "kind": "missed", "severity": "notice", "inARow": 2},
        {"id": "typo", "kind": "threshold", "severity": "notice", "of": {"symptom": "nausia"}, "atLeast": 1}]});
    study.write("rules.json", &rules.to_string());
    let tried = study.run("nobody", &["alerts", "try", "rules.json", "--on", export, "--form", diary]);
    assert_eq!((&tried["name"], &tried["revision"]), (&json!("nausea study"), &json!("3")));
    assert_eq!((&tried["participants"], &tried["weeks_observed"]), (&json!(1), &json!(1)));
    assert_eq!((&tried["surveys"], &tried["surveys_with_alert"]), (&json!(1), &json!(1)));
    let alerts: Vec<_> =
        tried["rules"].as_array().unwrap().iter().map(|rule| (&rule["rule"], &rule["per_week"])).collect();
    let (one, none) = (json!([1]), json!([0]));
    assert_eq!(
        alerts,
        [(&json!("severe"), &one), (&json!("worse"), &none), (&json!("call"), &one), (&json!("typo"), &none)]
    );
    assert_eq!(tried["rules"][3]["never_asked"], 1, "a name that nobody asks for is told");
    assert_eq!(tried["not_tried"], json!(["silent"]), "an export holds no plan");
    let why =
        "An export does not say which times were planned, nor from when to when the participant took part.";
    assert_eq!(tried["not_tried_because"], json!(why));
    assert!(tried["rules"].as_array().unwrap().iter().all(|rule| rule["kind"] != "missed"), "{tried}");
    assert_eq!(tried["left_out"], json!({"drafts": 0, "void": 0, "unreadable": 0, "without_form": {}}));

    let page = study.text("nobody", &["alerts", "try", "rules.json", "--on", export, "--form", diary]);
    for line in [
        "“nausea study”, revision 3. Participants: 1. Surveys: 1. Weeks: 1.",
        "Surveys with an alert: 1 of 1 (100 %).",
        "! Not tried: silent. An export does not say which times were planned, nor from when to when the participant took part.",
        "! typo: nobody was asked for what it looks at. Is a name misspelt?",
    ] {
        assert!(page.lines().any(|own| own == line), "{line}\n{page}");
    }
    assert!(page.lines().any(|line| line.starts_with("severe") && line.contains("urgent")), "{page}");

    // Answers without their questionnaire are surveys that nobody can judge.
    let other =
        std::fs::read_to_string(diary).unwrap().replace("\"version\": \"1.0.0\"", "\"version\": \"0.9.0\"");
    study.write("other-form.json", &other);
    let unjudged =
        study.run("nobody", &["alerts", "try", "rules.json", "--on", export, "--form", "other-form.json"]);
    assert_eq!((&unjudged["surveys"], &unjudged["surveys_with_alert"]), (&json!(1), &json!(0)));
    assert_eq!(unjudged["rules"][0]["not_judged"], 1);
    assert_eq!(unjudged["left_out"]["without_form"].as_object().map(serde_json::Map::len), Some(1));

    // What is no rule set, no questionnaire or no export is refused with the place.
    study.write("typo.json", &rules.to_string().replace("atLeast", "atleast"));
    let refused = study.failure("nobody", &["alerts", "try", "typo.json", "--on", export, "--form", diary]);
    assert_eq!(
        (&refused["exit"], &refused["why"]),
        (&json!(3), &json!("$.rules[0]: the field atleast is not known"))
    );
    let refused =
        study.failure("nobody", &["alerts", "try", "rules.json", "--on", "rules.json", "--form", diary]);
    assert!(refused["why"].as_str().unwrap().starts_with("line 1: "), "{refused}");
    let refused =
        study.failure("nobody", &["alerts", "try", "rules.json", "--on", export, "--form", "rules.json"]);
    assert_eq!(refused["exit"], 3);
    assert_eq!(
        study.exit_code("nobody", &["alerts", "try", "rules.json", "--on", export]),
        2,
        "no form is named"
    );
}

/// An admin publishes the study's rules; the care team's device follows them and says how alerts were
/// met.
pub fn follow_what_the_study_published(study: &Study, diary: &str) {
    let form = ["--form", diary];
    let check = |file: &'static str| [&["alerts", "check", file][..], &form].concat();
    let refused = study.failure("nobody", &check("rules.json"));
    assert_eq!((&refused["exit"], &refused["code"]), (&json!(1), &json!("WARD-6080")), "{refused}");
    assert!(refused["why"].as_str().unwrap().starts_with("typo: "), "{refused}");
    let rules = json!({"format": "ward/alert-rules", "version": 1, "name": "nausea study", "revision": "1", "rules": [
        {"id": "sick", "kind": "threshold", "severity": "urgent", "of": {"symptom": "*"}, "atLeast": 3}]});
    study.write("good.json", &rules.to_string());
    assert_eq!(study.run("nobody", &check("good.json"))["good"], true);
    let publish = [&["alerts", "publish", "good.json"][..], &form].concat();
    assert_ne!(study.exit_code("omar", &publish), 0, "a clinician publishes no rules");
    study.run("site/admin-1", &publish);
    assert_ne!(study.exit_code("site/admin-1", &publish), 0, "revision 1 is there already");
    study.write(
        "far.json",
        &rules.to_string().replace(r#""revision":"1""#, r#""revision":"18446744073709551615""#),
    );
    let far = [&["alerts", "publish", "far.json"][..], &form].concat();
    assert_ne!(study.exit_code("site/admin-1", &far), 0, "nothing could follow the last number");
    study.ok("omar", &["sync"]);
    let shown = study.run("omar", &["alerts", "show"]);
    let numbers: Vec<_> = shown["revisions"].as_array().unwrap().iter().map(|one| &one["revision"]).collect();
    assert_eq!(numbers, [&json!(0), &json!(1)], "{shown}");
    the_team_acknowledges_new_rules_once(study);
    let items = study.run("omar", &["worklist", "--all"]);
    let alerts: Vec<_> =
        items.as_array().unwrap().iter().filter_map(|item| item["alerts"].as_array()).flatten().collect();
    assert!(alerts.iter().any(|alert| alert["rule"] == "sick" && alert["revision"] == 1), "{items}");
    // What was sealed before the phone knew of the set keeps what the built-in rules say of it.
    assert!(alerts.iter().any(|alert| alert["rule"] == "call" && alert["outdated"].is_null()), "{items}");
    let report = study.run("omar", &["alerts", "report"]);
    assert!(report["alerts"].as_u64().unwrap() >= 1, "{report}");
    let page = study.text("omar", &["alerts", "report"]);
    assert!(page.lines().any(|line| line.starts_with("Acted upon: ")), "{page}");
}

/// A new set is news for the care team until somebody says so.
fn the_team_acknowledges_new_rules_once(study: &Study) {
    let news = |all: &[&str]| {
        let items = study.run("omar", &[&["worklist"], all].concat());
        let own = items.as_array().unwrap().iter().filter(|item| item["participant"] == "alert rules");
        own.cloned().collect::<Vec<_>>()
    };
    let open = news(&[]);
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(open[0]["reason"].as_str().unwrap().contains("changed to revision 1 by admin "), "{open:?}");
    let gone = "no longer: missed (notice): missed 2 times in a row";
    assert!(open[0]["values"].as_array().unwrap().iter().any(|line| line == gone), "{open:?}");
    let item = open[0]["id"].as_str().unwrap();
    assert_eq!(study.exit_code("omar", &["worklist", "ack", item, "--action", "no action: fine"]), 2);
    study.run("omar", &["worklist", "ack", item, "--action", "read; told the team"]);
    assert!(news(&[]).is_empty());
    assert_eq!(news(&["--all"])[0]["acknowledged"]["action"], "read; told the team");
}
