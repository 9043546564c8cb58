//! Refresh families, session versions and suspensions.

use super::samples::{NOW, device};
use crate::limits::{REFRESH_KEPT_GENERATIONS, REFRESH_REPEAT_MS};
use crate::{
    DeviceSession, DeviceSuspension, FamilyId, KeyThumbprint, NewRefreshFamily, RefreshHash, RotateError,
    RotateRefresh, Rotation, Store, SuspensionOf,
};
use tokio::task::JoinSet;
use ward_api::SuspendReason;
use ward_id::TimestampMs;

const LIFE_MS: i64 = 3_600_000;

fn hash(n: u8) -> RefreshHash {
    RefreshHash::from_bytes([n; 32])
}

fn key(n: u8) -> KeyThumbprint {
    KeyThumbprint::from_bytes([n; 32])
}

fn family(n: u8, d: u8, first: u8) -> NewRefreshFamily {
    NewRefreshFamily {
        family: FamilyId::from_bytes([n; 16]),
        device: device(d),
        jkt: key(d),
        token_hash: hash(first),
        expires_at: NOW.plus_ms(LIFE_MS),
    }
}

fn rotate(from: u8, to: u8, d: u8, now: TimestampMs) -> RotateRefresh {
    RotateRefresh { token_hash: hash(from), successor_hash: hash(to), jkt: key(d), now }
}

/// Of 200 calls at once one rotates and all get the same successor.
pub async fn one_of_200_rotations_makes_the_successor<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let store = store.clone();
        tasks.spawn(async move { store.rotate_refresh(rotate(10, 11, 1, NOW)).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|a| matches!(a, Rotation::Rotated(_))).count(), 1);
    assert!(answers.iter().all(|a| a.successor().generation == 1 && a.successor().device == device(1)));
    let next = store.rotate_refresh(rotate(11, 12, 1, NOW)).await.unwrap();
    assert_eq!(next.successor().generation, 2);
}

/// A lost answer costs nothing for 15 seconds.
pub async fn a_repeat_by_the_same_key_gives_the_same_successor<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    let known = store.refresh_token(hash(10)).await.unwrap().unwrap();
    assert_eq!((known.family, known.device, known.jkt), (FamilyId::from_bytes([1; 16]), device(1), key(1)));
    assert_eq!((known.generation, known.expires_at), (0, NOW.plus_ms(LIFE_MS)));
    let first = store.rotate_refresh(rotate(10, 11, 1, NOW)).await.unwrap();
    let last_moment = NOW.plus_ms(REFRESH_REPEAT_MS);
    let again = store.rotate_refresh(rotate(10, 11, 1, last_moment)).await.unwrap();
    assert_eq!(again, Rotation::Repeated(first.successor()));
    assert_eq!(
        store.refresh_token(hash(10)).await.unwrap().map(|t| t.generation),
        Some(0),
        "a used one is still known"
    );
    assert_eq!(store.refresh_token(hash(11)).await.unwrap(), Some(first.successor()));
}

/// A used token that comes back late ends the whole family.
pub async fn late_reuse_ends_the_family<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    store.rotate_refresh(rotate(10, 11, 1, NOW)).await.unwrap();
    let late = NOW.plus_ms(REFRESH_REPEAT_MS + 1);
    let reused = store.rotate_refresh(rotate(10, 11, 1, late)).await;
    assert_eq!(reused, Err(RotateError::Reused { device: device(1) }));
    for n in [10, 11] {
        assert_eq!(store.refresh_token(hash(n)).await.unwrap(), None);
        assert_eq!(store.rotate_refresh(rotate(n, 12, 1, late)).await, Err(RotateError::Invalid));
    }
}

/// A line of tokens does not grow without end, and the newest used ones are still recognised.
pub async fn old_generations_are_forgotten<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 0)).await.unwrap();
    let last = u8::try_from(REFRESH_KEPT_GENERATIONS).unwrap() + 1;
    for n in 0..last {
        store.rotate_refresh(rotate(n, n + 1, 1, NOW)).await.unwrap();
    }
    for (n, known) in [(0, false), (1, false), (2, true), (last - 1, true), (last, true)] {
        assert_eq!(store.refresh_token(hash(n)).await.unwrap().is_some(), known, "generation {n}");
    }
    let late = NOW.plus_ms(REFRESH_REPEAT_MS + 1);
    assert_eq!(store.rotate_refresh(rotate(1, 99, 1, late)).await, Err(RotateError::Invalid));
    assert_eq!(
        store.rotate_refresh(rotate(2, 99, 1, late)).await,
        Err(RotateError::Reused { device: device(1) })
    );
}

/// A token in the hands of another key ends the family, used or not.
pub async fn another_key_ends_the_family<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    store.create_refresh_family(family(2, 2, 20)).await.unwrap();
    assert_eq!(
        store.rotate_refresh(rotate(10, 11, 9, NOW)).await,
        Err(RotateError::Reused { device: device(1) })
    );
    assert_eq!(store.rotate_refresh(rotate(10, 11, 1, NOW)).await, Err(RotateError::Invalid));
    store.rotate_refresh(rotate(20, 21, 2, NOW)).await.unwrap();
    assert_eq!(
        store.rotate_refresh(rotate(20, 21, 9, NOW)).await,
        Err(RotateError::Reused { device: device(2) })
    );
    assert_eq!(store.rotate_refresh(rotate(21, 22, 2, NOW)).await, Err(RotateError::Invalid));
}

/// A new proof of the device ends what it had before, and nobody else's.
pub async fn a_device_has_one_family<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    store.create_refresh_family(family(2, 2, 20)).await.unwrap();
    store.create_refresh_family(family(3, 1, 30)).await.unwrap();
    assert_eq!(store.refresh_token(hash(10)).await.unwrap(), None);
    assert!(store.refresh_token(hash(20)).await.unwrap().is_some());
    assert!(store.refresh_token(hash(30)).await.unwrap().is_some());
}

