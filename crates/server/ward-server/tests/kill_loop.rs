//! A server that is killed in the middle of its work loses nothing that it acknowledged and
//! stores nothing twice.
//!
//! The server is this very test program, started again as a child: on SQLite, over TLS, with
//! witnesses that keep their heads in files. Several devices push; after a number of receipts the
//! child gets SIGKILL; it starts again on what the disk holds. `WARD_KILL_LOOPS` sets how often.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]
#![allow(dead_code, unused_imports, reason = "the people and wires of the other tests are shared as a whole")]

#[path = "it/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::clock::T0;
use support::people::Who;
use support::world::{generous, parts};
use support::{Device, Pen, People, Session, Wire};
use tokio::sync::Notify;
use ward_api::{EnvelopeBatch, EnvelopePage, MlogSubmission, Opaque, headers, paths};
use ward_audit::{Receipt, SignatureKind, VerifierKey};
use ward_crypto::{Envelope, EpochSecret, SignKey};
use ward_id::{Canonical as _, ChartId, EntryId, EnvelopeHash, TimestampMs, VersionVector};
use ward_server::{
    App, Clock, InProcess, Listeners, ServerConfig, TlsFiles, WitnessClient, WitnessFile, WitnessService,
    bootstrap_site, serve, write_key_file,
};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::TreeHead;

const SEED: u64 = 11;
const FOLDER: &str = "WARD_KILL_FOLDER";
const LIFE: &str = "WARD_KILL_LIFE";
/// Time between two lives of the server, so that witnesses see it move.
const LIFE_MS: i64 = 60_000;

/// Time that begins anew with each life and then runs.
struct RunningClock(TimestampMs, Instant);

impl RunningClock {
    fn of_life(life: usize) -> Self {
        Self(T0.plus_ms(i64::try_from(life).unwrap() * LIFE_MS), Instant::now())
    }
}

impl Clock for RunningClock {
    fn now(&self) -> TimestampMs {
        self.0.plus_ms(i64::try_from(self.monotonic_ms()).unwrap())
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.1.elapsed().as_millis()).unwrap()
    }
}

/// The child: serves until it is killed.
#[test]
#[ignore = "the server of kill_loop, started by it"]
fn server_child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let life = std::env::var(LIFE).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve_until_killed(Path::new(&folder), life));
}

async fn serve_until_killed(folder: &Path, life: usize) {
    let people = People::new(SEED);
    let clock: Arc<dyn Clock> = Arc::new(RunningClock::of_life(life));
    // Worked in all the time, so that many a kill comes in the middle of it.
    let options = SqliteOptions { checkpoint_pages: 16, ..SqliteOptions::default() };
    let store = SqliteStore::open(&folder.join("site.db"), options).unwrap();
    bootstrap_site(&store, &people.root, &people.log, T0).await.unwrap();
    let app = App::start(parts(
        &people,
        store,
        Arc::clone(&clock),
        file_witnesses(&people, folder, &clock),
        generous(),
    ))
    .await
    .unwrap();
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Some(TlsFiles { cert_file: folder.join("tls.crt"), key_file: folder.join("tls.key") }),
        ..ServerConfig::default()
    };
    let listeners = Listeners::bind(&config).await.unwrap();
    println!("\nlistening {}", listeners.address().unwrap());
    serve(app, listeners, std::future::pending()).await;
}

fn file_witnesses(people: &People, folder: &Path, clock: &Arc<dyn Clock>) -> Vec<Arc<dyn WitnessClient>> {
    let log_key = SignKey::from_secret_bytes(&people.log_key_seed);
    let key = |origin: &str| {
        VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, log_key.public().as_bytes()).unwrap()
    };
    let logs = [key(&people.manifest.mlog_origin), key(&people.manifest.olog_origin)];
    let client = |(entry, seed): (&ward_crypto::WitnessEntry, &[u8; 32])| -> Arc<dyn WitnessClient> {
        let path = folder.join(&entry.name);
        let memory = WitnessFile::new(&path);
        if !path.exists() {
            memory.begin().unwrap();
        }
        let key = SignKey::from_secret_bytes(seed);
        let service = WitnessService::new(&entry.name, key, logs.clone(), Box::new(memory)).unwrap();
        Arc::new(InProcess::new(service, Arc::clone(clock)))
    };
    people.manifest.witnesses.iter().zip(&people.witness_seeds).map(client).collect()
}

/// A running child and the way to it.
struct Server {
    child: Child,
    wire: Wire,
}

