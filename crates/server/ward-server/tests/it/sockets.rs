//! The same interface over real sockets: TLS 1.3, figures on their own listener, witnesses
//! elsewhere, a shutdown that finishes what was begun.

use crate::support::wire::ORIGIN;
use crate::support::{Session, Wire, World};
use bytes::Bytes;
use http::Request;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use ward_api::{headers, paths};
use ward_audit::{Checkpoint, Receipt, SignatureKind, VerifierKey};
use ward_crypto::SignKey;
use ward_id::Canonical as _;
use ward_server::{
    Clock, HttpWitness, Listeners, ServeError, TlsIdentity, VolatileMemory, WitnessAddress,
    WitnessAddressError, WitnessClient, WitnessService, serve, serve_witness,
};

/// A certificate for 127.0.0.1 and what trusts it.
pub fn identity() -> (TlsIdentity, rustls::RootCertStore) {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = CertificateDer::from(certified.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    (TlsIdentity::from_der(vec![certificate], key), roots)
}

fn client_config(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13]);
    config.unwrap().with_root_certificates(roots).with_no_client_auth()
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

async fn listen(tls: Option<TlsIdentity>) -> Listeners {
    Listeners::bind_with(any_port(), tls, Some(any_port()), Duration::from_secs(5)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn push_over_tls_with_both_versions_of_http_and_a_drain() {
    let mut world = World::new().await;
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let head = world.people.membership.head();
    let (tls, roots) = identity();
    let listeners = listen(Some(tls)).await;
    let (address, figures) = (listeners.address().unwrap(), listeners.metrics_address().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(Arc::clone(&world.app), listeners, async {
        let _ = stopped.await;
    }));
    let base = format!("https://{address}");
    let mut pen = world.pen(&world.people.phone, chart, 1);
    for http2 in [true, false] {
        let builder = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(client_config(roots.clone()))
            .https_only();
        let connector = if http2 { builder.enable_http2().build() } else { builder.enable_http1().build() };
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let clock = Arc::clone(&world.clock);
        let wire = Wire::Https { client: Box::new(client), base: base.clone() };
        let phone = Session::new(wire, &world.people.phone, move || clock.now()).login().await;
        let receipt: Receipt =
            phone.post(&paths::envelopes(chart), &pen.batch(8, &secret, head)).await.cbor();
        assert_eq!(receipt.envelopes().len(), 8);
    }
    assert!(ORIGIN.starts_with("https://"), "proofs name the public address, not the socket");
    let plain = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let answer = plain.get(format!("http://{figures}/metrics").parse().unwrap()).await.unwrap();
    let text = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(
        String::from_utf8_lossy(&text).contains("ward_operations_total 16"),
        "{}",
        String::from_utf8_lossy(&text)
    );

    // A request that was begun before the shutdown is finished after it.
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(client_config(roots))
        .https_only()
        .enable_http1()
        .build();
    let client: Client<_, BoxBody<Bytes, Infallible>> =
        Client::builder(TokioExecutor::new()).build(connector);
    let (begun, rest) = (tokio::sync::oneshot::channel::<()>(), tokio::sync::oneshot::channel::<Bytes>());
    let pieces = futures_util::stream::unfold(
        (0, Some(begun.0), Some(rest.1)),
        |(n, mut begun, mut rest)| async move {
            let piece = match n {
                0 => Bytes::from_static(b"grant_type="),
                1 => {
                    let _ = begun.take().unwrap().send(());
                    rest.take().unwrap().await.unwrap()
                }
                _ => return None,
            };
            Some((Ok(Frame::data(piece)), (n + 1, begun, rest)))
        },
    );
    let request =
        Request::post(format!("{base}{}", paths::TOKEN)).header("content-type", headers::MEDIA_FORM);
    let request = request.body(BodyExt::boxed(StreamBody::new(pieces))).unwrap();
    let answer = tokio::spawn(async move { client.request(request).await });
    begun.1.await.unwrap();
    while !world.app.metrics().render().contains("ward_requests_in_flight 1") {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!server.is_finished(), "it waits for the request in flight");
    rest.0.send(Bytes::from_static(b"x")).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 401, "answered: it lacks a proof");
    tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
}

/// Whoever connects and says nothing, or stops within the first line, is not waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_request_is_closed() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let listeners = listen(None).await;
    let address = listeners.address().unwrap();
    let server = tokio::spawn(serve(Arc::clone(&world.app), listeners, std::future::pending()));
    let mut silent = Vec::new();
    for said in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    for mut stream in silent {
        let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "it is closed");
    }
    server.abort();
}

