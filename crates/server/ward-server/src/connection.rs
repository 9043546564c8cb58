//! One connection: which HTTP it speaks, how long it may be silent, and how many one address has.
//!
//! Whoever opens connections and says nothing would otherwise take every place for ever: the TLS
//! handshake, the first request and the time between requests all have an end.

use crate::client_address::address_prefix;
use crate::gate::PeerAddress;
use crate::limits::{
    CONNECTION_CLOSE_MS, CONNECTION_IDLE_MS, CONNECTIONS_PER_ADDRESS_MAX, HANDSHAKE_TIMEOUT_MS,
    HEADERS_MAX_BYTES, HTTP2_PING_EVERY_MS,
};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// The name of HTTP/2 in ALPN (RFC 9113 §3.1).
const ALPN_HTTP2: &[u8] = b"h2";

/// How many connections each address has open.
#[derive(Clone, Default)]
pub(crate) struct PerAddress {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection of an address, until it is dropped.
pub(crate) struct AddressPlace {
    of: PerAddress,
    prefix: IpAddr,
}

impl PerAddress {
    /// A place for one more; `None` when the address has as many as it may have.
    pub(crate) fn take(&self, address: IpAddr) -> Option<AddressPlace> {
        let prefix = address_prefix(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(prefix).or_insert(0);
        if *count >= CONNECTIONS_PER_ADDRESS_MAX {
            return None;
        }
        *count += 1;
        Some(AddressPlace { of: self.clone(), prefix })
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.prefix) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.prefix);
            }
        }
    }
}

/// When anything last moved on a connection.
#[derive(Clone)]
struct Pulse {
    begun: Instant,
    last_ms: Arc<AtomicU64>,
    idle: Duration,
}

impl Pulse {
    fn new(idle: Duration) -> Self {
        Self { begun: Instant::now(), last_ms: Arc::default(), idle }
    }

    fn beat(&self) {
        let now_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Returns once nothing has moved for the whole idle time.
    async fn stops(&self) {
        loop {
            let end = self.begun + Duration::from_millis(self.last_ms.load(Ordering::Relaxed)) + self.idle;
            if Instant::now() >= end {
                return;
            }
            tokio::time::sleep_until(end).await;
        }
    }
}

/// A body whose every piece is a sign of life. A reader that takes nothing gives none.
struct Beating {
    body: Body,
    pulse: Pulse,
}

impl HttpBody for Beating {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if polled.is_ready() {
            self.pulse.beat();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    mut drain: watch::Receiver<()>,
) {
    // Without this, the last piece of an answer waits for the peer's acknowledgement.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = tls else {
        return exchange(stream, peer, false, router, drain).await;
    };
    let limit = Duration::from_millis(HANDSHAKE_TIMEOUT_MS);
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(limit, acceptor.accept(stream)) => accepted,
        _ = drain.changed() => return,
    };
    if let Ok(Ok(stream)) = accepted {
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_HTTP2);
        exchange(stream, peer, is_http2, router, drain).await;
    }
}

/// HTTP/2 where both sides agreed on it under TLS, otherwise HTTP/1.1: guessing from the first
/// bytes would wait for them without an end.
async fn exchange<T>(stream: T, peer: SocketAddr, is_http2: bool, router: Router, drain: watch::Receiver<()>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pulse = Pulse::new(Duration::from_millis(CONNECTION_IDLE_MS));
    let (asked, answered) = (pulse.clone(), pulse.clone());
    let service = router
        .map_request(move |mut request: Request<Incoming>| {
            asked.beat();
            request.extensions_mut().insert(PeerAddress(peer.ip()));
            request.map(Body::new)
        })
        .map_response(move |response: http::Response<Body>| {
            let pulse = answered.clone();
            response.map(|body| Body::new(Beating { body, pulse }))
        });
    let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
    if is_http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(HEADERS_MAX_BYTES as u32)
            .keep_alive_interval(Some(Duration::from_millis(HTTP2_PING_EVERY_MS)));
        let close = |connection: Pin<&mut http2::Connection<_, _, _>>| connection.graceful_shutdown();
        drive(builder.serve_connection(io, service), close, &pulse, drain).await;
    } else {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(HANDSHAKE_TIMEOUT_MS))
            .max_buf_size(HEADERS_MAX_BYTES);
        let close = |connection: Pin<&mut http1::Connection<_, _>>| connection.graceful_shutdown();
        drive(builder.serve_connection(io, service), close, &pulse, drain).await;
    }
}

/// Runs a connection until it ends, until nothing moves on it any more, or until the server goes
/// down and its requests are answered. A broken connection is the peer's business: what was
/// committed stays committed.
async fn drive<C: Future>(
    connection: C,
    close: impl Fn(Pin<&mut C>),
    pulse: &Pulse,
    mut drain: watch::Receiver<()>,
) {
    let mut connection = pin!(connection);
    let mut draining = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = drain.changed(), if !draining => {
                draining = true;
                close(connection.as_mut());
            }
            () = pulse.stops() => break,
        }
    }
    close(connection.as_mut());
    // Whoever takes nothing is not waited for.
    let _ = tokio::time::timeout(Duration::from_millis(CONNECTION_CLOSE_MS), connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bounded_number_of_connections() {
        let (house, one) = (PerAddress::default(), "192.0.2.1".parse().unwrap());
        let mut open: Vec<_> = (0..CONNECTIONS_PER_ADDRESS_MAX).map(|_| house.take(one).unwrap()).collect();
        assert!(house.take(one).is_none());
        assert!(house.take("192.0.2.2".parse().unwrap()).is_some());
        open.pop();
        assert!(house.take(one).is_some());
        let six: Vec<IpAddr> = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap()).into();
        let mut open: Vec<_> =
            six.iter().cycle().take(CONNECTIONS_PER_ADDRESS_MAX).map(|ip| house.take(*ip).unwrap()).collect();
        assert!(house.take(six[0]).is_none(), "a subscriber has a whole prefix");
        open.clear();
        assert_eq!(house.open.lock().unwrap().len(), 1, "what is closed is forgotten");
    }

    /// A connection that ends when it is told to, as hyper's do.
    struct Polite(bool);

    impl Future for Polite {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if self.0 { Poll::Ready(()) } else { Poll::Pending }
        }
    }

    #[tokio::test]
    async fn a_silent_connection_ends_and_a_lively_one_goes_on() {
        let (_open, drain) = watch::channel(());
        let close = |mut connection: Pin<&mut Polite>| connection.0 = true;
        let pulse = Pulse::new(Duration::from_millis(40));
        let driven = drive(Polite(false), close, &pulse, drain.clone());
        tokio::time::timeout(Duration::from_secs(5), driven).await.expect("it ends");
        let lively = Pulse::new(Duration::from_millis(400));
        let beats = async {
            for _ in 0..60 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                lively.beat();
            }
        };
        tokio::select! {
            () = drive(Polite(false), close, &lively, drain) => panic!("it ended while it was used"),
            () = beats => {}
        }
    }

    #[tokio::test]
    async fn going_down_closes_what_is_open() {
        let (open, drain) = watch::channel(());
        let close = |mut connection: Pin<&mut Polite>| connection.0 = true;
        let pulse = Pulse::new(Duration::from_secs(3_600));
        open.send(()).unwrap();
        let driven = drive(Polite(false), close, &pulse, drain);
        tokio::time::timeout(Duration::from_secs(5), driven).await.expect("it ends");
    }
}
