//! An inspector checks an audit package with nothing but its files and the site's fingerprint.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set up its world has failed"
)]

use serde_json::Value;
use ward_client::export::{PackageFiles, check_package};
use ward_crypto::{Role, sha256};
use ward_id::hex_encode;
use ward_sync::{AnsweredBy, Note, Occurrence, QuestionnaireResponse, ResponseStatus};
use ward_testkit::Site;

async fn package(seed: u64) -> (PackageFiles, [u8; 32]) {
    let mut site = Site::small(seed).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    for text in ["one", "two", "three"] {
        patient.client.capture(chart, Note { text: text.to_owned(), supersedes: vec![] }).await.unwrap();
        patient.sync().await;
    }
    nurse.sync().await;
    nurse.client.capture(chart, Note { text: "seen".to_owned(), supersedes: vec![] }).await.unwrap();
    nurse.sync().await;
    nurse.sync().await;
    // The export itself leaves a receipt of access, which is in the log after one more sync.
    nurse.client.export_audit(chart).await.unwrap();
    nurse.sync().await;
    let files = nurse.client.export_audit(chart).await.unwrap().into_iter().collect();
    (files, *site.root_policy.fingerprint().as_bytes())
}

/// Makes the list of files fit again, as a forger would.
fn relist(files: &mut PackageFiles) {
    let mut manifest: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let listed: Vec<Value> = files
        .iter()
        .filter(|(name, _)| *name != "manifest.json")
        .map(|(name, bytes)| {
            serde_json::json!({"name": name, "bytes": bytes.len(), "sha256": hex_encode(&sha256(bytes))})
        })
        .collect();
    manifest["files"] = Value::Array(listed);
    files.insert("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap());
}

#[tokio::test]
async fn a_whole_package_holds() {
    let (files, root) = package(1).await;
    let check = check_package(&files, Some(root));
    assert!(check.holds(), "{check:?}");
    assert!(check.entries >= 4 && check.envelopes >= 4 && check.certificates == 5, "{check:?}");
    let issuers_shown = !check.not_shown.iter().any(|one| one.contains("signature"));
    assert!(issuers_shown, "authors, coordinator and admins: {check:?}");
    assert!(check.receipts >= 1 && check.confirmed_at_s > 0, "{check:?}");
    let unpinned = check_package(&files, None);
    assert!(unpinned.holds() && unpinned.not_shown.iter().any(|one| one.contains("fingerprint")));
    let other = check_package(&files, Some([7; 32]));
    assert!(!other.holds());
}

#[tokio::test]
async fn whatever_is_changed_or_left_out_shows() {
    let (files, root) = package(2).await;
    assert!(check_package(&files, Some(root)).holds());
    for name in files.keys() {
        // One byte of any file, with and without the list of files made to fit.
        for relisted in [false, true] {
            let mut forged = files.clone();
            let bytes = forged.get_mut(name).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            // What is only told again in words stands or falls with the list of files.
            let told = [".html", ".json", ".csv", ".ndjson"].iter().any(|end| name.ends_with(end));
            if relisted && !told {
                relist(&mut forged);
            }
            let check = check_package(&forged, Some(root));
            assert!(!check.holds(), "{name} changed, list made to fit: {relisted}");
        }
        let mut forged = files.clone();
        forged.remove(name);
        assert!(!check_package(&forged, Some(root)).holds(), "{name} left out");
    }
    let mut added = files.clone();
    added.insert("entries-2.json".to_owned(), b"[]".to_vec());
    assert!(!check_package(&added, Some(root)).holds());
}

#[tokio::test]
async fn an_entry_left_out_or_retold_shows() {
    let (files, root) = package(3).await;
    let entries: Vec<Value> = serde_json::from_slice(&files["entries.json"]).unwrap();
    let with = |entries: &[Value]| {
        let mut forged = files.clone();
        forged.insert("entries.json".to_owned(), serde_json::to_vec(entries).unwrap());
        relist(&mut forged);
        check_package(&forged, Some(root))
    };
    assert!(with(&entries).holds());
    let two = entries
        .iter()
        .position(|one| one["frame"]["body"]["payload"].to_string().contains("\"two\""))
        .unwrap();
    let mut shorter = entries.clone();
    shorter.remove(two);
    assert!(with(&shorter).faults.iter().any(|fault| fault.contains("misses something")));
    // The newest entry has none after it in its chain, but others had seen it.
    let last =
        entries.iter().rposition(|one| one["frame"]["body"]["payload"].to_string().contains("\"three\""));
    let mut cut = entries.clone();
    cut.remove(last.unwrap());
    assert!(with(&cut).faults.iter().any(|fault| fault.contains("had seen it")));
    let mut blamed = entries.clone();
    blamed[two]["author"]["role"] = Value::from("clinician");
    assert!(with(&blamed).faults.iter().any(|fault| fault.contains("author")));
    let mut retold = entries.clone();
    let told = retold[two]["frame"]["body"]["payload"].to_string().replace("two", "2 mg more");
    retold[two]["frame"]["body"]["payload"] = serde_json::from_str(&told).unwrap();
    assert!(with(&retold).faults.iter().any(|fault| fault.contains("not what was signed")));
}

#[tokio::test]
async fn a_certificate_without_its_issuer_is_said_and_not_believed_in_silence() {
    let (files, root) = package(4).await;
    let names: Vec<String> = files
        .keys()
        .filter(|name| name.ends_with(".mlog.cbor") && name.starts_with("cert"))
        .cloned()
        .collect();
    let mut said = 0;
    for name in names {
        let mut forged = files.clone();
        forged.remove(&name);
        forged.remove(&name.replace(".mlog.cbor", ".tlog-proof"));
        relist(&mut forged);
        let check = check_package(&forged, Some(root));
        said += usize::from(check.not_shown.iter().any(|one| one.contains("whose certificate is not")));
    }
    assert!(said >= 1, "the coordinator issued the participant's");
}

/// A dose of 1.50 is not one of 1.5: whoever reads the package sees what was signed.
#[tokio::test]
async fn numbers_keep_the_digits_that_were_signed() {
    let mut site = Site::small(11).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let signed = r#"{"resourceType":"QuestionnaireResponse","questionnaire":"https://example.org/dose|1","status":"completed","item":[{"linkId":"dose","answer":[{"valueDecimal":1.50}]},{"linkId":"size","answer":[{"valueQuantity":{"value":0.123456789012345678901,"unit":"mm"}}]}]}"#;
    let answers = QuestionnaireResponse {
        instrument_url: "https://example.org/dose".into(),
        instrument_version: "1".into(),
        occurrence: Occurrence::new("2026-03-01"),
        status: ResponseStatus::Completed,
        answered_by: AnsweredBy::Self_,
        response: signed.into(),
    };
    patient.client.capture(chart, answers).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    let files: PackageFiles = nurse.client.export_audit(chart).await.unwrap().into_iter().collect();
    let entries = String::from_utf8(files["entries.json"].clone()).unwrap();
    assert!(entries.contains(r#""valueDecimal": 1.50"#), "{entries}");
    assert!(entries.contains(r#""value": 0.123456789012345678901,"#), "{entries}");
    let trail = String::from_utf8(files["trail.csv"].clone()).unwrap();
    assert!(trail.contains("1.50") && trail.contains("0.123456789012345678901 mm"), "{trail}");
    assert!(check_package(&files, Some(*site.root_policy.fingerprint().as_bytes())).holds());
}
