//! The administrator of the database rewrites its rows: operations, leaves, membership entries,
//! signed heads. Either the server does not start, or whoever reads notices.

use crate::scene::{names, note, stops, synced, texts};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use ward_client::{HttpMethod, SyncReport};
use ward_crypto::Role;
use ward_id::ChartId;
use ward_server::{LogDeskError, MembershipLoadError, StartError};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_testkit::{Server, Site, TestDevice, WitnessMemories};

/// A site on a file, with two charts and a nurse who has not seen the newest entries yet.
struct Office {
    site: Site<SqliteStore>,
    nurse: TestDevice,
    patient: TestDevice,
    chart: ChartId,
    folder: TempDir,
    copies: u32,
}

fn open_store(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).unwrap()
}

impl Office {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(&folder.path().join("site.db"));
        let mut site = Site::small_on(seed, store).await;
        let mut nurse = site.staff("nurse", Role::Clinician).await;
        let (mut patient, mut other) = (site.patient("ada").await, site.patient("ben").await);
        let chart = patient.chart();
        other.client.capture(other.chart(), note("of another chart")).await.unwrap();
        other.sync().await;
        patient.client.capture(chart, note("first")).await.unwrap();
        patient.sync().await;
        nurse.sync().await;
        for text in ["second", "third", "fourth"] {
            patient.client.capture(chart, note(text)).await.unwrap();
        }
        for device in [&mut patient, &mut site.coordinator].into_iter().chain(&mut site.admins) {
            device.sync().await;
        }
        patient.sync().await;
        Self { site, nurse, patient, chart, folder, copies: 0 }
    }

    /// A copy of the database in which rows were changed.
    fn changed(&mut self, change: impl FnOnce(&Connection)) -> PathBuf {
        self.copies += 1;
        let copy = self.folder.path().join(format!("copy-{}.db", self.copies));
        let live = Connection::open(self.folder.path().join("site.db")).unwrap();
        live.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        let db = Connection::open(&copy).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        change(&db);
        copy
    }

    /// The server started on such a copy.
    async fn start(
        &mut self,
        memories: WitnessMemories,
        change: impl FnOnce(&Connection),
    ) -> Result<Server<SqliteStore>, StartError> {
        let copy = self.changed(change);
        self.site.server.started_on(open_store(&copy), memories).await
    }

    /// What a nurse's device finds and shows that reads the newest entries from a changed database.
    async fn misled(&mut self, change: impl FnOnce(&Connection)) -> (TestDevice, SyncReport) {
        let server = self.start(WitnessMemories::Kept, change).await.expect("no hash of the start covers it");
        let mut reader = self.nurse.in_another_future().await;
        reader.relay.lead_to(Some(server.transport.clone()));
        // It writes nothing there: a receipt of this copy would convict the honest database later.
        reader
            .relay
            .before(|request| !(request.method == HttpMethod::Post && request.path.ends_with("/envelopes")));
        let report = synced(&mut reader).await;
        let flagged =
            reader.client.charts().iter().any(|known| known.chart == self.chart && known.incomplete);
        assert!(flagged, "the chart is said to be incomplete: {report:?}");
        assert!(!texts(&reader, self.chart).contains(&"third".to_owned()));
        (reader, report)
    }

    /// The same device reads from the honest database again.
    async fn healed(&self, mut reader: TestDevice) {
        reader.relay.heal();
        for _ in 0..ward_client::limits::REPULL_EVERY_SYNCS {
            synced(&mut reader).await;
        }
        assert_eq!(texts(&reader, self.chart), ["first", "fourth", "second", "third"], "nothing is lost");
        let held = reader.client.charts().into_iter().find(|known| known.chart == self.chart).unwrap();
        assert!(!held.incomplete);
    }
}

/// Runs statements, each of which must change something.
fn run(db: &Connection, statements: &[&str]) {
    for statement in statements {
        assert!(db.execute(statement, []).unwrap() > 0, "{statement}");
    }
}

/// Alters one byte of a blob.
fn flip(db: &Connection, table: &str, blob: &str, key: &str, row: i64) {
    let get = format!("SELECT {blob} FROM {table} WHERE {key} = ?1");
    let mut bytes: Vec<u8> = db.query_row(&get, [row], |row| row.get(0)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let put = format!("UPDATE {table} SET {blob} = ?2 WHERE {key} = ?1");
    assert_eq!(db.execute(&put, rusqlite::params![row, bytes]).unwrap(), 1);
}

fn verdict(error: &StartError) -> &'static str {
    match error {
        StartError::Log(LogDeskError::Behind { .. }) => "fewer leaves than signed",
        StartError::Log(LogDeskError::Changed { .. }) => "other leaves than signed",
        StartError::Membership(MembershipLoadError::Damaged { .. }) => "membership damaged",
        StartError::BehindWitness(_) => "a witness knows better",
        _ => "something else",
    }
}

const LAST_OPERATION: &str =
    "DELETE FROM operation WHERE olog_index = (SELECT max(olog_index) FROM operation)";
const LAST_MLOG_ENTRY: &str =
    "DELETE FROM mlog_entry WHERE mlog_index = (SELECT max(mlog_index) FROM mlog_entry)";
const NO_HEADS: &str = "DELETE FROM checkpoint";
const ANOTHER_LEAF: &str = "UPDATE operation SET envelope_hash = randomblob(32) WHERE olog_index = 2";

