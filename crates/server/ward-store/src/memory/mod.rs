//! A store without a disk: the same rules as the others, under one lock. Tests and demonstrations
//! use it; what it holds is gone when the process ends.

mod blob;
mod log_state;
mod mlog;
mod olog;
mod ticket;
mod token;
mod upkeep;

use crate::{
    BlobName, CheckpointKind, DeviceSuspension, FamilyId, KeyThumbprint, MetaKey, Quotas, RefreshHash,
    SavedCheckpoint, StoreError, StoredMlogEntry, StoredPackage, StoredProposal, StoredTicket,
};
use blob::{Upload, Uses};
use olog::{Chain, Row};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use ward_api::LogName;
use ward_id::{ChartId, DeviceId, Incarnation, MlogEntryHash, TicketId, TimestampMs};

/// The store without a disk.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    operations: Vec<Row>,
    chains: BTreeMap<(ChartId, DeviceId, Incarnation), Chain>,
    charts: BTreeMap<ChartId, Vec<u64>>,
    mlog: Vec<StoredMlogEntry>,
    mlog_places: HashMap<MlogEntryHash, u64>,
    packages: BTreeMap<(ChartId, u64), StoredPackage>,
    checkpoints: BTreeMap<(LogName, CheckpointKind), SavedCheckpoint>,
    tiles: BTreeMap<(LogName, u8, u64), Vec<u8>>,
    tickets: BTreeMap<TicketId, (u64, StoredTicket)>,
    families: HashMap<FamilyId, Family>,
    tokens: HashMap<RefreshHash, Token>,
    session_versions: HashMap<DeviceId, u64>,
    suspensions: HashMap<DeviceId, DeviceSuspension>,
    proposals: Vec<StoredProposal>,
    meta: BTreeMap<MetaKey, Vec<u8>>,
    blobs: BTreeMap<BlobName, BTreeMap<DeviceId, Upload>>,
    uses: Uses,
    quotas: Quotas,
    commits: u64,
}

struct Family {
    device: DeviceId,
    jkt: KeyThumbprint,
    expires_at: TimestampMs,
}

struct Token {
    family: FamilyId,
    generation: u64,
    used_at: Option<TimestampMs>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        // A panic under the lock may have left half a change: nothing more is served.
        self.state.lock().map_err(|_| StoreError::Stopped { why: "a request failed half-way".to_owned() })
    }

    fn write(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.read()?;
        state.commits += 1;
        Ok(state)
    }
}

impl State {
    fn log_size(&self, log: LogName) -> u64 {
        match log {
            LogName::Mlog => self.mlog.len() as u64,
            LogName::Olog => self.operations.len() as u64,
        }
    }
}

/// The part `from..to` of a list, cut to its end and to `max` items.
fn window<T>(list: &[T], from: u64, to: u64, max: u64) -> &[T] {
    let end = to.min(from.saturating_add(max)).min(list.len() as u64);
    let (Ok(from), Ok(end)) = (usize::try_from(from), usize::try_from(end)) else { return &[] };
    list.get(from..end).unwrap_or(&[])
}
