//! A database that was set back, changed or mixed up is noticed before anything is signed.

use crate::support::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use ward_api::{ErrorCode, LogName, MlogSubmission, Opaque, paths};
use ward_audit::{
    AddCheckpoint, Checkpoint, NoteSignature, SignedNote, SignerName, TreeHead, WitnessTime, reopened_origin,
};
use ward_crypto::SignKey;
use ward_id::{Canonical as _, TreeRoot};
use ward_server::limits::COSIGN_RETRY_MS;
use ward_server::{
    App, Clock as _, LogDeskError, Restored, StartError, WitnessClient, WitnessClientError, WitnessFuture,
    bootstrap_site, router,
};
use ward_store::{
    CheckpointKind, LogStateStore as _, MemoryStore, OlogStore as _, SavedCheckpoint, Upkeep as _,
};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::{LogReopen, MlogBody, Revoke, RevokePolicy};

/// A witness behind a network that a test can cut.
struct Cut {
    inner: Arc<dyn WitnessClient>,
    down: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Cut {
    fn before(inner: &Arc<dyn WitnessClient>, down: &Arc<AtomicBool>) -> Arc<dyn WitnessClient> {
        Arc::new(Self { inner: Arc::clone(inner), down: Arc::clone(down), asked: Arc::default() })
    }
}

/// The same world behind a network that can be cut, one wire for each witness.
fn behind_wires<S>(world: &mut World<S>) -> Vec<Arc<AtomicBool>> {
    let wires: Vec<Arc<AtomicBool>> = world.witnesses.iter().map(|_| Arc::default()).collect();
    for (witness, down) in world.witnesses.iter_mut().zip(&wires) {
        *witness = Cut::before(witness, down);
    }
    wires
}

fn cut(wires: &[Arc<AtomicBool>], down: bool) {
    wires.iter().for_each(|wire| wire.store(down, Ordering::Relaxed));
}

impl WitnessClient for Cut {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(WitnessClientError::Unreachable) });
        }
        self.inner.add_checkpoint(request)
    }
    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(WitnessClientError::Unreachable) });
        }
        self.inner.cosigned(origin)
    }
    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        self.inner.sign_time(nonce)
    }
}

/// A world on a file, a copy of the file, and more operations after the copy.
async fn set_back() -> (World<SqliteStore>, SqliteStore, ward_crypto::EpochSecret, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    let mut world = World::on(store.clone()).await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let copy = folder.path().join("copy.db");
    {
        let phone = world.login(&world.people.phone).await;
        let mut pen = world.pen(&world.people.phone, chart, 1);
        phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
        phone.get(paths::OLOG_CHECKPOINT).await.ok();
        store.backup_to(copy.clone()).await.unwrap();
        phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
        phone.get(paths::OLOG_CHECKPOINT).await.ok();
    }
    let copy = SqliteStore::open(&copy, SqliteOptions::default()).unwrap();
    (world, copy, secret, folder)
}

