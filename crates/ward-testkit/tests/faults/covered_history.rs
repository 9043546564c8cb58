//! Envelopes under a checkpoint: a full device drops them, but not those that a restored server may lack.

use crate::scene::{capture, site_with, synced, texts};
use ward_client::limits::ENVELOPES_KEPT_MS;
use ward_id::TimestampMs;
use ward_sync::{Dose, DoseOutcome, MedicationId};

const NOTES: usize = 150;

fn dose(at: TimestampMs) -> Dose {
    let medication = MedicationId::new("ondansetron");
    Dose { medication, due_at: at, outcome: DoseOutcome::Taken, at, note: None }
}

#[tokio::test]
async fn fault_09_covered_history_keeps_its_envelopes_as_long_as_a_backup_may_lack_them() {
    let (mut site, mut patient, mut staff) = site_with(910, 1).await;
    let chart = patient.chart();
    let written: Vec<String> = (0..NOTES).map(|number| format!("note {number:03}")).collect();
    capture(&mut patient, chart, &written.iter().map(String::as_str).collect::<Vec<_>>()).await;
    patient.sync().await;
    for _ in 0..2 {
        synced(&mut staff[0]).await;
    }
    assert!(staff[0].client.write_checkpoint(chart).await.unwrap().is_some());
    for _ in 0..2 {
        synced(&mut staff[0]).await;
        synced(&mut site.coordinator).await;
        synced(&mut patient).await;
    }
    assert_eq!(patient.client.chart(chart).unwrap().checkpoint_cosignatures().len(), 1, "two people signed");
    let reserve = patient.client.room().await.unwrap().reserve_bytes;
    // All of it is new: the reserve is touched before an envelope goes.
    patient.rows.set_capacity(Some(patient.rows.used_bytes() + 30_000), true);
    patient.client.capture(chart, dose(site.clock.now())).await.unwrap();
    assert!(patient.client.room().await.unwrap().reserve_bytes < reserve);
    patient.rows.set_capacity(None, true);
    synced(&mut patient).await;
    assert_eq!(patient.client.room().await.unwrap().reserve_bytes, reserve, "it is filled again");
    // In every backup by now: the envelopes make room, the entries stay.
    site.clock.advance_ms(ENVELOPES_KEPT_MS + 86_400_000);
    synced(&mut patient).await;
    let before = patient.rows.used_bytes();
    patient.rows.set_capacity(Some(before + 30_000), true);
    patient.client.capture(chart, dose(site.clock.now())).await.unwrap();
    assert_eq!(patient.client.room().await.unwrap().reserve_bytes, reserve);
    assert!(patient.rows.used_bytes() + 60_000 < before, "{before}");
    assert_eq!(texts(&patient, chart), written);
    patient.restart().await;
    assert_eq!(texts(&patient, chart), written);
}
