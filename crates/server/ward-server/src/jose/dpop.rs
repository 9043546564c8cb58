//! DPoP proofs (RFC 9449): each request is signed by the device's P-256 key for one method, one
//! address, one token and one nonce, so that neither a stolen token nor a recorded request is of
//! any use to anybody else.

use super::bounded_memo::BoundedMemo;
use super::htu::Origin;
use super::nonce::{NonceError, NonceKey};
use super::{KeyThumbprint, decode_part, sha2_256, split_compact};
use crate::hazmat::signatures::ProofKey;
use crate::limits::{
    DPOP_IAT_TOLERANCE_S, DPOP_JTI_MAX_BYTES, DPOP_PROOF_MAX_BYTES, PROOF_KEYS_REMEMBERED_MAX,
};
use serde::Deserialize;
use std::sync::Arc;
use ward_id::{TimestampMs, base64url_decode, base64url_encode};

/// RFC 9449 §4.2. Exactly these members: a `jwk` with a private part is refused by its shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    ath: Option<String>,
    nonce: Option<String>,
}

/// The request that a proof must fit.
pub struct ProofRequest<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path as it came over the wire, without the query.
    pub path: &'a str,
    /// The access token, on every request but the token request.
    pub access_token: Option<&'a str>,
    /// Now, by the server's clock.
    pub now: TimestampMs,
}

/// A proof that holds. It has not been looked up among the replays yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// Thumbprint of the key.
    pub key: KeyThumbprint,
    /// The key, compressed (SEC 1 §2.3.3), as it stands in a device certificate.
    pub auth_key_sec1: [u8; 33],
    /// The proof's own name.
    pub jti: String,
    /// When its nonce was issued.
    pub nonce_at: TimestampMs,
}

/// A proof that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// Not a proof, or for another request, token or key. The app must make a right one.
    #[error("the DPoP proof is not valid for this request")]
    Invalid,
    /// The nonce is missing, old or another node's. The app repeats with the one in the answer.
    #[error("the DPoP proof needs a fresh nonce of this server")]
    UseNonce,
}

/// Checks proofs for the origins of one server.
pub struct ProofVerifier {
    origins: Vec<Origin>,
    nonces: NonceKey,
    keys: BoundedMemo<[u8; 65], Arc<ProofKey>>,
}

impl ProofVerifier {
    /// Proofs must name one of `origins`.
    pub fn new(origins: Vec<Origin>, nonces: NonceKey) -> Self {
        Self { origins, nonces, keys: BoundedMemo::new(PROOF_KEYS_REMEMBERED_MAX) }
    }

    /// A nonce for the answer.
    pub fn fresh_nonce(&self, now: TimestampMs) -> String {
        self.nonces.issue(now)
    }

    /// Checks everything that RFC 9449 §4.3 asks, but for replays.
    ///
    /// # Errors
    /// [`DpopError`].
    pub fn verify(&self, proof: &str, request: &ProofRequest<'_>) -> Result<VerifiedProof, DpopError> {
        if proof.len() > DPOP_PROOF_MAX_BYTES {
            return Err(DpopError::Invalid);
        }
        let parts = split_compact(proof).ok_or(DpopError::Invalid)?;
        let header: Header = decode_part(parts.header).ok_or(DpopError::Invalid)?;
        if header.typ != "dpop+jwt"
            || header.alg != "ES256"
            || header.jwk.kty != "EC"
            || header.jwk.crv != "P-256"
        {
            return Err(DpopError::Invalid);
        }
        let point = uncompressed_point(&header.jwk).ok_or(DpopError::Invalid)?;
        let key = self.parsed_key(&point)?;
        if !key.verifies(parts.signed.as_bytes(), &parts.signature) {
            return Err(DpopError::Invalid);
        }
        let claims: Claims = decode_part(parts.payload).ok_or(DpopError::Invalid)?;
        self.check_claims(&claims, request)?;
        let nonce = claims.nonce.as_deref().ok_or(DpopError::UseNonce)?;
        let nonce_at = self.nonces.check(nonce, request.now).map_err(|error| match error {
            NonceError::Foreign | NonceError::Expired => DpopError::UseNonce,
        })?;
        Ok(VerifiedProof {
            key: KeyThumbprint::of_p256(&header.jwk.x, &header.jwk.y),
            auth_key_sec1: compressed(&point),
            jti: claims.jti,
            nonce_at,
        })
    }

