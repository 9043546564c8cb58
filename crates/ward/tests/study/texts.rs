//! Notes that several people edit, attachments and lists, from the command line and in every place
//! where people look for them.

use crate::commands::Study;
use serde_json::{Value, json};

/// A study with a coordinator, a clinician and a participant's phone.
fn study() -> (Study, String) {
    let study = Study::begin();
    let persons =
        [("anna", "coordinator"), ("omar", "clinician")].map(|(home, role)| study.enrol_staff(home, role));
    let team = study.run("site/admin-1", &["team", "set", &persons[0], &persons[1]]);
    study.ok("anna", &["sync"]);
    let invitation =
        study.run("anna", &["invite", "--team", team["team"].as_str().unwrap(), "--name", "Ada"]);
    let chart = invitation["chart"].as_str().unwrap().to_owned();
    study.enrol_patient("phone", &invitation);
    sync(&study, &["phone", "omar", "anna"]);
    (study, chart)
}

fn sync(study: &Study, homes: &[&str]) {
    for home in homes {
        study.ok(home, &["sync"]);
    }
}

fn write(study: &Study, home: &str, note: &str, text: &str) -> Value {
    study.write("note.txt", &format!("{text}\n"));
    study.run(home, &["text", "write", note, "--from", "note.txt"])
}

const BASE: &str = "Pain in the left arm.";

#[test]
fn a_note_of_two_is_written_signed_and_shown_where_people_look() {
    let (study, chart) = study();
    assert_eq!(study.run("omar", &["text", "list"])["texts"], json!([]));
    study.write("note.txt", &format!("{BASE}\n"));
    let begun = study.run("omar", &["text", "write", "--from", "note.txt"]);
    let note = begun["text"].as_str().unwrap().to_owned();
    assert_eq!(write(&study, "omar", &note, BASE)["saved"], false, "it says that already");
    study.run("omar", &["text", "sign", &note, "--meaning", "seen and agreed"]);
    sync(&study, &["omar", "anna", "phone"]);

    // Nobody deletes or signs what they have not seen.
    study.write("note.txt", "Nothing.");
    for args in
        [vec!["text", "write", &note, "--from", "note.txt"], vec!["text", "sign", &note, "--meaning", "read"]]
    {
        let refused = study.failure("anna", &args);
        assert_eq!(refused["exit"], 5, "{refused}");
        assert!(refused["next"].as_str().unwrap().contains("ward text show"), "{refused}");
    }
    let shown = study.run("anna", &["text", "show", &note]);
    assert_eq!((&shown["says"], &shown["signatures"][0]["changed_since"]), (&json!(BASE), &json!(false)));
    assert_eq!(study.failure("anna", &["text", "show", &"0".repeat(32)])["code"], "WARD-6017");
    assert_eq!(study.exit_code("anna", &["text", "show", "nonsense"]), 2);

    // Both edit one paragraph without having seen each other.
    write(&study, "anna", &note, "Pain in the upper left arm.");
    write(&study, "omar", &note, "Pain in the left arm and hand.");
    sync(&study, &["anna", "omar", "anna", "phone"]);
    let merged = "Pain in the upper left arm and hand.";
    for home in ["anna", "omar", "phone"] {
        let texts = study.run(home, &["chart", &chart])["texts"].clone();
        assert_eq!(texts[0]["says"], merged, "{home}");
        assert_eq!(texts[0]["to_review"][0]["says"], merged);
        assert_eq!(texts[0]["to_review"][0]["by"].as_array().unwrap().len(), 2);
        assert_eq!(texts[0]["signatures"][0]["changed_since"], true);
    }
    let shown = study.run("omar", &["text", "show", &note]);
    let changes = shown["signatures"][0]["changes"].as_array().unwrap();
    let says: Vec<&str> = changes.iter().map(|change| change["says"].as_str().unwrap()).collect();
    assert!(says.contains(&"upper ") && says.contains(&" and hand"), "{changes:?}");
    let amended = document_reference(&study, "omar");
    assert_eq!(amended["docStatus"], "amended");
    assert!(amended["description"].as_str().unwrap().contains("merged"), "{amended}");
    let page = patient_page(&study);
    assert!(page.contains(merged) && page.contains("changed since this signature"), "{page}");
    assert!(page.contains("Your team has not looked at it yet"));

    // The one who read both signs: the mark goes everywhere.
    study.run("omar", &["text", "sign", &note, "--meaning", "read after the merge"]);
    study.run("omar", &["text", "append", &note, "Called her."]);
    study.run("omar", &["text", "sign", &note, "--meaning", "complete"]);
    sync(&study, &["omar", "phone"]);
    let texts = study.run("phone", &["text", "list"])["texts"].clone();
    assert_eq!(texts[0]["says"], format!("{merged}\nCalled her."));
    assert_eq!(texts[0]["to_review"], json!([]));
    let changed: Vec<&Value> =
        texts[0]["signatures"].as_array().unwrap().iter().map(|signed| &signed["changed_since"]).collect();
    assert_eq!(changed, [&json!(true), &json!(true), &json!(false)]);
    let last = document_reference(&study, "omar");
    assert_eq!(
        (&last["docStatus"], &last["content"][0]["attachment"]["contentType"]),
        (&json!("final"), &json!("text/plain; charset=utf-8"))
    );
    assert_eq!(last["id"], note);
    let page = patient_page(&study);
    assert!(page.contains("Called her.") && !page.contains("has not looked at it yet"));
}

