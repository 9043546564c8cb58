//! A restored server whose membership log lacks entries that nobody was shown: whoever handed them in
//! offers them, and the witnesses tell whether they stood there.

use crate::support::people::Who;
use crate::support::world::witnesses;
use crate::support::{Reply, Wire, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ward_api::{
    EpochPackages, ErrorCode, LogName, MlogAccepted, MlogSubmission, Opaque, TokenRequest, paths,
};
use ward_audit::{AddCheckpoint, Checkpoint, NoteSignature, SignedNote, SignerName, TreeHead, WitnessTime};
use ward_crypto::EpochPackage;
use ward_id::{Canonical as _, TimestampMs};
use ward_server::limits::COSIGN_RETRY_MS;
use ward_server::{Restored, WitnessClient, WitnessFuture, bootstrap_site, router};
use ward_store::{CheckpointKind, LogStateStore as _, MemoryStore, MlogStore as _};
use ward_sync::{MlogEntry, RevokePolicy};

fn submission(entry: &MlogEntry, package: Option<&EpochPackage>) -> MlogSubmission {
    let package = package.map(|package| Opaque(package.to_canonical()));
    MlogSubmission { entry: Opaque(entry.to_canonical()), package, place: None }
}

/// A witness that gives nothing back while it is mute, as one that does not know how.
struct Mute {
    inner: Arc<dyn WitnessClient>,
    mute: Arc<AtomicBool>,
}

impl WitnessClient for Mute {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        self.inner.add_checkpoint(request)
    }
    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        if self.mute.load(Ordering::Relaxed) {
            return Box::pin(async { Ok(None) });
        }
        self.inner.cosigned(origin)
    }
    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        self.inner.sign_time(nonce)
    }
}

/// The head of the membership log as a device is given it.
fn head_of(reply: Reply) -> TreeHead {
    let note: SignedNote = reply.ok().text().parse().unwrap();
    note.text().parse::<Checkpoint>().unwrap().head()
}

/// Has the witnesses cosign the log, then starts a server on a backup that lacks the last entries, as
/// `ward restore` leaves it. Returns its store and the head that is lost.
async fn lose(world: &mut World<MemoryStore>, missing: usize) -> (MemoryStore, TreeHead) {
    let head = head_of(world.login(&world.people.phone).await.get(paths::MLOG_CHECKPOINT).await);
    assert_eq!(head, world.people.membership.head());
    let store = MemoryStore::new();
    let held = &world.people.log[..world.people.log.len() - missing];
    bootstrap_site(&store, &world.people.root, held, crate::support::clock::T0).await.unwrap();
    let restored = Restored { olog_origin: None, olog_size: 0, mlog_size: head.size, at: TimestampMs(0) };
    restored.declare(&store).await.unwrap();
    world.wire = Wire::Router(router(world.restart_on(store.clone()).await.unwrap()));
    (store, head)
}

async fn is_untouched(store: &MemoryStore, size: u64, what: &str) {
    assert_eq!(store.mlog_size().await.unwrap(), size, "{what}: appended");
    for kind in [CheckpointKind::Signed, CheckpointKind::Cosigned] {
        assert_eq!(store.checkpoint(LogName::Mlog, kind).await.unwrap(), None, "{what}: signed");
    }
}

