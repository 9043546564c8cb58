//! Bad pushes: each is refused with its code and leaves no trace in the store.

use crate::support::{Pen, Session, World};
use ward_api::limits::{OPERATION_MAX_BYTES, PUSH_MAX_BYTES, PUSH_MAX_OPERATIONS};
use ward_api::{EnvelopeBatch, ErrorCode, Opaque, headers, paths};
use ward_crypto::{EnvelopeHeader, EpochSecret};
use ward_id::{Canonical as _, ChartId, TreeRoot};
use ward_store::{MemoryStore, MlogStore as _, OlogStore as _};
use ward_sync::{MlogBody, TreeHead};

/// A world in which the phone has pushed two entries.
struct Table {
    world: World<MemoryStore>,
    chart: ChartId,
    secret: EpochSecret,
    head: TreeHead,
}

impl Table {
    async fn new() -> Self {
        let mut world = World::new().await;
        let chart = world.people.chart;
        let (_, secret) = world.first_epoch(chart).await;
        let head = world.people.membership.head();
        Self { world, chart, secret, head }
    }

    async fn phone(&self) -> (Session<'_>, Pen<'_>) {
        let phone = self.world.login(&self.world.people.phone).await;
        let mut pen = self.world.pen(&self.world.people.phone, self.chart, 1);
        phone.post(&paths::envelopes(self.chart), &pen.batch(2, &self.secret, self.head)).await.ok();
        (phone, pen)
    }

    /// Everything a push could change.
    async fn state(&self) -> (u64, u64, Vec<(ward_id::DeviceId, u64)>) {
        let have = self.world.store.have(self.chart).await.unwrap();
        let heads = have.iter().map(|(device, _, head)| (device, head.seq)).collect();
        (self.world.store.olog_size().await.unwrap(), self.world.store.mlog_size().await.unwrap(), heads)
    }

    async fn refused(&self, phone: &Session<'_>, what: &str, body: Vec<u8>, code: ErrorCode) {
        let before = self.state().await;
        let reply = phone.call("POST", &paths::envelopes(self.chart), Some(headers::MEDIA_CBOR), body).await;
        assert_eq!(reply.code(), Some(code), "{what}: {}", String::from_utf8_lossy(&reply.body));
        assert_eq!(reply.status, code.status(), "{what}");
        assert_eq!(self.state().await, before, "{what} left a trace");
    }
}

fn one(bytes: Vec<u8>) -> Vec<u8> {
    let batch: EnvelopeBatch = vec![Opaque(bytes)];
    batch.to_canonical()
}

#[tokio::test]
async fn malformed_oversized_and_truncated_pushes() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    let header = pen.header(0, table.head);
    let good = pen.seal(header.clone(), &table.secret);
    let body = one(good.clone());
    let mut long_head = body.clone();
    long_head.splice(0..1, [0x98, 0x01]);
    let empty_ones = vec![Opaque(Vec::new()); 100_000].to_canonical();
    let without_length = [&[0x9f][..], &vec![0x40; 100_000], &[0xff]].concat();
    let batch_of = |count: usize| vec![Opaque(good.clone()); count].to_canonical();
    let huge =
        vec![Opaque(vec![0; OPERATION_MAX_BYTES]); PUSH_MAX_BYTES / OPERATION_MAX_BYTES + 1].to_canonical();
    for (what, body, code) in [
        ("nothing", Vec::new(), ErrorCode::Malformed),
        ("junk", vec![0xff; 64], ErrorCode::Malformed),
        ("truncated body", body[..body.len() - 1].to_vec(), ErrorCode::Malformed),
        ("longer head", long_head, ErrorCode::NotCanonical),
        ("trailing byte", [body.as_slice(), &[0]].concat(), ErrorCode::NotCanonical),
        ("truncated envelope", one(good[..good.len() - 1].to_vec()), ErrorCode::Malformed),
        ("envelope with more", one([good.as_slice(), &[0]].concat()), ErrorCode::NotCanonical),
        ("many empty ones", empty_ones, ErrorCode::PushTooLarge),
        ("a list without a length", without_length, ErrorCode::NotCanonical),
        ("many stated, none there", vec![0x1a, 0xff, 0xff, 0xff, 0xff], ErrorCode::Malformed),
        ("millions stated, none there", vec![0x9a, 0xff, 0xff, 0xff, 0xff], ErrorCode::PushTooLarge),
        ("no envelope", batch_of(0), ErrorCode::NotOneChain),
        ("too many", batch_of(PUSH_MAX_OPERATIONS + 1), ErrorCode::PushTooLarge),
        ("too large operation", one(vec![0; OPERATION_MAX_BYTES + 1]), ErrorCode::OperationTooLarge),
        ("too large body", huge, ErrorCode::PushTooLarge),
    ] {
        table.refused(&phone, what, body, code).await;
    }
    // At the limits the rules of the chain speak, not those of size.
    table.refused(&phone, "as many as may be", batch_of(PUSH_MAX_OPERATIONS), ErrorCode::Gap).await;
    table
        .refused(&phone, "as large as may be", one(vec![0; OPERATION_MAX_BYTES]), ErrorCode::Malformed)
        .await;
}

