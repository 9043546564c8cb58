//! Row 23: a revocation in parallel with entries that some have seen.

use crate::drop_scene::{everything, note, revoke, site_with, synced, texts};
use ward_api::LogName;
use ward_crypto::Role;
use ward_sync::{Place, QuarantineReason, RevokePolicy};
use ward_testkit::TestDevice;

/// From now on the device is shown the head of the operation log that it saw last.
pub fn keep_olog_head(device: &TestDevice) {
    let head = device.relay.newest_note(LogName::Olog).unwrap();
    device.relay.on_heads(LogName::Olog, move |note| note.clone_from(&head));
}

/// Which replicas meet the late entry before they know of the revocation, by the bits of `early`.
async fn one_order(seed: u64, replicas: usize, early: usize, policy: RevokePolicy) -> String {
    let (mut site, mut staff, mut patient) = site_with(seed, replicas).await;
    let chart = patient.chart();
    let known = patient.client.capture(chart, note("seen by all")).await.unwrap();
    patient.sync().await;
    site.coordinator.sync().await;
    keep_olog_head(&site.coordinator);
    let late = patient.client.capture(chart, note("seen by some")).await.unwrap();
    patient.sync().await;
    let saw_it = |number: usize| early & (1 << number) != 0;
    for (number, one) in staff.iter_mut().enumerate() {
        if saw_it(number) {
            one.sync().await;
            assert_eq!(texts(one, chart), ["seen by all", "seen by some"]);
        }
    }
    revoke(&mut site, &patient, policy).await;
    site.coordinator.relay.heal();
    site.coordinator.sync().await;
    for one in &mut staff {
        synced(one).await;
    }
    // Everybody once more: access receipts and the like of the others.
    for one in &mut staff {
        one.sync().await;
    }
    site.coordinator.sync().await;
    let reason = match policy {
        RevokePolicy::Salvage => QuarantineReason::ToBeAdopted,
        RevokePolicy::Sever => QuarantineReason::Severed,
    };
    let mut newcomer = site.staff("newcomer", Role::Clinician).await;
    newcomer.sync().await;
    // And what the newcomer says of having opened it.
    for one in staff.iter_mut().chain([&mut site.coordinator]) {
        one.sync().await;
    }
    newcomer.sync().await;
    let expected = everything(&site.coordinator, chart);
    for one in staff.iter().chain([&newcomer]) {
        let view = one.client.chart(chart).unwrap();
        assert_eq!(view.place(known), Some(Place::Visible));
        assert_eq!(view.place(late), Some(Place::Quarantined(reason)), "one cut-off for all");
        assert_eq!(everything(one, chart), expected);
    }
    if policy == RevokePolicy::Salvage {
        staff[0].client.adopt(chart, late).await.unwrap();
        staff[0].sync().await;
        site.coordinator.sync().await;
        for one in &mut staff {
            one.sync().await;
            assert_eq!(texts(one, chart), ["seen by all", "seen by some"]);
            assert_eq!(everything(one, chart), everything(&site.coordinator, chart));
        }
    } else {
        assert!(staff[0].client.adopt(chart, late).await.is_err(), "what is severed is not adopted");
    }
    texts(&site.coordinator, chart).join(", ")
}

#[tokio::test]
async fn fault_23_one_cut_off_decides_whoever_saw_the_entry_first() {
    for early in 0..4 {
        let seed = 2_301 + early as u64;
        assert_eq!(one_order(seed, 2, early, RevokePolicy::Salvage).await, "seen by all, seen by some");
        assert_eq!(one_order(seed + 10, 2, early, RevokePolicy::Sever).await, "seen by all");
    }
}

#[tokio::test]
async fn fault_23_the_cut_off_holds_for_five_devices() {
    assert_eq!(one_order(2_341, 5, 0b10101, RevokePolicy::Salvage).await, "seen by all, seen by some");
}
