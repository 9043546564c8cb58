//! What the database of a server says about the people whose data it holds. After a whole day its
//! administrator reads every table, every column and every raw byte.
//!
//! What stays visible, and is not claimed to be hidden: the random ids of charts, devices and
//! people, who is a member of what, the roles, which device uploaded when (`received_at`), how many
//! entries there are, and the size class of each.

use crate::needles::Needles;
use crate::whole_day::{FORM_TITLE, FORM_URL, QUESTIONS, whole_day};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::collections::BTreeSet;
use std::path::Path;
use ward_id::TimestampMs;
use ward_store_sqlite::{SqliteOptions, SqliteStore};

/// Every column of the database and what stands in it, as read by a person. A new column is
/// written here after somebody asked what it says about whom.
const REVIEWED: &[(&str, &str)] = &[
    ("blob.id", "row number"),
    ("blob.chart", "random id"),
    ("blob.address", "hash of ciphertext"),
    ("blob.device", "random id of the sending device"),
    ("blob.sealed_size", "exact size of the ciphertext: blobs are not padded"),
    ("blob.complete", "0 being sent, 1 whole"),
    ("blob.touched_at", "time of upload, not of capture"),
    ("blob_chunk.blob", "row of a blob"),
    ("blob_chunk.chunk", "place in the blob"),
    ("blob_chunk.bytes", "ciphertext under a key that stands in a sealed entry"),
    ("blob_number.one", "always 1"),
    ("blob_number.last", "row number of the newest blob"),
    ("chain.id", "row number"),
    ("chain.chart", "row of a chart"),
    ("chain.device", "row of a device"),
    ("chain.incarnation", "random number of one life of a device's store"),
    ("chain.head_seq", "entries in the chain"),
    ("chain.head_entry", "hash of an entry with its random bytes"),
    ("chart.id", "row number"),
    ("chart.chart", "random id"),
    ("checkpoint.log", "1 membership, 2 operations"),
    ("checkpoint.kind", "1 signed, 2 cosigned"),
    ("checkpoint.size", "entries in the log"),
    ("checkpoint.root", "hash"),
    ("checkpoint.note", "signed head with the witnesses' times"),
    ("device.id", "row number"),
    ("device.device", "random id"),
    ("device_session.device", "random id"),
    ("device_session.session_version", "count of ended sessions"),
    ("device_suspension.device", "random id"),
    ("device_suspension.until", "end of a suspension"),
    ("device_suspension.reason", "one of five codes"),
    ("device_suspension.by_device", "random id"),
    ("dropped.chart", "random id"),
    ("dropped.decided_at", "when staff adopted or declined it"),
    ("dropped.decided_by", "random id of the device that said so"),
    ("dropped.device", "random id of the device that handed an entry over"),
    ("dropped.entry_id", "hash of the entry, hidden by its random bytes"),
    ("dropped.envelope", "the entry, sealed to staff devices whose random ids it names"),
    ("dropped.id", "row number"),
    ("dropped.received_at", "when the server took it"),
    ("dropped.state", "waiting, adopted or declined"),
    ("epoch_package.chart", "random id"),
    ("epoch_package.epoch", "count of the chart's keys"),
    ("epoch_package.package_hash", "hash"),
    ("epoch_package.mlog_index", "place in the membership log"),
    ("epoch_package.package", "a chart's key, sealed to each member device"),
    ("meta.key", "name of a value of the server itself"),
    ("meta.value", "that value; secret ones are sealed"),
    ("mlog_entry.mlog_index", "place in the membership log"),
    ("mlog_entry.subject", "random id of the site or a chart"),
    ("mlog_entry.entry_hash", "hash"),
    ("mlog_entry.received_at", "time of arrival of a membership change"),
    ("mlog_entry.entry", "who may read: pseudonyms, roles, public keys, the reason of a revocation"),
    ("operation.olog_index", "place in the operation log"),
    ("operation.chart", "row of a chart"),
    ("operation.chain", "row of a chain"),
    ("operation.seq", "place in the chain"),
    ("operation.epoch", "count of the chart's keys"),
    ("operation.received_at", "time of upload, not of writing"),
    ("operation.entry_id", "hash of an entry with its random bytes"),
    ("operation.envelope_hash", "hash of ciphertext"),
    ("operation.cut", "where ids stood in the envelope"),
    ("operation.envelope", "ids, and ciphertext padded to a size class"),
    ("proposal.id", "row number"),
    ("proposal.entry_hash", "hash"),
    ("proposal.subject", "random id of the site or a chart"),
    ("proposal.proposer", "random id of a device"),
    ("proposal.received_at", "time of arrival of a membership change"),
    ("proposal.entry", "a membership change that waits for a second signature"),
    ("refresh_family.family", "random id"),
    ("refresh_family.device", "random id"),
    ("refresh_family.jkt", "hash of a device's public key"),
    ("refresh_family.expires_at", "end of a session"),
    ("refresh_token.token_hash", "hash of a random token"),
    ("refresh_token.family", "random id"),
    ("refresh_token.generation", "count of renewals"),
    ("refresh_token.used_at", "time of a renewal"),
    ("reopening.number", "how often the operation log was opened again"),
    ("reopening.leaf", "hash of a checkpoint"),
    ("schema_migration.number", "number of a migration"),
    ("schema_migration.name", "its name"),
    ("schema_migration.checksum", "hash of its text"),
    ("staff_suspension.device", "random id"),
    ("staff_suspension.until", "end of a suspension"),
    ("staff_suspension.reason", "one of five codes"),
    ("staff_suspension.by_device", "random id"),
    ("storage_use.kind", "1 chart, 2 device"),
    ("storage_use.owner", "random id"),
    ("storage_use.operation_bytes", "bytes of envelopes"),
    ("storage_use.blob_bytes", "bytes of blobs"),
    ("storage_use.operations", "number of envelopes"),
    ("ticket.id", "row number"),
    ("ticket.ticket", "random id"),
    ("ticket.issuer", "random id of a device"),
    ("ticket.sealed_srv", "the server's half of the ticket's secret, sealed"),
    ("ticket.role", "role number"),
    ("ticket.chart", "random id"),
    ("ticket.not_after", "end of an invitation"),
    ("ticket.state", "one of seven codes"),
    ("ticket.wrong_proofs", "count of wrong tries"),
    ("ticket.blob", "enrolment request, sealed to its issuer"),
    ("ticket.redeemed_at", "time of an enrolment"),
    ("tile.id", "row number"),
    ("tile.log", "1 membership, 2 operations"),
    ("tile.level", "level in the tree"),
    ("tile.tile_index", "place in the level"),
    ("tile.part", "quarter of a tile"),
    ("tile.hashes", "hashes"),
];

