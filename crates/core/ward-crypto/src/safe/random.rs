//! Randomness that survives a broken generator, and random ids.

use crate::hazmat::kdf;
use crate::labels;
use crate::limits::KEY_BYTES;
use core::convert::Infallible;
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use ward_id::{ChartId, DeviceId, Incarnation, PersonId, SiteId, StudyId, TeamId, TicketId};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// `N` random bytes; zeroise them yourself if they are secret.
pub fn random_bytes<const N: usize>(rng: &mut impl CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Random bytes that are wiped when dropped.
pub(crate) fn random_secret<const N: usize>(rng: &mut impl CryptoRng) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    rng.fill_bytes(bytes.as_mut_slice());
    bytes
}

/// Ids that are 16 random bytes.
pub trait RandomId: Sized {
    /// Wraps 16 fresh random bytes.
    fn from_random(bytes: [u8; 16]) -> Self;
}

macro_rules! random_ids {
    ($($name:ident),*) => {$(
        impl RandomId for $name {
            fn from_random(bytes: [u8; 16]) -> Self {
                Self::from_bytes(bytes)
            }
        }
    )*};
}
random_ids!(StudyId, SiteId, ChartId, DeviceId, PersonId, TeamId, TicketId);

/// A new random id.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let a: ward_id::ChartId = ward_crypto::random_id(&mut rng);
/// assert_ne!(a, ward_crypto::random_id(&mut rng));
/// ```
pub fn random_id<T: RandomId>(rng: &mut impl CryptoRng) -> T {
    T::from_random(random_bytes(rng))
}

/// A new life of a local store.
pub fn random_incarnation(rng: &mut impl CryptoRng) -> Incarnation {
    Incarnation(u64::from_be_bytes(random_bytes(rng)))
}

/// A secret of the device that is mixed into all long-lived randomness.
#[derive(ZeroizeOnDrop)]
pub struct HedgeKey([u8; KEY_BYTES]);

impl HedgeKey {
    /// Makes a new key. The generator must be sound this once.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random_bytes(rng))
    }

    /// Takes back a key that was stored under the device's own wrap.
    pub fn from_secret_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(*bytes)
    }

    pub(crate) fn secret_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// `HMAC-SHA256(key, parts)`.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        kdf::hmac_parts(&self.0, parts)
    }
}

/// A generator whose output is `HKDF(32 random bytes || HMAC(hedge key, context || counter))`.
///
/// If the generator inside fails (a constant, a cloned virtual machine), the output still differs
/// between contexts and cannot be guessed without the hedge key. Give a context that never
/// repeats on this device: the hash of what is being made, or an instant with a stored counter.
///
/// ```
/// use rand_core::Rng as _;
/// use ward_crypto::{HedgeKey, HedgedRng};
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// let key = HedgeKey::generate(&mut rng);
/// let mut hedged = HedgedRng::new(&mut rng, &key, b"site set-up, step 1");
/// assert_ne!(hedged.next_u64(), hedged.next_u64());
/// ```
pub struct HedgedRng<'k, R> {
    inner: R,
    key: &'k HedgeKey,
    context: [u8; 32],
    counter: u64,
}

impl<'k, R: CryptoRng> HedgedRng<'k, R> {
    /// Wraps a generator for one context.
    pub fn new(inner: R, key: &'k HedgeKey, context: &[u8]) -> Self {
        Self { inner, key, context: kdf::sha256_parts(&[context]), counter: 0 }
    }

    fn block(&mut self) -> Zeroizing<[u8; 32]> {
        let mut ikm = Zeroizing::new([0u8; 64]);
        let (random, hedge) = ikm.split_at_mut(32);
        self.inner.fill_bytes(random);
        let mac = Zeroizing::new(self.key.mac(&[&self.context, &self.counter.to_be_bytes()]));
        hedge.copy_from_slice(&*mac);
        self.counter = self.counter.wrapping_add(1);
        kdf::hkdf(&*ikm, b"", &[labels::HEDGE.as_bytes()])
    }
}

impl<R: CryptoRng> TryRng for HedgedRng<'_, R> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(32) {
            for (to, from) in chunk.iter_mut().zip(self.block().iter()) {
                *to = *from;
            }
        }
        Ok(())
    }
}

impl<R: CryptoRng> TryCryptoRng for HedgedRng<'_, R> {}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stuck;

    impl TryRng for Stuck {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(7)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(7)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
            dst.fill(7);
            Ok(())
        }
    }

    impl TryCryptoRng for Stuck {}

    #[test]
    fn a_stuck_generator_is_hedged_by_context_counter_and_key() {
        let key = HedgeKey::from_secret_bytes(&[1; 32]);
        let mut rng = HedgedRng::new(Stuck, &key, b"a");
        let first: [u8; 32] = random_bytes(&mut rng);
        let second: [u8; 32] = random_bytes(&mut rng);
        let other_context: [u8; 32] = random_bytes(&mut HedgedRng::new(Stuck, &key, b"b"));
        let other = HedgeKey::from_secret_bytes(&[2; 32]);
        let other_key: [u8; 32] = random_bytes(&mut HedgedRng::new(Stuck, &other, b"a"));
        let again: [u8; 32] = random_bytes(&mut HedgedRng::new(Stuck, &key, b"a"));
        let all = std::collections::BTreeSet::from([first, second, other_context, other_key]);
        assert_eq!(all.len(), 4);
        assert_eq!(again, first);
    }

    #[test]
    fn long_outputs_do_not_repeat_blocks() {
        let key = HedgeKey::from_secret_bytes(&[1; 32]);
        let bytes: [u8; 100] = random_bytes(&mut HedgedRng::new(Stuck, &key, b"a"));
        assert_ne!(bytes[..32], bytes[32..64]);
        assert_ne!(bytes[96..], [0; 4]);
    }
}
