//! The first entries of a site, written by `ward init` into an empty store.

use crate::app::ROOT_POLICY;
use ward_crypto::RootPolicy;
use ward_id::{Canonical as _, TimestampMs};
use ward_store::{MlogAppend, MlogAppendError, Store, StoreError};
use ward_sync::{Effect, Membership, MlogEntry, MlogError, Scope, VoidReason};

/// A site that was not begun. Whoever runs `ward init` must act.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The store holds a site already.
    #[error("the store holds a site already: choose an empty folder")]
    AlreadyBegun,
    /// One of the first entries is no entry.
    #[error("entry {index} cannot be read: {source}")]
    Entry {
        /// Which.
        index: u64,
        /// Why.
        source: MlogError,
    },
    /// One of the first entries would have no effect.
    #[error("entry {index} would be void: {reason}")]
    Void {
        /// Which.
        index: u64,
        /// Why.
        reason: VoidReason,
    },
    /// The entries do not say who runs the site.
    #[error("the first entries hold no site manifest")]
    NoManifest,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Begins a site: keeps the root policy and appends the first membership entries (manifest,
/// admins) after checking that each would be effective. A repeat after a broken-off run goes on
/// where that one stopped.
///
/// # Errors
/// [`BootstrapError`].
pub async fn bootstrap_site<S: Store>(
    store: &S,
    root: &RootPolicy,
    entries: &[Vec<u8>],
    now: TimestampMs,
) -> Result<(), BootstrapError> {
    let mut membership = Membership::new(root.clone(), Scope::All);
    let mut read = Vec::with_capacity(entries.len());
    for (index, bytes) in (0..).zip(entries) {
        let entry = MlogEntry::read(bytes).map_err(|source| BootstrapError::Entry { index, source })?;
        // The log has just been created in this process: its order is the order given.
        match membership.apply(index, &entry) {
            Ok(Effect::Effective) => read.push(entry),
            Ok(Effect::Void(reason)) => return Err(BootstrapError::Void { index, reason }),
            Ok(Effect::AwaitsPackage(_) | Effect::Foreign) | Err(_) => {
                return Err(BootstrapError::Void { index, reason: VoidReason::PackageMissing });
            }
        }
    }
    if membership.manifest().is_none() {
        return Err(BootstrapError::NoManifest);
    }
    let policy = root.to_canonical();
    if !store.create_meta(ROOT_POLICY, policy.clone()).await?
        && store.meta(ROOT_POLICY).await? != Some(policy)
    {
        return Err(BootstrapError::AlreadyBegun);
    }
    for (index, (entry, bytes)) in (0..).zip(read.iter().zip(entries)) {
        let append = MlogAppend {
            expected_size: index,
            subject: entry.subject(),
            entry_hash: entry.hash(),
            bytes: bytes.clone(),
            package: None,
            ended_devices: Vec::new(),
            received_at: now,
        };
        store.append_mlog(append).await.map_err(|error| match error {
            MlogAppendError::Store(error) => BootstrapError::Store(error),
            MlogAppendError::Moved { .. } | MlogAppendError::EpochTaken { .. } => {
                BootstrapError::AlreadyBegun
            }
        })?;
    }
    Ok(())
}
