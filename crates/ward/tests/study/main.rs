//! A study from the command line, as README tells it: the real program, real TLS, one folder a
//! device.
#![cfg(test)]

mod alerts;
mod begun_answers;
mod commands;
mod conflicts;
mod devices;
mod instruments;
mod schedules;
mod texts;
mod trail;

use commands::Study;
use serde_json::{Value, json};

const DIARY: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/instruments/ward-symptom-diary.json");

/// A day on which nausea is severe; other symptoms are absent.
fn severe_nausea() -> Value {
    let form: Value = serde_json::from_slice(&std::fs::read(DIARY).unwrap()).unwrap();
    let mut answers = serde_json::Map::new();
    collect(&form, &mut answers);
    Value::Object(answers)
}

/// Answers every owed question: the worst for nausea, "none" for all others.
fn collect(item: &Value, answers: &mut serde_json::Map<String, Value>) {
    let link_id = item["linkId"].as_str().unwrap_or_default();
    if item["type"] == "choice" {
        // The diary's codes are the attribute and the score.
        let attribute = link_id.rsplit('-').next().unwrap();
        let nausea = link_id.starts_with("nausea");
        if nausea || item["enableWhen"].is_null() {
            answers.insert(link_id.to_owned(), json!(format!("{attribute}-{}", if nausea { 4 } else { 0 })));
        }
    } else if link_id == "call-me" {
        answers.insert(link_id.to_owned(), json!("yes"));
    }
    for child in item["item"].as_array().into_iter().flatten() {
        collect(child, answers);
    }
}

