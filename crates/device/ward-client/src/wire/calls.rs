//! One request with all that belongs to it: token, proof, nonce, and the repeat when the server
//! asks for a newer nonce.

use super::Session;
use super::dpop::{ProofOf, proof};
use crate::{ClientError, Environment, HttpMethod, HttpRequest, HttpResponse, ServerAddress, Transport};
use ward_api::headers::{AUTH_SCHEME, DPOP, DPOP_NONCE, MEDIA_BYTES, MEDIA_CBOR, MEDIA_FORM, MEDIA_PROBLEM};
use ward_api::{Problem, TokenAnswer, TokenRequest, paths};
use ward_crypto::{AuthSigner, DeviceKeys};
use ward_id::{Canonical, DeviceId};
use zeroize::Zeroizing;

/// Everything a call needs, borrowed from the client for the time of the call.
pub(crate) struct Wire<'a, T, E> {
    pub(crate) transport: &'a T,
    pub(crate) env: &'a mut E,
    pub(crate) server: &'a ServerAddress,
    pub(crate) session: &'a mut Session,
    pub(crate) keys: &'a DeviceKeys,
    pub(crate) device: DeviceId,
}

/// What a request carries.
struct Content {
    media: &'static str,
    bytes: Vec<u8>,
}

impl<T: Transport, E: Environment> Wire<'_, T, E> {
    /// A read that answers with CBOR.
    pub(crate) async fn get<R: Canonical>(&mut self, path: &str) -> Result<R, ClientError> {
        let answer = self.call(HttpMethod::Get, path, None).await?;
        decode(path, &answer.body)
    }

    /// A read that answers with bytes or text.
    pub(crate) async fn get_bytes(&mut self, path: &str) -> Result<Vec<u8>, ClientError> {
        Ok(self.call(HttpMethod::Get, path, None).await?.body)
    }

    /// A write that answers with CBOR.
    pub(crate) async fn post<R: Canonical>(
        &mut self,
        path: &str,
        body: &impl Canonical,
    ) -> Result<R, ClientError> {
        let answer = self.post_raw(path, body).await?;
        decode(path, &answer)
    }

    /// A write whose answer is returned as it came.
    pub(crate) async fn post_raw(
        &mut self,
        path: &str,
        body: &impl Canonical,
    ) -> Result<Vec<u8>, ClientError> {
        let content = Content { media: MEDIA_CBOR, bytes: body.to_canonical() };
        Ok(self.call(HttpMethod::Post, path, Some(&content)).await?.body)
    }

    /// A write that is answered with nothing but that it was done.
    pub(crate) async fn post_done(&mut self, path: &str, body: &impl Canonical) -> Result<(), ClientError> {
        let content = Content { media: MEDIA_CBOR, bytes: body.to_canonical() };
        done(path, self.call(HttpMethod::Post, path, Some(&content)).await?)
    }

    /// Puts bytes at a place; answers with CBOR.
    pub(crate) async fn put_bytes<R: Canonical>(
        &mut self,
        path: &str,
        bytes: Vec<u8>,
    ) -> Result<R, ClientError> {
        let content = Content { media: MEDIA_BYTES, bytes };
        let answer = self.call(HttpMethod::Put, path, Some(&content)).await?;
        decode(path, &answer.body)
    }

    /// Withdraws something.
    pub(crate) async fn delete(&mut self, path: &str) -> Result<(), ClientError> {
        done(path, self.call(HttpMethod::Delete, path, None).await?)
    }

    /// A read that proves the device's key and needs no token.
    pub(crate) async fn get_possessed<R: Canonical>(&mut self, path: &str) -> Result<R, ClientError> {
        let answer = self.exchange(HttpMethod::Get, path, None, None).await?;
        decode(path, &checked(path, answer)?.body)
    }

    /// A write that proves the device's key and needs no token; answered as [`Wire::post_done`] is.
    pub(crate) async fn post_possessed(
        &mut self,
        path: &str,
        body: &impl Canonical,
    ) -> Result<(), ClientError> {
        let content = Content { media: MEDIA_CBOR, bytes: body.to_canonical() };
        let answer = self.exchange(HttpMethod::Post, path, Some(&content), None).await?;
        done(path, checked(path, answer)?)
    }

    /// The request that opens the stream of hints.
    pub(crate) async fn hint_request(&mut self, path: &str) -> Result<HttpRequest, ClientError> {
        let token = self.access().await?;
        self.signed(HttpMethod::Get, path, None, Some(&token))
    }

    /// Sends with a token; a token that the server no longer takes is replaced once.
    async fn call(
        &mut self,
        method: HttpMethod,
        path: &str,
        content: Option<&Content>,
    ) -> Result<HttpResponse, ClientError> {
        let token = self.access().await?;
        let answer = self.exchange(method, path, content, Some(&token)).await?;
        if answer.status != 401 {
            return checked(path, answer);
        }
        self.session.drop_access();
        let token = self.access().await?;
        let answer = self.exchange(method, path, content, Some(&token)).await?;
        checked(path, answer)
    }

    /// Sends; when the server names another nonce than the proof carried, once more.
    async fn exchange(
        &mut self,
        method: HttpMethod,
        path: &str,
        content: Option<&Content>,
        token: Option<&str>,
    ) -> Result<HttpResponse, ClientError> {
        let used = self.session.nonce().map(str::to_owned);
        let request = self.signed(method, path, content, token)?;
        let answer = self.transport.send(self.server, request).await?;
        self.note_nonce(&answer);
        let wants_another = matches!(answer.status, 400 | 401) && self.session.nonce() != used.as_deref();
        if !wants_another {
            return Ok(answer);
        }
        let request = self.signed(method, path, content, token)?;
        let answer = self.transport.send(self.server, request).await?;
        self.note_nonce(&answer);
        Ok(answer)
    }

    fn note_nonce(&mut self, answer: &HttpResponse) {
        if let Some(nonce) = answer.header(DPOP_NONCE) {
            self.session.set_nonce(nonce, self.env.monotonic_ms());
        }
    }

    fn signed(
        &mut self,
        method: HttpMethod,
        path: &str,
        content: Option<&Content>,
        token: Option<&str>,
    ) -> Result<HttpRequest, ClientError> {
        let key: &dyn AuthSigner = self.keys.auth_signer().ok_or(ClientError::DeviceKeyFailed)?;
        let of = ProofOf {
            method: method.name(),
            origin: &self.server.origin,
            path,
            access_token: token,
            nonce: self.session.nonce(),
            at: self.session.server_now(self.env.monotonic_ms(), self.env.wall()),
        };
        let proof = proof(&of, key, self.env.rng())?;
        let mut headers = vec![(DPOP.to_owned(), proof)];
        if let Some(token) = token {
            headers.push(("authorization".to_owned(), format!("{AUTH_SCHEME} {token}")));
        }
        if let Some(content) = content {
            headers.push(("content-type".to_owned(), content.media.to_owned()));
        }
        let body = content.map(|content| content.bytes.clone()).unwrap_or_default();
        Ok(HttpRequest { method, path: path.to_owned(), headers, body })
    }

    /// A living access token: the one at hand, a renewed one, or a new one for the device's key.
    async fn access(&mut self) -> Result<Zeroizing<String>, ClientError> {
        let now_ms = self.env.monotonic_ms();
        if let Some(token) = self.session.fresh_access(now_ms) {
            return Ok(token);
        }
        let refresh = self.session.refresh().cloned();
        if let Some(refresh) = refresh {
            match self.token(&TokenRequest::Refresh(refresh)).await {
                Ok(token) => return Ok(token),
                // No answer: the old token serves until it ends.
                Err(ClientError::Transport(error)) => {
                    return self.session.living_access(now_ms).ok_or(ClientError::Transport(error));
                }
                // The family ended: the device proves its key anew.
                Err(_) => self.session.drop_refresh(),
            }
        }
        self.token(&TokenRequest::Device(self.device)).await
    }

    async fn token(&mut self, request: &TokenRequest) -> Result<Zeroizing<String>, ClientError> {
        let content = Content { media: MEDIA_FORM, bytes: request.to_form().into_bytes() };
        let answer = self.exchange(HttpMethod::Post, paths::TOKEN, Some(&content), None).await?;
        let answer = checked(paths::TOKEN, answer)?;
        let answer: TokenAnswer = serde_json::from_slice(&answer.body)
            .map_err(|_| ClientError::BadAnswer { path: paths::TOKEN.to_owned() })?;
        let now_ms = self.env.monotonic_ms();
        self.session.accept(&answer, now_ms);
        Ok(Zeroizing::new(answer.access_token.clone()))
    }
}

