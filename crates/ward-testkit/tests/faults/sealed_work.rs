//! What a sealed file of unsent work carries besides entries and drafts: a text that somebody is still
//! writing, and what a former device of the same store left behind.

use crate::certificate_ended::renew;
use crate::drop_scene::{note, revoke, site_with, synced, texts};
use ward_client::{ExportReaders, ImportKey, ImportStanding};
use ward_crypto::ExportPassphrase;
use ward_sync::RevokePolicy;

const BASE: &str = "Pain in the left arm.";
const TYPED: &str = "Pain in the left arm and hand.";

/// The phone was taken out, went on without a network, and was invited again. Before it meets the
/// server as the new device, its work goes to the clinic in a file; afterwards it syncs all the same.
#[tokio::test]
async fn fault_09_open_texts_and_a_former_devices_work_travel_in_the_sealed_file() {
    let (mut site, mut staff, mut patient) = site_with(931, 1).await;
    let (chart, person, former) = (patient.chart(), patient.person(), patient.device());
    let nurse = &mut staff[0];
    let text = patient.client.new_text().unwrap();
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, BASE).await.unwrap();
    patient.client.leave_text(chart, text).await.unwrap().unwrap();
    patient.sync().await;
    nurse.sync().await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    synced(&mut patient).await;
    patient.relay.set_offline(true);
    let of_former = patient.client.capture(chart, note("of the former device")).await.unwrap();
    let written_at = site.clock.now();
    // Somebody is writing, and does not stop.
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, TYPED).await.unwrap();
    patient.relay.set_offline(false);
    renew(&mut site, &mut patient, chart, person).await;
    assert_ne!(patient.device(), former);
    patient.relay.set_offline(true);
    patient.restart().await;
    assert_eq!(patient.client.unfinished_texts(), [(chart, text)], "what was typed outlived all of it");

    let mut file = Vec::new();
    let readers = ExportReaders { staff: true, passphrase: true };
    let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
    assert!(exported.entries >= 2, "{}", exported.entries);
    assert!(patient.client.unfinished_texts().is_empty(), "the burst became an entry");
    assert!(!file.windows(8).any(|window| window == b"and hand"), "the file is sealed");

    site.coordinator.sync().await;
    nurse.sync().await;
    site.clock.advance_days(1);
    let work = nurse.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.unwrap();
    let of_person = |one: &ward_client::ImportedEntry| one.author == Some(person);
    assert!(work.entries.iter().all(of_person), "each is checked against its author's certificate");
    let devices: Vec<_> = work.entries.iter().map(|one| one.entry.frame().device).collect();
    assert!(devices.contains(&former), "the former device's work is in it");
    assert!(work.entries.iter().any(|one| one.entry.id() == of_former));
    for one in work.entries.iter().filter(|one| one.standing == ImportStanding::Offered) {
        nurse.client.adopt_imported(&one.entry).await.unwrap();
    }
    nurse.sync().await;
    assert_eq!(texts(nurse, chart), ["of the former device"]);
    assert_eq!(nurse.client.texts(chart).unwrap()[&text].text(), TYPED);
    {
        let view = nurse.client.chart(chart).unwrap();
        let item = view.timeline().iter().find(|item| item.entry.id() == of_former).unwrap();
        assert_eq!(item.entry.body().captured_at, written_at, "with the time of the phone");
    }

    // The phone finds a network after all: nothing is doubled, on any device.
    patient.relay.set_offline(false);
    for _ in 0..2 {
        synced(&mut patient).await;
        nurse.sync().await;
    }
    site.coordinator.sync().await;
    for device in [&patient, &*nurse, &site.coordinator] {
        assert_eq!(texts(device, chart), ["of the former device"]);
        assert_eq!(device.client.texts(chart).unwrap()[&text].text(), TYPED);
    }
    let words = ExportPassphrase::from_text(&exported.passphrase.unwrap()).unwrap();
    let again = patient.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
    assert_eq!(patient.client.write_imported(&again).await.unwrap(), 0, "all of it is here");
}

/// A full phone takes no new entry of a text. Its file has the words all the same, for the clinic and for
/// the person's new phone, and nothing is doubled when the phone has room again.
#[tokio::test]
async fn fault_09_the_file_of_a_full_phone_has_the_words_that_it_cannot_hand_over() {
    let (mut site, mut staff, mut patient) = site_with(932, 1).await;
    let (chart, nurse) = (patient.chart(), &mut staff[0]);
    let text = patient.client.new_text().unwrap();
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, BASE).await.unwrap();
    patient.client.leave_text(chart, text).await.unwrap().unwrap();
    patient.sync().await;
    nurse.sync().await;
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, TYPED).await.unwrap();
    patient.rows.full_at_commit(1);
    let mut file = Vec::new();
    let readers = ExportReaders { staff: true, passphrase: false };
    let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
    assert_eq!((exported.entries, exported.texts, exported.left_out), (0, 1, 0));
    assert_eq!(patient.client.unfinished_texts(), [(chart, text)], "nothing was taken from the phone");

    let work = nurse.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.unwrap();
    let [one] = work.entries.as_slice() else { panic!("one entry: {:?}", work.entries) };
    assert_eq!(one.standing, ImportStanding::Offered);
    nurse.client.adopt_imported(&one.entry).await.unwrap();
    assert_eq!(nurse.client.texts(chart).unwrap()[&text].text(), TYPED);
    nurse.sync().await;

    // The phone has room again, and its person types on where they were.
    patient.rows.heal();
    patient.sync().await;
    let more = format!("{TYPED} Since Monday.");
    patient.client.write_text(chart, text, &more).await.unwrap();
    patient.client.leave_text(chart, text).await.unwrap().unwrap();
    patient.sync().await;
    nurse.sync().await;
    site.coordinator.sync().await;
    for device in [&patient, &*nurse, &site.coordinator] {
        assert_eq!(device.client.texts(chart).unwrap()[&text].text(), more);
    }
}