/// Everything that stands in a database.
struct Dump {
    columns: BTreeSet<String>,
    integers: Vec<(String, i64)>,
    bytes: Vec<(String, Vec<u8>)>,
}

fn dump(path: &Path) -> Dump {
    let db = Connection::open(path).unwrap();
    let mut names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut out = Dump { columns: BTreeSet::new(), integers: Vec::new(), bytes: Vec::new() };
    for table in tables.iter().filter(|table| !table.starts_with("sqlite_")) {
        let mut statement = db.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns: Vec<String> =
            statement.column_names().map(|column| format!("{table}.{column}")).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (place, column) in columns.iter().enumerate() {
                match row.get_ref(place).unwrap() {
                    ValueRef::Null => {}
                    ValueRef::Integer(value) => out.integers.push((column.clone(), value)),
                    ValueRef::Text(value) | ValueRef::Blob(value) => {
                        out.bytes.push((column.clone(), value.to_vec()));
                    }
                    ValueRef::Real(value) => panic!("{column} holds the real number {value}"),
                }
            }
        }
        out.columns.extend(columns);
    }
    out
}

/// The raw bytes of the database and of the files beside it.
fn raw_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.map(|file| (file.path().display().to_string(), std::fs::read(file.path()).unwrap())).collect()
}

