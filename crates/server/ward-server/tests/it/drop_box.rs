//! The drop box and the proof of a revocation: who may hand over, who sees it, what is refused.

use crate::support::{Device, People, Reply, Session, TestRng, World, proof};
use ward_api::limits::{DROP_BATCH_MAX, DROP_MAX_BYTES};
use ward_api::{
    DropBatch, DropPage, DropState, DropStateChange, ErrorCode, Limits, Opaque, RevocationProof, headers,
    paths,
};
use ward_audit::TreeHead;
use ward_crypto::{DropEnvelope, open_drop, random_bytes, seal_drop};
use ward_id::{Canonical as _, ChartId, EntryId};
use ward_server::Clock as _;
use ward_store::MemoryStore;
use ward_sync::{Membership, RevokePolicy, Scope};

/// A drop of `sender` for `chart`, sealed to these devices.
fn dropped(chart: ChartId, sender: &Device, to: &[&Device], n: u64) -> DropEnvelope {
    let mut rng = TestRng::new(n);
    let staff: Vec<_> = to.iter().map(|device| (device.id, device.keys.enc.public().clone())).collect();
    let entry = EntryId::from_bytes(random_bytes(&mut rng));
    seal_drop(chart, sender.id, entry, &staff, b"an entry", &sender.keys.sign, &mut rng).unwrap()
}

fn body(drops: &[DropEnvelope]) -> Vec<u8> {
    let batch: DropBatch = drops.iter().map(|one| Opaque(one.to_canonical())).collect();
    batch.to_canonical()
}

async fn hand_over(session: &Session<'_>, body: Vec<u8>) -> Reply {
    session.try_call("POST", paths::DROP, Some(headers::MEDIA_CBOR), body, false).await.unwrap()
}

async fn listed(world: &World<MemoryStore>, device: &Device) -> Vec<DropEnvelope> {
    let page: DropPage = world.login(device).await.get(&paths::drops_after(None)).await.cbor();
    page.rows.iter().map(|row| DropEnvelope::from_canonical(&row.dropped.0).unwrap()).collect()
}

async fn revoke(world: &mut World<MemoryStore>, policy: RevokePolicy) {
    let people = &world.people;
    let entry = people.revoke(&people.spare, people.chart.into(), policy, &people.coordinator);
    world.append(&entry, None).await.ok();
}

#[tokio::test]
async fn a_revoked_phone_hands_over_and_its_staff_sees_it() {
    let mut world = World::new().await;
    revoke(&mut world, RevokePolicy::Salvage).await;
    let people = &world.people;
    let phone = world.session(&people.spare);
    let drops: Vec<DropEnvelope> = (0..3)
        .map(|n| dropped(people.chart, &people.spare, &[&people.coordinator, &people.clinician], n))
        .collect();
    assert_eq!(hand_over(&phone, body(&drops)).await.status, 204);
    assert_eq!(hand_over(&phone, body(&drops)).await.status, 204, "as often as it likes");
    for staff in [&people.coordinator, &people.clinician] {
        let seen = listed(&world, staff).await;
        assert_eq!(seen, drops);
        let opened = open_drop(staff.id, &staff.keys.enc, &seen[0], people.spare.keys.sign.public());
        assert_eq!(*opened.unwrap(), b"an entry");
    }
    assert_eq!(listed(&world, &people.outsider).await, [], "staff of another chart");
    assert_eq!(listed(&world, &people.admins[0]).await, [], "an admin is no member");
    let patient = world.login(&people.phone).await;
    patient.get(&paths::drops_after(None)).await.refused(ErrorCode::RoleNotAllowed);

    let decide = |n: usize, state| DropStateChange {
        chart: people.chart,
        device: people.spare.id,
        entry: drops[n].entry_id,
        state,
    };
    let coordinator = world.login(&people.coordinator).await;
    let outsider = world.login(&people.outsider).await;
    outsider.post(paths::DROP_STATE, &decide(0, DropState::Declined)).await.refused(ErrorCode::NotMember);
    coordinator.post(paths::DROP_STATE, &decide(0, DropState::Waiting)).await.refused(ErrorCode::Malformed);
    assert_eq!(coordinator.post(paths::DROP_STATE, &decide(0, DropState::Adopted)).await.status, 204);
    assert_eq!(coordinator.post(paths::DROP_STATE, &decide(1, DropState::Declined)).await.status, 204);
    assert_eq!(listed(&world, &people.clinician).await, drops[2..]);
    // One device's word takes nothing off the list for good: handed over again, it waits again.
    assert_eq!(hand_over(&phone, body(&drops)).await.status, 204);
    let again: Vec<DropEnvelope> = drops[2..].iter().chain(&drops[..2]).cloned().collect();
    assert_eq!(listed(&world, &people.clinician).await, again);
    for n in [0, 1] {
        assert_eq!(coordinator.post(paths::DROP_STATE, &decide(n, DropState::Adopted)).await.status, 204);
    }
    assert_eq!(listed(&world, &people.clinician).await, drops[2..]);
    let unknown = DropStateChange { entry: EntryId::from_bytes([9; 32]), ..decide(0, DropState::Adopted) };
    coordinator.post(paths::DROP_STATE, &unknown).await.refused(ErrorCode::DropUnknown);
    let figures = world.app.metrics().render();
    assert!(figures.contains("ward_drops_total 5") && figures.contains("ward_drops_decided_total 4"));

    // Severed afterwards: what waits is not shown any more, and nothing more is taken.
    revoke(&mut world, RevokePolicy::Sever).await;
    let people = &world.people;
    assert_eq!(listed(&world, &people.clinician).await, []);
    let more = dropped(people.chart, &people.spare, &[&people.coordinator], 9);
    let refused = hand_over(&world.session(&people.spare), body(&[more])).await;
    refused.refused(ErrorCode::Revoked);
    assert_eq!(refused.problem().unwrap().members.policy, Some(2));
}

