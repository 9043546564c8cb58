//! The HTTP side of a witness: C2SP tlog-witness, and the time over a nonce.

use crate::clock::Clock;
use crate::limits::WITNESS_REQUEST_MAX_BYTES;
use crate::witness_service::{WitnessService, WitnessServiceError};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use std::sync::Arc;
use ward_api::{WitnessNonce, headers, paths};
use ward_audit::SignedNote;
use ward_id::Canonical as _;

/// C2SP tlog-witness: the body of a conflict is the size that the witness knows.
const MEDIA_SIZE: &str = "text/x.tlog.size";

/// A witness and its clock.
struct Desk {
    service: Arc<WitnessService>,
    clock: Arc<dyn Clock>,
}

/// The witness as a service; it needs no socket.
pub fn witness_router(service: Arc<WitnessService>, clock: Arc<dyn Clock>) -> Router {
    let desk = Arc::new(Desk { service, clock });
    Router::new()
        .route(paths::HEALTHZ, get(|| async { text(StatusCode::OK, "ok\n") }))
        .route(paths::WITNESS_ADD_CHECKPOINT, post(add_checkpoint))
        .route(paths::WITNESS_SIGN_TIME, post(sign_time))
        .route(paths::WITNESS_CHECKPOINT, get(checkpoint))
        .with_state(desk)
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, request: Request<Body>) -> Response {
    let Some(body) = read(request).await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n");
    };
    let Ok(asked) = String::from_utf8(body.to_vec()) else {
        return text(StatusCode::BAD_REQUEST, "the request is not UTF-8\n");
    };
    let now = desk.clock.now();
    let signed = tokio::task::spawn_blocking(move || desk.service.add_checkpoint(&asked, now)).await;
    match signed {
        Ok(Ok(signature)) => {
            // A note that bears this one line, written as notes are, without its text.
            let line = SignedNote::new("x\n".to_owned(), vec![signature]).map(|note| note.to_string());
            match line.as_deref().map(|note| note.split_once("\n\n")) {
                Ok(Some((_, line))) => text(StatusCode::OK, line),
                _ => text(StatusCode::INTERNAL_SERVER_ERROR, "the signature cannot be written\n"),
            }
        }
        Ok(Err(error)) => refused(&error),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed\n"),
    }
}

/// The newest checkpoint that was cosigned for a log.
async fn checkpoint(State(desk): State<Arc<Desk>>, Path(origin): Path<String>) -> Response {
    let none = || text(StatusCode::NOT_FOUND, "no checkpoint of that log was cosigned here\n");
    let Ok(origin) = origin.parse() else { return none() };
    // It may wait for a state that is being written.
    match tokio::task::spawn_blocking(move || desk.service.cosigned(&origin)).await {
        Ok(Ok(Some(note))) => text(StatusCode::OK, &note.to_string()),
        Ok(Ok(None)) => none(),
        Ok(Err(error)) => refused(&error),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the witness failed\n"),
    }
}

fn refused(error: &WitnessServiceError) -> Response {
    match error {
        WitnessServiceError::Request(error) => text(StatusCode::BAD_REQUEST, &format!("{error}\n")),
        WitnessServiceError::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
            match refusal.known_size() {
                Some(size) => with_media(status, MEDIA_SIZE, format!("{size}\n")),
                None => text(status, &format!("{refusal}\n")),
            }
        }
        WitnessServiceError::Memory(error) => {
            tracing::error!(error = %error, "the witness cannot keep its heads");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the witness cannot keep its heads\n")
        }
        WitnessServiceError::Name(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error}\n")),
    }
}

async fn sign_time(State(desk): State<Arc<Desk>>, request: Request<Body>) -> Response {
    let nonce = read(request).await.and_then(|body| WitnessNonce::from_canonical(&body).ok());
    let Some(WitnessNonce(nonce)) = nonce else {
        return text(StatusCode::BAD_REQUEST, "send 32 bytes as one CBOR byte string\n");
    };
    match desk.service.sign_time(nonce, desk.clock.now()) {
        Ok(time) => with_media(StatusCode::OK, headers::MEDIA_CBOR, time.to_canonical()),
        Err(error) => refused(&error),
    }
}

async fn read(request: Request<Body>) -> Option<Bytes> {
    let limited = Limited::new(request.into_body(), WITNESS_REQUEST_MAX_BYTES).collect();
    let timeout = std::time::Duration::from_millis(crate::limits::BODY_TIMEOUT_MS);
    Some(tokio::time::timeout(timeout, limited).await.ok()?.ok()?.to_bytes())
}

fn text(status: StatusCode, body: &str) -> Response {
    with_media(status, headers::MEDIA_TEXT, body.to_owned())
}

fn with_media(status: StatusCode, media: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(headers::NO_STORE));
    response
}
