//! A store without a disk: the same rules as the others, under one lock. Tests and demonstrations
//! use it; what it holds is gone when the process ends.

mod blob;
mod drop_box;
mod log_state;
mod mlog;
mod olog;
mod ticket;
mod token;
mod upkeep;

use crate::{
    BlobName, CheckpointKind, DeviceSuspension, FamilyId, KeyThumbprint, MetaKey, Quotas, RefreshHash,
    ReopenedLog, SavedCheckpoint, StoreError, StoredMlogEntry, StoredPackage, StoredProposal, StoredTicket,
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

#[derive(Clone, Default)]
struct State {
    operations: Vec<Row>,
    reopened: Option<ReopenedLog>,
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
    staff_suspensions: HashMap<DeviceId, DeviceSuspension>,
    proposals: Vec<StoredProposal>,
    drops: Vec<drop_box::Row>,
    last_drop: u64,
    meta: BTreeMap<MetaKey, Vec<u8>>,
    blobs: BTreeMap<BlobName, BTreeMap<DeviceId, Upload>>,
    uses: Uses,
    quotas: Quotas,
    commits: u64,
    /// What every write fails with, while a test wants it so.
    refusal: Option<StoreError>,
}

#[derive(Clone)]
struct Family {
    device: DeviceId,
    jkt: KeyThumbprint,
    expires_at: TimestampMs,
}

#[derive(Clone)]
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
        if let Some(error) = &state.refusal {
            return Err(error.clone());
        }
        state.commits += 1;
        Ok(state)
    }

    /// A copy that goes its own way: a backup, or the same site in another future. Whatever writes
    /// fail with here, they succeed there.
    ///
    /// # Errors
    /// [`StoreError::Stopped`] after a request failed half-way.
    pub fn snapshot(&self) -> Result<Self, StoreError> {
        let state = State { refusal: None, ..self.read()?.clone() };
        Ok(Self { state: Arc::new(Mutex::new(state)) })
    }

    /// Lets every write fail with this from now on, with nothing kept, and reads go on: a disk that
    /// is full or read-only. `None` ends it.
    pub fn fail_writes(&self, error: Option<StoreError>) {
        if let Ok(mut state) = self.state.lock() {
            state.refusal = error;
        }
    }
}

impl State {
    fn log_size(&self, log: LogName) -> u64 {
        match log {
            LogName::Mlog => self.mlog.len() as u64,
            LogName::Olog => self.olog_size(),
        }
    }
}

/// The part `from..to` of a list, cut to its end and to `max` items.
fn window<T>(list: &[T], from: u64, to: u64, max: u64) -> &[T] {
    let end = to.min(from.saturating_add(max)).min(list.len() as u64);
    let (Ok(from), Ok(end)) = (usize::try_from(from), usize::try_from(end)) else { return &[] };
    list.get(from..end).unwrap_or(&[])
}
