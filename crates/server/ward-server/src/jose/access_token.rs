//! Access tokens (RFC 9068): who a request comes from, for five or ten minutes, bound to the
//! device's P-256 key (`cnf.jkt`, RFC 9449 §6). They protect metadata, availability and quota;
//! they never give a key, so a stolen token yields ciphertext at most.

use super::bounded_memo::BoundedMemo;
use super::{KeyThumbprint, decode_part, sha2_256, split_compact};
use crate::limits::{TOKEN_MAX_BYTES, TOKENS_REMEMBERED_MAX};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use serde::{Deserialize, Serialize};
use ward_api::limits::{ACCESS_TOKEN_PATIENT_S, ACCESS_TOKEN_STAFF_S};
use ward_crypto::Role;
use ward_id::{DeviceId, SiteId, TimestampMs, base64url_encode};

/// The only header there is. A token with any other header is refused before it is parsed, so an
/// `alg` or `typ` of an attacker's choice is never looked at.
const HEADER: &str = r#"{"typ":"at+jwt","alg":"EdDSA"}"#;

/// The claims of an access token; all are required and no other is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: DeviceId,
    role: u8,
    site: SiteId,
    sv: u64,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    cnf: Confirmation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: String,
}

/// What a verified token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSubject {
    /// The device.
    pub device: DeviceId,
    /// Its role when the token was issued.
    pub role: Role,
    /// The session version: a token below the device's current one is dead.
    pub session_version: u64,
    /// The DPoP key it is bound to.
    pub key: KeyThumbprint,
}

/// A token that is not taken. The device's app must ask for a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// Not an access token of this server: wrong form, header, issuer, audience or signature.
    #[error("the access token is not one of this server")]
    Invalid,
    /// Its time is over or has not begun.
    #[error("the access token has expired")]
    Expired,
}

/// The key and names under which one server issues tokens.
pub struct TokenIssuer {
    key: Ed25519KeyPair,
    public: ParsedPublicKey,
    issuer: String,
    site: SiteId,
    header: String,
    /// Tokens of this server that were checked, by their hash.
    genuine: BoundedMemo<[u8; 32], Genuine>,
}

/// What a token says whose signature and names hold.
#[derive(Debug, Clone, Copy)]
struct Genuine {
    subject: TokenSubject,
    not_before_s: i64,
    expires_s: i64,
}

/// Bytes that are no token key. The operator must make a new key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token key is not an Ed25519 seed of 32 bytes")]
pub struct TokenKeyError;

