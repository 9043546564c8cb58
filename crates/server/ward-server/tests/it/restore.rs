//! A database that was set back, changed or mixed up is noticed before anything is signed.

use crate::support::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use ward_api::{ErrorCode, LogName, paths};
use ward_audit::{AddCheckpoint, NoteSignature, WitnessTime};
use ward_crypto::SignKey;
use ward_id::TreeRoot;
use ward_server::{
    App, LogDeskError, StartError, WitnessClient, WitnessClientError, WitnessFuture, bootstrap_site, router,
};
use ward_store::{CheckpointKind, LogStateStore as _, MemoryStore, SavedCheckpoint, Upkeep as _};
use ward_store_sqlite::{SqliteOptions, SqliteStore};

/// A witness behind a network that a test can cut.
struct Cut {
    inner: Arc<dyn WitnessClient>,
    down: Arc<AtomicBool>,
}

impl WitnessClient for Cut {
    fn name(&self) -> &str {
        self.inner.name()
    }
    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        if self.down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(WitnessClientError::Unreachable) });
        }
        self.inner.add_checkpoint(request)
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
    let down = Arc::new(AtomicBool::new(true));
    for witness in &mut world.witnesses {
        *witness = Arc::new(Cut { inner: Arc::clone(witness), down: Arc::clone(&down) });
    }
    let app = world.restart_on(copy).await.unwrap();
    world.wire = crate::support::Wire::Router(router(Arc::clone(&app)));
    let phone = world.login(&world.people.phone).await;
    down.store(false, Ordering::Relaxed);
    phone.get(paths::OLOG_CHECKPOINT).await.refused(ErrorCode::StoreStopped);
    let mut pen = world.pen(&world.people.phone, world.people.chart, 9);
    let batch = pen.batch(1, &secret, world.people.membership.head());
    phone.post(&paths::envelopes(world.people.chart), &batch).await.refused(ErrorCode::StoreStopped);
    world.wire.plain("GET", paths::READYZ, None, Vec::new()).await.refused(ErrorCode::StoreStopped);
    assert_eq!(world.wire.plain("GET", paths::HEALTHZ, None, Vec::new()).await.status, 200);
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
    let down = Arc::new(AtomicBool::new(true));
    for witness in &mut world.witnesses {
        *witness = Arc::new(Cut { inner: Arc::clone(witness), down: Arc::clone(&down) });
    }
    let app = world.restart_on(copy.clone()).await.unwrap();
    world.wire = crate::support::Wire::Router(router(Arc::clone(&app)));
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, world.people.chart, 9);
    let head = world.people.membership.head();
    phone.post(&paths::envelopes(world.people.chart), &pen.batch(5, &secret, head)).await.ok();
    down.store(false, Ordering::Relaxed);
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
    world.witnesses[0] = Arc::new(Cut { inner: Arc::clone(&world.witnesses[0]), down: Arc::clone(&down) });
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
