//! What others say of the operation log, compared with the log that this device was shown: the
//! heads that authors and revocations name, and the places that the server gives to envelopes.
//!
//! A device follows its own head only. Two devices that were shown different logs notice here, at
//! the first record that crosses; and an entry of a revoked device stands only if its place before
//! the cut-off is proved, not because the server names it.

use super::fetch_proofs::ShownLeaf;
use super::follow_mlog::other_tree;
use super::pull::received;
use super::{Client, OpenDevice, SyncProblem};
use crate::limits::{OLOG_PROOFS_PER_SYNC, PLACES_TRIED_OF_A_REVOKED_DEVICE, PROOF_TRIES};
use crate::store::{Batch, ComparedRecord, ProvedRecord, ReceivedRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_api::LogName;
use ward_audit::{CosignedHead, LogView, LogViewError, NodeHash, RootRelation, TreeHead, olog_leaf};
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, EnvelopeHash};
use ward_sync::SignedEntry;

/// Who named a head of the operation log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedBy {
    /// A device, in an entry that it signed.
    Author(DeviceId),
    /// The revocation of a device, as its cut-off.
    Revocation(DeviceId),
}

/// The heads that others named, one for each of them: an honest device's newest head extends all
/// that it named before, and a dishonest one can name what it likes.
#[derive(Debug, Default)]
pub(crate) struct NamedHeads {
    /// The newest that were not compared yet.
    open: BTreeMap<NamedBy, TreeHead>,
    /// The size of the newest that fits this device's log.
    compared: BTreeMap<NamedBy, u64>,
}

impl NamedHeads {
    pub(crate) fn resume(record: ComparedRecord) -> Self {
        let authors = record.authors.into_iter().map(|(device, size)| (NamedBy::Author(device), size));
        let revoked = record.revoked.into_iter().map(|(device, size)| (NamedBy::Revocation(device), size));
        Self { open: BTreeMap::new(), compared: authors.chain(revoked).collect() }
    }

    fn to_record(&self) -> ComparedRecord {
        let mut record = ComparedRecord::default();
        for (by, size) in &self.compared {
            match by {
                NamedBy::Author(device) => record.authors.push((*device, *size)),
                NamedBy::Revocation(device) => record.revoked.push((*device, *size)),
            }
        }
        record
    }

    /// Notes the head that an entry names. Whoever sealed it before they could know of the log that counts, of which
    /// the membership log says from `known_from` entries on, named a log that ended: there is nothing to compare it
    /// with, also where nobody brought that log's end when it was opened again.
    pub(crate) fn note_entry(&mut self, entry: &SignedEntry, sealed_at: Option<u64>, known_from: u64) {
        // What came without its envelope, with a checkpoint, may be as old as any.
        if known_from > 0 && sealed_at.is_none_or(|size| size < known_from) {
            return;
        }
        if let Some(head) = entry.body().olog {
            self.note(NamedBy::Author(entry.frame().device), head);
        }
    }

    fn note(&mut self, by: NamedBy, head: TreeHead) {
        let known = self.compared.get(&by).copied().unwrap_or(0);
        if head.size > known && self.open.get(&by).is_none_or(|open| open.size < head.size) {
            self.open.insert(by, head);
        }
    }

    fn forget_beyond(&mut self, by: NamedBy, size: u64) {
        if self.open.get(&by).is_some_and(|head| head.size > size) {
            self.open.remove(&by);
        }
    }

