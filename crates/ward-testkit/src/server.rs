//! The server of a test: the real router over a store in memory or any other, with witnesses in
//! this process.

use crate::inline_witness::InlineWitness;
use crate::limits::TEST_REQUESTS_PER_MIN;
use crate::{FakeClock, InProcessTransport, SeededRng, WireMeter};
use rustls::pki_types::PrivateKeyDer;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use ward_api::{EnvelopeRow, LogName};
use ward_audit::{SignatureKind, VerifierKey};
use ward_client::{ServerAddress, SiteBootstrap, SitePlan, site_bootstrap};
use ward_crypto::{EpochPackage, RootPolicy, SignKey, WitnessEntry, random_bytes, random_id};
use ward_id::{Canonical as _, TimestampMs};
use ward_server::{
    App, AppParts, Clock, Entropy, EntropyError, Listeners, Origin, Restored, StartError, TlsIdentity,
    VolatileMemory, WitnessClient, WitnessService,
};
use ward_store::{
    CheckpointKind, MemoryStore, MlogAppend, MlogStore as _, NewOperation, NewPackage, OlogStore as _, Store,
    StoreError, StoredOperation, StoredPackage,
};
use ward_sync::{MlogBody, MlogEntry};

/// Where devices reach the server of a test.
pub const ORIGIN: &str = "https://ward.test";

impl Clock for FakeClock {
    fn now(&self) -> TimestampMs {
        FakeClock::now(self)
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(FakeClock::now(self).since_ms(crate::START)).unwrap_or(0)
    }
}

struct SeededEntropy(Mutex<SeededRng>);

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rand_core::Rng::fill_bytes(&mut *rng, out);
        Ok(())
    }
}

/// A server in this process.
pub struct Server<S: Store = MemoryStore> {
    /// Its state.
    pub app: Arc<App<S>>,
    /// Its store.
    pub store: S,
    /// The way into it.
    pub transport: InProcessTransport,
    witnesses: Vec<Arc<dyn WitnessClient>>,
    wiring: Wiring,
}

/// What a server is started with, again and again.
#[derive(Clone)]
struct Wiring {
    root_policy: RootPolicy,
    first_entries: Vec<Vec<u8>>,
    witness_secrets: Vec<(String, [u8; 32])>,
    logs: Vec<VerifierKey>,
    origins: Vec<String>,
    log_secret: [u8; 32],
    server_seed: [u8; 32],
    clock: FakeClock,
    seed: u64,
}

impl Wiring {
    /// Witnesses that have seen nothing yet.
    fn fresh_witnesses(&self) -> Vec<Arc<dyn WitnessClient>> {
        let witness = |(name, secret): &(String, [u8; 32])| {
            let key = SignKey::from_secret_bytes(secret);
            let service = WitnessService::new(name.clone(), key, self.logs.clone(), Box::new(VolatileMemory));
            let service = service.expect("a witness starts");
            Arc::new(InlineWitness::new(service, self.clock.clone())) as Arc<dyn WitnessClient>
        };
        self.witness_secrets.iter().map(witness).collect()
    }

    async fn app<S: Store>(
        &self,
        store: S,
        witnesses: Vec<Arc<dyn WitnessClient>>,
    ) -> Result<Arc<App<S>>, StartError> {
        // Tests make more requests in a minute than people do.
        let limits = ward_api::Limits {
            device_requests_per_min: TEST_REQUESTS_PER_MIN,
            person_requests_per_min: TEST_REQUESTS_PER_MIN,
            address_requests_per_min: TEST_REQUESTS_PER_MIN,
            address_anonymous_per_min: TEST_REQUESTS_PER_MIN,
            device_bytes_per_min: u32::MAX,
            device_mlog_appends_per_min: TEST_REQUESTS_PER_MIN,
            device_drops_per_min: TEST_REQUESTS_PER_MIN,
            ..ward_api::Limits::default()
        };
        App::start(AppParts {
            store,
            log_key: SignKey::from_secret_bytes(&self.log_secret),
            server_seed: self.server_seed.into(),
            origins: self
                .origins
                .iter()
                .map(|origin| Origin::parse(origin).expect("the origin is one"))
                .collect(),
            witnesses,
            limits,
            trusted_proxies: Vec::new(),
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SeededEntropy(Mutex::new(SeededRng::new(self.seed, "server")))),
        })
        .await
    }
}

/// What the witnesses of a server remember when it is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WitnessMemories {
    /// Every head that they cosigned.
    Kept,
    /// Nothing: they are on the operator's side.
    Wiped,
}

