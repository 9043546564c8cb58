//! Verifying what came with a checkpoint, some of it with each sync or all of it at once: the state,
//! and signatures that a former program left unchecked. A checkpoint that does not hold is thrown
//! away, its author is named, and the chart is fetched envelope by envelope. Where only the server
//! says something else, what people signed stays.

use super::checkpoints::ChartRows;
use super::{Client, SyncProblem};
use crate::limits::{CHECKPOINT_VERIFIED_PER_SYNC, VERIFIED_AT_A_TIME};
use crate::store::{BasePageRecord, BaseStateRecord, Batch, CursorRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport, parallel};
use ward_id::{ChartId, EntryId};
use ward_sync::limits::FOLD_RULES;
use ward_sync::{
    Checkpoint, CheckpointFault, CheckpointTrust, Decoded, DeviceRecord, Payload, SignedEntry, roots_of_rows,
};

/// How far the copy of a chart was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartTrust {
    /// Every entry was verified by this device.
    Whole,
    /// It began with a checkpoint. Every entry was verified, but of their places the server says something else
    /// than the checkpoint's author signed: what it says of the order in which they came is not to be relied on.
    PlacesDiffer,
    /// It began with a checkpoint: its authors signed all entries, but whether they come to the state
    /// that the checkpoint names was not computed yet.
    BeingVerified {
        /// Entries whose signatures were checked.
        verified: u64,
        /// Entries of the checkpoint.
        of: u64,
        /// Devices of two people signed it: it may be used as it is. Otherwise say that it is being
        /// verified wherever it is shown.
        two_persons: bool,
    },
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// How far the copy of a chart was verified.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`].
    pub fn chart_trust(&self, chart: ChartId) -> Result<ChartTrust, ClientError> {
        let open = self.device()?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let base = match local.base.as_ref() {
            Some(base) if !base.complete => base,
            Some(base) if base.places_differ(open.olog_begin()) => return Ok(ChartTrust::PlacesDiffer),
            _ => return Ok(ChartTrust::Whole),
        };
        let known = self.known_checkpoints(chart).into_iter().find(|known| known.entry == base.checkpoint);
        let two_persons = known.as_ref().is_some_and(|known| known.trust == CheckpointTrust::TwoPersons);
        let of = known.map_or(base.verified, |known| known.checkpoint.count);
        Ok(ChartTrust::BeingVerified { verified: base.verified, of, two_persons })
    }

    /// Verifies everything that came with checkpoints and was not verified yet. Gives what was wrong.
    ///
    /// # Errors
    /// [`ClientError::Locked`], [`ClientError::NotEnrolled`], [`ClientError::Store`].
    pub async fn verify_checkpoints(&mut self) -> Result<Vec<SyncProblem>, ClientError> {
        let mut problems = Vec::new();
        for chart in self.chart_ids() {
            while let Some(found) = self.verify_some(chart, VERIFIED_AT_A_TIME).await? {
                problems.extend(found);
            }
        }
        Ok(problems)
    }

    /// The part of a sync: a bounded number of signatures, and none of what this very sync began with.
    pub(super) async fn verify_bases(&mut self) -> Vec<SyncProblem> {
        let mut problems = Vec::new();
        let mut left = CHECKPOINT_VERIFIED_PER_SYNC;
        for chart in self.chart_ids() {
            let Ok(open) = self.device_mut() else { return problems };
            if std::mem::take(&mut open.chart_or_new(chart).base_new) {
                continue;
            }
            let verified = if left == 0 { Ok(None) } else { self.verify_some(chart, left).await };
            match verified {
                Ok(None) => match self.compare_places_again(chart).await {
                    Ok(found) => problems.extend(found),
                    Err(error) => problems.push(SyncProblem::of_error("checkpoint", error)),
                },
                Ok(Some(found)) => {
                    problems.extend(found);
                    // Each entry of the base went into the state that was compared.
                    let base = self.device().ok().and_then(|open| open.charts.get(&chart)?.base.as_ref());
                    left =
                        left.saturating_sub(base.map_or(left, |base| {
                            usize::try_from(base.verified).unwrap_or(usize::MAX).max(1)
                        }));
                }
                Err(error) => problems.push(SyncProblem::of_error("checkpoint", error)),
            }
        }
        problems
    }

    /// Checks up to so many signatures of a base, and the state with the last of them. `None` if
    /// nothing is left to do; else what was found wrong.
    async fn verify_some(
        &mut self,
        chart: ChartId,
        at_most: usize,
    ) -> Result<Option<Option<SyncProblem>>, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(None) };
        let Some(base) = local.base.clone().filter(|base| !base.complete) else { return Ok(None) };
        if base.upto < open.olog_begin() {
            return self.verify_former_base(chart, base).await;
        }
        let rows = local.chart.arrived_upto(base.upto);
        let from = usize::try_from(base.verified).unwrap_or(usize::MAX).min(rows.len());
        let part = rows.get(from..from.saturating_add(at_most).min(rows.len())).unwrap_or(&[]);
        let entries: Vec<&SignedEntry> = part.iter().map(|(.., entry)| *entry).collect();
        let verified = from + entries.len();
        let fault = self.unsigned(chart, &entries)?.map(CheckpointFault::Signature);
        let complete = fault.is_none() && verified == rows.len();
        let fault = match fault {
            None if complete => self.base_fault(chart, base.checkpoint).await?,
            fault => fault,
        };
        let said = match fault {
            None => None,
            // The server's word of places, and no more: every signature was checked, and the entries come
            // to the state.
            Some(fault @ CheckpointFault::Places) => {
                let (device, entry) = (base.author, base.checkpoint);
                Some(SyncProblem::BadCheckpoint { chart, device, entry, fault })
            }
            Some(fault) => {
                return self.throw_base_away(chart, &base, fault).await.map(|said| Some(Some(said)));
            }
        };
        let places_differ = said.is_some().then_some(true);
        let state = BaseStateRecord { verified: verified as u64, complete, places_differ, ..base };
        self.keep_base_state(chart, state).await?;
        Ok(Some(said))
    }

    /// Says again that the places of a base differ, until they are those that its author signed.
    async fn compare_places_again(&mut self, chart: ChartId) -> Result<Option<SyncProblem>, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(None) };
        let base = local.base.clone().filter(|base| base.places_differ(open.olog_begin()));
        let Some(base) = base else { return Ok(None) };
        let Some(Decoded::Known(Payload::Checkpoint(said))) =
            local.chart.get(base.checkpoint).map(|entry| entry.body().decode_payload())
        else {
            return Ok(None);
        };
        if self.compare_checkpoint_once(chart, base.checkpoint, &said)?.is_ok() {
            self.keep_base_state(chart, BaseStateRecord { places_differ: None, ..base }).await?;
            return Ok(None);
        }
        // Its content was compared when it was verified: whatever differs now is the server's word.
        let (device, entry, fault) = (base.author, base.checkpoint, CheckpointFault::Places);
        Ok(Some(SyncProblem::BadCheckpoint { chart, device, entry, fault }))
    }

    /// Checks what came with a checkpoint of a log that has ended since. Its places are none any more,
    /// and the chart is fetched whole from the log that counts; entries that only the old log had stay
    /// if their authors signed them.
    async fn verify_former_base(
        &mut self,
        chart: ChartId,
        base: BaseStateRecord,
    ) -> Result<Option<Option<SyncProblem>>, ClientError> {
        let mut entries = Vec::new();
        for page in self.base_pages(chart).await? {
            for row in page.rows {
                entries.push(SignedEntry::from_stored(&row.entry)?);
            }
        }
        let listed: Vec<&SignedEntry> = entries.iter().collect();
        if let Some(entry) = self.unsigned(chart, &listed)? {
            let fault = CheckpointFault::Signature(entry);
            return self.throw_base_away(chart, &base, fault).await.map(|problem| Some(Some(problem)));
        }
        let state = BaseStateRecord { verified: entries.len() as u64, complete: true, ..base };
        self.keep_base_state(chart, state).await?;
        Ok(Some(None))
    }

    async fn keep_base_state(&mut self, chart: ChartId, state: BaseStateRecord) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.put(Table::Checkpoints, chart.as_bytes().as_slice(), &state);
        self.commit_growth(batch, Growth::Submission).await?;
        self.device_mut()?.chart_or_new(chart).base = Some(state);
        self.raise_mark(None).await;
        Ok(())
    }

    /// The first entry that its author's device did not sign.
    pub(super) fn unsigned(
        &self,
        chart: ChartId,
        entries: &[&SignedEntry],
    ) -> Result<Option<EntryId>, ClientError> {
        let membership = &self.device()?.mlog.membership;
        let verdicts = parallel::map_parts(entries, |entries| {
            let cert =
                |entry: &&SignedEntry| membership.device(chart, entry.frame().device).map(DeviceRecord::cert);
            let pairs: Vec<_> = entries.iter().filter_map(|entry| Some((*entry, cert(entry)?))).collect();
            let mut checked = SignedEntry::verify_all(&pairs).into_iter();
            let verdict =
                |entry: &&SignedEntry| cert(entry).is_some() && checked.next().is_some_and(|one| one.is_ok());
            entries.iter().map(verdict).collect::<Vec<bool>>()
        });
        let bad = entries.iter().zip(verdicts).find(|(_, holds)| !holds);
        Ok(bad.map(|(entry, _)| entry.id()))
    }

    /// Whether the entries come to something else than the checkpoint says; of a checkpoint by other
    /// rules nothing can be said.
    async fn base_fault(
        &mut self,
        chart: ChartId,
        checkpoint: EntryId,
    ) -> Result<Option<CheckpointFault>, ClientError> {
        let Some(local) = self.device()?.charts.get(&chart) else { return Ok(None) };
        let Some(entry) = local.chart.get(checkpoint) else { return Ok(None) };
        let Decoded::Known(Payload::Checkpoint(said)) = entry.body().decode_payload() else {
            return Ok(None);
        };
        let fault = self.compare_checkpoint_once(chart, checkpoint, &said)?.err();
        if fault != Some(CheckpointFault::Places) {
            return Ok(fault);
        }
        // What the server moved, left out or added since hides whether the author signed wrong. What came
        // with the checkpoint itself tells.
        Ok(self.fault_of_content(chart, &said).await?.or(fault))
    }

    /// What is wrong with a checkpoint by what came with it, whatever the server said since.
    async fn fault_of_content(
        &self,
        chart: ChartId,
        said: &Checkpoint,
    ) -> Result<Option<CheckpointFault>, ClientError> {
        let mut entries = Vec::new();
        for page in self.base_pages(chart).await? {
            for row in page.rows {
                entries.push((row.index, row.received_at, SignedEntry::from_stored(&row.entry)?));
            }
        }
        entries.sort_by_key(|(index, ..)| *index);
        let rows: ChartRows<'_> = entries.iter().map(|(index, at, entry)| (*index, *at, entry)).collect();
        if let Err(fault) = roots_of_rows(rows.iter().copied()).and_then(|roots| roots.check(said)) {
            return Ok(Some(fault));
        }
        let differs = said.rules == FOLD_RULES && self.state_of(chart, &rows)? != said.state_root;
        Ok(differs.then_some(CheckpointFault::State))
    }

    /// The pages of what a chart began with.
    async fn base_pages(&self, chart: ChartId) -> Result<Vec<BasePageRecord>, ClientError> {
        let pages = self.rows.records::<BasePageRecord>(Table::CheckpointPages).await?;
        let of_chart = pages.into_iter().filter(|(id, _)| id.starts_with(chart.as_bytes()));
        Ok(of_chart.map(|(_, page)| page).collect())
    }

    /// Forgets what came with a checkpoint; the chart is then fetched from its first envelope on.
    async fn throw_base_away(
        &mut self,
        chart: ChartId,
        base: &BaseStateRecord,
        fault: CheckpointFault,
    ) -> Result<SyncProblem, ClientError> {
        let mut batch = Batch::default();
        for (id, _) in self.rows.records::<BasePageRecord>(Table::CheckpointPages).await? {
            if id.starts_with(chart.as_bytes()) {
                batch.delete(Table::CheckpointPages, id);
            }
        }
        batch.delete(Table::Checkpoints, chart.as_bytes().as_slice());
        batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after: None });
        self.commit(batch).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        (local.base, local.cursor) = (None, None);
        local.bad_checkpoints.insert(base.checkpoint, fault);
        local.held.retain(|index| *index > base.upto);
        self.raise_mark(None).await;
        self.reload_chart(chart).await?;
        Ok(SyncProblem::BadCheckpoint { chart, device: base.author, entry: base.checkpoint, fault })
    }
}
