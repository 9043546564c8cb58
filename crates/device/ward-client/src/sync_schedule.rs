//! When to meet the server next. A pure state machine: the caller tells it what happened and the
//! time of a monotonic clock, and asks how long to wait. No timer of its own, no I/O.
//!
//! A hint or a local write makes a meeting due at once. Whatever the stream of hints does, also when
//! it is silently dead, a meeting is due after the floor. After a failure the wait doubles, with
//! jitter, and ends by time: no write and no hint is needed to go on, and neither makes a device
//! knock more often at a server that is in trouble.

use crate::limits::{RETRY_BASE_MS, RETRY_MAX_MS, SYNC_FLOOR_JITTER_PERCENT, SYNC_FLOOR_MS, SYNC_SETTLE_MS};

/// What happened, as a caller tells the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSignal {
    /// The server hinted that something changed.
    Hint,
    /// Something was written on this device.
    LocalWrite,
    /// The network seems to be there again.
    Online,
    /// The network is gone: nothing is due by hint or write until it is back; the floor stays.
    Offline,
}

/// How a meeting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncEnd {
    /// Everything was sent, fetched and verified.
    Complete,
    /// Something waits or failed: try again after a while.
    TryAgain,
}

/// The schedule of one device.
#[derive(Debug, Clone)]
pub struct SyncSchedule {
    /// When the next meeting is due.
    due_at_ms: u64,
    /// Before this nothing is due: the server, or the way to it, failed.
    not_before_ms: u64,
    failures: u32,
    online: bool,
    running: bool,
    /// A hint or a write came while a meeting was under way.
    again: bool,
    seed: u64,
}

impl SyncSchedule {
    /// A schedule whose first meeting is due now. `seed` makes the jitter; devices must not have the
    /// same.
    pub const fn new(now_ms: u64, seed: u64) -> Self {
        Self {
            due_at_ms: now_ms,
            not_before_ms: 0,
            failures: 0,
            online: true,
            running: false,
            again: false,
            seed,
        }
    }

    /// Takes notice of something. What comes while the network is said to be gone is remembered by
    /// nothing but the store, which is enough: the next meeting sends all that waits.
    pub fn notice(&mut self, now_ms: u64, signal: SyncSignal) {
        match signal {
            SyncSignal::Offline => self.online = false,
            SyncSignal::Online => {
                // Only now: a network that comes and goes must not reset the wait each time.
                if !self.online {
                    self.due_at_ms = self.due_at_ms.min(now_ms);
                }
                self.online = true;
            }
            SyncSignal::Hint | SyncSignal::LocalWrite if self.running => self.again = true,
            SyncSignal::Hint => self.bring_forward(now_ms),
            // Writes that come one after the other go out together.
            SyncSignal::LocalWrite if self.online => {
                self.bring_forward(now_ms.saturating_add(SYNC_SETTLE_MS));
            }
            SyncSignal::LocalWrite => {}
        }
    }

    fn bring_forward(&mut self, at_ms: u64) {
        self.due_at_ms = self.due_at_ms.min(at_ms);
    }

    /// How long until the next meeting is due; 0 when it is. While one is under way, the floor.
    pub fn wait_ms(&self, now_ms: u64) -> u64 {
        if self.running {
            return SYNC_FLOOR_MS;
        }
        self.due_at_ms.max(self.not_before_ms).saturating_sub(now_ms)
    }

    /// Whether a meeting is due.
    pub fn is_due(&self, now_ms: u64) -> bool {
        !self.running && self.wait_ms(now_ms) == 0
    }

    /// A meeting begins.
    pub const fn begin(&mut self) {
        self.running = true;
        self.again = false;
    }

    /// A meeting ended.
    pub fn end(&mut self, now_ms: u64, end: SyncEnd) {
        self.running = false;
        match end {
            SyncEnd::Complete => {
                self.failures = 0;
                self.not_before_ms = now_ms;
                let wait = if self.again { SYNC_SETTLE_MS } else { self.floor_ms() };
                self.due_at_ms = now_ms.saturating_add(wait);
            }
            SyncEnd::TryAgain => {
                self.failures = self.failures.saturating_add(1);
                let full = RETRY_BASE_MS.saturating_mul(1 << self.failures.min(16)).min(RETRY_MAX_MS);
                let wait = full / 2 + self.jitter(full / 2 + 1);
                self.not_before_ms = now_ms.saturating_add(wait);
                self.due_at_ms = self.not_before_ms;
            }
        }
        self.again = false;
    }

