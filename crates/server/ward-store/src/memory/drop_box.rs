//! The drop box in memory.

use super::{MemoryStore, State};
use crate::limits::{CHART_MAX_DROP_BYTES, CHART_MAX_DROPS, DEVICE_MAX_DROP_BYTES, DEVICE_MAX_DROPS};
use crate::{DropDecision, DropError, DropStore, DropsPage, DropsRequest, NewDrop, StoreError, StoredDrop};
use std::collections::BTreeSet;
use ward_api::DropState;
use ward_id::{DeviceId, EntryId, TimestampMs};

/// One row.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) stored: StoredDrop,
    pub(super) state: DropState,
    pub(super) decided_at: Option<TimestampMs>,
}

impl Row {
    const fn name(&self) -> (DeviceId, EntryId) {
        (self.stored.dropped.device, self.stored.dropped.entry_id)
    }
}

impl State {
    /// How many drops wait that `of` picks, and their bytes.
    fn waiting(&self, of: impl Fn(&NewDrop) -> bool) -> (usize, usize) {
        let picked = |row: &&Row| row.state == DropState::Waiting && of(&row.stored.dropped);
        let bytes = self.drops.iter().filter(picked).map(|row| row.stored.dropped.bytes.len());
        (bytes.clone().count(), bytes.sum())
    }

    fn check_room(&self, new: &NewDrop) -> Result<(), DropError> {
        let fits = |(count, bytes): (usize, usize), max: usize, max_bytes: usize| {
            count < max && bytes.saturating_add(new.bytes.len()) <= max_bytes
        };
        if !fits(self.waiting(|row| row.device == new.device), DEVICE_MAX_DROPS, DEVICE_MAX_DROP_BYTES) {
            return Err(DropError::DeviceFull);
        }
        if !fits(self.waiting(|row| row.chart == new.chart), CHART_MAX_DROPS, CHART_MAX_DROP_BYTES) {
            return Err(DropError::ChartFull);
        }
        Ok(())
    }
}

impl DropStore for MemoryStore {
    async fn add_drops(&self, drops: Vec<NewDrop>, received_at: TimestampMs) -> Result<u64, DropError> {
        let mut state = self.write()?;
        let before = state.drops.len();
        for new in drops {
            // What was decided and is handed over again waits again.
            let same =
                |row: &Row| row.name() == (new.device, new.entry_id) && row.state == DropState::Waiting;
            if state.drops.iter().any(same) {
                continue;
            }
            if let Err(full) = state.check_room(&new) {
                state.drops.truncate(before);
                return Err(full);
            }
            state.last_drop = (state.last_drop + 1).max(u64::try_from(received_at.0).unwrap_or(0));
            let stored = StoredDrop { number: state.last_drop, received_at, dropped: new };
            state.drops.push(Row { stored, state: DropState::Waiting, decided_at: None });
        }
        let added: BTreeSet<_> = state.drops.iter().skip(before).map(Row::name).collect();
        state.drops.retain(|row| row.state == DropState::Waiting || !added.contains(&row.name()));
        Ok(added.len() as u64)
    }

    async fn drops_waiting(&self, request: DropsRequest) -> Result<DropsPage, StoreError> {
        let state = self.read()?;
        let wanted = |row: &&Row| {
            row.state == DropState::Waiting
                && request.charts.contains(&row.stored.dropped.chart)
                && request.after.is_none_or(|after| row.stored.number > after)
        };
        let (mut drops, mut bytes) = (Vec::new(), 0usize);
        for row in state.drops.iter().filter(wanted) {
            bytes = bytes.saturating_add(row.stored.dropped.bytes.len());
            if bytes > request.limit_bytes && !drops.is_empty() {
                return Ok(DropsPage { drops, more: true });
            }
            drops.push(row.stored.clone());
        }
        Ok(DropsPage { drops, more: false })
    }

    async fn decide_drop(&self, decision: DropDecision) -> Result<bool, StoreError> {
        let mut state = self.write()?;
        let wanted = |row: &&mut Row| {
            let dropped = &row.stored.dropped;
            (dropped.chart, dropped.device, dropped.entry_id)
                == (decision.chart, decision.device, decision.entry_id)
        };
        let Some(row) = state.drops.iter_mut().find(wanted) else { return Ok(false) };
        row.state = decision.state;
        row.decided_at = Some(decision.at);
        Ok(true)
    }

    async fn purge_drops(&self, before: TimestampMs) -> Result<u64, StoreError> {
        let mut state = self.write()?;
        let kept = state.drops.len();
        state.drops.retain(|row| row.decided_at.is_none_or(|at| at > before));
        Ok((kept - state.drops.len()) as u64)
    }
}