#[test]
fn a_study_runs_from_the_command_line() {
    let mut study = Study::begin();
    let coordinator = study.enrol_staff("anna", "coordinator");
    let clinician = study.enrol_staff("omar", "clinician");
    let team = study.run("site/admin-1", &["team", "set", &coordinator, &clinician]);
    let team = team["team"].as_str().unwrap().to_owned();

    // A participant: chart, name and questionnaire with the invitation; six words; signature.
    study.ok("anna", &["sync"]);
    let invitation = study.run(
        "anna",
        &["invite", "--team", &team, "--name", "Ada Example", "--instrument", DIARY, "--days", "14"],
    );
    let chart = invitation["chart"].as_str().unwrap().to_owned();
    study.enrol_patient("phone", &invitation);
    study.ok("phone", &["sync"]);

    // Without a network the answers are saved; afterwards they arrive.
    study.write("day.json", &severe_nausea().to_string());
    study.stop_server();
    let saved = study.run("phone", &["answer", "--answers", "day.json"]);
    let entry = saved["entry"].as_str().unwrap().to_owned();
    study.run("phone", &["record", "dose", "ondansetron"]);
    assert_eq!(study.exit_code("phone", &["sync"]), 4, "no server is there");
    assert_eq!(study.run("phone", &["status"])["saved_here"], 2);
    assert_eq!(
        study.exit_code("phone", &["audit", "verify"]),
        5,
        "nothing is wrong, and not all was checked"
    );

    // What is queued nowhere does not say that it is sent later.
    let device = study.run("phone", &["status"])["device"].as_str().unwrap().to_owned();
    let offline = study.failure("anna", &["revoke", &device, "--reason", "the phone was stolen"]);
    assert_eq!(offline["exit"], 4);
    assert!(offline["why"].as_str().unwrap().contains("nothing was done"), "{offline}");
    // The phone's work can be carried to the clinic in a file that only staff can open.
    let file = study.run("phone", &["export", "--unsent", "phone.ward", "--words"]);
    assert_eq!((file["entries"].as_u64(), study.mode("phone.ward")), (Some(2), 0o600), "{file}");
    assert_eq!(study.exit_code("site/admin-1", &["import", "phone.ward"]), 1, "it is not for an admin");
    study.start_server();
    study.ok("omar", &["sync"]);
    let opened = study.run("omar", &["import", "phone.ward"]);
    let standing = |n: usize| opened["entries"][n]["standing"].as_str().unwrap().to_owned();
    assert_eq!((standing(0), standing(1)), ("can be taken over".to_owned(), "can be taken over".to_owned()));
    let words = file["words"].as_str().unwrap();
    let again = study.run("phone", &["import", "phone.ward", "--words", words]);
    assert_eq!(again["saved"], 0, "its own work is here already");
    study.ok("phone", &["sync"]);
    assert_eq!(study.run("phone", &["status"])["received"].as_u64(), Some(2));
    assert!(study.exit_code("phone", &["export", "--unsent", "none.ward"]) != 0, "nothing waits any more");

    // The clinician sees it scored, on top, with the name; and says what was done.
    study.ok("omar", &["sync"]);
    let items = study.run("omar", &["worklist"]);
    let urgencies: Vec<&str> =
        items.as_array().unwrap().iter().filter_map(|item| item["urgency"].as_str()).collect();
    assert_eq!(urgencies.first(), Some(&"patient-urgent"), "{items}");
    let severe =
        items.as_array().unwrap().iter().find(|item| item["urgency"] == "urgent").expect("severe nausea");
    assert_eq!(severe["participant"], "Ada Example");
    assert!(severe["reason"].as_str().unwrap().to_lowercase().contains("feeling sick"), "{severe}");
    let id = severe["id"].as_str().unwrap().to_owned();
    study.run("omar", &["worklist", "ack", &id, "--action", "called, changed the antiemetic"]);
    study.ok("omar", &["sync"]);
    study.ok("anna", &["sync"]);
    let left = study.run("anna", &["worklist"]);
    assert!(
        left.as_array().unwrap().iter().all(|item| item["id"] != id.as_str()),
        "acknowledged for the whole team"
    );

    // Who may prescribe does; who may not is told so, and nothing is written.
    study.run("omar", &["record", "plan", "ondansetron", "dose", "4", "--unit", "mg", "--chart", &chart]);
    study.ok("omar", &["sync"]);
    assert_eq!(
        study.exit_code("anna", &["record", "plan", "ondansetron", "dose", "9", "--chart", &chart]),
        1,
        "a coordinator prescribes nothing"
    );
    let shown = study.run("phone", &["chart", &chart]);
    assert_eq!(shown["responses"].as_array().unwrap().len(), 1);

    // A correction keeps what was there, and corrects something.
    study.write("corrected.json", &severe_nausea().to_string());
    assert_eq!(
        study.exit_code(
            "phone",
            &[
                "answer",
                "--answers",
                "corrected.json",
                "--amend",
                &entry,
                "--reason",
                "mixed up two questions"
            ],
        ),
        1,
        "an unchanged correction is not signed"
    );
    let mut corrected = severe_nausea();
    corrected["nausea-severity"] = json!("severity-3");
    study.write("corrected.json", &corrected.to_string());
    study.run(
        "phone",
        &["answer", "--answers", "corrected.json", "--amend", &entry, "--reason", "mixed up two questions"],
    );
    study.ok("phone", &["sync"]);
    study.ok("omar", &["sync"]);
    let shown = study.run("omar", &["chart", &chart]);
    assert_eq!(shown["responses"][0]["reason"], "mixed up two questions");
    trail::tells_all(&mut study, &chart, &entry);
    trail::a_damaged_store_is_put_in_order(&mut study, &chart);

    // Proofs, package, exports.
    let verified = study.run("omar", &["audit", "verify"]);
    assert_eq!((&verified["faults"], &verified["unchecked"]), (&json!([]), &json!([])));
    assert!(verified["checked"].as_array().unwrap().len() >= 5);
    let proof = study.run("omar", &["audit", "prove", &entry]);
    assert!(proof["tlog_proof"].as_str().unwrap().starts_with("c2sp.org/tlog-proof@v1"));
    study.run("omar", &["audit", "package", &chart, "package"]);
    assert!(study.path("package/index.html").exists());
    // An inspector without a home, a key or the server.
    let checked = study.run("nobody", &["audit", "check", "package"]);
    let (root, faults) = (checked["root_fingerprint"].as_str().unwrap(), &checked["faults"]);
    assert_eq!(faults, &json!([]));
    assert!(checked["entries"].as_u64().unwrap() >= 5 && checked["envelopes"].as_u64().unwrap() >= 5);
    let pinned = study.run("nobody", &["audit", "check", "package", "--root", root]);
    assert_eq!(pinned["faults"], json!([]));
    let other = "0".repeat(64);
    assert_eq!(study.failure("nobody", &["audit", "check", "package", "--root", &other])["exit"], 1);
    study.write("package/added.txt", "one more");
    let changed = study.failure("nobody", &["audit", "check", "package", "--root", root]);
    assert!(changed["why"].as_str().unwrap().contains("added.txt"), "{changed}");
    std::fs::remove_file(study.path("package/added.txt")).unwrap();
    let server = study.run("omar", &["audit", "verify", "--server", "site/server/ward.toml"]);
    assert_eq!(server["faults"], json!([]));
    assert!(server["operations"].as_u64().unwrap() >= 5);
    study.run("phone", &["export", "--for-patient", "-o", "mine.html"]);
    let page = std::fs::read_to_string(study.path("mine.html")).unwrap();
    assert!(page.contains("<html lang=") && page.contains("feel sick to your stomach"));
    study.run("omar", &["export", "-o", "data.ndjson"]);
    assert!(study.path("data.ndjson").metadata().unwrap().len() > 1_000);
    for (name, mode) in
        [("data.ndjson", 0o600), ("mine.html", 0o600), ("package", 0o700), ("package/index.html", 0o600)]
    {
        assert_eq!(study.mode(name), mode, "{name} is decrypted");
    }
    alerts::are_tried_on_an_export(&study, "data.ndjson", DIARY);
    alerts::follow_what_the_study_published(&study, DIARY);
    let export = study.run("omar", &["export"]);
    assert!(export["resources"].as_array().is_some_and(|all| all.len() > 5), "one document");
    assert_eq!(study.run("omar", &["evidence", "list"]), json!([]));
    assert_eq!(study.run("phone", &["answer", "--drafts"]), json!([]));

    // Two commands in one home would overwrite each other.
    let held = study.hold("phone");
    let busy = study.failure("phone", &["record", "note", "hello"]);
    assert_eq!(busy["exit"], 5);
    assert!(busy["what"].as_str().unwrap().contains("Another ward command"), "{busy}");
    drop(held);

    // A lost phone is out at once and reads nothing any more.
    study.run("anna", &["revoke", &device, "--reason", "the phone was stolen"]);
    assert_eq!(study.exit_code("phone", &["sync"]), 5);
    a_lost_phone_hands_over_and_is_wiped(&study, &device);
}

