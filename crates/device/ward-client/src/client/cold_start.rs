//! Beginning with a checkpoint: a device that has nothing of a large chart looks for the newest
//! checkpoint among the last envelopes, fetches its blob, and fetches only what came after it.

use super::checkpoints::KnownCheckpoint;
use super::meet_chart::Theirs;
use super::pull::{brings_nothing, received};
use super::read_base::{BaseEntry, BaseReader, ReadBase};
use super::{Client, SyncProblem, SyncReport, as_error};
use crate::limits::{COLD_START_FIRST_PLACES, COLD_START_WIDER, PAGES_PER_PULL, PULL_PAGE_BYTES};
use crate::parallel::Beside;
use crate::store::{BaseStateRecord, Batch, CursorRecord, ReceivedRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::collections::BTreeMap;
use ward_audit::LogView;
use ward_crypto::{BlobLayout, BlobOpener, sha256};
use ward_id::{Canonical as _, ChartId};
use ward_sync::limits::CHECKPOINT_EVERY_ENTRIES;
use ward_sync::{Arrival, Checkpoint, CheckpointFault, CheckpointTrust};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("checkpoint", error.into())
}

/// Places of the operation log after which a checkpoint is looked for, one after the other: more and more
/// of the last ones, and near the beginning half of what is left. The checkpoint may be the last word of
/// a chart, with all that it covers right before it.
struct Looked {
    size: u64,
    places: u64,
    from: u64,
}

impl Looked {
    const fn new(size: u64) -> Self {
        Self { size, places: COLD_START_FIRST_PLACES, from: size }
    }
}

impl Iterator for Looked {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if self.from == 0 {
            return None;
        }
        self.from = self.size.checked_sub(self.places).unwrap_or(self.from / 2);
        self.places = self.places.saturating_mul(COLD_START_WIDER);
        Some(self.from)
    }
}

/// A chart that begins with a checkpoint whose content is being read.
struct Beginning {
    chart: ChartId,
    found: KnownCheckpoint,
    /// The last place of the envelopes that came after it.
    last: u64,
    /// How many those were.
    tail: u64,
    read: Beside<Result<ReadBase, CheckpointFault>>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Begins charts of which nothing is here with a checkpoint each, those that are large and have one. What
    /// one says is compared while the next one is fetched. The others, and those whose checkpoint does not
    /// hold, are left to the pages; those of which the server has nothing either are added to `same`.
    pub(super) async fn begin_charts(
        &mut self,
        charts: &[ChartId],
        same: &mut BTreeMap<ChartId, [u8; 32]>,
        report: &mut SyncReport,
    ) {
        let mut under_way: Option<Beginning> = None;
        for chart in charts {
            if same.contains_key(chart) {
                continue;
            }
            if self.server_waits(report) {
                break;
            }
            // Who cannot be asked is asked again when the chart is met, and what comes of it is said then.
            let theirs = match self.ask_have(*chart).await {
                Ok(theirs) => theirs,
                Err(SyncProblem::Failed { error: ClientError::Transport(_), .. }) => break,
                Err(_) => continue,
            };
            if theirs.same && theirs.wanted.is_empty() {
                same.insert(*chart, sha256(&theirs.heads.to_canonical()));
                continue;
            }
            match self.beginning(*chart, &theirs).await {
                Ok(None) => {}
                // The pages do without it.
                Err(problem) => report.problems.push(problem),
                Ok(Some(next)) => {
                    if let Some(ready) = under_way.replace(next) {
                        self.keep_beginning(ready, report).await;
                    }
                }
            }
        }
        if let Some(last) = under_way {
            self.keep_beginning(last, report).await;
        }
    }

