//! Mending places: a sound envelope that was delivered at the place of another one keeps the right
//! one out. When all pages are looked through again, both are told apart by proof.

use super::{Client, SyncProblem};
use crate::store::{Batch, ReceivedRecord};
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

fn entry_of(envelope: &[u8]) -> Option<EntryId> {
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
        let places: BTreeMap<EntryId, u64> =
            delivered.iter().filter_map(|row| Some((entry_of(&row.envelope.0)?, row.index))).collect();
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        let news = |row: &EnvelopeRow| {
            entry_of(&row.envelope.0).is_some_and(|entry| local.chart.get(entry).is_none())
        };
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
        let placed = pages.iter().flat_map(|(_, page)| &page.rows).filter(|row| !twice.contains(&row.index));
        let elsewhere: BTreeSet<EntryId> =
            placed.filter(|row| row.index >= begin).filter_map(|row| entry_of(&row.envelope)).collect();
        let is_elsewhere = |row: &ReceivedRecord| {
            twice.contains(&row.index)
                && entry_of(&row.envelope).is_some_and(|entry| elsewhere.contains(&entry))
        };
        let mut batch = Batch::default();
        let local = self.device_mut()?.chart_or_new(chart);
        for (id, page) in pages {
            if page.rows.iter().any(is_elsewhere) {
                let (gone, kept): (Vec<_>, Vec<_>) = page.rows.into_iter().partition(is_elsewhere);
                let free = gone.iter().map(|row| row.index);
                // If the server has something there all the same, it comes again.
                let free = free.filter(|place| kept.iter().all(|row| row.index != *place));
                free.for_each(|place| _ = local.held.remove(&place));
                let settled: BTreeSet<u64> = places_twice(&kept).collect();
                local
                    .held_twice
                    .retain(|place| settled.contains(place) || gone.iter().all(|row| row.index != *place));
                local.move_page(chart, id, kept, &mut batch);
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.commit(batch).await {
            // What is in memory has gone on already: the store says at the next unlock what is so.
            self.lock();
            return Err(error);
        }
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
        page.rows.retain(|kept| !elsewhere(kept));
        page.rows.push(fresh);
        page.rows.sort_by_key(|kept| kept.index);
        let page = self.opened(chart, page.rows).map_err(failed)?;
        match self.keep_page(chart, id, page, None).await {
            Ok(()) | Err(SyncProblem::BadEnvelope { .. }) => Ok(true),
            Err(problem) => Err(problem),
        }
    }
}