impl<S: Store> Server<S> {
    /// Ends the server and starts it again on its store.
    pub async fn restart(&mut self) {
        let app = self.wiring.app(self.store.clone(), self.witnesses.clone()).await;
        self.app = app.expect("the server starts");
        self.transport.replace(ward_server::router(Arc::clone(&self.app)));
    }

    /// Ends the server and starts it again with another log key, and witnesses that follow its logs under
    /// that one.
    pub(crate) async fn go_on_with(&mut self, log_secret: [u8; 32]) {
        let public = SignKey::from_secret_bytes(&log_secret);
        self.wiring.log_secret = log_secret;
        for log in &mut self.wiring.logs {
            *log = VerifierKey::new(log.name().clone(), SignatureKind::Log, public.public().as_bytes())
                .expect("the key is one");
        }
        self.witnesses = self.wiring.fresh_witnesses();
        self.restart().await;
    }

    /// A further server with the same keys on another store, as after an operator replaced the
    /// database.
    ///
    /// # Errors
    /// [`StartError`]: the server noticed by itself.
    pub async fn started_on<O: Store>(
        &self,
        store: O,
        memories: WitnessMemories,
    ) -> Result<Server<O>, StartError> {
        let witnesses = match memories {
            WitnessMemories::Kept => self.witnesses.clone(),
            WitnessMemories::Wiped => self.wiring.fresh_witnesses(),
        };
        let app = self.wiring.app(store.clone(), witnesses.clone()).await?;
        let transport = InProcessTransport::new(ward_server::router(Arc::clone(&app)));
        Ok(Server { app, store, transport, witnesses, wiring: self.wiring.clone() })
    }

    /// The same server on a copy of its store, in another world: with a clock and entropy of its own
    /// and with witnesses that know nothing yet.
    ///
    /// # Errors
    /// [`StartError`].
    pub(crate) async fn in_another_world<O: Store>(
        &self,
        store: O,
        clock: FakeClock,
        seed: u64,
    ) -> Result<Server<O>, StartError> {
        let wiring = Wiring { clock, seed, ..self.wiring.clone() };
        let witnesses = wiring.fresh_witnesses();
        let app = wiring.app(store.clone(), witnesses.clone()).await?;
        let transport = InProcessTransport::new(ward_server::router(Arc::clone(&app)));
        Ok(Server { app, store, transport, witnesses, wiring })
    }

    /// Tries to start the server on another store of the same kind, as after restoring a backup. If
    /// it does not start, the old one stays.
    ///
    /// # Errors
    /// [`StartError`]: the server noticed by itself.
    pub(crate) async fn move_to(&mut self, store: S) -> Result<(), StartError> {
        self.app = self.wiring.app(store.clone(), self.witnesses.clone()).await?;
        self.store = store;
        self.transport.replace(ward_server::router(Arc::clone(&self.app)));
        Ok(())
    }

    /// Starts the server on a backup as `ward restore --reopen` leaves it: what the witnesses know more
    /// is written into it, and the server waits for it. Whether anything was missing. If it does not
    /// start, the old one stays.
    ///
    /// # Errors
    /// [`StartError`].
    pub(crate) async fn restore_to(&mut self, backup: S) -> Result<bool, StartError> {
        let known = async |log| {
            let newest = self.store.checkpoint(log, CheckpointKind::Cosigned).await?;
            Ok::<u64, StoreError>(newest.map_or(0, |newest| newest.size))
        };
        let (mlog, olog) = (known(LogName::Mlog).await?, known(LogName::Olog).await?);
        let origin = self.app.olog_origin();
        let ended = self.store.olog_reopened().await? != backup.olog_reopened().await?;
        let lost = ended || backup.olog_size().await? < olog;
        let missing = lost || backup.mlog_size().await? < mlog;
        let olog_origin = lost.then_some(origin);
        let at = self.wiring.clock.now();
        Restored { olog_origin, olog_size: olog, mlog_size: mlog, at }.declare(&backup).await?;
        self.move_to(backup).await?;
        Ok(missing)
    }

    async fn begin(wiring: Wiring, store: S) -> Self {
        ward_server::bootstrap_site(&store, &wiring.root_policy, &wiring.first_entries, wiring.clock.now())
            .await
            .expect("the first entries are taken");
        let witnesses = wiring.fresh_witnesses();
        let app = wiring.app(store.clone(), witnesses.clone()).await.expect("the server starts");
        let transport = InProcessTransport::new(ward_server::router(Arc::clone(&app)));
        Self { app, store, transport, witnesses, wiring }
    }