/// What a revoked phone could not send is decided about by staff; then the phone obeys an order to wipe.
fn a_lost_phone_hands_over_and_is_wiped(study: &Study, device: &str) {
    let own = study.run("phone", &["status"])["order"].clone();
    assert_eq!((&own["severed"], &own["reason"]), (&json!(false), &json!("the phone was stolen")));
    for text in ["first", "second", "third"] {
        study.run("phone", &["record", "note", text]);
    }
    assert_eq!(study.exit_code("phone", &["sync"]), 5);
    let status = study.run("phone", &["status"]);
    assert_eq!((&status["handed_over"], &status["saved_here"]), (&json!(3), &json!(0)), "{status}");
    study.ok("omar", &["sync"]);
    let waiting = study.run("omar", &["adopt", "--list"]);
    let entries: Vec<&str> =
        waiting.as_array().unwrap().iter().map(|one| one["entry"].as_str().unwrap()).collect();
    assert_eq!(entries.len(), 3, "{waiting}");
    let asked = study.run("omar", &["worklist"]);
    assert!(asked.as_array().unwrap().iter().any(|item| item["urgency"] == "to-adopt"), "{asked}");
    study.run("omar", &["decline", entries[0], "--reason", "somebody else had the phone"]);
    let again = ["decline", entries[0], "--reason", "once more"];
    assert_eq!(study.exit_code("omar", &again), 3, "it was decided");
    study.run("omar", &["adopt", entries[2]]);
    let rest = study.run("omar", &["adopt", "--all", "--device", device]);
    assert_eq!(rest["entries"].as_array().unwrap().len(), 1, "{rest}");
    study.ok("omar", &["sync"]);
    study.ok("anna", &["sync"]);
    // What was declined is kept aside, and could be adopted by its name after all.
    for name in ["anna", "omar"] {
        let left = study.run(name, &["adopt", "--list"]);
        let left: Vec<_> =
            left.as_array().unwrap().iter().map(|one| (&one["entry"], &one["declined"])).collect();
        assert_eq!(left, [(&json!(entries[0]), &json!(true))]);
    }
    assert_eq!(study.exit_code("omar", &["adopt", "--all", "--device", device]), 3, "nothing is left");

    study.run("anna", &["revoke", device, "--reason", "found by a stranger", "--wipe"]);
    let wiped = study.failure("phone", &["sync"]);
    assert!(wiped["what"].as_str().unwrap().contains("revoked"), "{wiped}");
    assert!(!study.path("phone/device.key").exists(), "the key is gone");
    assert_eq!(study.exit_code("phone", &["status"]), 5, "nothing is left to show");

    // A person wipes their own device only after they were told what is lost.
    study.run("omar", &["record", "note", "unsent", "--chart", waiting[0]["chart"].as_str().unwrap()]);
    let told = study.failure("omar", &["wipe"]);
    assert!(told["why"].as_str().unwrap().contains("1 entries exist on this device only"), "{told}");
    assert_eq!(study.exit_code("omar", &["wipe", "--lose", "0"]), 1);
    assert_eq!(study.run("omar", &["wipe", "--lose", "1"])["wiped"], true);
    assert_eq!(study.exit_code("omar", &["status"]), 5);
}