    /// Parsing refuses points off the curve.
    fn parsed_key(&self, point: &[u8; 65]) -> Result<Arc<ProofKey>, DpopError> {
        if let Some(known) = self.keys.get(point) {
            return Ok(known);
        }
        let parsed = Arc::new(ProofKey::parse(point).ok_or(DpopError::Invalid)?);
        self.keys.put(*point, Arc::clone(&parsed));
        Ok(parsed)
    }

    fn check_claims(&self, claims: &Claims, request: &ProofRequest<'_>) -> Result<(), DpopError> {
        let ath = request.access_token.map(|token| base64url_encode(&sha2_256::digest(&[token.as_bytes()])));
        let addressed = self.origins.iter().any(|origin| origin.names(&claims.htu, request.path));
        // Only a sanity bound: freshness comes from the nonce, since clocks of phones are wrong.
        let off_s = request.now.unix_s().saturating_sub(claims.iat).saturating_abs();
        let named = !claims.jti.is_empty() && claims.jti.len() <= DPOP_JTI_MAX_BYTES;
        let fits = claims.htm == request.method && claims.ath == ath && off_s <= DPOP_IAT_TOLERANCE_S;
        if named && addressed && fits { Ok(()) } else { Err(DpopError::Invalid) }
    }
}

/// SEC 1 §2.3.3: `04 || x || y`.
fn uncompressed_point(jwk: &Jwk) -> Option<[u8; 65]> {
    let x: [u8; 32] = base64url_decode(&jwk.x).ok()?.try_into().ok()?;
    let y: [u8; 32] = base64url_decode(&jwk.y).ok()?.try_into().ok()?;
    let mut point = [4; 65];
    for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(&y)) {
        *to = *from;
    }
    Some(point)
}