/// Red team 12: a server whose database was restored to an older state does not start.
#[tokio::test]
async fn rt_12_a_database_behind_its_witnesses_does_not_start() {
    let (world, copy, _, _folder) = set_back().await;
    assert!(world.restart_on(world.store.clone()).await.is_ok(), "the newest state starts");
    match world.restart_on(copy).await {
        Err(StartError::BehindWitness(behind)) => {
            assert_eq!((behind.log, behind.size, behind.known_size), (LogName::Olog, 2, 4));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a set-back database started"),
    }
}

/// Red team 12: when the witnesses cannot be reached at start, the first contact stops all writing.
#[tokio::test]
async fn rt_12_a_late_contact_with_a_witness_stops_writing() {
    let (mut world, copy, secret, _folder) = set_back().await;
    let wires = behind_wires(&mut world);
    cut(&wires, true);
    let app = world.restart_on(copy).await.unwrap();
    world.wire = crate::support::Wire::Router(router(Arc::clone(&app)));
    let phone = world.login(&world.people.phone).await;
    let mut early = world.pen(&world.people.phone, world.people.chart, 8);
    let batch = early.batch(1, &secret, world.people.membership.head());
    phone.post(&paths::envelopes(world.people.chart), &batch).await.refused(ErrorCode::WitnessesUnreachable);
    cut(&wires, false);
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
    phone.get(paths::OLOG_CHECKPOINT).await.refused(ErrorCode::StoreStopped);
    let mut pen = world.pen(&world.people.phone, world.people.chart, 9);
    let batch = pen.batch(1, &secret, world.people.membership.head());
    phone.post(&paths::envelopes(world.people.chart), &batch).await.refused(ErrorCode::StoreStopped);
    world.wire.plain("GET", paths::READYZ, None, Vec::new()).await.refused(ErrorCode::StoreStopped);
    assert_eq!(world.wire.plain("GET", paths::HEALTHZ, None, Vec::new()).await.status, 200);
}

/// While the witnesses are away for days, nobody can verify a head that covers what came since. A revocation
/// that names the newest one there is needs no second person for that; one that names an older head does.
#[tokio::test]
async fn rt_22_a_lost_device_is_revoked_by_one_while_the_witnesses_are_away() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let wires = behind_wires(&mut world);
    let app = world.restart_on(world.store.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(app));
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let newest = {
        let phone = world.login(&world.people.phone).await;
        phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
        let note: SignedNote = phone.get(paths::OLOG_CHECKPOINT).await.ok().text().parse().unwrap();
        cut(&wires, true);
        phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
        note.text().parse::<Checkpoint>().unwrap().head()
    };
    assert_eq!(newest.size, 2);
    world.clock.advance_ms(4 * 86_400_000);
    let people = &world.people;
    let coordinator = world.login(&people.coordinator).await;
    let revoke = |olog: TreeHead| {
        let (device, policy) = (people.phone.id, RevokePolicy::Sever);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "stolen".into() });
        let entry = people.entry(chart.into(), &body, &[&people.coordinator]);
        MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None }
    };
    let everything = revoke(TreeHead::empty());
    coordinator.post(paths::MLOG_ENTRIES, &everything).await.refused(ErrorCode::MoreSignatures);
    // Once they are back, there is a newer head to name.
    cut(&wires, false);
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
    coordinator.post(paths::MLOG_ENTRIES, &revoke(newest)).await.refused(ErrorCode::MoreSignatures);
    cut(&wires, true);
    let note = coordinator.get(paths::OLOG_CHECKPOINT).await.ok().text().parse::<SignedNote>().unwrap();
    let newest = note.text().parse::<Checkpoint>().unwrap().head();
    assert_eq!(newest.size, 4);
    let mut others = world.pen(&people.clinician, chart, 1);
    let clinician = world.login(&people.clinician).await;
    clinician.post(&paths::envelopes(chart), &others.batch(1, &secret, head)).await.ok();
    world.clock.advance_ms(4 * 86_400_000);
    let coordinator = world.login(&people.coordinator).await;
    coordinator.post(paths::MLOG_ENTRIES, &revoke(newest)).await.ok();
}

/// Red team 12: a server that could not ask enough witnesses may stand on an old database. It takes
/// nothing, and gives what it has, until they have answered.
#[tokio::test]
async fn rt_12_nothing_is_taken_until_enough_witnesses_agree() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let wires = behind_wires(&mut world);
    cut(&wires, true);
    let app = world.restart_on(world.store.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(app));
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let batch = pen.batch(1, &secret, head);
    let entry = world.people.revoke(
        &world.people.spare,
        chart.into(),
        RevokePolicy::Salvage,
        &world.people.coordinator,
    );
    let entry = MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None };
    for up in 0..=1 {
        if let Some(wire) = wires.get(up).filter(|_| up > 0) {
            wire.store(false, Ordering::Relaxed);
        }
        world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
        let refused = phone.post(&paths::envelopes(chart), &batch).await;
        refused.refused(ErrorCode::WitnessesUnreachable);
        assert_eq!(refused.problem().unwrap().members.retry_after_s, Some(15), "{up} witnesses");
        phone.post(paths::MLOG_ENTRIES, &entry).await.refused(ErrorCode::WitnessesUnreachable);
        let ready = world.wire.plain("GET", paths::READYZ, None, Vec::new()).await;
        ready.refused(ErrorCode::WitnessesUnreachable);
        phone.get(&paths::have(chart)).await.ok();
        phone.get(&paths::epochs(chart, 0)).await.ok();
    }
    wires[2].store(false, Ordering::Relaxed);
    phone.post(&paths::envelopes(chart), &batch).await.refused(ErrorCode::WitnessesUnreachable);
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
    phone.post(&paths::envelopes(chart), &batch).await.ok();
    assert_eq!(world.wire.plain("GET", paths::READYZ, None, Vec::new()).await.status, 200);
    // Agreed once, it holds: a later cut of the network stops no one from sending.
    cut(&wires, true);
    world.clock.advance_ms(120_000);
    phone.post(&paths::envelopes(chart), &pen.batch(1, &secret, head)).await.ok();
}

