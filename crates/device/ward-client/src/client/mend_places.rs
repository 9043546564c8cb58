//! Mending places: a sound envelope that was delivered at the place of another one keeps the right
//! one out. When all pages are looked through again, both are told apart by proof.

use super::{Client, SyncProblem};
use crate::store::{Batch, ReceivedRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::EnvelopeRow;
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, EntryId};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("receiving", error.into())
}

/// The places at which a page holds two envelopes; their rows stand in order.
pub(super) fn places_twice(rows: &[ReceivedRecord]) -> impl Iterator<Item = u64> {
    rows.windows(2).filter_map(|pair| match pair {
        [one, next] if one.index == next.index => Some(one.index),
        _ => None,
    })
}

pub(super) fn entry_of(envelope: &[u8]) -> Option<EntryId> {
    Some(Envelope::from_canonical(envelope).ok()?.header().entry_id)
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Takes what the server now delivers at places where something else is held, if it opens. What
    /// was held there goes only if it is delivered at another place too: nothing is given up.
    pub(crate) async fn mend_places(
        &mut self,
        chart: ChartId,
        delivered: Vec<EnvelopeRow>,
    ) -> Result<(), SyncProblem> {
        // Only what opens says by itself which entry it is.
        let rows = delivered.iter().cloned().map(super::pull::received).collect();
        let rows = self.opened(chart, rows).map_err(failed)?.into_rows();
        let opened = rows.iter().filter(|row| row.opened.is_some());
        let places: BTreeMap<EntryId, u64> =
            opened.filter_map(|row| Some((entry_of(&row.envelope)?, row.index))).collect();
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        // Also what was written here is news where it comes back for the first time.
        let news = |row: &EnvelopeRow| entry_of(&row.envelope.0).is_some_and(|entry| !local.arrived(entry));
        let fresh: Vec<EnvelopeRow> = delivered.into_iter().filter(news).collect();
        let mut mended = false;
        for row in fresh {
            mended |= self.mend_place(chart, row, &places).await?;
        }
        if mended {
            self.reload_chart(chart).await.map_err(failed)?;
        }
        self.settle_places(chart).await.map_err(failed)
    }

    /// Of two envelopes that are held at one place, the one that came at another place too has its place
    /// there: a server that was set back, and lost it, gave the place to the other.
    pub(super) async fn settle_places(&mut self, chart: ChartId) -> Result<(), ClientError> {
        let begin = self.device()?.olog_begin();
        let local = self.device_mut()?.chart_or_new(chart);
        let twice: BTreeSet<u64> = local.held_twice.range(begin..).copied().collect();
        if twice.is_empty() {
            return Ok(());
        }
        let pages = self.pages_of(chart).await?;
        let still: BTreeSet<u64> = pages.iter().flat_map(|(_, page)| places_twice(&page.rows)).collect();
        // Of two at a place, one may have left with others that were given up.
        let local = self.device_mut()?.chart_or_new(chart);
        local.held_twice.retain(|place| *place < begin || still.contains(place));
        let once = |row: &&ReceivedRecord| row.index >= begin && !twice.contains(&row.index);
        let placed = pages.iter().flat_map(|(_, page)| &page.rows).filter(once);
        // Only what opened says by itself which entry it is.
        let placed = placed.filter(|row| row.opened.is_some());
        let elsewhere: BTreeSet<EntryId> = placed.filter_map(|row| entry_of(&row.envelope)).collect();
        let mut batch = Batch::default();
        let mut settled = BTreeSet::new();
        for (id, mut page) in pages {
            let mut changed = false;
            for place in places_twice(&page.rows).filter(|place| twice.contains(place)).collect::<Vec<_>>() {
                let there = |row: &ReceivedRecord| row.index == place;
                let left = |row: &ReceivedRecord| {
                    there(row) && entry_of(&row.envelope).is_some_and(|entry| elsewhere.contains(&entry))
                };
                // Something stays at the place.
                if page.rows.iter().any(|row| there(row) && row.opened.is_some() && !left(row)) {
                    page.rows.retain(|row| !left(row));
                    changed = true;
                    // Only what opened is left there then.
                    if page.rows.iter().filter(|row| there(row)).count() == 1 {
                        settled.insert(place);
                    }
                }
            }
            if changed {
                batch.put(Table::Pages, id, &page);
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.commit(batch).await?;
        let local = self.device_mut()?.chart_or_new(chart);
        local.held_twice.retain(|place| !settled.contains(place));
        local.unopened.retain(|one| !settled.contains(&one.index));
        settled.iter().for_each(|place| local.surplus.give_back(*place));
        self.raise_mark(None).await;
        self.reload_chart(chart).await
    }

    async fn mend_place(
        &mut self,
        chart: ChartId,
        row: EnvelopeRow,
        places: &BTreeMap<EntryId, u64>,
    ) -> Result<bool, SyncProblem> {
        let index = row.index;
        let Some((id, mut page)) = self.page_with(chart, index).await.map_err(failed)? else {
            return Ok(false);
        };
        let same = |kept: &ReceivedRecord| kept.index == index && kept.envelope.as_slice() == row.envelope.0;
        if page.rows.iter().any(same) {
            return Ok(false);
        }
        let elsewhere = |kept: &ReceivedRecord| {
            let place = entry_of(&kept.envelope).and_then(|entry| places.get(&entry));
            kept.index == index && place.is_some_and(|place| *place != index)
        };
        let opens = self.opened(chart, vec![super::pull::received(row)]).map_err(failed)?;
        let Some(fresh) = opens.into_opened_row() else { return Ok(false) };
        // What only filled the place goes as well; what stays takes its room when the page is kept.
        let waiting = page.rows.iter().filter(|kept| kept.index == index && kept.opened.is_none());
        let waiting = self.opened(chart, waiting.cloned().collect()).map_err(failed)?;
        let junk = self.junk_of(&waiting).map_err(failed)?;
        page.rows.retain(|kept| !elsewhere(kept) && !junk.holds(kept));
        self.device_mut().map_err(failed)?.chart_or_new(chart).surplus.give_back(index);
        page.rows.push(fresh);
        page.rows.sort_by_key(|kept| kept.index);
        let page = self.opened(chart, page.rows).map_err(failed)?;
        match self.keep_page(chart, id, page, None).await {
            Ok(()) | Err(SyncProblem::BadEnvelope { .. }) => Ok(true),
            Err(problem) => Err(problem),
        }
    }
}
