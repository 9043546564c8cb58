//! Listening: TLS 1.3, HTTP/1.1 and HTTP/2, a bounded number of connections, and a shutdown that
//! finishes what was begun.

use crate::App;
use crate::client_address::AddressBlock;
use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::connection::{PerAddress, serve_connection};
use crate::limits::{CONNECTIONS_MAX, UPKEEP_EVERY_MS};
use crate::router::router;
use crate::tls::{ServedIdentity, TlsError, TlsIdentity};
use crate::witness_router::witness_router;
use crate::witness_service::WitnessService;
use axum::Router;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use ward_store::Store;

/// Why nothing is served. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Anybody on the way could read and change what is said.
    #[error(
        "{0} is reachable from other machines: set `tls` (certificate and key), or listen on 127.0.0.1 behind a proxy"
    )]
    PlainText(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Sockets that listen, and how they are served.
pub struct Listeners {
    service: TcpListener,
    tls: Option<(TlsAcceptor, ServedIdentity)>,
    metrics: Option<TcpListener>,
    drain: Duration,
}

impl Listeners {
    /// Binds what the configuration names.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(config: &ServerConfig) -> Result<Self, ServeError> {
        let tls = match &config.tls {
            Some(files) => Some(TlsIdentity::from_files(&files.cert_file, &files.key_file)?),
            None => None,
        };
        let drain = Duration::from_secs(config.drain_s);
        Self::bind_with(config.listen, tls, config.metrics_listen, drain).await
    }

    /// Binds addresses with a TLS identity that is at hand.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind_with(
        listen: SocketAddr,
        tls: Option<TlsIdentity>,
        metrics_listen: Option<SocketAddr>,
        drain: Duration,
    ) -> Result<Self, ServeError> {
        if tls.is_none() && !listen.ip().is_loopback() {
            return Err(ServeError::PlainText(listen));
        }
        let tls = match tls {
            Some(identity) => {
                let served = ServedIdentity::new(identity)?;
                Some((TlsAcceptor::from(served.server_config()?), served))
            }
            None => None,
        };
        let metrics = match metrics_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { service: bind(listen).await?, tls, metrics, drain })
    }

    /// Where the service listens; the port is chosen by the system if it was given as 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.service.local_addr().ok()
    }

    /// The identity that the service shows, to exchange it for a renewed one.
    pub fn identity(&self) -> Option<ServedIdentity> {
        self.tls.as_ref().map(|(_, served)| served.clone())
    }

    /// Where the figures listen.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref()?.local_addr().ok()
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

/// Serves until `shutdown` is done, then finishes the requests in flight, for as long as the
/// drain time allows.
pub async fn serve<S: Store>(
    app: Arc<App<S>>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send,
) {
    let Listeners { service, tls, metrics, drain } = listeners;
    let mut beside = tokio::task::JoinSet::new();
    beside.spawn(keep_up(Arc::clone(&app)));
    if let Some(listener) = metrics {
        beside.spawn(serve_metrics(Arc::clone(&app), listener));
    }
    let stop = async {
        shutdown.await;
        tracing::info!("shutting down: requests in flight are finished");
        app.drain();
    };
    let (opened, closed) = (Arc::clone(&app), Arc::clone(&app));
    let count = Count {
        opened: Arc::new(move || opened.connection(1)),
        closed: Arc::new(move || closed.connection(-1)),
    };
    let uncounted = app.trusted_proxies().to_vec();
    let tls = tls.map(|(acceptor, _)| acceptor);
    let house = House { tls, router: router(Arc::clone(&app)), count, uncounted };
    accept_loop(service, house, stop, drain).await;
    beside.shutdown().await;
}

/// Serves a witness.
pub async fn serve_witness(
    service: Arc<WitnessService>,
    clock: Arc<dyn Clock>,
    listeners: Listeners,
    shutdown: impl Future<Output = ()> + Send,
) {
    serve_router(witness_router(service, clock), listeners, shutdown).await;
}

/// Serves another service of Ward that has a router and nothing else, with the same care for connections.
pub async fn serve_router(router: Router, listeners: Listeners, shutdown: impl Future<Output = ()> + Send) {
    let Listeners { service: socket, tls, drain, .. } = listeners;
    let count = Count { opened: Arc::new(|| ()), closed: Arc::new(|| ()) };
    let tls = tls.map(|(acceptor, _)| acceptor);
    accept_loop(socket, House { tls, router, count, uncounted: Vec::new() }, shutdown, drain).await;
}

async fn keep_up<S: Store>(app: Arc<App<S>>) {
    let mut every = tokio::time::interval(Duration::from_millis(UPKEEP_EVERY_MS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        app.upkeep().await;
    }
}

async fn serve_metrics<S: Store>(app: Arc<App<S>>, listener: TcpListener) {
    let render = move || {
        let text = app.metrics().render();
        async move {
            let media =
                HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
            ([(CONTENT_TYPE, media)], text)
        }
    };
    let router = Router::new().route("/metrics", axum::routing::get(render));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(error = %error, "the listener for figures ended");
    }
}

/// What is told of connections that open and close.
#[derive(Clone)]
struct Count {
    opened: Arc<dyn Fn() + Send + Sync>,
    closed: Arc<dyn Fn() + Send + Sync>,
}

/// What a loop serves, and whom it does not count: proxies bring many devices over one address.
struct House {
    tls: Option<TlsAcceptor>,
    router: Router,
    count: Count,
    uncounted: Vec<AddressBlock>,
}

async fn accept_loop(
    listener: TcpListener,
    house: House,
    stop: impl Future<Output = ()> + Send,
    drain: Duration,
) {
    let (closing, closed) = watch::channel(());
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let per_address = PerAddress::default();
    let mut stop = std::pin::pin!(stop);
    loop {
        // A full house leaves new connections in the system's queue.
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file handles, usually: give open connections a moment to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let is_counted = !house.uncounted.iter().any(|block| block.contains(peer.ip()));
        let own = if is_counted { per_address.take(peer.ip()) } else { None };
        if is_counted && own.is_none() {
            continue;
        }
        let (tls, router, count) = (house.tls.clone(), house.router.clone(), house.count.clone());
        let closed = closed.clone();
        tokio::spawn(async move {
            (count.opened)();
            serve_connection(stream, peer, tls, router, closed).await;
            (count.closed)();
            drop((place, own));
        });
    }
    drop(listener);
    drop(closed);
    // Nobody listening any more is what is waited for.
    let _nobody = closing.send(());
    if tokio::time::timeout(drain, closing.closed()).await.is_err() {
        tracing::warn!("the drain time is over; open connections are cut");
    }
}
