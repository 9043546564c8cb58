//! Taking over what a device could not make count itself: what it sent after it was revoked, and what
//! it handed to the drop box. Or declining it, with a reason.

use crate::client::{Rewrite, WaitingDrop, stage};
use crate::store::{Batch, Table};
use crate::{Client, ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::DropState;
use ward_id::{ChartId, DeviceId, EntryId};
use ward_sync::{Carry, CarryReason, Draft, DropDeclined, EntryError, SignedEntry};

/// An entry that may be adopted, wherever it waits.
pub(crate) struct Adoptable {
    pub(crate) entry: SignedEntry,
    /// The drop in which it waits, if it came that way.
    pub(crate) drop: Option<WaitingDrop>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Adopts an entry that arrived after its device was revoked, or that waits in the drop box: it
    /// then counts, with its own author, time and signature, and this device's signature beside them.
    /// Those that wait are [`ward_sync::ChartView::to_adopt`] and [`Client::waiting_drops`]. Ask its
    /// author first whether they wrote it.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an entry that does not wait for adoption, and what
    /// [`Client::capture`] can fail with.
    pub async fn adopt(&mut self, chart: ChartId, entry: EntryId) -> Result<EntryId, ClientError> {
        let one: Vec<Adoptable> =
            self.adoptable(chart)?.into_iter().filter(|found| found.entry.id() == entry).collect();
        let carried = self.adopt_these(chart, one).await?;
        carried.first().copied().ok_or(ClientError::Unknown("the entry that waits for adoption"))
    }

    /// Adopts everything of a device that waits in a chart, in the order of its chain and in one commit.
    /// Gives the new entries; none if nothing waits. What somebody declined waits no longer: adopting it
    /// after all is an act of its own ([`Client::adopt`]).
    ///
    /// # Errors
    /// What [`Client::capture`] can fail with.
    pub async fn adopt_all(&mut self, chart: ChartId, device: DeviceId) -> Result<Vec<EntryId>, ClientError> {
        let mut all = self.undecided(chart)?;
        all.retain(|found| found.entry.frame().device == device);
        self.adopt_these(chart, all).await
    }

    /// Declines an entry that waits for adoption: it does not count in the chart, and the chart says who
    /// declined it and why. It is brought into the chart all the same and kept aside there, so that what
    /// its author wrote on top of it (in a text, about a record) can be taken over without it.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] without a reason; [`ClientError::Unknown`] for an entry that does not
    /// wait, and what [`Client::capture`] can fail with.
    pub async fn decline(
        &mut self,
        chart: ChartId,
        entry: EntryId,
        reason: &str,
    ) -> Result<EntryId, ClientError> {
        if reason.trim().is_empty() {
            return Err(ClientError::NotAllowed("declining takes a reason"));
        }
        let found = self.undecided(chart)?.into_iter().find(|found| found.entry.id() == entry);
        let found = found.ok_or(ClientError::Unknown("the entry that waits for adoption"))?;
        self.may_capture(chart)?;
        let declined = DropDeclined { device: found.entry.frame().device, entry };
        let draft = Draft { payload: declined.into(), amends: None, reason: Some(reason.to_owned()) };
        let brought = Draft::new(Carry::of(&found.entry, CarryReason::Decline));
        let is_here = self.view_of(chart)?.place(entry).is_some();
        let drafts = [brought, draft.clone()].into_iter().skip(usize::from(is_here));
        let written = match self.write(chart, drafts.map(Rewrite::first).collect()) {
            // What has no room inside another entry is declined all the same.
            Err(ClientError::Entry(EntryError::TooLarge(_))) if !is_here => {
                self.write(chart, vec![Rewrite::first(draft)])?
            }
            written => written?,
        };
        let drop = found.drop.map(|drop| WaitingDrop { decided: Some(DropState::Declined), ..drop });
        let mut batch = Batch::default();
        if let Some(drop) = &drop {
            batch.put(Table::Drops, drop.row_id(), &drop.to_record());
        }
        let written = self.keep_written(chart, written, batch, Growth::Submission).await?;
        if let Some(drop) = drop {
            self.device_mut()?.drops.insert(drop.key(), drop);
        }
        Ok(written)
    }

    /// As [`Client::adoptable`], without what somebody declined.
    fn undecided(&self, chart: ChartId) -> Result<Vec<Adoptable>, ClientError> {
        let declined = self.chart(chart)?.declined();
        let mut all = self.adoptable(chart)?;
        all.retain(|found| !declined.contains(&found.entry.id()));
        Ok(all)
    }

    /// Everything of a chart that may be adopted, in the order of chains. What waits in both places
    /// stands once.
    fn adoptable(&self, chart: ChartId) -> Result<Vec<Adoptable>, ClientError> {
        let drops: Vec<WaitingDrop> = self.waiting_drops(chart)?.into_iter().cloned().collect();
        let dropped: BTreeSet<EntryId> = drops.iter().map(|drop| drop.entry.id()).collect();
        let view = self.chart(chart)?;
        let sent = view.to_adopt().filter(|item| !dropped.contains(&item.entry.id()));
        let sent = sent.map(|item| Adoptable { entry: item.entry.clone(), drop: None });
        let mut all: Vec<Adoptable> = sent.collect();
        all.extend(drops.into_iter().map(|drop| Adoptable { entry: drop.entry.clone(), drop: Some(drop) }));
        all.sort_by_key(|found| {
            let frame = found.entry.frame();
            // Of several lives of a store, the one that began first comes first.
            (frame.device, frame.body.lamport, frame.incarnation, frame.seq)
        });
        Ok(all)
    }

    /// Carries entries into a chart in one commit, and notes what became of those in the drop box.
    pub(crate) async fn adopt_these(
        &mut self,
        chart: ChartId,
        found: Vec<Adoptable>,
    ) -> Result<Vec<EntryId>, ClientError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        self.may_capture(chart)?;
        let carry = |found: &Adoptable| Rewrite::first(Draft::new(Carry::adopting(&found.entry)));
        let written = self.write(chart, found.iter().map(carry).collect())?;
        let carries: Vec<EntryId> = written.entries.iter().map(SignedEntry::id).collect();
        let receipted = self.device()?.charts.get(&chart).map_or(0, |local| local.receipted);
        let adopted: Vec<WaitingDrop> = found
            .into_iter()
            .filter_map(|found| Some(WaitingDrop { decided: Some(DropState::Adopted), ..found.drop? }))
            .collect();
        let mut batch = Batch::default();
        adopted.iter().for_each(|drop| batch.put(Table::Drops, drop.row_id(), &drop.to_record()));
        stage(&mut batch, chart, &written, receipted);
        self.commit_growth(batch, Growth::Submission).await?;
        let newest = self.take_written(chart, written)?;
        let open = self.device_mut()?;
        open.drops.extend(adopted.into_iter().map(|drop| (drop.key(), drop)));
        self.raise_mark(newest).await;
        Ok(carries)
    }
}
