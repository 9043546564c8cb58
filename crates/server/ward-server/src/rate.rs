//! Request rates per device, person and address. Limits are per minute and may be used in a
//! burst, since a device that comes back from a week without a network has much to say.

use crate::client_address::address_prefix;
use crate::clock::{Clock, LimiterClock};
use crate::limits::RATE_SWEEP_EVERY;
use governor::clock::Reference;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use ward_api::Limits;
use ward_id::{DeviceId, PersonId};

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, LimiterClock, NoOpMiddleware<Nanos>>;

/// Too many requests: come back after this many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter {
    /// Whole seconds, at least one.
    pub seconds: u32,
}

/// The limiters of one server.
pub struct RateLimits {
    device: Keyed<DeviceId>,
    person: Keyed<PersonId>,
    address: Keyed<IpAddr>,
    anonymous: Keyed<IpAddr>,
    bytes: Keyed<DeviceId>,
    bytes_max: NonZeroU32,
    mlog: Keyed<DeviceId>,
    drops: Keyed<DeviceId>,
    clock: LimiterClock,
    requests: AtomicU64,
}

impl RateLimits {
    /// Limiters with the rates of `limits`.
    pub fn new(limits: &Limits, clock: Arc<dyn Clock>) -> Self {
        let clock = LimiterClock(clock);
        Self {
            device: keyed(limits.device_requests_per_min, &clock),
            person: keyed(limits.person_requests_per_min, &clock),
            address: keyed(limits.address_requests_per_min, &clock),
            anonymous: keyed(limits.address_anonymous_per_min, &clock),
            bytes: keyed(limits.device_bytes_per_min, &clock),
            bytes_max: at_least_one(limits.device_bytes_per_min),
            mlog: keyed(limits.device_mlog_appends_per_min, &clock),
            drops: keyed(limits.device_drops_per_min, &clock),
            clock,
            requests: AtomicU64::new(0),
        }
    }

    /// Counts a request from an address, before anything else is looked at.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_address(&self, address: IpAddr) -> Result<(), RetryAfter> {
        if self.requests.fetch_add(1, Ordering::Relaxed) % RATE_SWEEP_EVERY == RATE_SWEEP_EVERY - 1 {
            self.sweep();
        }
        self.check(&self.address, &address_prefix(address))
    }

    /// Counts a request that names no device: tickets and tokens are guessed here, if anywhere.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_anonymous(&self, address: IpAddr) -> Result<(), RetryAfter> {
        self.check(&self.anonymous, &address_prefix(address))
    }

    /// Counts a request of a device and of its person.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_device(&self, device: DeviceId, person: PersonId) -> Result<(), RetryAfter> {
        self.check(&self.device, &device)?;
        self.check(&self.person, &person)
    }

    /// Counts the bytes that a device sent. One request is never more than all of them.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_bytes(&self, device: DeviceId, bytes: usize) -> Result<(), RetryAfter> {
        let Some(bytes) = u32::try_from(bytes).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match self.bytes.check_key_n(&device, bytes.min(self.bytes_max)) {
            Ok(checked) => checked.map_err(|not_until| self.wait(&not_until)),
            // More than a whole minute's worth cannot be asked for.
            Err(_) => Ok(()),
        }
    }

    /// Counts a membership entry that a device sends: each is kept for ever, by everybody.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_mlog_append(&self, device: DeviceId) -> Result<(), RetryAfter> {
        self.check(&self.mlog, &device)
    }

    /// Counts the drops that a device hands over. One request is never more than all of them.
    ///
    /// # Errors
    /// [`RetryAfter`].
    pub fn check_drops(&self, device: DeviceId, count: usize) -> Result<(), RetryAfter> {
        let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match self.drops.check_key_n(&device, count) {
            Ok(checked) => checked.map_err(|not_until| self.wait(&not_until)),
            // A server that allows less in a minute than one request may hold takes it all the same.
            Err(_) => Ok(()),
        }
    }

    fn check<K: Hash + Eq + Clone>(&self, limiter: &Keyed<K>, key: &K) -> Result<(), RetryAfter> {
        limiter.check_key(key).map_err(|not_until| self.wait(&not_until))
    }

    fn wait(&self, not_until: &NotUntil<Nanos>) -> RetryAfter {
        let now = governor::clock::Clock::now(&self.clock);
        let wait: std::time::Duration = not_until.earliest_possible().duration_since(now).into();
        RetryAfter { seconds: u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1) }
    }

    /// Forgets callers that have been quiet.
    fn sweep(&self) {
        self.device.retain_recent();
        self.person.retain_recent();
        self.address.retain_recent();
        self.anonymous.retain_recent();
        self.bytes.retain_recent();
        self.mlog.retain_recent();
        self.drops.retain_recent();
    }
}

