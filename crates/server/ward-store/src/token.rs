//! Refresh families, session versions and suspensions. Tokens themselves never reach the store:
//! only their hashes do.

use crate::StoreError;
use std::fmt;
use std::future::Future;
use ward_api::SuspendReason;
use ward_id::{DeviceId, TimestampMs, hex_encode};

macro_rules! opaque_id {
    ($($(#[$doc:meta])* $name:ident[$len:literal];)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes the bytes.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Takes a slice if its length fits.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; $len]>::try_from(bytes).ok().map(Self)
            }

            /// The bytes.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex_encode(&self.0))
            }
        }
    )*};
}

opaque_id! {
    /// One session of one device: a line of refresh tokens, each the successor of the one before.
    FamilyId[16];
    /// SHA-256 of a refresh token.
    RefreshHash[32];
    /// SHA-256 thumbprint of the key that tokens are bound to (RFC 7638, `cnf.jkt`).
    KeyThumbprint[32];
}

/// The first token of a new family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRefreshFamily {
    /// Random.
    pub family: FamilyId,
    /// The device.
    pub device: DeviceId,
    /// The key that its tokens are bound to.
    pub jkt: KeyThumbprint,
    /// The hash of its first token (generation 0).
    pub token_hash: RefreshHash,
    /// The family ends here, however often it is refreshed.
    pub expires_at: TimestampMs,
}

/// A known refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its family.
    pub family: FamilyId,
    /// The device.
    pub device: DeviceId,
    /// The key it is bound to.
    pub jkt: KeyThumbprint,
    /// Which successor it is; the first is 0. Never changes: the successor's bytes follow from
    /// the family and this number, so that a repeat can be answered without keeping any token.
    pub generation: u64,
    /// The family ends here.
    pub expires_at: TimestampMs,
}

/// A rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotateRefresh {
    /// The hash of the presented token.
    pub token_hash: RefreshHash,
    /// The hash of the token of the next generation.
    pub successor_hash: RefreshHash,
    /// The key that the caller proved.
    pub jkt: KeyThumbprint,
    /// Now.
    pub now: TimestampMs,
}

/// A rotation that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The presented token is used up; the successor is valid.
    Rotated(RefreshToken),
    /// The same key repeated itself within [`crate::limits::REFRESH_REPEAT_MS`], for example after
    /// a lost answer; it gets the same successor.
    Repeated(RefreshToken),
}

impl Rotation {
    /// The successor: the token of the next generation.
    pub const fn successor(&self) -> RefreshToken {
        match self {
            Self::Rotated(token) | Self::Repeated(token) => *token,
        }
    }
}

/// A rotation that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// No such token, or its family has ended or run out. The app must prove its device anew.
    #[error("the refresh token is not valid")]
    Invalid,
    /// A used token came back late, or by another key: somebody else may have it. The family has
    /// ended. The person must be told.
    #[error("the refresh token was used before; its session has ended")]
    Reused {
        /// The device whose session ended.
        device: DeviceId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A suspension in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSuspension {
    /// It ends here.
    pub until: TimestampMs,
    /// Why.
    pub reason: SuspendReason,
    /// Who asked; `None` when the server did by itself.
    pub by: Option<DeviceId>,
}

/// Whose word a suspension is. Each has its own, and a device is suspended while either lasts: what staff
/// add to the word of an admin bears their name, and they take it back without touching the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspensionOf {
    /// An admin's, or the server's.
    Site,
    /// That of the staff of the device's chart.
    Staff,
}

/// What holds for a device's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceSession {
    /// Access tokens with a smaller number are not valid any more. 0 for a device never seen.
    pub session_version: u64,
    /// A suspension that has not ended at the instant of the question: of two, the one that ends later.
    pub suspension: Option<DeviceSuspension>,
    /// That of an admin or the server, if it has not ended: what staff do not shorten.
    pub floor: Option<DeviceSuspension>,
}

impl DeviceSession {
    /// From what the site set and what staff set, as far as it has not ended.
    pub fn new(
        session_version: u64,
        floor: Option<DeviceSuspension>,
        by_staff: Option<DeviceSuspension>,
    ) -> Self {
        // Of two that end together the site's is shown.
        let suspension = by_staff.into_iter().chain(floor).max_by_key(|one| one.until);
        Self { session_version, suspension, floor }
    }
}

/// Refresh families, session versions and suspensions.
pub trait TokenStore: Clone + Send + Sync + 'static {
    /// Begins a family. A device has one: earlier ones of it end.
    ///
    /// # Errors
    /// [`StoreError`].
    fn create_refresh_family(
        &self,
        family: NewRefreshFamily,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A token by its hash, used or not, if its family has not ended.
    ///
    /// # Errors
    /// [`StoreError`].
    fn refresh_token(
        &self,
        token_hash: RefreshHash,
    ) -> impl Future<Output = Result<Option<RefreshToken>, StoreError>> + Send;

    /// Uses a token and makes its successor valid, in one statement: of any number of calls one
    /// rotates, the others repeat. Any other reuse ends the family.
    ///
    /// # Errors
    /// [`RotateError`].
    fn rotate_refresh(
        &self,
        rotate: RotateRefresh,
    ) -> impl Future<Output = Result<Rotation, RotateError>> + Send;

    /// Ends all sessions of a device: its families, and, by a new session version, its access
    /// tokens. Gives that version.
    ///
    /// # Errors
    /// [`StoreError`].
    fn end_sessions(&self, device: DeviceId) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// What holds for a device at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn device_session(
        &self,
        device: DeviceId,
        now: TimestampMs,
    ) -> impl Future<Output = Result<DeviceSession, StoreError>> + Send;

    /// Suspends a device, or replaces its suspension of the same standing; one of the site replaces that of
    /// staff too.
    ///
    /// # Errors
    /// [`StoreError`].
    fn suspend_device(
        &self,
        device: DeviceId,
        standing: SuspensionOf,
        suspension: DeviceSuspension,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Lifts the suspension of staff, and for the site its own too; says whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lift_suspension(
        &self,
        device: DeviceId,
        standing: SuspensionOf,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Forgets families that have run out; says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge_refresh_families(
        &self,
        now: TimestampMs,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
