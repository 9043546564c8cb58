//! The stored pages of one chart: only its own rows are read and opened.

use super::Client;
use crate::store::{PageRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::ChartId;

/// The id of a page's row: the chart, and the first place in it.
fn page_row(chart: ChartId, first: u64) -> Vec<u8> {
    row_id(&[chart.as_bytes(), &first.to_be_bytes()])
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// All pages of a chart, by their first place.
    pub(crate) async fn pages_of(&self, chart: ChartId) -> Result<Vec<(Vec<u8>, PageRecord)>, ClientError> {
        let Some(local) = self.device()?.charts.get(&chart) else { return Ok(Vec::new()) };
        let mut out = Vec::with_capacity(local.pages.len());
        for first in &local.pages {
            let id = page_row(chart, *first);
            if let Some(page) = self.rows().get::<PageRecord>(Table::Pages, &id).await? {
                out.push((id, page));
            }
        }
        Ok(out)
    }

    /// The stored page that holds a place.
    pub(crate) async fn page_with(
        &self,
        chart: ChartId,
        place: u64,
    ) -> Result<Option<(Vec<u8>, PageRecord)>, ClientError> {
        let Some(local) = self.device()?.charts.get(&chart) else { return Ok(None) };
        for first in local.pages.range(..=place).rev() {
            let id = page_row(chart, *first);
            let Some(page) = self.rows().get::<PageRecord>(Table::Pages, &id).await? else { continue };
            if page.rows.iter().any(|row| row.index == place) {
                return Ok(Some((id, page)));
            }
        }
        Ok(None)
    }
}