#[tokio::test]
async fn rt_48_a_server_does_not_start_on_rows_that_do_not_fit_what_was_signed() {
    let mut office = Office::new(4801).await;
    let same = office.start(WitnessMemories::Kept, |_| {}).await;
    assert!(same.is_ok(), "an unchanged copy starts");
    let exchanged = [
        "UPDATE operation SET olog_index = olog_index + 1000 WHERE olog_index IN (2, 3)",
        "UPDATE operation SET olog_index = 3 WHERE olog_index = 1002",
        "UPDATE operation SET olog_index = 2 WHERE olog_index = 1003",
    ];
    let of_mlog = "UPDATE mlog_entry SET entry_hash = randomblob(32) WHERE mlog_index = 4";
    let subject = "UPDATE mlog_entry SET subject = randomblob(16) WHERE mlog_index = 4";
    let roots = "UPDATE checkpoint SET root = randomblob(32) WHERE kind = 1";
    let cases: [(&[&str], &str); 11] = [
        (&[LAST_OPERATION], "fewer leaves than signed"),
        (&["DELETE FROM operation WHERE olog_index = 2"], "other leaves than signed"),
        (&[ANOTHER_LEAF], "other leaves than signed"),
        (&exchanged, "other leaves than signed"),
        (&[LAST_MLOG_ENTRY], "fewer leaves than signed"),
        (&["DELETE FROM mlog_entry WHERE mlog_index = 4"], "membership damaged"),
        (&[of_mlog], "membership damaged"),
        (&[subject], "other leaves than signed"),
        (&[roots], "other leaves than signed"),
        (&[LAST_OPERATION, NO_HEADS], "a witness knows better"),
        (&[LAST_MLOG_ENTRY, NO_HEADS], "a witness knows better"),
    ];
    for (statements, expected) in cases {
        let refused = office.start(WitnessMemories::Kept, |db| run(db, statements)).await.err();
        let refused = refused.unwrap_or_else(|| panic!("{statements:?} started"));
        assert_eq!(verdict(&refused), expected, "{statements:?}: {refused}");
    }
    let refused =
        office.start(WitnessMemories::Kept, |db| flip(db, "mlog_entry", "entry", "mlog_index", 4)).await;
    assert_eq!(refused.err().map(|error| verdict(&error)), Some("membership damaged"));
}

#[tokio::test]
async fn rt_48_with_the_witnesses_on_the_operators_side_every_device_notices() {
    let mut office = Office::new(4802).await;
    office.nurse.sync().await;
    // Everybody has seen the whole log.
    for device in [&mut office.patient, &mut office.nurse, &mut office.site.coordinator]
        .into_iter()
        .chain(&mut office.site.admins)
    {
        device.sync().await;
    }
    let cases: [(&[&str], &str); 3] = [
        (&[LAST_OPERATION, NO_HEADS], "rollback"),
        (&[ANOTHER_LEAF, NO_HEADS], "equivocation"),
        (&[LAST_MLOG_ENTRY, NO_HEADS], "rollback"),
    ];
    for (statements, expected) in cases {
        let server = office.start(WitnessMemories::Wiped, |db| run(db, statements)).await;
        let server = server.unwrap_or_else(|error| panic!("{statements:?}: {error}"));
        let chart = office.chart;
        for device in [&mut office.patient, &mut office.nurse, &mut office.site.coordinator] {
            let mut device = device.in_another_future().await;
            device.relay.lead_to(Some(server.transport.clone()));
            stops(&mut device, chart, expected).await;
        }
        for admin in &mut office.site.admins {
            let mut admin = admin.in_another_future().await;
            admin.relay.lead_to(Some(server.transport.clone()));
            let report = synced(&mut admin).await;
            assert!(names(&report).contains(&expected), "{statements:?}: {report:?}");
        }
    }
}

#[tokio::test]
async fn rt_48_changed_bytes_behind_an_unchanged_leaf_are_noticed_by_the_reader() {
    let mut office = Office::new(4803).await;
    // The log begins with what both patients wrote first and with the nurse's word on each.
    let (reader, report) = office.misled(|db| flip(db, "operation", "envelope", "olog_index", 5)).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    office.healed(reader).await;

    // The row is renamed, or moved into another chart.
    let renamed = "UPDATE operation SET entry_id = randomblob(32) WHERE olog_index = 5";
    let (reader, report) = office.misled(|db| run(db, &[renamed])).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    office.healed(reader).await;
    let moved = "UPDATE operation SET chart = (SELECT id FROM chart WHERE id <> operation.chart LIMIT 1) \
        WHERE olog_index = 5";
    let (reader, report) = office.misled(|db| run(db, &[moved])).await;
    assert!(names(&report).contains(&"incomplete"), "{report:?}");
    office.healed(reader).await;

    // The row gets the envelope of another one, which is sound in itself. The reader misses the
    // entry; that it does not fetch it by itself later is a known gap.
    let copied = "UPDATE operation SET (envelope, entry_id, cut) = \
        (SELECT envelope, entry_id, cut FROM operation AS other WHERE other.olog_index = 4) \
        WHERE olog_index = 5";
    let (_, report) = office.misled(|db| run(db, &[copied])).await;
    assert!(names(&report).contains(&"incomplete"), "{report:?}");
}
