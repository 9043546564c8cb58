//! Pushes that arrive at the same moment are checked and stored in one go. Nobody may notice.

use crate::support::World;
use crate::support::people::Device;
use crate::support::wire::Reply;
use std::time::Duration;
use ward_api::{EnvelopeBatch, ErrorCode, Opaque, paths};
use ward_audit::{Receipt, SignatureKind, VerifierKey};
use ward_crypto::{SignKey, sha256};
use ward_store::{MemoryStore, OlogStore as _, Store};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

#[tokio::test]
async fn each_stands_for_itself_on_memory() {
    each_stands_for_itself(MemoryStore::new()).await;
}

#[tokio::test]
async fn each_stands_for_itself_on_sqlite_in_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    let commits = each_stands_for_itself(store).await;
    assert_eq!(commits, 1, "one thread polls all callers, so all wait when the first is served");
}

/// Nine callers at once, four of them in the wrong. Returns how many commits that took.
async fn each_stands_for_itself<S: Store>(store: S) -> u64 {
    let mut world = World::on(store).await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let path = paths::envelopes(chart);
    let (phone, spare, coordinator) = (&world.people.phone, &world.people.spare, &world.people.coordinator);
    // Every chain begins by itself, so that nothing has to be read when all come at once.
    let mut pens = Vec::new();
    for (life, device) in (1..).zip([phone, spare, coordinator, phone, phone, phone, spare, phone]) {
        let mut pen = world.pen(device, chart, life);
        let begun: Receipt = world.login(device).await.post(&path, &pen.batch(1, &secret, head)).await.cbor();
        assert_eq!(begun.first_index(), life - 1);
        pens.push(pen);
    }
    let mut pushes: Vec<(&Device, EnvelopeBatch, Option<ErrorCode>)> = Vec::new();
    for (pen, count) in pens[..3].iter_mut().zip(1..) {
        pushes.push((pen.device, pen.batch(count, &secret, head), None));
    }
    let whole = pens[3].batch(3, &secret, head);
    pushes.push((phone, whole[1..].to_vec(), Some(ErrorCode::Gap)));
    let mut changed = pens[4].batch(2, &secret, head);
    *changed[1].0.last_mut().unwrap() ^= 1;
    pushes.push((phone, changed, Some(ErrorCode::OperationSignature)));
    let header = pens[5].header(0, head);
    let stolen = vec![Opaque(pens[6].seal(header, &secret))];
    pushes.push((phone, stolen.clone(), Some(ErrorCode::OperationSignature)));
    pushes.push((coordinator, stolen, Some(ErrorCode::ForeignDevice)));
    // After the bad ones, so that verdicts which slipped by one would show.
    pushes.push((spare, pens[6].batch(4, &secret, head), None));
    pushes.push((phone, pens[7].batch(2, &secret, head), None));

    let mut sessions = Vec::new();
    for (device, ..) in &pushes {
        sessions.push(world.login(device).await);
    }
    let before = world.store.stats().await.unwrap().commits;
    let sent = sessions.iter().zip(&pushes).map(|(session, (_, batch, _))| session.post(&path, batch));
    let replies: Vec<Reply> = futures_util::future::join_all(sent).await;

    let log_key = SignKey::from_secret_bytes(&world.people.log_key_seed);
    let origin = world.people.manifest.olog_origin.parse().unwrap();
    let key = VerifierKey::new(origin, SignatureKind::Log, log_key.public().as_bytes()).unwrap();
    let mut places = Vec::new();
    for ((_, batch, expected), reply) in pushes.iter().zip(&replies) {
        if let Some(code) = expected {
            reply.refused(*code);
            continue;
        }
        let receipt: Receipt = reply.cbor();
        assert_eq!(receipt.verify(&key), Ok(()));
        let hashes: Vec<[u8; 32]> = batch.iter().map(|Opaque(bytes)| sha256(bytes)).collect();
        assert_eq!(receipt.envelopes().iter().map(|hash| *hash.as_bytes()).collect::<Vec<_>>(), hashes);
        for (index, Opaque(bytes)) in (receipt.first_index()..).zip(batch) {
            assert_eq!(world.store.operation_at(index).await.unwrap().unwrap().bytes, *bytes);
            places.push(index);
        }
    }
    places.sort_unstable();
    assert_eq!(places, (8..20).collect::<Vec<u64>>(), "every accepted operation has a place of its own");
    assert_eq!(world.store.olog_size().await.unwrap(), 20);
    world.store.stats().await.unwrap().commits - before
}

/// The first of a group hangs up while all wait: the others are served, and what it sent is either
/// stored or not, as with any lost connection.
#[tokio::test]
async fn a_caller_that_hangs_up_stops_nobody() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let (phone, spare) = (world.login(&world.people.phone).await, world.login(&world.people.spare).await);
    let path = paths::envelopes(chart);
    let lost = world.pen(&world.people.phone, chart, 1).batch(1, &secret, head);
    let kept = world.pen(&world.people.spare, chart, 1).batch(1, &secret, head);
    // Polled once, which takes it to where it waits for its group, then dropped.
    {
        let mut asked = Box::pin(phone.post(&path, &lost));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asked.as_mut().poll(&mut cx).is_pending());
    }
    let reply = tokio::time::timeout(Duration::from_secs(20), spare.post(&path, &kept)).await;
    let receipt: Receipt = reply.expect("the group is served without its first caller").cbor();
    assert_eq!(receipt.envelopes().len(), 1);
    let again: Receipt = phone.post(&path, &lost).await.cbor();
    assert_eq!(again.envelopes().len(), 1);
    assert_eq!(world.store.olog_size().await.unwrap(), 2);
}
