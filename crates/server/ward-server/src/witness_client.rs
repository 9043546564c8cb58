//! How the server reaches its witnesses.

use crate::clock::Clock;
use crate::limits::{WITNESS_ANSWER_MAX_BYTES, WITNESS_TIMEOUT_MS};
use crate::witness_service::{WitnessService, WitnessServiceError};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use ward_api::paths;
use ward_audit::{AddCheckpoint, NoteSignature, SignedNote, SignerName, WitnessRefusal, WitnessTime};
use ward_id::Canonical as _;

/// A future that can be kept in a trait object.
pub type WitnessFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, WitnessClientError>> + Send + 'a>>;

/// Why a witness did not answer usably.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessClientError {
    /// It knows another size; the request is made again from there, unless the log went back.
    #[error("the witness knows {known_size} leaves")]
    Conflict {
        /// The size it knows.
        known_size: u64,
    },
    /// It refused; the log's operator must act.
    #[error("the witness refused with status {status}")]
    Refused {
        /// HTTP status.
        status: u16,
    },
    /// It could not be reached; whoever runs the witness or the network must act.
    #[error("the witness could not be reached")]
    Unreachable,
    /// Its answer is not one of the witness protocol; whoever runs it must act.
    #[error("the witness's answer cannot be read")]
    BadAnswer,
}

/// One witness as the server sees it.
pub trait WitnessClient: Send + Sync + 'static {
    /// Its name in the manifest.
    fn name(&self) -> &str;

    /// Asks for cosignatures (C2SP tlog-witness `add-checkpoint`).
    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>>;

    /// Asks for the newest checkpoint that it cosigned for a log; `None` if it has none to give.
    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>>;

    /// Asks for the time.
    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime>;
}

/// A witness whose key lives in the server's own process. It proves nothing to anybody who does
/// not trust the server, which is why a site made this way says `independent = false`.
pub struct InProcess {
    service: Arc<WitnessService>,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    /// Runs `service` in this process.
    pub fn new(service: Arc<WitnessService>, clock: Arc<dyn Clock>) -> Self {
        Self { service, clock }
    }
}

impl WitnessClient for InProcess {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        Box::pin(async move {
            let (service, now, text) = (Arc::clone(&self.service), self.clock.now(), request.to_string());
            let done = tokio::task::spawn_blocking(move || service.add_checkpoint(&text, now)).await;
            match done.map_err(|_| WitnessClientError::Unreachable)? {
                Ok(signature) => Ok(vec![signature]),
                Err(WitnessServiceError::Refused(refusal)) => Err(refused(&refusal)),
                Err(_) => Err(WitnessClientError::Refused { status: 500 }),
            }
        })
    }

    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        let cosigned = self.service.cosigned(origin);
        Box::pin(async move { cosigned.map_err(|_| WitnessClientError::Refused { status: 500 }) })
    }

    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        Box::pin(async move {
            self.service
                .sign_time(nonce, self.clock.now())
                .map_err(|_| WitnessClientError::Refused { status: 500 })
        })
    }
}

fn refused(refusal: &WitnessRefusal) -> WitnessClientError {
    match refusal {
        WitnessRefusal::Conflict { known_size } => WitnessClientError::Conflict { known_size: *known_size },
        other => WitnessClientError::Refused { status: other.http_status() },
    }
}

/// Where a witness runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessAddress {
    /// Its name in the manifest.
    pub name: String,
    /// Its address, such as `https://witness.example`.
    pub url: String,
    /// PEM file with the authority that issued its certificate; required for `https`. A witness
    /// proves itself by its own signatures: TLS only keeps others from reading along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// An address of a witness that cannot be used. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessAddressError {
    /// Not an address.
    #[error("the address of witness `{0}` is not http:// or https:// with a host")]
    Address(String),
    /// `https` without an authority to check the certificate by.
    #[error("witness `{0}` is reached over https: name its certificate authority in `ca_file`")]
    NoAuthority(String),
    /// The file of the authority holds no certificate.
    #[error("`ca_file` of witness `{0}` holds no usable PEM certificate")]
    Authority(String),
}

