//! The operation log.

use crate::SqliteStore;
use crate::columns::{all, bound, change, instant, int, one, single, uint};
use crate::cut::{Known, Places};
use crate::fault::Fault;
use crate::head_cache::ChainName;
use crate::quota::{Owner, add, check_operations};
use crate::reopening::{reopen, reopened, repair};
use crate::sql;
use rusqlite::{Connection, Row, params};
use ward_id::{
    ChartId, DeviceId, EntryId, EnvelopeHash, Head, Incarnation, TimestampMs, VersionVector,
    limits::VERSION_VECTOR_MAX_HEADS,
};
use ward_store::limits::{DEVICE_MAX_CHAINS, LEAVES_MAX, PAGE_MAX_BYTES, PAGE_MAX_OPERATIONS};
use ward_store::{
    AppendError, AppendRefusal, Appended, NewOperation, NewPush, OlogStore, OperationsPage, PageRequest,
    PlacedOperation, Quotas, ReopenedLog, StorageUse, StoreError, StoredOperation, check_push,
};

/// An operation as its row will be.
struct NewRow {
    operation: NewOperation,
    epoch: i64,
    cut: Option<Places>,
    /// Bytes of the whole envelope.
    whole_bytes: u64,
}

impl NewRow {
    /// Cuts the known ids out of the envelope; done before the writer's turn.
    fn prepare(mut operation: NewOperation) -> Result<Self, StoreError> {
        let epoch = int(operation.epoch, "an epoch")?;
        let known = Known {
            chart: operation.chart.as_bytes(),
            device: operation.device.as_bytes(),
            entry: operation.entry_id.as_bytes(),
        };
        let whole_bytes = operation.bytes.len() as u64;
        let cut = known.cut(&mut operation.bytes);
        Ok(Self { operation, epoch, cut, whole_bytes })
    }
}

/// The chain of a push and where it will end.
type ChainEnd = (ChainName, Head);

/// A push as the writer takes it.
struct Prepared {
    rows: Vec<NewRow>,
    received_at: TimestampMs,
    bytes: usize,
    end: ChainEnd,
}

impl Prepared {
    fn new(push: NewPush) -> Result<Self, AppendError> {
        let NewPush { operations, received_at } = push;
        check_push(&operations)?;
        let last = operations.last().ok_or(AppendRefusal::NotOneChain)?;
        let head = Head { seq: last.seq, entry: last.entry_id };
        let end = ((last.chart, last.device, last.incarnation), head);
        let bytes = operations.iter().map(|operation| operation.bytes.len()).sum();
        let rows = operations.into_iter().map(NewRow::prepare).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rows, received_at, bytes, end })
    }

    fn append(&self, conn: &Connection, quotas: &Quotas) -> Result<Result<Appended, AppendRefusal>, Fault> {
        append(conn, &self.rows, self.received_at, quotas)
    }
}

/// A chain as the store has it.
struct Chain {
    id: i64,
    chart: i64,
    head: Head,
}

fn chain(
    conn: &Connection,
    chart: ChartId,
    device: DeviceId,
    incarnation: Incarnation,
) -> Result<Option<Chain>, Fault> {
    let key = params![chart.as_bytes(), device.as_bytes(), incarnation.0.cast_signed()];
    one(conn, sql::CHAIN_FIND, key, |row| {
        let head = Head { seq: uint(row, 2)?, entry: EntryId::from_bytes(row.get(3)?) };
        Ok(Chain { id: row.get(0)?, chart: row.get(1)?, head })
    })
}

/// Where the known part of a push stands; the rest continues the chain.
fn known_part(
    conn: &Connection,
    push: &[NewRow],
    chain: Option<&Chain>,
) -> Result<Result<Vec<PlacedOperation>, AppendRefusal>, Fault> {
    let head_seq = chain.map_or(0, |chain| chain.head.seq);
    let first = push.first().map_or(0, |row| row.operation.seq);
    let last = push.last().map_or(0, |row| row.operation.seq).min(head_seq);
    let mut placed = Vec::with_capacity(push.len());
    if let Some(chain) = chain
        && first <= last
    {
        let range = params![chain.id, bound(first), bound(last)];
        let kept = all(conn, sql::OPERATIONS_KNOWN, range, |row| {
            let place = PlacedOperation {
                index: uint(row, 0)?,
                received_at: instant(row, 2)?,
                envelope_hash: EnvelopeHash::from_bytes(row.get(4)?),
                new: false,
            };
            Ok((uint(row, 1)?, EntryId::from_bytes(row.get(3)?), place))
        })?;
        if kept.len() as u64 != last - first + 1 {
            return Err(Fault::corrupt("a chain has a hole"));
        }
        for (row, (seq, entry_id, place)) in push.iter().zip(kept) {
            if row.operation.entry_id != entry_id {
                return Ok(Err(AppendRefusal::Fork { seq, entry_id }));
            }
            placed.push(place);
        }
    }
    let expect = head_seq + 1;
    let continues = push.get(placed.len()).is_none_or(|next| next.operation.seq == expect);
    Ok(if continues { Ok(placed) } else { Err(AppendRefusal::Gap { expect }) })
}

