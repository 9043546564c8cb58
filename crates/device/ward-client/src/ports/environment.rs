//! Time and randomness. The SDK reads neither by itself.

use rand_core::CryptoRng;
use std::future::Future;
use ward_id::TimestampMs;

/// The device's clocks and its entropy.
pub trait Environment {
    /// The generator that [`Environment::rng`] lends out.
    type Rng: CryptoRng;

    /// The wall clock: a claim that is recorded and never trusted alone.
    fn wall(&self) -> TimestampMs;

    /// Milliseconds of a clock that only goes forwards and counts sleep.
    fn monotonic_ms(&self) -> u64;

    /// Names the present boot: monotonic times of two boots cannot be compared.
    fn boot_id(&self) -> u64;

    /// The time zone in which the person lives now, as an IANA name.
    fn zone(&self) -> String;

    /// Entropy fit for keys.
    fn rng(&mut self) -> &mut Self::Rng;

    /// Waits while the server gathers cosignatures; used by staff operations only.
    fn pause(&self, duration_ms: u64) -> impl Future<Output = ()>;
}
