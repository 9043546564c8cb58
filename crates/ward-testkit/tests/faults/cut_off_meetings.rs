//! A meeting that ends half way, without an error: the app goes to the background, or somebody waited long
//! enough. What the server said in it is not news in a later one.

use crate::scene::{capture, site_with, synced, texts};
use ward_crypto::random_id;
use ward_sync::RevokePolicy;
use ward_testkit::SeededRng;

/// The greeting of a meeting that was cut off names a head of the operation log. A revocation hours later does
/// not take it for the newest, or what the device wrote in between would stand nowhere.
#[tokio::test]
async fn fault_23_a_revocation_does_not_cut_off_at_the_head_of_a_meeting_that_never_ended() {
    let (mut site, mut patient, mut staff) = site_with(2_360, 1).await;
    let chart = patient.chart();
    let team = random_id(&mut SeededRng::new(2_360, "team"));
    site.admins[0].client.set_team(team, &[]).await.unwrap();
    let hanging = site.coordinator.relay.hang("/mlog/leaves");
    tokio::select! {
        report = site.coordinator.client.sync() => panic!("it hangs: {report:?}"),
        () = hanging.notified() => {}
    }
    site.coordinator.relay.heal();
    site.clock.advance_ms(3_600_000);
    capture(&mut patient, chart, &["an hour later"]).await;
    assert_eq!(synced(&mut patient).await.pushed, 1);
    let done = site.coordinator.client.revoke(patient.device(), RevokePolicy::Salvage, "lost").await;
    assert!(done.unwrap().is_done());
    for _ in 0..2 {
        site.coordinator.sync().await;
        synced(&mut staff[0]).await;
    }
    for device in [&site.coordinator, &staff[0]] {
        assert_eq!(texts(device, chart), ["an hour later"], "it was written before the revocation");
    }
}
