//! The operation log: what was accepted, in order.

use crate::{QuotaReached, StoreError};
use std::future::Future;
use ward_id::{ChartId, DeviceId, EntryId, EnvelopeHash, Head, Incarnation, TimestampMs, VersionVector};

/// One envelope that passed every check which needs no store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOperation {
    /// From its header.
    pub chart: ChartId,
    /// From its header.
    pub device: DeviceId,
    /// From its header.
    pub incarnation: Incarnation,
    /// From its header; counted from 1.
    pub seq: u64,
    /// From its header.
    pub entry_id: EntryId,
    /// SHA-256 of `bytes`: its leaf.
    pub envelope_hash: EnvelopeHash,
    /// From its header.
    pub epoch: u64,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

/// One push of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPush {
    /// One contiguous piece of one chain.
    pub operations: Vec<NewOperation>,
    /// When it came.
    pub received_at: TimestampMs,
}

/// Where one operation of a push stands. For an entry that was there before, all fields are those
/// of the first envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedOperation {
    /// Its index in the operation log.
    pub index: u64,
    /// The leaf at that index.
    pub envelope_hash: EnvelopeHash,
    /// When it was taken.
    pub received_at: TimestampMs,
    /// Whether this push brought it.
    pub new: bool,
}

/// A push that is now durable: one place for each operation, in the order of the push. New ones
/// stand at contiguous indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// One for each operation.
    pub placed: Vec<PlacedOperation>,
    /// Leaves in the log when it was committed.
    pub log_size: u64,
}

impl Appended {
    /// The placed operations as runs of contiguous indexes that were taken at one instant: what
    /// one receipt can name. A push without repeats is one run.
    pub fn runs(&self) -> Vec<&[PlacedOperation]> {
        let follows = |a: &PlacedOperation, b: &PlacedOperation| {
            a.index.checked_add(1) == Some(b.index) && a.received_at == b.received_at
        };
        self.placed.chunk_by(follows).collect()
    }
}

/// Why a push was refused. Decided inside the transaction; nothing of the push was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefusal {
    /// The chain continues elsewhere. The app must send from `expect` on.
    #[error("the chain continues at {expect}")]
    Gap {
        /// The next place of the chain.
        expect: u64,
    },
    /// Another entry stands at a place of the push. The app must open a new incarnation.
    #[error("another entry stands at place {seq} of the chain")]
    Fork {
        /// The place.
        seq: u64,
        /// The entry that stands there.
        entry_id: EntryId,
    },
    /// The device has begun [`crate::limits::DEVICE_MAX_CHAINS`] chains in this chart. A person must
    /// act: a device that begins one after the other is broken, or wants to fill the version vector.
    #[error("the device has as many chains in this chart as it may have")]
    TooManyChains,
    /// The room of the chart or of the device is used up. The operator must act.
    #[error(transparent)]
    Quota(QuotaReached),
    /// The chart or the device holds as many operations as it may: devices could not hold more of the
    /// chart. The operator must act.
    #[error("{held} of {limit} operations are held; this request does not fit")]
    TooManyOperations {
        /// How many are held.
        held: u64,
        /// How many may be.
        limit: u64,
    },
    /// The push is empty, or not one contiguous piece of one chain from 1 on. The app must act.
    #[error("the push is not one contiguous piece of one chain")]
    NotOneChain,
}

/// A push that was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The chain does not allow it.
    #[error(transparent)]
    Refused(#[from] AppendRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The rule that needs no store: a push is one contiguous piece of one chain, from 1 on.
///
/// # Errors
/// [`AppendRefusal::NotOneChain`].
pub fn check_push(push: &[NewOperation]) -> Result<(), AppendRefusal> {
    let begins = push.first().is_some_and(|first| first.seq >= 1);
    let continues = push.windows(2).all(|pair| match pair {
        [a, b] => {
            (a.chart, a.device, a.incarnation) == (b.chart, b.device, b.incarnation)
                && a.seq.checked_add(1) == Some(b.seq)
        }
        _ => true,
    });
    if begins && continues { Ok(()) } else { Err(AppendRefusal::NotOneChain) }
}

/// One stored envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOperation {
    /// Its index in the operation log: the pull cursor.
    pub index: u64,
    /// When it was taken.
    pub received_at: TimestampMs,
    /// The chart.
    pub chart: ChartId,
    /// The device.
    pub device: DeviceId,
    /// The life of the device's store.
    pub incarnation: Incarnation,
    /// The place in the chain.
    pub seq: u64,
    /// The entry's name.
    pub entry_id: EntryId,
    /// The leaf.
    pub envelope_hash: EnvelopeHash,
    /// The epoch it is sealed under.
    pub epoch: u64,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
}

