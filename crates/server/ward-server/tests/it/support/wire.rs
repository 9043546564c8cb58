//! Speaking to a server: through its router or over TLS, with tokens and proofs.

use super::people::Device;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt as _;
use ward_api::{ErrorCode, Problem, TokenAnswer, TokenRequest, headers, paths};
use ward_crypto::{AuthSigner as _, sha256};
use ward_id::{Canonical, TimestampMs, base64url_encode};

/// The address that proofs name.
pub const ORIGIN: &str = "https://ward.test";

/// A client over TLS.
pub type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// How requests travel.
#[derive(Clone)]
pub enum Wire {
    Router(axum::Router),
    Https { client: Box<HttpsClient>, base: String },
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem()?.code.known()
    }
    pub fn problem(&self) -> Option<Problem> {
        Problem::from_json(&self.body)
    }
    pub fn cbor<T: Canonical>(&self) -> T {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.body));
        T::from_canonical(&self.body).unwrap()
    }
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
    #[track_caller]
    pub fn refused(&self, code: ErrorCode) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.code(), Some(code), "{} {text}", self.status);
        assert_eq!(self.status, code.status());
        assert_eq!(self.header("content-type"), Some(headers::MEDIA_PROBLEM));
    }
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self
    }
}

/// A request that failed on the wire.
#[derive(Debug)]
pub struct Broken;

impl Wire {
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Reply, Broken> {
        match self {
            Self::Router(router) => {
                let response = router.clone().oneshot(request.map(Body::from)).await.map_err(|_| Broken)?;
                let (parts, body) = response.into_parts();
                // A stream of events never ends: its head is the answer.
                let events =
                    parts.headers.get("content-type").is_some_and(|media| media == headers::MEDIA_EVENTS);
                let body =
                    if events { Bytes::new() } else { body.collect().await.map_err(|_| Broken)?.to_bytes() };
                Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
            }
            Self::Https { client, base } => {
                let (mut parts, body) = request.into_parts();
                parts.uri = format!("{base}{}", parts.uri).parse().unwrap();
                let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
                let response = client.request(request).await.map_err(|_| Broken)?;
                let (parts, body) = response.into_parts();
                let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
                Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
            }
        }
    }

    /// A request without token or proof.
    pub async fn plain(&self, method: &str, path: &str, media: Option<&str>, body: Vec<u8>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(media) = media {
            request = request.header("content-type", media);
        }
        self.send(request.body(body).unwrap()).await.unwrap()
    }
}

/// A DPoP proof (RFC 9449).
pub fn proof(
    device: &Device,
    method: &str,
    path: &str,
    token: Option<&str>,
    nonce: &str,
    now: TimestampMs,
) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let key = device.keys.auth.as_ref().unwrap();
    let (x, y) = key.public_key().jwk_coordinates();
    let header = serde_json::json!({"typ": "dpop+jwt", "alg": "ES256",
        "jwk": {"kty": "EC", "crv": "P-256", "x": base64url_encode(&x), "y": base64url_encode(&y)}});
    let path = path.split('?').next().unwrap();
    let jti = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut claims = serde_json::json!({"jti": jti, "htm": method, "htu": format!("{ORIGIN}{path}"), "iat": now.unix_s(), "nonce": nonce});
    if let Some(token) = token {
        claims["ath"] = base64url_encode(&sha256(token.as_bytes())).into();
    }
    let part = |value: &serde_json::Value| base64url_encode(&serde_json::to_vec(value).unwrap());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url_encode(signature.as_bytes()))
}

/// One device's session.
pub struct Session<'a> {
    pub wire: Wire,
    pub device: &'a Device,
    now: Box<dyn Fn() -> TimestampMs + Send + Sync>,
    pub nonce: Mutex<String>,
    pub token: Mutex<String>,
    pub refresh: Mutex<String>,
}

impl<'a> Session<'a> {
    pub fn new(
        wire: Wire,
        device: &'a Device,
        now: impl Fn() -> TimestampMs + Send + Sync + 'static,
    ) -> Self {
        let empty = || Mutex::new(String::new());
        Self { wire, device, now: Box::new(now), nonce: empty(), token: empty(), refresh: empty() }
    }

    /// One request with a proof; a stale nonce is replaced once, as every client does.
    pub async fn try_call(
        &self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: Vec<u8>,
        with_token: bool,
    ) -> Result<Reply, Broken> {
        for last in [false, true] {
            let token = with_token.then(|| self.token.lock().unwrap().clone());
            let nonce = self.nonce.lock().unwrap().clone();
            let proof = proof(self.device, method, path, token.as_deref(), &nonce, (self.now)());
            let mut request = Request::builder().method(method).uri(path).header(headers::DPOP, proof);
            if let Some(token) = token {
                request = request.header("authorization", format!("{} {token}", headers::AUTH_SCHEME));
            }
            if let Some(media) = media {
                request = request.header("content-type", media);
            }
            let reply = self.wire.send(request.body(body.clone()).unwrap()).await?;
            if let Some(fresh) = reply.header(headers::DPOP_NONCE) {
                *self.nonce.lock().unwrap() = fresh.to_owned();
            }
            if last || reply.code() != Some(ErrorCode::UseNonce) {
                return Ok(reply);
            }
        }
        Err(Broken)
    }

    pub async fn call(&self, method: &str, path: &str, media: Option<&str>, body: Vec<u8>) -> Reply {
        self.try_call(method, path, media, body, true).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None, Vec::new()).await
    }

    pub async fn post(&self, path: &str, body: &impl Canonical) -> Reply {
        self.call("POST", path, Some(headers::MEDIA_CBOR), body.to_canonical()).await
    }

    /// Asks the token endpoint; keeps what it gives.
    pub async fn grant(&self, request: &TokenRequest) -> Reply {
        let form = request.to_form().into_bytes();
        let reply =
            self.try_call("POST", paths::TOKEN, Some(headers::MEDIA_FORM), form, false).await.unwrap();
        if reply.status == 200 {
            let answer: TokenAnswer = serde_json::from_slice(&reply.body).unwrap();
            *self.token.lock().unwrap() = answer.access_token.clone();
            *self.refresh.lock().unwrap() = answer.refresh_token.clone();
        }
        reply
    }

    pub async fn login(self) -> Self {
        self.grant(&TokenRequest::Device(self.device.id)).await.ok();
        self
    }
}
