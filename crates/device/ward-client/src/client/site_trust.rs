//! From the site's manifest: which key signs the logs, and whose cosignatures count.

use crate::ClientError;
use ward_audit::{SignatureKind, VerifierKey, WitnessKey, WitnessPolicy};
use ward_crypto::SiteManifest;

fn unusable<E>(_: E) -> ClientError {
    ClientError::MlogRefused("the manifest's witnesses or log key cannot be used")
}

/// The key that signs the log with this origin.
pub(crate) fn log_key(manifest: &SiteManifest, origin: &str) -> Result<VerifierKey, ClientError> {
    let name = origin.parse().map_err(unusable)?;
    VerifierKey::new(name, SignatureKind::Log, manifest.log_key.as_bytes()).map_err(unusable)
}

/// Whose cosignatures count, and how many are needed.
pub(crate) fn witness_policy(manifest: &SiteManifest) -> Result<WitnessPolicy, ClientError> {
    let witness = |entry: &ward_crypto::WitnessEntry| {
        let name = entry.name.parse().map_err(unusable)?;
        WitnessKey::new(name, entry.key.as_bytes(), entry.outside).map_err(unusable)
    };
    let witnesses = manifest.witnesses.iter().map(witness).collect::<Result<_, _>>()?;
    WitnessPolicy::new(witnesses, usize::from(manifest.quorum)).map_err(unusable)
}
