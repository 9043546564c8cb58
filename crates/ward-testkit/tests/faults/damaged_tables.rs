//! Bits that flip in rows about attachments, checkpoints, texts that somebody is writing, and the drop
//! box, with real work in them: what the server has comes back, what it has not is counted, and
//! nothing is shown as something else.

use crate::crowd::{note, texts};
use crate::drop_scene::{revoke, site_with, synced};
use crate::full_device::replaced;
use ward_client::{AttachmentState, ClientError, ExportReaders, ImportKey};
use ward_crypto::{ExportPassphrase, Role};
use ward_id::{ChartId, EntryId};
use ward_sync::{Place, RevokePolicy, TextId};
use ward_testkit::{Server, Site, TestDevice};

const DROPPED: u8 = 24;
const DROPS: u8 = 25;
const URGENT: u8 = 26;
const ORDERS: u8 = 27;
const BLOBS: u8 = 28;
const BLOB_CHUNKS: u8 = 29;
const IMPORTED: u8 = 31;
const CHECKPOINT_PAGES: u8 = 32;
const CHECKPOINTS: u8 = 33;
const TEXT_BURSTS: u8 = 38;

const BASE: &str = "Pain in the left arm.";
const TYPED: &str = "Pain in the left arm and hand.";

async fn own_server(site: &Site) -> Server {
    let mlog = site.coordinator.client.membership().unwrap().size();
    let olog = site.server.envelopes().await.len() as u64;
    site.server.twin(mlog, olog).await
}

fn rows_of(device: &TestDevice, tables: &[u8]) -> Vec<(u8, Vec<u8>)> {
    device.rows.ids().into_iter().filter(|(table, _)| tables.contains(table)).collect()
}

/// The device in another future in which a bit of a row flipped; it refuses to open, and is repaired.
async fn damaged(
    device: &mut TestDevice,
    table: u8,
    id: &[u8],
    bit: usize,
) -> (TestDevice, ward_client::RepairReport) {
    let mut copy = device.in_another_future().await;
    assert!(copy.rows.flip_bit(table, id, bit), "table {table}");
    let refused = copy.try_restart().await;
    if table == BLOB_CHUNKS {
        // Contents are large and are opened when somebody looks at them.
        assert_eq!(refused, Ok(()));
        unreadable_content(&mut copy).await;
    } else if table == IMPORTED {
        assert_eq!(refused, Ok(()), "that the mark is there says it all");
    } else {
        assert!(matches!(refused, Err(ClientError::StoreDamaged { .. })), "table {table}: {refused:?}");
    }
    let report = copy.client.repair().await.unwrap();
    assert_eq!(report.damaged.values().sum::<u64>(), 1, "table {table}: {report:?}");
    (copy, report)
}

/// One of the attachments cannot be read, and says so; the other one can.
async fn unreadable_content(device: &mut TestDevice) {
    let chart = device.chart();
    let Ok(all) = device.client.attachments(chart) else { return };
    let mut failed = 0;
    for one in all {
        let told = read(device, chart, one.entry).await;
        failed += usize::from(told.is_err());
    }
    assert_eq!(failed, 1, "a damaged part is never shown");
}

fn content(seed: u8) -> Vec<u8> {
    (0..300_000u32).map(|n| (n % 241) as u8 ^ seed).collect()
}

async fn read(device: &TestDevice, chart: ChartId, entry: EntryId) -> Result<Vec<u8>, ClientError> {
    let mut out = Vec::new();
    device.client.read_attachment(chart, entry, &mut out).await.map(|()| out)
}

struct Work {
    chart: ChartId,
    note: TextId,
    sent: EntryId,
    unsent: EntryId,
    urgent: EntryId,
}

/// A phone with an attachment that the server has and one that it has not, an urgent entry, and a text
/// in which its person is writing.
async fn phone_at_work(seed: u64, days_offline: i64) -> (Site, TestDevice, Work) {
    let mut site = Site::small(seed).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let sent = patient.client.attach(chart, content(1).as_slice(), "image/png", "sent").await.unwrap();
    let note_id = patient.client.new_text().unwrap();
    patient.client.open_text(chart, note_id).unwrap();
    patient.client.write_text(chart, note_id, BASE).await.unwrap();
    patient.client.leave_text(chart, note_id).await.unwrap();
    patient.sync().await;
    site.coordinator.sync().await;
    patient.sync().await;
    site.clock.advance_days(days_offline);
    let unsent = patient.client.attach(chart, content(2).as_slice(), "image/png", "unsent").await.unwrap();
    let urgent = patient.client.capture(chart, note("call me")).await.unwrap();
    patient.client.mark_urgent(chart, urgent).await.unwrap();
    patient.client.open_text(chart, note_id).unwrap();
    patient.client.write_text(chart, note_id, TYPED).await.unwrap();
    (site, patient, Work { chart, note: note_id, sent, unsent, urgent })
}