    fn fits(&mut self, by: NamedBy, size: u64) {
        self.open.remove(&by);
        self.compared.insert(by, size);
    }
}

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("operation log", error.into())
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Compares and proves what came with this sync, a bounded number of proofs at a time.
    pub(crate) async fn check_olog_claims(&mut self) -> Vec<SyncProblem> {
        let Ok(open) = self.device_mut() else { return Vec::new() };
        note_revocations(open);
        let me = NamedBy::Author(open.me.device);
        open.named_heads.open.remove(&me);
        let mut problems = Vec::new();
        let held = open.olog.as_ref().and_then(LogView::head).map_or(0, |head| head.head().size);
        if open.named_heads.open.values().any(|head| head.size > held) {
            // Others may have seen a newer head than this sync began with. Without an answer nothing
            // can be said of what the server shows.
            if let Err(problem) = self.follow_olog().await {
                return vec![problem];
            }
        }
        let mut left = OLOG_PROOFS_PER_SYNC;
        self.compare_named_heads(&mut left, &mut problems).await;
        if !problems.iter().any(unreached) {
            self.prove_places(&mut left, &mut problems).await;
            if let Err(error) = self.keep_proved().await {
                problems.push(failed(error));
            }
        }
        problems
    }

    /// Looks for heads of the membership log that others named and that the server does not show.
    pub(crate) async fn check_mlog_claims(&mut self) -> Vec<SyncProblem> {
        if self.device().is_ok_and(|open| open.named_roots.is_empty()) {
            return Vec::new();
        }
        if let Err(problem) = self.follow_mlog().await {
            return vec![problem];
        }
        let Ok(open) = self.device() else { return Vec::new() };
        let shown = open.mlog.membership.size();
        let beyond = open.named_roots.iter().filter(|(_, head)| head.size > shown);
        beyond
            .map(|(device, head)| SyncProblem::HiddenTail {
                log: LogName::Mlog,
                by: NamedBy::Author(*device),
                named: head.size,
                shown,
            })
            .collect()
    }

    async fn compare_named_heads(&mut self, left: &mut usize, problems: &mut Vec<SyncProblem>) {
        let Ok(open) = self.device() else { return };
        let Some(head) = open.olog.as_ref().and_then(LogView::head).map(CosignedHead::head) else { return };
        let ended = largest_ended(open);
        let named: Vec<(NamedBy, TreeHead)> =
            open.named_heads.open.iter().map(|(by, head)| (*by, *head)).collect();
        let (shown, beyond): (Vec<_>, Vec<_>) =
            named.into_iter().partition(|(_, claimed)| claimed.size <= head.size);
        for (by, claimed) in beyond {
            if claimed.size <= ended {
                // Of a log that ended: there is nothing to compare it with.
                self.forget_named(by);
            } else {
                let (named, shown) = (claimed.size, head.size);
                problems.push(SyncProblem::HiddenTail { log: LogName::Olog, by, named, shown });
            }
        }
        let due: Vec<(NamedBy, TreeHead)> = shown.into_iter().take(*left).collect();
        *left = left.saturating_sub(due.len());
        let sizes: Vec<u64> = due.iter().map(|(_, claimed)| claimed.size).collect();
        let proofs = match self.fetch_consistencies(&sizes, head.size).await {
            Ok(proofs) => proofs,
            Err(error) => return problems.push(failed(error)),
        };
        let mut fits = false;
        for ((by, claimed), proof) in due.into_iter().zip(proofs) {
            match self.compare_head((by, claimed), proof, head.size).await {
                Ok(()) => {
                    if let Ok(open) = self.device_mut() {
                        open.named_heads.fits(by, claimed.size);
                    }
                    fits = true;
                }
                // It may be of a log that ended, which nobody can show any more.
                Err(SyncProblem::OtherHistory { .. }) if claimed.size <= ended => self.forget_named(by),
                Err(problem) => {
                    problems.push(problem);
                    if problems.last().is_some_and(unreached) {
                        break;
                    }
                }
            }
        }
        if fits && let Err(error) = self.keep_compared().await {
            problems.push(failed(error));
        }
    }

    async fn compare_head(
        &mut self,
        (by, claimed): (NamedBy, TreeHead),
        proof: Vec<NodeHash>,
        size: u64,
    ) -> Result<(), SyncProblem> {
        let mut fits = self.root_fits(claimed, &proof)?;
        for _ in 1..PROOF_TRIES {
            if fits.is_ok() {
                break;
            }
            let proof = self.fetch_consistency(LogName::Olog, claimed.size, size).await.map_err(failed)?;
            fits = self.root_fits(claimed, &proof)?;
        }
        match fits {
            Ok(_) => Ok(()),
            Err(LogViewError::Fork { held, claimed, .. }) => {
                Err(SyncProblem::OtherHistory { by, evidence: other_tree(&held, claimed) })
            }
            Err(_) => Err(failed(ClientError::MayNotSeal)),
        }
    }

    fn root_fits(
        &self,
        claimed: TreeHead,
        proof: &[NodeHash],
    ) -> Result<Result<RootRelation, LogViewError>, SyncProblem> {
        let view = self.device().map_err(failed)?.olog.as_ref();
        Ok(view.ok_or_else(|| failed(ClientError::MayNotSeal))?.check_root(claimed, proof))
    }

    fn forget_named(&mut self, by: NamedBy) {
        if let Ok(open) = self.device_mut() {
            open.named_heads.open.remove(&by);
        }
    }

    async fn keep_compared(&mut self) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.put(Table::Heads, COMPARED_ROW, &self.device()?.named_heads.to_record());
        self.commit(batch).await?;
        self.raise_mark(None).await;
        Ok(())
    }

    /// Proves the newest entry of each chain, and of revoked devices the newest before the cut-off.
    async fn prove_places(&mut self, left: &mut usize, problems: &mut Vec<SyncProblem>) {
        let Ok(open) = self.device() else { return };
        let Some(head) = open.olog.as_ref().and_then(LogView::head) else { return };
        let size = open.olog_begin().saturating_add(head.head().size);
        let mut due: Vec<(ChartId, DeviceId, u64)> = Vec::new();
        for (chart, local) in &open.charts {
            let revoked = local.chart.devices().filter_map(|device| {
                let cut = open.mlog.membership.revocation(*chart, device)?.cut;
                Some((*chart, device, cut.min(size)))
            });
            due.extend(revoked);
        }
        for (chart, device, below) in due {
            self.prove_before_cut(chart, device, below, left, problems).await;
            if problems.iter().any(unreached) {
                return;
            }
        }
        self.prove_in_ended_logs(left, problems).await;
        if problems.iter().any(unreached) {
            return;
        }
        let Ok(open) = self.device() else { return };
        let newest: Vec<(ChartId, EntryId, u64)> = open
            .charts
            .iter()
            .flat_map(|(chart, local)| {
                local.chart.to_prove(size).into_iter().map(|(entry, place)| (*chart, entry, place))
            })
            .collect();
        let due: Vec<_> = newest.into_iter().take(*left).collect();
        *left = left.saturating_sub(due.len());
        match self.prove_all(due).await {
            Ok(not_proved) => problems.extend(not_proved),
            Err(problem) => problems.push(problem),
        }
    }

    /// A place that cannot be proved must not keep the entries before it from standing.
    async fn prove_before_cut(
        &mut self,
        chart: ChartId,
        device: DeviceId,
        below: u64,
        left: &mut usize,
        problems: &mut Vec<SyncProblem>,
    ) {
        let mut below = below;
        for _ in 0..PLACES_TRIED_OF_A_REVOKED_DEVICE {
            let Ok(open) = self.device() else { return };
            let due = open.charts.get(&chart).map(|local| local.chart.to_prove_of(device, below));
            let Some((entry, place)) = due.into_iter().flatten().max_by_key(|(_, place)| *place) else {
                return;
            };
            if *left == 0 {
                return;
            }
            *left -= 1;
            match self.prove_place(chart, entry, place).await {
                Ok(()) => {}
                Err(problem @ SyncProblem::PlaceNotProved { .. }) => {
                    problems.push(problem);
                    below = place;
                }
                Err(problem) => {
                    problems.push(problem);
                    return;
                }
            }
        }
    }

    async fn prove_place(&mut self, chart: ChartId, entry: EntryId, place: u64) -> Result<(), SyncProblem> {
        self.prove_all(vec![(chart, entry, place)]).await?.pop().map_or(Ok(()), Err)
    }

    /// Proves places in one round. Gives those back that are not proved.
    async fn prove_all(
        &mut self,
        places: Vec<(ChartId, EntryId, u64)>,
    ) -> Result<Vec<SyncProblem>, SyncProblem> {
        let (mut due, mut not_proved) = (Vec::new(), Vec::new());
        let begin = self.device().map_err(failed)?.olog_begin();
        for (chart, entry, place) in places {
            match self.envelope_at(chart, entry, place).await.map_err(failed)? {
                // A place of a log that ended is not proved any more.
                Some(envelope) => {
                    due.extend(
                        place.checked_sub(begin).map(|index| ((chart, entry, place), index, envelope)),
                    );
                }
                None => not_proved.push(SyncProblem::PlaceNotProved { chart, entry, index: place }),
            }
        }
        let head = self.device().map_err(failed)?.olog.as_ref().and_then(LogView::head);
        let Some(size) = head.map(|head| head.head().size) else { return Ok(not_proved) };
        let indexes: Vec<u64> = due.iter().map(|(_, index, _)| *index).collect();
        let shown = self.fetch_inclusions(&indexes, size).await.map_err(failed)?;
        let open = self.device_mut().map_err(failed)?;
        for (((chart, entry, place), index, envelope), ShownLeaf { proof, .. }) in due.into_iter().zip(shown)
        {
            let view = open.olog.as_ref();
            if view.is_some_and(|view| view.check_inclusion(index, olog_leaf(&envelope), &proof).is_ok()) {
                open.chart_or_new(chart).chart.prove(entry, place);
                open.newly_proved.push((chart, entry, place));
            } else {
                not_proved.push(SyncProblem::PlaceNotProved { chart, entry, index: place });
            }
        }
        Ok(not_proved)
    }

    /// Stores what was proved in this sync, in one commit.
    async fn keep_proved(&mut self) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        for &(chart, entry, index) in &self.device()?.newly_proved {
            batch.put(Table::Proved, row_id(&[chart.as_bytes(), entry.as_bytes()]), &ProvedRecord { index });
        }
        // What finds no room now is stored by the next sync: the chart counts it as proved already.
        self.commit(batch).await?;
        self.device_mut()?.newly_proved.clear();
        self.raise_mark(None).await;
        Ok(())
    }

    /// The hash of the envelope of an entry that the server gave at a place.
    pub(super) async fn envelope_at(
        &mut self,
        chart: ChartId,
        entry: EntryId,
        place: u64,
    ) -> Result<Option<EnvelopeHash>, ClientError> {
        let Some((_, page)) = self.page_with(chart, place).await? else {
            // It came with a checkpoint: its envelope was never here, and the server is asked for it.
            let Ok(page) = self.fetch_page(chart, place.checked_sub(1), 1).await else { return Ok(None) };
            let opened = self.opened(chart, page.rows.into_iter().map(received).collect())?;
            return Ok(opened.into_opened_row().and_then(|row| hash_of(&row, entry, place)));
        };
        Ok(page.rows.iter().find_map(|row| hash_of(row, entry, place)))
    }
}

