//! A restored server that lost a site manifest with other keys: heads over what it lost are signed by keys
//! that it does not know yet.

use crate::support::clock::T0;
use crate::support::{Wire, World};
use ward_api::{ErrorCode, MlogAccepted, MlogPlace, MlogSubmission, Opaque, paths};
use ward_audit::{
    AddCheckpoint, Checkpoint, MemoryTree, NoteSigner, SignatureKind, SignedNote, TreeHead, VerifierKey,
    WitnessLogs, WitnessState, inclusion_proof, leaf_hash, mlog_leaf, sign_checkpoint,
};
use ward_crypto::{SignKey, SiteManifest};
use ward_id::{Canonical as _, TimestampMs};
use ward_server::{Restored, StartError, bootstrap_site, router};
use ward_store::{MemoryStore, MlogStore as _};
use ward_sync::{MlogBody, MlogEntry, RevokePolicy};

struct Signer<'a> {
    name: &'a str,
    key: &'a SignKey,
}

impl NoteSigner for Signer<'_> {
    fn name(&self) -> &str {
        self.name
    }
    fn public_key(&self) -> [u8; 32] {
        *self.key.public().as_bytes()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        *self.key.sign_note(message).unwrap().as_bytes()
    }
}

/// The keys of the new manifest: the log's, and those of three witnesses.
struct NewKeys {
    log: SignKey,
    witnesses: Vec<SignKey>,
}

impl NewKeys {
    fn new(first: u8) -> Self {
        let key = |n: u8| SignKey::from_secret_bytes(&[n; 32]);
        Self { log: key(first), witnesses: [first + 1, first + 2, first + 3].map(key).into() }
    }

    /// The manifest after another one, with these keys, signed by so many root keys.
    fn manifest(
        &self,
        world: &World<MemoryStore>,
        (before, base): (&SiteManifest, TreeHead),
        roots: usize,
    ) -> MlogEntry {
        let people = &world.people;
        let (old, mut fields) = (before.hash(), (**before).clone());
        fields.number += 1;
        fields.prev = Some(old);
        fields.log_key = *self.log.public();
        for (witness, key) in fields.witnesses.iter_mut().zip(&self.witnesses) {
            witness.key = *key.public();
        }
        let next = SiteManifest::new(fields).unwrap();
        let body = MlogBody::SiteManifest(Box::new(next));
        let entry = MlogEntry::unsigned(people.site, people.site.into(), base, &body).unwrap();
        people.root_keys.iter().take(roots).fold(entry, |entry, root| entry.sign_as_root(root).unwrap())
    }

    /// A head with the cosignatures of a quorum.
    fn cosigned(&self, origin: &str, head: TreeHead) -> Vec<u8> {
        let checkpoint = Checkpoint::new(origin.parse().unwrap(), head).unwrap();
        let signer = Signer { name: origin, key: &self.log };
        let mut note: SignedNote = sign_checkpoint(&checkpoint, &signer).unwrap();
        let key = VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, self.log.public().as_bytes());
        let logs = WitnessLogs::new([key.unwrap()]).unwrap();
        for (number, key) in self.witnesses.iter().enumerate() {
            let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note: note.clone() };
            let pending = WitnessState::new().prepare(&logs, &request, 1_000).unwrap();
            let name = format!("witness{number}.example");
            note = note.with_signature(pending.persisted(&Signer { name: &name, key }).unwrap()).unwrap();
        }
        note.to_string().into_bytes()
    }
}

/// An entry as a device gives it back, with its place in a log that ends with `head`.
fn at_place(log: &[Vec<u8>], index: usize, note: &[u8]) -> MlogSubmission {
    let tree = tree_of(log);
    let path = inclusion_proof(&tree, index as u64, log.len() as u64).unwrap();
    let path = path.into_iter().map(ward_audit::NodeHash::to_root).collect();
    let place = MlogPlace { index: index as u64, checkpoint: Opaque(note.to_vec()), path };
    MlogSubmission { entry: Opaque(log[index].clone()), package: None, place: Some(place) }
}