/// An instant in all the ways in which it can stand in text or bytes.
fn spelled(at: TimestampMs) -> Vec<Vec<u8>> {
    let (ms, s) = (at.0, at.unix_s());
    let day_s = s.rem_euclid(86_400);
    let clock = format!("T{:02}:{:02}:{:02}", day_s / 3_600, day_s / 60 % 60, day_s % 60);
    let mut out = vec![ms.to_string().into_bytes(), s.to_string().into_bytes(), clock.into_bytes()];
    // SQLite keeps such a number in six bytes; CBOR and others have them inside eight.
    out.push(ms.to_be_bytes()[2..].to_vec());
    out.push(ms.to_le_bytes()[..6].to_vec());
    out
}

#[tokio::test]
async fn rt_52_a_dump_of_the_database_has_no_name_no_form_and_no_capture_time() {
    let day = whole_day(5201).await;
    let path = day.server_files.path().join("site.db");
    let times = day.capture_times();
    assert!(times.len() >= 3 * 12, "{} entries were written", times.len());
    let mut words =
        vec![FORM_URL, FORM_TITLE, "Zebrafinch", "zebrafinch", "fhir/Questionnaire", "Europe/Berlin"];
    words.extend(QUESTIONS);
    words.extend(["ward/note", "ward/dose", "ward/profile", "ward/consent", "ward/appointment", "linkId"]);
    words.extend(day.canaries.iter().map(String::as_str));
    let words = Needles::new().texts(words);
    let instants =
        times.iter().fold(Needles::new(), |known, at| known.bytes(&at.0.to_string(), &spelled(*at)));

    let dumped = dump(&path);
    for (place, bytes) in dumped.bytes.iter().chain(&raw_files(day.server_files.path())) {
        let found = words.found_in(bytes);
        assert!(found.is_empty(), "{place}: {found:?}");
        let found = instants.found_in(bytes);
        assert!(found.is_empty(), "{place}: {found:?}");
    }
    let in_ms: BTreeSet<i64> = times.iter().map(|at| at.0).collect();
    let in_s: BTreeSet<i64> = times.iter().map(|at| at.unix_s()).collect();
    for (column, value) in &dumped.integers {
        assert!(!in_ms.contains(value) && !in_s.contains(value), "{column} holds a capture time: {value}");
    }

    // The same search finds what does stand there, and finds all of it where it was opened.
    let (numbers, values) = (dumped.integers.len(), dumped.bytes.len());
    assert!(numbers > 400 && values > 200, "{numbers} numbers and {values} other values were looked at");
    let uploads = day.site.server.envelopes().await;
    let stored: BTreeSet<i64> = dumped.integers.iter().map(|(_, value)| *value).collect();
    assert!(uploads.len() >= times.len());
    assert!(uploads.iter().all(|row| stored.contains(&row.received_at.0)), "upload times are visible");
    let opened: Vec<u8> = day.charts.iter().flat_map(|chart| day.opened(*chart)).collect();
    let found = words.found_in(&opened);
    for word in [FORM_URL, FORM_TITLE, QUESTIONS[2], "fhir/Questionnaire", "Europe/Berlin", "ward/dose"] {
        assert!(found.contains(word), "{word}");
    }
    assert_eq!(instants.found_in(&opened).len(), in_ms.len());
}

#[test]
fn rt_52_every_column_was_looked_at_by_a_person() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    drop(SqliteStore::open(&path, SqliteOptions::default()).unwrap());
    let reviewed: BTreeSet<String> = REVIEWED.iter().map(|(column, _)| (*column).to_owned()).collect();
    assert_eq!(reviewed.len(), REVIEWED.len(), "each column stands once");
    assert!(REVIEWED.iter().all(|(_, what)| !what.is_empty()));
    assert_eq!(dump(&path).columns, reviewed);
}
