//! Keeping the server to its promises: the operation log is followed, and what receipts promised
//! is looked for under cosigned heads.

use super::follow_mlog::log_trouble;
use super::load::head_row;
use super::reopened_log::awaits_recovery;
use super::{Client, SyncProblem, site_trust};
use crate::limits::INCLUSIONS_PER_SYNC;
use crate::store::{Batch, ComparedRecord, HeadRecord, ReceiptRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, Evidence, RowStore, Transport};
use ward_api::{LogName, paths};
use ward_audit::{
    Breach, Checkpoint, CosignedHead, LogView, LogViewError, Receipt, ReceiptBreach, leaf_hash, olog_leaf,
};
use ward_id::{Canonical as _, ChartId, EntryId};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("operation log", error.into())
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes the newest head of the operation log, shown to extend the one that is held.
    pub(crate) async fn follow_olog(&mut self) -> Result<(), SyncProblem> {
        let note = match self.fetch_olog_note().await {
            Ok(note) => note,
            Err(error) => {
                let problem = failed(error);
                if awaits_recovery(&problem) {
                    // What this device verified of the old log must not be forgotten.
                    let _brought = self.bring_old_checkpoint().await;
                }
                return Err(problem);
            }
        };
        let claimed: Checkpoint = note
            .text()
            .parse()
            .map_err(|_| failed(ClientError::BadAnswer { path: paths::checkpoint(LogName::Olog) }))?;
        let next = self.view_of_next_log().map_err(failed)?;
        let open = self.device().map_err(failed)?;
        let manifest = open.mlog.membership.manifest().ok_or_else(|| failed(ClientError::WrongSite))?;
        let policy = site_trust::witness_policy(manifest).map_err(failed)?;
        let mut view = match (&next, &open.olog) {
            (Some((view, _)), _) => view.clone(),
            (None, Some(view)) => {
                let mut view = view.clone();
                view.set_policy(policy);
                view
            }
            (None, None) => {
                LogView::new(site_trust::log_key(manifest, &manifest.olog_origin).map_err(failed)?, policy)
            }
        };
        let held = view.head().map_or(0, |head| head.head().size);
        let mut proof = self.fetch_consistency(LogName::Olog, held, claimed.size()).await.map_err(failed)?;
        if let Err(LogViewError::Inconsistent { .. }) = view.clone().advance(&note, &proof) {
            // Once more, for a proof that was damaged on the way.
            proof = self.fetch_consistency(LogName::Olog, held, claimed.size()).await.map_err(failed)?;
        }
        if let Err(error) = view.advance(&note, &proof) {
            return Err(self.keep_evidence(log_trouble("operation log", error)).await);
        }
        let mut shorter = None;
        if let Some((_, reopening)) = &next {
            self.check_beginning(&view, reopening).await?;
            shorter = self.compare_with_end(reopening).await;
        }
        let mut batch = Batch::default();
        if let Some(head) = view.head() {
            batch.put(Table::Heads, head_row(true), &HeadRecord::of(head));
            self.note_witnessed(head, &mut batch).map_err(failed)?;
        }
        if next.is_some() {
            // With the head, so that the store is in one log or in the other. What others said of the old
            // log is not compared with the new one.
            batch.put(Table::Heads, super::olog_proofs::compared_row(), &ComparedRecord::default());
        }
        self.commit(batch).await.map_err(failed)?;
        self.device_mut().map_err(failed)?.olog = Some(view);
        self.raise_mark(None).await;
        if next.is_some() {
            self.leave_old_log().await.map_err(failed)?;
        }
        shorter.map_or(Ok(()), Err)
    }

    /// Looks for receipted envelopes under the newest head, a bounded number at a time.
    pub(crate) async fn check_receipts(&mut self) -> Vec<SyncProblem> {
        let (mut problems, mut left) = (Vec::new(), INCLUSIONS_PER_SYNC);
        let Ok(open) = self.device() else { return problems };
        let Some(view) = open.olog.as_ref() else { return problems };
        let Some(size) = view.head().map(|head| head.head().size) else { return problems };
        let origin = view.origin().clone();
        let due: Vec<(ChartId, Vec<u8>, ReceiptRecord)> = open
            .charts
            .iter()
            .flat_map(|(chart, local)| {
                local.receipts.iter().map(|(id, record)| (*chart, id.clone(), record.clone()))
            })
            .filter(|(_, _, record)| record.checked_at_size.is_none())
            .collect();
        for (chart, id, record) in due {
            if left == 0 {
                break;
            }
            let Ok(receipt) = Receipt::from_canonical(&record.receipt) else { continue };
            // Receipts of a log that ended are kept as evidence of what it had promised.
            if *receipt.origin() != origin {
                continue;
            }
            left = left.saturating_sub(receipt.envelopes().len());
            match self.check_receipt(&receipt, &record.entries, size).await {
                Ok(true) => {
                    if let Err(error) = self.mark_checked(chart, id, record, size).await {
                        problems.push(failed(error));
                    }
                }
                Ok(false) => {}
                Err(problem) => {
                    if matches!(problem, SyncProblem::BrokenPromise { .. }) {
                        // If the server was set back, it says so now, and the log is opened again.
                        let _kept = self.show_receipt(&receipt).await;
                    }
                    // Once a later receipt covers the same entries, the breach is said once; what
                    // proves it stays.
                    let said = matches!(problem, SyncProblem::BrokenPromise { .. }) && is_superseded(&id);
                    problems.push(problem);
                    if said && let Err(error) = self.mark_checked(chart, id, record, size).await {
                        problems.push(failed(error));
                    }
                }
            }
        }
        problems
    }

    /// Whether every promised envelope stands where it was promised; `false` while the head does
    /// not reach that far.
    async fn check_receipt(
        &mut self,
        receipt: &Receipt,
        entries: &[EntryId],
        size: u64,
    ) -> Result<bool, SyncProblem> {
        let first = receipt.first_index();
        if first + receipt.envelopes().len() as u64 > size {
            return self.overdue(receipt, entries).map_or(Ok(false), Err);
        }
        for (place, hash) in receipt.envelopes().iter().enumerate() {
            let index = first + place as u64;
            let (shown, proof) = self.fetch_inclusion(LogName::Olog, index, size).await.map_err(failed)?;
            let open = self.device().map_err(failed)?;
            let view = open.olog.as_ref().ok_or_else(|| failed(ClientError::MayNotSeal))?;
            if view.check_inclusion(index, olog_leaf(hash), &proof).is_ok() {
                continue;
            }
            let leaf = leaf_hash(&shown);
            let breach = Breach::OtherLeaf { index, leaf, proof };
            let entry = entries.get(place).copied();
            return Err(broken(receipt, view, breach, entry).unwrap_or_else(|| {
                failed(ClientError::BadAnswer { path: paths::inclusion(LogName::Olog, index, size) })
            }));
        }
        Ok(true)
    }

    /// An hour after a promise, a head that witnesses sign must reach it.
    fn overdue(&self, receipt: &Receipt, entries: &[EntryId]) -> Option<SyncProblem> {
        let view = self.device().ok()?.olog.as_ref()?;
        let index = receipt.first_index() + (receipt.envelopes().len() as u64).saturating_sub(1);
        broken(receipt, view, Breach::Missing { index }, entries.last().copied())
    }

    async fn mark_checked(
        &mut self,
        chart: ChartId,
        id: Vec<u8>,
        record: ReceiptRecord,
        size: u64,
    ) -> Result<(), ClientError> {
        let record = ReceiptRecord { checked_at_size: Some(size), ..record };
        let mut batch = Batch::default();
        batch.put(Table::Receipts, id.clone(), &record);
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).receipts.insert(id, record);
        self.raise_mark(None).await;
        Ok(())
    }
}

/// Whether a receipt's row is one that was moved aside by a later receipt: its id is longer.
const fn is_superseded(id: &[u8]) -> bool {
    id.len() > ChartId::BYTES + 16
}

/// The problem, if the evidence convinces others.
fn broken(receipt: &Receipt, view: &LogView, breach: Breach, entry: Option<EntryId>) -> Option<SyncProblem> {
    let head = view.head().map(CosignedHead::note)?.clone();
    let proof = ReceiptBreach { receipt: receipt.clone(), head, breach };
    proof.verify(view.key(), view.policy()).ok()?;
    let entry = entry.unwrap_or_else(|| EntryId::from_bytes([0; 32]));
    Some(SyncProblem::BrokenPromise { entry, evidence: Evidence { sides: vec![proof.to_canonical()] } })
}