/// A witness service elsewhere.
pub struct HttpWitness {
    name: String,
    base: String,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl HttpWitness {
    /// Reaches the witness at `address`.
    ///
    /// # Errors
    /// [`WitnessAddressError`].
    pub fn new(address: &WitnessAddress) -> Result<Self, WitnessAddressError> {
        let wrong = || WitnessAddressError::Address(address.name.clone());
        let uri: http::Uri = address.url.parse().map_err(|_| wrong())?;
        let base = address.url.trim_end_matches('/').to_owned();
        let mut roots = rustls::RootCertStore::empty();
        match (uri.scheme_str(), &address.ca_file) {
            (Some("http"), _) => {}
            (Some("https"), Some(file)) => {
                let unusable = || WitnessAddressError::Authority(address.name.clone());
                for certificate in CertificateDer::pem_file_iter(file).map_err(|_| unusable())? {
                    roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
                }
                if roots.is_empty() {
                    return Err(unusable());
                }
            }
            (Some("https"), None) => return Err(WitnessAddressError::NoAuthority(address.name.clone())),
            _ => return Err(wrong()),
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| wrong())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { name: address.name.clone(), base, client })
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<(u16, Bytes), WitnessClientError> {
        let request = http::Request::post(format!("{}{path}", self.base)).body(Full::new(Bytes::from(body)));
        self.exchange(request.map_err(|_| WitnessClientError::Unreachable)?).await
    }

    async fn get(&self, path: &str) -> Result<(u16, Bytes), WitnessClientError> {
        let request = http::Request::get(format!("{}{path}", self.base)).body(Full::default());
        self.exchange(request.map_err(|_| WitnessClientError::Unreachable)?).await
    }

    async fn exchange(
        &self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<(u16, Bytes), WitnessClientError> {
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|_| WitnessClientError::Unreachable)?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), WITNESS_ANSWER_MAX_BYTES).collect().await;
            Ok((status, body.map_err(|_| WitnessClientError::BadAnswer)?.to_bytes()))
        };
        tokio::time::timeout(Duration::from_millis(WITNESS_TIMEOUT_MS), exchange)
            .await
            .map_err(|_| WitnessClientError::Unreachable)?
    }
}

impl WitnessClient for HttpWitness {
    fn name(&self) -> &str {
        &self.name
    }

    fn add_checkpoint<'a>(&'a self, request: &'a AddCheckpoint) -> WitnessFuture<'a, Vec<NoteSignature>> {
        Box::pin(async move {
            let (status, body) =
                self.post(paths::WITNESS_ADD_CHECKPOINT, request.to_string().into_bytes()).await?;
            let text = std::str::from_utf8(&body).map_err(|_| WitnessClientError::BadAnswer)?;
            match status {
                200 => text
                    .lines()
                    .map(|line| NoteSignature::from_line(line).map_err(|_| WitnessClientError::BadAnswer))
                    .collect(),
                409 => {
                    let known_size = text.trim_end().parse().map_err(|_| WitnessClientError::BadAnswer)?;
                    Err(WitnessClientError::Conflict { known_size })
                }
                status => Err(WitnessClientError::Refused { status }),
            }
        })
    }

    fn cosigned<'a>(&'a self, origin: &'a SignerName) -> WitnessFuture<'a, Option<SignedNote>> {
        Box::pin(async move {
            match self.get(&paths::witness_checkpoint(origin.as_str())).await? {
                (200, body) => {
                    let note = std::str::from_utf8(&body).ok().and_then(|text| text.parse().ok());
                    note.map(Some).ok_or(WitnessClientError::BadAnswer)
                }
                // It cosigned none, or is a witness that gives nothing back.
                (404 | 405, _) => Ok(None),
                (status, _) => Err(WitnessClientError::Refused { status }),
            }
        })
    }

    fn sign_time(&self, nonce: [u8; 32]) -> WitnessFuture<'_, WitnessTime> {
        Box::pin(async move {
            let body = ward_api::WitnessNonce(nonce).to_canonical();
            match self.post(paths::WITNESS_SIGN_TIME, body).await? {
                (200, body) => WitnessTime::from_canonical(&body).map_err(|_| WitnessClientError::BadAnswer),
                (status, _) => Err(WitnessClientError::Refused { status }),
            }
        })
    }
}