#[tokio::test]
async fn unknown_version_and_wrong_suite() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    let header = pen.header(0, table.head);
    let good = pen.seal(header, &table.secret);
    // [ {0: v, 1: suite, ... – array head, map head, key 0, v, key 1, suite.
    assert_eq!(good[2..6], [0x00, 0x01, 0x01, 0x01]);
    for (what, place, value) in [("version 2", 3, 2), ("suite 2", 5, 2), ("suite 0", 5, 0)] {
        let mut bad = good.clone();
        bad[place] = value;
        table.refused(&phone, what, one(bad), ErrorCode::Suite).await;
    }
}

/// Red team 9 and 10 at the server: no part of an envelope can be exchanged or changed.
#[tokio::test]
async fn rt_09_changed_and_exchanged_parts() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    let header = pen.header(0, table.head);
    let good = pen.seal(header.clone(), &table.secret);
    // The last byte is the signature's, the one before its head is the ciphertext's tag.
    for place in [good.len() - 1, good.len() - 70] {
        let mut changed = good.clone();
        changed[place] ^= 1;
        table.refused(&phone, "changed byte", one(changed), ErrorCode::OperationSignature).await;
    }
    // Signed by somebody else.
    let mut thief = table.world.pen(&table.world.people.spare, table.chart, 1);
    table
        .refused(&phone, "re-signed", one(thief.seal(header, &table.secret)), ErrorCode::OperationSignature)
        .await;
}

#[tokio::test]
async fn reordered_replayed_and_forked_chains() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    let mut batch = pen.batch(3, &table.secret, table.head);
    batch.swap(0, 1);
    table.refused(&phone, "reordered", batch.to_canonical(), ErrorCode::Gap).await;
    batch.swap(0, 1);
    let gap: EnvelopeBatch = batch[1..].to_vec();
    table.refused(&phone, "from the middle", gap.to_canonical(), ErrorCode::Gap).await;
    let holes: EnvelopeBatch = vec![batch[0].clone(), batch[2].clone()];
    table.refused(&phone, "with a hole", holes.to_canonical(), ErrorCode::Gap).await;
    let twice: EnvelopeBatch = vec![batch[0].clone(), batch[0].clone()];
    table.refused(&phone, "twice in one push", twice.to_canonical(), ErrorCode::Gap).await;
    // Another entry at a place that is taken.
    let mut forked = table.world.pen(&table.world.people.phone, table.chart, 1);
    forked.rng = crate::support::TestRng::new(99);
    let fork = forked.batch(2, &table.secret, table.head);
    let before = table.state().await;
    let reply = phone.post(&paths::envelopes(table.chart), &fork).await;
    reply.refused(ErrorCode::Fork);
    let members = reply.problem().unwrap().members;
    assert_eq!(members.seq, Some(1));
    assert!(members.entry_id.is_some());
    assert_eq!(table.state().await, before);
}

#[tokio::test]
async fn a_gap_says_where_to_go_on() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    pen.seq += 3;
    let header = pen.header(0, table.head);
    let reply =
        phone.post(&paths::envelopes(table.chart), &vec![Opaque(pen.seal(header, &table.secret))]).await;
    reply.refused(ErrorCode::Gap);
    assert_eq!(reply.problem().unwrap().members.expect, Some(3));
}

