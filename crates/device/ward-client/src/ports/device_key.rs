//! The key outside the store: it wraps the local key, and it remembers how far the store had
//! come, so that a store that was set back is noticed before it writes.

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use std::future::Future;
use ward_crypto::Lkek;
use ward_id::{ChartId, DeviceId, EntryId, Incarnation};

/// The newest entry of this device in one chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OwnHead {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// The life of the local store that wrote it.
    #[n(1)]
    pub incarnation: Incarnation,
    /// Its place in the chain.
    #[n(2)]
    pub seq: u64,
    /// Its name.
    #[n(3)]
    pub entry: EntryId,
}

/// How far the store had come when it was last seen in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct HighWater {
    /// The number of the last commit.
    #[n(0)]
    pub store_version: u64,
    /// The heads of this device's own chains.
    #[n(1)]
    pub own_heads: Vec<OwnHead>,
    /// The device whose chains they are; marks of earlier versions do not say it.
    #[n(2)]
    pub device: Option<DeviceId>,
}

impl HighWater {
    /// The mark of a device that has written nothing.
    pub fn of(device: DeviceId) -> Self {
        Self { device: Some(device), ..Self::default() }
    }

    /// The mark as it counts for a device: heads of another one say nothing about its chains.
    #[must_use]
    pub fn seen_by(mut self, device: DeviceId) -> Self {
        if self.device.is_some_and(|of| of != device) {
            self.own_heads.clear();
        }
        self.device = Some(device);
        self
    }
}

/// A device key that cannot be used. The person must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// The key is not on this device (a store that was copied without it).
    #[error("this device's key is missing; a copied store cannot be opened elsewhere")]
    Missing,
    /// Other accounts of this machine may read the key file.
    #[error("other accounts can read this device's key file; set its permissions to 0600")]
    Exposed,
    /// The wrapped key was not made by this device key, or was changed.
    #[error("the stored key does not belong to this device")]
    Mismatch,
    /// The key store cannot be read or written; the text names the cause.
    #[error("this device's key store cannot be used: {0}")]
    Broken(String),
}

/// Wraps the local key and keeps the high-water mark. Implementations: a file readable by its
/// owner only ([`crate::native::SoftwareDeviceKey`]); TPM, Secure Enclave and passkeys fit behind
/// the same five calls.
pub trait DeviceKeyStore {
    /// Wraps the local key for storage beside the rows.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    fn wrap(
        &self,
        local_key: &Lkek,
        rng: &mut impl CryptoRng,
    ) -> impl Future<Output = Result<Vec<u8>, DeviceKeyError>>;

    /// Opens a wrapped local key.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    fn unwrap(&self, wrapped: &[u8]) -> impl Future<Output = Result<Lkek, DeviceKeyError>>;

    /// The mark, if one was ever set.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    fn high_water(&self) -> impl Future<Output = Result<Option<HighWater>, DeviceKeyError>>;

    /// Replaces the mark; durable when it returns.
    ///
    /// # Errors
    /// [`DeviceKeyError`].
    fn set_high_water(&self, mark: &HighWater) -> impl Future<Output = Result<(), DeviceKeyError>>;

    /// Destroys the secret that wraps, and then the mark. When this returns, nothing that was wrapped
    /// can be opened again; where there is nothing left, it is no error.
    ///
    /// # Errors
    /// [`DeviceKeyError`]; then either may still be there.
    fn destroy(&self) -> impl Future<Output = Result<(), DeviceKeyError>>;
}
