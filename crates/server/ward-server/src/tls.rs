//! TLS 1.3 and nothing older: certificates from PEM files, the hybrid key exchange first.

use crate::key_file::{KeyFileError, check_private};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        let cert_error = |reason: String| TlsError::Certificate { path: cert_file.to_owned(), reason };
        let chain = CertificateDer::pem_file_iter(cert_file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| cert_error(error.to_string()))?;
        if chain.is_empty() {
            return Err(cert_error("there is none in it".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_file(key_file)
            .map_err(|error| TlsError::Key { path: key_file.to_owned(), reason: error.to_string() })?;
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
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Early data can be replayed by anybody on the path (RFC 8446 §8).
        config.max_early_data_size = 0;
        Ok(Arc::new(config))
    }
}
