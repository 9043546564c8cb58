//! Requests as an attacker makes them: without any device, or with the stolen keys of one.

use crate::loot::Loot;
use ward_api::headers::{AUTH_SCHEME, DPOP, DPOP_NONCE, MEDIA_FORM};
use ward_api::{ErrorCode, Problem, TokenAnswer, TokenRequest, paths};
use ward_client::HttpResponse;
use ward_crypto::{AuthSigner as _, sha256};
use ward_id::base64url_encode;
use ward_testkit::{FakeClock, InProcessTransport, ORIGIN};

/// What a body says it is.
fn content_type(media: Option<&str>) -> Option<(String, String)> {
    media.map(|media| ("content-type".to_owned(), media.to_owned()))
}

/// A request without token or proof.
pub async fn anonymous(
    transport: &InProcessTransport,
    method: &str,
    path: &str,
    media: Option<&str>,
    body: Vec<u8>,
) -> HttpResponse {
    transport.request(method, path, content_type(media).into_iter().collect(), body).await.unwrap()
}

/// The code of a refusal.
pub fn code(response: &HttpResponse) -> Option<ErrorCode> {
    Problem::from_json(&response.body)?.code.known()
}

/// Calls with the keys of a device.
pub struct Caller<'a> {
    transport: InProcessTransport,
    loot: &'a Loot,
    clock: FakeClock,
    nonce: String,
    token: Option<String>,
    sent: u64,
}

impl<'a> Caller<'a> {
    /// Somebody with a device's keys, who logs in with them.
    pub async fn with(loot: &'a Loot, transport: &InProcessTransport, clock: &FakeClock) -> Self {
        let mut caller = Self {
            transport: transport.clone(),
            loot,
            clock: clock.clone(),
            nonce: String::new(),
            token: None,
            sent: 0,
        };
        let form = TokenRequest::Device(loot.device).to_form().into_bytes();
        let answer = caller.call("POST", paths::TOKEN, Some(MEDIA_FORM), form).await;
        if answer.status == 200 {
            let answer: TokenAnswer = serde_json::from_slice(&answer.body).unwrap();
            caller.token = Some(answer.access_token.to_string());
        }
        caller
    }

    /// Whether the server gave a token.
    pub const fn is_logged_in(&self) -> bool {
        self.token.is_some()
    }

    /// One request with a proof of the device's key.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        media: Option<&str>,
        body: Vec<u8>,
    ) -> HttpResponse {
        let mut answer = None;
        for _ in 0..2 {
            let mut headers = vec![(DPOP.to_owned(), self.proof(method, path))];
            if let Some(token) = &self.token {
                headers.push(("authorization".to_owned(), format!("{AUTH_SCHEME} {token}")));
            }
            headers.extend(content_type(media));
            let got = self.transport.request(method, path, headers, body.clone()).await.unwrap();
            if let Some(nonce) = got.header(DPOP_NONCE) {
                self.nonce = nonce.to_owned();
            }
            let again = code(&got) == Some(ErrorCode::UseNonce);
            answer = Some(got);
            if !again {
                break;
            }
        }
        answer.unwrap()
    }

    /// A DPoP proof (RFC 9449 §4.2).
    fn proof(&mut self, method: &str, path: &str) -> String {
        let key = self.loot.keys.auth.as_ref().unwrap();
        let (x, y) = key.public_key().jwk_coordinates();
        let header = serde_json::json!({"typ": "dpop+jwt", "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": base64url_encode(&x), "y": base64url_encode(&y)}});
        self.sent += 1;
        let path = path.split('?').next().unwrap();
        let mut claims = serde_json::json!({"jti": format!("{}-{}", self.loot.device, self.sent),
            "htm": method, "htu": format!("{ORIGIN}{path}"), "iat": self.clock.now().unix_s(),
            "nonce": self.nonce});
        if let Some(token) = &self.token {
            claims["ath"] = base64url_encode(&sha256(token.as_bytes())).into();
        }
        let part = |value: &serde_json::Value| base64url_encode(&serde_json::to_vec(value).unwrap());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url_encode(signature.as_bytes()))
    }
}
