//! Bits that flip in a device's store: found, and put right from the server and the own unsent tail;
//! what cannot be put right is said with its exact count.

use crate::crowd::{note, texts};
use rand_core::Rng as _;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::Path;
use ward_client::native::SqliteRowStore;
use ward_client::{ClientError, DeviceState, DraftKey, RowStoreError, SyncProblem};
use ward_crypto::Role;
use ward_id::ChartId;
use ward_testkit::{FileClient, SeededRng, Server, Site, TestDevice};

const SENT: [&str; 2] = ["sent 1", "sent 2"];
const UNSENT: [&str; 3] = ["waits 1", "waits 2", "waits 3"];
/// Tables whose rows the server cannot give back, by number.
const IDENTITY: u8 = 2;
const OWN: u8 = 8;
/// The room that is kept for submissions: it holds nothing, and only whether it is there is looked at.
const RESERVE: u8 = 30;

async fn scene(seed: u64, days_offline: i64) -> (Site, TestDevice, ChartId) {
    let mut site = Site::small(seed).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    for text in SENT {
        patient.client.capture(chart, note(text)).await.unwrap();
        patient.sync().await;
    }
    nurse.sync().await;
    site.coordinator.sync().await;
    patient.sync().await;
    site.clock.advance_days(days_offline);
    for text in UNSENT {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    let key = DraftKey {
        chart,
        instrument_url: "https://ward.example/diary".to_owned(),
        instrument_version: "1".to_owned(),
        occurrence: "2026-03-02".to_owned(),
        amends: None,
    };
    patient.client.save_draft(&key, b"half a diary").await.unwrap();
    (site, patient, chart)
}

/// A server with the same history, so that what one case sends does not meet the next.
async fn own_server(site: &Site) -> Server {
    let mlog = site.coordinator.client.membership().unwrap().size();
    let olog = site.server.envelopes().await.len() as u64;
    site.server.twin(mlog, olog).await
}

fn lost_of(problems: &[SyncProblem]) -> u64 {
    problems
        .iter()
        .map(|problem| match problem {
            SyncProblem::EntriesLost { count, .. } => *count,
            _ => 0,
        })
        .sum()
}

async fn every_row(seed: u64, days_offline: i64, every: usize) {
    let (site, mut patient, chart) = scene(seed, days_offline).await;
    let rows = patient.rows.ids();
    let mut tried: BTreeMap<u8, u32> = BTreeMap::new();
    for (number, (table, id)) in
        rows.into_iter().enumerate().filter(|(_, (table, _))| ![0, RESERVE].contains(table))
    {
        // One of each table, all that hold what a person wrote here, and a share of the others.
        if tried.contains_key(&table) && table != OWN && number % every != 0 {
            continue;
        }
        *tried.entry(table).or_default() += 1;
        let mut copy = patient.in_another_future().await;
        assert!(copy.rows.flip_bit(table, &id, number * 31));
        let refused = copy.try_restart().await;
        assert!(matches!(refused, Err(ClientError::StoreDamaged { .. })), "table {table}: {refused:?}");
        if table == IDENTITY {
            assert!(matches!(copy.client.repair().await, Err(ClientError::StoreDamaged { .. })));
            continue;
        }
        let report = copy.client.repair().await.unwrap();
        assert_eq!(report.damaged.values().sum::<u64>(), 1, "table {table}: {report:?}");
        let server = own_server(&site).await;
        copy.relay.lead_to(Some(server.transport.clone()));
        let mut problems = Vec::new();
        for _ in 0..3 {
            problems.extend(copy.client.sync().await.unwrap().problems);
        }
        copy.sync().await;
        let (held, lost) = (texts(&copy, chart), lost_of(&problems));
        assert!(SENT.iter().all(|text| held.iter().any(|held| held == text)), "table {table}: {held:?}");
        let waits = UNSENT.iter().filter(|text| held.iter().any(|held| held == *text)).count() as u64;
        assert_eq!(
            waits + lost,
            3,
            "table {table} row {id:?}: every entry is here or counted as lost ({problems:?}, {held:?}, {report:?})"
        );
        assert_eq!(held.len() as u64, 2 + waits, "nothing stands twice: {held:?}");
        assert!(lost <= u64::from(table == OWN), "table {table} alone loses nothing that was written");
        let status = copy.client.status().unwrap();
        assert_eq!(status.losses.entries.iter().map(|lost| lost.count).sum::<u64>(), lost);
        assert_eq!(status.saved_here, 0, "all of it reached the server");
        // It opens as ever from now on, and says still what was lost.
        copy.restart().await;
        assert_eq!(copy.client.state(), DeviceState::Ready);
        assert_eq!(texts(&copy, chart), held);
        assert_eq!(copy.client.status().unwrap().losses, status.losses);
    }
    assert!(tried.len() >= 10 && tried[&OWN] >= 3, "{tried:?}");
}

#[tokio::test]
async fn fault_19_a_bit_flip_in_any_row_is_found_and_put_right_or_counted() {
    every_row(1_901, 0, 5).await;
}

#[tokio::test]
async fn fault_19_a_bit_flip_after_30_days_offline() {
    every_row(1_902, 30, 1_000).await;
}

#[tokio::test]
async fn fault_19_own_rows_that_vanish_without_a_trace_are_noticed_and_counted() {
    let (site, mut patient, chart) = scene(1_903, 0).await;
    let own: Vec<Vec<u8>> =
        patient.rows.ids().into_iter().filter(|(table, _)| *table == OWN).map(|(_, id)| id).collect();
    // The middle one of those that wait: the server has none of them.
    let middle = own[own.len() - 2].clone();
    let mut copy = patient.in_another_future().await;
    assert!(copy.rows.remove(OWN, &middle));
    copy.restart().await;
    assert_eq!(copy.client.state(), DeviceState::SetBack, "a gap in the own chain is never passed over");
    let server = own_server(&site).await;
    copy.relay.lead_to(Some(server.transport.clone()));
    let report = copy.client.sync().await.unwrap();
    assert_eq!(lost_of(&report.problems), 1, "{report:?}");
    copy.sync().await;
    assert_eq!(texts(&copy, chart), ["sent 1", "sent 2", "waits 1", "waits 3"]);
}

#[tokio::test]
async fn fault_19_evidence_that_cannot_be_read_any_more_still_stops_sending() {
    let (site, mut patient, chart) = scene(1_904, 0).await;
    let mlog = site.coordinator.client.membership().unwrap().size();
    let back = site.server.twin(mlog, 1).await;
    patient.relay.lead_to(Some(back.transport.clone()));
    patient.client.sync().await.unwrap();
    assert!(!patient.client.status().unwrap().stopped_by.is_empty(), "the log went back");
    let evidence = 15;
    let (table, id) = patient.rows.ids().into_iter().find(|(table, _)| *table == evidence).unwrap();
    assert!(patient.rows.flip_bit(table, &id, 99));
    assert!(patient.try_restart().await.is_err());
    patient.client.repair().await.unwrap();
    patient.relay.heal();
    assert!(!patient.client.status().unwrap().stopped_by.is_empty(), "a person has not looked yet");
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (0, 3), "{report:?}");
    patient.client.dismiss_evidence().await.unwrap();
    patient.sync().await;
    assert_eq!(texts(&patient, chart).len(), 5);
}

