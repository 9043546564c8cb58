//! Row 14: a server whose database was rolled back, acknowledged operations included.

use crate::scene::{capture, each_once, incidents, names, replica, site_with, synced, texts, until_quiet};
use ward_store::{MlogStore as _, OlogStore as _};
use ward_sync::IncidentKind;
use ward_testkit::{Server, TestDevice};

/// Entries of both logs.
async fn sizes_of(server: &Server) -> (u64, u64) {
    (server.store.mlog_size().await.unwrap(), server.store.olog_size().await.unwrap())
}

fn lead<'a>(server: &Server, devices: impl IntoIterator<Item = &'a mut TestDevice>) {
    for device in devices {
        device.relay.lead_to(Some(server.transport.clone()));
    }
}

/// An admin looks at what the server waits for and lets the log go on.
async fn reopen(admin: &mut TestDevice) {
    let pending = admin.client.pending_reopening().await.unwrap();
    assert!(pending.reaches_the_end(), "{pending:?}");
    let outcome = admin.client.reopen_olog(&pending, "the disk broke; last night's backup").await.unwrap();
    assert!(outcome.is_done());
}

/// Rolled back by `lost_days` of work of 1 or 5 devices: nothing is lost, everybody is equal, the
/// incident is written down.
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
    for round in 0..3 {
        capture(&mut patient, chart, &[&format!("patient {round}")]).await;
        synced(&mut patient).await;
        for (number, nurse) in others.iter_mut().enumerate() {
            synced(nurse).await;
            capture(nurse, chart, &[&format!("nurse {number} {round}")]).await;
            synced(nurse).await;
        }
    }
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
    let expected = {
        let mut all = texts(&patient, chart);
        all.sort();
        all
    };
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
    // A device that comes later finds all of it, and can prove it.
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
