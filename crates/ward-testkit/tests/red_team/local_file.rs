//! A thief at the file in which a device keeps its rows.

use crate::scene::{note, site_with_nurse};
use rusqlite::{Connection, params};
use std::path::Path;
use ward_client::{ClientError, DeviceState};
use ward_id::ChartId;
use ward_testkit::FileClient;

/// Copies a store into another file, whole and consistent, as a backup does.
fn copy_of(from: &Path, to: &Path) {
    Connection::open(from).unwrap().execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

/// Puts one file in place of another, with nothing left beside it.
fn put_back(from: &Path, to: &Path) {
    for end in ["-wal", "-shm"] {
        let beside = to.with_file_name(format!("{}{end}", to.file_name().unwrap().to_str().unwrap()));
        if beside.exists() {
            std::fs::remove_file(beside).unwrap();
        }
    }
    std::fs::copy(from, to).unwrap();
}

fn notes(client: &FileClient, chart: ChartId) -> Vec<String> {
    let view = client.chart(chart).unwrap();
    let current = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = current.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn rt_43_an_older_copy_of_the_file_syncs_before_it_writes_and_nothing_is_lost() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(4301).await;
    let chart = patient.chart();
    let folder = tempfile::tempdir().unwrap();
    let (file, backup) = (folder.path().join("rows.db"), folder.path().join("backup.db"));
    let mut phone = patient.moved_to_file(&file).await;
    phone.capture(chart, note("waits in the backup")).await.unwrap();
    copy_of(&file, &backup);
    assert!(phone.sync().await.unwrap().is_complete());
    phone.capture(chart, note("after the backup")).await.unwrap();
    assert!(phone.sync().await.unwrap().is_complete());
    drop(phone);
    put_back(&backup, &file);

    let mut phone = patient.opened_on(&file).await.unwrap();
    assert_eq!(phone.state(), DeviceState::SetBack);
    assert_eq!(phone.capture(chart, note("too early")).await, Err(ClientError::StoreSetBack));
    patient.relay.set_offline(true);
    phone.sync().await.unwrap();
    assert_eq!(phone.state(), DeviceState::SetBack, "only the server can say what is missing");
    patient.relay.set_offline(false);
    let report = phone.sync().await.unwrap();
    assert!(report.problems.iter().any(|problem| problem.name() == "local-rollback"), "{report:?}");
    assert_eq!(phone.state(), DeviceState::Ready);
    phone.capture(chart, note("in a new life")).await.unwrap();
    assert!(phone.sync().await.unwrap().is_complete());
    let expected = ["after the backup", "first", "in a new life", "waits in the backup"];
    assert_eq!(notes(&phone, chart), expected);
    for device in [&mut nurse, &mut site.coordinator] {
        device.sync().await;
        assert_eq!(crate::scene::texts(device, chart), expected);
        let view = device.client.chart(chart).unwrap();
        assert!(view.timeline().iter().all(|item| !item.forked), "no place of a chain was given twice");
    }
    // The same file, not set back, opens as it is.
    drop(phone);
    assert_eq!(patient.opened_on(&file).await.unwrap().state(), DeviceState::Ready);
}

#[tokio::test]
async fn rt_43_rows_exchanged_or_altered_in_the_file_are_refused() {
    let (mut site, _nurse, mut patient) = site_with_nurse(4302).await;
    let chart = patient.chart();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.db");
    let mut phone = patient.moved_to_file(&file).await;
    for text in ["one", "two"] {
        phone.capture(chart, note(text)).await.unwrap();
    }
    assert!(phone.sync().await.unwrap().is_complete());
    site.coordinator.client.capture(chart, note("an answer")).await.unwrap();
    site.coordinator.sync().await;
    assert!(phone.sync().await.unwrap().is_complete());
    drop(phone);
    let rows: Vec<(u8, Vec<u8>)> = {
        let db = Connection::open(&file).unwrap();
        let mut statement = db.prepare("SELECT tbl, id FROM rows ORDER BY tbl, id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut tried = 0;
    for (number, pair) in rows.windows(2).enumerate() {
        let [(table, one), (next_table, two)] = pair else { continue };
        let copy = folder.path().join(format!("copy-{number}.db"));
        copy_of(&file, &copy);
        let db = Connection::open(&copy).unwrap();
        if table == next_table {
            // The two rows exchange their contents and versions.
            let exchange = "UPDATE rows SET (version, sealed) = (SELECT version, sealed FROM rows AS other \
                WHERE other.tbl = ?1 AND other.id = CASE rows.id WHEN ?2 THEN ?3 ELSE ?2 END) \
                WHERE tbl = ?1 AND id IN (?2, ?3)";
            assert_eq!(db.execute(exchange, params![table, one, two]).unwrap(), 2);
        } else {
            // One bit of the row is altered.
            let sealed: Vec<u8> = db
                .query_row("SELECT sealed FROM rows WHERE tbl = ?1 AND id = ?2", params![table, one], |row| {
                    row.get(0)
                })
                .unwrap();
            let mut altered = sealed.clone();
            let middle = altered.len() / 2;
            altered[middle] ^= 1;
            let update = "UPDATE rows SET sealed = ?3 WHERE tbl = ?1 AND id = ?2";
            assert_eq!(db.execute(update, params![table, one, altered]).unwrap(), 1);
        }
        drop(db);
        let refused = patient.opened_on(&copy).await.err();
        let expected = match table {
            0 => matches!(refused, Some(ClientError::DeviceKey(_))),
            // The reserve holds nothing: only whether its rows are there is looked at.
            30 => refused.is_none(),
            _ => matches!(refused, Some(ClientError::StoreDamaged { .. })),
        };
        assert!(expected, "row {number} of table {table}: {refused:?}");
        tried += 1;
    }
    assert!(tried > 15, "{tried} were tried");
    let phone = patient.opened_on(&file).await.unwrap();
    assert_eq!(notes(&phone, chart), ["an answer", "first", "one", "two"], "the file itself is sound");
}
