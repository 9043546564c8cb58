//! Row 39, the gentle half: a device that does not meet its server locks, and deletes nothing.

use crate::drop_scene::{note, site_with, texts};
use ward_client::ClientError;
use ward_sync::{Lease, Note};
use ward_testkit::{Site, TestDevice};

const HOUR_MS: i64 = 3_600_000;

/// Away for so long, then the app is started again.
async fn away(site: &Site, device: &mut TestDevice, hours: i64) {
    device.relay.set_offline(true);
    site.clock.advance_ms(hours * HOUR_MS);
    device.restart().await;
}

#[tokio::test]
async fn fault_39_a_patient_offline_for_three_days_writes_on_and_loses_nothing() {
    let (site, _, mut patient) = site_with(3_951, 0).await;
    let chart = patient.chart();
    patient.client.capture(chart, note("before")).await.unwrap();
    patient.sync().await;
    away(&site, &mut patient, 72).await;
    assert_eq!(patient.client.lease(), Ok(Lease::Open), "at the limit");
    assert_eq!(texts(&patient, chart), ["before"]);
    away(&site, &mut patient, 1).await;
    assert_eq!(patient.client.lease(), Ok(Lease::CaptureOnly), "one past");
    assert_eq!(patient.client.chart(chart).err(), Some(ClientError::LeaseEnded));
    assert_eq!(patient.client.export_html(chart).await, Err(ClientError::LeaseEnded));
    for day in 0..3 {
        patient.client.capture(chart, note(&format!("day {day}"))).await.unwrap();
        away(&site, &mut patient, 24).await;
    }
    assert_eq!(patient.client.status().unwrap().saved_here, 3, "what is saved can be counted");
    patient.relay.set_offline(false);
    patient.sync().await;
    assert_eq!(patient.client.lease(), Ok(Lease::Open));
    assert_eq!(texts(&patient, chart), ["before", "day 0", "day 1", "day 2"]);
    patient.restart().await;
    assert_eq!(texts(&patient, chart).len(), 4, "and stays open");
}

#[tokio::test]
async fn fault_39_a_staff_device_offline_for_half_a_day_stays_locked_until_it_syncs() {
    let (site, mut staff, mut patient) = site_with(3_952, 1).await;
    let chart = patient.chart();
    patient.client.capture(chart, note("before")).await.unwrap();
    patient.sync().await;
    let nurse = &mut staff[0];
    nurse.sync().await;
    nurse.relay.set_offline(true);
    nurse.client.capture(chart, note("unsent")).await.unwrap();
    away(&site, nurse, 12).await;
    assert_eq!(texts(nurse, chart), ["before", "unsent"], "at the limit");
    away(&site, nurse, 1).await;
    assert_eq!(nurse.client.lease(), Ok(Lease::Locked));
    assert_eq!(nurse.client.chart(chart).err(), Some(ClientError::LeaseEnded));
    assert_eq!(nurse.client.capture(chart, note("more")).await, Err(ClientError::LeaseEnded));
    assert_eq!(
        nurse.client.adopt(chart, ward_id::EntryId::from_bytes([1; 32])).await,
        Err(ClientError::LeaseEnded)
    );
    assert_eq!(nurse.client.only_here(), Ok(1), "nothing was deleted");
    // A wall clock that is set back over a restart opens nothing.
    nurse.client.environment().set_wall_offset_ms(-48 * HOUR_MS);
    assert!(matches!(nurse.client.worklist(site.clock.now()), Err(ClientError::LeaseEnded)));
    nurse.relay.set_offline(false);
    nurse.sync().await;
    assert_eq!(texts(nurse, chart), ["before", "unsent"]);
    patient.sync().await;
    let seen: Vec<Note> = patient
        .client
        .chart(chart)
        .unwrap()
        .notes()
        .iter()
        .flat_map(|thread| &thread.current)
        .map(|written| written.value.clone())
        .collect();
    assert_eq!(seen.len(), 2);
}