/// Which page of a chart to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The chart.
    pub chart: ChartId,
    /// Operations with a greater index; `None` from the first on.
    pub after: Option<u64>,
    /// No more than so many bytes of envelopes, except that a page holds at least one operation.
    /// Cut to [`crate::limits::PAGE_MAX_BYTES`].
    pub limit_bytes: usize,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationsPage {
    /// By index.
    pub operations: Vec<StoredOperation>,
    /// Whether the chart has more after the last of them.
    pub more: bool,
}

/// A log that was opened again: the operations that survived a restore, after one leaf that is the
/// end of the log before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReopenedLog {
    /// Which log in the row of those of this site; from 2 on.
    pub number: u32,
    /// Its leaf 0.
    pub leaf: EnvelopeHash,
}

/// The operation log.
pub trait OlogStore: Clone + Send + Sync + 'static {
    /// Appends one push as a whole or not at all. Known entries keep their places, so that a push
    /// can be repeated in any envelope and can mix known and new entries. New ones get contiguous
    /// indexes from the log's end. Durable when it returns.
    ///
    /// # Errors
    /// [`AppendError::Refused`] by the chain's rules; [`AppendError::Store`].
    fn append_operations(
        &self,
        push: Vec<NewOperation>,
        received_at: TimestampMs,
    ) -> impl Future<Output = Result<Appended, AppendError>> + Send;

    /// Appends several pushes, each as [`OlogStore::append_operations`] does and with an answer of
    /// its own. A store that commits in groups puts them into one.
    fn append_pushes(
        &self,
        pushes: Vec<NewPush>,
    ) -> impl Future<Output = Vec<Result<Appended, AppendError>>> + Send {
        async move {
            let mut answers = Vec::with_capacity(pushes.len());
            for NewPush { operations, received_at } in pushes {
                answers.push(self.append_operations(operations, received_at).await);
            }
            answers
        }
    }

    /// One page of a chart.
    ///
    /// # Errors
    /// [`StoreError`].
    fn operations_page(
        &self,
        request: PageRequest,
    ) -> impl Future<Output = Result<OperationsPage, StoreError>> + Send;

    /// The newest entry of each chain of a chart.
    ///
    /// # Errors
    /// [`StoreError`].
    fn have(&self, chart: ChartId) -> impl Future<Output = Result<VersionVector, StoreError>> + Send;

    /// The newest entry of one chain.
    ///
    /// # Errors
    /// [`StoreError`].
    fn chain_head(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Option<Head>, StoreError>> + Send;

    /// The operation at an index.
    ///
    /// # Errors
    /// [`StoreError`].
    fn operation_at(
        &self,
        index: u64,
    ) -> impl Future<Output = Result<Option<StoredOperation>, StoreError>> + Send;

    /// The leaves `from..to`, cut to the log's end and to [`crate::limits::LEAVES_MAX`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn olog_leaves(
        &self,
        from: u64,
        to: u64,
    ) -> impl Future<Output = Result<Vec<EnvelopeHash>, StoreError>> + Send;

    /// Leaves in the log.
    ///
    /// # Errors
    /// [`StoreError`].
    fn olog_size(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// The entries at places of one chain, in the order of the places; those that are not there are
    /// left out.
    ///
    /// # Errors
    /// [`StoreError`].
    fn chain_entries(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
        places: Vec<u64>,
    ) -> impl Future<Output = Result<Vec<(u64, EntryId)>, StoreError>> + Send;

    /// Puts bytes in place of those that the disk damaged. Says whether they are those of the leaf
    /// at that index; any others change nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn repair_operation(
        &self,
        index: u64,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The log that counts now, if it is not the first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn olog_reopened(&self) -> impl Future<Output = Result<Option<ReopenedLog>, StoreError>> + Send;

    /// Begins the next log: its leaf stands at index 0, the operations after it in their order, and
    /// the heads and tiles of the log before are gone. A log with a number that is not greater
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn reopen_olog(&self, log: ReopenedLog) -> impl Future<Output = Result<(), StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_what_one_receipt_can_name() {
        let place = |index, at, new| PlacedOperation {
            index,
            envelope_hash: EnvelopeHash::from_bytes([0; 32]),
            received_at: TimestampMs(at),
            new,
        };
        let appended = Appended {
            placed: vec![
                place(3, 1, false),
                place(4, 1, false),
                place(5, 2, false),
                place(9, 3, true),
                place(10, 3, true),
            ],
            log_size: 11,
        };
        let runs: Vec<Vec<u64>> =
            appended.runs().iter().map(|run| run.iter().map(|p| p.index).collect()).collect();
        assert_eq!(runs, [vec![3, 4], vec![5], vec![9, 10]]);
    }
}