/// Without a quorum the old note is given at once, and the witnesses are asked in turns.
#[tokio::test]
async fn witnesses_that_do_not_answer_are_not_asked_by_every_caller() {
    let mut world = World::new().await;
    let down = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicUsize::new(0));
    for witness in &mut world.witnesses {
        let (inner, down) = (Arc::clone(witness), Arc::clone(&down));
        *witness = Arc::new(Cut { inner, down, asked: Arc::clone(&asked) });
    }
    let app = world.restart_on(world.store.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(app));
    let phone = world.login(&world.people.phone).await;
    phone.get(paths::MLOG_CHECKPOINT).await.ok();
    down.store(true, Ordering::Relaxed);
    world.clock.advance_ms(61_000);
    let before = asked.load(Ordering::Relaxed);
    for _ in 0..5 {
        phone.get(paths::MLOG_CHECKPOINT).await.ok();
    }
    assert_eq!(asked.load(Ordering::Relaxed), before + 3, "each of three once");
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap() - 1);
    phone.get(paths::MLOG_CHECKPOINT).await.ok();
    assert_eq!(asked.load(Ordering::Relaxed), before + 3);
    world.clock.advance_ms(1);
    phone.get(paths::MLOG_CHECKPOINT).await.ok();
    assert_eq!(asked.load(Ordering::Relaxed), before + 6);
}

