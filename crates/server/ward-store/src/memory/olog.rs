//! The operation log in memory.

use super::{MemoryStore, window};
use crate::limits::{DEVICE_MAX_CHAINS, LEAVES_MAX, PAGE_MAX_BYTES, PAGE_MAX_OPERATIONS};
use crate::{
    AppendError, AppendRefusal, Appended, NewOperation, OlogStore, OperationsPage, PageRequest,
    PlacedOperation, ReopenedLog, StorageUse, StoreError, StoredOperation, check_push,
};
use sha2::{Digest as _, Sha256};
use ward_api::LogName;
use ward_id::{ChartId, DeviceId, EntryId, EnvelopeHash, Head, Incarnation, TimestampMs, VersionVector};

/// One operation and when it came.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) operation: NewOperation,
    pub(super) received_at: TimestampMs,
}

/// The olog indexes of a chain's entries, by place.
#[derive(Clone, Default)]
pub(super) struct Chain {
    pub(super) places: Vec<u64>,
}

impl Row {
    fn stored(&self, index: u64) -> StoredOperation {
        let operation = self.operation.clone();
        StoredOperation {
            index,
            received_at: self.received_at,
            chart: operation.chart,
            device: operation.device,
            incarnation: operation.incarnation,
            seq: operation.seq,
            entry_id: operation.entry_id,
            envelope_hash: operation.envelope_hash,
            epoch: operation.epoch,
            bytes: operation.bytes,
        }
    }
}

impl super::State {
    fn row(&self, index: u64) -> Option<&Row> {
        let place = index.checked_sub(self.first_index())?;
        usize::try_from(place).ok().and_then(|place| self.operations.get(place))
    }

    /// The index of the first operation: a log that was opened again begins with another leaf.
    pub(super) fn first_index(&self) -> u64 {
        u64::from(self.reopened.is_some())
    }

    pub(super) fn olog_size(&self) -> u64 {
        self.first_index() + self.operations.len() as u64
    }

    /// Whether the device may begin the push's chain, if it is a new one.
    fn check_chains(&self, push: &[NewOperation]) -> Result<(), AppendRefusal> {
        let first = push.first().ok_or(AppendRefusal::NotOneChain)?;
        let name = |incarnation| (first.chart, first.device, incarnation);
        if self.chains.contains_key(&name(first.incarnation)) {
            return Ok(());
        }
        let all = name(Incarnation(0))..=name(Incarnation(u64::MAX));
        if self.chains.range(all).count() >= DEVICE_MAX_CHAINS {
            return Err(AppendRefusal::TooManyChains);
        }
        Ok(())
    }

    /// Counts the bytes of operations that are new, if they fit.
    fn take_room(&mut self, fresh: &[NewOperation]) -> Result<(), AppendRefusal> {
        let Some(first) = fresh.first() else { return Ok(()) };
        let operation_bytes = fresh.iter().map(|operation| operation.bytes.len() as u64).sum();
        let more = StorageUse { operations: fresh.len() as u64, operation_bytes, blob_bytes: 0 };
        self.take_room_of_operations(first.chart, first.device, more)
    }

    /// Where the known part of a push stands; the rest continues the chain.
    fn known_part(&self, push: &[NewOperation]) -> Result<Vec<PlacedOperation>, AppendRefusal> {
        let first = push.first().ok_or(AppendRefusal::NotOneChain)?;
        let chain = self.chains.get(&(first.chart, first.device, first.incarnation));
        let places = chain.map_or(&[][..], |chain| &chain.places);
        let mut placed = Vec::with_capacity(push.len());
        for operation in push {
            let place = usize::try_from(operation.seq - 1).ok().and_then(|i| places.get(i));
            let Some((&index, row)) = place.and_then(|index| Some((index, self.row(*index)?))) else { break };
            let known = &row.operation;
            if known.entry_id != operation.entry_id {
                return Err(AppendRefusal::Fork { seq: operation.seq, entry_id: known.entry_id });
            }
            placed.push(PlacedOperation {
                index,
                envelope_hash: known.envelope_hash,
                received_at: row.received_at,
                new: false,
            });
        }
        let expect = places.len() as u64 + 1;
        let continues = push.get(placed.len()).is_none_or(|next| next.seq == expect);
        if continues { Ok(placed) } else { Err(AppendRefusal::Gap { expect }) }
    }
}

impl OlogStore for MemoryStore {
    async fn append_operations(
        &self,
        push: Vec<NewOperation>,
        received_at: TimestampMs,
    ) -> Result<Appended, AppendError> {
        check_push(&push)?;
        let mut state = self.write()?;
        let mut placed = state.known_part(&push)?;
        state.check_chains(&push)?;
        state.take_room(push.get(placed.len()..).unwrap_or(&[]))?;
        for operation in push.into_iter().skip(placed.len()) {
            let index = state.olog_size();
            let (chart, device, incarnation) = (operation.chart, operation.device, operation.incarnation);
            placed.push(PlacedOperation {
                index,
                envelope_hash: operation.envelope_hash,
                received_at,
                new: true,
            });
            state.chains.entry((chart, device, incarnation)).or_default().places.push(index);
            state.charts.entry(chart).or_default().push(index);
            state.operations.push(Row { operation, received_at });
        }
        Ok(Appended { placed, log_size: state.olog_size() })
    }

