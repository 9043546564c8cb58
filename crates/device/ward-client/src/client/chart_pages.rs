//! The stored pages of one chart: only its own rows are read and opened.

use super::{Client, LocalChart};
use crate::store::{Batch, PageRecord, ReceivedRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::ChartId;

/// The id of a page's row: the chart, and the first place in it.
fn page_row(chart: ChartId, first: u64) -> Vec<u8> {
    row_id(&[chart.as_bytes(), &first.to_be_bytes()])
}

impl LocalChart {
    /// Keeps what is left of a page that rows have left. It is named after the first place that is still in
    /// it: what comes again for the places that are free gets a page of its own, and overwrites nothing.
    pub(super) fn move_page(
        &mut self,
        chart: ChartId,
        id: Vec<u8>,
        rows: Vec<ReceivedRecord>,
        batch: &mut Batch,
    ) {
        self.pages.retain(|first| page_row(chart, *first) != id);
        let first = rows.first().map(|row| row.index);
        if let Some(first) = first {
            let moved = page_row(chart, first);
            let waiting = self.unopened.iter_mut().filter(|one| one.page == id);
            waiting.for_each(|one| one.page.clone_from(&moved));
            self.pages.insert(first);
            batch.delete(Table::Pages, id);
            batch.put(Table::Pages, moved, &PageRecord { rows });
        } else {
            batch.delete(Table::Pages, id);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Unopened;
    use ward_id::{SiteId, TimestampMs};

    #[test]
    fn what_a_page_leaves_does_not_stand_where_its_first_row_may_come_again() {
        let chart = ChartId::from_bytes([7; 16]);
        let mut local = LocalChart::new(SiteId::from_bytes([1; 16]), chart);
        let row = |index| ReceivedRecord {
            index,
            received_at: TimestampMs(0),
            envelope: vec![1].into(),
            opened: None,
        };
        let old = page_row(chart, 10);
        local.pages.extend([10, 20]);
        local.unopened.push(Unopened::new(&old, &row(11)));
        let mut batch = Batch::default();
        local.move_page(chart, old.clone(), vec![row(11), row(12)], &mut batch);
        assert_eq!(local.pages.iter().copied().collect::<Vec<_>>(), [11, 20]);
        assert!(local.unopened.iter().all(|one| one.page == page_row(chart, 11)));
        local.move_page(chart, page_row(chart, 20), Vec::new(), &mut batch);
        assert_eq!(local.pages.iter().copied().collect::<Vec<_>>(), [11]);
        assert!(!batch.is_empty());
    }
}