/// Red team 48 at the server: leaves that were changed under a signed head are noticed at start.
#[tokio::test]
async fn rt_48_changed_leaves_do_not_start() {
    let world = World::new().await;
    let store = MemoryStore::new();
    bootstrap_site(&store, &world.people.root, &world.people.log, crate::support::clock::T0).await.unwrap();
    let signed = SavedCheckpoint { size: 4, root: TreeRoot::from_bytes([1; 32]), note: Vec::new() };
    store.save_checkpoint(LogName::Mlog, CheckpointKind::Signed, signed).await.unwrap();
    let refused = world.restart_on(store).await.err().unwrap();
    assert!(
        matches!(refused, StartError::Log(LogDeskError::Changed { log: LogName::Mlog, .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn an_empty_store_and_a_foreign_key_do_not_start() {
    let world = World::new().await;
    assert!(matches!(world.restart_on(MemoryStore::new()).await, Err(StartError::NoSite)));
    let mut parts = crate::support::world::parts(
        &world.people,
        world.store.clone(),
        world.clock.clone(),
        world.witnesses.clone(),
        crate::support::world::generous(),
    );
    parts.log_key = SignKey::from_secret_bytes(&[9; 32]);
    assert!(matches!(App::start(parts).await, Err(StartError::WrongLogKey)));
}

#[tokio::test]
async fn a_site_is_begun_once_and_a_broken_off_run_goes_on() {
    let world = World::new().await;
    let store = MemoryStore::new();
    let (root, log) = (&world.people.root, &world.people.log);
    let now = crate::support::clock::T0;
    bootstrap_site(&store, root, &log[..3], now).await.unwrap();
    bootstrap_site(&store, root, log, now).await.unwrap();
    assert!(world.restart_on(store.clone()).await.is_ok());
    let other = crate::support::People::new(8);
    assert!(bootstrap_site(&store, &other.root, &other.log, now).await.is_err());
    let empty = MemoryStore::new();
    assert!(bootstrap_site(&empty, root, &log[1..], now).await.is_err(), "no manifest, nothing kept");
    assert!(matches!(world.restart_on(empty).await, Err(StartError::NoSite)));
}

/// Red team 13 at the server: a set-back database that has grown past the witnesses in the
/// meantime is a fork, and is stopped as one.
#[tokio::test]
async fn rt_13_a_second_history_that_grew_longer_is_stopped() {
    let (mut world, copy, secret, _folder) = set_back().await;
    let head = world.people.membership.head();
    {
        // Witnesses that know nothing let the old state go on.
        let known = std::mem::take(&mut world.witnesses);
        world.witnesses = crate::support::world::witnesses(&world.people, world.clock.clone());
        world.wire = crate::support::Wire::Router(router(world.restart_on(copy.clone()).await.unwrap()));
        let phone = world.login(&world.people.phone).await;
        let mut pen = world.pen(&world.people.phone, world.people.chart, 9);
        phone.post(&paths::envelopes(world.people.chart), &pen.batch(5, &secret, head)).await.ok();
        drop(phone);
        world.witnesses = known;
    }
    let wires = behind_wires(&mut world);
    cut(&wires, true);
    let app = world.restart_on(copy.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(Arc::clone(&app)));
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, world.people.chart, 10);
    cut(&wires, false);
    world.clock.advance_ms(i64::try_from(COSIGN_RETRY_MS).unwrap());
    phone.get(paths::OLOG_CHECKPOINT).await.refused(ErrorCode::StoreStopped);
    phone
        .post(&paths::envelopes(world.people.chart), &pen.batch(1, &secret, head))
        .await
        .refused(ErrorCode::StoreStopped);
    let refused = world.restart_on(copy).await.err().unwrap();
    assert!(matches!(refused, StartError::BehindWitness(_)), "{refused}");
}

/// A witness that claims to know more than there is.
struct Liar(Arc<dyn WitnessClient>);

impl WitnessClient for Liar {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn add_checkpoint<'a>(&'a self, _: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        Box::pin(async { Err(WitnessClientError::Conflict { known_size: 1_000_000 }) })
    }
    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        self.0.cosigned(origin)
    }
    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        self.0.sign_time(nonce)
    }
}

/// One witness can keep a server from starting, where a person looks at it, but cannot stop one
/// that runs with a quorum of others.
#[tokio::test]
async fn one_lying_witness_does_not_stop_a_running_site() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let mut witnesses = world.witnesses.clone();
    witnesses[0] = Arc::new(Liar(Arc::clone(&witnesses[0])));
    world.witnesses = witnesses;
    let refused = world.restart_on(world.store.clone()).await.err().unwrap();
    assert!(matches!(refused, StartError::BehindWitness(_)), "{refused}");
    // It begins to lie while the server runs.
    let down = Arc::new(AtomicBool::new(true));
    world.witnesses[0] = Cut::before(&world.witnesses[0], &down);
    let app = world.restart_on(world.store.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(app));
    down.store(false, Ordering::Relaxed);
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let head = world.people.membership.head();
    for _ in 0..2 {
        phone.post(&paths::envelopes(chart), &pen.batch(1, &secret, head)).await.ok();
        phone.get(paths::OLOG_CHECKPOINT).await.ok();
    }
}