#[tokio::test]
async fn what_is_not_the_devices_own_is_refused_and_leaves_nothing() {
    let world = World::new().await;
    let people = &world.people;
    let phone = world.session(&people.phone);
    let good = dropped(people.chart, &people.phone, &[&people.coordinator], 1);
    let in_the_name_of_another = dropped(people.chart, &people.spare, &[&people.coordinator], 2);
    let mut fields = (*good).clone();
    fields.entry_id = EntryId::from_bytes([7; 32]);
    let renamed = DropEnvelope::new(fields).unwrap();
    for (what, body, code) in [
        ("nothing", Vec::new(), ErrorCode::Malformed),
        ("junk", vec![0xff; 40], ErrorCode::Malformed),
        ("no drop", body(&[]), ErrorCode::ForeignDevice),
        ("a list without a length", vec![0x9f, 0xff], ErrorCode::NotCanonical),
        ("millions stated", vec![0x9a, 0xff, 0xff, 0xff, 0xff], ErrorCode::PushTooLarge),
        (
            "one drop too large",
            vec![Opaque(vec![0; DROP_MAX_BYTES + 1])].to_canonical(),
            ErrorCode::OperationTooLarge,
        ),
        ("another device's", body(std::slice::from_ref(&in_the_name_of_another)), ErrorCode::ProofInvalid),
        ("of two devices", body(&[good.clone(), in_the_name_of_another]), ErrorCode::ForeignDevice),
        ("another entry's name", body(&[renamed]), ErrorCode::OperationSignature),
        (
            "another chart",
            body(&[dropped(people.other_chart, &people.phone, &[&people.coordinator], 3)]),
            ErrorCode::NotMember,
        ),
        (
            "for staff of another chart",
            body(&[good.clone(), dropped(people.chart, &people.phone, &[&people.outsider], 4)]),
            ErrorCode::DropRecipients,
        ),
        (
            "for a patient",
            body(&[dropped(people.chart, &people.phone, &[&people.spare], 5)]),
            ErrorCode::DropRecipients,
        ),
    ] {
        let reply = hand_over(&phone, body).await;
        assert_eq!(reply.code(), Some(code), "{what}: {}", String::from_utf8_lossy(&reply.body));
    }
    world
        .wire
        .plain("POST", paths::DROP, Some(headers::MEDIA_CBOR), body(std::slice::from_ref(&good)))
        .await
        .refused(ErrorCode::ProofInvalid);
    assert_eq!(listed(&world, &people.coordinator).await, []);
    let many: Vec<DropEnvelope> = (0..=DROP_BATCH_MAX as u64)
        .map(|n| dropped(people.chart, &people.phone, &[&people.coordinator], 10 + n))
        .collect();
    hand_over(&phone, body(&many)).await.refused(ErrorCode::PushTooLarge);
    assert_eq!(hand_over(&phone, body(&many[1..])).await.status, 204, "as many as may be");
    assert_eq!(listed(&world, &people.coordinator).await.len(), DROP_BATCH_MAX);
}

#[tokio::test]
async fn drops_have_a_rate_of_their_own() {
    let people = crate::support::people::People::new(7);
    let limits = Limits { device_drops_per_min: 2, ..crate::support::world::generous() };
    let world = World::with(MemoryStore::new(), people, limits).await;
    let people = &world.people;
    let phone = world.session(&people.phone);
    let one = |n| body(&[dropped(people.chart, &people.phone, &[&people.coordinator], n)]);
    assert_eq!(hand_over(&phone, one(1)).await.status, 204);
    assert_eq!(hand_over(&phone, one(2)).await.status, 204, "at the limit");
    let slow = hand_over(&phone, one(3)).await;
    slow.refused(ErrorCode::RateLimited);
    assert!(slow.problem().unwrap().members.retry_after_s.is_some());
}

