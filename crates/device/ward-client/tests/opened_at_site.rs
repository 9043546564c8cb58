//! Saved on this device, received by the server, opened at the site: each by somebody else's word,
//! and devices that tell each other of it fall silent.
#![cfg(test)]

use ward_client::limits::UNSENT_NAG_MS;
use ward_sync::{DeliveryState, Note};
use ward_testkit::{Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

async fn site_of_three(seed: u64) -> (Site, TestDevice, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let nurse = site.staff("nurse", ward_crypto::Role::Clinician).await;
    let doctor = site.staff("doctor", ward_crypto::Role::Investigator).await;
    let patient = site.patient("ada").await;
    (site, nurse, doctor, patient)
}

fn said_opened(device: &TestDevice, patient: &TestDevice) -> usize {
    device.client.chart(patient.chart()).unwrap().opened().len()
}

#[tokio::test]
async fn devices_of_staff_that_meet_for_ever_fall_silent() {
    let (mut site, mut nurse, mut doctor, mut patient) = site_of_three(71).await;
    let chart = patient.chart();
    for text in ["one", "two"] {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    patient.sync().await;
    let mut sent = Vec::new();
    for _ in 0..8 {
        let mut pushed = 0;
        for device in [&mut nurse, &mut doctor, &mut site.coordinator, &mut patient] {
            let report = device.client.sync().await.unwrap();
            assert!(report.is_complete(), "{report:?}");
            pushed += report.pushed;
        }
        sent.push(pushed);
    }
    assert_eq!(sent, [3, 0, 0, 0, 0, 0, 0, 0], "each of three says once what it opened");
    assert_eq!(said_opened(&patient, &patient), 3);
    // What staff write is no reason to say more; the next word of the patient is, once.
    nurse.client.capture(chart, note("called")).await.unwrap();
    for device in [&mut nurse, &mut doctor, &mut site.coordinator] {
        device.sync().await;
    }
    nurse.sync().await;
    assert_eq!(said_opened(&nurse, &patient), 3);
    patient.client.capture(chart, note("three")).await.unwrap();
    patient.sync().await;
    for _ in 0..3 {
        for device in [&mut nurse, &mut doctor, &mut site.coordinator] {
            device.sync().await;
        }
    }
    assert_eq!(said_opened(&nurse, &patient), 6);
    // A program that is started again says nothing twice.
    for device in [&mut nurse, &mut doctor] {
        device.restart().await;
        assert_eq!(device.client.sync().await.unwrap().pushed, 0);
    }
    let newest = nurse.client.chart(chart).unwrap();
    let newest = newest.opened().iter().flat_map(|thread| &thread.current).last().unwrap();
    assert!(newest.value.chains.iter().any(|chain| chain.device == patient.device() && chain.seq == 3));
}

#[tokio::test]
async fn the_three_states_of_an_entry() {
    let (_site, mut nurse, _, mut patient) = site_of_three(72).await;
    let chart = patient.chart();
    let state = |patient: &TestDevice| patient.client.delivery(chart).unwrap().entries[0].state;
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("one")).await.unwrap();
    patient.client.sync().await.unwrap();
    assert_eq!(state(&patient), DeliveryState::SavedHere);
    patient.relay.set_offline(false);
    // The server takes it and its receipt is lost on the way: nobody is told more than is known.
    patient.relay.after(|request, response| {
        if request.path.ends_with("/envelopes") && response.status == 200 {
            response.body.clear();
        }
        if request.path.contains("/envelopes?") || request.path.contains("/have") {
            response.status = 503;
        }
    });
    patient.client.sync().await.unwrap();
    assert_eq!(state(&patient), DeliveryState::SavedHere, "no receipt was verified");
    patient.relay.heal();
    patient.sync().await;
    assert_eq!(state(&patient), DeliveryState::Received);
    nurse.sync().await;
    assert_eq!(state(&patient), DeliveryState::Received, "this device has not heard of it yet");
    patient.sync().await;
    assert_eq!(state(&patient), DeliveryState::Opened);
    patient.restart().await;
    assert_eq!(state(&patient), DeliveryState::Opened);
}

#[tokio::test]
async fn the_status_says_what_waits_since_when_and_what_stops_it() {
    let (site, _, _, mut patient) = site_of_three(73).await;
    let chart = patient.chart();
    patient.sync().await;
    let full = site.clock.now();
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("one")).await.unwrap();
    site.clock.advance_ms(UNSENT_NAG_MS - 1);
    patient.client.sync().await.unwrap();
    let status = patient.client.status().unwrap();
    assert!(!status.needs_network(), "not a day yet");
    site.clock.advance_ms(1);
    // A clock that was set back does not hide how long something waits.
    patient.client.environment().set_wall_offset_ms(-3 * UNSENT_NAG_MS);
    patient.client.sync().await.unwrap();
    let status = patient.client.status().unwrap();
    assert!(status.needs_network(), "{status:?}");
    assert_eq!(status.charts[0].oldest_unsent.unwrap().waits_ms, UNSENT_NAG_MS);
    assert_eq!((status.saved_here, status.received, status.opened_at_site), (1, 0, 0));
    assert_eq!(status.last_full_sync, Some(full));
    assert!(status.last_sync_tried.is_some() && status.next_attempt_at.is_some());
    assert_eq!(status.stops, ["unreachable"]);
    assert!(status.stop_sentences()[0].contains("safe here"));
    patient.client.environment().set_wall_offset_ms(0);
    patient.restart().await;
    assert_eq!(patient.client.status().unwrap().stops, ["unreachable"], "a new program knows it too");
    patient.relay.set_offline(false);
    patient.sync().await;
    let status = patient.client.status().unwrap();
    assert!(status.stops.is_empty() && !status.needs_network(), "{status:?}");
    assert_eq!((status.saved_here, status.received), (0, 1));
    assert_eq!((status.last_full_sync, status.next_attempt_at), (Some(site.clock.now()), None));
}

#[tokio::test]
async fn the_trail_works_without_a_network_and_its_export_leaves_a_receipt() {
    let (_, mut nurse, _, mut patient) = site_of_three(74).await;
    let chart = patient.chart();
    patient.client.capture(chart, note("one")).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    nurse.relay.set_offline(true);
    let trail = nurse.client.read_trail(chart).await.unwrap();
    assert!(trail.accounting.balances() && !trail.entries.is_empty());
    assert_eq!(trail.waiting_accesses.len(), 1, "this reading waits to be written");
    let before = trail.entries.len();
    let events = nurse.client.export_balp(chart).await.unwrap();
    assert_eq!(events.lines().count(), before + 1, "the export stands in its own trail");
    assert!(nurse.client.export_trail_csv(chart).await.unwrap().lines().count() > before);
    // A participant reads and takes out their own without leaving a receipt.
    let own = patient.client.read_trail(chart).await.unwrap();
    patient.client.export_balp(chart).await.unwrap();
    assert_eq!(patient.client.read_trail(chart).await.unwrap(), own);
    nurse.relay.set_offline(false);
    nurse.sync().await;
    let files = nurse.client.export_audit(chart).await.unwrap();
    for name in ["trail.csv", "audit-events.ndjson"] {
        assert!(files.iter().any(|(known, bytes)| known == name && !bytes.is_empty()), "{name}");
    }
}
