//! What a chart's copy begins with when it began with a checkpoint, or when covered history was
//! dropped: entries without their envelopes, which the server can be asked for again.

use super::olog_proofs::NamedHeads;
use super::open_device::{arrival, sealed_at};
use super::{Client, LocalChart, OpenDevice};
use crate::limits::{ENVELOPES_KEPT_MS, HISTORY_ROW_BYTES};
use crate::store::{BasePageRecord, BaseRecord, BaseStateRecord, Batch, SealedRows, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::{ChartId, TimestampMs};
use ward_sync::{CheckpointTrust, SignedEntry};

/// Takes a stored base page into memory.
pub(super) fn take_base_page(
    local: &mut LocalChart,
    named: &mut NamedHeads,
    (begin, known_from): (u64, u64),
    page: &BasePageRecord,
) -> Result<(), ClientError> {
    for row in &page.rows {
        let damaged = |_| ClientError::StoreDamaged { table: Table::CheckpointPages.name() };
        let entry = SignedEntry::from_stored(&row.entry).map_err(damaged)?;
        local.held.insert(row.index);
        named.note_entry(&entry, row.sealed_at, known_from);
        local.insert(entry, arrival(begin, row.index, row.received_at).sealed_under(row.sealed_at));
    }
    Ok(())
}

/// Where the operation log that counts begins, and from how many entries of the membership log on it is known.
pub(super) fn log_of(open: &OpenDevice) -> (u64, u64) {
    (open.olog_begin(), open.mlog.membership.olog_known_from())
}

/// Whether what the server took then is in every backup that anybody goes back to.
fn is_old(received_at: TimestampMs, now: TimestampMs) -> bool {
    now.since_ms(received_at) >= ENVELOPES_KEPT_MS
}

/// The chart that a row is about.
fn chart_of(table: Table, id: &[u8]) -> Result<ChartId, ClientError> {
    let chart = id.get(..ChartId::BYTES).and_then(ChartId::from_slice);
    chart.ok_or(ClientError::StoreDamaged { table: table.name() })
}

/// Reads every base from the store.
pub(super) async fn load_bases<S: RowStore>(
    rows: &SealedRows<S>,
    open: &mut OpenDevice,
) -> Result<(), ClientError> {
    for (id, page) in rows.records::<BasePageRecord>(Table::CheckpointPages).await? {
        let (log, chart) = (log_of(open), chart_of(Table::CheckpointPages, &id)?);
        let mut named = std::mem::take(&mut open.named_heads);
        take_base_page(open.chart_or_new(chart), &mut named, log, &page)?;
        open.named_heads = named;
    }
    for (id, state) in rows.records::<BaseStateRecord>(Table::Checkpoints).await? {
        open.chart_or_new(chart_of(Table::Checkpoints, &id)?).base = Some(state);
    }
    Ok(())
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Puts the base of one chart into memory again.
    pub(super) async fn reload_base(&mut self, chart: ChartId) -> Result<(), ClientError> {
        let pages = self.rows.records::<BasePageRecord>(Table::CheckpointPages).await?;
        let open = self.device_mut()?;
        let log = log_of(open);
        let mut named = std::mem::take(&mut open.named_heads);
        let local = open.chart_or_new(chart);
        for (id, page) in pages {
            if id.starts_with(chart.as_bytes()) {
                take_base_page(local, &mut named, log, &page)?;
            }
        }
        open.named_heads = named;
        Ok(())
    }

    /// Up to which place the history of a chart can be dropped: two people signed for it, and this
    /// device has verified all of it itself.
    fn droppable_upto(&self, chart: ChartId) -> Option<u64> {
        let local = self.device().ok()?.charts.get(&chart)?;
        let verified = local.base.as_ref().is_none_or(|base| base.complete);
        let newest = self.known_checkpoints(chart).into_iter().find(|known| {
            known.trust == CheckpointTrust::TwoPersons && !local.bad_checkpoints.contains_key(&known.entry)
        });
        newest.filter(|_| verified && local.unopened.is_empty()).map(|known| known.checkpoint.upto)
    }

    /// About how many bytes dropping covered history would free.
    pub(crate) fn droppable_history_bytes(&self) -> u64 {
        let Ok(open) = self.device() else { return 0 };
        let (begin, now) = (open.olog_begin(), self.trusted_now().unwrap_or_else(|| self.env_wall()));
        let covered = |(chart, local): (&ChartId, &LocalChart)| {
            let from = local.base.as_ref().map_or(0, |base| base.upto.saturating_add(1)).max(begin);
            let Some(upto) = self.droppable_upto(*chart).filter(|upto| *upto >= from) else { return 0 };
            let rows = local.chart.arrived_upto(upto);
            rows.iter().filter(|(index, at, _)| *index >= from && is_old(*at, now)).count() as u64
        };
        open.charts.iter().map(covered).sum::<u64>() * HISTORY_ROW_BYTES
    }

    /// Drops the envelopes of history that a checkpoint of two people covers; the entries stay. What came
    /// lately keeps its envelopes: a server that is restored may lack it, and takes envelopes only. Gives
    /// the number of envelopes.
    pub(crate) async fn drop_history(&mut self) -> Result<u64, ClientError> {
        let mut dropped = 0;
        for chart in self.chart_ids() {
            if let Some(upto) = self.droppable_upto(chart) {
                dropped += self.drop_history_of(chart, upto).await?;
            }
        }
        Ok(dropped)
    }

    async fn drop_history_of(&mut self, chart: ChartId, upto: u64) -> Result<u64, ClientError> {
        let newest = self.known_checkpoints(chart).into_iter().find(|known| known.checkpoint.upto == upto);
        let Some(newest) = newest else { return Ok(0) };
        // A place in a log that ended is covered by nothing.
        let (begin, now) =
            (self.device()?.olog_begin(), self.trusted_now().unwrap_or_else(|| self.env_wall()));
        let mut batch = Batch::default();
        let (mut dropped, mut pages, mut last) = (0, Vec::new(), 0);
        for (id, page) in self.pages_of(chart).await? {
            let covered = |row: &crate::store::ReceivedRecord| {
                (begin..=upto).contains(&row.index) && row.opened.is_some() && is_old(row.received_at, now)
            };
            if !page.rows.iter().all(covered) {
                continue;
            }
            dropped += page.rows.len() as u64;
            pages.extend(page.rows.first().map(|row| row.index));
            last = last.max(page.rows.last().map_or(0, |row| row.index));
            let row = |row: crate::store::ReceivedRecord| {
                let entry = row.opened?;
                let sealed_at = sealed_at(&row.envelope);
                Some(BaseRecord { index: row.index, received_at: row.received_at, entry, sealed_at })
            };
            let rows = page.rows.into_iter().filter_map(row).collect();
            // The larger row goes first: its room serves for the smaller one.
            batch.delete(Table::Pages, id.clone());
            batch.put(Table::CheckpointPages, id, &BasePageRecord { rows });
        }
        if dropped == 0 {
            return Ok(0);
        }
        let before = self.device()?.charts.get(&chart).and_then(|local| local.base.as_ref());
        let before = before.map_or(0, |base| base.upto);
        let state = BaseStateRecord {
            checkpoint: newest.entry,
            author: newest.author,
            upto: last.max(before),
            verified: newest.checkpoint.count,
            complete: true,
            places_differ: None,
        };
        batch.put(Table::Checkpoints, chart.as_bytes().as_slice(), &state);
        self.commit(batch).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        local.base = Some(state);
        pages.iter().for_each(|first| {
            local.pages.remove(first);
        });
        self.raise_mark(None).await;
        Ok(dropped)
    }
}
