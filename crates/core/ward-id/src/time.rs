//! Instants. The core never reads a clock: instants come in as arguments.

use minicbor::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z, as some clock claimed.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct TimestampMs(#[n(0)] pub i64);

impl TimestampMs {
    /// The instant `ms` later; saturates at the ends of the range.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The UTC day, counted from 1970-01-01.
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }
}
