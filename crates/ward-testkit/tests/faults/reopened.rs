//! Row 14: a server whose database was rolled back, acknowledged operations included.

use crate::scene::{capture, each_once, incidents, names, replica, site_with, synced, texts, until_quiet};
use ward_client::export::check_package;
use ward_store::{MlogStore as _, OlogStore as _};
use ward_sync::IncidentKind;
use ward_testkit::{Server, Site, TestDevice};

/// Entries of both logs.
pub async fn sizes_of(server: &Server) -> (u64, u64) {
    (server.store.mlog_size().await.unwrap(), server.store.olog_size().await.unwrap())
}

pub fn lead<'a>(server: &Server, devices: impl IntoIterator<Item = &'a mut TestDevice>) {
    for device in devices {
        device.relay.lead_to(Some(server.transport.clone()));
    }
}

/// An admin looks at what the server waits for and lets the log go on.
pub async fn reopen(admin: &mut TestDevice) {
    let pending = admin.client.pending_reopening().await.unwrap();
    assert!(pending.reaches_the_end(), "{pending:?}");
    let outcome = admin.client.reopen_olog(&pending, "the disk broke; last night's backup").await.unwrap();
    assert!(outcome.is_done());
}

/// Receipted work of everybody, in turns.
async fn three_rounds(patient: &mut TestDevice, others: &mut [TestDevice]) {
    let chart = patient.chart();
    for round in 0..3 {
        capture(patient, chart, &[&format!("patient {round}")]).await;
        synced(patient).await;
        for (number, nurse) in others.iter_mut().enumerate() {
            synced(nurse).await;
            capture(nurse, chart, &[&format!("nurse {number} {round}")]).await;
            synced(nurse).await;
        }
    }
}

/// Rolled back by the work of everybody since the backup: nothing is lost, all are equal, the incident
/// is written down.
async fn rolled_back(seed: u64, staff: usize, mlog_too: bool) {
    let (mut site, mut patient, mut others) = site_with(seed, staff).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator]).chain(&mut site.admins) {
        synced(device).await;
    }
    let (mlog, olog) = sizes_of(&site.server).await;
    // After the backup: receipted work of everybody, and one entry that was never sent.
    let mut newcomer = if mlog_too {
        Some(site.staff("hired after the backup", ward_crypto::Role::Clinician).await)
    } else {
        None
    };
    three_rounds(&mut patient, &mut others).await;
    if let Some(newcomer) = &mut newcomer {
        synced(newcomer).await;
        capture(newcomer, chart, &["newcomer"]).await;
        synced(newcomer).await;
    }
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain(newcomer.as_mut()).chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 4).await;
    drop(everybody);
    for admin in &mut site.admins {
        synced(admin).await;
    }
    capture(&mut patient, chart, &["never sent"]).await;
    let expected = texts(&patient, chart);
    // The disk breaks; the newest backup is old.
    let back = site.server.restored(mlog, olog).await.unwrap();
    lead(&back, others.iter_mut().chain(newcomer.as_mut()).chain([&mut site.coordinator, &mut patient]));
    lead(&back, &mut site.admins);
    let report = synced(&mut patient).await;
    assert_eq!((report.pushed, report.unsent), (0, 1), "{report:?}");
    assert!(patient.client.status().unwrap().stopped_by.is_empty(), "it said so itself: {report:?}");
    // Devices give the membership log back, until an admin can sign.
    for _ in 0..6 {
        for device in others
            .iter_mut()
            .chain(newcomer.as_mut())
            .chain([&mut site.coordinator, &mut patient])
            .chain(&mut site.admins)
        {
            synced(device).await;
        }
    }
    assert_eq!(sizes_of(&back).await.0, sizes_of(&site.server).await.0, "the membership log is whole again");
    let waiting = synced(&mut patient).await;
    assert!(names(&waiting).contains(&"failed") && waiting.unsent == 1, "{waiting:?}");
    reopen(&mut site.admins[0]).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain(newcomer.as_mut()).chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    let shown: Vec<_> = everybody.iter().map(|device| replica(device, chart)).collect();
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "all replicas are equal");
    for device in &everybody {
        assert_eq!(texts(device, chart), expected, "nothing is lost");
        assert!(!incidents(device, chart, IncidentKind::LogReopened).is_empty(), "it is written down");
        each_once(device, chart);
        assert!(device.client.status().unwrap().stopped_by.is_empty());
    }
    drop(everybody);
    let (_, leaves) = sizes_of(&back).await;
    assert!(leaves > sizes_of(&site.server).await.1, "all came back, after the end of the old log");
}

