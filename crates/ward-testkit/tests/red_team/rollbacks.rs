//! A database that was set back, and devices that know better.

use crate::scene::{a_team, log_sizes, names, note, site_with_nurse, stops, synced, texts};
use ward_crypto::Role;
use ward_testkit::{Server, Site, TestDevice};

/// A site, what it looked like before its last changes, and an admin's device of that time.
async fn set_back(seed: u64) -> (Site, TestDevice, TestDevice, Server, TestDevice) {
    let (mut site, mut nurse, mut patient) = site_with_nurse(seed).await;
    let (mlog, olog) = log_sizes(&site).await;
    let admin_then = site.admins[1].in_another_future().await;
    site.staff("hired after the backup", Role::Clinician).await;
    let chart = patient.chart();
    patient.sync().await;
    patient.client.capture(chart, note("acknowledged after the backup")).await.unwrap();
    patient.sync().await;
    for device in [&mut nurse, &mut site.coordinator, &mut site.admins[0], &mut patient] {
        device.sync().await;
    }
    site.admins[1].sync().await;
    assert_eq!(texts(&nurse, chart), ["acknowledged after the backup", "first"]);
    let back = site.server.twin(mlog, olog).await;
    (site, nurse, patient, back, admin_then)
}

#[tokio::test]
async fn rt_12_a_database_set_back_stops_every_device_of_the_site_with_evidence() {
    let (mut site, mut nurse, mut patient, back, _) = set_back(1201).await;
    let chart = patient.chart();
    let held = back.envelopes().await.len();
    for device in [&mut patient, &mut nurse, &mut site.coordinator].into_iter().chain(&mut site.admins) {
        device.relay.lead_to(Some(back.transport.clone()));
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        stops(device, chart, "rollback").await;
    }
    for admin in &mut site.admins {
        assert!(admin.client.set_team(a_team(1), &[]).await.is_err(), "an admin signs nothing either");
        let report = synced(admin).await;
        assert!(names(&report).contains(&"rollback"), "{report:?}");
        assert!(!admin.client.status().unwrap().stopped_by.is_empty());
    }
    assert_eq!(back.envelopes().await.len(), held, "nothing was sealed for it");
    // Nor for the honest server, before a person has acted: the evidence outlives a restart.
    let held = site.server.envelopes().await.len();
    for device in [&mut patient, &mut nurse, &mut site.coordinator].into_iter().chain(&mut site.admins) {
        device.relay.heal();
        device.restart().await;
        assert_eq!(synced(device).await.pushed, 0);
        assert!(!device.client.status().unwrap().stopped_by.is_empty());
    }
    assert_eq!(site.server.envelopes().await.len(), held);
    // A person looks at the evidence, and everything that was written goes out.
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.client.dismiss_evidence().await.unwrap();
        synced(device).await;
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.sync().await;
        assert_eq!(texts(device, chart).len(), 5);
    }
}

#[tokio::test]
async fn rt_12_a_database_set_back_and_grown_again_stops_every_device_of_the_site_with_evidence() {
    let (mut site, mut nurse, mut patient, back, mut admin) = set_back(1202).await;
    let (mlog, _) = log_sizes(&site).await;
    admin.relay.lead_to(Some(back.transport.clone()));
    for seed in 0..=mlog {
        admin.client.set_team(a_team(seed), &[]).await.unwrap();
        if admin.client.membership().unwrap().size() > mlog + 1 {
            break;
        }
    }
    assert!(admin.client.membership().unwrap().size() > mlog, "the other history is the longer one now");
    let chart = patient.chart();
    let held = back.envelopes().await.len();
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.relay.lead_to(Some(back.transport.clone()));
        stops(device, chart, "equivocation").await;
    }
    for admin in &mut site.admins {
        admin.relay.lead_to(Some(back.transport.clone()));
        assert!(admin.client.set_team(a_team(1), &[]).await.is_err());
        assert!(names(&synced(admin).await).contains(&"equivocation"));
    }
    assert_eq!(back.envelopes().await.len(), held);
}