/// Ended by the device, by time, or forgotten.
pub async fn ended_and_expired_families_give_nothing<S: Store>(store: S) {
    for n in 1..=3 {
        store.create_refresh_family(family(n, n, n * 10)).await.unwrap();
    }
    store.end_sessions(device(1)).await.unwrap();
    assert_eq!(store.rotate_refresh(rotate(10, 11, 1, NOW)).await, Err(RotateError::Invalid));
    let end = NOW.plus_ms(LIFE_MS);
    store.rotate_refresh(rotate(20, 21, 2, end.plus_ms(-1))).await.unwrap();
    assert_eq!(store.rotate_refresh(rotate(21, 22, 2, end)).await, Err(RotateError::Invalid));
    assert_eq!(store.purge_refresh_families(end.plus_ms(-1)).await.unwrap(), 0);
    assert_eq!(store.purge_refresh_families(end).await.unwrap(), 2);
    assert_eq!(store.refresh_token(hash(30)).await.unwrap(), None);
    assert_eq!(store.rotate_refresh(rotate(99, 98, 1, NOW)).await, Err(RotateError::Invalid));
}

/// Ending a device's sessions ends its families and outdates its access tokens.
pub async fn ending_sessions_raises_the_version<S: Store>(store: S) {
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    assert_eq!(store.device_session(device(1), NOW).await.unwrap(), DeviceSession::default());
    assert_eq!(store.end_sessions(device(1)).await.unwrap(), 1);
    assert_eq!(store.end_sessions(device(1)).await.unwrap(), 2);
    assert_eq!(store.device_session(device(1), NOW).await.unwrap().session_version, 2);
    assert_eq!(store.device_session(device(2), NOW).await.unwrap().session_version, 0);
    assert_eq!(store.refresh_token(hash(10)).await.unwrap(), None);
}

/// A suspension touches no family and no version, and is over at its instant.
pub async fn suspension_ends_by_itself_or_is_lifted<S: Store>(store: S) {
    let until = NOW.plus_ms(1_000);
    let suspension = DeviceSuspension { until, reason: SuspendReason::Lost, by: Some(device(2)) };
    store.create_refresh_family(family(1, 1, 10)).await.unwrap();
    store.suspend_device(device(1), SuspensionOf::Site, suspension).await.unwrap();
    let session = |now| store.device_session(device(1), now);
    assert_eq!(session(until.plus_ms(-1)).await.unwrap(), DeviceSession::new(0, Some(suspension), None));
    assert_eq!(session(until).await.unwrap().suspension, None);
    let longer = DeviceSuspension { until: NOW.plus_ms(9_000), reason: SuspendReason::Containment, by: None };
    store.suspend_device(device(1), SuspensionOf::Site, longer).await.unwrap();
    assert_eq!(session(until).await.unwrap().suspension, Some(longer));
    assert!(store.lift_suspension(device(1), SuspensionOf::Site).await.unwrap());
    assert!(!store.lift_suspension(device(1), SuspensionOf::Site).await.unwrap());
    assert_eq!(session(NOW).await.unwrap(), DeviceSession::default());
    assert!(store.refresh_token(hash(10)).await.unwrap().is_some());
    store.end_sessions(device(1)).await.unwrap();
    store.suspend_device(device(1), SuspensionOf::Site, longer).await.unwrap();
    assert_eq!(session(NOW).await.unwrap().session_version, 1, "suspending keeps the version");
}

/// What staff set stands beside what the site set: the one that ends later counts, staff take back only their
/// own, and a word of the site replaces both.
pub async fn a_suspension_of_staff_stands_beside_that_of_the_site<S: Store>(store: S) {
    let set = |ms, by| DeviceSuspension { until: NOW.plus_ms(ms), reason: SuspendReason::Lost, by };
    let (short, long, other) =
        (set(1_000, Some(device(2))), set(9_000, Some(device(3))), set(2_000, Some(device(4))));
    let session = |ms| store.device_session(device(1), NOW.plus_ms(ms));
    store.suspend_device(device(1), SuspensionOf::Site, short).await.unwrap();
    store.suspend_device(device(1), SuspensionOf::Staff, long).await.unwrap();
    assert_eq!(session(0).await.unwrap(), DeviceSession::new(0, Some(short), Some(long)));
    assert_eq!(session(0).await.unwrap().suspension, Some(long));
    assert_eq!(session(1_000).await.unwrap(), DeviceSession::new(0, None, Some(long)));
    store.suspend_device(device(1), SuspensionOf::Staff, set(500, Some(device(3)))).await.unwrap();
    assert_eq!(session(0).await.unwrap().suspension, Some(short), "the site's lasts longer");
    assert!(store.lift_suspension(device(1), SuspensionOf::Staff).await.unwrap());
    assert!(!store.lift_suspension(device(1), SuspensionOf::Staff).await.unwrap());
    assert_eq!(session(0).await.unwrap(), DeviceSession::new(0, Some(short), None));
    store.suspend_device(device(1), SuspensionOf::Staff, long).await.unwrap();
    store.suspend_device(device(1), SuspensionOf::Site, other).await.unwrap();
    assert_eq!(session(0).await.unwrap(), DeviceSession::new(0, Some(other), None));
    store.suspend_device(device(1), SuspensionOf::Staff, long).await.unwrap();
    assert!(store.lift_suspension(device(1), SuspensionOf::Site).await.unwrap());
    assert_eq!(session(0).await.unwrap(), DeviceSession::default());
}
