//! The room of a chart or a device at the server is used up.

use ward_api::ErrorCode;
use ward_client::{ClientError, SyncProblem};
use ward_crypto::Role;
use ward_store::{QuotaStore as _, Quotas};
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

fn note(number: usize) -> Note {
    Note { text: format!("note {number}"), supersedes: vec![] }
}

/// A push crosses the quota: as many entries as fit are taken and receipted, the rest stays saved,
/// the person is told, writing goes on, and everything arrives when there is room.
#[tokio::test]
async fn fault_21_a_quota_reached_in_a_push_takes_what_fits_and_loses_nothing() {
    for (devices, days_offline) in [(1, 0), (1, 30), (5, 0), (5, 30)] {
        let mut site = Site::small(2_100).await;
        let mut nurse = site.staff("nurse", Role::Clinician).await;
        let mut patients: Vec<TestDevice> = Vec::new();
        for number in 0..devices {
            patients.push(site.patient(&format!("patient {number}")).await);
        }
        site.clock.advance_ms(days_offline * 86_400_000);
        for patient in &mut patients {
            let chart = patient.chart();
            patient.sync().await;
            let used = site.server.store.chart_use(chart).await.unwrap().operation_bytes;
            // Room for about seven entries of 800 bytes.
            let quotas = Quotas { chart_bytes: used + 7 * 850, ..Quotas::default() };
            site.server.store.set_quotas(quotas);
            for number in 0..20 {
                patient.client.capture(chart, note(number)).await.unwrap();
            }
            let report = patient.client.sync().await.unwrap();
            assert!((6..=8).contains(&report.pushed), "{report:?}");
            assert_eq!(report.unsent, 20 - report.pushed);
            let [SyncProblem::Quota { chart: of, used, limit, retry_after_s }] = report.problems.as_slice()
            else {
                panic!("{report:?}")
            };
            assert!(*of == chart && used <= limit && *limit == quotas.chart_bytes);
            assert_eq!(report.next_attempt_in_ms, Some(u64::from(*retry_after_s) * 1_000));
            let status = patient.client.status().unwrap();
            assert_eq!((status.received, status.saved_here), (report.pushed, report.unsent));
            // Submitting goes on; a restart changes nothing.
            patient.client.capture(chart, note(20)).await.unwrap();
            patient.restart().await;
            assert!(patient.client.sync().await.unwrap().unsent >= 13);
            site.server.store.set_quotas(Quotas::default());
            patient.sync().await;
            nurse.sync().await;
            assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 21);
        }
    }
}

/// The room for blobs is apart: an attachment that does not fit holds no entry up.
#[tokio::test]
async fn fault_21_a_blob_without_room_holds_no_entry_up() {
    let mut site = Site::small(2_101).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    site.server.store.set_quotas(Quotas { chart_blob_bytes: 100_000, ..Quotas::default() });
    patient.client.attach(chart, vec![1; 200_000].as_slice(), "image/png", "scan").await.unwrap();
    patient.client.capture(chart, note(1)).await.unwrap();
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (2, 0));
    assert!(matches!(report.problems.as_slice(), [SyncProblem::Quota { limit: 100_000, .. }]), "{report:?}");
    let other: ClientError =
        patient.client.fetch_attachment(chart, ward_id::EntryId::from_bytes([0; 32])).await.unwrap_err();
    assert!(!other.is(ErrorCode::QuotaReached));
    site.server.store.set_quotas(Quotas::default());
    patient.sync().await;
}