#[tokio::test]
async fn plain_http_is_for_loopback_only() {
    let refused = Listeners::bind_with("0.0.0.0:0".parse().unwrap(), None, None, Duration::ZERO).await;
    assert!(matches!(refused, Err(ServeError::PlainText(_))));
    assert!(Listeners::bind_with(any_port(), None, None, Duration::ZERO).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn witnesses_are_reached_over_http() {
    let mut world = World::new().await;
    let people = &world.people;
    let log_key = SignKey::from_secret_bytes(&people.log_key_seed);
    let key = |origin: &str| {
        VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, log_key.public().as_bytes()).unwrap()
    };
    let logs = [key(&people.manifest.mlog_origin), key(&people.manifest.olog_origin)];
    let mut clients: Vec<Arc<dyn WitnessClient>> = Vec::new();
    for (entry, seed) in people.manifest.witnesses.iter().zip(&people.witness_seeds) {
        let service = WitnessService::new(
            &entry.name,
            SignKey::from_secret_bytes(seed),
            logs.clone(),
            Box::new(VolatileMemory),
        )
        .unwrap();
        let listeners = listen(None).await;
        let url = format!("http://{}", listeners.address().unwrap());
        let clock: Arc<dyn Clock> = world.clock.clone();
        tokio::spawn(serve_witness(service, clock, listeners, std::future::pending()));
        clients.push(Arc::new(
            HttpWitness::new(&WitnessAddress { name: entry.name.clone(), url, ca_file: None }).unwrap(),
        ));
    }
    world.witnesses = clients;
    let app = world.restart_on(world.store.clone()).await.unwrap();
    world.wire = Wire::Router(ward_server::router(app));
    let chart = world.people.chart;
    let (_, secret) = world.first_epoch(chart).await;
    let phone = world.login(&world.people.phone).await;
    let mut pen = world.pen(&world.people.phone, chart, 1);
    for _ in 0..2 {
        phone
            .post(&paths::envelopes(chart), &pen.batch(1, &secret, world.people.membership.head()))
            .await
            .ok();
        let note = phone.get(paths::OLOG_CHECKPOINT).await.ok().text();
        assert_eq!(note.lines().filter(|line| line.contains("witness")).count(), 3, "{note}");
    }
    let times = phone.post(paths::WITNESS_TIME, &ward_api::WitnessNonce([3; 32])).await.ok().body;
    assert_eq!(Vec::<ward_audit::WitnessTime>::from_canonical(&times).unwrap().len(), 3);
    // Each gives back what it cosigned last, with its own signature and the log's.
    let origin = world.people.manifest.olog_origin.parse().unwrap();
    let log_key = SignKey::from_secret_bytes(&world.people.log_key_seed);
    let log = VerifierKey::new(
        world.people.manifest.olog_origin.parse().unwrap(),
        SignatureKind::Log,
        log_key.public().as_bytes(),
    );
    for witness in &world.witnesses {
        let note = witness.cosigned(&origin).await.unwrap().unwrap();
        assert_eq!(Checkpoint::verify(&note, log.as_ref().unwrap()).unwrap().size(), 2);
        let names: Vec<&str> = note.signatures().iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, [origin.as_str(), witness.name()]);
        assert_eq!(witness.cosigned(&"another/log".parse().unwrap()).await, Ok(None));
    }
}

#[test]
fn addresses_of_witnesses_are_checked() {
    let address = |url: &str| WitnessAddress { name: "w".into(), url: url.into(), ca_file: None };
    assert!(matches!(HttpWitness::new(&address("ftp://x")), Err(WitnessAddressError::Address(_))));
    assert!(matches!(HttpWitness::new(&address("https://x")), Err(WitnessAddressError::NoAuthority(_))));
    assert!(HttpWitness::new(&address("http://127.0.0.1:1")).is_ok());
}
