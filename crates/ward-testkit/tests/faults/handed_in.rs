//! Row 14 where only its author ever held a membership entry: the device had no answer and died, the
//! witnesses cosigned the log with the entry, and the server lost it before anybody else was shown it.

use crate::reopened::{lead, sizes_of};
use crate::scene::{capture, site_with, synced, texts, until_quiet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ward_api::{ErrorCode, paths};
use ward_client::limits::SUBMISSIONS_KEPT;
use ward_client::{ClientError, HttpMethod, SyncProblem, SyncReport};
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

/// Membership entries that a device handed in without a place, and how often they were taken.
fn offered(device: &TestDevice) -> (usize, usize) {
    let record = device.relay.record();
    let posts = record
        .iter()
        .filter(|exchange| exchange.request.method == HttpMethod::Post)
        .filter(|exchange| exchange.request.path == paths::MLOG_ENTRIES);
    let answers: Vec<u16> =
        posts.filter_map(|exchange| exchange.response.as_ref()).map(|answer| answer.status).collect();
    (answers.len(), answers.iter().filter(|status| **status == 200).count())
}

/// What never arrived is offered too, and refused; of all of it the newest is kept.
#[tokio::test]
async fn fault_14_of_what_a_device_handed_in_the_newest_is_kept_and_only_what_stood_is_taken() {
    assert_eq!(SUBMISSIONS_KEPT, 4);
    let (mut site, mut patient, mut others) = in_step(1_491, 1).await;
    let phone = patient.device();
    for number in 0..SUBMISSIONS_KEPT + 1 {
        site.coordinator.relay.before(|request| request.path != paths::MLOG_ENTRIES);
        let reason = format!("try {number}");
        let lost = site.coordinator.client.revoke(phone, RevokePolicy::Salvage, &reason).await;
        assert!(lost.is_err(), "it never arrived: {lost:?}");
    }
    site.coordinator.relay.heal();
    let sizes = sizes_of(&site.server).await;
    dies_after_handing_in(&site.coordinator.relay);
    site.coordinator.client.revoke(phone, RevokePolicy::Salvage, "arrived").await.unwrap_err();
    let back = lost_at_both(&site.server, sizes, &mut site.coordinator).await;
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]));
    site.coordinator.relay.clear_record();
    assert!(waits_for_mlog(&synced(&mut patient).await));
    synced(&mut site.coordinator).await;
    assert!(is_the_same_log(&back, &site.server).await);
    let (posts, taken) = offered(&site.coordinator);
    // The newest four, of which one had arrived; then the epoch without the phone.
    assert_eq!((posts, taken), (SUBMISSIONS_KEPT + 1, 2));
    assert_eq!(sizes_of(&back).await.0, sizes.0 + 2);
    synced(&mut others[0]).await;
}

/// The row goes, and nothing else with it: the device hands in again.
#[tokio::test]
async fn fault_19_a_damaged_row_of_what_was_handed_in_is_set_aside_and_the_device_goes_on() {
    let (mut site, patient, mut others) = in_step(1_492, 2).await;
    let revoked = site.coordinator.client.revoke(patient.device(), RevokePolicy::Salvage, "lost").await;
    assert!(revoked.unwrap().is_done());
    let rows = site.coordinator.rows.ids();
    let (table, id) = rows.iter().find(|(_, id)| id == b"submissions").expect("it was kept");
    assert!(site.coordinator.rows.flip_bit(*table, id, 99));
    let refused = site.coordinator.try_restart().await;
    assert!(matches!(refused, Err(ClientError::StoreDamaged { .. })), "{refused:?}");
    let report = site.coordinator.client.repair().await.unwrap();
    assert_eq!(report.damaged.values().sum::<u64>(), 1, "{report:?}");
    assert_eq!((report.own_entries, report.drafts, report.heads), (0, 0, false));
    site.set_team().await;
    assert!(synced(&mut site.coordinator).await.is_complete());
    let hired = site.newcomer("hired", Role::Clinician).await;
    others.push(hired);
    assert!(synced(&mut site.coordinator).await.is_complete(), "it makes the next epoch");
    for device in &mut others {
        assert!(synced(device).await.is_complete());
    }
    assert!(site.coordinator.rows.ids().iter().any(|(_, id)| id == b"submissions"), "and keeps it");
}

/// Two phones made epochs of their own charts: the second was shown the log with both, and may read the
/// first one's entry as little as its place can be proved without it.
#[tokio::test]
async fn fault_14_entries_of_two_charts_that_only_their_authors_hold_come_back_in_their_order() {
    let (mut site, mut ada, mut others) = in_step(1_493, 1).await;
    let mut bob = site.patient("bob").await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut bob]).chain(&mut site.admins) {
        synced(device).await;
    }
    let hired = site.newcomer("hired", Role::Clinician).await;
    others.push(hired);
    let sizes = sizes_of(&site.server).await;
    dies_after_handing_in(&ada.relay);
    synced(&mut ada).await;
    synced(&mut bob).await;
    assert_eq!(sizes_of(&site.server).await.0, sizes.0 + 2, "both announces stand");
    let back = lost_at_both(&site.server, sizes, &mut ada).await;
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut ada, &mut bob]).chain(&mut site.admins));
    assert!(waits_for_mlog(&synced(&mut bob).await), "the first one is missing");
    assert_eq!(sizes_of(&back).await.0, sizes.0);
    synced(&mut ada).await;
    assert_eq!(sizes_of(&back).await.0, sizes.0 + 2);
    assert!(is_the_same_log(&back, &site.server).await);
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut ada, &mut bob]).collect();
    until_quiet(&mut everybody, 8).await;
}
