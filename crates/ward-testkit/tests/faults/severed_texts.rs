//! Row 23 in a text: others wrote on top of words of a device that is severed then.

use crate::drop_scene::{everything, revoke, site_with, synced};
use crate::revoked_in_parallel::keep_olog_head;
use ward_crypto::Role;
use ward_id::ChartId;
use ward_sync::{Place, QuarantineReason, RevokePolicy, TextId};
use ward_testkit::TestDevice;

/// Types a whole text and leaves it; does not send it.
async fn write(device: &mut TestDevice, chart: ChartId, note: TextId, new: &str) {
    device.client.open_text(chart, note).unwrap();
    device.client.write_text(chart, note, new).await.unwrap();
    device.client.leave_text(chart, note).await.unwrap().unwrap();
    assert_eq!(text(device, chart, note), new);
}

fn text(device: &TestDevice, chart: ChartId, note: TextId) -> String {
    device.client.texts(chart).unwrap()[&note].text()
}

/// The phone's last words come after the cut-off. A nurse writes on top of them at once; a doctor does
/// so without a network, before and after the severing is in the log.
async fn one_severing(seed: u64, policy: RevokePolicy) {
    let (mut site, mut staff, mut phone) = site_with(seed, 2).await;
    let chart = phone.chart();
    let note = phone.client.new_text().unwrap();
    write(&mut phone, chart, note, "Slept well. Pain 3.").await;
    phone.sync().await;
    site.coordinator.sync().await;
    keep_olog_head(&site.coordinator);
    write(&mut phone, chart, note, "Pain 9, send more.").await;
    phone.sync().await;
    let [nurse, doctor] = staff.as_mut_slice() else { panic!("two of staff") };
    nurse.sync().await;
    doctor.sync().await;
    nurse.client.sign_text(chart, note, "read").await.unwrap();
    write(nurse, chart, note, "Pain 9, send more. Called at noon.").await;
    nurse.sync().await;
    doctor.relay.set_offline(true);
    write(doctor, chart, note, "Pain 9, send more. Seen by me.").await;
    revoke(&mut site, &phone, policy).await;
    site.coordinator.relay.heal();
    site.coordinator.sync().await;
    synced(nurse).await;

    // The words are gone, what they had replaced is back, and the nurse's own words stand.
    let shown = "Slept well. Pain 3. Called at noon.";
    for device in [&*nurse, &site.coordinator] {
        assert_eq!(text(device, chart, note), shown);
    }
    // She goes on in what she sees now, in words that were deleted and are back.
    write(nurse, chart, note, "Slept badly. Pain 3. Called at noon, answered.").await;
    nurse.sync().await;
    // The doctor still knows nothing of it.
    write(doctor, chart, note, "Pain 9, send more. Seen by me, twice.").await;
    doctor.relay.set_offline(false);
    synced(doctor).await;
    for _ in 0..2 {
        for device in [&mut *nurse, &mut *doctor, &mut site.coordinator] {
            synced(device).await;
        }
    }
    let mut newcomer = site.staff("newcomer", Role::Clinician).await;
    newcomer.sync().await;
    for device in [&mut *nurse, &mut *doctor, &mut site.coordinator, &mut newcomer] {
        synced(device).await;
    }
    newcomer.sync().await;
    let merged = text(nurse, chart, note);
    assert!(
        merged.contains("Slept badly. Pain 3.") && merged.contains("Called at noon, answered"),
        "{merged}"
    );
    assert!(merged.contains("Seen by me, twice.") && !merged.contains("send more"), "{merged}");
    for device in [&*doctor, &site.coordinator, &newcomer] {
        assert_eq!(text(device, chart, note), merged);
        assert_eq!(everything(device, chart), everything(nurse, chart));
    }
    let view = newcomer.client.chart(chart).unwrap();
    let texts = &view.texts()[&note];
    let reason = match policy {
        RevokePolicy::Salvage => QuarantineReason::ToBeAdopted,
        RevokePolicy::Sever => QuarantineReason::Severed,
    };
    let [aside] = texts.aside() else { panic!("one burst is aside: {:?}", texts.aside().len()) };
    let aside = aside.id();
    assert_eq!(view.place(aside), Some(Place::Quarantined(reason)));
    assert_eq!(view.accounting().parked, 0, "nothing waits for it");
    assert!(texts.signatures()[0].changed_since(), "what the nurse signed was not all trusted");
    drop(view);
    // A restart changes nothing; what is adopted shows again, everywhere.
    newcomer.restart().await;
    assert_eq!(text(&newcomer, chart, note), merged);
    if policy == RevokePolicy::Salvage {
        nurse.client.adopt(chart, aside).await.unwrap();
        nurse.sync().await;
        for device in [&mut *doctor, &mut site.coordinator, &mut newcomer] {
            device.sync().await;
            assert_eq!(text(device, chart, note), text(nurse, chart, note));
        }
        assert!(text(nurse, chart, note).contains("send more"));
    }
}

#[tokio::test]
async fn fault_23_words_on_top_of_severed_words_show_the_same_everywhere() {
    one_severing(2_361, RevokePolicy::Sever).await;
}

#[tokio::test]
async fn fault_23_words_on_top_of_lost_words_show_before_and_after_these_are_adopted() {
    one_severing(2_362, RevokePolicy::Salvage).await;
}
