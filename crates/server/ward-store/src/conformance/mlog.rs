//! The membership log.

use super::samples::{NOW, chart, device, mlog_hash};
use crate::limits::MLOG_PAGE_MAX_BYTES;
use crate::{
    FamilyId, KeyThumbprint, MlogAppend, MlogAppendError, NewPackage, NewRefreshFamily, RefreshHash, Store,
};
use tokio::task::JoinSet;
use ward_api::MlogLeaf;
use ward_id::{PackageHash, Subject};

fn subject(n: u8) -> Subject {
    Subject::from(chart(n))
}

fn entry(expected_size: u64, about: u8, bytes: &[u8]) -> MlogAppend {
    MlogAppend {
        expected_size,
        subject: subject(about),
        entry_hash: mlog_hash(bytes),
        bytes: bytes.to_vec(),
        package: None,
        ended_devices: Vec::new(),
        received_at: NOW,
    }
}

fn announce(expected_size: u64, c: u8, epoch: u64, bytes: &[u8]) -> MlogAppend {
    let hash = PackageHash::from_bytes([epoch as u8; 32]);
    let package = NewPackage { chart: chart(c), epoch, hash, bytes: vec![epoch as u8; 20] };
    MlogAppend { package: Some(package), ..entry(expected_size, c, bytes) }
}

/// Compare and swap on the size.
pub async fn entries_append_at_the_expected_size<S: Store>(store: S) {
    let first = store.append_mlog(entry(0, 1, b"a")).await.unwrap();
    assert_eq!((first.index, first.size, first.new), (0, 1, true));
    for wrong in [0, 2, u64::MAX] {
        let refused = store.append_mlog(entry(wrong, 1, b"b")).await;
        assert_eq!(refused, Err(MlogAppendError::Moved { size: 1 }));
    }
    let second = store.append_mlog(entry(1, 1, b"b")).await.unwrap();
    assert_eq!((second.index, second.size), (1, 2));
    assert_eq!(store.mlog_size().await.unwrap(), 2);
}

/// Of 50 different entries with one base, one is appended.
pub async fn of_racing_appends_one_wins<S: Store>(store: S) {
    let mut tasks = JoinSet::new();
    for n in 0..50u8 {
        let store = store.clone();
        tasks.spawn(async move { store.append_mlog(entry(0, n, &[n])).await });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1);
    let moved = answers.iter().filter(|a| **a == Err(MlogAppendError::Moved { size: 1 })).count();
    assert_eq!(moved, 49);
    assert_eq!(store.mlog_size().await.unwrap(), 1);
}

/// A lost answer can be asked for again.
pub async fn the_same_entry_again_keeps_its_place<S: Store>(store: S) {
    store.append_mlog(entry(0, 1, b"a")).await.unwrap();
    store.append_mlog(entry(1, 1, b"b")).await.unwrap();
    let again = store.append_mlog(entry(0, 1, b"a")).await.unwrap();
    assert_eq!((again.index, again.size, again.new), (0, 2, false));
    assert_eq!(store.mlog_index_of(mlog_hash(b"b")).await.unwrap(), Some(1));
    assert_eq!(store.mlog_index_of(mlog_hash(b"c")).await.unwrap(), None);
}

/// Packages come out by epoch, with the place of their announce.
pub async fn a_package_comes_with_its_announce<S: Store>(store: S) {
    store.append_mlog(announce(0, 1, 0, b"a")).await.unwrap();
    store.append_mlog(announce(1, 2, 0, b"b")).await.unwrap();
    store.append_mlog(announce(2, 1, 1, b"c")).await.unwrap();
    let all = store.epoch_packages(chart(1), 0).await.unwrap();
    assert_eq!(all.iter().map(|p| (p.epoch, p.mlog_index)).collect::<Vec<_>>(), [(0, 0), (1, 2)]);
    assert_eq!((all[1].hash, &all[1].bytes), (PackageHash::from_bytes([1; 32]), &vec![1; 20]));
    assert_eq!(store.epoch_packages(chart(1), 1).await.unwrap(), all[1..]);
    assert_eq!(store.epoch_packages(chart(1), 2).await.unwrap(), []);
    assert_eq!(store.epoch_packages(chart(3), 0).await.unwrap(), []);
}

