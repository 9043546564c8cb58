//! Sessions of devices, remembered for two seconds: a suspension reaches every request within
//! that time, and a busy device costs the database nothing.

use crate::limits::{SESSION_CACHE_MAX, SESSION_CACHE_MS};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use ward_id::{DeviceId, TimestampMs};
use ward_store::{DeviceSession, StoreError, TokenStore};

/// What was read lately.
#[derive(Default)]
pub(crate) struct SessionCache {
    read: Mutex<HashMap<DeviceId, (TimestampMs, DeviceSession)>>,
}

impl SessionCache {
    /// What holds for a device.
    pub(crate) async fn get<S: TokenStore>(
        &self,
        store: &S,
        device: DeviceId,
        now: TimestampMs,
    ) -> Result<DeviceSession, StoreError> {
        if let Some((at, session)) = self.lock().get(&device).copied()
            && (0..SESSION_CACHE_MS).contains(&now.since_ms(at))
        {
            let suspension = session.suspension.filter(|suspension| now < suspension.until);
            return Ok(DeviceSession { suspension, ..session });
        }
        let session = store.device_session(device, now).await?;
        let mut read = self.lock();
        if read.len() >= SESSION_CACHE_MAX {
            read.clear();
        }
        read.insert(device, (now, session));
        Ok(session)
    }

    /// Forgets a device, after a change made on this node.
    pub(crate) fn forget(&self, device: DeviceId) {
        self.lock().remove(&device);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceId, (TimestampMs, DeviceSession)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