#[tokio::test]
async fn other_devices_charts_heads_and_epochs() {
    let table = Table::new().await;
    let (phone, mut pen) = table.phone().await;
    let place = pen.header(0, table.head);
    let with = |change: &dyn Fn(&mut EnvelopeHeader)| {
        let mut header = place.clone();
        change(&mut header);
        header
    };
    let spare = table.world.people.spare.id;
    let other_chart = table.world.people.other_chart;
    let cases: Vec<(&str, EnvelopeHeader, ErrorCode)> = vec![
        ("another device", with(&|h| h.device = spare), ErrorCode::ForeignDevice),
        ("another site", with(&|h| h.site = ward_id::SiteId::from_bytes([9; 16])), ErrorCode::NotOneChain),
        ("an epoch to come", with(&|h| h.epoch = 1), ErrorCode::EpochStale),
        (
            "a head that never was",
            with(&|h| h.mlog_root = TreeRoot::from_bytes([1; 32])),
            ErrorCode::MemberSetMismatch,
        ),
        ("a head to come", with(&|h| h.mlog_size += 1), ErrorCode::MemberSetMismatch),
    ];
    for (what, header, code) in cases {
        let sealed =
            EpochSecret::from_secret_bytes(header.chart, header.epoch, &table.secret.to_secret_bytes());
        table.refused(&phone, what, one(pen.seal(header, &sealed)), code).await;
    }
    let foreign = with(&|h| h.chart = other_chart);
    let sealed = EpochSecret::from_secret_bytes(other_chart, 0, &table.secret.to_secret_bytes());
    table.refused(&phone, "another chart", one(pen.seal(foreign, &sealed)), ErrorCode::OtherChart).await;
    // Two chains in one push.
    let mut second = table.world.pen(&table.world.people.phone, table.chart, 2);
    let mut mixed = second.batch(1, &table.secret, table.head);
    mixed.push(Opaque(pen.seal(place, &table.secret)));
    table.refused(&phone, "two chains", mixed.to_canonical(), ErrorCode::NotOneChain).await;
}

/// Red team 24: staff who do not look after a participant get nothing and learn nothing.
#[tokio::test]
async fn rt_24_non_members_are_refused_in_the_same_words_for_any_chart() {
    let table = Table::new().await;
    let outsider = table.world.login(&table.world.people.outsider).await;
    let nowhere = ChartId::from_bytes([1; 16]);
    let mut answers = Vec::new();
    for chart in [table.chart, nowhere] {
        let mut pen = table.world.pen(&table.world.people.outsider, chart, 1);
        let secret = EpochSecret::from_secret_bytes(chart, 0, &[1; 32]);
        let push = outsider.post(&paths::envelopes(chart), &pen.batch(1, &secret, table.head)).await;
        for reply in
            [push, outsider.get(&paths::have(chart)).await, outsider.get(&paths::epochs(chart, 0)).await]
        {
            reply.refused(ErrorCode::NotMember);
            let mut problem = reply.problem().unwrap();
            problem.members.request_id = None;
            answers.push(problem);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

/// Red team 22 at the server: after a revocation nothing of the device is taken or given.
#[tokio::test]
async fn rt_22_a_revoked_device_is_out_at_once() {
    let mut table = Table::new().await;
    let chart = table.chart;
    let subject = ward_id::Subject::from(chart);
    let entry = table.world.people.revoke(
        &table.world.people.spare,
        subject,
        ward_sync::RevokePolicy::Sever,
        &table.world.people.coordinator,
    );
    let spare = table.world.login(&table.world.people.spare).await;
    let body = entry.decode_body().unwrap();
    assert!(matches!(body, MlogBody::Revoke(_)));
    let submission =
        ward_api::MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None };
    table
        .world
        .login(&table.world.people.coordinator)
        .await
        .post(paths::MLOG_ENTRIES, &submission)
        .await
        .ok();
    let reply = spare.get(&paths::have(chart)).await;
    reply.refused(ErrorCode::Revoked);
    assert_eq!(reply.problem().unwrap().members.policy, Some(2));
    spare
        .grant(&ward_api::TokenRequest::Device(table.world.people.spare.id))
        .await
        .refused(ErrorCode::Revoked);
    // The members changed: what is sealed for the old set is stale for everybody.
    table.world.people.took(&entry);
    let (phone, mut pen) = (
        table.world.login(&table.world.people.phone).await,
        table.world.pen(&table.world.people.phone, chart, 8),
    );
    let head = table.world.people.membership.head();
    let stale = pen.batch(1, &table.secret, head);
    let reply = phone.post(&paths::envelopes(chart), &stale).await;
    reply.refused(ErrorCode::EpochStale);
    assert_eq!(reply.problem().unwrap().members.size, Some(head.size));
}
