//! Rows 11 and 22 together: what a phone that was set back carries on waits itself, because the phone is
//! taken out before it could send it.

use crate::certificate_ended::renew;
use crate::drop_scene::{everything, note, revoke, site_with, synced, texts};
use ward_client::{ExportReaders, HttpMethod, ImportKey, ImportStanding};
use ward_crypto::ExportPassphrase;
use ward_id::{ChartId, EntryId};
use ward_sync::{EntryKind, RevokePolicy, carriers};
use ward_testkit::{Site, TestDevice};

const WAITED: &str = "waits in the backup";

/// The store of a phone is set back to a time when an entry waited; the entry is carried on, and nothing
/// of it reaches the server. Gives the entry.
async fn set_back_and_cut_off(patient: &mut TestDevice) -> EntryId {
    let chart = patient.chart();
    patient.client.capture(chart, note("sent before")).await.unwrap();
    patient.sync().await;
    let waited = patient.client.capture(chart, note(WAITED)).await.unwrap();
    let backup = patient.rows.snapshot();
    patient.client.capture(chart, note("gone with the lost store")).await.unwrap();
    patient.restart_with(&backup).await;
    patient
        .relay
        .before(|request| request.method != HttpMethod::Post || !request.path.ends_with("/envelopes"));
    synced(patient).await;
    patient.relay.heal();
    assert!(texts(patient, chart).contains(&WAITED.to_owned()), "it is carried on");
    assert!(patient.client.status().unwrap().saved_here >= 2, "and the carry waits");
    waited
}

/// The entry counts once, with its author, on all of them.
fn counts_once(devices: &[&TestDevice], chart: ChartId, waited: EntryId) {
    for device in devices {
        assert_eq!(texts(device, chart), ["sent before", WAITED]);
        let view = device.client.chart(chart).unwrap();
        let item = view.timeline().iter().find(|item| item.entry.id() == waited).unwrap();
        assert!(item.carried_by.is_some());
        assert_eq!(everything(device, chart), everything(devices[0], chart));
    }
}

async fn all_know(site: &mut Site, nurse: &mut TestDevice) {
    for _ in 0..2 {
        nurse.sync().await;
        site.coordinator.sync().await;
    }
    nurse.sync().await;
}

#[tokio::test]
async fn fault_22_a_carry_that_waits_in_the_drop_box_is_adopted_with_what_it_carries() {
    let (mut site, mut staff, mut patient) = site_with(2_261, 1).await;
    let (chart, person) = (patient.chart(), patient.person());
    let (device, nurse) = (patient.device(), &mut staff[0]);
    let waited = set_back_and_cut_off(&mut patient).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    assert!(synced(&mut patient).await.handed_over >= 2);
    nurse.sync().await;
    nurse.client.adopt_all(chart, device).await.unwrap();
    all_know(&mut site, nurse).await;
    counts_once(&[nurse, &site.coordinator], chart, waited);
    for one in [&*nurse, &site.coordinator] {
        assert!(one.client.waiting_drops(chart).unwrap().is_empty(), "settled on every device");
        let view = one.client.chart(chart).unwrap();
        assert_eq!(view.to_adopt().count(), 0);
    }
    // The phone comes back as a new device, and says that it arrived.
    renew(&mut site, &mut patient, chart, person).await;
    patient.sync().await;
    patient.sync().await;
    counts_once(&[&patient], chart, waited);
    assert_eq!(patient.client.only_here(), Ok(0));
    let view = patient.client.chart(chart).unwrap();
    let brought = carriers(&view)[&waited];
    let item = view.timeline().iter().find(|item| item.entry.id() == brought).unwrap();
    let by = (item.author.unwrap().device, item.arrival.olog_index.is_some());
    assert_eq!(by, (nurse.device(), true), "what came is the nurse's carry around the phone's");
}

#[tokio::test]
async fn fault_22_a_carry_is_settled_by_what_it_carries() {
    let (mut site, mut staff, mut patient) = site_with(2_262, 1).await;
    let (chart, nurse) = (patient.chart(), &mut staff[0]);
    let waited = set_back_and_cut_off(&mut patient).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    // The same entry reaches the clinic in a file first, from the time before the store was set back.
    let entry = {
        let view = patient.client.chart(chart).unwrap();
        view.timeline().iter().find(|item| item.entry.id() == waited).unwrap().entry.clone()
    };
    nurse.sync().await;
    nurse.client.adopt_imported(&entry).await.unwrap();
    nurse.sync().await;
    synced(&mut patient).await;
    all_know(&mut site, nurse).await;
    let carries = |one: &TestDevice| {
        let waiting = one.client.waiting_drops(chart).unwrap();
        waiting.iter().filter(|drop| drop.entry.body().kind == EntryKind::CARRY).count()
    };
    assert_eq!((carries(nurse), carries(&site.coordinator)), (0, 0), "nobody is asked twice");
    counts_once(&[nurse, &site.coordinator], chart, waited);
}

#[tokio::test]
async fn fault_25_a_carry_of_the_former_device_is_written_again_as_what_it_carries() {
    let (mut site, mut staff, mut patient) = site_with(2_541, 1).await;
    let (chart, person, nurse) = (patient.chart(), patient.person(), &mut staff[0]);
    set_back_and_cut_off(&mut patient).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    // The drop box is not there for a while: the phone learns that it was taken out, and no more.
    patient.relay.before(|request| request.path != ward_api::paths::DROP);
    synced(&mut patient).await;
    renew(&mut site, &mut patient, chart, person).await;
    patient.relay.heal();
    patient.sync().await;
    all_know(&mut site, nurse).await;
    patient.sync().await;
    for one in [&*nurse, &site.coordinator, &patient] {
        assert_eq!(texts(one, chart), ["sent before", WAITED]);
    }
    assert_eq!(patient.client.only_here(), Ok(0));
}

#[tokio::test]
async fn fault_09_a_carry_in_a_sealed_file_is_taken_over_with_what_it_carries() {
    let (mut site, mut staff, mut patient) = site_with(941, 1).await;
    let (chart, person, nurse) = (patient.chart(), patient.person(), &mut staff[0]);
    let waited = set_back_and_cut_off(&mut patient).await;
    let mut file = Vec::new();
    let readers = ExportReaders { staff: true, passphrase: true };
    let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
    // The phone itself is lost; its person has a new one.
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    let mut phone = site.device("the new phone").await;
    site.enrol_patient(&mut phone, chart, person).await;
    site.coordinator.sync().await;
    phone.sync().await;
    let words = ExportPassphrase::from_text(&exported.passphrase.unwrap()).unwrap();
    let key = ImportKey::Passphrase(&words);
    let work = phone.client.import_unsent(file.as_slice(), key).await.unwrap();
    // In one future staff take it over, in the other the person does.
    nurse.sync().await;
    let mut other = nurse.in_another_future().await;
    let offered = other.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.unwrap();
    for one in offered.entries.iter().filter(|one| one.standing == ImportStanding::Offered) {
        other.client.adopt_imported(&one.entry).await.unwrap();
    }
    counts_once(&[&other], chart, waited);

    assert!(phone.client.write_imported(&work).await.unwrap() >= 1);
    let again = phone.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
    assert_eq!(phone.client.write_imported(&again).await.unwrap(), 0, "the same file writes nothing twice");
    phone.sync().await;
    all_know(&mut site, nurse).await;
    for one in [&*nurse, &site.coordinator, &phone] {
        assert_eq!(texts(one, chart), ["sent before", WAITED]);
    }
}