fn keyed<K: Hash + Eq + Clone>(per_min: u32, clock: &LimiterClock) -> Keyed<K> {
    let quota = Quota::per_minute(at_least_one(per_min));
    RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone())
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;
    use ward_id::TimestampMs;

    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now(&self) -> TimestampMs {
            TimestampMs(0)
        }
        fn monotonic_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn at_the_limit_and_one_past() {
        let clock = Arc::new(Hand::default());
        let limits = Limits { device_requests_per_min: 60, person_requests_per_min: 90, ..Limits::default() };
        let rates = RateLimits::new(&limits, clock.clone());
        let (one, two, person) =
            (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), PersonId::from_bytes([3; 16]));
        for _ in 0..60 {
            assert_eq!(rates.check_device(one, person), Ok(()));
        }
        assert_eq!(rates.check_device(one, person), Err(RetryAfter { seconds: 2 }));
        for _ in 0..30 {
            assert_eq!(rates.check_device(two, person), Ok(()), "another device of the person");
        }
        assert!(rates.check_device(two, person).is_err(), "the person's own limit");
        clock.0.store(2_000, Ordering::Relaxed);
        assert_eq!(rates.check_device(one, person), Ok(()));
    }

    #[test]
    fn bytes_and_membership_entries_have_rates_of_their_own() {
        let clock = Arc::new(Hand::default());
        let limits =
            Limits { device_bytes_per_min: 6_000, device_mlog_appends_per_min: 2, ..Limits::default() };
        let rates = RateLimits::new(&limits, clock.clone());
        let (one, two) = (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        assert_eq!(rates.check_bytes(one, 0), Ok(()));
        assert_eq!(rates.check_bytes(one, 5_000), Ok(()));
        assert_eq!(rates.check_bytes(one, 1_000), Ok(()), "at the limit");
        assert_eq!(rates.check_bytes(one, 100), Err(RetryAfter { seconds: 2 }), "one past");
        assert_eq!(rates.check_bytes(two, usize::MAX), Ok(()), "more than a number holds is not counted");
        assert_eq!(rates.check_bytes(two, 9_000), Ok(()), "a single one passes, and takes all");
        assert!(rates.check_bytes(two, 1).is_err());
        clock.0.store(2_000, Ordering::Relaxed);
        assert_eq!(rates.check_bytes(one, 100), Ok(()));
        assert!(rates.check_mlog_append(one).is_ok() && rates.check_mlog_append(one).is_ok());
        assert!(rates.check_mlog_append(one).is_err() && rates.check_mlog_append(two).is_ok());
        let drops = usize::try_from(Limits::default().device_drops_per_min).unwrap();
        assert_eq!(
            (rates.check_drops(one, 0), rates.check_drops(one, drops)),
            (Ok(()), Ok(())),
            "at the limit"
        );
        assert!(rates.check_drops(one, 1).is_err() && rates.check_drops(two, 1).is_ok(), "one past");
    }

    #[test]
    fn addresses_are_counted_apart_and_anonymous_ones_more_strictly() {
        let limits =
            Limits { address_requests_per_min: 5, address_anonymous_per_min: 2, ..Limits::default() };
        let rates = RateLimits::new(&limits, Arc::new(Hand::default()));
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let taken = |address, n: u32| (0..n).filter(|_| rates.check_address(address).is_ok()).count();
        assert_eq!(taken(a, 9), 5);
        assert_eq!(taken(b, 9), 5);
        assert!(rates.check_anonymous(a).is_ok() && rates.check_anonymous(a).is_ok());
        assert!(rates.check_anonymous(a).is_err());
    }
}
