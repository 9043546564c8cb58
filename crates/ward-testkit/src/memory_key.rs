//! A device key in memory: a secure element that forgets nothing, whatever happens to the store.

use rand_core::CryptoRng;
use std::sync::{Arc, Mutex, PoisonError};
use ward_client::{DeviceKeyError, DeviceKeyStore, HighWater};
use ward_crypto::{Lkek, WrappingKey};

/// Clones are the same secure element.
#[derive(Clone)]
pub struct MemoryKey {
    secret: [u8; 32],
    mark: Arc<Mutex<Option<HighWater>>>,
}

impl MemoryKey {
    /// A secure element.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        Self { secret: ward_crypto::random_bytes(rng), mark: Arc::default() }
    }

    /// A copy that goes its own way. Hardware does not allow it; tests of many futures need it.
    pub fn snapshot(&self) -> Self {
        let mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self { secret: self.secret, mark: Arc::new(Mutex::new(mark)) }
    }
}

impl DeviceKeyStore for MemoryKey {
    async fn wrap(&self, local_key: &Lkek, rng: &mut impl CryptoRng) -> Result<Vec<u8>, DeviceKeyError> {
        let wrapping = WrappingKey::from_secret_bytes(&self.secret);
        local_key.wrap(&wrapping, rng).map_err(|error| DeviceKeyError::Broken(error.to_string()))
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Lkek, DeviceKeyError> {
        let wrapping = WrappingKey::from_secret_bytes(&self.secret);
        Lkek::unwrap(&wrapping, wrapped).map_err(|_| DeviceKeyError::Mismatch)
    }

    async fn high_water(&self) -> Result<Option<HighWater>, DeviceKeyError> {
        Ok(self.mark.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn set_high_water(&self, mark: &HighWater) -> Result<(), DeviceKeyError> {
        *self.mark.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark.clone());
        Ok(())
    }
}