/// The one note in the export of a device.
fn document_reference(study: &Study, home: &str) -> Value {
    let export = study.run(home, &["export"]);
    let resources = export["resources"].as_array().unwrap();
    let notes: Vec<&Value> =
        resources.iter().filter(|one| one["resourceType"] == "DocumentReference").collect();
    assert_eq!(notes.len(), 1);
    let reference = format!("DocumentReference/{}", notes[0]["id"].as_str().unwrap());
    let trail = resources.iter().filter(|one| one["target"][0]["reference"] == reference.as_str());
    assert!(trail.count() >= 4, "each burst and signature has its provenance");
    notes[0].clone()
}

fn patient_page(study: &Study) -> String {
    study.run("phone", &["export", "--for-patient", "-o", "mine.html"]);
    std::fs::read_to_string(study.path("mine.html")).unwrap()
}

#[test]
fn attachments_lists_and_urgent_marks_have_commands() {
    let (study, chart) = study();
    let content = "a photograph, as far as anybody knows";
    study.write("wound.png", content);
    let added = study.run("phone", &["attachment", "add", "wound.png"]);
    assert_eq!((&added["media_type"], &added["name"]), (&json!("image/png"), &json!("wound.png")));
    let entry = added["entry"].as_str().unwrap().to_owned();
    assert_eq!(study.failure("phone", &["attachment", "add", "none.png"])["exit"], 3);
    let own = study.run("phone", &["attachment", "list"]);
    assert_eq!(own["attachments"][0]["state"], "on this device, not sent");
    sync(&study, &["phone", "omar"]);
    let listed = study.run("omar", &["attachment", "list"]);
    assert_eq!(
        (&listed["attachments"][0]["entry"], &listed["attachments"][0]["size"]),
        (&json!(entry), &json!(content.len()))
    );
    study.run("omar", &["attachment", "fetch", &entry, "-o", "fetched.png"]);
    assert_eq!(std::fs::read_to_string(study.path("fetched.png")).unwrap(), content);
    assert_eq!(study.mode("fetched.png"), 0o600, "it is decrypted");
    assert_eq!(study.run("omar", &["attachment", "list"])["attachments"][0]["state"], "on this device");
    let unknown = study.failure("omar", &["attachment", "fetch", &"0".repeat(64), "-o", "none.png"]);
    assert_eq!(unknown["code"], "WARD-6017");
    assert!(!study.path("none.png").exists());

    // A removal takes out what its author saw; what was put in beside it stays.
    study.run("phone", &["set", "add", "allergies", "penicillin"]);
    study.run("phone", &["set", "add", "allergies", "latex"]);
    sync(&study, &["phone", "omar"]);
    study.run("phone", &["set", "add", "allergies", "penicillin"]);
    study.run("omar", &["set", "remove", "allergies", "penicillin", "--chart", &chart]);
    study.run("omar", &["set", "remove", "allergies", "latex"]);
    assert_eq!(study.failure("omar", &["set", "remove", "allergies", "latex"])["exit"], 3);
    sync(&study, &["omar", "phone", "omar"]);
    for home in ["omar", "phone"] {
        let sets = study.run(home, &["set", "list"])["sets"].clone();
        let elements = sets[0]["elements"].as_array().unwrap();
        assert_eq!((elements.len(), &elements[0]["element"]), (1, &json!("penicillin")), "{sets}");
        assert_eq!(study.run(home, &["chart", &chart])["sets"][0]["elements"], json!(["penicillin"]));
    }

    let saved = study.run("phone", &["record", "note", "I feel very ill"]);
    let entry = saved["entry"].as_str().unwrap();
    assert_eq!(study.run("phone", &["record", "urgent", entry])["urgent"], true);
    sync(&study, &["phone"]);
    let sent = study.failure("phone", &["record", "urgent", entry]);
    assert_eq!(sent["code"], "WARD-6017", "it was sent: nothing is left to hurry");
}
