//! A participant's tablet beside the phone, from the command line.

use crate::commands::Study;
use serde_json::json;

#[test]
fn a_tablet_beside_the_phone_takes_the_phones_signature() {
    let study = Study::begin();
    let coordinator = study.enrol_staff("anna", "coordinator");
    let team = study.run("site/admin-1", &["team", "set", &coordinator]);
    study.ok("anna", &["sync"]);
    let invitation =
        study.run("anna", &["invite", "--team", team["team"].as_str().unwrap(), "--name", "Ada"]);
    let (chart, person) =
        (invitation["chart"].as_str().unwrap().to_owned(), invitation["person"].as_str().unwrap());
    study.enrol_patient("phone", &invitation);
    study.ok("phone", &["sync"]);
    study.run("phone", &["record", "note", "from the phone"]);
    study.ok("phone", &["sync"]);
    assert_eq!(study.run("phone", &["devices"])["waiting"], json!([]));

    let second = study.run("anna", &["invite", "--person", person]);
    assert_eq!(second["chart"], json!(chart), "the chart they have");
    let approved = study.enrol_next_of_patient("tablet", "phone", &second);
    let (device, entry) = (approved["device"].as_str().unwrap(), approved["proposed"].as_str().unwrap());
    // Signed once; staff sign for no participant, and a participant for nothing else.
    assert_eq!(study.failure("phone", &["devices", "approve", device, "--same"])["exit"], 5);
    assert_eq!(study.failure("anna", &["devices", "approve", device, "--same"])["code"], "WARD-6016");
    assert_eq!(study.failure("phone", &["invite", "cosign", entry])["code"], "WARD-6016");
    for home in ["anna", "phone", "tablet"] {
        study.ok(home, &["sync"]);
    }
    let listed = study.run("tablet", &["devices"]);
    let devices = listed["devices"].as_array().unwrap();
    assert!(devices.len() == 2 && devices.iter().all(|one| one["active"] == true), "{listed}");
    study.run("tablet", &["record", "note", "from the tablet"]);
    for home in ["tablet", "anna", "phone"] {
        study.ok(home, &["sync"]);
    }
    for home in ["phone", "tablet", "anna"] {
        let notes = study.run(home, &["chart", &chart])["notes"].to_string();
        assert!(notes.contains("from the phone") && notes.contains("from the tablet"), "{home}: {notes}");
    }
    // The phone is sold: the tablet takes it out, and works on.
    let phone = study.run("phone", &["status"])["device"].as_str().unwrap().to_owned();
    study.run("tablet", &["revoke", &phone, "--reason", "sold"]);
    assert_eq!(study.exit_code("phone", &["sync"]), 5);
    let listed = study.run("anna", &["devices", "--chart", &chart]);
    assert_eq!(listed["waiting"], json!(null), "staff are asked for nothing");

    // Words that differ end it.
    let third = study.run("anna", &["invite", "--person", person]);
    let refused = study.refuse_next_of_patient("stranger", "tablet", &third);
    assert_eq!(refused["exit"], 1, "{refused}");
    assert_eq!(study.run("tablet", &["devices"])["waiting"], json!([]));
}