#[test]
fn the_demo_keeps_every_promise() {
    let study = Study::nowhere();
    let summary = study.run("none", &["demo", "--check", "--patients", "3", "--days", "4", "--dir", "demo"]);
    assert_eq!(summary["ok"], true, "{summary}");
    let checks = summary["checks"].as_array().unwrap();
    assert!(checks.len() >= 8 && checks.iter().all(|check| check["holds"] == true), "{summary}");
    assert!(summary["responses"].as_u64().unwrap() >= 6);
}

#[test]
fn what_cannot_work_says_what_to_do() {
    let study = Study::nowhere();
    assert_eq!(study.exit_code("nobody", &["status"]), 5);
    assert_eq!(study.exit_code("nobody", &["enrol", "ward:1:nonsense"]), 3);
    assert_eq!(study.exit_code("nobody", &["chart", "not-an-id"]), 2);
    assert_eq!(study.exit_code("nobody", &["invite", "--role", "king"]), 2);
    let wrong = study.failure("nobody", &["invite", "--role", "king"]);
    assert!(wrong["what"].as_str().unwrap().contains("king"), "a program reads errors too: {wrong}");
}

#[test]
fn every_command_has_a_page_of_help() {
    let study = Study::nowhere();
    for command in [
        "demo",
        "init",
        "serve",
        "witness",
        "backup",
        "restore",
        "doctor",
        "config",
        "invite",
        "team",
        "assign",
        "revoke",
        "recover",
        "enrol",
        "due",
        "answer",
        "record",
        "sync",
        "status",
        "evidence",
        "chart",
        "adopt",
        "decline",
        "wipe",
        "worklist",
        "export",
        "audit",
        "study",
        "alerts",
        "instrument",
        "resolve",
        "void",
        "devices",
        "text",
        "attachment",
        "set",
    ] {
        let page = study.help(command);
        assert!(page.contains("Usage:") && page.lines().count() < 80, "{command}");
    }
}
