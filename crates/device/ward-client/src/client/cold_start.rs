//! Beginning with a checkpoint: a device that has nothing of a large chart looks for the newest
//! checkpoint among the last envelopes, fetches its blob, and fetches only what came after it.

use super::base_rows::stage_base;
use super::checkpoints::KnownCheckpoint;
use super::pull::{brings_nothing, received};
use super::{Client, SyncProblem, as_error};
use crate::limits::{COLD_START_FIRST_PLACES, COLD_START_WIDER, PAGES_PER_PULL, PULL_PAGE_BYTES};
use crate::store::{BaseStateRecord, Batch, CursorRecord, ReceivedRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport, parallel};
use ward_audit::LogView;
use ward_crypto::{BlobLayout, BlobOpener};
use ward_id::ChartId;
use ward_sync::limits::CHECKPOINT_EVERY_ENTRIES;
use ward_sync::{
    Arrival, Checkpoint, CheckpointFault, CheckpointRow, CheckpointTrust, SignedEntry, decode_content,
    roots_of_rows,
};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("checkpoint", error.into())
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Begins a chart of which nothing is here with a checkpoint, if it is large and has one. Gives
    /// the number of entries that came; 0 leaves everything to the pages.
    ///
    /// # Errors
    /// A checkpoint that is not what it says: it is not used, and the pages are fetched.
    pub(super) async fn cold_start(&mut self, chart: ChartId) -> Result<u64, SyncProblem> {
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        if local.cursor.is_some() || local.base.is_some() || !local.held.is_empty() {
            return Ok(0);
        }
        let theirs = self.ask_have(chart).await?;
        let entries: u64 = theirs.heads.iter().map(|(.., head)| head.seq).sum();
        if entries < CHECKPOINT_EVERY_ENTRIES / 2 {
            return Ok(0);
        }
        let Some((found, last, tail)) = self.find_checkpoint(chart).await? else { return Ok(0) };
        let rows = match self
            .fetch_base(chart, &found.checkpoint)
            .await
            .and_then(|rows| self.all_signed(chart, rows))
        {
            Ok(Ok(rows)) => rows,
            // Its author's device has not sent it yet.
            Err(ClientError::AttachmentNotHere { .. }) => return Ok(0),
            Err(error) => return Err(failed(error)),
            Ok(Err(fault)) => {
                let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
                local.bad_checkpoints.insert(found.entry, fault);
                return Err(found.bad(chart, fault));
            }
        };
        let count = rows.len() as u64;
        self.keep_base(chart, &found, rows, last).await.map_err(failed)?;
        Ok(count + tail)
    }

    /// The newest checkpoint that two people signed among the last envelopes, or else the newest of
    /// one; with everything after it fetched, and the last place. The envelopes that are looked
    /// through come after it, so none is fetched in vain.
    async fn find_checkpoint(
        &mut self,
        chart: ChartId,
    ) -> Result<Option<(KnownCheckpoint, u64, u64)>, SyncProblem> {
        let head = self.device().map_err(failed)?.olog.as_ref().and_then(LogView::head);
        let size = head.map_or(0, |head| head.head().size);
        let begin = self.device().map_err(failed)?.olog_begin();
        let (mut places, mut last, mut tail) = (COLD_START_FIRST_PLACES, None, 0);
        let mut until = u64::MAX;
        while let Some(after) = size.checked_sub(places) {
            let after = begin.saturating_add(after);
            let (fetched, newest) = self.fetch_tail(chart, after, until).await?;
            tail += fetched;
            last = last.max(newest);
            until = after;
            let local = self.device().map_err(failed)?.charts.get(&chart);
            let bad = local.map(|local| local.bad_checkpoints.keys().copied().collect::<Vec<_>>());
            let usable = |known: &KnownCheckpoint| {
                known.checkpoint.upto >= after && bad.as_ref().is_none_or(|bad| !bad.contains(&known.entry))
            };
            let mut known: Vec<_> = self.known_checkpoints(chart).into_iter().filter(usable).collect();
            let place =
                known.iter().position(|known| known.trust == CheckpointTrust::TwoPersons).unwrap_or(0);
            if let (Some(last), true) = (last, place < known.len()) {
                return Ok(Some((known.swap_remove(place), last, tail)));
            }
            places = places.saturating_mul(COLD_START_WIDER);
        }
        Ok(None)
    }

    /// Fetches envelopes after a place and up to another without moving the cursor.
    async fn fetch_tail(
        &mut self,
        chart: ChartId,
        after: u64,
        until: u64,
    ) -> Result<(u64, Option<u64>), SyncProblem> {
        let (mut fetched, mut last, mut from) = (0, None, after);
        for _ in 0..PAGES_PER_PULL {
            let page = self.fetch_page(chart, Some(from), PULL_PAGE_BYTES).await?;
            let (more, newest) = (page.more, page.rows.last().map(|row| row.index));
            let fresh: Vec<ReceivedRecord> =
                page.rows.into_iter().filter(|row| row.index <= until).map(received).collect();
            last = last.max(newest);
            fetched += fresh.len() as u64;
            let is_new = !fresh.is_empty();
            let opened = self.opened(chart, fresh).map_err(failed)?;
            let opened = opened.within_surplus(self.device_mut().map_err(failed)?.chart_or_new(chart));
            if is_new && opened.first_place().is_none() {
                return Err(brings_nothing(chart));
            }
            if let Some(first) = opened.first_place() {
                let id = row_id(&[chart.as_bytes(), &first.to_be_bytes()]);
                match self.keep_page(chart, id, opened, None).await {
                    Ok(()) | Err(SyncProblem::BadEnvelope { .. } | SyncProblem::DeviceFork { .. }) => {}
                    Err(problem) => return Err(problem),
                }
            }
            match newest {
                Some(newest) if more && newest < until => from = newest,
                _ => break,
            }
        }
        Ok((fetched, last))
    }

    /// The envelopes of what came with a checkpoint, fetched and opened, and not kept: for whoever
    /// must show them to others.
    pub(crate) async fn base_envelopes(
        &mut self,
        chart: ChartId,
    ) -> Result<Vec<ReceivedRecord>, ClientError> {
        let base = self.device()?.charts.get(&chart).and_then(|local| local.base.as_ref());
        let Some(upto) = base.map(|base| base.upto) else { return Ok(Vec::new()) };
        let (mut out, mut after) = (Vec::new(), None);
        for _ in 0..PAGES_PER_PULL {
            let page = self.fetch_page(chart, after, PULL_PAGE_BYTES).await.map_err(as_error)?;
            let (more, newest) = (page.more, page.rows.last().map(|row| row.index));
            let covered = page.rows.into_iter().filter(|row| row.index <= upto).map(received).collect();
            out.extend(self.opened(chart, covered)?.into_rows());
            match newest {
                Some(newest) if more && newest < upto => after = Some(newest),
                _ => break,
            }
        }
        Ok(out)
    }

    /// Fetches and opens the content of a checkpoint, and compares everything that needs no
    /// certificate.
    async fn fetch_base(
        &mut self,
        chart: ChartId,
        checkpoint: &Checkpoint,
    ) -> Result<Result<Vec<CheckpointRow>, CheckpointFault>, ClientError> {
        let layout = BlobLayout::of_size(checkpoint.size)?;
        let mut opener = BlobOpener::new(checkpoint.key.clone(), checkpoint.blob())?;
        let mut content = Vec::with_capacity(usize::try_from(checkpoint.size).unwrap_or_default());
        for chunk in 0..layout.chunks() {
            let sealed = self.fetch_chunk(chart, checkpoint.address, chunk).await?;
            content.extend_from_slice(&opener.next(&sealed).map_err(|_| ClientError::AttachmentDamaged)?);
        }
        if opener.finish().is_err() {
            return Ok(Err(CheckpointFault::Entries));
        }
        let Ok(rows) = decode_content(&content) else { return Ok(Err(CheckpointFault::Entries)) };
        let read =
            parallel::map_parts(&rows, |rows| rows.iter().map(|row| CheckpointRow::read(row)).collect());
        let Ok(rows) = read.into_iter().collect::<Result<Vec<CheckpointRow>, _>>() else {
            return Ok(Err(CheckpointFault::Entries));
        };
        let site = self.device()?.me.site;
        let own = |row: &CheckpointRow| (row.entry.frame().site, row.entry.frame().chart) == (site, chart);
        if !rows.iter().all(own) {
            return Ok(Err(CheckpointFault::Entries));
        }
        let roots = roots_of_rows(rows.iter().map(|row| (row.index, row.received_at, &row.entry)));
        Ok(roots.and_then(|roots| roots.check(checkpoint)).map(|()| rows))
    }

    /// The rows, if every entry bears the signature of its author's device. Nothing enters the chart
    /// before: what this device writes next may name any entry of it as a cause, and what names a
    /// made-up entry waits for it on every device for ever.
    fn all_signed(
        &self,
        chart: ChartId,
        rows: Result<Vec<CheckpointRow>, CheckpointFault>,
    ) -> Result<Result<Vec<CheckpointRow>, CheckpointFault>, ClientError> {
        let Ok(rows) = rows else { return Ok(rows) };
        let entries: Vec<&SignedEntry> = rows.iter().map(|row| &row.entry).collect();
        let unsigned = self.unsigned(chart, &entries)?;
        Ok(unsigned.map_or(Ok(rows), |entry| Err(CheckpointFault::Signature(entry))))
    }

    /// Stores a base with the cursor behind its tail in one commit, then takes its entries.
    async fn keep_base(
        &mut self,
        chart: ChartId,
        found: &KnownCheckpoint,
        rows: Vec<CheckpointRow>,
        last: u64,
    ) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        let listed: Vec<_> = rows.iter().map(|row| (row.index, row.received_at, &row.entry)).collect();
        stage_base(&mut batch, chart, &listed);
        let after = Some(last.max(found.checkpoint.upto));
        batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after });
        let state = BaseStateRecord {
            checkpoint: found.entry,
            author: found.author,
            upto: found.checkpoint.upto,
            verified: rows.len() as u64,
            complete: false,
            places_differ: None,
        };
        batch.put(Table::Checkpoints, chart.as_bytes().as_slice(), &state);
        self.commit_growth(batch, Growth::Text).await?;
        let open = self.device_mut()?;
        rows.iter().for_each(|row| open.named_heads.note_entry(&row.entry));
        let local = open.chart_or_new(chart);
        (local.base, local.base_new, local.cursor) = (Some(state), true, after);
        local.opened_said = false;
        for row in rows {
            local.held.insert(row.index);
            local.insert(row.entry, Arrival::at(row.index, row.received_at));
        }
        self.raise_mark(None).await;
        Ok(())
    }
}
