//! The file: what it holds, who may read it, what is refused, and backups.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use ward_id::TimestampMs;
use ward_store::conformance::{operation, push};
use ward_store::{LogName, LogStateStore, OlogStore, PageRequest, StoreError, StoredTile, Upkeep};
use ward_store_sqlite::{OpenError, SqliteOptions, SqliteStore};

const NOW: TimestampMs = TimestampMs(1_800_000_000_000);

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).unwrap()
}

/// The list of all columns, read by a person when it changes: no column may hold anything of a
/// person but random ids and sealed bytes.
#[test]
fn the_columns_are_the_reviewed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    drop(open(&path));
    let conn = rusqlite::Connection::open(&path).unwrap();
    let mut statement = conn
        .prepare(
            "SELECT t.name || '.' || c.name || ' ' || c.type || CASE WHEN c.\"notnull\" THEN '' ELSE ' null' END \
             FROM pragma_table_list() t, pragma_table_info(t.name) c \
             WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
        )
        .unwrap();
    let columns: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let columns = columns.join("\n") + "\n";
    assert_eq!(
        columns,
        include_str!("golden/columns.txt"),
        "review the list, then write it there:\n{columns}"
    );
    let mut strict =
        conn.prepare("SELECT name FROM pragma_table_list() WHERE schema = 'main' AND NOT strict").unwrap();
    let loose: Vec<String> = strict.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(loose.iter().all(|name| name.starts_with("sqlite_")), "{loose:?}");
}

#[test]
fn the_file_is_durable_by_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = open(&path);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let text = |name: &str| {
        conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
    };
    assert_eq!(text("journal_mode"), rusqlite::types::Value::Text("wal".into()));
    assert_eq!(text("page_size"), rusqlite::types::Value::Integer(16_384));
    assert_eq!(text("application_id"), rusqlite::types::Value::Integer(0x5741_5244));
    drop(store);
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = open(&path);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name());
    }
    assert_eq!(names.len(), 3, "{names:?}");
    drop(store);
}

#[test]
fn other_files_and_options_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    let refused = SqliteStore::open(&other, SqliteOptions::default());
    assert!(matches!(refused.err(), Some(OpenError::NotAStore)));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database, but it is long enough to be looked at as one. ".repeat(10))
        .unwrap();
    assert!(matches!(SqliteStore::open(&text, SqliteOptions::default()).err(), Some(OpenError::Sqlite(_))));
    let nowhere = folder.path().join("nowhere/site.db");
    assert!(matches!(SqliteStore::open(&nowhere, SqliteOptions::default()).err(), Some(OpenError::File(_))));
    for readers in [0, ward_store_sqlite::limits::READERS_MAX + 1] {
        let options = SqliteOptions { readers, ..SqliteOptions::default() };
        let refused = SqliteStore::open(&folder.path().join("site.db"), options);
        assert!(matches!(refused.err(), Some(OpenError::Readers)));
    }
}

#[tokio::test]
async fn a_damaged_row_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = open(&path);
    store.append_operations(push(1, 1, 1..=5), NOW).await.unwrap();
    store.close().await;
    let damage = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    damage(
        "UPDATE operation SET envelope = CAST(substr(envelope, 1, 100) || x'00' || substr(envelope, 102) AS BLOB) WHERE olog_index = 2",
    );
    let report = open(&path).integrity_check().await.unwrap();
    assert_eq!(report.findings, ["operation 2: the bytes are not those of the leaf"]);
    damage("DELETE FROM operation WHERE olog_index = 2");
    let report = open(&path).integrity_check().await.unwrap();
    assert!(report.findings.contains(&"operation 2: it is missing".to_owned()), "{:?}", report.findings);
    assert!(report.findings.iter().any(|f| f.starts_with("chain 1:")), "{:?}", report.findings);
}