#[tokio::test]
async fn fault_14_a_rolled_back_server_is_made_whole_by_one_device_and_staff() {
    rolled_back(1401, 1, false).await;
}

#[tokio::test]
async fn fault_14_a_rolled_back_server_is_made_whole_by_five_devices() {
    rolled_back(1402, 4, false).await;
}

#[tokio::test]
async fn fault_14_a_membership_log_that_was_rolled_back_too_comes_back_unchanged() {
    rolled_back(1403, 2, true).await;
}

/// A site whose server lost what came after the first note; devices are led to the restored one.
async fn lost_tail(seed: u64, staff: usize) -> (Site, TestDevice, Vec<TestDevice>, Server) {
    let (mut site, mut patient, mut others) = site_with(seed, staff).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    let (_, olog) = sizes_of(&site.server).await;
    capture(&mut patient, chart, &["lost at the server"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    let (mlog, _) = sizes_of(&site.server).await;
    let back = site.server.restored(mlog, olog).await.unwrap();
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
    (site, patient, others, back)
}

/// A second disaster, and the only backup is from before the first: the log that followed is lost too.
/// The server signs nothing for it, and goes on in a third.
#[tokio::test]
async fn fault_14_a_backup_from_before_an_earlier_reopening_is_restored() {
    let (mut site, mut patient, mut others, first) = lost_tail(1420, 1).await;
    let chart = patient.chart();
    let (mlog, olog) = (sizes_of(&first).await.0, sizes_of(&first).await.1);
    reopen(&mut site.admins[0]).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    capture(everybody[0], chart, &["in the second log"]).await;
    until_quiet(&mut everybody, 8).await;
    drop(everybody);
    for admin in &mut site.admins {
        synced(admin).await;
    }
    let expected = texts(&patient, chart);
    assert!(expected.contains(&"in the second log".to_owned()));
    // The disk breaks again.
    let mut back = site.server.restored_after(mlog, olog, &first).await.unwrap();
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
    for _ in 0..6 {
        let staff = others.iter_mut().chain([&mut site.coordinator, &mut patient]);
        for device in staff.chain(&mut site.admins) {
            synced(device).await;
        }
    }
    assert_eq!(sizes_of(&back).await.0, sizes_of(&first).await.0, "the membership log is whole again");
    assert_eq!(back.app.olog_origin(), site.server.app.olog_origin(), "nothing is signed for the lost log");
    back.restart().await;
    assert_eq!(back.app.olog_origin(), site.server.app.olog_origin(), "nor after a restart");
    let waiting = synced(&mut patient).await;
    assert!(names(&waiting).contains(&"failed"), "{waiting:?}");
    reopen(&mut site.admins[0]).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    for device in &everybody {
        assert_eq!(texts(device, chart), expected, "nothing is lost");
        each_once(device, chart);
        assert!(device.client.status().unwrap().stopped_by.is_empty());
    }
    assert!(back.app.olog_origin().ends_with("/3"), "{}", back.app.olog_origin());
    back.restart().await;
}

#[tokio::test]
async fn fault_14_a_log_that_is_ended_too_early_is_evidence_for_whoever_verified_more() {
    let (mut site, mut patient, mut others) = site_with(1420, 1).await;
    let chart = patient.chart();
    capture(&mut patient, chart, &["before the backup"]).await;
    synced(&mut patient).await;
    for admin in &mut site.admins {
        synced(admin).await;
    }
    let mut admin = site.admins[0].in_another_future().await;
    let (_, olog) = sizes_of(&site.server).await;
    capture(&mut patient, chart, &["lost at the server"]).await;
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]) {
        synced(device).await;
    }
    let (mlog, _) = sizes_of(&site.server).await;
    let back = site.server.restored(mlog, olog).await.unwrap();
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient, &mut admin]));
    // The admin was away when it happened and nobody brings a newer head; they sign all the same.
    let early = admin.client.pending_reopening().await.unwrap();
    assert!(!early.reaches_the_end(), "they are told: {early:?}");
    admin.client.reopen_olog(&early, "in a hurry").await.unwrap();
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]) {
        let report = synced(device).await;
        assert!(names(&report).contains(&"rollback"), "{report:?}");
        assert!(!device.client.status().unwrap().stopped_by.is_empty());
        device.client.dismiss_evidence().await.unwrap();
    }
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 6).await;
    for device in &everybody {
        assert_eq!(texts(device, chart), ["before the backup", "lost at the server"]);
    }
}

