//! Row 24: the chart's key moved on while a device was offline.

use crate::drop_scene::{days_offline, site_with, texts};
use ward_crypto::{Envelope, EpochPackage, Role};
use ward_id::Canonical as _;
use ward_store::MlogStore as _;
use ward_sync::RevokePolicy;

async fn keys_moved_on(seed: u64, clinicians: usize, days: i64) {
    let (mut site, mut staff, mut patient) = site_with(seed, clinicians).await;
    let chart = patient.chart();
    let first = patient.client.membership().unwrap().counted_epoch(chart).unwrap().epoch;
    let entries = days_offline(&site, &mut patient, days).await;
    // Somebody comes, somebody goes: two changes of members, two new keys at least.
    let mut newcomer = site.staff("newcomer", Role::Clinician).await;
    let leaver = staff.remove(0);
    let revoked = site.admins[0].client.revoke(leaver.device(), RevokePolicy::Sever, "left the site").await;
    assert!(revoked.unwrap().is_done());
    let removal = site.admins[0].client.membership().unwrap().size() - 1;
    site.coordinator.sync().await;
    newcomer.sync().await;
    patient.relay.set_offline(false);
    patient.sync().await;
    site.coordinator.sync().await;
    newcomer.sync().await;
    let membership = site.coordinator.client.membership().unwrap();
    let counted = membership.counted_epoch(chart).unwrap();
    assert!(counted.epoch >= first + 2, "{} after {first}", counted.epoch);
    // What was written long before is sealed under the newest key, by the newest members.
    let sent: Vec<Envelope> = site
        .server
        .envelopes()
        .await
        .iter()
        .map(|row| Envelope::from_canonical(&row.envelope.0).unwrap())
        .filter(|envelope| entries.contains(&envelope.header().entry_id))
        .collect();
    assert_eq!(sent.len(), entries.len());
    for envelope in &sent {
        assert_eq!(envelope.header().epoch, counted.epoch);
        assert!(envelope.header().mlog_size > removal, "sealed by a device that knew of the removal");
    }
    let packages = site.server.store.epoch_packages(chart, counted.epoch).await.unwrap();
    let package = EpochPackage::from_canonical(&packages[0].bytes).unwrap();
    assert!(
        package.wrapped_devices().all(|device| device != leaver.device()),
        "the removed reads nothing of it"
    );
    assert_eq!(texts(&newcomer, chart).len(), entries.len(), "the joiner reads all of it");
    for one in &mut staff {
        one.sync().await;
        assert_eq!(texts(one, chart).len(), entries.len());
    }
}

#[tokio::test]
async fn fault_24_entries_of_before_are_sealed_under_the_newest_key_and_the_removed_read_none() {
    keys_moved_on(2_401, 1, 0).await;
    keys_moved_on(2_402, 1, 30).await;
}

#[tokio::test]
async fn fault_24_the_newest_key_holds_for_five_devices_and_thirty_days() {
    keys_moved_on(2_403, 5, 30).await;
}
