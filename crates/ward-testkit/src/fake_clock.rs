//! One clock for a whole site: it moves only when a test moves it.

use crate::SeededRng;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use ward_client::Environment;
use ward_id::TimestampMs;

/// 2026-03-02T08:00:00Z, a Monday.
pub const START: TimestampMs = TimestampMs(1_772_438_400_000);

/// True time, shared by server, witnesses and devices of a test.
#[derive(Clone, Debug)]
pub struct FakeClock {
    now_ms: Arc<AtomicI64>,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self { now_ms: Arc::new(AtomicI64::new(START.0)) }
    }
}

impl FakeClock {
    /// A clock that stands at an instant.
    pub fn at(now: TimestampMs) -> Self {
        Self { now_ms: Arc::new(AtomicI64::new(now.0)) }
    }

    /// The true time.
    pub fn now(&self) -> TimestampMs {
        TimestampMs(self.now_ms.load(Ordering::SeqCst))
    }

    /// Moves on.
    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves on by whole days.
    pub fn advance_days(&self, days: i64) {
        self.advance_ms(days * 86_400_000);
    }
}

/// A device's clocks and entropy: its wall clock can be wrong, its monotonic clock cannot.
pub struct FakeEnv {
    clock: FakeClock,
    rng: SeededRng,
    wall_offset_ms: Cell<i64>,
    boot_id: Cell<u64>,
    zone: RefCell<String>,
}

impl FakeEnv {
    /// Clocks and entropy of one device.
    pub fn new(clock: FakeClock, seed: u64, name: &str) -> Self {
        Self {
            clock,
            rng: SeededRng::new(seed, name),
            wall_offset_ms: Cell::new(0),
            boot_id: Cell::new(1),
            zone: RefCell::new("Europe/Berlin".to_owned()),
        }
    }

    /// Sets the wall clock wrong by this much.
    pub fn set_wall_offset_ms(&self, offset_ms: i64) {
        self.wall_offset_ms.set(offset_ms);
    }

    /// Takes the device to another zone.
    pub fn set_zone(&self, zone: &str) {
        zone.clone_into(&mut self.zone.borrow_mut());
    }

    /// Starts the device again: monotonic times before and after cannot be compared.
    pub fn reboot(&self) {
        self.boot_id.set(self.boot_id.get() + 1);
    }
}

impl Environment for FakeEnv {
    type Rng = SeededRng;

    fn wall(&self) -> TimestampMs {
        self.clock.now().plus_ms(self.wall_offset_ms.get())
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.clock.now().since_ms(START)).unwrap_or(0) + 1_000
    }

    fn boot_id(&self) -> u64 {
        self.boot_id.get()
    }

    fn zone(&self) -> String {
        self.zone.borrow().clone()
    }

    fn rng(&mut self) -> &mut SeededRng {
        &mut self.rng
    }

    async fn pause(&self, duration_ms: u64) {
        self.clock.advance_ms(i64::try_from(duration_ms).unwrap_or(0));
        tokio::task::yield_now().await;
    }
}