fn compressed(point: &[u8; 65]) -> [u8; 33] {
    let odd = point.last().is_some_and(|last| last & 1 == 1);
    let mut out = [if odd { 3 } else { 2 }; 33];
    for (to, from) in out.iter_mut().zip(point).skip(1) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
    const TOKEN: &str = "the-token";

    struct Device {
        key: EcdsaKeyPair,
        jwk: Value,
    }

    impl Device {
        fn new() -> Self {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let point = key.public_key().as_ref().to_vec();
            let jwk = json!({"kty": "EC", "crv": "P-256", "x": base64url_encode(&point[1..33]), "y": base64url_encode(&point[33..])});
            Self { key, jwk }
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| base64url_encode(&serde_json::to_vec(value).unwrap());
            let signed = format!("{}.{}", part(header), part(claims));
            let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", base64url_encode(signature.as_ref()))
        }

        fn header(&self) -> Value {
            json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk})
        }
    }

    fn verifier() -> ProofVerifier {
        ProofVerifier::new(vec![Origin::parse("https://ward.example").unwrap()], NonceKey::new(&[1; 32]))
    }

    fn claims(verifier: &ProofVerifier) -> Value {
        json!({"jti": "j", "htm": "POST", "htu": "https://ward.example/v1/x", "iat": NOW.unix_s(),
            "ath": base64url_encode(&sha2_256::digest(&[TOKEN.as_bytes()])), "nonce": verifier.fresh_nonce(NOW)})
    }

    fn check(verifier: &ProofVerifier, proof: &str) -> Result<VerifiedProof, DpopError> {
        let request = ProofRequest { method: "POST", path: "/v1/x", access_token: Some(TOKEN), now: NOW };
        verifier.verify(proof, &request)
    }

    #[test]
    fn a_good_proof_names_its_key() {
        let (verifier, device) = (verifier(), Device::new());
        let proof = check(&verifier, &device.sign(&device.header(), &claims(&verifier))).unwrap();
        let key = ward_crypto::AuthPublicKey::from_slice(&proof.auth_key_sec1).unwrap();
        assert_eq!(key.jwk_thumbprint(), proof.key.0);
        assert_eq!((proof.jti.as_str(), proof.nonce_at), ("j", NOW));
    }

    /// Red team 37: every other method, address, token, time and shape is refused.
    #[test]
    fn rt_37_changed_proofs_are_refused() {
        let (verifier, device) = (verifier(), Device::new());
        for (name, wrong) in [
            ("htm", json!("GET")),
            ("htm", json!("post")),
            ("htu", json!("https://ward.example/v1/y")),
            ("htu", json!("https://evil.example/v1/x")),
            ("htu", json!("https://ward.example/v1/x?a=b")),
            ("ath", json!("AAAA")),
            ("ath", json!(null)),
            ("iat", json!(NOW.unix_s() - DPOP_IAT_TOLERANCE_S - 1)),
            ("iat", json!(NOW.unix_s() + DPOP_IAT_TOLERANCE_S + 1)),
            ("iat", json!("now")),
            ("jti", json!("")),
            ("jti", json!("x".repeat(DPOP_JTI_MAX_BYTES + 1))),
            ("extra", json!(1)),
        ] {
            let mut changed = claims(&verifier);
            changed[name] = wrong;
            let proof = device.sign(&device.header(), &changed);
            assert_eq!(check(&verifier, &proof), Err(DpopError::Invalid), "{name}: {changed}");
        }
        let other = Device::new();
        for (path, wrong) in [
            ("typ", json!("JWT")),
            ("alg", json!("none")),
            ("alg", json!("HS256")),
            ("alg", json!("EdDSA")),
            ("jwk", other.jwk.clone()),
            (
                "jwk",
                json!({"kty": "EC", "crv": "P-256", "x": device.jwk["x"], "y": device.jwk["y"], "d": "AAAA"}),
            ),
            ("jwk", json!({"kty": "oct", "k": "AAAA"})),
            ("jwk", json!({"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"})),
            (
                "jwk",
                json!({"kty": "EC", "crv": "P-256", "x": base64url_encode(&[1; 32]), "y": base64url_encode(&[1; 32])}),
            ),
            ("crit", json!(["x"])),
        ] {
            let mut header = device.header();
            header[path] = wrong;
            let proof = device.sign(&header, &claims(&verifier));
            assert_eq!(check(&verifier, &proof), Err(DpopError::Invalid), "{header}");
        }
        let good = device.sign(&device.header(), &claims(&verifier));
        assert!(check(&verifier, &good).is_ok());
        for bad in [
            good[..good.len() - 3].to_owned(),
            format!("{good}."),
            good.replace('.', ""),
            "x".repeat(DPOP_PROOF_MAX_BYTES + 1),
        ] {
            assert_eq!(check(&verifier, &bad), Err(DpopError::Invalid));
        }
    }

    #[test]
    fn a_missing_old_or_foreign_nonce_asks_for_a_fresh_one() {
        let (verifier, device) = (verifier(), Device::new());
        let old = verifier.fresh_nonce(NOW.plus_ms(-200_000));
        let foreign = NonceKey::new(&[2; 32]).issue(NOW);
        for nonce in [json!(null), json!(old), json!(foreign)] {
            let mut changed = claims(&verifier);
            changed["nonce"] = nonce;
            let proof = device.sign(&device.header(), &changed);
            assert_eq!(check(&verifier, &proof), Err(DpopError::UseNonce));
        }
    }

    #[test]
    fn clocks_may_be_ten_minutes_off() {
        let (verifier, device) = (verifier(), Device::new());
        for off_s in [-DPOP_IAT_TOLERANCE_S, DPOP_IAT_TOLERANCE_S] {
            let mut changed = claims(&verifier);
            changed["iat"] = json!(NOW.unix_s() + off_s);
            assert!(check(&verifier, &device.sign(&device.header(), &changed)).is_ok());
        }
    }
}
