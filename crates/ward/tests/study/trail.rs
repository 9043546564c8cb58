//! The trail and the states of entries from the command line, and a store that its disk damaged.

use crate::commands::Study;
use serde_json::{Value, json};

fn entries(trail: &Value) -> &[Value] {
    trail["entries"].as_array().unwrap()
}

/// Who, before and after, why, when and how far: without a network.
pub fn tells_all(study: &mut Study, chart: &str, entry: &str) {
    study.ok("omar", &["sync"]);
    study.ok("phone", &["sync"]);
    study.stop_server();
    let trail = study.run("omar", &["audit", "chart", chart]);
    assert_eq!(trail["totals"]["places"]["balances"], true);
    assert_eq!(trail["totals"]["places"]["total"], entries(&trail).len());
    let corrected = entries(&trail).iter().find(|line| line["reason"] == "mixed up two questions").unwrap();
    assert_eq!(corrected["replaces"], json!([entry]));
    let severity = corrected["changes"].as_array().unwrap().iter();
    let severity: Vec<&Value> =
        severity.filter(|change| change["field"].as_str().unwrap().contains("nausea-severity")).collect();
    assert_eq!(severity.len(), 1);
    assert!(severity[0]["old"][0].is_string() && severity[0]["new"].is_string());
    assert_ne!(severity[0]["old"][0], severity[0]["new"]);
    assert_eq!(corrected["author"]["name"], "Ada Example");
    assert_eq!(corrected["time"]["verdict"], "plausible");
    assert_eq!(corrected["delivery"], "opened-at-site");
    let table = study.run("omar", &["audit", "chart", chart, "--csv"]);
    assert!(table["text"].as_str().unwrap().starts_with("chart,number,entry,kind,"), "{table}");
    let written = study.run("omar", &["audit", "chart", chart, "--balp", "events.ndjson"]);
    let events = std::fs::read_to_string(study.path("events.ndjson")).unwrap();
    assert_eq!(written["events"], events.lines().count());
    assert_eq!(study.mode("events.ndjson"), 0o600, "as private as the chart");
    assert!(events.lines().all(|line| line.contains("\"AuditEvent\"") && !line.contains("Ada Example")));

    // Nothing is called received before it is, and what stops it is said.
    study.run("phone", &["record", "note", "written without a network"]);
    assert_eq!(study.exit_code("phone", &["sync"]), 4);
    let status = study.run("phone", &["status"]);
    assert_eq!((&status["saved_here"], &status["charts"][0]["saved_here"]), (&json!(1), &json!(1)));
    assert_eq!(status["stops"], json!(["unreachable"]));
    assert!(status["last_full_sync"].is_string() && status["next_attempt_at"].is_string(), "{status}");
    assert!(status["charts"][0]["oldest_unsent"]["waits_ms"].is_number());
    assert_eq!(status["needs_network"], false);
    study.start_server();
    study.ok("phone", &["sync"]);
    assert_eq!(study.run("phone", &["status"])["saved_here"], 0);
}

/// A page of the store's file is spoilt: the program says so, repairs it when asked, and fetches
/// what it lost.
pub fn a_damaged_store_is_put_in_order(study: &mut Study, chart: &str) {
    let before = study.run("phone", &["chart", chart]);
    assert_eq!(study.run("phone", &["repair"])["damaged"], json!({}), "nothing to repair");
    let file = study.path("phone/store.db");
    let sound = std::fs::read(&file).unwrap();
    let spoilt = (2..sound.len() / 4_096).rev().find(|page| {
        let mut bytes = sound.clone();
        bytes[page * 4_096..page * 4_096 + 8].fill(0x77);
        std::fs::write(&file, bytes).unwrap();
        study.exit_code("phone", &["status"]) != 0
    });
    assert!(spoilt.is_some(), "no page mattered");
    let said = study.failure("phone", &["status"]);
    assert!(said["next"].as_str().unwrap().contains("ward repair"), "{said}");
    let repaired = study.run("phone", &["repair"]);
    assert!(repaired["salvaged_rows"].as_u64().unwrap() > 10, "{repaired}");
    assert!(study.path("phone/store.db.damaged-1").exists(), "the damaged file is kept");
    // What the repair could not read is fetched again, however many syncs that takes.
    for _ in 0..3 {
        study.run_any("phone", &["sync"]);
    }
    study.ok("phone", &["sync"]);
    let after = study.run("phone", &["chart", chart]);
    assert_eq!(after["responses"], before["responses"]);
    assert_eq!(after["notes"].as_array().map(Vec::len), before["notes"].as_array().map(Vec::len));
    assert_eq!(study.run("phone", &["status"])["losses"]["entries"], json!([]), "the server had all of it");
}
