//! Row 14 and the log's key: what a server promised under the key that it had stays its promise.

use crate::reopened::{lead, reopen};
use crate::scene::{capture, site_with, synced, texts, until_quiet};
use ward_audit::ReceiptBreach;
use ward_client::SyncProblem;
use ward_client::export::{PackageFiles, check_package};
use ward_id::Canonical as _;
use ward_testkit::{TestDevice, WitnessMemories};

/// The server runs on a backup that lacks an acknowledged entry, and gets another log key. The receipt bears
/// the former one: it proves the breach to everybody, and the server waits.
#[tokio::test]
async fn fault_14_a_receipt_under_the_former_log_key_tells_a_server_that_it_was_set_back() {
    let (mut site, mut patient, mut others) = site_with(1_471, 1).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    let backup = site.server.store.snapshot().unwrap();
    capture(&mut patient, chart, &["seen by no witness"]).await;
    assert_eq!(synced(&mut patient).await.pushed, 1);
    site.server = site.server.started_on(backup, WitnessMemories::Kept).await.unwrap();
    lead(
        &site.server,
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins),
    );
    site.change_log_key([90; 32]).await;
    capture(&mut site.coordinator, chart, &["written meanwhile"]).await;
    assert!(synced(&mut site.coordinator).await.pushed >= 1, "nothing looks wrong yet");

    let report = synced(&mut patient).await;
    let evidence = report.problems.iter().find_map(|problem| match problem {
        SyncProblem::BrokenPromise { evidence, .. } => Some(evidence),
        _ => None,
    });
    let sides = &evidence.unwrap_or_else(|| panic!("{report:?}")).sides;
    assert!(ReceiptBreach::from_canonical(&sides[0]).is_ok());
    let ready = site.server.transport.request("GET", "/readyz", Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(ready.status, 503, "one receipt is enough, whichever key it bears");
    for admin in &mut site.admins {
        synced(admin).await;
    }
    reopen(&mut site.admins[0]).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    for device in &everybody {
        assert_eq!(texts(device, chart), ["before the backup", "seen by no witness", "written meanwhile"]);
    }
}

/// The receipts in an audit package bear both keys; the manifests that name them are in it.
#[tokio::test]
async fn fault_14_an_audit_package_holds_with_receipts_under_both_log_keys() {
    let (mut site, mut patient, mut others) = site_with(1_472, 1).await;
    let chart = patient.chart();
    let nurse = &mut others[0];
    for round in ["under the first key", "under the second key"] {
        capture(&mut patient, chart, &[round]).await;
        synced(&mut patient).await;
        capture(nurse, chart, &[&format!("the nurse, {round}")]).await;
        for _ in 0..2 {
            synced(nurse).await;
        }
        if round == "under the first key" {
            site.change_log_key([91; 32]).await;
        }
    }
    let mut files: PackageFiles = nurse.client.export_audit(chart).await.unwrap().into_iter().collect();
    let pin = Some(*site.root_policy.fingerprint().as_bytes());
    let check = check_package(&files, pin);
    assert!(check.holds() && check.receipts >= 2, "{check:?}");
    let without = |name: &str| {
        let mut fewer = files.clone();
        fewer.remove(name).unwrap();
        check_package(&fewer, pin)
    };
    let fewer = without("site-manifest-000000.mlog.cbor");
    let unsigned = fewer.faults.iter().filter(|fault| fault.contains("signature does not hold")).count();
    assert!(unsigned >= 1 && fewer.not_shown.iter().any(|one| one.contains("site manifests")), "{fewer:?}");
    // A manifest that the newest one does not follow on names no key.
    let newest = files["site-manifest.mlog.cbor"].clone();
    files.insert("site-manifest-000001.mlog.cbor".to_owned(), newest);
    let check = check_package(&files, pin);
    assert!(check.faults.iter().any(|fault| fault.contains("no manifest before")), "{check:?}");
}
