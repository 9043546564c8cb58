//! Proof of possession of the device's P-256 key for one request (RFC 9449 §4.2).

use crate::ClientError;
use rand_core::CryptoRng;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use ward_crypto::{AuthSigner, random_bytes};
use ward_id::{TimestampMs, base64url_encode};

#[derive(Serialize)]
struct Jwk {
    crv: &'static str,
    kty: &'static str,
    x: String,
    y: String,
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
    jwk: Jwk,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: String,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

/// What one proof speaks for.
pub(super) struct ProofOf<'a> {
    pub(super) method: &'a str,
    pub(super) origin: &'a str,
    /// Path with query; the query is no part of `htu`.
    pub(super) path: &'a str,
    pub(super) access_token: Option<&'a str>,
    pub(super) nonce: Option<&'a str>,
    pub(super) at: TimestampMs,
}

/// Makes the proof.
pub(super) fn proof(
    of: &ProofOf<'_>,
    key: &dyn AuthSigner,
    rng: &mut impl CryptoRng,
) -> Result<String, ClientError> {
    let (x, y) = key.public_key().jwk_coordinates();
    let jwk = Jwk { crv: "P-256", kty: "EC", x: base64url_encode(&x), y: base64url_encode(&y) };
    let header = Header { typ: "dpop+jwt", alg: "ES256", jwk };
    let path = of.path.split_once('?').map_or(of.path, |(path, _)| path);
    let claims = Claims {
        jti: base64url_encode(&random_bytes::<16>(rng)),
        htm: of.method,
        htu: format!("{}{path}", of.origin),
        iat: of.at.unix_s(),
        ath: of.access_token.map(|token| base64url_encode(&Sha256::digest(token.as_bytes()))),
        nonce: of.nonce,
    };
    let part = |json: Result<String, serde_json::Error>| {
        json.map(|json| base64url_encode(json.as_bytes())).map_err(|_| ClientError::DeviceKeyFailed)
    };
    let signed =
        format!("{}.{}", part(serde_json::to_string(&header))?, part(serde_json::to_string(&claims))?);
    let signature = key.sign(signed.as_bytes()).map_err(|_| ClientError::DeviceKeyFailed)?;
    Ok(format!("{signed}.{}", base64url_encode(signature.as_bytes())))
}