/// The places at which ids were cut out of an envelope can be damaged as well as its bytes.
#[tokio::test]
async fn fault_18_damaged_places_of_a_cut_hide_nothing_else_and_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = open(&path);
    let whole = push(1, 1, 1..=3);
    store.append_operations(whole.clone(), NOW).await.unwrap();
    store.close().await;
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute("UPDATE operation SET cut = x'ffffff' WHERE olog_index = 1", [])
        .unwrap();
    let store = open(&path);
    let request = PageRequest { chart: whole[0].chart, after: None, limit_bytes: usize::MAX };
    let page = store.operations_page(request).await.unwrap();
    let bytes: Vec<&[u8]> = page.operations.iter().map(|one| one.bytes.as_slice()).collect();
    assert_eq!((bytes[0], bytes[2]), (whole[0].bytes.as_slice(), whole[2].bytes.as_slice()));
    assert_ne!(bytes[1], whole[1].bytes, "whoever reads it sees that it is not what the leaf says");
    let report = store.integrity_check().await.unwrap();
    assert_eq!(report.findings, ["operation 1: the bytes are not those of the leaf"]);
    assert!(store.repair_operation(1, whole[1].bytes.clone()).await.unwrap());
    let page = store.operations_page(request).await.unwrap();
    assert_eq!(page.operations[1].bytes, whole[1].bytes);
    assert!(store.integrity_check().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_is_a_consistent_store_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("site.db"));
    store.append_operations(push(1, 1, 1..=6), NOW).await.unwrap();
    let going_on = {
        let store = store.clone();
        tokio::spawn(async move {
            for begin in (7..300).step_by(3) {
                store.append_operations(push(1, 1, begin..=begin + 2), NOW).await.unwrap();
            }
        })
    };
    let to = folder.path().join("backup.db");
    let summary = store.backup_to(to.clone()).await.unwrap();
    going_on.await.unwrap();
    assert!(summary.olog_size >= 6 && summary.olog_size % 3 == 0, "{summary:?}");
    assert_eq!(summary.bytes, std::fs::metadata(&to).unwrap().len());
    let again = store.backup_to(to.clone()).await;
    assert!(matches!(again, Err(StoreError::Io { .. })), "an existing file is never overwritten");
    let copy = open(&to);
    let report = copy.integrity_check().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.operations, copy.olog_size().await.unwrap()), (summary.olog_size, summary.olog_size));
    copy.append_operations(push(2, 2, 1..=1), NOW).await.unwrap();
    let nowhere = store.backup_to(folder.path().join("nowhere/backup.db")).await;
    assert!(matches!(nowhere, Err(StoreError::Io { .. })));
}

/// The write-ahead file is worked in beside the writer and begun anew, again and again; what was
/// stored meanwhile is all there, also in the database file alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_write_ahead_file_is_worked_in_while_writing_goes_on() {
    const PAGES: u32 = 64;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let options = SqliteOptions { checkpoint_pages: PAGES, ..SqliteOptions::default() };
    let store = SqliteStore::open(&path, options).unwrap();
    let bytes = |file: &std::path::Path| file.metadata().unwrap().len();
    let mut tasks = tokio::task::JoinSet::new();
    for device in 0..4u8 {
        let store = store.clone();
        tasks.spawn(async move {
            for seq in 1..=1_000 {
                let one = vec![operation(device, device, seq, 0, 2_000)];
                store.append_operations(one, NOW).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let (database, ahead) = (bytes(&path), bytes(&path.with_extension("db-wal")));
    assert!(database > 6_000_000, "{database} bytes: nothing was worked in");
    // 4,000 commits of some pages each would make hundreds of megabytes if it were never begun anew.
    let round = u64::from(PAGES) * u64::from(ward_store_sqlite::limits::PAGE_BYTES);
    assert!(ahead < 32 * round, "{ahead} bytes wait in the write-ahead file");
    let report = store.integrity_check().await.unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    store.close().await;
    assert!(!path.with_extension("db-wal").exists(), "closed: all connections, and the thread with its own");
    let again = SqliteStore::open(&path, options).unwrap();
    assert_eq!(again.olog_size().await.unwrap(), 4_000);
    again.close().await;
}

/// At most 950 bytes for an envelope of 817 bytes, with its rows, indexes and tiles.
#[tokio::test]
async fn an_operation_takes_little_more_than_its_envelope() {
    const COUNT: u64 = 5_120;
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("site.db"));
    let before = store.stats().await.unwrap().store_bytes;
    for round in 0..COUNT / 512 {
        for device in 0..8u8 {
            let begin = round * 64 + 1;
            let own = (begin..begin + 64).map(|seq| operation(device / 2, device, seq, 0, 817)).collect();
            store.append_operations(own, NOW).await.unwrap();
        }
    }
    let rows = (store.stats().await.unwrap().store_bytes - before) / COUNT;
    for index in 0..COUNT / 256 {
        store
            .save_tiles(LogName::Olog, vec![StoredTile { level: 0, index, bytes: vec![1; 8_192] }])
            .await
            .unwrap();
    }
    let all = (store.stats().await.unwrap().store_bytes - before) / COUNT;
    println!("{rows} bytes for an operation of 817, {all} with its tiles");
    assert!(all <= 950, "{rows} bytes, {all} with tiles");
}
