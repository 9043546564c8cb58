//! Conflicts from the command line: shown with every value, decided by name and with a reason, under a
//! study schema that an admin published.

use crate::commands::Study;
use serde_json::{Value, json};

const SCHEMA: &str = r#"
[[field]]
kind = "medication-plan-field"
name = "dose"
merge = "worst-case"
safety = true
resolvers = ["clinician", "investigator"]

[[field]]
kind = "profile-field"
name = "text-size"
merge = "ui-lww"
"#;

const LOSSY: &str = r#"
[[field]]
kind = "medication-plan-field"
name = "dose"
merge = "ui-lww"
safety = true
"#;

/// A study with a coordinator, two who prescribe, and a participant's chart.
fn study_with_two_prescribers() -> (Study, String) {
    let study = Study::begin();
    let persons: Vec<String> = [("anna", "coordinator"), ("omar", "clinician"), ("ines", "investigator")]
        .map(|(home, role)| study.enrol_staff(home, role))
        .to_vec();
    let team = study.run("site/admin-1", &["team", "set", &persons[0], &persons[1], &persons[2]]);
    study.ok("anna", &["sync"]);
    let invitation =
        study.run("anna", &["invite", "--team", team["team"].as_str().unwrap(), "--name", "Ada"]);
    let chart = invitation["chart"].as_str().unwrap().to_owned();
    study.enrol_patient("phone", &invitation);
    for home in ["phone", "omar", "ines"] {
        study.ok(home, &["sync"]);
    }
    (study, chart)
}

fn plan<'a>(study: &Study, home: &str, chart: &'a str, value: &'a str) -> Value {
    study.run(home, &["record", "plan", "ondansetron", "dose", value, "--unit", "mg", "--chart", chart])
}

fn sync(study: &Study, homes: &[&str]) {
    for home in homes {
        study.ok(home, &["sync"]);
    }
}

#[test]
fn a_conflict_is_decided_from_the_command_line() {
    let (study, chart) = study_with_two_prescribers();

    // The schema: what is wrong with it is said without a device, and nothing lossy is published.
    study.write("study.toml", SCHEMA);
    study.write("lossy.toml", LOSSY);
    assert_eq!(study.run("nobody", &["study", "check", "study.toml"])["good"], true);
    let refused = study.failure("nobody", &["study", "check", "lossy.toml"]);
    assert_eq!((refused["exit"].as_u64(), refused["code"].as_str()), (Some(1), Some("WARD-6063")));
    assert!(refused["why"].as_str().unwrap().contains("ui-lww"), "{refused}");
    assert_eq!(study.failure("site/admin-1", &["study", "publish", "lossy.toml"])["code"], "WARD-6063");
    assert_eq!(study.exit_code("omar", &["study", "publish", "study.toml"]), 1, "an admin publishes");
    assert!(study.run("site/admin-1", &["study", "publish", "study.toml"])["done"].is_string());

    // Two who did not see each other.
    let a = plan(&study, "omar", &chart, "4")["entry"].as_str().unwrap().to_owned();
    let b = plan(&study, "ines", &chart, "8")["entry"].as_str().unwrap().to_owned();
    sync(&study, &["omar", "ines", "omar"]);
    let shown = study.run("omar", &["chart", &chart]);
    let open = &shown["conflicts"][0];
    assert_eq!(open["values"].as_array().unwrap().len(), 2, "{shown}");
    assert!(
        open["values"].as_array().unwrap().iter().all(|one| one["by"].is_string() && one["at"].is_string())
    );
    assert_eq!(shown["medication_plan"][0]["conflict"], true);
    let items = study.run("omar", &["worklist"]);
    let item = items.as_array().unwrap().iter().find(|item| item["urgency"] == "conflict").unwrap();
    assert_eq!(item["values"].as_array().unwrap().len(), 2, "{item}");

    // An ordinary write does not decide, and nothing is decided unseen, without a reason or by anybody.
    let more =
        ["record", "plan", "ondansetron", "dose", "6", "--chart", &chart, "--replaces", &a, "--replaces", &b];
    let refused = study.failure("omar", &more);
    assert!(refused["next"].as_str().unwrap().contains("ward resolve"), "{refused}");
    let choose = |home: &str, entry: &str| {
        study.failure(home, &["resolve", "--chart", &chart, "--choose", entry, "--reason", "asked both"])
    };
    let unseen = choose("ines", &a);
    assert!(unseen["why"].as_str().unwrap().contains("not looked at"), "{unseen}");
    assert_eq!(
        study.exit_code("ines", &["resolve", "--chart", &chart, "--choose", &a]),
        2,
        "without a reason"
    );
    sync(&study, &["anna"]);
    study.run("anna", &["resolve", "--chart", &chart]);
    assert_eq!(choose("anna", &a)["code"], "WARD-6016", "a coordinator does not decide about a dose");

    let listed = study.run("ines", &["resolve", "--chart", &chart]);
    assert_eq!(listed["conflicts"][0]["candidates"].as_array().unwrap().len(), 2);
    let value = [
        "resolve",
        "--chart",
        &chart,
        "--among",
        &a,
        "--value",
        "6",
        "--unit",
        "mg",
        "--reason",
        "weighed again",
    ];
    let decided = study.run("ines", &value)["entry"].as_str().unwrap().to_owned();
    sync(&study, &["ines", "omar", "phone"]);
    for home in ["ines", "omar", "phone"] {
        let shown = study.run(home, &["chart", &chart]);
        assert_eq!(shown["conflicts"], json!([]));
        let values = shown["medication_plan"][0]["values"].as_array().unwrap();
        assert_eq!(values.len(), 1);
        assert_eq!((&values[0]["value"]["value"], &values[0]["entry"]), (&json!("6"), &json!(decided)));
        assert_eq!((&values[0]["decision"], &values[0]["reason"]), (&json!(true), &json!("weighed again")));
    }
    assert_eq!(study.run("omar", &["resolve", "--chart", &chart])["conflicts"], json!([]));

    // A note that does not belong here is declared void, and stays in the trail.
    let note = study.run("omar", &["record", "note", "wrong chart", "--chart", &chart]);
    let note = note["entry"].as_str().unwrap();
    study.run("omar", &["void", note, "--chart", &chart, "--reason", "meant for somebody else"]);
    let shown = study.run("omar", &["chart", &chart]);
    assert_eq!(shown["voided"][0]["reason"], "meant for somebody else");
    assert_eq!(shown["voided"][0]["record"], note);
    sync(&study, &["omar"]);
    let verified = study.run("omar", &["audit", "verify"]);
    assert_eq!(verified["faults"], json!([]));
}
