//! The server's own values, figures and checks, in memory.

use super::{MemoryStore, State};
use crate::limits::FINDINGS_MAX;
use crate::{BackupSummary, IntegrityReport, MetaKey, MetaStore, StoreError, StoreStats, Upkeep, check_meta};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use ward_api::TicketState;

impl MetaStore for MemoryStore {
    async fn meta(&self, key: MetaKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read()?.meta.get(&key).cloned())
    }

    async fn put_meta(&self, key: MetaKey, value: Vec<u8>) -> Result<(), StoreError> {
        check_meta(&value)?;
        self.write()?.meta.insert(key, value);
        Ok(())
    }

    async fn create_meta(&self, key: MetaKey, value: Vec<u8>) -> Result<bool, StoreError> {
        check_meta(&value)?;
        let mut state = self.write()?;
        let absent = !state.meta.contains_key(&key);
        if absent {
            state.meta.insert(key, value);
        }
        Ok(absent)
    }
}

impl State {
    fn check_operations(&self, findings: &mut Vec<String>) {
        for (index, row) in (self.first_index()..).zip(&self.operations) {
            let operation = &row.operation;
            if Sha256::digest(&operation.bytes).as_slice() != operation.envelope_hash.as_bytes() {
                findings.push(format!("operation {index}: the bytes are not those of the leaf"));
            }
            let key = (operation.chart, operation.device, operation.incarnation);
            let place = usize::try_from(operation.seq - 1).ok();
            let found = self.chains.get(&key).and_then(|chain| chain.places.get(place?));
            if found != Some(&index) {
                findings.push(format!("operation {index}: it is not at its place in the chain"));
            }
        }
    }

    fn check_mlog(&self, findings: &mut Vec<String>) {
        for (index, entry) in self.mlog.iter().enumerate() {
            if Sha256::digest(&entry.bytes).as_slice() != entry.entry_hash.as_bytes() {
                findings.push(format!("membership entry {index}: the bytes are not those of the leaf"));
            }
        }
    }
}

impl Upkeep for MemoryStore {
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let state = self.read()?;
        let open = state.tickets.values().filter(|(_, t)| t.state == TicketState::Open).count();
        Ok(StoreStats {
            operations: state.operations.len() as u64,
            mlog_entries: state.mlog.len() as u64,
            charts: state.charts.len() as u64,
            chains: state.chains.len() as u64,
            open_tickets: open as u64,
            proposals: state.proposals.len() as u64,
            store_bytes: 0,
            free_bytes: 0,
            commits: state.commits,
            committed_requests: state.commits,
        })
    }

    async fn backup_to(&self, _path: PathBuf) -> Result<BackupSummary, StoreError> {
        Err(StoreError::Unsupported { what: "a store in memory has nothing durable to copy" })
    }

    async fn integrity_check(&self) -> Result<IntegrityReport, StoreError> {
        let state = self.read()?;
        let mut findings = Vec::new();
        state.check_operations(&mut findings);
        state.check_mlog(&mut findings);
        findings.truncate(FINDINGS_MAX);
        Ok(IntegrityReport {
            operations: state.operations.len() as u64,
            mlog_entries: state.mlog.len() as u64,
            findings,
        })
    }
}
