//! Refresh families, session versions and suspensions in memory.

use super::{Family, MemoryStore, State, Token};
use crate::limits::{REFRESH_KEPT_GENERATIONS, REFRESH_REPEAT_MS};
use crate::{
    DeviceSession, DeviceSuspension, FamilyId, NewRefreshFamily, RefreshHash, RefreshToken, RotateError,
    RotateRefresh, Rotation, StoreError, SuspensionOf, TokenStore,
};
use ward_id::{DeviceId, TimestampMs};

impl State {
    fn end_family(&mut self, family: FamilyId) -> bool {
        self.tokens.retain(|_, token| token.family != family);
        self.families.remove(&family).is_some()
    }

    fn end_families_of(&mut self, device: DeviceId) {
        let ended: Vec<FamilyId> =
            self.families.iter().filter(|(_, family)| family.device == device).map(|(id, _)| *id).collect();
        for family in ended {
            self.end_family(family);
        }
    }

    pub(super) fn end_sessions(&mut self, device: DeviceId) -> u64 {
        self.end_families_of(device);
        let version = self.session_versions.entry(device).or_default();
        *version += 1;
        *version
    }

    fn token(&self, hash: RefreshHash) -> Option<(RefreshToken, Option<TimestampMs>)> {
        let token = self.tokens.get(&hash)?;
        let family = self.families.get(&token.family)?;
        let found = RefreshToken {
            family: token.family,
            device: family.device,
            jkt: family.jkt,
            generation: token.generation,
            expires_at: family.expires_at,
        };
        Some((found, token.used_at))
    }
}

impl TokenStore for MemoryStore {
    async fn create_refresh_family(&self, family: NewRefreshFamily) -> Result<(), StoreError> {
        let mut state = self.write()?;
        state.end_families_of(family.device);
        let NewRefreshFamily { family: id, device, jkt, token_hash, expires_at } = family;
        state.families.insert(id, Family { device, jkt, expires_at });
        state.tokens.insert(token_hash, Token { family: id, generation: 0, used_at: None });
        Ok(())
    }

    async fn refresh_token(&self, token_hash: RefreshHash) -> Result<Option<RefreshToken>, StoreError> {
        Ok(self.read()?.token(token_hash).map(|(token, _)| token))
    }

    async fn rotate_refresh(&self, rotate: RotateRefresh) -> Result<Rotation, RotateError> {
        let mut state = self.write()?;
        let (presented, used_at) = state.token(rotate.token_hash).ok_or(RotateError::Invalid)?;
        if rotate.now >= presented.expires_at {
            return Err(RotateError::Invalid);
        }
        let successor = RefreshToken { generation: presented.generation + 1, ..presented };
        let same_key = presented.jkt == rotate.jkt;
        match used_at {
            None if same_key => {
                let next =
                    Token { family: successor.family, generation: successor.generation, used_at: None };
                state.tokens.insert(rotate.successor_hash, next);
                if let Some(token) = state.tokens.get_mut(&rotate.token_hash) {
                    token.used_at = Some(rotate.now);
                }
                if let Some(old) = successor.generation.checked_sub(REFRESH_KEPT_GENERATIONS) {
                    let family = successor.family;
                    state.tokens.retain(|_, token| token.family != family || token.generation > old);
                }
                Ok(Rotation::Rotated(successor))
            }
            Some(at) if same_key && rotate.now.since_ms(at) <= REFRESH_REPEAT_MS => {
                Ok(Rotation::Repeated(successor))
            }
            _ => {
                state.end_family(presented.family);
                Err(RotateError::Reused { device: presented.device })
            }
        }
    }

    async fn end_sessions(&self, device: DeviceId) -> Result<u64, StoreError> {
        Ok(self.write()?.end_sessions(device))
    }

    async fn device_session(&self, device: DeviceId, now: TimestampMs) -> Result<DeviceSession, StoreError> {
        let state = self.read()?;
        let session_version = state.session_versions.get(&device).copied().unwrap_or(0);
        let lasting = |of: Option<&DeviceSuspension>| of.copied().filter(|one| now < one.until);
        let by_staff = lasting(state.staff_suspensions.get(&device));
        Ok(DeviceSession::new(session_version, lasting(state.suspensions.get(&device)), by_staff))
    }

    async fn suspend_device(
        &self,
        device: DeviceId,
        standing: SuspensionOf,
        suspension: DeviceSuspension,
    ) -> Result<(), StoreError> {
        let mut state = self.write()?;
        match standing {
            SuspensionOf::Staff => state.staff_suspensions.insert(device, suspension),
            SuspensionOf::Site => {
                state.staff_suspensions.remove(&device);
                state.suspensions.insert(device, suspension)
            }
        };
        Ok(())
    }

    async fn lift_suspension(&self, device: DeviceId, standing: SuspensionOf) -> Result<bool, StoreError> {
        let mut state = self.write()?;
        let by_staff = state.staff_suspensions.remove(&device).is_some();
        let by_site = standing == SuspensionOf::Site && state.suspensions.remove(&device).is_some();
        Ok(by_staff || by_site)
    }

    async fn purge_refresh_families(&self, now: TimestampMs) -> Result<u64, StoreError> {
        let mut state = self.write()?;
        let ended: Vec<FamilyId> =
            state.families.iter().filter(|(_, family)| now >= family.expires_at).map(|(id, _)| *id).collect();
        for family in &ended {
            state.end_family(*family);
        }
        Ok(ended.len() as u64)
    }
}
