//! Envelopes that the store gives back otherwise than it took them. The log keeps their hashes, so
//! the server notices, asks its devices for them, and takes the right bytes and no others.

use crate::limits::DAMAGED_MAX;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use ward_api::ChainPlace;
use ward_crypto::sha256;
use ward_id::ChartId;
use ward_store::StoredOperation;

/// Places whose bytes are not those of their leaf.
#[derive(Default)]
pub(crate) struct Damage {
    places: Mutex<BTreeMap<(ChartId, u64), ChainPlace>>,
}

impl Damage {
    /// Looks at operations that were read for somebody.
    pub(crate) fn notice(&self, operations: &[StoredOperation]) {
        for one in operations {
            if sha256(&one.bytes) == *one.envelope_hash.as_bytes() {
                continue;
            }
            let place = ChainPlace { device: one.device, incarnation: one.incarnation, seq: one.seq };
            let mut places = self.lock();
            if places.len() < DAMAGED_MAX && places.insert((one.chart, one.index), place).is_none() {
                tracing::error!(index = one.index, "an envelope in the store is damaged");
            }
        }
    }

    /// The places of a chart that wait for the right bytes.
    pub(crate) fn wanted(&self, chart: ChartId) -> Vec<ChainPlace> {
        self.lock().range((chart, 0)..=(chart, u64::MAX)).map(|(_, place)| *place).collect()
    }

    /// Whether this place waits for the right bytes.
    pub(crate) fn is_wanted(&self, chart: ChartId, index: u64) -> bool {
        self.lock().contains_key(&(chart, index))
    }

    /// The bytes of a place are right again.
    pub(crate) fn mended(&self, chart: ChartId, index: u64) {
        self.lock().remove(&(chart, index));
    }

    /// The log was opened again: its places are others, and damage is noticed anew.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(ChartId, u64), ChainPlace>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