/// The first package of an epoch counts; an entry that brings a second is not appended at all.
pub async fn a_second_package_of_an_epoch_is_refused_whole<S: Store>(store: S) {
    store.append_mlog(announce(0, 1, 0, b"a")).await.unwrap();
    let mut second = announce(1, 1, 0, b"b");
    second.ended_devices = vec![device(1)];
    let refused = store.append_mlog(second).await;
    assert_eq!(refused, Err(MlogAppendError::EpochTaken { epoch: 0 }));
    assert_eq!(store.mlog_size().await.unwrap(), 1);
    assert_eq!(store.device_session(device(1), NOW).await.unwrap().session_version, 0);
    let moved = store.append_mlog(announce(0, 1, 1, b"c")).await;
    assert_eq!(moved, Err(MlogAppendError::Moved { size: 1 }));
    assert_eq!(store.epoch_packages(chart(1), 0).await.unwrap().len(), 1);
}

/// Sessions of a revoked device end in the transaction that appends the revocation.
pub async fn a_revocation_ends_sessions_with_its_entry<S: Store>(store: S) {
    let token_hash = RefreshHash::from_bytes([1; 32]);
    let family = NewRefreshFamily {
        family: FamilyId::from_bytes([1; 16]),
        device: device(1),
        jkt: KeyThumbprint::from_bytes([1; 32]),
        token_hash,
        expires_at: NOW.plus_ms(1_000_000),
    };
    store.create_refresh_family(family).await.unwrap();
    let revoke = MlogAppend { ended_devices: vec![device(1), device(2)], ..entry(0, 1, b"revoke") };
    store.append_mlog(MlogAppend { expected_size: 5, ..revoke.clone() }).await.unwrap_err();
    assert!(store.refresh_token(token_hash).await.unwrap().is_some(), "a refused entry ends nothing");
    store.append_mlog(revoke.clone()).await.unwrap();
    assert_eq!(store.refresh_token(token_hash).await.unwrap(), None);
    for d in [1, 2] {
        assert_eq!(store.device_session(device(d), NOW).await.unwrap().session_version, 1);
    }
    store.append_mlog(revoke).await.unwrap();
    assert_eq!(
        store.device_session(device(1), NOW).await.unwrap().session_version,
        1,
        "a repeat ends nothing"
    );
}

/// By range, in the order of the log.
pub async fn entries_by_range<S: Store>(store: S) {
    for n in 0..6u8 {
        store.append_mlog(entry(u64::from(n), n % 3, &[n])).await.unwrap();
    }
    let all = store.mlog_entries(0, 9).await.unwrap();
    let summary: Vec<_> = all.iter().map(|e| (e.index, e.subject, e.bytes.clone(), e.received_at)).collect();
    assert_eq!(summary, (0..6u8).map(|n| (u64::from(n), subject(n % 3), vec![n], NOW)).collect::<Vec<_>>());
    assert!(all.iter().all(|e| e.entry_hash == mlog_hash(&e.bytes)));
    assert_eq!(store.mlog_entries(2, 4).await.unwrap(), all[2..4]);
    let leaves = store.mlog_leaves(1, 5).await.unwrap();
    let want: Vec<_> =
        all[1..5].iter().map(|e| MlogLeaf { subject: e.subject, entry_hash: e.entry_hash }).collect();
    assert_eq!(leaves, want);
    assert_eq!(store.mlog_entries(6, 9).await.unwrap(), []);
    assert_eq!(store.mlog_entries(4, 2).await.unwrap(), []);
    assert_eq!(store.mlog_leaves(6, u64::MAX).await.unwrap(), []);
}

/// A page of entries stays within its bytes and begins anew after its last index.
pub async fn pages_of_large_entries_are_cut<S: Store>(store: S) {
    let size = MLOG_PAGE_MAX_BYTES / 3;
    for n in 0..5u8 {
        store.append_mlog(entry(u64::from(n), n % 2, &vec![n; size])).await.unwrap();
    }
    let first = store.mlog_entries(0, 5).await.unwrap();
    assert_eq!(first.iter().map(|e| e.index).collect::<Vec<_>>(), [0, 1, 2]);
    let rest = store.mlog_entries(3, 5).await.unwrap();
    assert_eq!(rest.iter().map(|e| e.index).collect::<Vec<_>>(), [3, 4]);
}
