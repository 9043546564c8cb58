//! Where the server's pages of a chart end. A server that names a place far ahead would keep everything
//! new before it out for good, and one whose pages never end would hold the device in one sync.

use super::mend_places::entry_of;
use super::open_device::sealed_at;
use super::{Client, LocalChart};
use crate::store::{Batch, CursorRecord, ReceivedRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::EnvelopeRow;
use ward_id::ChartId;

/// What a look through the pages brought beside what was new.
#[derive(Default)]
pub(super) struct Delivered {
    /// What the server gave at places that are held.
    pub(super) rows: Vec<EnvelopeRow>,
    /// The last place, if no page followed it.
    pub(super) end: Option<u64>,
}

impl LocalChart {
    /// Nothing stands at these places any more.
    pub(super) fn forget_places(&mut self, gone: &BTreeSet<u64>) {
        self.held.retain(|place| !gone.contains(place));
        self.held_twice.retain(|place| !gone.contains(place));
        self.given_again.retain(|place, _| !gone.contains(place));
        self.strangers.retain(|place, _| !gone.contains(place));
        self.unopened.retain(|one| !gone.contains(&one.index));
        gone.iter().for_each(|place| self.surplus.give_back(*place));
    }

    /// Notes which envelopes of a page bear the name of a device that is not known here.
    pub(super) fn note_strangers(&mut self, page: &[u64], strangers: &[u64], mlog_size: u64) {
        self.strangers.retain(|place, _| !page.contains(place) || strangers.contains(place));
        for place in strangers {
            self.strangers.entry(*place).or_insert(mlog_size);
        }
    }

    /// Whether an envelope came in a meeting in which the membership log did not come as far as its author's
    /// certificate may stand. Once the log went on, its author is known or there is none.
    fn awaits_certificate(&self, row: &ReceivedRecord, mlog_size: u64) -> bool {
        self.strangers.get(&row.index) == Some(&mlog_size) && sealed_at(&row.envelope) > Some(mlog_size)
    }
}

/// Takes rows out of a page. Gives the places at which nothing is left.
pub(super) fn leave_rows(
    rows: &mut Vec<ReceivedRecord>,
    goes: impl Fn(&ReceivedRecord) -> bool,
) -> BTreeSet<u64> {
    let mut left = BTreeSet::new();
    rows.retain(|row| {
        let goes = goes(row);
        left.extend(goes.then_some(row.index));
        !goes
    });
    left.retain(|place| !rows.iter().any(|row| row.index == *place));
    left
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
            // What somebody signed and only waits for a key stays, and so does what a device may have
            // signed that is not known yet: it may be nowhere else.
            let waiting = page.rows.iter().filter(|row| row.index > end && row.opened.is_none());
            let unsigned = self.opened(chart, waiting.cloned().collect())?.unsigned;
            let open = self.device_mut()?;
            let mlog_size = open.mlog.membership.size();
            let local = open.chart_or_new(chart);
            let goes = |row: &ReceivedRecord| {
                let arrival = entry_of(&row.envelope).and_then(|entry| local.chart.arrival(entry));
                let place = arrival.and_then(|arrival| arrival.olog_index);
                let is_junk = unsigned.contains(&row.index) && !local.awaits_certificate(row, mlog_size);
                row.index > end && (is_junk || place.is_some_and(|place| place <= end))
            };
            let rows = page.rows.len();
            gone.extend(leave_rows(&mut page.rows, goes));
            if page.rows.len() < rows {
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
        local.forget_places(&gone);
        self.raise_mark(None).await;
        Ok(())
    }
}