async fn every_row_of_work(seed: u64, days_offline: i64) {
    let (site, mut patient, work) = phone_at_work(seed, days_offline).await;
    let chart = work.chart;
    let tables = [URGENT, ORDERS, BLOBS, BLOB_CHUNKS, TEXT_BURSTS];
    let mut lost_content = 0;
    let rows = rows_of(&patient, &tables);
    for table in [URGENT, ORDERS, BLOBS, BLOB_CHUNKS, TEXT_BURSTS] {
        assert!(rows.iter().any(|(of, _)| *of == table), "there is work in table {table}");
    }
    for (number, (table, id)) in rows.into_iter().enumerate() {
        let (mut copy, report) = damaged(&mut patient, table, &id, number * 37).await;
        let by_server = days_offline == 0 || ![BLOBS, BLOB_CHUNKS].contains(&table);
        if by_server && [BLOBS, BLOB_CHUNKS].contains(&table) {
            // What the server has can be fetched again. (A twin of the server has no blobs.)
            copy.client.fetch_attachment(chart, work.sent).await.unwrap();
        }
        let server = own_server(&site).await;
        copy.relay.lead_to(Some(server.transport.clone()));
        for _ in 0..3 {
            copy.client.sync().await.unwrap();
        }
        copy.sync().await;
        // No entry is ever lost with these rows, and none waits.
        assert_eq!(report.own_entries, 0, "table {table}");
        assert_eq!(texts(&copy, chart), ["call me"], "table {table}");
        let view = copy.client.chart(chart).unwrap();
        for entry in [work.sent, work.unsent, work.urgent] {
            assert_eq!(view.place(entry), Some(Place::Visible), "table {table}");
        }
        drop(view);
        match read(&copy, chart, work.sent).await {
            Ok(bytes) => assert_eq!(bytes, content(1), "table {table}"),
            Err(_) => assert!(!by_server, "table {table}"),
        }
        let status = copy.client.status().unwrap();
        assert_eq!(status.losses.attachments, report.attachments, "table {table}");
        match read(&copy, chart, work.unsent).await {
            Ok(bytes) => {
                assert_eq!(bytes, content(2), "table {table}");
                let states = copy.client.attachments(chart).unwrap();
                let own = states.iter().find(|one| one.entry == work.unsent).unwrap();
                assert_eq!(own.state, AttachmentState::Here, "table {table}: it was sent");
            }
            // What is not whole is not shown, and was counted.
            Err(_) => {
                assert!([BLOBS, BLOB_CHUNKS].contains(&table), "table {table} alone loses no content");
                assert_eq!(report.attachments, 1);
                lost_content += 1;
            }
        }
        // What was typed is there, or counted as one draft.
        assert_eq!(report.drafts, u64::from(table == TEXT_BURSTS));
        let said = copy.client.texts(chart).unwrap()[&work.note].text();
        let unfinished = copy.client.unfinished_texts();
        if table == TEXT_BURSTS {
            assert_eq!((said.as_str(), unfinished.len(), status.losses.drafts), (BASE, 0, 1));
        } else {
            copy.client.open_text(chart, work.note).unwrap();
            copy.client.leave_text(chart, work.note).await.unwrap();
            assert_eq!(copy.client.texts(chart).unwrap()[&work.note].text(), TYPED, "table {table}");
        }
        // It opens as ever from now on.
        copy.restart().await;
        copy.sync().await;
    }
    assert!(lost_content >= 2, "the unsent attachment has a record and two chunks: {lost_content}");
}

#[tokio::test]
async fn fault_19_damaged_rows_of_attachments_texts_and_marks_are_put_right_or_counted() {
    every_row_of_work(1_921, 0).await;
}

#[tokio::test]
async fn fault_19_damaged_rows_of_attachments_texts_and_marks_after_30_days_offline() {
    every_row_of_work(1_922, 30).await;
}

fn shown(device: &TestDevice, chart: ChartId) -> Vec<(EntryId, Place)> {
    let view = device.client.chart(chart).unwrap();
    view.timeline().iter().map(|item| (item.entry.id(), item.place)).collect()
}

/// A device that began with a checkpoint, before and after it verified all of it.
#[tokio::test]
async fn fault_19_damaged_rows_of_a_checkpoint_are_fetched_again() {
    let mut site = Site::small(1_923).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    for number in 0..520 {
        patient.client.capture(chart, note(&format!("note {number}"))).await.unwrap();
    }
    patient.sync().await;
    nurse.sync().await;
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    for _ in 0..2 {
        site.coordinator.sync().await;
    }
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    site.coordinator.sync().await;
    assert!(cold.client.sync().await.unwrap().is_complete());
    for verified in [false, true] {
        if verified {
            assert_eq!(cold.client.verify_checkpoints().await.unwrap(), []);
        }
        let rows = rows_of(&cold, &[CHECKPOINT_PAGES, CHECKPOINTS]);
        for table in [CHECKPOINT_PAGES, CHECKPOINTS] {
            assert!(rows.iter().any(|(of, _)| *of == table), "table {table}, verified: {verified}");
        }
        for (number, (table, id)) in rows.into_iter().enumerate() {
            let (mut copy, _) = damaged(&mut cold, table, &id, number * 41 + 3).await;
            let server = own_server(&site).await;
            let mut peer = nurse.in_another_future().await;
            for device in [&mut copy, &mut peer] {
                device.relay.lead_to(Some(server.transport.clone()));
            }
            for _ in 0..3 {
                copy.client.sync().await.unwrap();
                peer.client.sync().await.unwrap();
            }
            assert_eq!(copy.client.verify_checkpoints().await.unwrap(), [], "table {table}");
            copy.client.sync().await.unwrap();
            peer.client.sync().await.unwrap();
            assert_eq!(shown(&copy, chart), shown(&peer, chart), "table {table}, verified: {verified}");
            assert_eq!(copy.client.chart(chart).unwrap().notes().len(), 520);
            copy.restart().await;
            assert_eq!(shown(&copy, chart), shown(&peer, chart), "from the store too");
        }
    }
}

