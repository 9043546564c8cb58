//! The offline lease: how long a device that does not meet its server still opens. Its end locks and
//! never deletes anything; entering works as ever on a patient's device.

use crate::freshness::ClockReading;
use crate::limits::{LEASE_PATIENT_MS, LEASE_STAFF_MS};
use minicbor::{Decode, Encode};
use ward_crypto::Role;
use ward_id::TimestampMs;

/// The device's clocks when the server last answered it as itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct OnlineMark {
    #[n(0)]
    boot_id: u64,
    #[n(1)]
    monotonic_ms: u64,
    #[n(2)]
    wall: TimestampMs,
}

impl OnlineMark {
    /// The server answered now.
    pub const fn at(reading: ClockReading) -> Self {
        let ClockReading { boot_id, monotonic_ms, wall } = reading;
        Self { boot_id, monotonic_ms, wall }
    }

    /// How long ago it was. Within one boot the longer of both clocks counts, so that neither can be
    /// held back; in another boot only the wall clock is left. `None` if a clock runs backwards.
    fn elapsed_ms(&self, now: ClockReading) -> Option<i64> {
        let wall_ms = now.wall.since_ms(self.wall);
        if now.boot_id != self.boot_id {
            return Some(wall_ms).filter(|ms| *ms >= 0);
        }
        let since_ms = now.monotonic_ms.checked_sub(self.monotonic_ms)?;
        Some(i64::try_from(since_ms).unwrap_or(i64::MAX).max(wall_ms))
    }
}

/// How far a device opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// Everything.
    Open,
    /// Entering works as ever; the history waits until the server was met.
    CaptureOnly,
    /// Nothing until the server was met.
    Locked,
}

/// How far a device opens now. A device that never met its server under this rule opens: it has
/// nothing yet that the lease could protect.
pub fn lease(role: Role, last: Option<&OnlineMark>, now: ClockReading) -> Lease {
    let (limit_ms, ended) = match role {
        Role::Patient => (LEASE_PATIENT_MS, Lease::CaptureOnly),
        _ => (LEASE_STAFF_MS, Lease::Locked),
    };
    match last.map(|mark| mark.elapsed_ms(now)) {
        None => Lease::Open,
        Some(Some(elapsed_ms)) if elapsed_ms <= limit_ms => Lease::Open,
        Some(_) => ended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn reading(boot_id: u64, monotonic_ms: i64, wall: i64) -> ClockReading {
        ClockReading { boot_id, monotonic_ms: u64::try_from(monotonic_ms).unwrap(), wall: TimestampMs(wall) }
    }

    #[test]
    fn at_the_limit_and_one_past() {
        let mark = OnlineMark::at(reading(1, 5, 1_000));
        for (role, limit_ms, ended) in [
            (Role::Patient, LEASE_PATIENT_MS, Lease::CaptureOnly),
            (Role::Clinician, LEASE_STAFF_MS, Lease::Locked),
            (Role::Admin, LEASE_STAFF_MS, Lease::Locked),
        ] {
            let after = |boot, ms| lease(role, Some(&mark), reading(boot, 5 + ms, 1_000 + ms));
            for boot in [1, 2] {
                assert_eq!(after(boot, limit_ms), Lease::Open, "{role:?}");
                assert_eq!(after(boot, limit_ms + 1), ended, "{role:?}");
            }
        }
    }

    #[test]
    fn no_single_clock_can_be_held_back() {
        let mark = OnlineMark::at(reading(1, 0, 100 * DAY_MS));
        let at = |boot, monotonic, wall| lease(Role::Patient, Some(&mark), reading(boot, monotonic, wall));
        assert_eq!(at(1, 4 * DAY_MS, 100 * DAY_MS), Lease::CaptureOnly, "the wall clock stands still");
        assert_eq!(at(1, 0, 104 * DAY_MS), Lease::CaptureOnly, "the other clock stands still");
        assert_eq!(at(2, 0, 99 * DAY_MS), Lease::CaptureOnly, "set back over a restart");
        assert_eq!(at(1, DAY_MS, 50 * DAY_MS), Lease::Open, "a corrected wall clock alone locks nobody");
        assert_eq!(lease(Role::Patient, None, reading(1, 0, 0)), Lease::Open);
    }
}
