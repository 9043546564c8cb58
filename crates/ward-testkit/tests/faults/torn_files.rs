//! The file of a device's store after a kill or a power cut in the middle of a commit. SQLite appends
//! a commit to its write-ahead log page by page and then brings it to the disk; a kill keeps every
//! write before it, a power cut keeps any of those since the last one that was brought to the disk.

use crate::crowd::note;
use rand_core::Rng as _;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use ward_client::{DeviceState, SyncProblem};
use ward_id::ChartId;
use ward_testkit::{FileClient, MemoryKey, SeededRng, Site, TestDevice};

const WAL_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const PAGE: usize = 4_096;
const SECTOR: usize = 512;

fn wal(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()))
}

/// The bytes of a store: the database and its write-ahead log.
#[derive(Clone)]
struct Disk {
    db: Vec<u8>,
    wal: Vec<u8>,
}

impl Disk {
    fn of(path: &Path) -> Self {
        Self { db: std::fs::read(path).unwrap(), wal: std::fs::read(wal(path)).unwrap_or_default() }
    }

    fn put(&self, path: &Path) {
        std::fs::write(path, &self.db).unwrap();
        std::fs::write(wal(path), &self.wal).unwrap();
    }
}

fn notes(client: &FileClient, chart: ChartId) -> Vec<String> {
    let view = client.chart(chart).unwrap();
    assert!(view.accounting().balances());
    let all = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = all.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}

/// A device on a file with two confirmed notes, the first one sent; its disk before and after a third
/// is written, and the key outside before and after the second and after the third.
struct Scene {
    site: Site,
    patient: TestDevice,
    chart: ChartId,
    folder: tempfile::TempDir,
    first: Disk,
    second: Disk,
    third: Disk,
    key_of_second: MemoryKey,
    key_of_third: MemoryKey,
}

impl Scene {
    async fn new(seed: u64) -> Self {
        let mut site = Site::small(seed).await;
        let mut patient = site.patient("ada").await;
        let chart = patient.chart();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.db");
        let mut phone = patient.moved_to_file(&file).await;
        phone.capture(chart, note("sent")).await.unwrap();
        assert!(phone.sync().await.unwrap().is_complete());
        let first = Disk::of(&file);
        phone.capture(chart, note("confirmed")).await.unwrap();
        let (second, key_of_second) = (Disk::of(&file), patient.key.snapshot());
        phone.capture(chart, note("under way")).await.unwrap();
        let (third, key_of_third) = (Disk::of(&file), patient.key.snapshot());
        drop(phone);
        assert_eq!(second.db, third.db, "a commit writes to the log alone");
        assert!(third.wal.starts_with(&second.wal) && second.wal.starts_with(&first.wal));
        assert_eq!((third.wal.len() - WAL_HEADER) % (FRAME_HEADER + PAGE), 0);
        Self { site, patient, chart, folder, first, second, third, key_of_second, key_of_third }
    }

    /// Opens a disk under the mark that stood outside at that time.
    async fn open(&mut self, number: usize, disk: &Disk, key: &MemoryKey) -> FileClient {
        let path = self.folder.path().join(format!("case-{number}.db"));
        disk.put(&path);
        self.patient.key = key.snapshot();
        self.patient.opened_on(&path).await.unwrap()
    }
}

const CONFIRMED: [&str; 2] = ["confirmed", "sent"];
const WITH_THIRD: [&str; 3] = ["confirmed", "sent", "under way"];

#[tokio::test]
async fn fault_01_a_kill_at_every_write_of_a_commit_leaves_the_old_or_the_new_state() {
    let mut scene = Scene::new(111).await;
    let (from, to) = (scene.second.wal.len(), scene.third.wal.len());
    let mut cuts: Vec<usize> = (from..to)
        .step_by(FRAME_HEADER + PAGE)
        .flat_map(|frame| {
            [
                frame,
                frame + 1,
                frame + FRAME_HEADER,
                frame + FRAME_HEADER + SECTOR,
                frame + FRAME_HEADER + PAGE - 1,
            ]
        })
        .collect();
    cuts.push(to);
    assert!(cuts.len() > 10, "{} writes were cut", cuts.len());
    let key = scene.key_of_second.clone();
    for (number, cut) in cuts.into_iter().enumerate() {
        let disk = Disk { db: scene.second.db.clone(), wal: scene.third.wal[..cut].to_vec() };
        let mut phone = scene.open(number, &disk, &key).await;
        let expected: &[&str] = if cut == to { &WITH_THIRD } else { &CONFIRMED };
        assert_eq!(notes(&phone, scene.chart), expected, "cut at byte {cut}");
        assert_eq!(phone.state(), DeviceState::Ready);
        phone.capture(scene.chart, note("and on")).await.unwrap();
        assert_eq!(notes(&phone, scene.chart).len(), expected.len() + 1);
    }
}