    /// A second server with the same keys that holds the first so many entries of both logs, with
    /// witnesses that forgot the rest: a restored backup, or an operator who shows different
    /// histories and has the witnesses on their side.
    pub async fn twin(&self, mlog_size: u64, olog_size: u64) -> Server {
        let mut twin = Server::begin(self.wiring.clone(), MemoryStore::new()).await;
        self.copy_into(&twin.store, mlog_size, olog_size).await;
        twin.restart().await;
        twin
    }

    /// The same keys and witnesses on a database that holds the first so many entries of both logs,
    /// as `ward restore --reopen` leaves it: the operator has said what the witnesses know more.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn restored(&self, mlog_size: u64, olog_size: u64) -> Result<Server, StartError> {
        self.restored_after(mlog_size, olog_size, self).await
    }

    /// The same after the witnesses have known another server with the same keys: this database is the
    /// only backup, and that one broke.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn restored_after<O: Store>(
        &self,
        mlog_size: u64,
        olog_size: u64,
        known_by: &Server<O>,
    ) -> Result<Server, StartError> {
        let store = MemoryStore::new();
        ward_server::bootstrap_site(
            &store,
            &self.wiring.root_policy,
            &self.wiring.first_entries,
            self.wiring.clock.now(),
        )
        .await
        .expect("the first entries are taken");
        if let Some(log) = self.store.olog_reopened().await.expect("the store reads") {
            store.reopen_olog(log).await.expect("the log begins");
        }
        self.copy_into(&store, mlog_size, olog_size).await;
        self.started_as_restored(store, known_by).await
    }

    /// The same on a backup of the database itself ([`MemoryStore::snapshot`]), of which the membership
    /// log is whole. It holds the heads that witnesses had signed by then too.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn restored_from(&self, backup: MemoryStore) -> Result<Server, StartError> {
        let mlog_size = self.store.mlog_size().await.expect("the store reads");
        self.copy_into(&backup, mlog_size, 0).await;
        self.started_as_restored(backup, self).await
    }

    async fn started_as_restored<O: Store>(
        &self,
        store: MemoryStore,
        known_by: &Server<O>,
    ) -> Result<Server, StartError> {
        let known = self.store.olog_size().await.expect("the store reads");
        let held = store.olog_size().await.expect("the store reads");
        let origin = self.app.olog_origin();
        let restored = Restored {
            olog_origin: (held < known).then_some(origin),
            olog_size: known,
            mlog_size: known_by.store.mlog_size().await.expect("the store reads"),
            at: self.wiring.clock.now(),
        };
        restored.declare(&store).await.expect("the store writes");
        self.started_on(store, WitnessMemories::Kept).await
    }

    async fn copy_into(&self, store: &MemoryStore, mlog_size: u64, olog_size: u64) {
        let from = store.mlog_size().await.expect("the store reads");
        for index in from..mlog_size {
            let rows = self.store.mlog_entries(index, index + 1).await.expect("the store reads");
            let row = rows.into_iter().next().expect("the log is that long");
            let package = self.package_of(&row.bytes).await;
            let append = MlogAppend {
                expected_size: index,
                subject: row.subject,
                entry_hash: row.entry_hash,
                bytes: row.bytes,
                package,
                ended_devices: Vec::new(),
                received_at: row.received_at,
            };
            store.append_mlog(append).await.expect("the entry is taken");
        }
        for index in 0..olog_size {
            let row = self.store.operation_at(index).await.expect("the store reads");
            // A log that was opened again begins with another leaf.
            let Some(row) = row else { continue };
            let received_at = row.received_at;
            store.append_operations(vec![again(row)], received_at).await.expect("the operation is taken");
        }
    }

    /// Every envelope that the server holds, with its place.
    pub async fn envelopes(&self) -> Vec<EnvelopeRow> {
        let mut out = Vec::new();
        while let Some(row) = self.store.operation_at(out.len() as u64).await.expect("the store reads") {
            out.push(EnvelopeRow {
                index: row.index,
                received_at: row.received_at,
                envelope: row.bytes.into(),
            });
        }
        out
    }

    /// Listens on this machine's loopback address over TLS, with a certificate made for the
    /// occasion. Devices reach the server there and in process.
    pub async fn listen(&mut self) -> Loopback {
        self.listen_also_known_as(None).await
    }

    /// The same behind a port that hands everything on and counts it; the address is that of the port.
    pub async fn listen_metered(&mut self) -> (Loopback, WireMeter) {
        let (tell, told) = tokio::sync::oneshot::channel();
        let meter =
            WireMeter::before(async move { told.await.expect("the server says where it listens") }).await;
        let front = format!("https://{}", meter.address());
        let mut loopback = self.listen_also_known_as(Some(front.clone())).await;
        let behind = loopback.address.origin.trim_start_matches("https://").parse();
        tell.send(behind.expect("the origin is an address")).expect("the port waits for it");
        loopback.address.origin = front;
        (loopback, meter)
    }

    async fn listen_also_known_as(&mut self, front: Option<String>) -> Loopback {
        let made =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate is made");
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("the key is PKCS #8");
        let identity = TlsIdentity::from_der(vec![made.cert.der().clone()], key);
        let pin = identity.spki_pin().expect("the key has a public half");
        let any = "127.0.0.1:0".parse().expect("an address");
        let listeners = Listeners::bind_with(any, Some(identity), None, Duration::from_millis(100))
            .await
            .expect("a port is free");
        let origin = format!("https://{}", listeners.address().expect("the port is bound"));
        self.wiring.origins.extend([origin.clone()].into_iter().chain(front));
        self.restart().await;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let app = Arc::clone(&self.app);
        tokio::spawn(async move {
            let ended = async {
                // A dropped handle ends the server as well.
                let _dropped = stopped.await;
            };
            ward_server::serve(app, listeners, ended).await
        });
        Loopback { address: ServerAddress { origin, spki_pins: vec![pin] }, _stop: stop }
    }

    async fn package_of(&self, entry: &[u8]) -> Option<NewPackage> {
        let MlogBody::EpochAnnounce(announce) = MlogEntry::read(entry).ok()?.decode_body().ok()? else {
            return None;
        };
        let packages =
            self.store.epoch_packages(announce.chart, announce.epoch).await.expect("the store reads");
        let StoredPackage { bytes, hash, .. } =
            packages.into_iter().find(|known| known.hash == announce.package_hash)?;
        let package = EpochPackage::from_canonical(&bytes).ok()?;
        Some(NewPackage { chart: announce.chart, epoch: package.header().epoch, hash, bytes })
    }
}