/// The most leaves that a log of the site had when it ended.
fn largest_ended(open: &OpenDevice) -> u64 {
    open.mlog.membership.reopenings().iter().map(|one| one.old_head.size).max().unwrap_or(0)
}

/// The hash of a received envelope, if it is the one of an entry at a place.
fn hash_of(row: &ReceivedRecord, entry: EntryId, place: u64) -> Option<EnvelopeHash> {
    let envelope = Envelope::from_canonical(&row.envelope).ok().filter(|_| row.index == place)?;
    (envelope.header().entry_id == entry).then(|| envelope.envelope_hash())
}

/// Whether a call failed: the next ones would only wait in vain.
const fn unreached(problem: &SyncProblem) -> bool {
    matches!(problem, SyncProblem::Failed { .. })
}

/// The row of what was compared; it stands beside the heads.
const COMPARED_ROW: &[u8] = b"olog-compared";

pub(crate) const fn compared_row() -> &'static [u8] {
    COMPARED_ROW
}

fn note_revocations(open: &mut OpenDevice) {
    let membership = &open.mlog.membership;
    for (chart, local) in &open.charts {
        for device in local.chart.devices() {
            // A cut-off in a log that ended cannot be compared with the one that counts.
            let revocation = membership.revocation(*chart, device);
            let begin = membership.olog_begin();
            let of_this_log = |it: &&ward_sync::Revocation| it.cut == begin.saturating_add(it.olog.size);
            if let Some(revocation) = revocation.filter(of_this_log) {
                open.named_heads.note(NamedBy::Revocation(device), revocation.olog);
                // What a removed device says of a time after its removal is no alarm for ever.
                open.named_heads.forget_beyond(NamedBy::Author(device), revocation.olog.size);
                open.named_roots.retain(|by, head| *by != device || head.size <= revocation.index);
            }
        }
    }
}
