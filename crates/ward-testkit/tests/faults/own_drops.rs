//! What a member of staff handed over, and what then came on its own.

use crate::drop_scene::{names, note, site_with, synced};
use ward_client::limits::DROPS_RELIST_EVERY_SYNCS;
use ward_store::{DropStore as _, DropsRequest};
use ward_testkit::Site;

async fn waiting(site: &Site, chart: ward_id::ChartId) -> usize {
    let request = DropsRequest { charts: vec![chart], after: None, limit_bytes: 1 << 20 };
    site.server.store.drops_waiting(request).await.unwrap().drops.len()
}

/// A device's own drops take no room at the server once their entries are there, though no other member of
/// staff ever looks.
#[tokio::test]
async fn fault_22_own_drops_leave_the_list_when_their_entries_have_come() {
    let (mut site, mut staff, patient) = site_with(2_281, 1).await;
    let chart = patient.chart();
    // The other one is on leave for good.
    let colleague = staff.remove(0);
    colleague.relay.set_offline(true);
    let nurse = site.coordinator.device();
    let until = site.clock.now().plus_ms(3_600_000);
    site.coordinator.client.capture(chart, note("on the ward round")).await.unwrap();
    site.admins[0].sync().await;
    site.admins[0].client.suspend(nurse, until, ward_api::SuspendReason::Lost).await.unwrap();
    let report = synced(&mut site.coordinator).await;
    assert_eq!((names(&report), report.handed_over), (vec!["suspended"], 1), "{report:?}");
    assert_eq!(waiting(&site, chart).await, 1);
    site.clock.advance_ms(3_600_001);
    assert_eq!(synced(&mut site.coordinator).await.pushed, 1);
    for _ in 0..=DROPS_RELIST_EVERY_SYNCS {
        let report = synced(&mut site.coordinator).await;
        assert!(report.is_complete() && report.drops_waiting == 0, "{report:?}");
    }
    assert_eq!(waiting(&site, chart).await, 0);
}

/// What has not come stays: its own device's chart says nothing of what others have.
#[tokio::test]
async fn fault_22_own_drops_wait_as_long_as_their_entries_do() {
    let (mut site, _staff, patient) = site_with(2_282, 1).await;
    let chart = patient.chart();
    let nurse = site.coordinator.device();
    let until = site.clock.now().plus_ms(3_600_000);
    site.coordinator.client.capture(chart, note("on the ward round")).await.unwrap();
    site.admins[0].sync().await;
    site.admins[0].client.suspend(nurse, until, ward_api::SuspendReason::Lost).await.unwrap();
    assert_eq!(synced(&mut site.coordinator).await.handed_over, 1);
    site.clock.advance_ms(3_600_001);
    // Everything passes but what is sent.
    let path = ward_api::paths::envelopes(chart);
    site.coordinator
        .relay
        .before(move |request| request.path != path || request.method == ward_client::HttpMethod::Get);
    for _ in 0..=DROPS_RELIST_EVERY_SYNCS {
        synced(&mut site.coordinator).await;
    }
    assert_eq!(waiting(&site, chart).await, 1);
}
