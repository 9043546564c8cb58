//! Header names and media types.

/// CBOR bodies (RFC 8949 §9.5).
pub const MEDIA_CBOR: &str = "application/cbor";
/// JSON bodies.
pub const MEDIA_JSON: &str = "application/json";
/// Errors (RFC 9457 §6.1).
pub const MEDIA_PROBLEM: &str = "application/problem+json";
/// The token request (RFC 6749 §4.4.2).
pub const MEDIA_FORM: &str = "application/x-www-form-urlencoded";
/// Signed notes.
pub const MEDIA_TEXT: &str = "text/plain; charset=utf-8";
/// Tiles and leaves.
pub const MEDIA_BYTES: &str = "application/octet-stream";
/// The stream of hints (HTML Living Standard, server-sent events).
pub const MEDIA_EVENTS: &str = "text/event-stream";

/// The proof of possession of the device's key (RFC 9449 §4.1).
pub const DPOP: &str = "dpop";
/// The nonce that the next proof must carry; the server's time is inside (RFC 9449 §8).
pub const DPOP_NONCE: &str = "dpop-nonce";
/// `Authorization: DPoP <token>` (RFC 9449 §7.1).
pub const AUTH_SCHEME: &str = "DPoP";
/// Names one request in the server's own logs, so that a person can quote it to the operator.
pub const REQUEST_ID: &str = "ward-request-id";
/// Sent with every answer: nothing is kept by caches.
pub const CACHE_CONTROL: &str = "cache-control";
/// Its only value.
pub const NO_STORE: &str = "no-store";
