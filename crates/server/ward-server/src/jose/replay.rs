//! Proofs already seen (RFC 9449 §11.1). A proof is put here before the request acts; whoever
//! finds it here already is a replay.

use super::{KeyThumbprint, sha2_256};
use crate::limits::{DPOP_NONCE_LIFE_MS, REPLAY_EXTRA_MS, REPLAY_MAX_PROOFS, REPLAY_SLOT_MS};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use ward_id::TimestampMs;

/// Why a proof was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Seen before. Either an attacker repeats it, or the app must make a new one for each request.
    #[error("the proof was used before")]
    Replayed,
    /// No room to remember more; refusing is the safe side. It passes within minutes.
    #[error("too many proofs within the life of a nonce")]
    Full,
}

/// The proofs of the last minutes.
///
/// They are grouped by the minute of their nonce, so that a whole group is dropped at once and a
/// proof costs 16 bytes: at 5,000 requests a second that is about 30 MB.
#[derive(Default)]
pub struct ReplayCache {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    by_minute: BTreeMap<i64, HashSet<[u8; 16]>>,
    proofs: usize,
}

impl ReplayCache {
    /// Notes a proof whose nonce was issued at `nonce_at`, if it was not noted before.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn put_if_absent(
        &self,
        key: KeyThumbprint,
        jti: &str,
        nonce_at: TimestampMs,
        now: TimestampMs,
    ) -> Result<(), ReplayError> {
        let digest = sha2_256::digest(&[&key.0, jti.as_bytes()]);
        let name = digest.first_chunk::<16>().copied().unwrap_or_default();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.forget_before(now.plus_ms(-(DPOP_NONCE_LIFE_MS + REPLAY_EXTRA_MS)));
        if slots.proofs >= REPLAY_MAX_PROOFS {
            return Err(ReplayError::Full);
        }
        let slot = nonce_at.0.div_euclid(REPLAY_SLOT_MS);
        if !slots.by_minute.entry(slot).or_default().insert(name) {
            return Err(ReplayError::Replayed);
        }
        slots.proofs += 1;
        Ok(())
    }
}

impl Slots {
    /// Drops the slots that ended before `instant`.
    fn forget_before(&mut self, instant: TimestampMs) {
        let oldest_kept = instant.0.div_euclid(REPLAY_SLOT_MS);
        while let Some(first) = self.by_minute.first_entry() {
            if *first.key() >= oldest_kept {
                break;
            }
            self.proofs -= first.remove().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyThumbprint = KeyThumbprint([1; 32]);

    /// Red team 36: a replay inside the life of the nonce is refused at every age.
    #[test]
    fn rt_36_replay_is_refused_at_every_age() {
        let cache = ReplayCache::default();
        let start = TimestampMs(1_000_000);
        assert_eq!(cache.put_if_absent(KEY, "a", start, start), Ok(()));
        for age_s in [0, 1, 60, 119, 120, 179] {
            let now = start.plus_ms(age_s * 1_000);
            assert_eq!(cache.put_if_absent(KEY, "a", start, now), Err(ReplayError::Replayed), "{age_s} s");
        }
    }

    #[test]
    fn other_keys_and_other_proofs_are_others() {
        let cache = ReplayCache::default();
        let now = TimestampMs(0);
        assert_eq!(cache.put_if_absent(KEY, "a", now, now), Ok(()));
        assert_eq!(cache.put_if_absent(KEY, "b", now, now), Ok(()));
        assert_eq!(cache.put_if_absent(KeyThumbprint([2; 32]), "a", now, now), Ok(()));
    }

    #[test]
    fn old_proofs_are_forgotten_and_the_size_is_bounded() {
        let cache = ReplayCache::default();
        let start = TimestampMs(0);
        for i in 0..REPLAY_MAX_PROOFS {
            assert_eq!(cache.put_if_absent(KEY, &i.to_string(), start, start), Ok(()));
        }
        assert_eq!(cache.put_if_absent(KEY, "one more", start, start), Err(ReplayError::Full));
        let later = start.plus_ms(DPOP_NONCE_LIFE_MS + REPLAY_EXTRA_MS + REPLAY_SLOT_MS);
        assert_eq!(cache.put_if_absent(KEY, "one more", later, later), Ok(()));
    }
}
