//! The membership log in memory.

use super::{MemoryStore, window};
use crate::limits::{LEAVES_MAX, MLOG_ENTRIES_MAX, MLOG_PAGE_MAX_BYTES};
use crate::{
    MlogAppend, MlogAppendError, MlogAppended, MlogStore, StoreError, StoredMlogEntry, StoredPackage,
};
use ward_api::MlogLeaf;
use ward_id::{ChartId, MlogEntryHash};

/// The first items whose sizes together stay within a page; at least one.
fn page<'a, T: Clone + 'a>(items: impl Iterator<Item = &'a T>, size: impl Fn(&T) -> usize) -> Vec<T> {
    let (mut out, mut bytes) = (Vec::new(), 0usize);
    for item in items {
        bytes = bytes.saturating_add(size(item));
        let full = bytes > MLOG_PAGE_MAX_BYTES || out.len() as u64 >= MLOG_ENTRIES_MAX;
        if full && !out.is_empty() {
            break;
        }
        out.push(item.clone());
    }
    out
}

impl MlogStore for MemoryStore {
    async fn append_mlog(&self, entry: MlogAppend) -> Result<MlogAppended, MlogAppendError> {
        let mut state = self.write()?;
        let size = state.mlog.len() as u64;
        if let Some(&index) = state.mlog_places.get(&entry.entry_hash) {
            return Ok(MlogAppended { index, size, new: false });
        }
        if size != entry.expected_size {
            return Err(MlogAppendError::Moved { size });
        }
        if let Some(package) = entry.package {
            let key = (package.chart, package.epoch);
            if state.packages.contains_key(&key) {
                return Err(MlogAppendError::EpochTaken { epoch: package.epoch });
            }
            let (epoch, hash, bytes) = (package.epoch, package.hash, package.bytes);
            state.packages.insert(key, StoredPackage { epoch, hash, mlog_index: size, bytes });
        }
        for device in entry.ended_devices {
            state.end_sessions(device);
            state.proposals.retain(|kept| kept.proposer != device);
        }
        state.mlog_places.insert(entry.entry_hash, size);
        state.mlog.push(StoredMlogEntry {
            index: size,
            subject: entry.subject,
            entry_hash: entry.entry_hash,
            received_at: entry.received_at,
            bytes: entry.bytes,
        });
        Ok(MlogAppended { index: size, size: size + 1, new: true })
    }

    async fn mlog_size(&self) -> Result<u64, StoreError> {
        Ok(self.read()?.mlog.len() as u64)
    }

    async fn mlog_entries(&self, from: u64, to: u64) -> Result<Vec<StoredMlogEntry>, StoreError> {
        let state = self.read()?;
        Ok(page(window(&state.mlog, from, to, u64::MAX).iter(), |entry| entry.bytes.len()))
    }

    async fn mlog_leaves(&self, from: u64, to: u64) -> Result<Vec<MlogLeaf>, StoreError> {
        let state = self.read()?;
        let entries = window(&state.mlog, from, to, LEAVES_MAX);
        Ok(entries.iter().map(|e| MlogLeaf { subject: e.subject, entry_hash: e.entry_hash }).collect())
    }

    async fn mlog_index_of(&self, entry: MlogEntryHash) -> Result<Option<u64>, StoreError> {
        Ok(self.read()?.mlog_places.get(&entry).copied())
    }

    async fn epoch_packages(
        &self,
        chart: ChartId,
        from_epoch: u64,
    ) -> Result<Vec<StoredPackage>, StoreError> {
        let state = self.read()?;
        let packages =
            state.packages.range((chart, from_epoch)..=(chart, u64::MAX)).map(|(_, package)| package);
        Ok(page(packages, |package| package.bytes.len()))
    }
}
