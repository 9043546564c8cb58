//! `ward backup` and `ward restore`.

use crate::scene::{Site, get, problems, run, run_json, said, serve, text};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use ward_id::{
    Canonical as _, ChartId, DeviceId, EntryId, EnvelopeHash, Incarnation, MlogEntryHash, Subject,
    TimestampMs,
};
use ward_store::{MlogAppend, MlogStore as _, NewOperation, OlogStore as _};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

struct Keys {
    secret: PathBuf,
    public: PathBuf,
}

fn make_key(site: &Site) -> Keys {
    let secret = site.folder.path().join("offline.key");
    let (code, made) = run_json(&["backup", text(&secret), "--make-key"]);
    assert_eq!(code, 0, "{made}");
    Keys { public: made["public"].as_str().unwrap().into(), secret }
}

fn backup(site: &Site, keys: &Keys, name: &str) -> PathBuf {
    let file = site.folder.path().join(name);
    let output = run(&["backup", text(&file), "--to", text(&keys.public), "--config", text(&site.config())]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    file
}

fn restore(site: &Site, keys: &Keys, file: &std::path::Path) -> (i32, serde_json::Value) {
    run_json(&["restore", text(file), "--key", text(&keys.secret), "--config", text(&site.config())])
}

/// Takes the database away as a broken disk would; the server is not running.
fn lose_database(site: &Site, name: &str) {
    let away = site.folder.path().join(name);
    std::fs::create_dir(&away).unwrap();
    for file in ["ward.db", "ward.db-wal", "ward.db-shm"] {
        let path = site.dir.join("server").join(file);
        if path.exists() {
            std::fs::rename(path, away.join(file)).unwrap();
        }
    }
}

/// Adds one leaf to the membership log and `operations` to the operation log. What they say has no
/// effect; that they were there is what counts.
fn grow(site: &Site, operations: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&site.database(), SqliteOptions::default()).unwrap();
        let size = store.mlog_size().await.unwrap();
        let bytes = format!("leaf {size}").into_bytes();
        let entry = MlogAppend {
            expected_size: size,
            subject: Subject::from_bytes([9; 16]),
            entry_hash: MlogEntryHash::from_bytes(Sha256::digest(&bytes).into()),
            bytes,
            package: None,
            ended_devices: vec![],
            received_at: TimestampMs(1),
        };
        store.append_mlog(entry).await.unwrap();
        let from = store.olog_size().await.unwrap();
        let push = (from + 1..=from + operations).map(operation).collect();
        store.append_operations(push, TimestampMs(1)).await.unwrap();
        store.close().await;
    });
}

fn operation(seq: u64) -> NewOperation {
    let bytes = vec![u8::try_from(seq).unwrap(); 300];
    NewOperation {
        chart: ChartId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        incarnation: Incarnation(1),
        seq,
        entry_id: EntryId::from_bytes(Sha256::digest(seq.to_be_bytes()).into()),
        envelope_hash: EnvelopeHash::from_bytes(Sha256::digest(&bytes).into()),
        epoch: 0,
        bytes,
    }
}

