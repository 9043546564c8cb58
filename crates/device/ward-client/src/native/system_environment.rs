//! The system's clocks and entropy.

use crate::Environment;
use getrandom::SysRng;
use rand_core::UnwrapErr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ward_id::TimestampMs;

/// The clocks and the entropy of the machine that this runs on.
pub struct SystemEnvironment {
    rng: UnwrapErr<SysRng>,
    boot_id: u64,
    started: std::time::Instant,
}

impl SystemEnvironment {
    /// Reads the boot id once.
    pub fn new() -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .ok()
            .and_then(|text| u64::from_str_radix(text.trim().get(..8)?, 16).ok());
        // Where the system names no boot, each start of the program counts as one: then a
        // monotonic time is never compared with that of another start.
        let boot_id = boot_id.unwrap_or_else(|| u64::from(std::process::id()));
        Self { rng: UnwrapErr(SysRng), boot_id, started: std::time::Instant::now() }
    }
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

/// Seconds since boot including sleep, where the system tells.
fn uptime_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let (whole, rest) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = rest.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(hundredths.checked_mul(10)?)
}

impl Environment for SystemEnvironment {
    type Rng = UnwrapErr<SysRng>;

    #[expect(clippy::disallowed_methods, reason = "this module is the device's clock")]
    fn wall(&self) -> TimestampMs {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        TimestampMs(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic_ms(&self) -> u64 {
        let since_start = || u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        uptime_ms().unwrap_or_else(since_start)
    }

    fn boot_id(&self) -> u64 {
        self.boot_id
    }

    fn zone(&self) -> String {
        jiff::tz::TimeZone::system().iana_name().unwrap_or("Etc/Unknown").to_owned()
    }

    fn rng(&mut self) -> &mut Self::Rng {
        &mut self.rng
    }

    async fn pause(&self, duration_ms: u64) {
        tokio::time::sleep(Duration::from_millis(duration_ms)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng as _;

    #[test]
    fn clocks_go_forwards_and_entropy_differs() {
        let mut system = SystemEnvironment::new();
        let (wall, mono) = (system.wall(), system.monotonic_ms());
        assert!(wall.0 > 1_700_000_000_000 && !system.zone().is_empty());
        assert!(system.monotonic_ms() >= mono);
        assert_eq!(system.boot_id(), SystemEnvironment::new().boot_id());
        assert_ne!(system.rng().next_u64(), system.rng().next_u64());
    }
}