/// Chains that the device of an operation has begun in its chart.
fn chains_begun(conn: &Connection, operation: &NewOperation) -> Result<u64, Fault> {
    let key = params![operation.chart.as_bytes(), operation.device.as_bytes()];
    single(conn, sql::CHAINS_BEGUN, key, |row| uint(row, 0))
}

/// The chain's id and its chart's, with its head moved to the end of the push.
fn advance(
    conn: &Connection,
    chain: Option<&Chain>,
    first: &NewRow,
    last: &NewRow,
) -> Result<(i64, i64), Fault> {
    let head_seq = int(last.operation.seq, "a place in a chain")?;
    let head_entry = last.operation.entry_id;
    if let Some(chain) = chain {
        change(conn, sql::CHAIN_ADVANCE, params![chain.id, head_seq, head_entry.as_bytes()])?;
        return Ok((chain.id, chain.chart));
    }
    let operation = &first.operation;
    let chart = intern(conn, sql::CHART_ID, sql::CHART_INSERT, operation.chart.as_bytes())?;
    let device = intern(conn, sql::DEVICE_ID, sql::DEVICE_INSERT, operation.device.as_bytes())?;
    let incarnation = operation.incarnation.0.cast_signed();
    let row = params![chart, device, incarnation, head_seq, head_entry.as_bytes()];
    Ok((single(conn, sql::CHAIN_INSERT, row, |row| row.get(0))?, chart))
}

fn intern(conn: &Connection, find: &'static str, insert: &'static str, id: &[u8; 16]) -> Result<i64, Fault> {
    match one(conn, find, [id], |row| row.get(0))? {
        Some(number) => Ok(number),
        None => single(conn, insert, [id], |row| row.get(0)),
    }
}

fn append(
    conn: &Connection,
    push: &[NewRow],
    received_at: TimestampMs,
    quotas: &Quotas,
) -> Result<Result<Appended, AppendRefusal>, Fault> {
    let (Some(first), Some(last)) = (push.first(), push.last()) else {
        return Ok(Err(AppendRefusal::NotOneChain));
    };
    let operation = &first.operation;
    let chain = chain(conn, operation.chart, operation.device, operation.incarnation)?;
    let mut placed = match known_part(conn, push, chain.as_ref())? {
        Ok(placed) => placed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if chain.is_none() && chains_begun(conn, operation)? >= DEVICE_MAX_CHAINS as u64 {
        return Ok(Err(AppendRefusal::TooManyChains));
    }
    let mut log_size = olog_size(conn)?;
    let fresh = push.get(placed.len()..).unwrap_or(&[]);
    if !fresh.is_empty() {
        let operation_bytes = fresh.iter().map(|row| row.whole_bytes).sum();
        let more = StorageUse { operations: fresh.len() as u64, operation_bytes, blob_bytes: 0 };
        let (chart, device) = (operation.chart, operation.device);
        if let Err(refusal) = check_operations(conn, chart, device, more, quotas)? {
            return Ok(Err(refusal));
        }
        for owner in [Owner::Chart(chart), Owner::Device(device)] {
            add(conn, owner, more)?;
        }
        let (chain_id, chart_id) = advance(conn, chain.as_ref(), first, last)?;
        let mut statement = conn.prepare_cached(sql::OPERATION_INSERT)?;
        for row in fresh {
            let operation = &row.operation;
            let envelope_hash = operation.envelope_hash;
            statement.execute(params![
                int(log_size, "the operation log")?,
                chart_id,
                chain_id,
                int(operation.seq, "a place in a chain")?,
                row.epoch,
                received_at.0,
                operation.entry_id.as_bytes(),
                envelope_hash.as_bytes(),
                row.cut,
                operation.bytes,
            ])?;
            placed.push(PlacedOperation { index: log_size, envelope_hash, received_at, new: true });
            log_size += 1;
        }
    }
    Ok(Ok(Appended { placed, log_size }))
}

pub(crate) fn olog_size(conn: &Connection) -> Result<u64, Fault> {
    single(conn, sql::OLOG_SIZE, [], |row| uint(row, 0))
}

/// Reads a row of `OPERATIONS_OF_CHART` or `OPERATIONS_FROM`.
fn stored(row: &Row<'_>) -> Result<StoredOperation, Fault> {
    let (chart, device): ([u8; 16], [u8; 16]) = (row.get(2)?, row.get(3)?);
    let entry: [u8; 32] = row.get(7)?;
    let bytes = match row.get::<_, Option<Places>>(9)? {
        None => row.get(10)?,
        Some(places) => {
            let rest = row.get_ref(10)?.as_blob().map_err(|_| Fault::corrupt("an envelope is no bytes"))?;
            let known = Known { chart: &chart, device: &device, entry: &entry };
            // Damaged places: what is there has another hash than the leaf, so it is asked for again.
            known.join(places, rest).unwrap_or_else(|| rest.to_vec())
        }
    };
    Ok(StoredOperation {
        index: uint(row, 0)?,
        received_at: instant(row, 1)?,
        chart: ChartId::from_bytes(chart),
        device: DeviceId::from_bytes(device),
        incarnation: Incarnation(row.get::<_, i64>(4)?.cast_unsigned()),
        seq: uint(row, 5)?,
        entry_id: EntryId::from_bytes(entry),
        envelope_hash: EnvelopeHash::from_bytes(row.get(8)?),
        epoch: uint(row, 6)?,
        bytes,
    })
}

/// Operations of the whole log from an index on.
pub(crate) fn operations_from(
    conn: &Connection,
    from: u64,
    count: u32,
) -> Result<Vec<StoredOperation>, Fault> {
    let Ok(from) = i64::try_from(from) else { return Ok(Vec::new()) };
    let mut statement = conn.prepare_cached(sql::OPERATIONS_FROM)?;
    let mut rows = statement.query(params![from, count])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(stored(row)?);
    }
    Ok(out)
}