/// The witnesses cosign both logs when the server starts.
fn have_cosigned(site: &Site) {
    let server = site.serve();
    assert_eq!(get(&site.server(), "/readyz").unwrap().status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_backup_of_a_running_server_comes_back_whole() {
    let site = Site::make();
    let keys = make_key(&site);
    grow(&site, 5);
    let server = site.serve();
    let file = backup(&site, &keys, "one.backup");
    assert_eq!(server.stop().0, 0);
    assert_eq!(
        run(&["backup", text(&file), "--to", text(&keys.public), "--config", text(&site.config())])
            .status
            .code(),
        Some(1)
    );

    let (code, _) = restore(&site, &keys, &file);
    assert_eq!(code, 1, "a database is never overwritten");
    lose_database(&site, "lost");
    let (code, report) = restore(&site, &keys, &file);
    assert_eq!(code, 0, "{report}");
    assert_eq!((report["mlog_size"].as_u64(), report["olog_size"].as_u64()), (Some(4), Some(5)));
    assert!(site.database().exists() && !site.dir.join("server/ward.db.restored").exists());
    let (code, report) = site.doctor();
    assert_eq!((code, problems(&report)), (0, vec![]), "{report}");
    have_cosigned(&site);
    let leftovers: Vec<String> = std::fs::read_dir(site.dir.join("server"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("backup") || name.contains("restored"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
}

/// The whole server folder is gone: the backup brings keys and configuration too.
#[test]
fn a_lost_server_folder_comes_back_with_its_keys() {
    let site = Site::make();
    let keys = make_key(&site);
    have_cosigned(&site);
    let file = backup(&site, &keys, "one.backup");
    let (old, fresh) = (site.dir.join("server"), site.dir.join("lost-server"));
    std::fs::rename(&old, &fresh).unwrap();
    let (code, report) = restore(&site, &keys, &file);
    assert_eq!(code, 0, "{report}");
    for name in ["ward.toml", "log.key", "server.key", "tls.crt", "tls.key"] {
        assert_eq!(
            std::fs::read(old.join(name)).unwrap(),
            std::fs::read(fresh.join(name)).unwrap(),
            "{name}"
        );
    }
    let server = serve(&site.config());
    assert_eq!(get(&site.server(), "/healthz").unwrap().status, 200, "devices still accept its key");
    assert_eq!(server.stop().0, 0);
}

/// The configuration comes out of the backup and names a database elsewhere, here on another disk.
#[test]
fn a_database_on_another_disk_comes_back_there() {
    let site = Site::make();
    let keys = make_key(&site);
    let shm = PathBuf::from("/dev/shm");
    let elsewhere = if shm.is_dir() { tempfile::tempdir_in(&shm) } else { tempfile::tempdir() }.unwrap();
    let database = elsewhere.path().join("data/ward.db");
    std::fs::create_dir(database.parent().unwrap()).unwrap();
    std::fs::copy(site.database(), &database).unwrap();
    std::fs::remove_file(site.database()).unwrap();
    let config = std::fs::read_to_string(site.config()).unwrap();
    let named = format!("database = \"{}\"", text(&database));
    std::fs::write(site.config(), config.replace("database = \"ward.db\"", &named)).unwrap();
    have_cosigned(&site);
    let file = backup(&site, &keys, "one.backup");
    std::fs::rename(site.dir.join("server"), site.dir.join("lost-server")).unwrap();
    std::fs::remove_dir_all(database.parent().unwrap()).unwrap();
    let (code, report) = restore(&site, &keys, &file);
    assert_eq!(code, 0, "{report}");
    assert!(database.exists());
    assert!(!elsewhere.path().join("data/ward.db.restored").exists());
    assert!(!site.dir.join("server/ward.db.restored").exists());
    have_cosigned(&site);
}

/// A backup that was killed leaves a whole copy of the database: doctor names it, the next backup
/// takes it away.
#[test]
fn what_a_killed_backup_left_is_named_and_removed() {
    let site = Site::make();
    let keys = make_key(&site);
    have_cosigned(&site);
    let left = site.dir.join("server/ward.db.backup-0011223344556677");
    std::fs::create_dir(&left).unwrap();
    std::fs::copy(site.database(), left.join("copy.db")).unwrap();
    let (code, report) = site.doctor();
    assert_eq!((code, problems(&report)), (1, vec!["backup".to_owned()]), "{report}");
    backup(&site, &keys, "one.backup");
    assert!(!left.exists());
    assert_eq!(site.doctor().0, 0);
}

#[test]
fn rt_13_a_restore_that_loses_history_is_refused_and_says_what_is_missing() {
    let site = Site::make();
    let keys = make_key(&site);
    grow(&site, 2);
    have_cosigned(&site);
    let old = backup(&site, &keys, "old.backup");
    grow(&site, 3);
    have_cosigned(&site);
    lose_database(&site, "lost");

    let (code, report) = restore(&site, &keys, &old);
    assert_eq!(code, 1, "{report}");
    assert_eq!((report["missing"]["mlog"].as_u64(), report["missing"]["olog"].as_u64()), (Some(1), Some(3)));
    assert!(!site.database().exists(), "nothing was put in place");
    let beside = site.dir.join("server/ward.db.restored");
    assert!(beside.exists(), "but it can be looked at");
    let text_output =
        run(&["restore", text(&old), "--key", text(&keys.secret), "--config", text(&site.config())]);
    assert_ne!(text_output.status.code(), Some(0), "what lies beside is not overwritten");

    // Somebody who puts it in place by hand does not get far either.
    std::fs::rename(&beside, site.database()).unwrap();
    let output = run(&["serve", "--config", text(&site.config())]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("set back"), "{}", said(&output));
    assert!(problems(&site.doctor().1).contains(&"witness".to_owned()));
}

#[test]
fn another_history_of_the_same_length_is_refused() {
    let site = Site::make();
    let keys = make_key(&site);
    let before = backup(&site, &keys, "before.backup");
    grow(&site, 1);
    have_cosigned(&site);
    // The same sizes with other operations: restored, then grown differently.
    lose_database(&site, "lost");
    let heads: Vec<PathBuf> = (1..=3).map(|n| site.dir.join(format!("witness-{n}/heads"))).collect();
    let kept: Vec<Vec<u8>> = heads.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let forgotten = ward_audit::WitnessState::default().to_canonical();
    heads.iter().for_each(|path| std::fs::write(path, &forgotten).unwrap());
    assert_eq!(restore(&site, &keys, &before).0, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&site.database(), SqliteOptions::default()).unwrap();
        let bytes = b"another leaf".to_vec();
        let entry = MlogAppend {
            expected_size: 3,
            subject: Subject::from_bytes([9; 16]),
            entry_hash: MlogEntryHash::from_bytes(Sha256::digest(&bytes).into()),
            bytes,
            package: None,
            ended_devices: vec![],
            received_at: TimestampMs(1),
        };
        store.append_mlog(entry).await.unwrap();
        store.append_operations(vec![operation(1)], TimestampMs(1)).await.unwrap();
        store.close().await;
    });
    let forged = backup(&site, &keys, "forged.backup");
    lose_database(&site, "lost-again");
    heads.iter().zip(kept).for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    let (code, report) = restore(&site, &keys, &forged);
    assert_eq!((code, report["other_history"].as_bool()), (1, Some(true)), "{report}");
    assert!(!site.database().exists());
}

#[test]
fn without_witnesses_nothing_is_put_in_place() {
    let site = Site::make();
    let keys = make_key(&site);
    have_cosigned(&site);
    let file = backup(&site, &keys, "one.backup");
    lose_database(&site, "lost");
    for n in [1, 2] {
        std::fs::rename(site.dir.join(format!("witness-{n}")), site.dir.join(format!("away-{n}"))).unwrap();
    }
    assert_eq!(restore(&site, &keys, &file).0, 4);
    assert!(!site.database().exists());
    // With two of three, every quorum is met in at least one.
    std::fs::remove_file(site.dir.join("server/ward.db.restored")).unwrap();
    std::fs::rename(site.dir.join("away-1"), site.dir.join("witness-1")).unwrap();
    assert_eq!(restore(&site, &keys, &file).0, 0);
}

#[test]
fn wrong_keys_and_damaged_backups_leave_nothing() {
    let site = Site::make();
    let keys = make_key(&site);
    let file = backup(&site, &keys, "one.backup");
    lose_database(&site, "lost");
    let names = || {
        let entries =
            std::fs::read_dir(site.dir.join("server")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.filter(|name| name != "lock").collect();
        names.sort();
        names
    };
    let before = names();
    let other = site.folder.path().join("other.key");
    assert_eq!(run_json(&["backup", text(&other), "--make-key"]).0, 0);
    let wrong = Keys { secret: other, public: keys.public.clone() };
    assert_eq!(restore(&site, &wrong, &file).0, 3);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = site.folder.path().join("damaged.backup");
    std::fs::write(&damaged, &bytes).unwrap();
    assert_eq!(restore(&site, &keys, &damaged).0, 3);
    assert_eq!(names(), before);
    assert_eq!(restore(&site, &keys, &file).0, 0);
}

#[test]
fn a_backup_shows_nothing_of_what_is_in_it() {
    let site = Site::make();
    let keys = make_key(&site);
    let file = backup(&site, &keys, "one.backup");
    let bytes = std::fs::read(&file).unwrap();
    for part in
        [&b"SQLite format"[..], b"[server]", b"PRIVATE KEY", site.made["site"].as_str().unwrap().as_bytes()]
    {
        assert!(!bytes.windows(part.len()).any(|window| window == part));
    }
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&keys.secret).unwrap().permissions().mode() & 0o777, 0o600);
}

/// With `--reopen` the same backup comes into place, and the server says what it waits for.
#[test]
fn fault_14_a_restore_that_lost_history_can_be_declared_and_waits() {
    let site = Site::make();
    let keys = make_key(&site);
    grow(&site, 2);
    have_cosigned(&site);
    let old = backup(&site, &keys, "old.backup");
    grow(&site, 3);
    have_cosigned(&site);
    lose_database(&site, "lost");
    assert_eq!(restore(&site, &keys, &old).0, 1);
    std::fs::remove_file(site.dir.join("server/ward.db.restored")).unwrap();
    let (code, report) = run_json(&[
        "restore",
        text(&old),
        "--key",
        text(&keys.secret),
        "--config",
        text(&site.config()),
        "--reopen",
    ]);
    assert_eq!(code, 0, "{report}");
    assert_eq!((report["missing"]["mlog"].as_u64(), report["missing"]["olog"].as_u64()), (Some(1), Some(3)));
    assert!(site.database().exists());
    let _server = site.serve();
    let waits = get(&site.server(), "/readyz").unwrap();
    let body = String::from_utf8_lossy(&waits.body);
    assert_eq!(waits.status, 503, "{body}");
    assert!(body.contains("WARD-5040"), "it waits for its membership log first: {body}");
}
