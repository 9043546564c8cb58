//! Mending places: a sound envelope that was delivered at the place of another one keeps the right
//! one out. When all pages are looked through again, both are told apart by proof.

use super::{Client, SyncProblem};
use crate::store::ReceivedRecord;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_api::EnvelopeRow;
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, EntryId};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("receiving", error.into())
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
        if mended { self.reload_chart(chart).await.map_err(failed) } else { Ok(()) }
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
