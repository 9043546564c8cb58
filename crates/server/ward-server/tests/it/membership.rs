//! Appending to the membership log, proposals.

use crate::support::people::{Who, signed};
use crate::support::{TestRng, World};
use ward_api::{ErrorCode, MlogAccepted, MlogSubmission, Opaque, Proposal, ProposalSubmission, paths};
use ward_audit::{Checkpoint, SignatureKind, VerifierKey};
use ward_crypto::{SignKey, random_id};
use ward_id::{Canonical as _, Subject};
use ward_server::Clock as _;
use ward_store::{MlogAppend, MlogStore as _, ProposalStore as _};
use ward_sync::{MlogBody, MlogEntry, Revoke, RevokePolicy, SpaceMember, Team, TreeHead};

fn submission(entry: &MlogEntry) -> MlogSubmission {
    MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None }
}

#[tokio::test]
async fn an_entry_is_taken_once_and_a_repeat_is_answered_alike() {
    let world = World::new().await;
    let size = world.people.membership.size();
    let entry = world.people.revoke(
        &world.people.spare,
        world.people.chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    let coordinator = world.login(&world.people.coordinator).await;
    for _ in 0..2 {
        let accepted: MlogAccepted = coordinator.post(paths::MLOG_ENTRIES, &submission(&entry)).await.cbor();
        assert_eq!(accepted, MlogAccepted { index: size, size: size + 1 });
    }
    assert_eq!(world.store.mlog_size().await.unwrap(), size + 1);
}

#[tokio::test]
async fn entries_that_would_be_void_are_refused_and_leave_no_trace() {
    let mut world = World::new().await;
    let people = &world.people;
    let size = people.membership.size();
    let chart: Subject = people.chart.into();
    let team = |signers: &[&crate::support::Device]| {
        let team = random_id(&mut TestRng::new(3));
        people.entry(
            people.site.into(),
            &MlogBody::Team(Team { team, persons: vec![people.clinician.person] }),
            signers,
        )
    };
    let adding =
        MlogBody::SpaceMember(SpaceMember { chart: people.chart, person: people.outsider.person, add: true });
    let base = TreeHead { size: 3, root: people.membership.root_at(3).unwrap() };
    let old = MlogEntry::unsigned(people.site, people.site.into(), base, &team(&[]).decode_body().unwrap())
        .unwrap();
    let foreign = TreeHead { size: 3, root: people.membership.root_at(4).unwrap() };
    let foreign =
        MlogEntry::unsigned(people.site, people.site.into(), foreign, &team(&[]).decode_body().unwrap())
            .unwrap();
    let mut forged = team(&[&people.admins[0]]).to_canonical();
    *forged.last_mut().unwrap() ^= 1;
    let forged = MlogEntry::read(&forged).unwrap();
    let cases = [
        ("signed by a clinician", team(&[&people.clinician]), ErrorCode::SignerNotAuthorised),
        ("unsigned", team(&[]), ErrorCode::MlogSignature),
        ("forged", forged, ErrorCode::MlogSignature),
        ("on an old base", signed(old, &[&people.admins[0]]), ErrorCode::MlogMoved),
        ("on a foreign base", signed(foreign, &[&people.admins[0]]), ErrorCode::BaseUnknown),
        (
            "one signature short",
            people.entry(chart, &adding, &[&people.admins[0]]),
            ErrorCode::MoreSignatures,
        ),
    ];
    let admin = world.login(&people.admins[0]).await;
    for (what, entry, code) in cases {
        let reply = admin.post(paths::MLOG_ENTRIES, &submission(&entry)).await;
        assert_eq!(reply.code(), Some(code), "{what}: {}", reply.text());
        assert_eq!(world.store.mlog_size().await.unwrap(), size, "{what}");
    }
    let moved = admin
        .post(
            paths::MLOG_ENTRIES,
            &submission(&signed(
                MlogEntry::unsigned(people.site, people.site.into(), base, &team(&[]).decode_body().unwrap())
                    .unwrap(),
                &[&people.admins[0]],
            )),
        )
        .await;
    assert_eq!(moved.problem().unwrap().members.size, Some(size));
    let mut reserved = team(&[&people.admins[0]]).to_canonical();
    // Kind is the third value of the map: {0: 1, 1: 1, 2: kind.
    assert_eq!(reserved[5..7], [0x02, 0x04]);
    reserved[6] = 0x0b;
    let bytes = MlogSubmission { entry: Opaque(reserved), package: None, place: None };
    admin.post(paths::MLOG_ENTRIES, &bytes).await.refused(ErrorCode::ReservedKind);
    drop(admin);
    let allowed = world.people.entry(chart, &adding, &[&world.people.admins[0], &world.people.admins[1]]);
    world.append(&allowed, None).await.ok();
}

#[tokio::test]
async fn an_epoch_comes_with_its_package_and_counts_once() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (package, _, announce) = world.people.epoch(chart, Who::Coordinator, None);
    let (rival, _, rival_announce) = world.people.epoch(chart, Who::Phone, None);
    world.append(&announce, None).await.refused(ErrorCode::PackageMismatch);
    world.append(&announce, Some(&rival)).await.refused(ErrorCode::PackageMismatch);
    world.append(&announce, Some(&package)).await.ok();
    let late = MlogSubmission {
        entry: Opaque(rival_announce.to_canonical()),
        package: Some(Opaque(rival.to_canonical())),
        place: None,
    };
    let reply = world.login(&world.people.phone).await.post(paths::MLOG_ENTRIES, &late).await;
    assert!(matches!(reply.code(), Some(ErrorCode::MlogMoved | ErrorCode::EpochDoesNotCount)), "{reply:?}");
    assert_eq!(world.store.epoch_packages(chart, 0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_proposal_waits_for_its_second_signature() {
    let mut world = World::new().await;
    let body = MlogBody::SpaceMember(SpaceMember {
        chart: world.people.chart,
        person: world.people.outsider.person,
        add: true,
    });
    let half = world.people.entry(world.people.chart.into(), &body, &[&world.people.admins[0]]);
    let proposal = ProposalSubmission { entry: Opaque(half.to_canonical()) };
    let other = world.login(&world.people.admins[1]).await;
    other.post(paths::MLOG_PROPOSALS, &proposal).await.refused(ErrorCode::MlogSignature);
    let admin = world.login(&world.people.admins[0]).await;
    assert_eq!(admin.post(paths::MLOG_PROPOSALS, &proposal).await.status, 201);
    let waiting: Vec<Proposal> = other.get(paths::MLOG_PROPOSALS).await.cbor();
    assert_eq!((waiting[0].hash, waiting[0].proposer), (half.hash(), world.people.admins[0].id));
    let outsider = world.login(&world.people.outsider).await;
    assert_eq!(outsider.get(paths::MLOG_PROPOSALS).await.cbor::<Vec<Proposal>>(), []);
    outsider
        .call("DELETE", &paths::mlog_proposal(half.hash()), None, Vec::new())
        .await
        .refused(ErrorCode::ProposalUnknown);
    let full = signed(MlogEntry::read(&waiting[0].entry.0).unwrap(), &[&world.people.admins[1]]);
    drop((other, outsider, admin));
    world.append(&full, None).await.ok();
    let admin = world.login(&world.people.admins[0]).await;
    assert_eq!(admin.get(paths::MLOG_PROPOSALS).await.cbor::<Vec<Proposal>>(), [], "it came into the log");
    admin.post(paths::MLOG_PROPOSALS, &proposal).await.ok();
    assert_eq!(admin.call("DELETE", &paths::mlog_proposal(half.hash()), None, Vec::new()).await.status, 204);
}

/// What stands in the log holds, also when this node could not read it back after its commit: the
/// same entry again, and housekeeping, apply it.
#[tokio::test]
async fn rt_22_a_committed_revocation_is_applied_whatever_happened_after_its_commit() {
    for by_upkeep in [false, true] {
        let world = World::new().await;
        let people = &world.people;
        let entry =
            people.revoke(&people.spare, people.chart.into(), RevokePolicy::Sever, &people.coordinator);
        let spare = world.login(&people.spare).await;
        let size = people.membership.size();
        let committed = MlogAppend {
            expected_size: size,
            subject: entry.subject(),
            entry_hash: entry.hash(),
            bytes: entry.to_canonical(),
            package: None,
            ended_devices: Vec::new(),
            received_at: world.clock.now(),
        };
        world.store.append_mlog(committed).await.unwrap();
        spare.get(paths::CHARTS).await.ok();
        if by_upkeep {
            world.app.upkeep().await;
        } else {
            let coordinator = world.login(&people.coordinator).await;
            let again: MlogAccepted = coordinator.post(paths::MLOG_ENTRIES, &submission(&entry)).await.cbor();
            assert_eq!(again, MlogAccepted { index: size, size: size + 1 });
        }
        spare.get(paths::CHARTS).await.refused(ErrorCode::Revoked);
    }
}

/// One signer alone takes back nothing that a device wrote long ago, and nobody names a cut-off that is none:
/// readers take the smallest of all that are in the log.
#[tokio::test]
async fn rt_22_a_revocation_names_a_fresh_head_of_the_operation_log_or_two_sign_it() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let mlog = world.people.membership.head();
    for (first, days) in [(0, 4), (2, 1)] {
        let mut pen = world.pen(&world.people.phone, chart, 1);
        pen.seq = first;
        let phone = world.login(&world.people.phone).await;
        phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, mlog)).await.ok();
        world.clock.advance_ms(days * 86_400_000);
    }
    let people = &world.people;
    let coordinator = world.login(&people.coordinator).await;
    let log_key = SignKey::from_secret_bytes(&people.log_key_seed);
    let origin = people.manifest.olog_origin.parse().unwrap();
    let key = VerifierKey::new(origin, SignatureKind::Log, log_key.public().as_bytes()).unwrap();
    let note = coordinator.get(paths::OLOG_CHECKPOINT).await.ok().text().parse().unwrap();
    let newest = Checkpoint::verify(&note, &key).unwrap().head();
    assert_eq!(newest.size, 4);
    let revoke = |olog: TreeHead, signers: &[&crate::support::Device]| {
        let (device, policy) = (people.phone.id, RevokePolicy::Sever);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "stolen".into() });
        submission(&people.entry(chart.into(), &body, signers))
    };
    let other_root = TreeHead { root: TreeHead::empty().root, ..newest };
    let beyond = TreeHead { size: 5, ..newest };
    let none = TreeHead { size: 0, ..newest };
    let two = [&people.coordinator, &people.clinician];
    for made_up in [other_root, beyond, none] {
        for signers in [&two[..1], &two[..]] {
            let answer = coordinator.post(paths::MLOG_ENTRIES, &revoke(made_up, signers)).await;
            answer.refused(ErrorCode::MlogEntryInvalid);
        }
    }
    // It leaves out what came five days ago, and this site's limit is three.
    let everything = revoke(TreeHead::empty(), &two[..1]);
    coordinator.post(paths::MLOG_ENTRIES, &everything).await.refused(ErrorCode::MoreSignatures);
    let recent = coordinator.post(paths::MLOG_ENTRIES, &revoke(newest, &two[..1])).await;
    recent.ok();
    coordinator.post(paths::MLOG_ENTRIES, &revoke(TreeHead::empty(), &two)).await.ok();
}

