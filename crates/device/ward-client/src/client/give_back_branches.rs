//! Giving back what a server lost of a branch. Where the store of a device was copied or set back and the
//! server went back as well, it may have another entry at a place of a chain now, and refuses the one that it
//! had before. Its author carries on what it still has; what only others still have, they give back. What
//! follows such a place and is in the log is given back too: nobody may ever bring what it waits for.

use super::push::fits_into_carry;
use super::{Client, LocalChart, SyncProblem};
use crate::limits::BRANCH_GIVEN_BACK_PER_SYNC;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::limits::RECONCILE_MAX_PLACES;
use ward_api::{PlacedEntry, ReconcileAnswer, ReconcileQuestion, paths};
use ward_id::{ChartId, DeviceId, EntryId, Incarnation};
use ward_sync::{
    Carry, CarryReason, Decoded, Draft, EntryKind, Fork, Gap, Payload, SignedEntry, Standing, may_write,
};

/// A chain with several entries at places, each place with the entries there.
type ForkedChain = ((DeviceId, Incarnation), BTreeMap<u64, Vec<EntryId>>);

/// What this device gave back, whatever became of it: nothing is given back twice.
fn given_back(local: &LocalChart, me: DeviceId) -> BTreeSet<EntryId> {
    let mine = local.chart.entries_of(me).filter(|entry| entry.body().kind == EntryKind::CARRY);
    let inner = mine.filter_map(|entry| match entry.body().decode_payload() {
        Decoded::Known(Payload::Carry(carry)) if carry.why == CarryReason::GiveBack => carry.entry(),
        _ => None,
    });
    inner.map(|inner| inner.id()).collect()
}

/// The forked chains of other devices.
fn forked_chains(local: &LocalChart, me: DeviceId) -> Vec<ForkedChain> {
    let mut chains: BTreeMap<(DeviceId, Incarnation), BTreeMap<u64, Vec<EntryId>>> = BTreeMap::new();
    for Fork { device, incarnation, seq, entries } in local.chart.forks() {
        if device != me {
            chains.entry((device, incarnation)).or_default().insert(seq, entries);
        }
    }
    chains.into_iter().collect()
}

/// What the server's log has and what follows an entry that is not here, though another one stands at its place.
fn cut_off(local: &LocalChart) -> Vec<SignedEntry> {
    let follows = |gap: &Gap| {
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
    /// nobody carries it yet, and writes forks down. The chart must be at hand as far as the server has it; only
    /// where there is news of it does anything follow what is not here.
    pub(super) async fn give_back_branches(&mut self, chart: ChartId, news: bool) -> Result<(), SyncProblem> {
        let failed = |error: ClientError| SyncProblem::of_error("giving back", error);
        let open = self.device().map_err(failed)?;
        let me = open.me.device;
        let Some(local) = open.charts.get(&chart) else { return Ok(()) };
        let forked = forked_chains(local, me);
        let mut lost = if news { cut_off(local) } else { Vec::new() };
        if (forked.is_empty() && lost.is_empty()) || open.set_back || self.may_capture(chart).is_err() {
            return Ok(());
        }
        let done = self.carried_already(chart).map_err(failed)?;
        lost.retain(|entry| !done.contains(&entry.id()));
        for ((device, incarnation), forks) in forked {
            let chain = (device, incarnation);
            let branch = self.lost_of_branch(chart, chain, (&forks, &done)).await.map_err(failed)?;
            if !branch.is_empty() {
                self.fork_found(chart, device, incarnation).await;
            }
            lost.extend(branch);
        }
        self.give_back(chart, lost).await.map_err(failed)
    }

    /// What somebody carries, and what this device gave back, whatever became of it: nothing is given back twice.
    fn carried_already(&self, chart: ChartId) -> Result<BTreeSet<EntryId>, ClientError> {
        let view = self.view_of(chart)?;
        let carried = view.timeline().iter().filter(|item| item.carried_by.is_some());
        let mut done: BTreeSet<EntryId> = carried.map(|item| item.entry.id()).collect();
        let open = self.device()?;
        done.extend(open.charts.get(&chart).into_iter().flat_map(|local| given_back(local, open.me.device)));
        Ok(done)
    }

    /// Carries entries, where a carry has room for them and this role may. Staff decide about those of a revoked
    /// device.
    async fn give_back(&mut self, chart: ChartId, mut entries: Vec<SignedEntry>) -> Result<(), ClientError> {
        let open = self.device()?;
        let (role, membership) = (open.me.role, &open.mlog.membership);
        entries.retain(|entry| {
            let standing = membership.standing(chart, entry.frame().device, None);
            standing == Standing::Effective && fits_into_carry(entry)
        });
        for entry in entries.into_iter().take(BRANCH_GIVEN_BACK_PER_SYNC) {
            let draft = Draft::new(Carry::of(&entry, CarryReason::GiveBack));
            if may_write(role, &draft.payload) {
                self.capture_draft(chart, draft).await?;
            }
        }
        Ok(())
    }

    /// What the server does not have of a chain because it has another branch of it, in order, as far as it is
    /// not done; nothing is asked where there is nothing.
    async fn lost_of_branch(
        &mut self,
        chart: ChartId,
        (device, incarnation): (DeviceId, Incarnation),
        (forks, done): (&BTreeMap<u64, Vec<EntryId>>, &BTreeSet<EntryId>),
    ) -> Result<Vec<SignedEntry>, ClientError> {
        let open = self.device()?;
        let (Some(local), Some(first)) = (open.charts.get(&chart), forks.keys().next()) else {
            return Ok(Vec::new());
        };
        let chain: Vec<SignedEntry> =
            local.chart.chain_from(device, incarnation, *first).map(|(_, entry)| entry.clone()).collect();
        let is_open = |entry: &SignedEntry| !local.arrived(entry.id()) && !done.contains(&entry.id());
        if !chain.iter().any(is_open) {
            return Ok(Vec::new());
        }
        let places: Vec<u64> = forks.keys().copied().take(RECONCILE_MAX_PLACES).collect();
        let at_server = self.entries_at_server(chart, (device, incarnation), places).await?;
        // Roots of branches that the server has otherwise; it is believed only about what is here.
        let has_another = |entry: &SignedEntry| {
            let seq = entry.frame().seq;
            let there =
                at_server.get(&seq).filter(|there| forks.get(&seq).is_some_and(|at| at.contains(there)));
            there.is_some_and(|there| *there != entry.id())
        };
        let (mut lost, mut out, mut too_large) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        for entry in chain {
            let before = entry.frame().prev;
            let is_root = has_another(&entry);
            if !is_root && before.is_none_or(|before| !lost.contains(&before)) {
                continue;
            }
            lost.insert(entry.id());
            // A carry counts behind the one before it, or where another entry is at the place.
            let follows = is_root || before.is_none_or(|before| !too_large.contains(&before));
            if follows && fits_into_carry(&entry) {
                out.push(entry);
            } else {
                too_large.insert(entry.id());
            }
        }
        out.retain(|entry| !done.contains(&entry.id()));
        Ok(out)
    }

    /// The entries that the server says it has at places of a chain.
    pub(super) async fn entries_at_server(
        &mut self,
        chart: ChartId,
        (device, incarnation): (DeviceId, Incarnation),
        places: Vec<u64>,
    ) -> Result<BTreeMap<u64, EntryId>, ClientError> {
        let question = ReconcileQuestion { device, incarnation, places };
        let answer: ReconcileAnswer = self.wire()?.post(&paths::reconcile(chart), &question).await?;
        Ok(answer.entries.into_iter().map(|PlacedEntry { seq, entry }| (seq, entry)).collect())
    }
}
