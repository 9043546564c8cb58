//! HTTPS over TLS 1.3 to the one server whose key the ticket named.

use super::spki_verifier::SpkiVerifier;
use crate::limits::{HTTP_CONNECT_MS, HTTP_TIMEOUT_MS, RESPONSE_MAX_BYTES, SSE_LINE_MAX_BYTES};
use crate::{HintStream, HttpMethod, HttpRequest, HttpResponse, ServerAddress, Transport, TransportError};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs::default_provider;
use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Pinned = HyperClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Keeps connections to one server; another address or other pins make new ones.
#[derive(Default)]
pub struct HttpsTransport {
    current: Mutex<Option<(ServerAddress, Pinned)>>,
}

impl HttpsTransport {
    /// Connects when the first request is sent.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self, server: &ServerAddress) -> Result<Pinned, TransportError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = current.as_ref()
            && known == server
        {
            return Ok(client.clone());
        }
        let client = pinned_client(server)?;
        *current = Some((server.clone(), client.clone()));
        Ok(client)
    }

    async fn open(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<http::Response<Incoming>, TransportError> {
        let client = self.client(server)?;
        let request = to_hyper(server, request)?;
        let answer = tokio::time::timeout(Duration::from_millis(HTTP_TIMEOUT_MS), client.request(request));
        answer.await.map_err(|_| TransportError::TimedOut)?.map_err(|error| cause(&error))
    }
}

fn pinned_client(server: &ServerAddress) -> Result<Pinned, TransportError> {
    let unusable = |error: &dyn StdError| TransportError::Unreachable(error.to_string());
    let provider = Arc::new(default_provider());
    let verifier = Arc::new(SpkiVerifier::new(&server.spki_pins, Arc::clone(&provider)));
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(Duration::from_millis(HTTP_CONNECT_MS)));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_only()
        .enable_http1()
        .enable_http2()
        .wrap_connector(tcp);
    Ok(HyperClient::builder(TokioExecutor::new()).build(connector))
}

fn to_hyper(
    server: &ServerAddress,
    request: HttpRequest,
) -> Result<http::Request<Full<Bytes>>, TransportError> {
    let method = match request.method {
        HttpMethod::Get => http::Method::GET,
        HttpMethod::Post => http::Method::POST,
        HttpMethod::Put => http::Method::PUT,
        HttpMethod::Delete => http::Method::DELETE,
    };
    let mut out = http::Request::builder().method(method).uri(format!("{}{}", server.origin, request.path));
    for (name, value) in request.headers {
        out = out.header(name, value);
    }
    out.body(Full::new(Bytes::from(request.body)))
        .map_err(|error| TransportError::Unreachable(error.to_string()))
}

/// Finds the reason behind a failed request: a wrong key must not look like a lost connection.
fn cause(error: &(dyn StdError + 'static)) -> TransportError {
    let mut at: Option<&(dyn StdError + 'static)> = Some(error);
    let mut last = error.to_string();
    while let Some(link) = at {
        let mut inner = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        // An I/O error that wraps another one skips it as its source: look inside by hand.
        while let Some(deeper) = inner.and_then(|inner| inner.downcast_ref::<io::Error>()?.get_ref()) {
            inner = Some(deeper);
        }
        let tls = link
            .downcast_ref::<rustls::Error>()
            .or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(rustls::Error::InvalidCertificate(_)) = tls {
            return TransportError::WrongServer;
        }
        last = link.to_string();
        at = link.source();
    }
    TransportError::Unreachable(last)
}

impl Transport for HttpsTransport {
    type Hints = SseHints;

    async fn send(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        let (head, body) = self.open(server, request).await?.into_parts();
        let body = Limited::new(body, RESPONSE_MAX_BYTES).collect();
        let body = tokio::time::timeout(Duration::from_millis(HTTP_TIMEOUT_MS), body)
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => TransportError::TooLarge,
                None => TransportError::Unreachable(error.to_string()),
            })?;
        let headers = head
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        Ok(HttpResponse {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.to_bytes().to_vec(),
        })
    }

    async fn events(&self, server: &ServerAddress, request: HttpRequest) -> Result<SseHints, TransportError> {
        let answer = self.open(server, request).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(TransportError::NoHints);
        }
        Ok(SseHints { body: answer.into_body(), line: Vec::new() })
    }
}

/// Reads `event:` lines of a stream of server-sent events.
pub struct SseHints {
    body: Incoming,
    line: Vec<u8>,
}

impl SseHints {
    /// Takes one whole line out of the buffer.
    fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.line.iter().position(|&byte| byte == b'\n')?;
        let rest = self.line.split_off(end + 1);
        Some(std::mem::replace(&mut self.line, rest))
    }
}

impl HintStream for SseHints {
    async fn next(&mut self) -> Option<String> {
        loop {
            while let Some(line) = self.take_line() {
                if let Ok(text) = std::str::from_utf8(&line)
                    && let Some(name) = text.trim_end().strip_prefix("event:")
                {
                    return Some(name.trim().to_owned());
                }
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                if self.line.len() + data.len() > SSE_LINE_MAX_BYTES {
                    return None;
                }
                self.line.extend_from_slice(&data);
            }
        }
    }
}
