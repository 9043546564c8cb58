//! Where this device was: it remembers when it first showed a zone, for the deadlines that it shows hang on
//! that, and they must not move because somebody looks again.

use super::Client;
use crate::limits::ZONES_REMEMBERED_MAX;
use crate::store::{Batch, Table, ZONES_ROW};
use crate::views::Here;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::Role;
use ward_sync::limits::CLAIM_TOLERANCE_MS;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Remembers the zone that this device shows now, if it is another one than before. An app calls it
    /// when it starts, when it comes to the front, and when the system says that the zone changed.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Locked`].
    pub async fn note_zone(&mut self) -> Result<(), ClientError> {
        let (zone, now) = (self.env.zone(), self.env.wall());
        let known = &self.device()?.zones;
        if known.seen.last().is_some_and(|(_, last)| *last == zone) || self.is_read_only() {
            return Ok(());
        }
        let mut record = known.clone();
        record.seen.push((now, zone));
        let excess = record.seen.len().saturating_sub(ZONES_REMEMBERED_MAX);
        record.seen.drain(..excess);
        let mut batch = Batch::default();
        batch.put(Table::Memory, ZONES_ROW, &record);
        self.commit(batch).await?;
        self.device_mut()?.zones = record;
        self.raise_mark(None).await;
        Ok(())
    }

    /// By how much the wall clock of this device is off, if the site's witnesses said what time it is in this
    /// boot and the two differ by more than is tolerated. What is written now is filed by it.
    pub fn clock_is_off_by_ms(&self) -> Option<i64> {
        let off_ms = self.env.wall().since_ms(self.trusted_now()?);
        (off_ms.abs() > CLAIM_TOLERANCE_MS).then_some(off_ms)
    }

    /// Where this device is and was.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn here(&self) -> Result<Here, ClientError> {
        let open = self.device()?;
        let mut seen = open.zones.seen.clone();
        seen.push((self.env.wall(), self.env.zone()));
        Ok(Here { device: open.me.device, is_participants: open.me.role == Role::Patient, seen })
    }
}
