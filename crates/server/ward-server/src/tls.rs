//! TLS 1.3 and nothing older: certificates from PEM files, the hybrid key exchange first.

use crate::key_file::{KeyFileError, check_private};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use zeroize::Zeroizing;

/// A certificate or key that cannot be used. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key file cannot be read, or others may read it.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The certificate file cannot be read.
    #[error("the certificate file {path} holds no PEM certificate: {reason}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// The key file holds no PEM key.
    #[error("the key file {path} holds no PEM private key: {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },
    /// Key and certificate do not fit, or are of a kind that TLS 1.3 does not take.
    #[error("key and certificate cannot be used for TLS 1.3: {0}")]
    Unusable(rustls::Error),
}

/// Said of PEM that does not parse. What the parser says may quote the line that it fell over, and with it a key
/// that stands in one line.
const NOT_WELL_FORMED: &str = "it is not well formed, or there is none in it";

fn unfit_certificate(path: &Path, reason: &dyn fmt::Display) -> TlsError {
    TlsError::Certificate { path: path.to_owned(), reason: reason.to_string() }
}

fn unfit_key(path: &Path, reason: &dyn fmt::Display) -> TlsError {
    TlsError::Key { path: path.to_owned(), reason: reason.to_string() }
}

/// What a PEM file holds, under its name.
#[derive(Clone, Copy)]
pub struct PemText<'a> {
    /// The file.
    pub path: &'a Path,
    /// Its content.
    pub bytes: &'a [u8],
}

/// A server's certificate chain and key.
pub struct TlsIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl TlsIdentity {
    /// From PEM files; the key file must be its owner's alone.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_files(cert_file: &Path, key_file: &Path) -> Result<Self, TlsError> {
        check_private(key_file)?;
        let cert = std::fs::read(cert_file).map_err(|error| unfit_certificate(cert_file, &error))?;
        let key = std::fs::read(key_file).map(Zeroizing::new).map_err(|error| unfit_key(key_file, &error))?;
        Self::from_pem(PemText { path: cert_file, bytes: &cert }, PemText { path: key_file, bytes: &key })
    }

    /// From the content of PEM files; whoever read them made sure that nobody else may.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn from_pem(cert: PemText<'_>, key: PemText<'_>) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(cert.bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unfit_certificate(cert.path, &NOT_WELL_FORMED))?;
        if chain.is_empty() {
            return Err(unfit_certificate(cert.path, &"there is none in it"));
        }
        let key =
            PrivateKeyDer::from_pem_slice(key.bytes).map_err(|_| unfit_key(key.path, &NOT_WELL_FORMED))?;
        Ok(Self { chain, key })
    }

    /// From DER, as a certificate maker hands it over.
    pub const fn from_der(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self { chain, key }
    }

    /// SHA-256 over the key's SubjectPublicKeyInfo (RFC 7469 §2.4): the pin that tickets carry.
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn spki_pin(&self) -> Result<[u8; 32], TlsError> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(self.key.clone_key()).map_err(TlsError::Unusable)?;
        let missing = || TlsError::Unusable(rustls::Error::General("the key has no public half".to_owned()));
        let spki = key.public_key().ok_or_else(missing)?;
        Ok(crate::jose::sha2_256::digest(&[spki.as_ref()]))
    }

    /// The configuration of the listener: TLS 1.3 only, HTTP/2 before HTTP/1.1.
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn server_config(self) -> Result<Arc<ServerConfig>, TlsError> {
        ServedIdentity::new(self)?.server_config()
    }

    fn certified(self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        CertifiedKey::from_der(self.chain, self.key, provider).map(Arc::new).map_err(TlsError::Unusable)
    }
}

/// The identity that a listener shows. It can be exchanged while it is served: whoever connects from then on
/// sees the new one, and connections that are open go on.
#[derive(Clone)]
pub struct ServedIdentity(Arc<RwLock<Arc<CertifiedKey>>>);

impl ServedIdentity {
    /// Shows this identity first.
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn new(identity: TlsIdentity) -> Result<Self, TlsError> {
        let certified = identity.certified(&rustls::crypto::aws_lc_rs::default_provider())?;
        Ok(Self(Arc::new(RwLock::new(certified))))
    }

    /// Shows another identity from now on. One that cannot be used changes nothing.
    ///
    /// # Errors
    /// [`TlsError::Unusable`].
    pub fn exchange(&self, identity: TlsIdentity) -> Result<(), TlsError> {
        let certified = identity.certified(&rustls::crypto::aws_lc_rs::default_provider())?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Early data can be replayed by anybody on the path (RFC 8446 §8).
        config.max_early_data_size = 0;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for ServedIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

// A key has no way into a log.
impl fmt::Debug for ServedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServedIdentity")
    }
}
