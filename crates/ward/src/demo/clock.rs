//! One clock for the whole demo: servers, witnesses and devices share it, and the story moves it
//! forward from two weeks ago to now. It never goes backwards.

use crate::server_folder::system_clock::SystemClock;
use rand_core::UnwrapErr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use ward_client::Environment;
use ward_id::TimestampMs;
use ward_server::Clock;

/// Distinct from any boot of the machine: times of the story and of the machine are not compared.
const STORY_BOOT_ID: u64 = 0x5354_4f52_5900_0001;

/// The clock of the story: the machine's clock, shifted.
#[derive(Clone)]
pub struct DemoClock {
    system: SystemClock,
    shift_ms: Arc<AtomicI64>,
    began_shift_ms: i64,
}

impl DemoClock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: TimestampMs) -> Self {
        let system = SystemClock::new();
        let shift = start.since_ms(system.now());
        Self { system, shift_ms: Arc::new(AtomicI64::new(shift)), began_shift_ms: shift }
    }

    /// Moves forward to `instant`; does nothing if it is past already.
    pub fn advance_to(&self, instant: TimestampMs) {
        let shift = instant.since_ms(self.system.now());
        self.shift_ms.fetch_max(shift, Ordering::SeqCst);
    }

    /// Moves forward to the machine's own time.
    pub fn catch_up(&self) {
        self.shift_ms.fetch_max(0, Ordering::SeqCst);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> TimestampMs {
        self.system.now().plus_ms(self.shift_ms.load(Ordering::SeqCst))
    }

    fn monotonic_ms(&self) -> u64 {
        let moved = self.shift_ms.load(Ordering::SeqCst).saturating_sub(self.began_shift_ms);
        self.system.monotonic_ms().saturating_add(u64::try_from(moved).unwrap_or(0))
    }
}

/// The environment of a device in the story.
pub struct DemoEnvironment {
    clock: DemoClock,
    rng: UnwrapErr<getrandom::SysRng>,
}

impl DemoEnvironment {
    /// The story's clock, and real randomness for keys.
    pub fn new(clock: &DemoClock) -> Self {
        Self { clock: clock.clone(), rng: UnwrapErr(getrandom::SysRng) }
    }
}

impl Environment for DemoEnvironment {
    type Rng = UnwrapErr<getrandom::SysRng>;

    fn wall(&self) -> TimestampMs {
        self.clock.now()
    }

    fn monotonic_ms(&self) -> u64 {
        self.clock.monotonic_ms()
    }

    fn boot_id(&self) -> u64 {
        STORY_BOOT_ID
    }

    fn zone(&self) -> String {
        "Etc/UTC".to_owned()
    }

    fn rng(&mut self) -> &mut Self::Rng {
        &mut self.rng
    }

    async fn pause(&self, duration_ms: u64) {
        tokio::time::sleep(Duration::from_millis(duration_ms)).await;
    }
}