fn page(conn: &Connection, request: PageRequest) -> Result<OperationsPage, Fault> {
    let limit_bytes = request.limit_bytes.min(PAGE_MAX_BYTES);
    let after = request.after.map_or(-1, bound);
    let chart = request.chart.as_bytes();
    let Some(chart_id) = one(conn, sql::CHART_ID, [chart], |row| row.get::<_, i64>(0))? else {
        return Ok(OperationsPage::default());
    };
    let mut statement = conn.prepare_cached(sql::OPERATIONS_OF_CHART)?;
    let mut rows = statement.query(params![chart_id, after, bound(PAGE_MAX_OPERATIONS as u64 + 1), chart])?;
    let (mut page, mut bytes) = (OperationsPage::default(), 0usize);
    while let Some(row) = rows.next()? {
        let operation = stored(row)?;
        bytes = bytes.saturating_add(operation.bytes.len());
        let full = bytes > limit_bytes || page.operations.len() >= PAGE_MAX_OPERATIONS;
        if full && !page.operations.is_empty() {
            page.more = true;
            break;
        }
        page.operations.push(operation);
    }
    Ok(page)
}

fn have(conn: &Connection, chart: ChartId) -> Result<VersionVector, Fault> {
    let heads = all(conn, sql::CHAINS_OF_CHART, [chart.as_bytes()], |row| {
        let (device, incarnation): ([u8; 16], i64) = (row.get(0)?, row.get(1)?);
        let head = Head { seq: uint(row, 2)?, entry: EntryId::from_bytes(row.get(3)?) };
        Ok((DeviceId::from_bytes(device), Incarnation(incarnation.cast_unsigned()), head))
    })?;
    let mut vector = VersionVector::new();
    for (device, incarnation, head) in heads {
        vector.observe(device, incarnation, head).map_err(|_| StoreError::TooLarge {
            what: "the version vector of a chart",
            limit: VERSION_VECTOR_MAX_HEADS,
        })?;
    }
    Ok(vector)
}

fn leaves(conn: &Connection, from: u64, to: u64) -> Result<Vec<EnvelopeHash>, Fault> {
    let first = if from == 0 && to > 0 { reopened(conn)?.map(|log| log.leaf) } else { None };
    let limit = LEAVES_MAX.saturating_sub(u64::from(first.is_some()));
    let range = (bound(from), bound(to), bound(limit));
    let rest = all(conn, sql::OLOG_LEAVES, range, |row| Ok(EnvelopeHash::from_bytes(row.get(0)?)))?;
    Ok(first.into_iter().chain(rest).collect())
}