/// Applies what the server says against a device on top of the log that the device had.
async fn judged(world: &World<MemoryStore>, device: &Device, mut membership: Membership) -> Membership {
    let session = world.session(device);
    let mut end = u64::MAX;
    while membership.size() < end {
        let path = paths::revocation_from(device.id, membership.size());
        let reply = session.try_call("GET", &path, None, Vec::new(), false).await.unwrap();
        let proof: RevocationProof = reply.cbor();
        end = proof.index + 1;
        let (leaves, rest) = proof.leaves.0.as_chunks::<48>();
        assert!(rest.is_empty() && membership.size() + leaves.len() as u64 == proof.to);
        for leaf in leaves {
            let index = membership.size();
            let entry = proof.entries.iter().find(|row| row.index == index);
            match entry {
                Some(row) => membership.apply_bytes(index, leaf, &row.entry.0).unwrap(),
                None => {
                    let (subject, hash) = ward_audit::mlog_leaf_parts(leaf).unwrap();
                    membership.apply_leaf(index, subject, hash).unwrap()
                }
            };
        }
        let note: ward_audit::SignedNote = String::from_utf8(proof.note.0).unwrap().parse().unwrap();
        let head: ward_audit::Checkpoint = note.text().parse().unwrap();
        let head = TreeHead { size: head.size(), root: head.root() };
        if membership.size() == end {
            let nodes: Vec<ward_audit::NodeHash> = proof.consistency.into_iter().map(Into::into).collect();
            membership.head().verify_extended_by(&head, &nodes).unwrap();
        }
    }
    membership
}

#[tokio::test]
async fn a_revoked_device_learns_what_stands_against_it_and_nobody_else_does() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let session = world.session(&world.people.spare);
    let path = paths::revocation_from(world.people.spare.id, 3);
    let reply = session.try_call("GET", &path, None, Vec::new(), false).await.unwrap();
    reply.refused(ErrorCode::NotRevoked);
    drop(session);
    revoke(&mut world, RevokePolicy::Salvage).await;
    let index = world.people.membership.size() - 1;
    world.first_epoch(chart).await;
    let people = &world.people;
    let other = world.session(&people.phone);
    let reply = other.try_call("GET", &path, None, Vec::new(), false).await.unwrap();
    reply.refused(ErrorCode::ProofInvalid);
    world.wire.plain("GET", &path, None, Vec::new()).await.refused(ErrorCode::ProofInvalid);
    let beyond = paths::revocation_from(people.spare.id, index + 2);
    let own = world.session(&people.spare);
    own.try_call("GET", &beyond, None, Vec::new(), false).await.unwrap().refused(ErrorCode::BadRange);

    let scope = Scope::Charts([chart].into());
    let membership = judged(&world, &people.spare, Membership::new(people.root.clone(), scope)).await;
    assert_eq!(membership.size(), index + 1, "nothing of what came after");
    let record = membership.device(chart, people.spare.id).unwrap();
    assert_eq!(record.revocation().unwrap().policy, RevokePolicy::Salvage);
    assert_eq!(record.wipe_index(), None);

    // A second, stricter one is found as well.
    revoke(&mut world, RevokePolicy::Sever).await;
    let membership = judged(&world, &world.people.spare, membership).await;
    let record = membership.device(chart, world.people.spare.id).unwrap();
    assert_eq!(record.revocation().unwrap().policy, RevokePolicy::Sever);
}

/// Nothing of a body is kept for a key that stands in no certificate.
#[tokio::test]
async fn a_body_of_drops_is_read_of_certified_keys_only() {
    let world = World::new().await;
    let stranger = People::new(99).phone;
    let session = world.session(&stranger);
    // Its nonce, by a call that needs no body.
    hand_over(&session, body(&[])).await;
    let nonce = session.nonce.lock().unwrap().clone();
    let signed = proof(&stranger, "POST", paths::DROP, None, &nonce, world.clock.now());
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
    let request = http::Request::builder()
        .method("POST")
        .uri(paths::DROP)
        .header(headers::DPOP, signed)
        .header("content-type", headers::MEDIA_CBOR)
        .body(axum::body::Body::from_stream(never))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(ward_server::router(std::sync::Arc::clone(&world.app)), request);
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), answer).await;
    assert_eq!(answer.expect("it is answered before the body came").unwrap().status(), 401);
}
