//! Refresh families, session versions and suspensions.

use crate::SqliteStore;
use crate::columns::{change, instant, int, one, single, uint};
use crate::fault::Fault;
use crate::sql;
use rusqlite::{Connection, params};
use ward_id::{DeviceId, TimestampMs};
use ward_store::limits::{REFRESH_KEPT_GENERATIONS, REFRESH_REPEAT_MS};
use ward_store::{
    DeviceSession, DeviceSuspension, FamilyId, KeyThumbprint, NewRefreshFamily, RefreshHash, RefreshToken,
    RotateError, RotateRefresh, Rotation, StoreError, SuspendReason, SuspensionOf, TokenStore,
};

type Found = (RefreshToken, Option<TimestampMs>);

fn find(conn: &Connection, hash: RefreshHash) -> Result<Option<Found>, Fault> {
    one(conn, sql::TOKEN, [hash.as_bytes()], |row| {
        let token = RefreshToken {
            family: FamilyId::from_bytes(row.get(0)?),
            device: DeviceId::from_bytes(row.get(1)?),
            jkt: KeyThumbprint::from_bytes(row.get(2)?),
            generation: uint(row, 3)?,
            expires_at: instant(row, 4)?,
        };
        Ok((token, row.get::<_, Option<i64>>(5)?.map(TimestampMs)))
    })
}

fn create(conn: &Connection, new: NewRefreshFamily) -> Result<(), Fault> {
    let (family, device) = (new.family.as_bytes(), new.device.as_bytes());
    change(conn, sql::FAMILIES_END_OF_DEVICE, [device])?;
    change(conn, sql::FAMILY_INSERT, params![family, device, new.jkt.as_bytes(), new.expires_at.0])?;
    change(conn, sql::TOKEN_INSERT, params![new.token_hash.as_bytes(), family, 0])?;
    Ok(())
}

/// One statement decides who rotates; the others read what it left.
fn rotate(conn: &Connection, rotate: RotateRefresh) -> Result<Result<Rotation, RotateError>, Fault> {
    let key = params![rotate.token_hash.as_bytes(), rotate.now.0, rotate.jkt.as_bytes()];
    let rotated = change(conn, sql::TOKEN_USE, key)? == 1;
    let Some((presented, used_at)) = find(conn, rotate.token_hash)? else {
        return Ok(Err(RotateError::Invalid));
    };
    if rotate.now >= presented.expires_at {
        return Ok(Err(RotateError::Invalid));
    }
    let successor = RefreshToken { generation: presented.generation + 1, ..presented };
    let family = presented.family.as_bytes();
    if rotated {
        let generation = int(successor.generation, "a line of refresh tokens")?;
        change(conn, sql::TOKEN_INSERT, params![rotate.successor_hash.as_bytes(), family, generation])?;
        if let Some(old) = successor.generation.checked_sub(REFRESH_KEPT_GENERATIONS) {
            change(conn, sql::TOKENS_FORGET, params![family, int(old, "a line of refresh tokens")?])?;
        }
        return Ok(Ok(Rotation::Rotated(successor)));
    }
    let same_key = presented.jkt == rotate.jkt;
    if same_key && used_at.is_some_and(|at| rotate.now.since_ms(at) <= REFRESH_REPEAT_MS) {
        return Ok(Ok(Rotation::Repeated(successor)));
    }
    change(conn, sql::FAMILY_END, [family])?;
    Ok(Err(RotateError::Reused { device: presented.device }))
}

/// Ends a device's families and raises its session version; part of a revocation too.
pub(crate) fn end_sessions(conn: &Connection, device: DeviceId) -> Result<u64, Fault> {
    change(conn, sql::FAMILIES_END_OF_DEVICE, [device.as_bytes()])?;
    single(conn, sql::SESSION_RAISE, [device.as_bytes()], |row| uint(row, 0))
}

