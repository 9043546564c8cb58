//! Who opened a chart: one receipt for each device, chart, UTC day and purpose.

use crate::store::{AccessRecord, Batch, Table, row_id};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::ChartId;
use ward_sync::AccessPurpose;

/// The number of a purpose in stored rows.
const fn number(purpose: AccessPurpose) -> u8 {
    match purpose {
        AccessPurpose::Care => 1,
        AccessPurpose::Export => 2,
        AccessPurpose::BreakGlass => 3,
        AccessPurpose::Verify => 4,
    }
}

/// The purpose with this number.
pub(crate) const fn purpose_of(number: u8) -> Option<AccessPurpose> {
    Some(match number {
        1 => AccessPurpose::Care,
        2 => AccessPurpose::Export,
        3 => AccessPurpose::BreakGlass,
        4 => AccessPurpose::Verify,
        _ => return None,
    })
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Notes that somebody opened a chart on this device. Care is gathered over the UTC day and
    /// written at the first sync after it; export and emergency access are written at once. A
    /// participant's own reading leaves no receipt, and neither does a store that is only read.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`], [`ClientError::StoreSetBack`], [`ClientError::Store`].
    pub async fn note_access(&mut self, chart: ChartId, purpose: AccessPurpose) -> Result<(), ClientError> {
        if self.is_read_only() {
            // Nothing can be written: the newer version on this store wrote down its own openings.
            return Ok(());
        }
        let now = self.env_wall();
        let open = self.device()?;
        if open.me.chart == Some(chart) {
            return Ok(());
        }
        if !open.mlog.membership.is_member(chart, open.me.device) {
            return Err(ClientError::UnknownChart(chart));
        }
        let day = now.utc_day();
        let id = row_id(&[chart.as_bytes(), &day.to_be_bytes(), &[number(purpose)]]);
        let record = match open.access.get(&id) {
            Some(known) => {
                AccessRecord { last_at: known.last_at.max(now), count: known.count + 1, ..known.clone() }
            }
            None => {
                AccessRecord { chart, purpose: number(purpose), day, first_at: now, last_at: now, count: 1 }
            }
        };
        if matches!(purpose, AccessPurpose::Export | AccessPurpose::BreakGlass) {
            return self.write_access(&id, &record).await;
        }
        let mut batch = Batch::default();
        batch.put(Table::Access, id.clone(), &record);
        self.commit(batch).await?;
        self.device_mut()?.access.insert(id, record);
        self.raise_mark(None).await;
        Ok(())
    }
}
