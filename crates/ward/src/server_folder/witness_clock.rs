//! This machine's clock, compared with the time that the witnesses sign.

use crate::exit::Failure;
use ward_audit::{WitnessKey, WitnessPolicy, verify_witness_time};
use ward_crypto::{SiteManifest, random_bytes};
use ward_server::{Clock, HttpWitness, WitnessAddress, WitnessClient as _};

/// What the witnesses say about the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockView {
    /// This machine's clock minus the witnesses' time, seconds.
    Off {
        /// Positive: this machine is ahead.
        off_s: i64,
    },
    /// Too few answered.
    NoQuorum,
    /// All witnesses run on this machine: they cannot tell.
    SameMachine,
}

/// Asks the witnesses that run elsewhere.
///
/// # Errors
/// Witnesses of the manifest that make no policy.
pub async fn ask_clock(
    manifest: &SiteManifest,
    addresses: &[WitnessAddress],
    clock: &dyn Clock,
) -> Result<ClockView, Failure> {
    if addresses.is_empty() {
        return Ok(ClockView::SameMachine);
    }
    let nonce = random_bytes(&mut super::system_rng());
    let mut answers = Vec::new();
    for address in addresses {
        // A witness that cannot be asked is one answer less.
        if let Ok(witness) = HttpWitness::new(address) {
            answers.extend(witness.sign_time(nonce).await.ok());
        }
    }
    let now_s = clock.now().unix_s();
    let time = verify_witness_time(&nonce, &answers, &policy(manifest)?);
    Ok(match time.ok().and_then(|time_s| i64::try_from(time_s).ok()) {
        Some(time_s) => ClockView::Off { off_s: now_s.saturating_sub(time_s) },
        None => ClockView::NoQuorum,
    })
}

fn policy(manifest: &SiteManifest) -> Result<WitnessPolicy, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::input(
            "The witnesses of the site manifest cannot be used",
            error,
            "a new manifest must be signed by the root",
        )
    };
    let mut keys = Vec::new();
    for entry in &manifest.witnesses {
        let name = entry.name.parse().map_err(|error: ward_audit::NoteError| wrong(&error))?;
        keys.push(WitnessKey::new(name, entry.key.as_bytes(), entry.outside).map_err(|error| wrong(&error))?);
    }
    WitnessPolicy::new(keys, usize::from(manifest.quorum)).map_err(|error| wrong(&error))
}