/// A damaged row of the operation log stands in the way of no revocation, and what nobody may sign has
/// nothing computed for it.
#[tokio::test]
async fn rt_22_a_damaged_row_stands_in_the_way_of_no_revocation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let mut world = World::on(store.clone()).await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let people = &world.people;
    let phone = world.login(&people.phone).await;
    let coordinator = world.login(&people.coordinator).await;
    let newest = async || {
        let note = coordinator.get(paths::OLOG_CHECKPOINT).await.ok().text().parse::<SignedNote>().unwrap();
        note.text().parse::<Checkpoint>().unwrap().head()
    };
    let revoke = |olog: TreeHead, signer| {
        let (device, policy) = (people.phone.id, RevokePolicy::Sever);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "stolen".into() });
        let entry = people.entry(chart.into(), &body, &[signer]);
        MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None }
    };
    phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
    let covered = newest().await;
    phone.post(&paths::envelopes(chart), &pen.batch(2, &secret, head)).await.ok();
    let signed =
        async || store.checkpoint(LogName::Olog, CheckpointKind::Signed).await.unwrap().unwrap().size;
    let before = signed().await;
    let beyond = TreeHead { size: u64::MAX, ..covered };
    let of_a_stranger = revoke(beyond, &people.other_phone);
    let answer = coordinator.post(paths::MLOG_ENTRIES, &of_a_stranger).await;
    assert!(answer.status >= 400);
    assert_eq!(signed().await, before, "no head was signed for it");
    // The row of the first operation that the head leaves out rots.
    let other = rusqlite::Connection::open(&path).unwrap();
    let rot = "UPDATE operation SET envelope_hash = zeroblob(31) WHERE olog_index >= 2";
    other.execute_batch(&format!("PRAGMA ignore_check_constraints = ON; {rot}")).unwrap();
    assert!(store.operation_at(2).await.is_err(), "it cannot be read");
    let entry = revoke(covered, &people.coordinator);
    coordinator.post(paths::MLOG_ENTRIES, &entry).await.ok();
    coordinator.post(paths::MLOG_ENTRIES, &entry).await.ok();
}

/// After a restore devices give back what was lost, and it bears the time of that. One signer alone takes
/// none of it back with a head from before it came, however long ago it was written.
#[tokio::test]
async fn rt_22_what_devices_gave_back_after_a_restore_is_not_taken_back_by_one() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let mut pen = world.pen(&world.people.phone, chart, 1);
    let written = pen.batch(3, &secret, head);
    let backup = world.store.snapshot().unwrap();
    let old = {
        let phone = world.login(&world.people.phone).await;
        phone.post(&paths::envelopes(chart), &written).await.ok();
        phone.get(paths::OLOG_CHECKPOINT).await.ok().text()
    };
    world.clock.advance_ms(10 * 86_400_000);
    let old_origin = world.people.manifest.olog_origin.clone();
    let restored = Restored {
        olog_origin: Some(old_origin.clone()),
        olog_size: 3,
        mlog_size: world.people.membership.size(),
        at: world.clock.now(),
    };
    restored.declare(&backup).await.unwrap();
    world.wire = crate::support::Wire::Router(router(world.restart_on(backup).await.unwrap()));
    let body = MlogBody::LogReopen(LogReopen {
        checkpoint: old.into_bytes(),
        new_origin: reopened_origin(&old_origin, 2),
        old_origin,
        reason: "the disk broke".into(),
        kept: None,
    });
    let site = world.people.site.into();
    let entry = world.people.entry(site, &body, &[&world.people.admins[0]]);
    world.append(&entry, None).await.ok();
    let people = &world.people;
    let coordinator = world.login(&people.coordinator).await;
    let newest = async || {
        let note = coordinator.get(paths::OLOG_CHECKPOINT).await.ok().text().parse::<SignedNote>().unwrap();
        note.text().parse::<Checkpoint>().unwrap().head()
    };
    let revoke = |olog: TreeHead| {
        let (device, policy) = (people.phone.id, RevokePolicy::Sever);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "stolen".into() });
        let entry = people.entry(chart.into(), &body, &[&people.coordinator]);
        MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None }
    };
    let empty = newest().await;
    coordinator.post(&paths::relay(chart), &written).await.ok();
    world.clock.advance_ms(120_000);
    let whole = newest().await;
    assert_eq!((empty.size, whole.size), (1, 4));
    coordinator.post(paths::MLOG_ENTRIES, &revoke(empty)).await.refused(ErrorCode::MoreSignatures);
    coordinator.post(paths::MLOG_ENTRIES, &revoke(whole)).await.ok();
}