impl Server {
    async fn start(folder: &Path, life: usize, roots: &rustls::RootCertStore) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["server_child", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .env(LIFE, life.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let address = tokio::task::spawn_blocking(move || {
            BufReader::new(stdout)
                .lines()
                .find_map(|line| line.ok()?.strip_prefix("listening ").map(str::to_owned))
        });
        let address = address.await.unwrap().expect("the server did not start");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_http1()
            .build();
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
            .build(connector);
        Self { child, wire: Wire::Https { client: Box::new(client), base: format!("https://{address}") } }
    }

    /// SIGKILL: no handler, no destructor, no flush.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// One device and all it was ever promised.
struct Writer<'a> {
    pen: Pen<'a>,
    /// Sent, not yet acknowledged: sent again after a restart.
    waiting: Option<EnvelopeBatch>,
    /// Index and leaf of every acknowledged entry.
    acknowledged: BTreeMap<EntryId, (u64, EnvelopeHash)>,
}

impl<'a> Writer<'a> {
    fn new(people: &People, device: &'a Device, incarnation: u64) -> Self {
        let pen = Pen::new(device, people.site, people.chart, incarnation);
        Self { pen, waiting: None, acknowledged: BTreeMap::new() }
    }

    /// Pushes until the server is gone.
    async fn work(
        &mut self,
        wire: Wire,
        life: usize,
        secret: &EpochSecret,
        head: TreeHead,
        kill: &KillSwitch,
    ) {
        let clock = RunningClock::of_life(life);
        let session = Session::new(wire, self.pen.device, move || clock.now());
        let form = ward_api::TokenRequest::Device(self.pen.device.id).to_form().into_bytes();
        let Ok(reply) = session.try_call("POST", paths::TOKEN, Some(headers::MEDIA_FORM), form, false).await
        else {
            return;
        };
        let answer: ward_api::TokenAnswer = serde_json::from_slice(&reply.body).unwrap();
        *session.token.lock().unwrap() = answer.access_token.clone();
        loop {
            let size = 1 + usize::try_from(self.pen.seq % 7).unwrap();
            let batch = self.waiting.take().unwrap_or_else(|| self.pen.batch(size, secret, head));
            self.waiting = Some(batch.clone());
            kill.sent();
            let path = paths::envelopes(self.pen.chart);
            let pushed =
                session.try_call("POST", &path, Some(headers::MEDIA_CBOR), batch.to_canonical(), true).await;
            let Ok(reply) = pushed else { return };
            self.note(&batch, &reply.cbor());
            kill.acknowledged();
        }
    }

    fn note(&mut self, batch: &EnvelopeBatch, receipt: &Receipt) {
        assert_eq!(receipt.envelopes().len(), batch.len(), "a push is stored as a whole or not at all");
        for (n, Opaque(bytes)) in (0..).zip(batch) {
            let envelope = Envelope::from_canonical(bytes).unwrap();
            let place = (receipt.first_index() + n, envelope.envelope_hash());
            assert_eq!(receipt.envelope_at(place.0), Some(&place.1));
            let before = self.acknowledged.insert(envelope.header().entry_id, place);
            assert!(before.is_none_or(|before| before == place), "an entry moved");
        }
        self.waiting = None;
    }
}

/// Says when to kill: after so many receipts, or after so many pushes were begun.
struct KillSwitch {
    receipts_left: AtomicUsize,
    pushes_left: AtomicUsize,
    now: Notify,
}

impl KillSwitch {
    fn of_life(life: usize) -> Self {
        let never = usize::MAX / 2;
        let n = 1 + life % 9;
        let (receipts, pushes) = if life.is_multiple_of(3) { (never, n + 4) } else { (n * 2, never) };
        Self { receipts_left: receipts.into(), pushes_left: pushes.into(), now: Notify::new() }
    }
    fn sent(&self) {
        if self.pushes_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.now.notify_one();
        }
    }
    fn acknowledged(&self) {
        if self.receipts_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.now.notify_one();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_loop() {
    let loops: usize = std::env::var("WARD_KILL_LOOPS").map_or(25, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let roots = write_certificate(folder.path());
    let mut people = People::new(SEED);
    let secret = first_epoch(&mut people, folder.path(), &roots).await;
    let head = people.membership.head();
    let mut writers: Vec<Writer<'_>> = [&people.phone, &people.spare, &people.coordinator, &people.clinician]
        .into_iter()
        .zip(1..)
        .map(|(device, incarnation)| Writer::new(&people, device, incarnation))
        .collect();
    let began = Instant::now();
    for life in 1..=loops {
        let server = Server::start(folder.path(), life, &roots).await;
        check_have(&people, &server.wire, life, &writers).await;
        let kill = KillSwitch::of_life(life);
        let wire = server.wire.clone();
        let work = futures_util::future::join_all(
            writers.iter_mut().map(|writer| writer.work(wire.clone(), life, &secret, head, &kill)),
        );
        let killer = async {
            kill.now.notified().await;
            server.kill();
        };
        tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(work, killer) })
            .await
            .expect("a life took a minute");
    }
    let per_loop = began.elapsed() / u32::try_from(loops.max(1)).unwrap();
    let server = Server::start(folder.path(), loops + 1, &roots).await;
    check_all(&people, &server.wire, loops + 1, &writers).await;
    server.kill();
    let promised: usize = writers.iter().map(|writer| writer.acknowledged.len()).sum();
    println!("{loops} lives, {promised} acknowledged operations, {} ms a life", per_loop.as_millis());
    assert!(promised >= loops, "the server did work between its deaths");
}

fn write_certificate(folder: &Path) -> rustls::RootCertStore {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), certified.cert.pem()).unwrap();
    let key = folder.join("tls.key");
    // Made private first, then filled.
    write_key_file(&key, &[0; 32]).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    roots
}