/// Opens a file as a program does that repairs what it can.
async fn opened(device: &mut TestDevice, path: &Path) -> Result<(FileClient, bool), ClientError> {
    let mut repaired = false;
    if let Err(error) = SqliteRowStore::open(path) {
        assert_eq!(error, RowStoreError::Damaged, "damage is called damage");
        SqliteRowStore::salvage(path)?;
        repaired = true;
    }
    match device.opened_on(path).await {
        Ok(client) => Ok((client, repaired)),
        Err(ClientError::StoreDamaged { .. } | ClientError::NotEnrolled) => {
            let mut client: FileClient = device.open_locked_on(path).await?;
            client.repair().await?;
            Ok((client, true))
        }
        Err(error) => Err(error),
    }
}

#[tokio::test]
async fn fault_19_a_bit_flip_anywhere_in_the_file_never_loses_an_unsent_entry_in_silence() {
    let (site, mut patient, chart) = scene(1_905, 0).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, whole) = (folder.path().join("rows.db"), folder.path().join("whole.db"));
    drop(patient.moved_to_file(&file).await);
    let copied = Connection::open(&file).unwrap();
    copied.execute("DELETE FROM rows WHERE tbl = ?1", [RESERVE]).unwrap();
    copied.execute("VACUUM INTO ?1", [whole.to_str().unwrap()]).unwrap();
    let sound = std::fs::read(&whole).unwrap();
    let key = patient.key.snapshot();
    let mut rng = SeededRng::new(19, "bits");
    let (mut repaired, mut beyond_repair, mut harmless) = (0, 0, 0);
    for number in 0..24 {
        let mut bytes = sound.clone();
        // A third of the flips hit the first bytes of a page, where the tree itself stands.
        let pages = bytes.len() / 4_096;
        let page = (rng.next_u64() as usize) % pages;
        let within =
            if number % 3 == 0 { rng.next_u64() as usize % 16 } else { rng.next_u64() as usize % 4_096 };
        bytes[page * 4_096 + within] ^= 1 << (rng.next_u64() % 8);
        let path = folder.path().join(format!("case-{number}.db"));
        std::fs::write(&path, &bytes).unwrap();
        patient.key = key.snapshot();
        let (mut phone, was_repaired) = match opened(&mut patient, &path).await {
            Ok(opened) => opened,
            // The keys themselves, or the first page: said, and the file is left as it was.
            Err(ClientError::StoreDamaged { .. } | ClientError::Store(_) | ClientError::DeviceKey(_)) => {
                beyond_repair += 1;
                continue;
            }
            Err(error) => panic!("case {number}: {error:?}"),
        };
        if was_repaired || phone.state() == DeviceState::SetBack {
            repaired += 1;
        } else {
            harmless += 1;
        }
        let server = own_server(&site).await;
        patient.relay.lead_to(Some(server.transport.clone()));
        let mut problems = Vec::new();
        for _ in 0..4 {
            problems.extend(phone.sync().await.unwrap().problems);
        }
        let view = phone.chart(chart).unwrap();
        let held: Vec<&str> = view
            .notes()
            .iter()
            .flat_map(|thread| &thread.current)
            .map(|written| written.value.text.as_str())
            .collect();
        assert!(SENT.iter().all(|text| held.contains(text)), "case {number}: {held:?} {problems:?}");
        let waits = UNSENT.iter().filter(|text| held.contains(text)).count() as u64;
        assert_eq!(waits + lost_of(&problems), 3, "case {number}: {held:?} {problems:?}");
        patient.relay.heal();
    }
    assert!(
        repaired >= 3 && harmless >= 1 && beyond_repair <= 4,
        "{repaired} repaired, {beyond_repair} beyond, {harmless} harmless"
    );
}

