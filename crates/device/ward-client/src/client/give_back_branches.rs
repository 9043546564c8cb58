//! Giving back what a server lost of a branch. Where the store of a device was copied or set back and the
//! server went back as well, it may have another entry at a place of a chain now, and refuses the one that it
//! had before. Its author carries on what it still has; what only others still have, they give back. What
//! follows such a place and is in the log is given back too: nobody may ever bring what it waits for.

use super::push::fits_into_carry;
use super::{Client, LocalChart, SyncProblem};
use crate::limits::BRANCH_GIVEN_BACK_PER_SYNC;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::{PlacedEntry, ReconcileAnswer, ReconcileQuestion, paths};
use ward_id::{ChartId, DeviceId, EntryId, Incarnation};
use ward_sync::{Carry, CarryReason, Draft, Fork, SignedEntry, may_write};

/// The first fork of each chain of another device, where something after it has no place at the server.
fn first_forks(local: &LocalChart, me: DeviceId) -> Vec<(DeviceId, Incarnation, u64)> {
    let mut chains = BTreeSet::new();
    let forks = local.chart.forks().into_iter().filter(|fork| fork.device != me);
    let first = forks.filter(|fork| chains.insert((fork.device, fork.incarnation)));
    let places = first.map(|Fork { device, incarnation, seq, .. }| (device, incarnation, seq));
    let waits = |(device, incarnation, seq): &(DeviceId, Incarnation, u64)| {
        local.chart.chain_from(*device, *incarnation, *seq).any(|(_, entry)| !local.arrived(entry.id()))
    };
    places.filter(waits).collect()
}

/// What the server's log has and what follows an entry that is not here, though another one stands at its place.
fn cut_off(local: &LocalChart) -> Vec<SignedEntry> {
    let follows = |gap: &ward_sync::Gap| {
        let chain = || local.chart.chain_from(gap.device, gap.incarnation, gap.seq);
        let is_filled = chain().next().is_some_and(|(seq, _)| seq == gap.seq);
        let mut next = chain().filter(|(seq, entry)| {
            *seq == gap.seq.saturating_add(1) && entry.frame().prev == Some(gap.missing)
        });
        next.next()
            .filter(|(_, entry)| is_filled && local.arrived(entry.id()))
            .map(|(_, entry)| entry.clone())
    };
    local.chart.gaps().iter().filter_map(follows).collect()
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Carries what stands here of branches that the server has otherwise and what follows them, as far as
    /// nobody carries it yet, and writes forks down. The chart must be at hand as far as the server has it.
    pub(super) async fn give_back_branches(&mut self, chart: ChartId) -> Result<(), SyncProblem> {
        let failed = |error: ClientError| SyncProblem::of_error("giving back", error);
        let open = self.device().map_err(failed)?;
        let Some(local) = open.charts.get(&chart) else { return Ok(()) };
        let forks = first_forks(local, open.me.device);
        let mut lost = cut_off(local);
        if (forks.is_empty() && lost.is_empty()) || open.set_back || self.may_capture(chart).is_err() {
            return Ok(());
        }
        for fork in forks {
            let branch = self.lost_of_branch(chart, fork).await.map_err(failed)?;
            if !branch.is_empty() {
                let (device, incarnation, _) = fork;
                self.fork_found(chart, device, incarnation).await;
            }
            lost.extend(branch);
        }
        self.give_back(chart, lost).await.map_err(failed)
    }

    /// Carries entries that nobody carries yet, where a carry has room for them and this role may.
    async fn give_back(&mut self, chart: ChartId, entries: Vec<SignedEntry>) -> Result<(), ClientError> {
        let brought: BTreeSet<EntryId> = {
            let view = self.view_of(chart)?;
            let brought = view.timeline().iter().filter(|item| item.carried_by.is_some());
            brought.map(|item| item.entry.id()).collect()
        };
        let role = self.device()?.me.role;
        let open =
            entries.into_iter().filter(|entry| !brought.contains(&entry.id()) && fits_into_carry(entry));
        for entry in open.take(BRANCH_GIVEN_BACK_PER_SYNC) {
            let draft = Draft::new(Carry::of(&entry, CarryReason::GiveBack));
            if may_write(role, &draft.payload) {
                self.capture_draft(chart, draft).await?;
            }
        }
        Ok(())
    }

    /// What the server does not have of a chain because it has another branch of it, in order.
    async fn lost_of_branch(
        &mut self,
        chart: ChartId,
        (device, incarnation, from): (DeviceId, Incarnation, u64),
    ) -> Result<Vec<SignedEntry>, ClientError> {
        let Some(local) = self.device()?.charts.get(&chart) else { return Ok(Vec::new()) };
        let chain = local.chart.chain_from(device, incarnation, from);
        let chain: Vec<(u64, SignedEntry)> = chain.map(|(seq, entry)| (seq, entry.clone())).collect();
        let (mut lost, mut out) = (BTreeSet::new(), Vec::new());
        for there in chain.chunk_by(|(a, _), (b, _)| a == b) {
            let [(seq, _), others @ ..] = there else { continue };
            let at_server = match others {
                [] => None,
                _ => self.entry_at_server(chart, (device, incarnation, *seq)).await?,
            };
            for (_, entry) in there {
                let follows = entry.frame().prev.is_some_and(|before| lost.contains(&before));
                if follows || at_server.is_some_and(|there| there != entry.id()) {
                    lost.insert(entry.id());
                    out.push(entry.clone());
                }
            }
        }
        Ok(out)
    }

    /// The entry that the server says it has at a place of a chain.
    pub(super) async fn entry_at_server(
        &mut self,
        chart: ChartId,
        (device, incarnation, seq): (DeviceId, Incarnation, u64),
    ) -> Result<Option<EntryId>, ClientError> {
        let question = ReconcileQuestion { device, incarnation, places: vec![seq] };
        let answer: ReconcileAnswer = self.wire()?.post(&paths::reconcile(chart), &question).await?;
        let mut there = answer.entries.into_iter().filter(|placed| placed.seq == seq);
        Ok(there.next().map(|PlacedEntry { entry, .. }| entry))
    }
}
