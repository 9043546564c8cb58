//! Rows 11 and 31: recoveries that are cut off, and key stores that outlive the store of their device.

use crate::scene::{capture, incidents, names, site_with, synced, texts};
use ward_client::DeviceState;
use ward_id::ChartId;
use ward_sync::{IncidentKind, RevokePolicy};
use ward_testkit::{MemoryRows, Site, TestDevice};

/// The lives that a device opened in a chart, as everybody sees them.
fn lives(reader: &TestDevice, of: &TestDevice, chart: ChartId) -> usize {
    let view = reader.client.chart(chart).unwrap();
    let opened = view.incarnations().iter().flat_map(|thread| &thread.current);
    opened.filter(|written| written.author.device == of.device()).count()
}

/// A nurse with two charts whose store was set back, and no way to the second of them.
async fn cut_off(seed: u64, restarts: bool) {
    let (mut site, first, mut others) = site_with(seed, 1).await;
    let second = site.patient("bob").await;
    let nurse = &mut others[0];
    site.coordinator.sync().await;
    synced(nurse).await;
    let (one, two) = (first.chart().min(second.chart()), first.chart().max(second.chart()));
    for chart in [one, two] {
        capture(nurse, chart, &["sent before"]).await;
    }
    synced(nurse).await;
    for chart in [one, two] {
        capture(nurse, chart, &["waits in the backup"]).await;
    }
    let backup = nurse.rows.snapshot();
    for chart in [one, two] {
        capture(nurse, chart, &["only in the lost store"]).await;
    }
    nurse.restart_with(&backup).await;
    assert_eq!(nurse.client.state(), DeviceState::SetBack);
    let path = ward_api::paths::envelopes(two);
    nurse.relay.before(move |request| !request.path.starts_with(&path));
    for _ in 0..3 {
        synced(nurse).await;
        assert_eq!(nurse.client.state(), DeviceState::SetBack, "one chart could not be looked at");
        if restarts {
            nurse.restart().await;
        }
    }
    nurse.relay.heal();
    for _ in 0..3 {
        synced(nurse).await;
    }
    site.coordinator.sync().await;
    for chart in [one, two] {
        assert_eq!(texts(&site.coordinator, chart), ["sent before", "waits in the backup"]);
        assert_eq!(lives(&site.coordinator, nurse, chart), 1, "one new life, which names the old one");
        assert_eq!(incidents(&site.coordinator, chart, IncidentKind::LocalRollback).len(), 1);
    }
    assert_eq!(nurse.client.status().unwrap().saved_here, 0);
    let lost: u64 = nurse.client.status().unwrap().losses.entries.iter().map(|lost| lost.count).sum();
    assert_eq!(lost, 2, "what only the lost store held is counted for both charts");
}

#[tokio::test]
async fn fault_11_a_recovery_that_is_cut_off_goes_on_where_it_stopped() {
    cut_off(1_111, false).await;
    cut_off(1_112, true).await;
}

/// The app was deleted, and the keychain was not: the mark of the old device is still there.
#[tokio::test]
async fn fault_31_a_new_enrolment_is_not_measured_by_the_mark_of_the_device_before() {
    let mut site = Site::small(3_131).await;
    let mut phone = site.patient("ada").await;
    let (chart, person, old) = (phone.chart(), phone.person(), phone.device());
    capture(&mut phone, chart, &["one", "two", "three"]).await;
    phone.sync().await;
    phone.rows = MemoryRows::new();
    let _empty = phone.try_restart().await;
    assert_eq!(phone.client.state(), DeviceState::New);
    let done = site.coordinator.client.revoke(old, RevokePolicy::Salvage, "the app was deleted").await;
    assert!(done.unwrap().is_done());
    site.enrol_patient(&mut phone, chart, person).await;
    site.coordinator.sync().await;
    assert_ne!(phone.device(), old);
    phone.restart().await;
    assert_ne!(phone.client.state(), DeviceState::SetBack);
    let report = synced(&mut phone).await;
    assert!(!names(&report).contains(&"local-rollback"), "{report:?}");
    assert!(!names(&report).contains(&"entries-lost"), "{report:?}");
    capture(&mut phone, chart, &["four"]).await;
    phone.restart().await;
    phone.sync().await;
    site.coordinator.sync().await;
    assert_eq!(texts(&site.coordinator, chart), ["four", "one", "three", "two"]);
    assert!(incidents(&site.coordinator, chart, IncidentKind::LocalRollback).is_empty());
}
