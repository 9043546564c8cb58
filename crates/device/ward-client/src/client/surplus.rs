//! What fills a device and brings nothing: envelopes that nobody known signed, and entries that come at one
//! more place. Only so many bytes of a chart are kept of them, for each may be mended or explained one day.

use super::look_through::leave_rows;
use super::mend_places::entry_of;
use super::pull::OpenedPage;
use super::{Client, LocalChart};
use crate::limits::{ROW_OVERHEAD_BYTES, SURPLUS_MAX_BYTES};
use crate::store::{Batch, ReceivedRecord};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{ChartId, DeviceId, EntryId};
use ward_sync::{Arrival, Inserted, SignedEntry};

/// What is kept of it, since the device was unlocked.
#[derive(Debug, Default)]
pub(crate) struct Surplus {
    /// The bytes at each place.
    bytes_at: BTreeMap<u64, u64>,
    /// All of them together.
    bytes: u64,
    /// Places of entries that came at a smaller one since, while there was no room for both.
    outdone: BTreeSet<(u64, EntryId)>,
}

impl Surplus {
    /// Takes what stands at a place, if there is room for it.
    fn take(&mut self, place: u64, bytes: u64) -> bool {
        let known = self.bytes_at.get(&place).copied().unwrap_or(0);
        let total = (self.bytes - known).saturating_add(bytes);
        let fits = total <= SURPLUS_MAX_BYTES;
        if fits {
            self.bytes_at.insert(place, bytes);
            self.bytes = total;
        }
        fits
    }

    /// What stood at a place is gone, or is none any more.
    pub(super) fn give_back(&mut self, place: u64) {
        self.bytes -= self.bytes_at.remove(&place).unwrap_or(0);
    }
}

impl OpenedPage {
    /// Leaves out what would only fill the device. A place that is smaller than the one at which an entry
    /// is held is the one that counts: it is taken, whatever there is room for, and the larger one goes.
    pub(super) fn within_surplus(self, local: &mut LocalChart) -> Self {
        let sizes: BTreeMap<u64, u64> = self
            .rows
            .iter()
            .map(|row| (row.index, (row.envelope.len() as u64).saturating_add(ROW_OVERHEAD_BYTES)))
            .collect();
        let size_of = |place: u64| sizes.get(&place).copied().unwrap_or(ROW_OVERHEAD_BYTES);
        let mut gone: BTreeSet<u64> = BTreeSet::new();
        let mut came: BTreeMap<EntryId, u64> = BTreeMap::new();
        for (entry, arrival) in &self.entries {
            let (id, Some(place)) = (entry.id(), arrival.olog_index) else { continue };
            let held = || local.chart.arrival(id).and_then(|arrival| arrival.olog_index);
            let known = came.get(&id).copied().or_else(held);
            came.insert(id, known.map_or(place, |known| known.min(place)));
            let Some(known) = known.filter(|known| *known != place) else { continue };
            if local.surplus.take(known.max(place), size_of(place)) {
                continue;
            }
            if place < known {
                local.surplus.outdone.insert((known, id));
            } else {
                gone.insert(place);
            }
        }
        for place in &self.unsigned {
            if !local.surplus.take(*place, size_of(*place)) {
                gone.insert(*place);
            }
        }
        if gone.is_empty() { self } else { self.without(&gone) }
    }
}

impl LocalChart {
    /// Takes the entries of a page into the chart. Gives a device that signed two histories.
    pub(super) fn take_opened(&mut self, entries: Vec<(SignedEntry, Arrival)>) -> Option<DeviceId> {
        let mut forked = None;
        for (entry, arrival) in entries {
            let (id, device) = (entry.id(), entry.frame().device);
            if let Some(Inserted::Forked { .. }) = self.insert(entry, arrival) {
                forked = Some(device);
            }
            // What opened, at the place that counts, is no surplus, whatever it was before.
            let place = self.chart.arrival(id).and_then(|arrival| arrival.olog_index);
            if let Some(place) = place.filter(|place| Some(*place) == arrival.olog_index) {
                self.surplus.give_back(place);
            }
        }
        forked
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Lets go of larger places of what came at smaller ones while there was no room for both.
    pub(super) async fn leave_outdone_places(&mut self, chart: ChartId) -> Result<(), ClientError> {
        let local = self.device_mut()?.chart_or_new(chart);
        let outdone = std::mem::take(&mut local.surplus.outdone);
        if outdone.is_empty() {
            return Ok(());
        }
        let (mut batch, mut gone) = (Batch::default(), BTreeSet::new());
        for (id, mut page) in self.pages_of(chart).await? {
            let local = self.device_mut()?.chart_or_new(chart);
            let is_outdone = |row: &ReceivedRecord| {
                let entry = entry_of(&row.envelope).filter(|entry| outdone.contains(&(row.index, *entry)));
                let arrival = entry.and_then(|entry| local.chart.arrival(entry));
                let place = arrival.and_then(|arrival| arrival.olog_index);
                row.opened.is_some() && place.is_some_and(|place| place < row.index)
            };
            let rows = page.rows.len();
            gone.extend(leave_rows(&mut page.rows, is_outdone));
            if page.rows.len() < rows {
                local.move_page(chart, id, page.rows, &mut batch);
            }
        }
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).forget_places(&gone);
        self.raise_mark(None).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_makes_room_again() {
        let mut surplus = Surplus::default();
        assert!(surplus.take(1, SURPLUS_MAX_BYTES), "at the limit");
        assert!(!surplus.take(2, 1), "one past it");
        assert!(surplus.take(1, SURPLUS_MAX_BYTES), "the same again takes no more room");
        surplus.give_back(1);
        surplus.give_back(1);
        assert!(surplus.take(2, SURPLUS_MAX_BYTES - 1) && surplus.take(3, 1));
        assert!(!surplus.take(4, 1));
        surplus.give_back(3);
        assert!(surplus.take(4, 1));
    }
}
