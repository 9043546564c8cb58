//! Row 22 in a text: staff decline words that a lost device handed over, and take over what its owner
//! wrote on top of them.

use crate::drop_scene::{everything, revoke, site_with, synced};
use ward_client::ClientError;
use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_sync::{Place, QuarantineReason, RevokePolicy, TextId};
use ward_testkit::TestDevice;

/// Types a whole text and leaves it; names the edit.
async fn write(device: &mut TestDevice, chart: ChartId, note: TextId, new: &str) -> EntryId {
    device.client.open_text(chart, note).unwrap();
    device.client.write_text(chart, note, new).await.unwrap();
    device.client.leave_text(chart, note).await.unwrap().unwrap()
}

fn text(device: &TestDevice, chart: ChartId, note: TextId) -> String {
    device.client.texts(chart).unwrap()[&note].text()
}

/// What was declined waits no longer, and is not taken along.
async fn nothing_waits(device: &mut TestDevice, chart: ChartId, phone: &TestDevice) {
    assert!(device.client.waiting_drops(chart).unwrap().is_empty());
    assert!(device.client.adopt_all(chart, phone.device()).await.unwrap().is_empty());
}

#[tokio::test]
async fn fault_22_words_on_top_of_declined_words_are_taken_over_without_them() {
    let (mut site, mut staff, mut phone) = site_with(2_261, 2).await;
    let chart = phone.chart();
    let note = phone.client.new_text().unwrap();
    write(&mut phone, chart, note, "Slept well.").await;
    phone.sync().await;
    site.coordinator.sync().await;
    for one in &mut staff {
        one.sync().await;
    }
    phone.relay.set_offline(true);
    let wrong = write(&mut phone, chart, note, "Slept badly, give me more.").await;
    let later = write(&mut phone, chart, note, "Slept badly, give me more. Called at noon.").await;
    revoke(&mut site, &phone, RevokePolicy::Salvage).await;
    phone.relay.set_offline(false);
    synced(&mut phone).await;
    let [nurse, doctor] = staff.as_mut_slice() else { panic!("two of staff") };
    synced(nurse).await;
    synced(doctor).await;

    // One takes over the later words before anybody decided about those under them: they wait for that.
    doctor.client.adopt(chart, later).await.unwrap();
    assert_eq!(doctor.client.chart(chart).unwrap().place(later), Some(Place::Parked));
    nurse.client.decline(chart, wrong, "this was her son").await.unwrap();
    for _ in 0..2 {
        for one in [&mut *doctor, &mut *nurse, &mut site.coordinator] {
            synced(one).await;
        }
    }
    for one in [&*doctor, &*nurse, &site.coordinator] {
        assert_eq!(text(one, chart, note), "Slept well. Called at noon.");
        let view = one.client.chart(chart).unwrap();
        let aside = Some(Place::Quarantined(QuarantineReason::ToBeAdopted));
        assert_eq!((view.place(wrong), view.place(later)), (aside, Some(Place::Visible)));
        assert_eq!(view.accounting().parked, 0, "nothing waits for what was declined");
        assert_eq!(view.declined().into_iter().collect::<Vec<_>>(), [wrong]);
        assert_eq!(everything(one, chart), everything(&site.coordinator, chart));
    }
    for one in [&mut *doctor, &mut *nurse] {
        nothing_waits(one, chart, &phone).await;
    }
    let again = nurse.client.decline(chart, wrong, "twice").await;
    assert_eq!(again, Err(ClientError::Unknown("the entry that waits for adoption")));

    // Who comes new sees the same, and goes on in it.
    let mut newcomer = site.staff("newcomer", Role::Clinician).await;
    newcomer.sync().await;
    assert_eq!(text(&newcomer, chart, note), "Slept well. Called at noon.");
    write(&mut newcomer, chart, note, "Slept well. Called at noon, and again.").await;
    newcomer.sync().await;
    nurse.sync().await;
    nurse.restart().await;
    assert_eq!(text(nurse, chart, note), "Slept well. Called at noon, and again.");

    // Declining is no deletion: somebody who knows better takes the words over after all.
    nurse.client.adopt(chart, wrong).await.unwrap();
    synced(nurse).await;
    for one in [&mut *doctor, &mut site.coordinator, &mut newcomer] {
        synced(one).await;
        assert_eq!(text(one, chart, note), text(nurse, chart, note));
        assert_eq!(everything(one, chart), everything(nurse, chart));
    }
    let all = text(nurse, chart, note);
    assert!(all.contains("give me more") && all.contains("Called at noon, and again."), "{all}");
}
