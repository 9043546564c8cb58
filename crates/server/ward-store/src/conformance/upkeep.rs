//! The server's own values, figures and checks.

use super::samples::{NOW, chart, device, mlog_hash, operation, push};
use crate::limits::META_MAX_BYTES;
use crate::{MetaKey, MlogAppend, NewTicket, Store, StoreError};
use tokio::task::JoinSet;
use ward_id::{EnvelopeHash, MlogEntryHash, Subject, TicketId};

const KEY: MetaKey = MetaKey::new("test.key");

fn mlog_entry(entry_hash: MlogEntryHash, expected_size: u64, bytes: &[u8]) -> MlogAppend {
    MlogAppend {
        expected_size,
        subject: Subject::from(chart(1)),
        entry_hash,
        bytes: bytes.to_vec(),
        package: None,
        ended_devices: Vec::new(),
        received_at: NOW,
    }
}

/// Creating never replaces, putting always does.
pub async fn the_first_value_stays<S: Store>(store: S) {
    assert_eq!(store.meta(KEY).await.unwrap(), None);
    assert!(store.create_meta(KEY, vec![1]).await.unwrap());
    assert!(!store.create_meta(KEY, vec![2]).await.unwrap());
    assert_eq!(store.meta(KEY).await.unwrap(), Some(vec![1]));
    store.put_meta(KEY, vec![3]).await.unwrap();
    store.put_meta(MetaKey::new("test.empty"), vec![]).await.unwrap();
    assert_eq!(store.meta(KEY).await.unwrap(), Some(vec![3]));
    assert_eq!(store.meta(MetaKey::new("test.empty")).await.unwrap(), Some(vec![]));
    store.put_meta(KEY, vec![4; META_MAX_BYTES]).await.unwrap();
    let past = store.put_meta(KEY, vec![4; META_MAX_BYTES + 1]).await;
    assert!(matches!(past, Err(StoreError::TooLarge { .. })));
}

/// Two servers that start at once agree on one identity.
pub async fn of_racing_values_one_is_created<S: Store>(store: S) {
    let mut tasks = JoinSet::new();
    for n in 0..50u8 {
        let store = store.clone();
        tasks.spawn(async move { store.create_meta(KEY, vec![n]).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|created| *created).count(), 1);
}

/// Figures are counts of rows.
pub async fn figures_count_what_is_there<S: Store>(store: S) {
    let empty = store.stats().await.unwrap();
    assert_eq!((empty.operations, empty.mlog_entries, empty.charts, empty.chains), (0, 0, 0, 0));
    store.append_operations(push(1, 1, 1..=3), NOW).await.unwrap();
    store.append_operations(push(1, 2, 1..=1), NOW).await.unwrap();
    store.append_operations(push(2, 1, 1..=1), NOW).await.unwrap();
    store.append_mlog(mlog_entry(mlog_hash(b"a"), 0, b"a")).await.unwrap();
    let ticket = NewTicket {
        ticket: TicketId::from_bytes([1; 16]),
        issuer: device(1),
        sealed_srv: vec![1],
        role: 2,
        chart: None,
        not_after: NOW.plus_ms(1),
    };
    store.create_ticket(ticket, NOW).await.unwrap();
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.operations, stats.mlog_entries, stats.charts, stats.chains), (5, 1, 2, 3));
    assert_eq!((stats.open_tickets, stats.proposals), (1, 0));
    assert!(stats.commits >= 1 && stats.committed_requests >= 5);
}

/// A store that did its work is sound.
pub async fn a_sound_store_has_no_findings<S: Store>(store: S) {
    store.append_operations(push(1, 1, 1..=9), NOW).await.unwrap();
    store.append_mlog(mlog_entry(mlog_hash(b"a"), 0, b"a")).await.unwrap();
    let report = store.integrity_check().await.unwrap();
    assert_eq!(
        (report.operations, report.mlog_entries, report.is_sound()),
        (9, 1, true),
        "{:?}",
        report.findings
    );
}

/// Bytes that are not those of their leaf are found, in both logs.
pub async fn a_wrong_hash_is_found<S: Store>(store: S) {
    let mut wrong = operation(1, 1, 1, 0, 300);
    wrong.envelope_hash = EnvelopeHash::from_bytes([1; 32]);
    store.append_operations(vec![wrong], NOW).await.unwrap();
    store.append_operations(push(2, 1, 1..=1), NOW).await.unwrap();
    store.append_mlog(mlog_entry(MlogEntryHash::from_bytes([1; 32]), 0, b"a")).await.unwrap();
    let report = store.integrity_check().await.unwrap();
    assert_eq!(report.findings.len(), 2, "{:?}", report.findings);
}
