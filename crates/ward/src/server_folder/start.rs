//! Starting a server from its folder, with every reason not to.

use super::folder_lock::FolderLock;
use super::settings::Loaded;
use super::site_state::{newest_manifest, root_policy};
use super::system_clock::SystemClock;
use super::tls_files::pin_of;
use super::witness_clock::{ClockView, ask_clock};
use super::witness_folder::WitnessFolder;
use crate::exit::{Failure, Kind};
use crate::limits::CLOCK_OFF_MAX_S;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use ward_crypto::RootPolicy;
use ward_id::hex_encode;
use ward_server::{
    App, AppParts, Clock, HttpWitness, InProcess, Listeners, Origin, StartError, SystemEntropy,
    WitnessClient, serve,
};
use ward_store_sqlite::SqliteStore;

/// A server that is ready to answer.
pub struct Started {
    /// Who may sign the site's manifests; its fingerprint is what tickets carry.
    pub root: RootPolicy,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where devices reach it.
    pub origin: String,
    app: Arc<App<SqliteStore>>,
    store: SqliteStore,
    listeners: Listeners,
    // Held until the last request is done.
    _locks: Vec<FolderLock>,
}

impl Started {
    /// The database.
    pub fn store(&self) -> SqliteStore {
        self.store.clone()
    }

    /// The metrics, whenever they are asked for.
    pub fn metrics(&self) -> Box<dyn Fn() -> String> {
        let app = Arc::clone(&self.app);
        Box::new(move || app.metrics().render())
    }

    /// Answers until `shutdown` is done, then finishes what was begun and closes the database.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        serve(self.app, self.listeners, shutdown).await;
        self.store.close().await;
    }
}

/// Checks everything that must be in order before the first answer, and starts.
///
/// # Errors
/// Each reason not to start, with what to do.
pub async fn start(loaded: &Loaded) -> Result<Started, Failure> {
    start_with(loaded, Arc::new(SystemClock::new())).await
}

/// As [`start`], with another clock: the demo's story has its own.
///
/// # Errors
/// As [`start`].
pub async fn start_with(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<Started, Failure> {
    let settings = &loaded.settings;
    let mut locks = vec![FolderLock::take(&loaded.dir, "This server")?];
    check_pins(loaded)?;
    let origins = origins(&settings.server.origins)?;
    let origin = settings.server.origins.first().cloned().unwrap_or_default();
    let (log_key, server_seed) = (loaded.log_key()?, loaded.server_seed()?);
    let listeners = Listeners::bind(&settings.server).await.map_err(|error| {
        Failure::new(
            Kind::No,
            "The server does not start",
            error,
            "change `server` in the configuration and start again",
        )
    })?;
    let address = listeners.address().unwrap_or(settings.server.listen);
    let store = loaded.store()?;
    let root = root_policy(&store).await?;
    if !settings.server.witnesses.is_empty() {
        let manifest = newest_manifest(&store).await?;
        check_clock(ask_clock(&manifest, &settings.server.witnesses, &*clock).await?)?;
    }
    let witnesses = witnesses(loaded, &clock, &mut locks)?;
    let parts = AppParts {
        store: store.clone(),
        log_key,
        server_seed,
        origins,
        witnesses,
        limits: settings.server.rates.limits(),
        trusted_proxies: settings.server.trusted_proxies.clone(),
        clock,
        entropy: Arc::new(SystemEntropy),
    };
    let app = App::start(parts).await.map_err(|error| refused(&error))?;
    Ok(Started { root, address, origin, app, store, listeners, _locks: locks })
}

/// A server with another TLS key would be refused by every enrolled device.
fn check_pins(loaded: &Loaded) -> Result<(), Failure> {
    let (Some(tls), pins) = (&loaded.settings.server.tls, &loaded.settings.files.tls_pins) else {
        return Ok(());
    };
    let pin = hex_encode(&pin_of(&tls.cert_file, &tls.key_file)?);
    if pins.is_empty() || pins.contains(&pin) {
        return Ok(());
    }
    Err(Failure::new(
        Kind::No,
        "The server does not start",
        "its TLS key is not one that devices were told to accept (`files.tls_pins`)",
        "put the TLS key back that the tickets of this site named",
    ))
}

fn origins(texts: &[String]) -> Result<Vec<Origin>, Failure> {
    texts
        .iter()
        .map(|text| Origin::parse(text))
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::input("The server does not start", error, "correct `server.origins`"))
}

fn check_clock(view: ClockView) -> Result<(), Failure> {
    match view {
        ClockView::Off { off_s } if off_s.abs() > CLOCK_OFF_MAX_S => Err(Failure::new(
            Kind::No,
            "The server does not start",
            format!("this machine's clock is {off_s} seconds away from the witnesses' time"),
            "set the clock, best by a time service such as chrony or systemd-timesyncd",
        )),
        // Witnesses that are away now are asked again whenever a head is cosigned.
        _ => Ok(()),
    }
}

fn witnesses(
    loaded: &Loaded,
    clock: &Arc<dyn Clock>,
    locks: &mut Vec<FolderLock>,
) -> Result<Vec<Arc<dyn WitnessClient>>, Failure> {
    let mut clients: Vec<Arc<dyn WitnessClient>> = Vec::new();
    for folder in &loaded.settings.files.witnesses {
        let (service, lock) = WitnessFolder::open(folder)?.into_service()?;
        locks.push(lock);
        clients.push(Arc::new(InProcess::new(service, Arc::clone(clock))));
    }
    for address in &loaded.settings.server.witnesses {
        let client = HttpWitness::new(address).map_err(|error| {
            Failure::input("The server does not start", error, "correct `server.witnesses`")
        })?;
        clients.push(Arc::new(client));
    }
    Ok(clients)
}

fn refused(error: &StartError) -> Failure {
    let (kind, next) = match error {
        StartError::BehindWitness(_) | StartError::Log(_) => {
            (Kind::No, "bring the newest backup back with `ward restore`; devices still hold what they sent")
        }
        StartError::Store(_) | StartError::Entropy(_) => {
            (Kind::Fault, "run `ward doctor` on this configuration")
        }
        _ => (Kind::Input, "run `ward doctor` on this configuration"),
    };
    Failure::new(kind, "The server does not start", error, next)
}
