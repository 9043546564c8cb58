//! Going over to an operation log that was opened again. The membership log says so, signed by an
//! admin; the new log must begin with the last checkpoint of the old one. What was proved in the
//! old log stays proved, receipts of the old log stay as evidence, and what the new log lacks is
//! sent again.

use super::follow_mlog::read_note;
use super::{Client, SyncProblem, SyncReport, site_trust};
use crate::limits::RECEIPTS_SHOWN;
use crate::{ClientError, DeviceKeyStore, Environment, Evidence, RowStore, Transport};
use ward_api::{ErrorCode, LogName, OlogEvidence, Opaque, paths};
use ward_audit::{CosignedHead, LogView, Receipt, olog_leaf};
use ward_id::{Canonical as _, ChartId};
use ward_sync::Reopening;

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("reopened operation log", error.into())
}

/// Whether a problem says that the server waits after a restore.
pub(crate) fn awaits_recovery(problem: &SyncProblem) -> bool {
    matches!(problem, SyncProblem::Failed { error, .. }
        if error.is(ErrorCode::AwaitsReopening) || error.is(ErrorCode::MlogRecovering))
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// A view of the operation log that the membership log says counts, if the one that is held is of
    /// a log that ended.
    pub(crate) fn view_of_next_log(&self) -> Result<Option<(LogView, Reopening)>, ClientError> {
        let open = self.device()?;
        let membership = &open.mlog.membership;
        let (Some(origin), Some(newest)) = (membership.olog_origin(), membership.reopenings().last()) else {
            return Ok(None);
        };
        if open.olog.as_ref().is_some_and(|view| view.origin().as_str() == origin) {
            return Ok(None);
        }
        let manifest = membership.manifest().ok_or(ClientError::WrongSite)?;
        let view =
            LogView::new(site_trust::log_key(manifest, origin)?, site_trust::witness_policy(manifest)?);
        Ok(Some((view, newest.clone())))
    }

    /// Checks that the new log begins as it must, under its head that was just verified.
    pub(crate) async fn check_beginning(
        &mut self,
        view: &LogView,
        reopening: &Reopening,
    ) -> Result<(), SyncProblem> {
        let size = view.head().map_or(0, |head| head.head().size);
        let shown = self.fetch_inclusions(&[0], size).await.map_err(failed)?.pop();
        let proof = shown.map(|shown| shown.proof).unwrap_or_default();
        let leaf = reopening.first_leaf();
        view.check_inclusion(0, olog_leaf(&leaf), &proof)
            .map_err(|_| failed(ClientError::MlogRefused("the new operation log does not begin as it must")))
    }

    /// Evidence, if this device verified more of the old log than the reopening admits to.
    pub(crate) async fn compare_with_end(&mut self, reopening: &Reopening) -> Option<SyncProblem> {
        let held = {
            let view = self.device().ok()?.olog.as_ref()?;
            if view.origin().as_str() != reopening.old_origin {
                return None;
            }
            view.head().map(|head| (head.head(), head.note().to_string()))?
        };
        let (head, note) = held;
        let end = reopening.old_head;
        let fits = head.size < end.size || head == end;
        if fits {
            return None;
        }
        let sides = vec![note.into_bytes(), reopening.checkpoint.clone()];
        let evidence = Evidence { sides };
        let problem = if head.size > end.size {
            SyncProblem::Rollback(evidence)
        } else {
            SyncProblem::Equivocation(evidence)
        };
        Some(self.keep_evidence(problem).await)
    }

    /// What follows in memory from another log, whose head is stored already: what others said of the old
    /// one is forgotten, and places in the old one are no places in the new.
    pub(crate) async fn leave_old_log(&mut self) -> Result<(), ClientError> {
        let charts: Vec<ChartId> = {
            let open = self.device_mut()?;
            open.named_heads = super::olog_proofs::NamedHeads::default();
            // What the server said that it has of blobs it may have lost too.
            open.blobs_asked.clear();
            open.charts.keys().copied().collect()
        };
        for chart in charts {
            if let Err(error) = self.reload_chart(chart).await {
                // Half of the charts would be in one log: the store says at the next unlock what is so.
                self.lock();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Whether the held view is of the log that counts; charts are fetched and sent only then.
    pub(crate) fn olog_is_current(&self) -> bool {
        let Ok(open) = self.device() else { return false };
        let origin = open.mlog.membership.olog_origin();
        open.olog.as_ref().is_none_or(|view| Some(view.origin().as_str()) == origin)
    }

    /// Whether the server waits after a restore, or the log that counts is not followed yet: then it tells
    /// nothing of what it has.
    pub(crate) fn server_waits(&self, report: &SyncReport) -> bool {
        !self.olog_is_current() || report.problems.iter().any(awaits_recovery)
    }

    /// Gives a restored server the newest cosigned head of the old log that this device verified.
    pub(crate) async fn bring_old_checkpoint(&mut self) -> Result<(), ClientError> {
        let held = self.device()?.olog.as_ref().and_then(LogView::head).map(CosignedHead::note);
        let Some(note) = held.map(ToString::to_string) else { return Ok(()) };
        let body = OlogEvidence { checkpoint: Some(Opaque(note.into_bytes())), receipt: None };
        self.wire()?.post_done(paths::OLOG_REOPENING, &body).await
    }

    /// The server lacks something of a chart that it had receipted. It is shown the newest receipts that
    /// no cosigned head covers: if its database was set back, no witness can have told it.
    pub(crate) async fn show_receipts(&mut self, chart: ChartId) {
        let Ok(open) = self.device() else { return };
        let Some(origin) = open.olog.as_ref().map(|view| view.origin().clone()) else { return };
        let Some(local) = open.charts.get(&chart) else { return };
        let open = local.receipts.values().filter(|record| record.checked_at_size.is_none());
        let receipts = open.filter_map(|record| Receipt::from_canonical(&record.receipt).ok());
        let mut receipts: Vec<Receipt> = receipts.filter(|receipt| *receipt.origin() == origin).collect();
        receipts.sort_by_key(|receipt| std::cmp::Reverse(receipt.first_index()));
        for receipt in receipts.iter().take(RECEIPTS_SHOWN) {
            if self.show_receipt(receipt).await.is_ok() {
                return;
            }
        }
    }

    /// Shows the server one receipt. It takes it only if it does not keep it, and waits from then on
    /// until an admin lets the log go on.
    pub(crate) async fn show_receipt(&mut self, receipt: &Receipt) -> Result<(), ClientError> {
        let body = OlogEvidence { checkpoint: None, receipt: Some(Opaque(receipt.to_canonical())) };
        self.wire()?.post_done(paths::OLOG_REOPENING, &body).await
    }

    /// The note that the server shows of the operation log.
    pub(crate) async fn fetch_olog_note(&mut self) -> Result<ward_audit::SignedNote, ClientError> {
        let bytes = self.newest_note(LogName::Olog).await?;
        read_note(&bytes).ok_or_else(|| ClientError::BadAnswer { path: paths::checkpoint(LogName::Olog) })
    }
}