    async fn operations_page(&self, request: PageRequest) -> Result<OperationsPage, StoreError> {
        let state = self.read()?;
        let all = state.charts.get(&request.chart).map_or(&[][..], Vec::as_slice);
        let begin = request.after.map_or(0, |after| all.partition_point(|index| *index <= after));
        let limit_bytes = request.limit_bytes.min(PAGE_MAX_BYTES);
        let (mut page, mut bytes) = (OperationsPage::default(), 0usize);
        for &index in all.get(begin..).unwrap_or(&[]) {
            let Some(row) = state.row(index) else { continue };
            bytes = bytes.saturating_add(row.operation.bytes.len());
            let full = bytes > limit_bytes || page.operations.len() >= PAGE_MAX_OPERATIONS;
            if full && !page.operations.is_empty() {
                page.more = true;
                break;
            }
            page.operations.push(row.stored(index));
        }
        Ok(page)
    }

    async fn have(&self, chart: ChartId) -> Result<VersionVector, StoreError> {
        let state = self.read()?;
        let mut vector = VersionVector::new();
        let first = (chart, DeviceId::from_bytes([0; 16]), Incarnation(0));
        for (&(of, device, incarnation), chain) in state.chains.range(first..) {
            if of != chart {
                break;
            }
            let Some(row) = chain.places.last().and_then(|index| state.row(*index)) else { continue };
            let head = Head { seq: row.operation.seq, entry: row.operation.entry_id };
            vector.observe(device, incarnation, head).map_err(|_| StoreError::TooLarge {
                what: "the version vector of a chart",
                limit: ward_id::limits::VERSION_VECTOR_MAX_HEADS,
            })?;
        }
        Ok(vector)
    }

    async fn chain_head(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
    ) -> Result<Option<Head>, StoreError> {
        let state = self.read()?;
        let chain = state.chains.get(&(chart, device, incarnation));
        let row = chain.and_then(|chain| chain.places.last()).and_then(|index| state.row(*index));
        Ok(row.map(|row| Head { seq: row.operation.seq, entry: row.operation.entry_id }))
    }

    async fn operation_at(&self, index: u64) -> Result<Option<StoredOperation>, StoreError> {
        let state = self.read()?;
        Ok(state.row(index).map(|row| row.stored(index)))
    }

    async fn olog_leaves(&self, from: u64, to: u64) -> Result<Vec<EnvelopeHash>, StoreError> {
        let state = self.read()?;
        let rows = state.operations.iter().map(|row| row.operation.envelope_hash);
        let leaves: Vec<_> = state.reopened.iter().map(|log| log.leaf).chain(rows).collect();
        Ok(window(&leaves, from, to, LEAVES_MAX).to_vec())
    }

    async fn olog_size(&self) -> Result<u64, StoreError> {
        Ok(self.read()?.olog_size())
    }

    async fn chain_entries(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
        places: Vec<u64>,
    ) -> Result<Vec<(u64, EntryId)>, StoreError> {
        let state = self.read()?;
        let Some(chain) = state.chains.get(&(chart, device, incarnation)) else { return Ok(Vec::new()) };
        let entry = |seq: u64| {
            let place = usize::try_from(seq.checked_sub(1)?).ok()?;
            Some((seq, state.row(*chain.places.get(place)?)?.operation.entry_id))
        };
        Ok(places.into_iter().filter_map(entry).collect())
    }

    async fn repair_operation(&self, index: u64, bytes: Vec<u8>) -> Result<bool, StoreError> {
        let mut state = self.write()?;
        let first = state.first_index();
        let place = index.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let Some(row) = place.and_then(|place| state.operations.get_mut(place)) else { return Ok(false) };
        let right = row.operation.envelope_hash.as_bytes() == &<[u8; 32]>::from(Sha256::digest(&bytes));
        if right {
            row.operation.bytes = bytes;
        }
        Ok(right)
    }

    async fn olog_reopened(&self) -> Result<Option<ReopenedLog>, StoreError> {
        Ok(self.read()?.reopened)
    }

    async fn reopen_olog(&self, log: ReopenedLog) -> Result<(), StoreError> {
        let mut state = self.write()?;
        if state.reopened.is_some_and(|known| known.number >= log.number) {
            return Ok(());
        }
        if state.reopened.replace(log).is_none() {
            let chains = state.chains.values_mut().flat_map(|chain| &mut chain.places);
            chains.for_each(|index| *index += 1);
            state.charts.values_mut().flatten().for_each(|index| *index += 1);
        }
        state.checkpoints.retain(|(log, _), _| *log != LogName::Olog);
        state.tiles.retain(|(log, _, _), _| *log != LogName::Olog);
        Ok(())
    }
}