#[tokio::test]
async fn fault_14_a_second_loss_and_restarts_of_everything_in_between_lose_nothing() {
    let (mut site, mut patient, mut others, mut back) = lost_tail(1430, 1).await;
    let chart = patient.chart();
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
        back.restart().await;
        device.restart().await;
    }
    reopen(&mut site.admins[0]).await;
    back.restart().await;
    assert!(back.app.olog_origin().ends_with("/2"));
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    for device in &mut everybody {
        synced(device).await;
        device.restart().await;
        back.restart().await;
    }
    until_quiet(&mut everybody, 6).await;
    drop(everybody);
    // It goes on, and breaks again.
    let (_, olog) = sizes_of(&back).await;
    capture(&mut patient, chart, &["in the second log"]).await;
    for device in [&mut patient].into_iter().chain(&mut others).chain([&mut site.coordinator]) {
        synced(device).await;
        synced(device).await;
    }
    for admin in &mut site.admins {
        synced(admin).await;
    }
    let (mlog, _) = sizes_of(&back).await;
    let again = back.restored(mlog, olog).await.unwrap();
    lead(&again, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    reopen(&mut site.admins[1]).await;
    assert!(again.app.olog_origin().ends_with("/3"));
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut patient]).collect();
    until_quiet(&mut everybody, 8).await;
    for device in &mut everybody {
        device.restart().await;
        assert_eq!(texts(device, chart), ["before the backup", "in the second log", "lost at the server"]);
        assert!(incidents(device, chart, IncidentKind::LogReopened).len() >= 2, "each is written down");
        each_once(device, chart);
        assert!(synced(device).await.is_complete());
    }
    drop(everybody);
    // An inspector finds every entry at a proved place of the log that counts.
    let files = others[0].client.export_audit(chart).await.unwrap().into_iter().collect();
    let check = check_package(&files, Some(*site.root_policy.fingerprint().as_bytes()));
    assert!(check.holds() && check.envelopes >= 3, "{check:?}");
}

