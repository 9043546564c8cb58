//! Time and randomness come in from outside, so that tests run with a clock they turn by hand.

use std::sync::Arc;
use ward_id::TimestampMs;

/// What the server needs of a clock.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock: milliseconds since 1970. It stamps tokens, receipts and arrivals; no
    /// access to a chart ever hangs on it.
    fn now(&self) -> TimestampMs;

    /// Milliseconds since an arbitrary start, never going backwards. It measures durations.
    fn monotonic_ms(&self) -> u64;
}

/// What the server needs of a random generator.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when the system has none to give; the request is then refused.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// The system gave no randomness. The operator of the machine must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random generator failed")]
pub struct EntropyError;

/// The system's random generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        aws_lc_rs::rand::fill(out).map_err(|_| EntropyError)
    }
}

/// `N` random bytes.
///
/// # Errors
/// [`EntropyError`].
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut out = [0; N];
    entropy.fill(&mut out)?;
    Ok(out)
}

/// The injected clock as the rate limiter reads it.
#[derive(Clone)]
pub(crate) struct LimiterClock(pub(crate) Arc<dyn Clock>);

impl governor::clock::Clock for LimiterClock {
    type Instant = governor::nanos::Nanos;

    fn now(&self) -> Self::Instant {
        governor::nanos::Nanos::from(std::time::Duration::from_millis(self.0.monotonic_ms()))
    }
}