fn entries_at(conn: &Connection, name: ChainName, places: &[u64]) -> Result<Vec<(u64, EntryId)>, Fault> {
    let Some(chain) = chain(conn, name.0, name.1, name.2)? else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for &seq in places {
        let found = one(conn, sql::ENTRY_AT, params![chain.id, bound(seq)], |row| {
            Ok(EntryId::from_bytes(row.get(0)?))
        })?;
        out.extend(found.map(|entry| (seq, entry)));
    }
    Ok(out)
}

impl SqliteStore {
    /// Remembers the new end of a chain; the outcome is committed by now.
    fn note_end(
        &self,
        (chain, head): ChainEnd,
        outcome: Result<Appended, AppendRefusal>,
    ) -> Result<Appended, AppendError> {
        let appended = outcome?;
        if appended.placed.last().is_some_and(|last| last.new) {
            self.inner.heads.note(chain, head);
        }
        Ok(appended)
    }
}

impl OlogStore for SqliteStore {
    async fn append_operations(
        &self,
        push: Vec<NewOperation>,
        received_at: TimestampMs,
    ) -> Result<Appended, AppendError> {
        let push = Prepared::new(NewPush { operations: push, received_at })?;
        let (bytes, end) = (push.bytes, push.end);
        let quotas = self.quotas();
        let outcome = self.inner.writer.write(bytes, move |conn| push.append(conn, &quotas)).await?;
        self.note_end(end, outcome)
    }

    async fn append_pushes(&self, pushes: Vec<NewPush>) -> Vec<Result<Appended, AppendError>> {
        let quotas = self.quotas();
        let prepared: Vec<_> = pushes.into_iter().map(Prepared::new).collect();
        let (mut works, mut ends) = (Vec::with_capacity(prepared.len()), Vec::with_capacity(prepared.len()));
        for push in prepared {
            ends.push(push.as_ref().map(|push| push.end).map_err(Clone::clone));
            works.extend(push.map(|push| (push.bytes, move |conn: &Connection| push.append(conn, &quotas))));
        }
        let mut outcomes = self.inner.writer.write_together(works).await.into_iter();
        // A push that could not be prepared was not handed over and has no outcome.
        let answer = |end: Result<ChainEnd, AppendError>| {
            let end = end?;
            let stopped = || StoreError::Stopped { why: "the writer gave no answer".to_owned() };
            self.note_end(end, outcomes.next().ok_or_else(stopped)??)
        };
        ends.into_iter().map(answer).collect()
    }

    async fn operations_page(&self, request: PageRequest) -> Result<OperationsPage, StoreError> {
        self.inner.readers.read(move |conn| page(conn, request)).await
    }

    async fn have(&self, chart: ChartId) -> Result<VersionVector, StoreError> {
        self.inner.readers.read(move |conn| have(conn, chart)).await
    }

    async fn chain_head(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
    ) -> Result<Option<Head>, StoreError> {
        if let Some(head) = self.inner.heads.get(&(chart, device, incarnation)) {
            return Ok(Some(head));
        }
        let found = self.inner.readers.read(move |conn| chain(conn, chart, device, incarnation)).await?;
        Ok(found.map(|chain| chain.head))
    }

    async fn operation_at(&self, index: u64) -> Result<Option<StoredOperation>, StoreError> {
        let found = self.inner.readers.read(move |conn| operations_from(conn, index, 1)).await?;
        Ok(found.into_iter().next().filter(|operation| operation.index == index))
    }

    async fn olog_leaves(&self, from: u64, to: u64) -> Result<Vec<EnvelopeHash>, StoreError> {
        self.inner.readers.read(move |conn| leaves(conn, from, to)).await
    }

    async fn olog_size(&self) -> Result<u64, StoreError> {
        self.inner.readers.read(olog_size).await
    }

    async fn chain_entries(
        &self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
        places: Vec<u64>,
    ) -> Result<Vec<(u64, EntryId)>, StoreError> {
        let name = (chart, device, incarnation);
        self.inner.readers.read(move |conn| entries_at(conn, name, &places)).await
    }

    async fn repair_operation(&self, index: u64, bytes: Vec<u8>) -> Result<bool, StoreError> {
        let size = bytes.len();
        self.inner.writer.write(size, move |conn| repair(conn, index, &bytes)).await
    }

    async fn olog_reopened(&self) -> Result<Option<ReopenedLog>, StoreError> {
        self.inner.readers.read(reopened).await
    }

    async fn reopen_olog(&self, log: ReopenedLog) -> Result<(), StoreError> {
        self.inner.writer.write(0, move |conn| reopen(conn, log)).await
    }
}
