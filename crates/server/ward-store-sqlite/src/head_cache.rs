//! The newest entries of chains that were appended to lately. Every push asks for one before it is
//! checked; answering from memory saves a read on another thread.
//!
//! Only committed heads come here, and a chain never goes back, so what stands here is what the
//! database holds: this store is the only writer of its file.

use crate::limits::HEADS_REMEMBERED_MAX;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use ward_id::{ChartId, DeviceId, Head, Incarnation};

/// Which chain.
pub(crate) type ChainName = (ChartId, DeviceId, Incarnation);

/// Heads by chain.
#[derive(Default)]
pub(crate) struct HeadCache {
    heads: Mutex<HashMap<ChainName, Head>>,
}

impl HeadCache {
    /// The head of a chain, if it is remembered.
    pub(crate) fn get(&self, chain: &ChainName) -> Option<Head> {
        self.lock().get(chain).copied()
    }

    /// Notes a committed head. Commits of one chain may be noted in any order: the longest stays.
    pub(crate) fn note(&self, chain: ChainName, head: Head) {
        let mut heads = self.lock();
        if heads.len() >= HEADS_REMEMBERED_MAX && !heads.contains_key(&chain) {
            heads.clear();
        }
        let known = heads.entry(chain).or_insert(head);
        if head.seq > known.seq {
            *known = head;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChainName, Head>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::EntryId;

    fn chain(incarnation: u64) -> ChainName {
        (ChartId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]), Incarnation(incarnation))
    }

    fn head(seq: u64) -> Head {
        Head { seq, entry: EntryId::from_bytes([u8::try_from(seq).unwrap(); 32]) }
    }

    #[test]
    fn the_longest_head_stays() {
        let cache = HeadCache::default();
        assert_eq!(cache.get(&chain(1)), None);
        for seq in [3, 5, 4] {
            cache.note(chain(1), head(seq));
        }
        assert_eq!(cache.get(&chain(1)), Some(head(5)));
        assert_eq!(cache.get(&chain(2)), None);
    }

    #[test]
    fn there_is_a_limit() {
        let cache = HeadCache::default();
        (0..HEADS_REMEMBERED_MAX as u64).for_each(|n| cache.note(chain(n), head(1)));
        cache.note(chain(0), head(2));
        assert_eq!(cache.lock().len(), HEADS_REMEMBERED_MAX, "a known chain takes no new place");
        cache.note(chain(u64::MAX), head(1));
        assert_eq!(cache.lock().len(), 1, "one past the limit all are forgotten");
    }
}