#[tokio::test]
async fn fault_19_a_repair_of_a_sound_store_changes_nothing() {
    let (_, mut patient, chart) = scene(1_906, 0).await;
    let (rows, before) = (patient.rows.ids(), texts(&patient, chart));
    assert!(patient.client.repair().await.unwrap().is_nothing());
    assert_eq!((patient.rows.ids(), texts(&patient, chart)), (rows, before));
    assert_eq!(patient.client.state(), DeviceState::Ready);
}

#[tokio::test]
async fn fault_19_a_note_of_who_read_a_chart_that_is_lost_is_counted() {
    let mut site = Site::small(1_907).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    patient.client.capture(chart, note("one")).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    nurse.client.note_access(chart, ward_sync::AccessPurpose::Care).await.unwrap();
    let access = 13;
    let (table, id) = nurse.rows.ids().into_iter().find(|(table, _)| *table == access).unwrap();
    assert!(nurse.rows.flip_bit(table, &id, 77));
    assert!(matches!(nurse.try_restart().await, Err(ClientError::StoreDamaged { table: "access" })));
    let report = nurse.client.repair().await.unwrap();
    assert_eq!((report.accesses, report.own_entries, report.drafts), (1, 0, 0));
    nurse.sync().await;
    nurse.restart().await;
    assert_eq!(nurse.client.status().unwrap().losses.accesses, 1, "it is said until somebody took note");
    assert_eq!(texts(&nurse, chart), ["one"]);
}
