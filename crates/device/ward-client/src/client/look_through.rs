//! Where the server's pages of a chart end. A server that names a place far ahead would keep everything
//! new before it out for good, and one whose pages never end would hold the device in one sync.

use super::mend_places::entry_of;
use super::pull::OpenedPage;
use super::{Client, LocalChart};
use crate::limits::{ROW_OVERHEAD_BYTES, SURPLUS_MAX_BYTES};
use crate::store::{Batch, CursorRecord, ReceivedRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::EnvelopeRow;
use ward_id::ChartId;
use ward_sync::{Arrival, SignedEntry};

/// What a look through the pages brought beside what was new.
#[derive(Default)]
pub(super) struct Delivered {
    /// What the server gave at places that are held.
    pub(super) rows: Vec<EnvelopeRow>,
    /// The last place, if no page followed it.
    pub(super) end: Option<u64>,
}

impl OpenedPage {
    /// Leaves out what would only fill the device: of envelopes that nobody known signed, and of those
    /// that came before at another place, only so many bytes are kept.
    pub(super) fn within_surplus(mut self, local: &mut LocalChart) -> Self {
        let place_of = |entry: &SignedEntry| local.chart.arrival(entry.id())?.olog_index;
        let again = |(entry, arrival): &&(SignedEntry, Arrival)| {
            place_of(entry).is_some_and(|place| Some(place) != arrival.olog_index)
        };
        let again = self.entries.iter().filter(again).filter_map(|(_, arrival)| arrival.olog_index);
        let surplus: BTreeSet<u64> = again.chain(self.unsigned.iter().copied()).collect();
        let mut gone = BTreeSet::new();
        for row in self.rows.iter().filter(|row| surplus.contains(&row.index)) {
            let bytes = (row.envelope.len() as u64).saturating_add(ROW_OVERHEAD_BYTES);
            if local.surplus_bytes.saturating_add(bytes) > SURPLUS_MAX_BYTES {
                gone.insert(row.index);
            } else {
                local.surplus_bytes += bytes;
            }
        }
        if gone.is_empty() {
            return self;
        }
        self.rows.retain(|row| !gone.contains(&row.index));
        self.entries.retain(|(_, arrival)| arrival.olog_index.is_none_or(|place| !gone.contains(&place)));
        self.bad.retain(|(index, _)| !gone.contains(index));
        self.unopened.retain(|index| !gone.contains(index));
        self.doubtful.retain(|index| !gone.contains(index));
        self
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The server has no page after a place.
    pub(super) fn note_end(
        &mut self,
        chart: ChartId,
        end: Option<u64>,
        joins: bool,
        delivered: &mut Delivered,
    ) -> Result<(), ClientError> {
        delivered.end = end;
        let local = self.device_mut()?.chart_or_new(chart);
        if joins {
            local.ended_at = local.cursor;
        }
        Ok(())
    }

    /// All pages of a chart were looked through, up to `end`. The log has no place of it beyond, whatever
    /// the server said before: the cursor goes back there, and what is held beyond goes, unless it is an
    /// entry that has come from nowhere else.
    pub(super) async fn leave_places_beyond(&mut self, chart: ChartId, end: u64) -> Result<(), ClientError> {
        let local = self.device_mut()?.chart_or_new(chart);
        let is_beyond = local.cursor > Some(end) || local.held.last().is_some_and(|place| *place > end);
        if !is_beyond {
            return Ok(());
        }
        let (mut batch, mut gone) = (Batch::default(), BTreeSet::new());
        for (id, mut page) in self.pages_of(chart).await? {
            // What somebody signed and only waits for a key stays: it may be nowhere else.
            let waiting = page.rows.iter().filter(|row| row.index > end && row.opened.is_none());
            let unsigned = self.opened(chart, waiting.cloned().collect())?.unsigned;
            let local = self.device_mut()?.chart_or_new(chart);
            let may_go = |row: &ReceivedRecord| {
                let arrival = entry_of(&row.envelope).and_then(|entry| local.chart.arrival(entry));
                let place = arrival.and_then(|arrival| arrival.olog_index);
                unsigned.contains(&row.index) || place.is_some_and(|place| place <= end)
            };
            let before = page.rows.len();
            page.rows.retain(|row| {
                let goes = row.index > end && may_go(row);
                gone.extend(goes.then_some(row.index));
                !goes
            });
            if page.rows.len() < before {
                local.move_page(chart, id, page.rows, &mut batch);
            }
        }
        let local = self.device_mut()?.chart_or_new(chart);
        let cursor = local.cursor.min(Some(end));
        if cursor != local.cursor {
            batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after: cursor });
        }
        self.commit(batch).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        (local.cursor, local.ended_at) = (cursor, cursor);
        local.held.retain(|place| !gone.contains(place));
        local.held_twice.retain(|place| !gone.contains(place));
        local.given_again.retain(|place, _| !gone.contains(place));
        local.unopened.retain(|one| !gone.contains(&one.index));
        self.raise_mark(None).await;
        Ok(())
    }
}
