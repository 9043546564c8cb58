//! Where the server's pages of a chart end. A server that names a place far ahead would keep everything
//! new before it out for good, and one whose pages never end would hold the device in one sync.

use super::mend_places::entry_of;
use super::open_device::sealed_at;
use super::pull::OpenedPage;
use super::{Client, LocalChart, SyncProblem};
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
        self.unopened.retain(|one| !gone.contains(&one.index));
        gone.iter().for_each(|place| self.surplus.give_back(*place));
    }
}

/// What of a page nobody known signed, and nobody can have signed who is not known yet.
#[derive(Default)]
pub(super) struct Junk {
    places: BTreeSet<u64>,
    strangers: BTreeSet<u64>,
    mlog_size: u64,
}

impl Junk {
    /// Whether an envelope may go. One that names a later head of the membership log than is known here stays,
    /// as long as its author's certificate may stand in between: it may be nowhere else. What only says so is
    /// bounded by what is kept of junk.
    pub(super) fn holds(&self, row: &ReceivedRecord) -> bool {
        let awaits_certificate =
            || self.strangers.contains(&row.index) && sealed_at(&row.envelope) > Some(self.mlog_size);
        row.opened.is_none() && self.places.contains(&row.index) && !awaits_certificate()
    }
}

/// Takes rows out of a page. Gives the places at which nothing is left.
fn leave_rows(rows: &mut Vec<ReceivedRecord>, goes: &[bool]) -> BTreeSet<u64> {
    let (mut goes, mut left) = (goes.iter(), BTreeSet::new());
    rows.retain(|row| {
        let goes = goes.next() == Some(&true);
        left.extend(goes.then_some(row.index));
        !goes
    });
    left.retain(|place| !rows.iter().any(|row| row.index == *place));
    left
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Fetches what is not at hand of all pages, wherever the cursor stands. Returns how many envelopes came.
    pub(super) async fn pull_from_first(&mut self, chart: ChartId) -> Result<u64, SyncProblem> {
        let looked = self.pull_after(chart, None, &mut Delivered::default()).await;
        let left = self.leave_outdone_places(chart).await;
        left.map_err(|error| SyncProblem::of_error("receiving", error))?;
        looked
    }

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

    /// What of a page that was opened is junk.
    pub(super) fn junk_of(&self, page: &OpenedPage) -> Result<Junk, ClientError> {
        let mlog_size = self.device()?.mlog.membership.size();
        let places = page.unsigned.iter().copied().collect();
        Ok(Junk { places, strangers: page.strangers(), mlog_size })
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
        let mut batch = Batch::default();
        let cursor = local.cursor.min(Some(end));
        if cursor != local.cursor {
            batch.put(Table::Cursors, chart.as_bytes().as_slice(), &CursorRecord { after: cursor });
        }
        let goes = |client: &Self, rows: &[ReceivedRecord]| {
            // What somebody signed and only waits for a key stays.
            let waiting = rows.iter().filter(|row| row.index > end && row.opened.is_none());
            let junk = client.junk_of(&client.opened(chart, waiting.cloned().collect())?)?;
            let goes = |row: &ReceivedRecord| {
                let is_before = || client.place_of(chart, row).is_some_and(|place| place <= end);
                row.index > end && (junk.holds(row) || is_before())
            };
            Ok(rows.iter().map(goes).collect())
        };
        self.leave_rows_of(chart, batch, goes).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        (local.cursor, local.ended_at) = (cursor, cursor);
        Ok(())
    }

    /// The place that counts of the entry that stands in a row, if that came.
    pub(super) fn place_of(&self, chart: ChartId, row: &ReceivedRecord) -> Option<u64> {
        let local = self.device().ok()?.charts.get(&chart)?;
        local.chart.arrival(entry_of(&row.envelope)?)?.olog_index
    }

    /// Lets go of what stands in some rows of a chart, in one commit with what is in the batch.
    pub(super) async fn leave_rows_of(
        &mut self,
        chart: ChartId,
        mut batch: Batch,
        goes: impl Fn(&Self, &[ReceivedRecord]) -> Result<Vec<bool>, ClientError>,
    ) -> Result<(), ClientError> {
        let mut gone = BTreeSet::new();
        for (id, mut page) in self.pages_of(chart).await? {
            let goes = goes(self, &page.rows)?;
            if goes.contains(&true) {
                gone.extend(leave_rows(&mut page.rows, &goes));
                self.device_mut()?.chart_or_new(chart).move_page(chart, id, page.rows, &mut batch);
            }
        }
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).forget_places(&gone);
        self.raise_mark(None).await;
        Ok(())
    }
}
