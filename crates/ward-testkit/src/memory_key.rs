//! A device key in memory: a secure element that forgets nothing, whatever happens to the store.

use rand_core::CryptoRng;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ward_client::{DeviceKeyError, DeviceKeyStore, HighWater};
use ward_crypto::{Lkek, WrappingKey};

/// Clones are the same secure element.
#[derive(Clone)]
pub struct MemoryKey {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    secret: Option<[u8; 32]>,
    mark: Option<HighWater>,
    calls: u64,
    cut: Option<(u64, Cut)>,
}

/// When the power goes during a call that changes the secure element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before it changed anything.
    Before,
    /// After it changed what it should, before it said so.
    After,
}

impl MemoryKey {
    /// A secure element.
    pub fn new(rng: &mut impl CryptoRng) -> Self {
        let inner = Inner { secret: Some(ward_crypto::random_bytes(rng)), mark: None, calls: 0, cut: None };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the power go during the `k`-th changing call from now, counted from 1.
    pub fn cut_at(&self, k: u64, cut: Cut) {
        let mut inner = self.lock();
        inner.cut = Some((inner.calls + k, cut));
    }

    /// The power is back.
    pub fn heal(&self) {
        self.lock().cut = None;
    }

    /// Changing calls so far.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// Whether the secret is gone.
    pub fn is_destroyed(&self) -> bool {
        self.lock().secret.is_none()
    }

    /// Changes something, unless the power goes first.
    fn change(&self, change: impl FnOnce(&mut Inner)) -> Result<(), DeviceKeyError> {
        let mut inner = self.lock();
        inner.calls += 1;
        let cut = inner.cut.filter(|(at, _)| inner.calls >= *at).map(|(_, cut)| cut);
        let gone = || Err(DeviceKeyError::Broken("the test cut the power".to_owned()));
        match cut {
            Some(Cut::Before) => gone(),
            Some(Cut::After) => {
                change(&mut inner);
                gone()
            }
            None => {
                change(&mut inner);
                Ok(())
            }
        }
    }

    fn wrapping(&self) -> Result<WrappingKey, DeviceKeyError> {
        self.lock()
            .secret
            .map(|secret| WrappingKey::from_secret_bytes(&secret))
            .ok_or(DeviceKeyError::Missing)
    }

    /// A copy that goes its own way. Hardware does not allow it; tests of many futures need it.
    pub fn snapshot(&self) -> Self {
        let (secret, mark) = {
            let inner = self.lock();
            (inner.secret, inner.mark.clone())
        };
        Self { inner: Arc::new(Mutex::new(Inner { secret, mark, calls: 0, cut: None })) }
    }
}

impl DeviceKeyStore for MemoryKey {
    async fn wrap(&self, local_key: &Lkek, rng: &mut impl CryptoRng) -> Result<Vec<u8>, DeviceKeyError> {
        // A secure element that was wiped makes a new secret when it is first used again.
        if self.lock().secret.is_none() {
            let secret = ward_crypto::random_bytes(rng);
            self.change(|inner| inner.secret = Some(secret))?;
        }
        local_key.wrap(&self.wrapping()?, rng).map_err(|error| DeviceKeyError::Broken(error.to_string()))
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Lkek, DeviceKeyError> {
        Lkek::unwrap(&self.wrapping()?, wrapped).map_err(|_| DeviceKeyError::Mismatch)
    }

    async fn high_water(&self) -> Result<Option<HighWater>, DeviceKeyError> {
        Ok(self.lock().mark.clone())
    }

    async fn set_high_water(&self, mark: &HighWater) -> Result<(), DeviceKeyError> {
        self.change(|inner| inner.mark = Some(mark.clone()))
    }

    async fn destroy(&self) -> Result<(), DeviceKeyError> {
        self.change(|inner| (inner.secret, inner.mark) = (None, None))
    }
}