/// A read without a token, for devices that are not enrolled yet.
pub(crate) async fn get_anonymous<T: Transport>(
    transport: &T,
    server: &ServerAddress,
    path: &str,
) -> Result<Vec<u8>, ClientError> {
    let (method, headers, body) = (HttpMethod::Get, Vec::new(), Vec::new());
    let request = HttpRequest { method, path: path.to_owned(), headers, body };
    let answer = transport.send(server, request).await?;
    checked(path, answer).map(|answer| answer.body)
}

/// A write without a token, answered as [`Wire::post_done`] is.
pub(crate) async fn post_anonymous<T: Transport>(
    transport: &T,
    server: &ServerAddress,
    path: &str,
    body: Vec<u8>,
) -> Result<(), ClientError> {
    let headers = vec![("content-type".to_owned(), MEDIA_CBOR.to_owned())];
    let request = HttpRequest { method: HttpMethod::Post, path: path.to_owned(), headers, body };
    let answer = transport.send(server, request).await?;
    done(path, checked(path, answer)?)
}

/// Takes an answer that has no content as the word that something was done. A captive portal welcomes
/// everybody with a page, or with nothing at all: the server's own answers bear its nonce.
fn done(path: &str, answer: HttpResponse) -> Result<(), ClientError> {
    let of_the_server = answer.header(DPOP_NONCE).is_some() && answer.body.is_empty();
    if of_the_server { Ok(()) } else { Err(ClientError::BadAnswer { path: path.to_owned() }) }
}

/// Turns an error answer into its typed form.
fn checked(path: &str, answer: HttpResponse) -> Result<HttpResponse, ClientError> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let is_problem = answer.header("content-type").is_some_and(|media| media.starts_with(MEDIA_PROBLEM));
    let problem = is_problem.then(|| serde_json::from_slice::<Problem>(&answer.body).ok()).flatten();
    match problem {
        Some(problem) => Err(ClientError::Refused(Box::new(problem))),
        // A captive portal or a proxy answered, not Ward.
        None => Err(ClientError::BadAnswer { path: path.to_owned() }),
    }
}

/// Reads a canonical answer.
pub(crate) fn decode<R: Canonical>(path: &str, body: &[u8]) -> Result<R, ClientError> {
    R::from_canonical(body).map_err(|_| ClientError::BadAnswer { path: path.to_owned() })
}