/// A server on a backup that ends before a revocation, manifests with other keys and another revocation;
/// with the log as it was, and where what is missing begins.
async fn set_back(keys: &[&NewKeys], roots: usize) -> (World<MemoryStore>, MemoryStore, Vec<Vec<u8>>, usize) {
    let mut world = World::new().await;
    let chart = world.people.chart.into();
    let held = world.people.log.len();
    let first =
        world.people.revoke(&world.people.spare, chart, RevokePolicy::Salvage, &world.people.coordinator);
    world.people.took(&first);
    let mut log = world.people.log.clone();
    let mut before = world.people.manifest.clone();
    for keys in keys {
        let entry = keys.manifest(&world, (&before, head_of(&log)), roots);
        let MlogBody::SiteManifest(next) = entry.decode_body().unwrap() else { unreachable!() };
        before = *next;
        log.push(entry.to_canonical());
    }
    let last =
        world.people.revoke(&world.people.phone, chart, RevokePolicy::Salvage, &world.people.coordinator);
    log.push(last.to_canonical());
    let store = MemoryStore::new();
    bootstrap_site(&store, &world.people.root, &log[..held], T0).await.unwrap();
    let mlog_size = log.len() as u64;
    let restored = Restored { olog_origin: None, olog_size: 0, mlog_size, at: TimestampMs(0) };
    restored.declare(&store).await.unwrap();
    world.wire = Wire::Router(router(world.restart_on(store.clone()).await.unwrap()));
    (world, store, log, held)
}

fn tree_of(log: &[Vec<u8>]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for bytes in log {
        let entry = MlogEntry::read(bytes).unwrap();
        tree.append(leaf_hash(&mlog_leaf(entry.subject(), entry.hash())));
    }
    tree
}

fn head_of(log: &[Vec<u8>]) -> TreeHead {
    TreeHead { size: log.len() as u64, root: tree_of(log).root() }
}

#[tokio::test]
async fn fault_14_a_lost_manifest_with_other_keys_is_shown_first_and_the_log_comes_back() {
    let keys = NewKeys::new(101);
    let (world, store, log, held) = set_back(&[&keys], 2).await;
    let note = keys.cosigned(&world.people.manifest.mlog_origin, head_of(&log));
    let staff = world.login(&world.people.coordinator).await;
    let give = async |index| staff.post(paths::MLOG_ENTRIES, &at_place(&log, index, &note)).await;
    give(held).await.refused(ErrorCode::NotRelayed);
    // The manifest is shown before its turn: it is believed, and not taken.
    give(held + 1).await.refused(ErrorCode::MlogMoved);
    assert_eq!(store.mlog_size().await.unwrap(), held as u64);
    for index in held..log.len() {
        let taken: MlogAccepted = give(index).await.ok().cbor();
        assert_eq!(taken, MlogAccepted { index: index as u64, size: index as u64 + 1 });
    }
    assert_eq!(store.mlog_size().await.unwrap(), log.len() as u64);
    // From then on the site's log key is the new one: the operator starts the server with it.
    assert!(matches!(world.restart_on(store).await, Err(StartError::WrongLogKey)));
}

#[tokio::test]
async fn fault_14_a_manifest_that_the_root_did_not_sign_or_that_never_stood_there_vouches_for_nothing() {
    let keys = NewKeys::new(101);
    // One root key of the two that it takes.
    let (world, store, log, held) = set_back(&[&keys], 1).await;
    let note = keys.cosigned(&world.people.manifest.mlog_origin, head_of(&log));
    let staff = world.login(&world.people.coordinator).await;
    for index in [held + 1, held, held + 2] {
        staff.post(paths::MLOG_ENTRIES, &at_place(&log, index, &note)).await.refused(ErrorCode::NotRelayed);
    }
    // Signed by the root, in a log that its witnesses did not cosign.
    let (world, other, log, held) = set_back(&[&keys], 2).await;
    let strangers = NewKeys { log: SignKey::from_secret_bytes(&[101; 32]), witnesses: vec![] };
    let note = strangers.cosigned(&world.people.manifest.mlog_origin, head_of(&log));
    let staff = world.login(&world.people.coordinator).await;
    for index in [held + 1, held, held + 2] {
        staff.post(paths::MLOG_ENTRIES, &at_place(&log, index, &note)).await.refused(ErrorCode::NotRelayed);
    }
    for store in [store, other] {
        assert_eq!(store.mlog_size().await.unwrap(), held as u64);
    }
}

#[tokio::test]
async fn fault_14_of_several_lost_manifests_the_newest_vouches_once_those_before_it_are_shown() {
    let (first, second) = (NewKeys::new(101), NewKeys::new(111));
    let (world, store, log, held) = set_back(&[&first, &second], 2).await;
    let note = second.cosigned(&world.people.manifest.mlog_origin, head_of(&log));
    let staff = world.login(&world.people.coordinator).await;
    let give = async |index| staff.post(paths::MLOG_ENTRIES, &at_place(&log, index, &note)).await;
    // Without the first one nothing says that the second one follows.
    give(held + 2).await.refused(ErrorCode::NotRelayed);
    give(held + 1).await.refused(ErrorCode::NotRelayed);
    give(held + 2).await.refused(ErrorCode::MlogMoved);
    for index in held..log.len() {
        give(index).await.ok();
    }
    assert_eq!(store.mlog_size().await.unwrap(), log.len() as u64);
}
