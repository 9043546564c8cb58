//! Row 14 where nobody can know: the server runs on a backup that lacks acknowledged entries which no
//! witness had cosigned yet. It starts, and takes entries at places that were given away before.

use crate::reopened::{lead, reopen};
use crate::scene::{capture, each_once, incidents, names, replica, site_with, synced, texts, until_quiet};
use ward_api::ErrorCode;
use ward_client::{SyncProblem, SyncReport};
use ward_sync::IncidentKind;
use ward_testkit::{Server, Site, TestDevice, WitnessMemories};

/// A site whose server was set back by one note of the patient, which no witness had seen and one nurse
/// has fetched. The coordinator writes at the place that is free again.
async fn set_back(seed: u64, staff: usize, days: i64) -> (Site, TestDevice, Vec<TestDevice>, Server) {
    let (mut site, mut patient, mut others) = site_with(seed, staff).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    let backup = site.server.store.snapshot().unwrap();
    capture(&mut patient, chart, &["seen by no witness"]).await;
    assert_eq!(synced(&mut patient).await.pushed, 1);
    // A nurse fetches it without asking for a head, so that it stays so.
    others[0].relay.heads_apart();
    others[0].relay.before(|request| request.path != ward_api::paths::OLOG_CHECKPOINT);
    synced(&mut others[0]).await;
    assert_eq!(texts(&others[0], chart), ["before the backup", "seen by no witness"]);
    others[0].relay.heal();
    let back = site.server.started_on(backup, WitnessMemories::Kept).await.expect("no witness knows more");
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
    site.clock.advance_days(days);
    capture(&mut site.coordinator, chart, &["written meanwhile"]).await;
    assert!(synced(&mut site.coordinator).await.pushed >= 1, "nothing looks wrong yet");
    (site, patient, others, back)
}

fn waits(report: &SyncReport) -> bool {
    let awaits = |problem: &SyncProblem| matches!(problem, SyncProblem::Failed { error, .. } if error.is(ErrorCode::AwaitsReopening));
    report.problems.iter().any(awaits)
}

async fn is_ready(server: &Server) -> bool {
    server.transport.request("GET", "/readyz", Vec::new(), Vec::new()).await.unwrap().status == 200
}

const ALL: [&str; 3] = ["before the backup", "seen by no witness", "written meanwhile"];

#[tokio::test]
async fn fault_14_a_receipt_tells_a_server_that_it_was_set_back_and_its_log_is_opened_again() {
    for (seed, staff, days) in [(1_461, 1, 0), (1_462, 4, 0), (1_463, 1, 30), (1_464, 4, 30)] {
        let (mut site, mut patient, mut others, back) = set_back(seed, staff, days).await;
        let chart = patient.chart();
        assert!(is_ready(&back).await, "the server cannot know");
        let report = synced(&mut patient).await;
        assert!(waits(&report) && report.unsent > 0, "{report:?}");
        assert!(!is_ready(&back).await, "one receipt is enough");
        let report = synced(&mut site.coordinator).await;
        assert!(waits(&report), "everybody is told: {report:?}");
        for admin in &mut site.admins {
            synced(admin).await;
        }
        reopen(&mut site.admins[0]).await;
        assert!(back.app.olog_origin().ends_with("/2") && is_ready(&back).await);
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
        until_quiet(&mut everybody, 8).await;
        let shown: Vec<_> = everybody.iter().map(|device| replica(device, chart)).collect();
        assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "all replicas are equal");
        for device in &mut everybody {
            device.relay.clear_record();
            assert!(synced(device).await.is_complete());
            let record = device.relay.record();
            let pages = record.iter().filter(|one| one.request.path.contains("/envelopes?")).count();
            assert_eq!(pages, 0, "a meeting in which nothing is new asks for no page");
        }
        for device in &everybody {
            assert_eq!(texts(device, chart), ALL, "nothing is lost");
            assert!(!incidents(device, chart, IncidentKind::LogReopened).is_empty(), "it is written down");
            each_once(device, chart);
            assert!(device.client.status().unwrap().stopped_by.is_empty());
        }
    }
}

#[tokio::test]
async fn fault_14_a_restart_between_the_receipt_and_the_reopening_forgets_nothing() {
    let (mut site, mut patient, mut others, mut back) = set_back(1_465, 1, 0).await;
    let chart = patient.chart();
    synced(&mut patient).await;
    back.restart().await;
    patient.restart().await;
    assert!(!is_ready(&back).await, "it is in the store");
    let report = synced(&mut others[0]).await;
    assert!(waits(&report), "{:?}", names(&report));
    reopen(&mut site.admins[1]).await;
    back.restart().await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    for device in &everybody {
        assert_eq!(texts(device, chart), ALL);
    }
}

#[tokio::test]
async fn fault_14_checkpoints_after_a_log_was_opened_again_accuse_nobody() {
    let (mut site, mut patient, mut others, _back) = set_back(1_466, 2, 1).await;
    let chart = patient.chart();
    synced(&mut patient).await;
    site.clock.advance_days(1);
    reopen(&mut site.admins[0]).await;
    {
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
        until_quiet(&mut everybody, 8).await;
    }
    // The nurse knows an earlier time of arrival of what the server lost; the others do not.
    assert!(others[0].client.write_checkpoint(chart).await.unwrap().is_some());
    for _ in 0..2 {
        for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]) {
            let report = synced(device).await;
            assert!(report.is_complete(), "{report:?}");
        }
    }
    let view = patient.client.chart(chart).unwrap();
    assert_eq!((view.checkpoints().len(), view.checkpoint_cosignatures().len()), (1, 1));
}
