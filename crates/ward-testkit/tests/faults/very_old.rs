//! Row 25: a device that comes back after more than a year.

use crate::drop_scene::{everything, note, site_with, synced, texts};
use ward_crypto::Role;

/// Months go by at the site: people come and the key is made anew.
async fn comes_back_after_400_days(seed: u64, clinicians: usize) {
    let (mut site, mut staff, mut patient) = site_with(seed, clinicians).await;
    let chart = patient.chart();
    patient.client.capture(chart, note("before")).await.unwrap();
    patient.sync().await;
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("on the day it went offline")).await.unwrap();
    let before = patient.client.membership().unwrap().counted_epoch(chart).unwrap().epoch;
    let mut late = None;
    for month in 0..8 {
        site.clock.advance_days(50);
        if month == 3 {
            late = Some(site.staff("a nurse of the second year", Role::Clinician).await);
        }
        // The first year's certificates of staff end after a year; the admins' and the patient's do not.
        if month < 7 {
            site.coordinator.client.capture(chart, note(&format!("visit {month}"))).await.unwrap();
            site.coordinator.sync().await;
            for one in &mut staff {
                one.sync().await;
            }
        }
        if let Some(nurse) = &mut late {
            synced(nurse).await;
        }
    }
    let mut nurse = late.unwrap();
    patient.client.capture(chart, note("400 days later")).await.unwrap();
    let own = patient.device();
    patient.relay.set_offline(false);
    let report = synced(&mut patient).await;
    let report = if report.is_complete() { report } else { synced(&mut patient).await };
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(patient.device(), own, "no reset: the same device, the same chain");
    let counted = patient.client.membership().unwrap().counted_epoch(chart).unwrap().epoch;
    assert!(counted >= before + 4, "several keys later: {before}, {counted}");
    let mut expected: Vec<String> = (0..7).map(|month| format!("visit {month}")).collect();
    expected.extend(["before", "on the day it went offline", "400 days later"].map(str::to_owned));
    expected.sort();
    assert_eq!(texts(&patient, chart), expected, "it reads everything");
    nurse.sync().await;
    patient.sync().await;
    assert_eq!(texts(&nurse, chart), expected, "and everything of it is read");
    assert_eq!(everything(&nurse, chart), everything(&patient, chart));
    let status = patient.client.status().unwrap();
    assert_eq!((status.saved_here, status.handed_over), (0, 0));
}

#[tokio::test]
async fn fault_25_a_phone_attaches_after_400_days_and_reads_everything() {
    comes_back_after_400_days(2_501, 1).await;
}

#[tokio::test]
async fn fault_25_a_phone_attaches_after_400_days_among_five_devices() {
    comes_back_after_400_days(2_502, 4).await;
}