/// A phone that was taken out and handed its work over, and a clinician who has not decided yet.
#[tokio::test]
async fn fault_19_damaged_rows_of_the_drop_box_lose_no_entry_on_either_side() {
    let (mut site, mut staff, mut patient) = site_with(1_924, 1).await;
    let chart = patient.chart();
    patient.relay.set_offline(true);
    let mut entries = Vec::new();
    for text in ["one", "two", "three"] {
        entries.push(patient.client.capture(chart, note(text)).await.unwrap());
    }
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    assert_eq!(synced(&mut patient).await.handed_over, 3);
    staff[0].sync().await;
    assert_eq!(staff[0].client.waiting_drops(chart).unwrap().len(), 3);
    let (own, theirs) = (rows_of(&patient, &[DROPPED, ORDERS]), rows_of(&staff[0], &[DROPS]));
    assert!(own.len() >= 4 && theirs.len() == 3, "{own:?} {theirs:?}");

    for (number, (table, id)) in theirs.into_iter().enumerate() {
        let (mut copy, _) = damaged(&mut staff[0], table, &id, number * 31).await;
        for _ in 0..2 {
            synced(&mut copy).await;
        }
        let waiting = copy.client.waiting_drops(chart).unwrap();
        assert_eq!(waiting.len(), 3, "it is fetched again, and waits");
        copy.restart().await;
        assert_eq!(copy.client.waiting_drops(chart).unwrap().len(), 3);
    }
    for (number, (table, id)) in own.into_iter().enumerate() {
        let (mut copy, report) = damaged(&mut patient, table, &id, number * 29).await;
        for _ in 0..2 {
            synced(&mut copy).await;
        }
        assert_eq!(report.own_entries, 0);
        if table == ORDERS {
            // It knows no more when the server last answered it: the history waits, writing goes on.
            assert_eq!(copy.client.chart(chart).err(), Some(ClientError::LeaseEnded));
        } else {
            assert_eq!(texts(&copy, chart), ["one", "three", "two"], "table {table}");
        }
        let states = copy.client.status().unwrap();
        assert_eq!((states.handed_over, states.saved_here), (3, 0), "table {table}: handed over again");
        assert!(states.order.is_some(), "table {table}: it knows that it was taken out");
        copy.client.capture(chart, note("still here")).await.unwrap();
        assert_eq!(synced(&mut copy).await.handed_over, 1, "table {table}");
        copy.restart().await;
    }
    // In the end one of them decides, once.
    for entry in entries {
        staff[0].client.adopt(chart, entry).await.unwrap();
    }
    staff[0].sync().await;
    assert_eq!(texts(&staff[0], chart), ["one", "three", "two"]);
    let view = staff[0].client.chart(chart).unwrap();
    assert_eq!(view.accounting().quarantined, 0);
}

/// A new phone wrote the old one's work again, and a mark of it is damaged. A repair sets the row aside
/// and keeps the mark: the same file still writes nothing twice.
#[tokio::test]
async fn fault_19_a_file_whose_marks_are_damaged_is_still_written_once() {
    let mut site = Site::small(1_925).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    for device in [&mut nurse, &mut site.coordinator, &mut patient] {
        device.sync().await;
    }
    patient.relay.set_offline(true);
    for text in ["one", "two"] {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    let mut file = Vec::new();
    let readers = ExportReaders { staff: false, passphrase: true };
    let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
    let words = ExportPassphrase::from_text(&exported.passphrase.unwrap()).unwrap();
    let mut phone = replaced(&mut site, &mut nurse, &patient).await;
    let work = phone.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
    assert_eq!(phone.client.write_imported(&work).await.unwrap(), 2);
    let marks = rows_of(&phone, &[IMPORTED]);
    assert_eq!(marks.len(), 2);
    for (number, (table, id)) in marks.into_iter().enumerate() {
        let (mut copy, report) = damaged(&mut phone, table, &id, number * 17).await;
        assert_eq!(report.own_entries, 0);
        let work = copy.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
        assert_eq!(copy.client.write_imported(&work).await.unwrap(), 0, "nothing is written twice");
        assert_eq!(texts(&copy, chart), ["one", "two"]);
    }
    phone.sync().await;
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["one", "two"]);
}