/// A signer that hangs up after the commit changes nothing of what follows from it.
#[tokio::test]
async fn a_signer_that_hangs_up_leaves_nothing_undone() {
    let world = World::new().await;
    let people = &world.people;
    let size = people.membership.size();
    let body =
        MlogBody::SpaceMember(SpaceMember { chart: people.chart, person: people.outsider.person, add: true });
    let half = people.entry(people.chart.into(), &body, &[&people.admins[0]]);
    let proposal = ProposalSubmission { entry: Opaque(half.to_canonical()) };
    let first = world.login(&people.admins[0]).await;
    assert_eq!(first.post(paths::MLOG_PROPOSALS, &proposal).await.status, 201);
    let full = signed(half, &[&people.admins[1]]);
    let second = world.login(&people.admins[1]).await;
    {
        let request = submission(&full);
        let mut asked = Box::pin(second.post(paths::MLOG_ENTRIES, &request));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(asked.as_mut().poll(&mut cx).is_pending(), "it waits for the commit");
    }
    let told = format!("ward_log_leaves{{log=\"mlog\"}} {}", size + 1);
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.store.mlog_size().await.unwrap(), size + 1);
    assert_eq!(world.store.proposals().await.unwrap(), [], "it came into the log");
    assert!(world.app.metrics().render().contains(&told), "the head grew");
}

/// Entries from many hands at once: each that the log can take, it takes, in some order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_entries_of_one_kind_do_not_overtake_each_other() {
    let world = World::new().await;
    let size = world.people.membership.size();
    let people = &world.people;
    let entries: Vec<MlogEntry> = (0..8)
        .map(|n| {
            let body = MlogBody::Team(Team { team: random_id(&mut TestRng::new(n)), persons: Vec::new() });
            people.entry(people.site.into(), &body, &[&people.admins[0]])
        })
        .collect();
    let admin = world.login(&people.admins[0]).await;
    let posts: Vec<MlogSubmission> = entries.iter().map(submission).collect();
    let replies =
        futures_util::future::join_all(posts.iter().map(|post| admin.post(paths::MLOG_ENTRIES, post))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "all name the same base");
    assert_eq!(replies.iter().filter(|reply| reply.code() == Some(ErrorCode::MlogMoved)).count(), 7);
    assert_eq!(world.store.mlog_size().await.unwrap(), size + 1);
}
