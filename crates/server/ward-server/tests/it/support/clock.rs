//! A clock that a test turns by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use ward_id::TimestampMs;
use ward_server::Clock;

/// Where the tests' time begins.
pub const T0: TimestampMs = TimestampMs(1_790_000_000_000);

pub struct HandClock(AtomicI64);

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicI64::new(T0.0))
    }
}

impl HandClock {
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> TimestampMs {
        TimestampMs(self.0.load(Ordering::Relaxed))
    }
    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::Relaxed) - T0.0).unwrap()
    }
}
