//! Is what this device knows recent enough to seal under?
//!
//! "Now" is a time that witnesses signed for this boot's own nonce, carried on by the monotonic
//! clock and by newer cosignatures. The wall clock alone decides nothing; a jump of it only makes
//! the device ask the witnesses again.

use minicbor::{Decode, Encode};
use ward_id::TimestampMs;

/// The device's clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// Which boot of the machine (in a browser: which life of the page) it is.
    pub boot_id: u64,
    /// Milliseconds since then.
    pub monotonic_ms: u64,
    /// What the wall clock says.
    pub wall: TimestampMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Anchor {
    #[n(0)]
    time: TimestampMs,
    #[n(1)]
    boot_id: u64,
    #[n(2)]
    monotonic_ms: u64,
    #[n(3)]
    wall: TimestampMs,
}

impl Anchor {
    const fn at(time: TimestampMs, reading: ClockReading) -> Self {
        let ClockReading { boot_id, monotonic_ms, wall } = reading;
        Self { time, boot_id, monotonic_ms, wall }
    }

    /// Milliseconds since the anchor; `None` in another boot.
    fn elapsed_ms(&self, reading: ClockReading) -> Option<i64> {
        if reading.boot_id != self.boot_id {
            return None;
        }
        i64::try_from(reading.monotonic_ms.checked_sub(self.monotonic_ms)?).ok()
    }
}

/// The time that a device believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct TrustedTime {
    #[n(0)]
    anchor: Option<Anchor>,
}

/// Whether a head is recent enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It is, and this is the trusted time.
    Fresh {
        /// The trusted time.
        now: TimestampMs,
    },
    /// Nobody knows: the device was restarted or a clock jumped. Ask the witnesses with a nonce.
    NeedsWitnessTime,
    /// It is older than the site allows. Fetch a newer head.
    Stale {
        /// How old it is.
        age_ms: i64,
    },
}

impl TrustedTime {
    /// Nothing is believed yet.
    pub const fn new() -> Self {
        Self { anchor: None }
    }

    /// A quorum of witnesses signed this time for a nonce that the device made in this boot.
    pub const fn on_witness_time(&mut self, time: TimestampMs, reading: ClockReading) {
        self.anchor = Some(Anchor::at(time, reading));
    }

    /// A verified head bears this quorum time. It carries the trusted time on, never back, and
    /// cannot begin it: an old head would pass for a new one.
    pub fn on_cosigned_head(&mut self, attested_at: TimestampMs, reading: ClockReading, limit_ms: i64) {
        if self.now(reading, limit_ms).is_some_and(|now| attested_at > now) {
            self.anchor = Some(Anchor::at(attested_at, reading));
        }
    }

    /// The trusted time; `None` after a restart, or when the wall clock moved against the
    /// monotonic clock by more than the limit (the machine slept, or somebody set a clock).
    pub fn now(&self, reading: ClockReading, limit_ms: i64) -> Option<TimestampMs> {
        let anchor = self.anchor?;
        let elapsed_ms = anchor.elapsed_ms(reading)?;
        let drift_ms = reading.wall.since_ms(anchor.wall.plus_ms(elapsed_ms));
        (drift_ms.unsigned_abs() <= limit_ms.unsigned_abs()).then(|| anchor.time.plus_ms(elapsed_ms))
    }

    /// Whether a head with this quorum time is recent enough. A head of exactly the limit's age is.
    pub fn freshness(
        &self,
        head_attested_at: TimestampMs,
        reading: ClockReading,
        limit_ms: i64,
    ) -> Freshness {
        let Some(now) = self.now(reading, limit_ms) else { return Freshness::NeedsWitnessTime };
        let age_ms = now.since_ms(head_attested_at);
        if age_ms > limit_ms { Freshness::Stale { age_ms } } else { Freshness::Fresh { now } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT_MS: i64 = 72 * 3_600_000;
    const T0: TimestampMs = TimestampMs(1_790_000_000_000);

    fn reading(monotonic_ms: u64, wall_ms: i64) -> ClockReading {
        ClockReading { boot_id: 7, monotonic_ms, wall: T0.plus_ms(wall_ms) }
    }

    #[test]
    fn time_begins_with_the_witnesses_and_ends_with_the_boot() {
        let mut time = TrustedTime::new();
        time.on_cosigned_head(T0, reading(0, 0), LIMIT_MS);
        assert_eq!(time.freshness(T0, reading(0, 0), LIMIT_MS), Freshness::NeedsWitnessTime);
        time.on_witness_time(T0, reading(1_000, 0));
        let fresh = Freshness::Fresh { now: T0.plus_ms(5_000) };
        assert_eq!(time.freshness(T0, reading(6_000, 5_000), LIMIT_MS), fresh);
        let rebooted = ClockReading { boot_id: 8, ..reading(6_000, 5_000) };
        assert_eq!(time.freshness(T0, rebooted, LIMIT_MS), Freshness::NeedsWitnessTime);
    }

    #[test]
    fn at_the_limit_and_one_past() {
        let mut time = TrustedTime::new();
        time.on_witness_time(T0, reading(0, 0));
        let at = |ms: i64| time.freshness(T0, reading(ms.unsigned_abs(), ms), LIMIT_MS);
        assert_eq!(at(LIMIT_MS), Freshness::Fresh { now: T0.plus_ms(LIMIT_MS) });
        assert_eq!(at(LIMIT_MS + 1), Freshness::Stale { age_ms: LIMIT_MS + 1 });
    }

    #[test]
    fn a_wrong_wall_clock_works_and_a_jumping_one_asks_again() {
        let mut time = TrustedTime::new();
        let wrong_ms = -3 * 86_400_000;
        time.on_witness_time(T0, reading(0, wrong_ms));
        assert_eq!(time.now(reading(10, wrong_ms + 10), LIMIT_MS), Some(T0.plus_ms(10)));
        assert_eq!(time.now(reading(10, wrong_ms + 10 + LIMIT_MS), LIMIT_MS), Some(T0.plus_ms(10)));
        assert_eq!(time.now(reading(10, wrong_ms + 11 + LIMIT_MS), LIMIT_MS), None);
        assert_eq!(time.now(reading(10, wrong_ms + 9 - LIMIT_MS), LIMIT_MS), None);
    }

    #[test]
    fn a_newer_head_carries_the_time_on_and_an_older_one_does_not_move_it_back() {
        let mut time = TrustedTime::new();
        time.on_witness_time(T0, reading(0, 0));
        time.on_cosigned_head(T0.plus_ms(-9), reading(5, 5), LIMIT_MS);
        assert_eq!(time.now(reading(5, 5), LIMIT_MS), Some(T0.plus_ms(5)));
        time.on_cosigned_head(T0.plus_ms(500), reading(5, 5), LIMIT_MS);
        assert_eq!(time.now(reading(6, 6), LIMIT_MS), Some(T0.plus_ms(501)));
    }
}