fn session(conn: &Connection, device: DeviceId, now: TimestampMs) -> Result<DeviceSession, Fault> {
    let session_version =
        one(conn, sql::SESSION_VERSION, [device.as_bytes()], |row| uint(row, 0))?.unwrap_or(0);
    let floor = suspension(conn, sql::SUSPENSION, device, now)?;
    let by_staff = suspension(conn, sql::SUSPENSION_BY_STAFF, device, now)?;
    Ok(DeviceSession::new(session_version, floor, by_staff))
}

fn suspension(
    conn: &Connection,
    sql: &'static str,
    device: DeviceId,
    now: TimestampMs,
) -> Result<Option<DeviceSuspension>, Fault> {
    let found = one(conn, sql, params![device.as_bytes(), now.0], |row| {
        let by: Option<[u8; 16]> = row.get(2)?;
        Ok((instant(row, 0)?, row.get::<_, u8>(1)?, by.map(DeviceId::from_bytes)))
    })?;
    let Some((until, number, by)) = found else { return Ok(None) };
    let reason = SuspendReason::from_number(number);
    let reason = reason.ok_or_else(|| Fault::corrupt("a suspension has no known reason"))?;
    Ok(Some(DeviceSuspension { until, reason, by }))
}

fn suspend(
    conn: &Connection,
    device: DeviceId,
    standing: SuspensionOf,
    suspension: DeviceSuspension,
) -> Result<(), Fault> {
    let by = suspension.by.as_ref().map(DeviceId::as_bytes);
    let row = params![device.as_bytes(), suspension.until.0, suspension.reason.number(), by];
    match standing {
        SuspensionOf::Staff => change(conn, sql::SUSPENSION_BY_STAFF_PUT, row)?,
        SuspensionOf::Site => {
            change(conn, sql::SUSPENSION_BY_STAFF_LIFT, [device.as_bytes()])?;
            change(conn, sql::SUSPENSION_PUT, row)?
        }
    };
    Ok(())
}

fn lift(conn: &Connection, device: DeviceId, standing: SuspensionOf) -> Result<bool, Fault> {
    let by_staff = change(conn, sql::SUSPENSION_BY_STAFF_LIFT, [device.as_bytes()])?;
    let by_site = match standing {
        SuspensionOf::Staff => 0,
        SuspensionOf::Site => change(conn, sql::SUSPENSION_LIFT, [device.as_bytes()])?,
    };
    Ok(by_staff + by_site > 0)
}

impl TokenStore for SqliteStore {
    async fn create_refresh_family(&self, family: NewRefreshFamily) -> Result<(), StoreError> {
        self.inner.writer.write(0, move |conn| create(conn, family)).await
    }

    async fn refresh_token(&self, token_hash: RefreshHash) -> Result<Option<RefreshToken>, StoreError> {
        let found = self.inner.readers.read(move |conn| find(conn, token_hash)).await?;
        Ok(found.map(|(token, _)| token))
    }

    async fn rotate_refresh(&self, request: RotateRefresh) -> Result<Rotation, RotateError> {
        self.inner.writer.write(0, move |conn| rotate(conn, request)).await?
    }

    async fn end_sessions(&self, device: DeviceId) -> Result<u64, StoreError> {
        self.inner.writer.write(0, move |conn| end_sessions(conn, device)).await
    }

    async fn device_session(&self, device: DeviceId, now: TimestampMs) -> Result<DeviceSession, StoreError> {
        self.inner.readers.read(move |conn| session(conn, device, now)).await
    }

    async fn suspend_device(
        &self,
        device: DeviceId,
        standing: SuspensionOf,
        suspension: DeviceSuspension,
    ) -> Result<(), StoreError> {
        self.inner.writer.write(0, move |conn| suspend(conn, device, standing, suspension)).await
    }

    async fn lift_suspension(&self, device: DeviceId, standing: SuspensionOf) -> Result<bool, StoreError> {
        self.inner.writer.write(0, move |conn| lift(conn, device, standing)).await
    }

    async fn purge_refresh_families(&self, now: TimestampMs) -> Result<u64, StoreError> {
        let count =
            self.inner.writer.write(0, move |conn| change(conn, sql::FAMILIES_PURGE, [now.0])).await?;
        Ok(count as u64)
    }
}
