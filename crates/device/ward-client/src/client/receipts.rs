//! Keeping the server to its promises: the operation log is followed, and what receipts promised
//! is looked for under cosigned heads.

use super::fetch_proofs::ShownLeaf;
use super::follow_mlog::log_trouble;
use super::load::head_row;
use super::olog_proofs::compared_row;
use super::reopened_log::awaits_recovery;
use super::{Client, OpenDevice, SyncProblem, site_trust};
use crate::limits::INCLUSIONS_PER_SYNC;
use crate::store::{Batch, ComparedRecord, HeadRecord, ReceiptRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, Evidence, RowStore, Transport};
use ward_api::{LogName, paths};
use ward_audit::{Breach, Checkpoint, CosignedHead, LogView, Receipt, ReceiptBreach, leaf_hash, olog_leaf};
use ward_id::{Canonical as _, ChartId, EntryId};
use ward_sync::key_of_receipt;

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
        let mut view = match &next {
            Some((view, _)) => view.clone(),
            None => {
                site_trust::view_under(manifest, open.olog.as_ref(), &manifest.olog_origin).map_err(failed)?
            }
        };
        let proof =
            self.fetch_extension(LogName::Olog, &view, &note, claimed.size()).await.map_err(failed)?;
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
            // With the first head of another log, in one commit: sizes of the old one mean nothing in it.
            batch.put(Table::Heads, compared_row(), &ComparedRecord::default());
        }
        self.commit(batch).await.map_err(failed)?;
        self.device_mut().map_err(failed)?.olog = Some(view);
        self.raise_mark(None).await;
        if next.is_some() {
            self.leave_old_log().await.map_err(failed)?;
        }
        shorter.map_or(Ok(()), Err)
    }

    /// Looks for receipted envelopes under the newest head, a bounded number at a time and in one
    /// round.
    pub(crate) async fn check_receipts(&mut self) -> Vec<SyncProblem> {
        let mut problems = Vec::new();
        let Some(size) = self.device().ok().and_then(olog_size) else { return problems };
        let (reached, later): (Vec<_>, Vec<_>) =
            self.due_receipts().into_iter().partition(|due| due.end() <= size);
        for due in later {
            let overdue = self.overdue(&due.receipt, &due.record.entries).map_or(Ok(false), Err);
            self.conclude(due, size, overdue, &mut problems).await;
        }
        let indexes: Vec<u64> = reached.iter().flat_map(|due| due.receipt.first_index()..due.end()).collect();
        let mut shown = match self.fetch_inclusions(&indexes, size).await {
            Ok(shown) => shown.into_iter(),
            Err(error) => {
                problems.push(failed(error));
                return problems;
            }
        };
        for due in reached {
            let leaves: Vec<ShownLeaf> = shown.by_ref().take(due.receipt.envelopes().len()).collect();
            let kept = self.check_receipt(&due.receipt, &due.record.entries, leaves).map(|()| true);
            self.conclude(due, size, kept, &mut problems).await;
        }
        problems
    }

    /// Receipts of the log that counts which were not checked yet. Those of a log that ended are kept
    /// as evidence of what it had promised.
    fn due_receipts(&self) -> Vec<DueReceipt> {
        let Ok(open) = self.device() else { return Vec::new() };
        let Some(origin) = open.olog.as_ref().map(LogView::origin) else { return Vec::new() };
        let mut left = INCLUSIONS_PER_SYNC;
        let mut out = Vec::new();
        for (chart, local) in &open.charts {
            for (id, record) in local.receipts.iter().filter(|(_, record)| record.checked_at_size.is_none()) {
                if left == 0 {
                    return out;
                }
                let Ok(receipt) = Receipt::from_canonical(&record.receipt) else { continue };
                if receipt.origin() != origin {
                    continue;
                }
                left = left.saturating_sub(receipt.envelopes().len());
                out.push(DueReceipt { chart: *chart, id: id.clone(), record: record.clone(), receipt });
            }
        }
        out
    }

    /// Writes down what came of a receipt: kept, not reached yet, or broken.
    async fn conclude(
        &mut self,
        due: DueReceipt,
        size: u64,
        kept: Result<bool, SyncProblem>,
        problems: &mut Vec<SyncProblem>,
    ) {
        let is_done = match kept {
            Ok(kept) => kept,
            Err(problem) => {
                if matches!(problem, SyncProblem::BrokenPromise { .. }) {
                    // If the server was set back, it says so now, and the log is opened again.
                    let _kept = self.show_receipt(&due.receipt).await;
                }
                // Once a later receipt covers the same entries, the breach is said once; what
                // proves it stays.
                let said = matches!(problem, SyncProblem::BrokenPromise { .. }) && is_superseded(&due.id);
                problems.push(problem);
                said
            }
        };
        if is_done && let Err(error) = self.mark_checked(due.chart, due.id, due.record, size).await {
            problems.push(failed(error));
        }
    }

    /// Whether every promised envelope stands where it was promised.
    fn check_receipt(
        &self,
        receipt: &Receipt,
        entries: &[EntryId],
        shown: Vec<ShownLeaf>,
    ) -> Result<(), SyncProblem> {
        let open = self.device().map_err(failed)?;
        let view = open.olog.as_ref().ok_or_else(|| failed(ClientError::MayNotSeal))?;
        for ((place, hash), shown) in receipt.envelopes().iter().enumerate().zip(shown) {
            let index = receipt.first_index() + place as u64;
            if view.check_inclusion(index, olog_leaf(hash), &shown.proof).is_ok() {
                continue;
            }
            let breach = Breach::OtherLeaf { index, leaf: leaf_hash(&shown.leaf), proof: shown.proof };
            let entry = entries.get(place).copied();
            return Err(broken(receipt, (open, view), breach, entry)
                .unwrap_or_else(|| failed(ClientError::BadAnswer { path: paths::OLOG_PROOFS.to_owned() })));
        }
        Ok(())
    }

    /// An hour after a promise, a head that witnesses sign must reach it.
    fn overdue(&self, receipt: &Receipt, entries: &[EntryId]) -> Option<SyncProblem> {
        let open = self.device().ok()?;
        let view = open.olog.as_ref()?;
        let index = receipt.first_index() + (receipt.envelopes().len() as u64).saturating_sub(1);
        broken(receipt, (open, view), Breach::Missing { index }, entries.last().copied())
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

/// A receipt that is to be compared with the log.
struct DueReceipt {
    chart: ChartId,
    id: Vec<u8>,
    record: ReceiptRecord,
    receipt: Receipt,
}

impl DueReceipt {
    /// The place after the last one that it promises.
    fn end(&self) -> u64 {
        self.receipt.first_index().saturating_add(self.receipt.envelopes().len() as u64)
    }
}

/// Leaves of the operation log under the head that this device holds.
fn olog_size(open: &OpenDevice) -> Option<u64> {
    Some(open.olog.as_ref()?.head()?.head().size)
}

/// Whether a receipt's row is one that was moved aside by a later receipt: its id is longer.
const fn is_superseded(id: &[u8]) -> bool {
    id.len() > ChartId::BYTES + 16
}

/// The problem, if the evidence convinces others. The receipt may bear an earlier key of the log.
fn broken(
    receipt: &Receipt,
    (open, view): (&OpenDevice, &LogView),
    breach: Breach,
    entry: Option<EntryId>,
) -> Option<SyncProblem> {
    let receipt_key = key_of_receipt(open.mlog.membership.manifests(), receipt)?;
    let head = view.head().map(CosignedHead::note)?.clone();
    let proof = ReceiptBreach { receipt: receipt.clone(), head, breach };
    proof.verify(&receipt_key, view.key(), view.policy()).ok()?;
    let entry = entry.unwrap_or_else(|| EntryId::from_bytes([0; 32]));
    Some(SyncProblem::BrokenPromise { entry, evidence: Evidence { sides: vec![proof.to_canonical()] } })
}
