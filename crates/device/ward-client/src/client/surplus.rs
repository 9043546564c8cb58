//! What fills a device and brings nothing: envelopes that nobody known signed, and entries that come at one
//! more place. Only so many bytes of a chart are kept of them, for each may be mended or explained one day.

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

    /// What is at these places anyway takes its room, whatever there is.
    pub(super) fn charge(&mut self, bytes_at: BTreeMap<u64, u64>) {
        for (place, bytes) in bytes_at {
            self.give_back(place);
            self.bytes = self.bytes.saturating_add(bytes);
            self.bytes_at.insert(place, bytes);
        }
    }

    /// What stood at a place is gone, or is none any more.
    pub(super) fn give_back(&mut self, place: u64) {
        self.bytes -= self.bytes_at.remove(&place).unwrap_or(0);
    }
}

fn size_of(row: &ReceivedRecord) -> u64 {
    (row.envelope.len() as u64).saturating_add(ROW_OVERHEAD_BYTES)
}

impl OpenedPage {
    /// The bytes of what nobody known signed, by its place.
    pub(super) fn unsigned_bytes(&self) -> BTreeMap<u64, u64> {
        let unsigned: BTreeSet<u64> = self.unsigned.iter().copied().collect();
        let mut bytes_at = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.opened.is_none() && unsigned.contains(&row.index)) {
            let bytes: &mut u64 = bytes_at.entry(row.index).or_default();
            *bytes = bytes.saturating_add(size_of(row));
        }
        bytes_at
    }

    /// Leaves out what would only fill the device. A place that is smaller than the one at which an entry
    /// is held is the one that counts: it is taken, whatever there is room for, and the larger one goes.
    pub(super) fn within_surplus(self, local: &mut LocalChart) -> Self {
        let sizes: BTreeMap<u64, u64> = self.rows.iter().map(|row| (row.index, size_of(row))).collect();
        let size_at = |place: u64| sizes.get(&place).copied().unwrap_or(ROW_OVERHEAD_BYTES);
        let mut gone: BTreeSet<u64> = BTreeSet::new();
        let mut came: BTreeMap<EntryId, u64> = BTreeMap::new();
        for (entry, arrival) in &self.entries {
            let (id, Some(place)) = (entry.id(), arrival.olog_index) else { continue };
            let held = || local.chart.arrival(id).and_then(|arrival| arrival.olog_index);
            let known = came.get(&id).copied().or_else(held);
            came.insert(id, known.map_or(place, |known| known.min(place)));
            let Some(known) = known.filter(|known| *known != place) else { continue };
            if local.surplus.take(known.max(place), size_at(place)) {
                continue;
            }
            if place < known {
                local.surplus.outdone.insert((known, id));
            } else {
                gone.insert(place);
            }
        }
        for place in &self.unsigned {
            if !local.surplus.take(*place, size_at(*place)) {
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
        let places: BTreeSet<u64> = outdone.iter().map(|(place, _)| *place).collect();
        let goes = |client: &Self, rows: &[ReceivedRecord]| {
            let is_outdone = |row: &ReceivedRecord| {
                places.contains(&row.index)
                    && entry_of(&row.envelope).is_some_and(|entry| outdone.contains(&(row.index, entry)))
                    && row.opened.is_some()
                    && client.place_of(chart, row).is_some_and(|place| place < row.index)
            };
            Ok(rows.iter().map(is_outdone).collect())
        };
        self.leave_rows_of(chart, Batch::default(), goes).await
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

    #[test]
    fn what_is_there_anyway_takes_its_room_and_gives_back_no_more() {
        let mut surplus = Surplus::default();
        surplus.charge(BTreeMap::from([(1, SURPLUS_MAX_BYTES), (2, 1)]));
        surplus.charge(BTreeMap::from([(1, SURPLUS_MAX_BYTES)]));
        assert!(!surplus.take(3, 0), "there is more than may be kept");
        surplus.give_back(2);
        assert!(surplus.take(3, 0) && !surplus.take(3, 1));
        surplus.give_back(1);
        assert!(surplus.take(3, SURPLUS_MAX_BYTES) && !surplus.take(4, 1));
    }
}
