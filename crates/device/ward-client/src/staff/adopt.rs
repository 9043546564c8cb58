//! Taking over what a lost device wrote after it was revoked.

use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::{ChartId, EntryId};
use ward_sync::{Carry, CarryReason};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Adopts an entry that arrived after its device was revoked: it then counts, with its own
    /// author, time and signature, and this device's signature beside them. Those that wait are
    /// [`ward_sync::ChartView::to_adopt`]. Ask its author first whether they wrote it.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an entry that does not wait for adoption, and what
    /// [`Client::capture`] can fail with.
    pub async fn adopt(&mut self, chart: ChartId, entry: EntryId) -> Result<EntryId, ClientError> {
        let view = self.chart(chart)?;
        let waiting = view.to_adopt().find(|item| item.entry.id() == entry);
        let carry = waiting.map(|item| Carry::of(item.entry, CarryReason::Adopt));
        let carry = carry.ok_or(ClientError::Unknown("the entry that waits for adoption"))?;
        self.capture(chart, carry).await
    }
}
