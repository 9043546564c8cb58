//! From the site's manifest: which key signs the logs, and whose cosignatures count.

use crate::ClientError;
use ward_audit::{LogView, SignatureKind, VerifierKey, WitnessKey, WitnessPolicy};
use ward_crypto::SiteManifest;

fn unusable<E>(_: E) -> ClientError {
    ClientError::MlogRefused("the manifest's witnesses or log key cannot be used")
}

/// The key that signs the log with this origin.
pub(crate) fn log_key(manifest: &SiteManifest, origin: &str) -> Result<VerifierKey, ClientError> {
    let name = origin.parse().map_err(unusable)?;
    VerifierKey::new(name, SignatureKind::Log, manifest.log_key.as_bytes()).map_err(unusable)
}

/// The view of a log by what a manifest says of its key and witnesses: the one that is held, or a new one of
/// this origin.
pub(crate) fn view_under(
    manifest: &SiteManifest,
    held: Option<&LogView>,
    origin: &str,
) -> Result<LogView, ClientError> {
    let policy = witness_policy(manifest)?;
    let Some(held) = held else { return Ok(LogView::new(log_key(manifest, origin)?, policy)) };
    let mut view = held.clone();
    view.set_trust(log_key(manifest, held.origin().as_str())?, policy);
    Ok(view)
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