async fn first_epoch(people: &mut People, folder: &Path, roots: &rustls::RootCertStore) -> EpochSecret {
    let server = Server::start(folder, 0, roots).await;
    let (package, secret, announce) = people.epoch(people.chart, Who::Coordinator, None);
    let submission = MlogSubmission {
        entry: Opaque(announce.to_canonical()),
        package: Some(Opaque(package.to_canonical())),
        place: None,
    };
    let clock = RunningClock::of_life(0);
    let session = Session::new(server.wire.clone(), &people.coordinator, move || clock.now()).login().await;
    session.post(paths::MLOG_ENTRIES, &submission).await.ok();
    drop(session);
    people.membership.learn_package(&package);
    people.took(&announce);
    server.kill();
    secret
}

async fn reader<'a>(people: &'a People, wire: &Wire, life: usize) -> Session<'a> {
    let clock = RunningClock::of_life(life);
    Session::new(wire.clone(), &people.clinician, move || clock.now()).login().await
}

/// Right after a start: every chain reaches at least as far as was acknowledged.
async fn check_have(people: &People, wire: &Wire, life: usize, writers: &[Writer<'_>]) {
    let have: VersionVector = reader(people, wire, life).await.get(&paths::have(people.chart)).await.cbor();
    for writer in writers {
        let held = have.head(writer.pen.device.id, writer.pen.incarnation).map_or(0, |head| head.seq);
        let waiting = writer.waiting.as_ref().map_or(0, Vec::len) as u64;
        assert!(held >= writer.acknowledged.len() as u64, "life {life}: an acknowledged entry is lost");
        assert!(
            held <= writer.acknowledged.len() as u64 + waiting,
            "life {life}: an entry that was never sent"
        );
    }
}

/// At the end: the whole chart is read back and compared with every receipt.
async fn check_all(people: &People, wire: &Wire, life: usize, writers: &[Writer<'_>]) {
    let reader = reader(people, wire, life).await;
    let stored = read_chart(&reader, people.chart).await;
    let mut entries = BTreeSet::new();
    for (place, (index, envelope)) in (0..).zip(&stored) {
        assert_eq!(*index, place, "the log has no holes");
        assert!(entries.insert(envelope.header().entry_id), "an entry stands twice");
    }
    for (entry, (index, hash)) in writers.iter().flat_map(|writer| &writer.acknowledged) {
        let (_, envelope) = &stored[usize::try_from(*index).unwrap()];
        assert_eq!((envelope.header().entry_id, envelope.envelope_hash()), (*entry, *hash));
    }
    let note = reader.get(paths::OLOG_CHECKPOINT).await.ok().text();
    assert_eq!(note.lines().nth(1).unwrap(), stored.len().to_string(), "the witnesses cosign the whole log");
}

async fn read_chart(reader: &Session<'_>, chart: ChartId) -> Vec<(u64, Envelope)> {
    let (mut after, mut stored) = (None, Vec::new());
    loop {
        let page: EnvelopePage = reader.get(&paths::envelopes_after(chart, after, 1 << 20)).await.cbor();
        let rows =
            page.rows.iter().map(|row| (row.index, Envelope::from_canonical(&row.envelope.0).unwrap()));
        stored.extend(rows);
        after = page.next;
        if !page.more {
            return stored;
        }
    }
}