impl TokenIssuer {
    /// From the 32-byte seed of the server's token key; `issuer` is the server's first origin.
    ///
    /// # Errors
    /// [`TokenKeyError`].
    pub fn new(seed: &[u8; 32], issuer: &str, site: SiteId) -> Result<Self, TokenKeyError> {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| TokenKeyError)?;
        let public = ParsedPublicKey::new(&ED25519, key.public_key().as_ref()).map_err(|_| TokenKeyError)?;
        let header = base64url_encode(HEADER.as_bytes());
        let genuine = BoundedMemo::new(TOKENS_REMEMBERED_MAX);
        Ok(Self { key, public, issuer: issuer.to_owned(), site, header, genuine })
    }

    /// Issues a token; returns it and its life in seconds.
    pub fn issue(&self, subject: &TokenSubject, jti: &[u8; 16], now: TimestampMs) -> (String, u32) {
        let life_s = if subject.role.is_staff() { ACCESS_TOKEN_STAFF_S } else { ACCESS_TOKEN_PATIENT_S };
        let iat = now.unix_s();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            sub: subject.device,
            role: subject.role.number(),
            site: self.site,
            sv: subject.session_version,
            iat,
            nbf: iat,
            exp: iat + i64::from(life_s),
            jti: base64url_encode(jti),
            cnf: Confirmation { jkt: subject.key.to_text() },
        };
        // A struct of texts and integers always serialises.
        let payload = serde_json::to_vec(&claims).unwrap_or_default();
        let signed = format!("{}.{}", self.header, base64url_encode(&payload));
        let signature = self.key.sign(signed.as_bytes());
        (format!("{signed}.{}", base64url_encode(signature.as_ref())), life_s)
    }

    /// Checks a token. Its signature is checked once; its time every time.
    ///
    /// # Errors
    /// [`AccessTokenError`].
    pub fn verify(&self, token: &str, now: TimestampMs) -> Result<TokenSubject, AccessTokenError> {
        if token.len() > TOKEN_MAX_BYTES {
            return Err(AccessTokenError::Invalid);
        }
        let digest = sha2_256::digest(&[token.as_bytes()]);
        let checked = match self.genuine.get(&digest) {
            Some(checked) => checked,
            None => {
                let checked = self.check_signature(token)?;
                self.genuine.put(digest, checked);
                checked
            }
        };
        let now_s = now.unix_s();
        if now_s < checked.not_before_s || now_s >= checked.expires_s {
            Err(AccessTokenError::Expired)
        } else {
            Ok(checked.subject)
        }
    }

    /// All that does not change while a token lives.
    fn check_signature(&self, token: &str) -> Result<Genuine, AccessTokenError> {
        let parts = split_compact(token).ok_or(AccessTokenError::Invalid)?;
        if parts.header != self.header {
            return Err(AccessTokenError::Invalid);
        }
        self.public
            .verify_sig(parts.signed.as_bytes(), &parts.signature)
            .map_err(|_| AccessTokenError::Invalid)?;
        let claims: Claims = decode_part(parts.payload).ok_or(AccessTokenError::Invalid)?;
        if claims.iss != self.issuer || claims.aud != self.issuer || claims.site != self.site {
            return Err(AccessTokenError::Invalid);
        }
        let subject = TokenSubject {
            device: claims.sub,
            role: Role::from_number(claims.role).ok_or(AccessTokenError::Invalid)?,
            session_version: claims.sv,
            key: KeyThumbprint::from_text(&claims.cnf.jkt).ok_or(AccessTokenError::Invalid)?,
        };
        Ok(Genuine { subject, not_before_s: claims.nbf, expires_s: claims.exp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SITE: SiteId = SiteId::from_bytes([3; 16]);
    const NOW: TimestampMs = TimestampMs(1_700_000_000_000);

    fn issuer() -> TokenIssuer {
        TokenIssuer::new(&[7; 32], "https://ward.example", SITE).unwrap()
    }

    fn subject() -> TokenSubject {
        TokenSubject {
            device: DeviceId::from_bytes([1; 16]),
            role: Role::Patient,
            session_version: 4,
            key: KeyThumbprint([9; 32]),
        }
    }

    fn signed(key: &Ed25519KeyPair, header: &str, payload: &[u8]) -> String {
        let signed = format!("{}.{}", base64url_encode(header.as_bytes()), base64url_encode(payload));
        let signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", base64url_encode(signature.as_ref()))
    }

    fn good_claims() -> Value {
        json!({"iss": "https://ward.example", "aud": "https://ward.example", "sub": subject().device,
            "role": 1, "site": SITE, "sv": 4, "iat": NOW.unix_s(), "nbf": NOW.unix_s(),
            "exp": NOW.unix_s() + 600, "jti": "x", "cnf": {"jkt": subject().key.to_text()}})
    }

    #[test]
    fn lives_ten_minutes_for_patients_and_five_for_staff() {
        let (token, life_s) = issuer().issue(&subject(), &[1; 16], NOW);
        assert_eq!(life_s, 600);
        assert_eq!(issuer().verify(&token, NOW), Ok(subject()));
        assert_eq!(issuer().verify(&token, NOW.plus_ms(599_999)), Ok(subject()));
        assert_eq!(issuer().verify(&token, NOW.plus_ms(600_000)), Err(AccessTokenError::Expired));
        assert_eq!(issuer().verify(&token, NOW.plus_ms(-1_000)), Err(AccessTokenError::Expired));
        assert_eq!(
            issuer().issue(&TokenSubject { role: Role::Clinician, ..subject() }, &[1; 16], NOW).1,
            300
        );
    }

    #[test]
    fn a_remembered_token_still_ends_and_vouches_for_no_other() {
        let server = issuer();
        let (token, _) = server.issue(&subject(), &[1; 16], NOW);
        for _ in 0..2 {
            assert_eq!(server.verify(&token, NOW), Ok(subject()));
            assert_eq!(server.verify(&token, NOW.plus_ms(600_000)), Err(AccessTokenError::Expired));
            assert_eq!(server.verify(&format!("{token}="), NOW), Err(AccessTokenError::Invalid));
        }
    }

    /// Red team 38: tokens of other kinds, keys, algorithms and shapes. All are signed with the
    /// server's own key where that makes them harder to refuse.
    #[test]
    fn rt_38_confused_tokens_are_refused() {
        let server = issuer();
        let own = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let claims = serde_json::to_vec(&good_claims()).unwrap();
        assert_eq!(
            server.verify(&signed(&own, HEADER, &claims), NOW),
            Ok(subject()),
            "the corpus starts from a good token"
        );

        let mut corpus = Vec::new();
        for header in [
            r#"{"typ":"at+jwt","alg":"none"}"#,
            r#"{"typ":"at+jwt","alg":"HS256"}"#,
            r#"{"typ":"at+jwt","alg":"ES256"}"#,
            r#"{"typ":"JWT","alg":"EdDSA"}"#,
            r#"{"typ":"dpop+jwt","alg":"EdDSA"}"#,
            r#"{"alg":"EdDSA"}"#,
            r#"{"alg":"EdDSA","typ":"at+jwt"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","crit":["x"]}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","jku":"https://evil"}"#,
            r#"{"typ":"at+jwt","alg":"EdDSA","alg":"none"}"#,
            r#"{"typ":"AT+JWT","alg":"EdDSA"}"#,
            "{}",
            "",
        ] {
            corpus.push(signed(&own, header, &claims));
        }
        for name in ["iss", "aud", "sub", "role", "site", "sv", "iat", "nbf", "exp", "jti", "cnf"] {
            for wrong in [None, Some(json!(null)), Some(json!("x")), Some(json!(["x"]))] {
                let mut value = good_claims();
                match (&wrong, name) {
                    (Some(text), "jti") if text.is_string() => continue,
                    (Some(new), _) => value[name] = new.clone(),
                    (None, _) => drop(value.as_object_mut().unwrap().remove(name)),
                }
                corpus.push(signed(&own, HEADER, &serde_json::to_vec(&value).unwrap()));
            }
        }
        for (name, wrong) in [
            ("exp", json!(1e12)),
            ("exp", json!("9999999999")),
            ("role", json!(12)),
            ("role", json!(-1)),
            ("cnf", json!({"jkt": "AAAA"})),
            ("cnf", json!({"jkt": subject().key.to_text(), "x5t": "a"})),
            ("extra", json!(1)),
            ("site", json!(SiteId::from_bytes([4; 16]))),
        ] {
            let mut value = good_claims();
            value[name] = wrong;
            corpus.push(signed(&own, HEADER, &serde_json::to_vec(&value).unwrap()));
        }
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        corpus.push(signed(&other, HEADER, &claims));
        let good = signed(&own, HEADER, &claims);
        corpus.extend([
            format!("{good}="),
            format!("{good}."),
            good[..good.len() - 2].to_owned(),
            "a".repeat(TOKEN_MAX_BYTES + 1),
        ]);
        corpus.push(good.rsplit_once('.').unwrap().0.to_owned() + ".");
        assert!(corpus.len() >= 60, "{}", corpus.len());
        for token in corpus {
            assert_eq!(server.verify(&token, NOW), Err(AccessTokenError::Invalid), "{token}");
        }
    }
}
