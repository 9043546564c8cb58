//! A backup that is older than a change of the log key: the witnesses follow the logs under the new one.

use crate::scene::{Running, get, run, run_json, said, serve, server_of, text};
use crate::witnesses::{Witness, site_with};
use std::path::Path;
use ward_audit::{SignatureKind, VerifierKey};
use ward_crypto::{RootPolicy, SignKey, SiteManifest};
use ward_id::{Canonical as _, TimestampMs};
use ward_server::{read_key_file, write_key_file};
use ward_store::{MetaKey, MetaStore as _, MlogAppend, MlogLeaf, MlogStore as _};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::{Effect, Membership, MlogBody, MlogEntry, Scope};

/// The root keys sign another log key; the server does not run. Gives the lines of the logs under it.
fn change_log_key(dir: &Path, log_key: &SignKey) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&dir.join("server/ward.db"), SqliteOptions::default()).unwrap();
        let root = store.meta(MetaKey::new("site.root-policy")).await.unwrap().unwrap();
        let mut membership = Membership::new(RootPolicy::from_canonical(&root).unwrap(), Scope::All);
        for stored in store.mlog_entries(0, u64::MAX).await.unwrap() {
            let leaf = MlogLeaf { subject: stored.subject, entry_hash: stored.entry_hash }.to_bytes();
            membership.apply_bytes(stored.index, &leaf, &stored.bytes).unwrap();
        }
        let before = membership.manifest().unwrap();
        let (prev, mut fields) = (before.hash(), (**before).clone());
        (fields.number, fields.prev, fields.log_key) = (fields.number + 1, Some(prev), *log_key.public());
        let (site, origins) = (fields.site, [fields.mlog_origin.clone(), fields.olog_origin.clone()]);
        let body = MlogBody::SiteManifest(Box::new(SiteManifest::new(fields).unwrap()));
        let mut entry = MlogEntry::unsigned(site, site.into(), membership.head(), &body).unwrap();
        for number in 1..=2 {
            let secret = read_key_file(&dir.join(format!("root/root-{number}.key"))).unwrap();
            entry = entry.sign_as_root(&SignKey::from_secret_bytes(&secret)).unwrap();
        }
        assert_eq!(membership.clone().apply(membership.size(), &entry).unwrap(), Effect::Effective);
        let append = MlogAppend {
            expected_size: membership.size(),
            subject: entry.subject(),
            entry_hash: entry.hash(),
            bytes: entry.to_canonical(),
            package: None,
            ended_devices: vec![],
            received_at: TimestampMs(1),
        };
        store.append_mlog(append).await.unwrap();
        store.close().await;
        let line = |origin: &String| {
            let key = log_key.public();
            VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, key.as_bytes()).unwrap().to_string()
        };
        origins.iter().map(line).collect()
    })
}

/// Whether a sync of an admin's device finds everything in order.
fn admin_syncs(dir: &Path, number: u8) -> bool {
    let home = dir.join(format!("admin-{number}"));
    let output = run(&["--home", text(&home), "sync"]);
    output.status.success() || {
        println!("admin {number}: {}", said(&output));
        false
    }
}

fn ready(made: &serde_json::Value) -> (u16, String) {
    let answer = get(&server_of(made), "/readyz").unwrap();
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

/// The backup's log key is not the one under which the witnesses follow the logs now. With the new key at
/// hand they are asked all the same; the server starts with the old one, an admin's device gives the lost
/// manifest back, and with the new key the site goes on as it was.
#[test]
fn fault_14_a_restore_asks_witnesses_that_were_moved_to_a_newer_log_key() {
    let folder = tempfile::tempdir().unwrap();
    let witnesses = ["w1", "w2", "w3"].map(|name| Witness::make(folder.path(), name));
    let dir = folder.path().join("site");
    let made = site_with(&dir, &witnesses);
    let (config, offline) = (dir.join("server/ward.toml"), folder.path().join("offline.key"));
    let started =
        |logs: &[String]| -> Vec<Running> { witnesses.iter().map(|witness| witness.start(logs)).collect() };
    let logs: Vec<String> =
        made["logs"].as_array().unwrap().iter().map(|log| log.as_str().unwrap().to_owned()).collect();
    let running = started(&logs);
    let server = serve(&config);
    assert_eq!([admin_syncs(&dir, 1), admin_syncs(&dir, 2)], [true, true]);
    let (code, key) = run_json(&["backup", text(&offline), "--make-key"]);
    assert_eq!(code, 0);
    let backup = folder.path().join("old.backup");
    let to = key["public"].as_str().unwrap();
    let output = run(&["backup", text(&backup), "--to", to, "--config", text(&config)]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(server.stop().0, 0);
    running.into_iter().for_each(|one| assert_eq!(one.stop().0, 0));

    // The site and its witnesses move to another log key; both admins see it.
    let new_key = SignKey::from_secret_bytes(&[77; 32]);
    let logs = change_log_key(&dir, &new_key);
    let (log_key, kept) = (dir.join("server/log.key"), folder.path().join("new-log.key"));
    std::fs::remove_file(&log_key).unwrap();
    [&log_key, &kept].into_iter().for_each(|path| write_key_file(path, &[77; 32]).unwrap());
    for witness in &witnesses {
        std::fs::remove_file(witness.dir.join("logs.txt")).unwrap();
    }
    let running = started(&logs);
    let server = serve(&config);
    assert_eq!(ready(&made).0, 200);
    assert_eq!([admin_syncs(&dir, 1), admin_syncs(&dir, 2)], [true, true]);
    assert_eq!(server.stop().0, 0);

    // The disk dies with the new key. The backup's key opens no witness's mouth, the new one does.
    for name in ["ward.db", "ward.db-wal", "ward.db-shm", "log.key"] {
        let _ = std::fs::remove_file(dir.join("server").join(name));
    }
    let restore = |more: &[&str]| {
        let args = ["restore", text(&backup), "--key", text(&offline), "--config", text(&config), "--reopen"];
        run_json(&[&args, more].concat())
    };
    let (code, report) = restore(&[]);
    assert_eq!((code, &report["witnesses"]["answered"]), (4, &0.into()), "{report}");
    for name in ["ward.db.restored", "log.key"] {
        std::fs::remove_file(dir.join("server").join(name)).unwrap();
    }
    let (code, report) = restore(&["--log-key", text(&kept)]);
    assert_eq!((code, &report["missing"]["mlog"]), (0, &1.into()), "{report}");

    let server = serve(&config);
    let (status, body) = ready(&made);
    assert!(status == 503 && body.contains("WARD-5040"), "{status}: {body}");
    admin_syncs(&dir, 1);
    assert!(!ready(&made).1.contains("WARD-5040"), "the manifest is back: {:?}", ready(&made));
    assert_eq!(server.stop().0, 0);
    let old = run(&["serve", "--config", text(&config)]);
    assert!(said(&old).contains("the log key is not the one"), "{}", said(&old));
    std::fs::copy(&kept, &log_key).unwrap();
    let server = serve(&config);
    assert_eq!(ready(&made).0, 200);
    assert_eq!([admin_syncs(&dir, 1), admin_syncs(&dir, 2)], [true, true]);
    assert_eq!(server.stop().0, 0);
    running.into_iter().for_each(|one| assert_eq!(one.stop().0, 0));
}