#[tokio::test]
async fn fault_10_pages_that_were_not_brought_to_the_disk_take_no_confirmed_entry_with_them() {
    let mut scene = Scene::new(1_011).await;
    let mut rng = SeededRng::new(10, "power cuts");
    let (from, key) = (scene.second.wal.len(), scene.key_of_second.clone());
    for number in 0..40 {
        let mut log = scene.third.wal.clone();
        // Of each sector that was not brought to the disk: it is there, it is empty, or it is rubbish.
        let mut whole = true;
        for sector in log[from..].chunks_mut(SECTOR) {
            match rng.next_u64() % 4 {
                0 => (whole, _) = (false, sector.fill(0)),
                1 => (whole, _) = (false, rng.fill_bytes(sector)),
                _ => {}
            }
        }
        if rng.next_u64().is_multiple_of(3) {
            let kept = from + (rng.next_u64() as usize) % (log.len() - from);
            log.truncate(kept);
            whole = false;
        }
        let disk = Disk { db: scene.second.db.clone(), wal: log };
        let phone = scene.open(number, &disk, &key).await;
        let expected: &[&str] = if whole { &WITH_THIRD } else { &CONFIRMED };
        assert_eq!(notes(&phone, scene.chart), expected, "power cut {number}");
        assert_eq!(phone.state(), DeviceState::Ready);
    }
}

#[tokio::test]
async fn fault_10_a_power_cut_while_the_log_is_carried_over_loses_nothing() {
    let mut scene = Scene::new(1_012).await;
    // The log is carried over into the database; its pages reach the disk in any order.
    let path = scene.folder.path().join("carried.db");
    scene.third.put(&path);
    let raw = Connection::open(&path).unwrap();
    let moved: i64 = raw.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2)).unwrap();
    assert!(moved > 3, "{moved} pages were carried over");
    let carried = Disk::of(&path).db;
    drop(raw);
    let mut rng = SeededRng::new(11, "power cuts");
    let key = scene.key_of_third.clone();
    for number in 0..20 {
        let mut db = scene.third.db.clone();
        db.resize(carried.len().max(db.len()), 0);
        for (page, fresh) in db.chunks_mut(PAGE).zip(carried.chunks(PAGE)) {
            for (sector, fresh) in page.chunks_mut(SECTOR).zip(fresh.chunks(SECTOR)) {
                if rng.next_u64().is_multiple_of(2) {
                    sector.copy_from_slice(fresh);
                }
            }
        }
        let disk = Disk { db, wal: scene.third.wal.clone() };
        let phone = scene.open(number, &disk, &key).await;
        assert_eq!(notes(&phone, scene.chart), WITH_THIRD, "power cut {number}");
        assert_eq!(phone.state(), DeviceState::Ready);
    }
}

#[tokio::test]
async fn fault_10_a_disk_that_lied_is_exposed_by_the_mark_and_what_is_lost_is_counted() {
    let mut scene = Scene::new(1_013).await;
    // The disk said that both commits had reached it; neither had. The mark outside knows of them.
    let (disk, key) = (scene.first.clone(), scene.key_of_third.clone());
    let mut phone = scene.open(0, &disk, &key).await;
    assert_eq!(phone.state(), DeviceState::SetBack);
    assert_eq!(notes(&phone, scene.chart), ["sent"]);
    let report = phone.sync().await.unwrap();
    let chart = scene.chart;
    assert!(report.problems.contains(&SyncProblem::LocalRollback), "{report:?}");
    assert!(report.problems.contains(&SyncProblem::EntriesLost { chart, count: 2 }), "{report:?}");
    let losses = phone.status().unwrap().losses;
    assert_eq!((losses.entries[0].chart, losses.entries[0].count), (chart, 2));
    phone.capture(chart, note("entered again")).await.unwrap();
    assert!(phone.sync().await.unwrap().is_complete());
    scene.site.coordinator.sync().await;
    let view = scene.site.coordinator.client.chart(chart).unwrap();
    assert_eq!(view.notes().len(), 2);
    phone.dismiss_losses().await.unwrap();
    assert!(phone.status().unwrap().losses.is_nothing());
}

#[tokio::test]
async fn fault_10_a_disk_that_lied_about_what_was_sent_gets_it_back() {
    let mut site = Site::small(1_014).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.db");
    let mut phone = patient.moved_to_file(&file).await;
    phone.capture(chart, note("before")).await.unwrap();
    let before = Disk::of(&file);
    phone.capture(chart, note("sent and torn")).await.unwrap();
    assert!(phone.sync().await.unwrap().is_complete());
    drop(phone);
    let torn = folder.path().join("torn.db");
    before.put(&torn);
    let mut phone = patient.opened_on(&torn).await.unwrap();
    assert_eq!(phone.state(), DeviceState::SetBack);
    let report = phone.sync().await.unwrap();
    let lost = report.problems.iter().any(|problem| matches!(problem, SyncProblem::EntriesLost { .. }));
    assert!(!lost, "the server has all of it: {report:?}");
    assert!(phone.sync().await.unwrap().is_complete());
    assert_eq!(notes(&phone, chart), ["before", "sent and torn"]);
}
