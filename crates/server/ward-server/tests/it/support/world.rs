//! A server with witnesses in this process, and the people of its site.

use super::clock::{HandClock, T0};
use super::pen::Pen;
use super::people::{Device, People, Who};
use super::wire::{ORIGIN, Reply, Session, Wire};
use std::sync::Arc;
use ward_api::{Limits, MlogSubmission, Opaque, paths};
use ward_audit::{SignatureKind, VerifierKey};
use ward_crypto::{EpochPackage, EpochSecret, SignKey};
use ward_id::{Canonical as _, ChartId};
use ward_server::{
    App, AppParts, Clock, InProcess, Origin, StartError, SystemEntropy, VolatileMemory, WitnessClient,
    WitnessService, bootstrap_site, router,
};
use ward_store::{MemoryStore, Store};
use ward_sync::MlogEntry;

pub struct World<S> {
    pub people: People,
    pub clock: Arc<HandClock>,
    pub store: S,
    pub app: Arc<App<S>>,
    pub wire: Wire,
    pub witnesses: Vec<Arc<dyn WitnessClient>>,
}

/// Rates that no test but those about rates meets.
pub fn generous() -> Limits {
    Limits {
        device_requests_per_min: 1_000_000,
        person_requests_per_min: 1_000_000,
        address_requests_per_min: 1_000_000,
        address_anonymous_per_min: 1_000_000,
        device_bytes_per_min: u32::MAX,
        device_mlog_appends_per_min: 1_000_000,
        device_drops_per_min: 1_000_000,
        ..Limits::default()
    }
}

/// The site's witnesses, with heads in memory.
pub fn witnesses(people: &People, clock: Arc<dyn Clock>) -> Vec<Arc<dyn WitnessClient>> {
    let log_key = SignKey::from_secret_bytes(&people.log_key_seed);
    let key = |origin: &str| {
        VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, log_key.public().as_bytes()).unwrap()
    };
    let logs = [key(&people.manifest.mlog_origin), key(&people.manifest.olog_origin)];
    let client = |(entry, seed): (&ward_crypto::WitnessEntry, &[u8; 32])| -> Arc<dyn WitnessClient> {
        let key = SignKey::from_secret_bytes(seed);
        let service = WitnessService::new(&entry.name, key, logs.clone(), Box::new(VolatileMemory)).unwrap();
        Arc::new(InProcess::new(service, Arc::clone(&clock)))
    };
    people.manifest.witnesses.iter().zip(&people.witness_seeds).map(client).collect()
}

pub fn parts<S>(
    people: &People,
    store: S,
    clock: Arc<dyn Clock>,
    witnesses: Vec<Arc<dyn WitnessClient>>,
    limits: Limits,
) -> AppParts<S> {
    AppParts {
        store,
        log_key: SignKey::from_secret_bytes(&people.log_key_seed),
        server_seed: [42; 32].into(),
        origins: vec![Origin::parse(ORIGIN).unwrap()],
        witnesses,
        limits,
        trusted_proxies: Vec::new(),
        clock,
        entropy: Arc::new(SystemEntropy),
    }
}

impl World<MemoryStore> {
    pub async fn new() -> Self {
        Self::on(MemoryStore::new()).await
    }
}

impl<S: Store> World<S> {
    pub async fn on(store: S) -> Self {
        Self::with(store, People::new(7), generous()).await
    }

    pub async fn with(store: S, people: People, limits: Limits) -> Self {
        let clock = Arc::new(HandClock::default());
        bootstrap_site(&store, &people.root, &people.log, T0).await.unwrap();
        let witnesses = witnesses(&people, clock.clone());
        let app = App::start(parts(&people, store.clone(), clock.clone(), witnesses.clone(), limits))
            .await
            .unwrap();
        let wire = Wire::Router(router(Arc::clone(&app)));
        Self { people, clock, store, app, wire, witnesses }
    }

    /// Starts another server on `store` with the same keys and witnesses.
    pub async fn restart_on<T: Store>(&self, store: T) -> Result<Arc<App<T>>, StartError> {
        App::start(parts(&self.people, store, self.clock.clone(), self.witnesses.clone(), generous())).await
    }

    pub fn session<'a>(&self, device: &'a Device) -> Session<'a> {
        let clock = Arc::clone(&self.clock);
        Session::new(self.wire.clone(), device, move || clock.now())
    }

    pub async fn login<'a>(&self, device: &'a Device) -> Session<'a> {
        self.session(device).login().await
    }

    /// Sends an entry as one of the admins and, if it was taken, notes it.
    pub async fn append(&mut self, entry: &MlogEntry, package: Option<&EpochPackage>) -> Reply {
        let submission = MlogSubmission {
            entry: Opaque(entry.to_canonical()),
            package: package.map(|package| Opaque(package.to_canonical())),
            place: None,
        };
        let reply = self.login(&self.people.coordinator).await.post(paths::MLOG_ENTRIES, &submission).await;
        if reply.status == 200 {
            package.map(|package| self.people.membership.learn_package(package));
            self.people.took(entry);
        }
        reply
    }

    /// Makes and announces the first epoch of a chart.
    pub async fn first_epoch(&mut self, chart: ChartId) -> (EpochPackage, EpochSecret) {
        let (package, secret, entry) = self.people.epoch(chart, Who::Coordinator, None);
        self.append(&entry, Some(&package)).await.ok();
        (package, secret)
    }

    pub fn pen<'a>(&self, device: &'a Device, chart: ChartId, incarnation: u64) -> Pen<'a> {
        Pen::new(device, self.people.site, chart, incarnation)
    }
}