    /// Failed meetings in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    fn floor_ms(&mut self) -> u64 {
        let spread = SYNC_FLOOR_MS / 100 * SYNC_FLOOR_JITTER_PERCENT;
        SYNC_FLOOR_MS - spread + self.jitter(2 * spread + 1)
    }

    /// A number below `below` (splitmix64, Steele and others 2014): spread, not secrecy.
    const fn jitter(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR_LEAST_MS: u64 = SYNC_FLOOR_MS - SYNC_FLOOR_MS / 100 * SYNC_FLOOR_JITTER_PERCENT;
    const FLOOR_MOST_MS: u64 = SYNC_FLOOR_MS + SYNC_FLOOR_MS / 100 * SYNC_FLOOR_JITTER_PERCENT;

    fn quiet(now_ms: u64) -> SyncSchedule {
        let mut schedule = SyncSchedule::new(now_ms, 7);
        assert!(schedule.is_due(now_ms));
        schedule.begin();
        schedule.end(now_ms, SyncEnd::Complete);
        schedule
    }

    #[test]
    fn without_any_signal_the_floor_comes() {
        for seed in 0..200 {
            let mut schedule = SyncSchedule::new(0, seed);
            schedule.begin();
            schedule.end(0, SyncEnd::Complete);
            let wait = schedule.wait_ms(0);
            assert!((FLOOR_LEAST_MS..=FLOOR_MOST_MS).contains(&wait), "{wait}");
            assert!(!schedule.is_due(wait - 1) && schedule.is_due(wait));
        }
    }

    #[test]
    fn a_hint_or_a_write_makes_a_meeting_due() {
        let mut schedule = quiet(1_000);
        schedule.notice(2_000, SyncSignal::Hint);
        assert!(schedule.is_due(2_000));
        let mut schedule = quiet(1_000);
        schedule.notice(2_000, SyncSignal::LocalWrite);
        schedule.notice(2_100, SyncSignal::LocalWrite);
        assert_eq!(schedule.wait_ms(2_000), SYNC_SETTLE_MS, "writes go out together");
        // One that comes meanwhile is not lost.
        schedule.begin();
        schedule.notice(2_500, SyncSignal::Hint);
        schedule.end(3_000, SyncEnd::Complete);
        assert_eq!(schedule.wait_ms(3_000), SYNC_SETTLE_MS);
    }

    #[test]
    fn offline_writes_wait_for_the_network_and_the_floor_stays() {
        let mut schedule = quiet(0);
        schedule.notice(10, SyncSignal::Offline);
        schedule.notice(20, SyncSignal::LocalWrite);
        assert!(schedule.wait_ms(20) >= FLOOR_LEAST_MS - 20);
        schedule.notice(30, SyncSignal::Online);
        assert!(schedule.is_due(30));
    }

    #[test]
    fn failures_back_off_and_end_by_time_alone() {
        let mut schedule = SyncSchedule::new(0, 3);
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..12 {
            schedule.begin();
            schedule.end(now, SyncEnd::TryAgain);
            // Nobody knocks more often because somebody writes or the stream hints.
            schedule.notice(now, SyncSignal::LocalWrite);
            schedule.notice(now, SyncSignal::Hint);
            let wait = schedule.wait_ms(now);
            assert!(wait > 0 && wait <= RETRY_MAX_MS);
            waits.push(wait);
            now += wait;
            assert!(schedule.is_due(now));
        }
        assert!(waits[0] <= 2 * RETRY_BASE_MS && waits[11] >= RETRY_MAX_MS / 2);
        schedule.begin();
        schedule.end(now, SyncEnd::Complete);
        assert_eq!(schedule.failures(), 0);
        assert!(schedule.wait_ms(now) >= FLOOR_LEAST_MS);
    }
}
