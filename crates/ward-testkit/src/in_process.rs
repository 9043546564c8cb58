//! A transport into the server's router, without sockets.

use crate::limits::RESPONSE_MAX_BYTES;
use axum::Router;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::Request;
use std::sync::{Arc, Mutex, PoisonError};
use tower::ServiceExt as _;
use ward_client::{HintStream, HttpRequest, HttpResponse, ServerAddress, Transport, TransportError};

/// Calls a router directly. Clones share it, so a restarted server serves all of them.
#[derive(Clone)]
pub struct InProcessTransport {
    router: Arc<Mutex<Router>>,
}

impl InProcessTransport {
    /// A transport into this router.
    pub fn new(router: Router) -> Self {
        Self { router: Arc::new(Mutex::new(router)) }
    }

    /// Puts another router in place: the server was started again, or is another one.
    pub fn replace(&self, router: Router) {
        *self.router.lock().unwrap_or_else(PoisonError::into_inner) = router;
    }

    async fn call(&self, request: HttpRequest) -> Result<http::Response<Body>, TransportError> {
        let HttpRequest { method, path, headers, body } = request;
        self.pass(method.name(), path, headers, body).await
    }

    async fn pass(
        &self,
        method: &str,
        path: String,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<http::Response<Body>, TransportError> {
        let router = self.router.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut out = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            out = out.header(name, value);
        }
        let out =
            out.body(Body::from(body)).map_err(|error| TransportError::Unreachable(error.to_string()))?;
        router.oneshot(out).await.map_err(|error| match error {})
    }

    /// A request as somebody writes it who is no app: any method, any headers.
    ///
    /// # Errors
    /// [`TransportError::Unreachable`] for a request that is not HTTP.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    ) -> Result<HttpResponse, TransportError> {
        whole(self.pass(method, path.to_owned(), headers, body).await?).await
    }
}

/// An answer with its whole body.
async fn whole(answer: http::Response<Body>) -> Result<HttpResponse, TransportError> {
    let (head, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, RESPONSE_MAX_BYTES).await;
    let body = body.map_err(|error| TransportError::Unreachable(error.to_string()))?;
    let headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    Ok(HttpResponse { status: head.status.as_u16(), headers: headers.collect(), body: body.to_vec() })
}

impl Transport for InProcessTransport {
    type Hints = InProcessHints;

    async fn send(
        &self,
        _server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        whole(self.call(request).await?).await
    }

    async fn events(
        &self,
        _server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<InProcessHints, TransportError> {
        let answer = self.call(request).await?;
        if answer.status() != http::StatusCode::OK {
            return Err(TransportError::NoHints);
        }
        Ok(InProcessHints { body: answer.into_body().into_data_stream(), buffer: String::new() })
    }
}

/// Names of events from a stream of the router.
pub struct InProcessHints {
    body: BodyDataStream,
    buffer: String,
}

impl HintStream for InProcessHints {
    async fn next(&mut self) -> Option<String> {
        loop {
            while let Some((line, rest)) = self.buffer.split_once('\n') {
                let (line, rest) = (line.trim_end().to_owned(), rest.to_owned());
                self.buffer = rest;
                if let Some(name) = line.strip_prefix("event:") {
                    return Some(name.trim().to_owned());
                }
            }
            let data = self.body.next().await?.ok()?;
            self.buffer.push_str(&String::from_utf8_lossy(&data));
        }
    }
}