#[tokio::test]
async fn an_announce_that_only_its_author_holds_comes_back_and_no_other_entry_does() {
    let mut world = World::new().await;
    let (chart, size) = (world.people.chart, world.people.membership.size());
    // What could have stood there as well, signed on the same head.
    let (other_package, _, other) = world.people.epoch(chart, Who::Phone, None);
    let revoke = world.people.revoke(
        &world.people.spare,
        chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    let (package, _, announce) = world.people.epoch(chart, Who::Coordinator, None);
    world.append(&announce, Some(&package)).await.ok();
    let (store, lost) = lose(&mut world, 1).await;
    let staff = world.login(&world.people.coordinator).await;
    let wrong = [
        ("another announce", submission(&other, Some(&other_package))),
        ("a revocation that never stood there", submission(&revoke, None)),
        ("the announce without its package", submission(&announce, None)),
        ("the announce with another package", submission(&announce, Some(&other_package))),
    ];
    for (what, wrong) in wrong {
        let reply = staff.post(paths::MLOG_ENTRIES, &wrong).await;
        reply.refused(ErrorCode::MlogRecovering);
        let members = reply.problem().unwrap().members;
        assert_eq!((members.size, members.limit), (Some(size), Some(lost.size)), "{what}");
        is_untouched(&store, size, what).await;
    }
    staff.get(paths::MLOG_CHECKPOINT).await.refused(ErrorCode::MlogRecovering);
    let right = submission(&announce, Some(&package));
    for _ in 0..2 {
        let accepted: MlogAccepted = staff.post(paths::MLOG_ENTRIES, &right).await.ok().cbor();
        assert_eq!(accepted, MlogAccepted { index: size, size: size + 1 });
    }
    assert_eq!(head_of(staff.get(paths::MLOG_CHECKPOINT).await), lost, "the log that the witnesses know");
    let packages: EpochPackages = staff.get(&paths::epochs(chart, 0)).await.ok().cbor();
    assert_eq!(packages, [Opaque(package.to_canonical())]);
    // The log goes on; what was offered in vain is not remembered.
    staff
        .post(paths::MLOG_ENTRIES, &submission(&other, Some(&other_package)))
        .await
        .refused(ErrorCode::MlogMoved);
}

/// A revocation that staff handed in and the server lost, and what was appended on top of it.
#[tokio::test]
async fn a_revocation_and_what_came_after_it_come_back_in_whatever_order_they_are_offered() {
    let mut world = World::new().await;
    let (chart, size) = (world.people.chart, world.people.membership.size());
    let revoke = world.people.revoke(
        &world.people.spare,
        chart.into(),
        RevokePolicy::Sever,
        &world.people.coordinator,
    );
    world.append(&revoke, None).await.ok();
    let (package, _, announce) = world.people.epoch(chart, Who::Phone, None);
    world.append(&announce, Some(&package)).await.ok();
    let (store, lost) = lose(&mut world, 2).await;
    let phone = world.login(&world.people.phone).await;
    let waits = phone.post(paths::MLOG_ENTRIES, &submission(&announce, Some(&package))).await;
    waits.refused(ErrorCode::MlogRecovering);
    is_untouched(&store, size, "half of what is missing").await;
    let staff = world.login(&world.people.coordinator).await;
    let accepted: MlogAccepted =
        staff.post(paths::MLOG_ENTRIES, &submission(&revoke, None)).await.ok().cbor();
    assert_eq!(accepted, MlogAccepted { index: size, size: size + 2 });
    assert_eq!(head_of(phone.get(paths::MLOG_CHECKPOINT).await), lost);
    let again: MlogAccepted =
        phone.post(paths::MLOG_ENTRIES, &submission(&announce, Some(&package))).await.ok().cbor();
    assert_eq!(again.index, size + 1);
    let spare = world.session(&world.people.spare);
    spare.grant(&TokenRequest::Device(world.people.spare.id)).await.refused(ErrorCode::Revoked);
}

/// Without what the witnesses cosigned nothing can be told, and nothing is taken. One of them is enough.
#[tokio::test]
async fn a_witness_that_gives_nothing_back_leaves_the_server_waiting() {
    let mut world = World::new().await;
    let mutes: Vec<Arc<AtomicBool>> = (0..3).map(|_| Arc::new(AtomicBool::new(true))).collect();
    for (witness, mute) in world.witnesses.iter_mut().zip(&mutes) {
        *witness = Arc::new(Mute { inner: Arc::clone(witness), mute: Arc::clone(mute) });
    }
    let size = world.people.membership.size();
    world.wire = Wire::Router(router(world.restart_on(world.store.clone()).await.unwrap()));
    let (package, _, announce) = world.people.epoch(world.people.chart, Who::Coordinator, None);
    world.append(&announce, Some(&package)).await.ok();
    let (store, _) = lose(&mut world, 1).await;
    let staff = world.login(&world.people.coordinator).await;
    let right = submission(&announce, Some(&package));
    staff.post(paths::MLOG_ENTRIES, &right).await.refused(ErrorCode::MlogRecovering);
    mutes[2].store(false, Ordering::Relaxed);
    staff.post(paths::MLOG_ENTRIES, &right).await.refused(ErrorCode::MlogRecovering);
    is_untouched(&store, size, "not asked again yet").await;
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
    staff.post(paths::MLOG_ENTRIES, &right).await.ok();
    assert_eq!(store.mlog_size().await.unwrap(), size + 1);
}

/// Witnesses that never saw the entry prove nothing, whoever offers it.
#[tokio::test]
async fn an_entry_that_no_witness_cosigned_is_not_taken() {
    let mut world = World::new().await;
    let size = world.people.membership.size();
    let (package, _, announce) = world.people.epoch(world.people.chart, Who::Coordinator, None);
    world.append(&announce, Some(&package)).await.ok();
    world.witnesses = witnesses(&world.people, world.clock.clone());
    let clean = MemoryStore::new();
    let held = &world.people.log[..world.people.log.len() - 1];
    bootstrap_site(&clean, &world.people.root, held, crate::support::clock::T0).await.unwrap();
    drop(world.restart_on(clean.clone()).await.unwrap());
    // The operator says that one more is known; the witnesses know only what the backup holds.
    Restored { olog_origin: None, olog_size: 0, mlog_size: size + 1, at: TimestampMs(0) }
        .declare(&clean)
        .await
        .unwrap();
    world.wire = Wire::Router(router(world.restart_on(clean.clone()).await.unwrap()));
    let staff = world.login(&world.people.coordinator).await;
    let offered = staff.post(paths::MLOG_ENTRIES, &submission(&announce, Some(&package))).await;
    offered.refused(ErrorCode::MlogRecovering);
    assert_eq!(clean.mlog_size().await.unwrap(), size);
}
