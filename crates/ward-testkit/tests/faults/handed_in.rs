//! Row 14 where only its author ever held a membership entry: the device had no answer and died, the
//! witnesses cosigned the log with the entry, and the server lost it before anybody else was shown it.

use crate::reopened::{lead, sizes_of};
use crate::scene::{capture, site_with, synced, texts, until_quiet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ward_api::{ErrorCode, paths};
use ward_client::{HttpMethod, SyncProblem, SyncReport};
use ward_crypto::Role;
use ward_store::MlogStore as _;
use ward_sync::RevokePolicy;
use ward_testkit::{Relay, Server, Site, TestDevice};

/// One device and five, at once and after thirty days.
const SCENES: [(u64, usize, i64); 4] = [(0, 1, 0), (1, 4, 0), (2, 1, 30), (3, 4, 30)];

/// The next membership entry arrives, and nothing passes any more from then on: the device is dead.
fn dies_after_handing_in(relay: &Relay) {
    let dead = Arc::new(AtomicBool::new(false));
    let is_entry = |method: HttpMethod, path: &str| method == HttpMethod::Post && path == paths::MLOG_ENTRIES;
    let died = Arc::clone(&dead);
    relay.before(move |request| {
        let is_last = is_entry(request.method, &request.path);
        !died.load(Ordering::Relaxed) && {
            died.store(is_last, Ordering::Relaxed);
            true
        }
    });
    relay.lose_answers_of(HttpMethod::Post, paths::MLOG_ENTRIES, 1);
}

fn waits_for_mlog(report: &SyncReport) -> bool {
    let waits = |problem: &SyncProblem| matches!(problem, SyncProblem::Failed { error, .. } if error.is(ErrorCode::MlogRecovering));
    report.problems.iter().any(waits)
}

/// A site in which everybody has everything, with a note of the patient, and the sizes of its logs.
async fn in_step(seed: u64, staff: usize) -> (Site, TestDevice, Vec<TestDevice>) {
    let (mut site, mut patient, mut others) = site_with(seed, staff).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    (site, patient, others)
}

/// The author's machine starts again; the witnesses have cosigned what it handed in; the server is put on
/// a backup of before.
async fn lost_at_both(server: &Server, sizes: (u64, u64), author: &mut TestDevice) -> Server {
    server.app.upkeep().await;
    author.relay.heal();
    author.restart().await;
    server.restored(sizes.0, sizes.1).await.unwrap()
}

/// Whether the log begins as the lost one did, to its end.
async fn is_the_same_log(back: &Server, lost: &Server) -> bool {
    let size = sizes_of(lost).await.0;
    let leaves = lost.store.mlog_leaves(0, size).await.unwrap();
    sizes_of(back).await.0 >= size && back.store.mlog_leaves(0, size).await.unwrap() == leaves
}

#[tokio::test]
async fn fault_14_a_revocation_that_only_its_dead_author_held_is_not_forgotten() {
    for (number, staff, days) in SCENES {
        let (mut site, mut patient, mut others) = in_step(1_470 + number, staff).await;
        let (chart, phone) = (patient.chart(), patient.device());
        let sizes = sizes_of(&site.server).await;
        dies_after_handing_in(&site.coordinator.relay);
        let revoked = site.coordinator.client.revoke(phone, RevokePolicy::Sever, "stolen").await;
        assert!(revoked.is_err(), "nobody was told that it is done: {revoked:?}");
        assert_eq!(sizes_of(&site.server).await.0, sizes.0 + 1, "the server has it");
        let back = lost_at_both(&site.server, sizes, &mut site.coordinator).await;
        lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
        site.clock.advance_days(days);
        for device in others.iter_mut().chain([&mut patient]).chain(&mut site.admins) {
            let report = synced(device).await;
            assert!(waits_for_mlog(&report), "nobody can help: {report:?}");
        }
        assert_eq!(sizes_of(&back).await.0, sizes.0);
        synced(&mut site.coordinator).await;
        assert!(is_the_same_log(&back, &site.server).await, "it came back where it stood");
        capture(&mut patient, chart, &["by whoever stole the phone"]).await;
        assert_eq!(synced(&mut patient).await.pushed, 0);
        capture(&mut others[0], chart, &["afterwards"]).await;
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut site.coordinator]).chain(&mut site.admins).collect();
        until_quiet(&mut everybody, 8).await;
        drop(everybody);
        for device in others.iter().chain([&site.coordinator]) {
            assert_eq!(texts(device, chart), ["afterwards", "before the backup"]);
            assert!(device.client.status().unwrap().stopped_by.is_empty());
        }
    }
}

#[tokio::test]
async fn fault_14_an_announce_that_only_its_dead_author_held_comes_back_with_its_epoch() {
    for (number, staff, days) in SCENES {
        let (mut site, mut patient, mut others) = in_step(1_480 + number, staff).await;
        let chart = patient.chart();
        // The members change, and the patient's phone makes the next epoch.
        let hired = site.newcomer("hired", Role::Clinician).await;
        let sizes = sizes_of(&site.server).await;
        dies_after_handing_in(&patient.relay);
        synced(&mut patient).await;
        assert_eq!(sizes_of(&site.server).await.0, sizes.0 + 1, "the server has the announce");
        let back = lost_at_both(&site.server, sizes, &mut patient).await;
        others.push(hired);
        lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
        site.clock.advance_days(days);
        for device in others.iter_mut().chain([&mut site.coordinator]).chain(&mut site.admins) {
            let report = synced(device).await;
            assert!(waits_for_mlog(&report), "nobody can help: {report:?}");
        }
        capture(&mut patient, chart, &["sealed under the epoch that was lost"]).await;
        let report = synced(&mut patient).await;
        assert!(report.pushed > 0 && report.unsent == 0, "{report:?}");
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
        until_quiet(&mut everybody, 8).await;
        for device in &everybody {
            assert_eq!(texts(device, chart), ["before the backup", "sealed under the epoch that was lost"]);
            assert!(device.client.status().unwrap().stopped_by.is_empty());
        }
        drop(everybody);
        assert!(is_the_same_log(&back, &site.server).await);
        assert_eq!(sizes_of(&back).await.0, sizes.0 + 1, "nobody had to make another epoch");
    }
}

/// Wherever the power goes while a phone makes an epoch, the site goes on after a restore.
#[tokio::test]
async fn fault_14_a_phone_that_dies_at_any_commit_of_a_rotation_stops_no_restored_site() {
    let mut cases = 0;
    for commit in 1.. {
        let (mut site, mut patient, mut others) = in_step(1_490, 1).await;
        let chart = patient.chart();
        let hired = site.newcomer("hired", Role::Clinician).await;
        others.push(hired);
        let sizes = sizes_of(&site.server).await;
        patient.rows.fail_at_commit(commit);
        // It is locked after the commit that failed, as a machine without power.
        let _ended = patient.client.sync().await;
        if !patient.rows.failed() {
            break;
        }
        patient.rows.heal();
        cases += usize::from(sizes_of(&site.server).await.0 > sizes.0);
        let back = lost_at_both(&site.server, sizes, &mut patient).await;
        lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
        capture(&mut patient, chart, &["afterwards"]).await;
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins).collect();
        until_quiet(&mut everybody, 8).await;
        drop(everybody);
        for device in others.iter().chain([&site.coordinator, &patient]) {
            assert_eq!(texts(device, chart), ["afterwards", "before the backup"], "commit {commit}");
        }
        assert!(is_the_same_log(&back, &site.server).await, "commit {commit}");
    }
    assert!(cases >= 3, "only {cases} deaths after the announce had arrived");
}