    /// Fetches the checkpoint of a chart that is to begin with one, and begins to read it.
    async fn beginning(&mut self, chart: ChartId, theirs: &Theirs) -> Result<Option<Beginning>, SyncProblem> {
        let entries: u64 = theirs.heads.iter().map(|(.., head)| head.seq).sum();
        let Some((found, last, tail)) = self.find_checkpoint(chart, entries).await? else { return Ok(None) };
        let content = match self.fetch_base(chart, &found.checkpoint).await {
            Ok(content) => content,
            // Its author's device has not sent it yet.
            Err(ClientError::AttachmentNotHere { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let reader = BaseReader::new(self.device().map_err(failed)?, chart, &found.checkpoint);
        let read = Beside::begin(move || reader.read(&content.ok_or(CheckpointFault::Entries)?));
        Ok(Some(Beginning { chart, found, last, tail, read }))
    }

    async fn keep_beginning(&mut self, beginning: Beginning, report: &mut SyncReport) {
        match self.begun(beginning).await {
            Ok(pulled) => report.pulled += pulled,
            Err(problem) => report.problems.push(problem),
        }
    }

    /// Keeps what a chart begins with in one commit, with the cursor behind its tail, and takes the entries.
    /// Gives how many envelopes came with it.
    async fn begun(&mut self, beginning: Beginning) -> Result<u64, SyncProblem> {
        let Beginning { chart, found, last, tail, read } = beginning;
        let mut base = match read.result() {
            Some(Ok(base)) => base,
            Some(Err(fault)) => {
                let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
                local.bad_checkpoints.insert(found.entry, fault);
                return Err(found.bad(chart, fault));
            }
            None => return Ok(0),
        };
        let mut batch = Batch::default();
        for (first, page) in base.pages.drain(..) {
            let id = row_id(&[chart.as_bytes(), &first.to_be_bytes()]);
            batch.put_bytes(Table::CheckpointPages, id, page);
        }
        let after = Some(last.max(found.checkpoint.upto));
        batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after });
        let state = BaseStateRecord {
            checkpoint: found.entry,
            author: found.author,
            upto: found.checkpoint.upto,
            verified: base.entries.len() as u64,
            complete: false,
            places_differ: None,
        };
        batch.put(Table::Checkpoints, chart.as_bytes().as_slice(), &state);
        self.commit_growth(batch, Growth::Text).await.map_err(failed)?;
        let pulled = state.verified + tail;
        self.take_base(chart, base, state, after).await.map_err(failed)?;
        self.raise_mark(None).await;
        Ok(pulled)
    }

    /// Takes what a chart begins with into memory.
    async fn take_base(
        &mut self,
        chart: ChartId,
        base: ReadBase,
        state: BaseStateRecord,
        after: Option<u64>,
    ) -> Result<(), ClientError> {
        let open = self.device_mut()?;
        let known_from = open.mlog.membership.olog_known_from();
        for row in &base.entries {
            open.named_heads.note_entry(row.read.entry(), None, known_from);
        }
        let local = open.chart_or_new(chart);
        (local.base, local.base_new, local.cursor) = (Some(state), true, after);
        local.opened_said = false;
        for BaseEntry { index, received_at, read } in base.entries {
            local.held.insert(index);
            local.insert_read(read, Arrival::at(index, received_at));
        }
        self.leave_outdone_places(chart).await?;
        self.settle_places(chart).await
    }

    /// The newest checkpoint that two people signed among the last envelopes, or else the newest of
    /// one; with everything after it fetched, and the last place. The envelopes that are looked
    /// through come after it, so few are fetched in vain. It is not looked for where too little of the
    /// chart's entries would be left for it.
    async fn find_checkpoint(
        &mut self,
        chart: ChartId,
        entries: u64,
    ) -> Result<Option<(KnownCheckpoint, u64, u64)>, SyncProblem> {
        let head = self.device().map_err(failed)?.olog.as_ref().and_then(LogView::head);
        let size = head.map_or(0, |head| head.head().size);
        let begin = self.device().map_err(failed)?.olog_begin();
        let (mut looked, mut last, mut tail) = (Looked::new(size), None, 0);
        let mut until = u64::MAX;
        while tail + CHECKPOINT_EVERY_ENTRIES / 2 <= entries
            && let Some(after) = looked.next()
        {
            let after = begin.saturating_add(after);
            let Some((fetched, newest)) = self.fetch_tail(chart, after, until).await? else {
                return Ok(None);
            };
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
        }
        Ok(None)
    }

    /// Fetches envelopes after a place and up to another without moving the cursor: how many, and up to which
    /// place everything is known. `None` if a server whose pages hold little would go on for too long.
    async fn fetch_tail(
        &mut self,
        chart: ChartId,
        after: u64,
        until: u64,
    ) -> Result<Option<(u64, Option<u64>)>, SyncProblem> {
        let (mut fetched, mut last, mut from) = (0, None, after);
        for _ in 0..PAGES_PER_PULL {
            let page = self.fetch_page(chart, Some(from), PULL_PAGE_BYTES).await?;
            let (more, newest) = (page.more, page.rows.last().map(|row| row.index));
            let fresh: Vec<ReceivedRecord> =
                page.rows.into_iter().filter(|row| row.index <= until).map(received).collect();
            // What came up to here and lies beyond is not kept: it is fetched after the cursor.
            last = last.max(newest.map(|newest| newest.min(until)));
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
                _ => return Ok(Some((fetched, last))),
            }
        }
        Ok(None)
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

    /// Fetches and opens the content of a checkpoint; `None` if it is another one than the checkpoint names.
    async fn fetch_base(
        &mut self,
        chart: ChartId,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Vec<u8>>, ClientError> {
        let layout = BlobLayout::of_size(checkpoint.size)?;
        let mut opener = BlobOpener::new(checkpoint.key.clone(), checkpoint.blob())?;
        let mut content = Vec::with_capacity(usize::try_from(checkpoint.size).unwrap_or_default());
        for chunk in 0..layout.chunks() {
            let sealed = self.fetch_chunk(chart, checkpoint.address, chunk).await?;
            content.extend_from_slice(&opener.next(&sealed).map_err(|_| ClientError::AttachmentDamaged)?);
        }
        Ok(opener.finish().is_ok().then_some(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_looked_for_up_to_the_beginning_of_the_log() {
        let places: Vec<u64> = Looked::new(10_000).collect();
        assert_eq!(places[..7], [9_936, 9_744, 8_976, 5_904, 2_952, 1_476, 738]);
        for size in [1, 63, 64, 65, 4_095, 4_096, 1_000_000] {
            let places: Vec<u64> = Looked::new(size).collect();
            assert!(places.is_sorted_by(|a, b| a > b) && places.last() == Some(&0), "{places:?}");
        }
        assert_eq!(Looked::new(0).next(), None);
    }
}