/// A server that listens until this is dropped.
pub struct Loopback {
    /// Where it is, with its pin.
    pub address: ServerAddress,
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn again(row: StoredOperation) -> NewOperation {
    NewOperation {
        chart: row.chart,
        device: row.device,
        incarnation: row.incarnation,
        seq: row.seq,
        entry_id: row.entry_id,
        envelope_hash: row.envelope_hash,
        epoch: row.epoch,
        bytes: row.bytes,
    }
}

/// Begins a site with three witnesses and two admins.
pub(crate) async fn begin_server<S: Store>(
    clock: &FakeClock,
    seed: u64,
    rng: &mut SeededRng,
    store: S,
) -> (SiteBootstrap, Server<S>) {
    let keys: Vec<(String, SignKey)> =
        (0..3).map(|n| (format!("witness{n}.test"), SignKey::generate(rng))).collect();
    let plan = SitePlan {
        study: random_id(rng),
        site: random_id(rng),
        server_name: "ward.test".to_owned(),
        independent: false,
        root_keys: 3,
        threshold: 2,
        admins: 2,
        witnesses: keys
            .iter()
            .enumerate()
            .map(|(n, (name, key))| WitnessEntry { name: name.clone(), key: *key.public(), outside: n == 0 })
            .collect(),
        quorum: 2,
        freshness_limit_s: 72 * 3_600,
        min_attest: Vec::new(),
    };
    let boot = site_bootstrap(&plan, clock.now(), rng).expect("the plan makes a site");
    let logs: Vec<VerifierKey> = [&boot.manifest.mlog_origin, &boot.manifest.olog_origin]
        .into_iter()
        .map(|origin| {
            let name = origin.parse().expect("the origin is a name");
            VerifierKey::new(name, SignatureKind::Log, boot.manifest.log_key.as_bytes())
                .expect("the key is one")
        })
        .collect();
    let wiring = Wiring {
        root_policy: boot.root_policy.clone(),
        first_entries: boot.entries.clone(),
        witness_secrets: keys.into_iter().map(|(name, key)| (name, *key.secret_bytes())).collect(),
        logs,
        origins: vec![ORIGIN.to_owned()],
        log_secret: *boot.log_key.secret_bytes(),
        server_seed: random_bytes(rng),
        clock: clock.clone(),
        seed,
    };
    (boot, Server::begin(wiring, store).await)
}