#[tokio::test]
async fn fault_14_nobody_but_an_admin_lets_the_log_go_on_and_only_after_a_restore() {
    let (mut site, mut patient, _others, back) = lost_tail(1440, 0).await;
    for device in [&mut site.coordinator, &mut patient].into_iter().chain(&mut site.admins) {
        synced(device).await;
    }
    let pending = site.coordinator.client.pending_reopening().await.unwrap();
    assert!(site.coordinator.client.reopen_olog(&pending, "not mine to say").await.is_err());
    let waits = back.transport.request("GET", "/readyz", Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(waits.status, 503);
    assert!(String::from_utf8_lossy(&waits.body).contains("WARD-5041"), "it says what it waits for");
    reopen(&mut site.admins[0]).await;
    let ready = back.transport.request("GET", "/readyz", Vec::new(), Vec::new()).await.unwrap();
    assert_eq!(ready.status, 200);
    let over = site.admins[0].client.pending_reopening().await.unwrap_err();
    assert_eq!(over.code().to_string(), "WARD-4041");
    assert!(site.admins[1].client.reopen_olog(&pending, "once more").await.is_err());
}

/// The words of a trail about one entry, in one line.
async fn trail_of(
    device: &mut TestDevice,
    entry: ward_id::EntryId,
) -> (ward_client::export::TrailEntry, String) {
    let chart = device.client.charts()[0].chart;
    let trail = device.client.read_trail(chart).await.unwrap();
    let found = trail.entries.iter().find(|line| line.entry == entry).unwrap().clone();
    let alone = ward_client::export::Trail { entries: vec![found.clone()], ..trail };
    let words = ward_client::export::trail_text(&alone);
    (found, words.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn fault_14_a_trail_says_which_times_of_arrival_are_those_of_a_return() {
    let (mut site, mut patient, mut others) = site_with(1_450, 1).await;
    let chart = patient.chart();
    let kept = patient.client.capture(chart, crate::scene::note("before the backup")).await.unwrap();
    synced(&mut patient).await;
    let (_, olog) = sizes_of(&site.server).await;
    let lost = patient.client.capture(chart, crate::scene::note("lost at the server")).await.unwrap();
    synced(&mut patient).await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins) {
        synced(device).await;
    }
    let first_arrival = patient
        .client
        .chart(chart)
        .unwrap()
        .timeline()
        .iter()
        .find(|item| item.entry.id() == lost)
        .and_then(|item| item.arrival.received_at)
        .unwrap();
    site.clock.advance_days(1);
    let (mlog, _) = sizes_of(&site.server).await;
    let back = site.server.restored(mlog, olog).await.unwrap();
    lead(&back, others.iter_mut().chain([&mut site.coordinator, &mut patient]).chain(&mut site.admins));
    site.server = back;
    for device in others.iter_mut().chain([&mut site.coordinator]).chain(&mut site.admins) {
        synced(device).await;
    }
    reopen(&mut site.admins[0]).await;
    // The nurse alone meets the server: she gives back what she holds of the patient.
    until_quiet(&mut [&mut others[0]], 4).await;
    let fresh = patient.client.capture(chart, crate::scene::note("after it")).await.unwrap();
    let nurse = others[0].device();
    let mut newcomer = site.device("newcomer").await;
    newcomer.relay.lead_to(Some(site.server.transport.clone()));
    let person = site.new_person();
    site.enrol_staff_as(&mut newcomer, person, ward_crypto::Role::Clinician).await;
    site.team_persons.push(person);
    site.set_team().await;
    for _ in 0..3 {
        for device in [&mut site.coordinator, &mut patient, &mut others[0], &mut newcomer] {
            synced(device).await;
        }
    }

    // Who comes new sees the time of the return, and is told that it is one, and by whom.
    let (line, words) = trail_of(&mut newcomer, lost).await;
    let returned = line.returned.unwrap();
    assert!(returned.came_after && returned.receipt.is_none(), "{returned:?}");
    assert!(returned.by.iter().any(|by| by.device == nurse), "{returned:?}");
    assert!(line.time.latest.unwrap() > first_arrival, "a bound, and a wide one");
    assert!(words.contains("the time of arrival is that of the return"), "{words}");
    assert!(words.contains("no earlier receipt is held here"), "{words}");
    // The author's device holds the receipt of the log that ended.
    let (line, words) = trail_of(&mut patient, lost).await;
    let receipt = line.returned.unwrap().receipt.unwrap();
    assert_eq!(receipt.received_at, first_arrival);
    assert_eq!(line.time.latest, Some(first_arrival), "the bracket keeps the first arrival");
    assert!(words.contains("by a receipt held here, place"), "{words}");
    assert!(!words.contains("no earlier receipt"), "{words}");
    // Whoever held it keeps the first time; what survived and what is new bears no mark.
    let (line, _) = trail_of(&mut others[0], lost).await;
    assert_eq!((line.time.latest, line.returned), (Some(first_arrival), None));
    for entry in [kept, fresh] {
        let (line, words) = trail_of(&mut newcomer, entry).await;
        assert_eq!(line.returned, None, "{words}");
    }
    let csv = newcomer.client.export_trail_csv(chart).await.unwrap();
    let row = csv.lines().find(|row| row.contains(&lost.to_string())).unwrap();
    assert!(row.contains(&nurse.to_string()), "{row}");
    let events = newcomer.client.export_balp(chart).await.unwrap();
    let event = events.lines().find(|event| event.contains(&lost.to_string())).unwrap();
    assert!(event.contains("returnedTo") && !event.contains("earlierReceipt"), "{event}");
    assert!(patient.client.export_balp(chart).await.unwrap().contains("earlierReceipt"));
}
