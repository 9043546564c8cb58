//! A self-made TLS key. Devices accept it by its hash from the ticket, so no authority is needed.

use crate::exit::Failure;
use rcgen::{CertificateParams, DnType, KeyPair};
use std::io::Write as _;
use std::path::Path;
use ward_server::TlsIdentity;
use zeroize::Zeroizing;

/// Writes a new certificate and key for a host; gives the pin that tickets will carry.
///
/// # Errors
/// A host that cannot stand in a certificate, and folders that cannot be written.
pub fn make_tls_files(cert_file: &Path, key_file: &Path, host: &str) -> Result<[u8; 32], Failure> {
    let failed = |error: rcgen::Error| {
        Failure::input(
            format!("No certificate can be made for `{host}`"),
            error,
            "give another host with --origin",
        )
    };
    let mut names = vec![host.trim_matches(['[', ']']).to_owned()];
    if host != "localhost" {
        names.push("localhost".to_owned());
    }
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, host);
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    let secret = Zeroizing::new(key.serialize_pem());
    let write = || -> std::io::Result<()> {
        super::create_private(key_file)?.write_all(secret.as_bytes())?;
        std::fs::File::create_new(cert_file)?.write_all(certificate.pem().as_bytes())
    };
    write().map_err(|error| {
        Failure::input("The certificate cannot be written", error, "check the folder's permissions")
    })?;
    pin_of(cert_file, key_file)
}

/// The pin of a certificate and key in files.
///
/// # Errors
/// Files that cannot be read, are exposed, or do not fit each other.
pub fn pin_of(cert_file: &Path, key_file: &Path) -> Result<[u8; 32], Failure> {
    let unusable = |error: ward_server::TlsError| {
        Failure::input(
            "The TLS certificate cannot be used",
            error,
            "put the files back that belong to this server",
        )
    };
    let identity = TlsIdentity::from_files(cert_file, key_file).map_err(unusable)?;
    let pin = identity.spki_pin().map_err(unusable)?;
    identity.server_config().map_err(unusable)?;
    Ok(pin)
}
