//! A server that shows the membership log of yesterday, so that a revocation does not arrive.

use crate::scene::{names, note, site_with_nurse, synced, texts};
use ward_sync::RevokePolicy;

const HOUR_MS: i64 = 3_600_000;

#[tokio::test]
async fn rt_14_nothing_leaves_any_device_of_the_site_under_a_log_that_stands_still() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1401).await;
    let chart = patient.chart();
    // The other admin hears of everything and revokes; this one is kept in the dark too.
    for device in [&mut patient, &mut nurse, &mut site.coordinator, &mut site.admins[1]] {
        device.relay.freeze();
        synced(device).await;
        assert!(device.client.status().unwrap().fresh);
    }
    site.clock.advance_ms(70 * HOUR_MS);
    patient.client.capture(chart, note("within the limit")).await.unwrap();
    assert_eq!(synced(&mut patient).await.pushed, 1);
    let held = site.server.envelopes().await.len();
    site.clock.advance_ms(3 * HOUR_MS);
    // What the server withholds: the nurse left.
    let revoked = site.admins[0].client.revoke(nurse.device(), RevokePolicy::Sever, "left").await;
    assert!(revoked.unwrap().is_done());
    for device in [&mut patient, &mut site.coordinator] {
        device.client.capture(chart, note("beyond the limit")).await.unwrap();
        let report = synced(device).await;
        assert!(names(&report).contains(&"stale"), "{report:?}");
        assert_eq!((report.pushed, report.rotated.len()), (0, 0));
        // A wall clock that was set back makes nothing younger.
        device.client.environment().set_wall_offset_ms(-80 * HOUR_MS);
        assert_eq!(synced(device).await.pushed, 0);
    }
    assert_eq!(site.server.envelopes().await.len(), held);
    let admin = &mut site.admins[1];
    synced(admin).await;
    assert!(!admin.client.status().unwrap().fresh, "the admin is told that the log is old");
    for device in [&mut patient, &mut site.coordinator, &mut site.admins[1]] {
        device.relay.heal();
        device.client.environment().set_wall_offset_ms(0);
        synced(device).await;
        device.sync().await;
        assert!(device.client.status().unwrap().fresh);
    }
    patient.sync().await;
    assert_eq!(texts(&patient, chart), ["beyond the limit", "beyond the limit", "first", "within the limit"]);
    nurse.client.capture(chart, note("after the removal")).await.unwrap();
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"revoked"), "the server tells the nurse's device: {report:?}");
    nurse.relay.heal();
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"revoked"), "{report:?}");
    assert_eq!(report.pushed, 0, "what the nurse wrote meanwhile stays out");
    // What went out since names a log that knows of the revocation, and an epoch without the nurse.
    let epoch = patient.client.membership().unwrap().counted_epoch(chart).unwrap().epoch;
    let sealed = crate::loot::envelopes_of(&site.server).await.split_off(held);
    assert!(sealed.len() >= 2 && sealed.iter().all(|envelope| envelope.header().epoch == epoch));
    let newest = crate::scene::packages_of(&site.server, chart).await.pop().unwrap();
    assert_eq!(newest.header().epoch, epoch);
    assert!(newest.wrapped_devices().all(|device| device != nurse.device()));
}
