//! Wiping: the key that wraps everything goes first, then the rows. The order is noted before the
//! first step, so a wipe that was cut off is carried to its end when the app starts again, and at no
//! moment is anything readable without the key.

use super::{Client, Phase};
use crate::store::SealedRows;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// How many entries exist on this device only: neither the server nor the drop box has them.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn only_here(&self) -> Result<u64, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let unsent = open.charts.iter().flat_map(|(chart, local)| {
            let all = local.unsent().chain(local.former_unsent(me));
            all.filter(|entry| !open.dropped.contains_key(&(*chart, entry.id())))
        });
        Ok(unsent.count() as u64)
    }

    /// Destroys everything that this device holds, because its person wants it. `lost` is the number of
    /// entries that the person was told would be lost: [`Client::only_here`]. Export or sync them first.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] if that number is not the present one. After another error the next
    /// start of the app carries the wipe to its end.
    pub async fn wipe(&mut self, lost: u64) -> Result<(), ClientError> {
        if self.only_here()? != lost {
            return Err(ClientError::NotAllowed(
                "the number of entries that would be lost is another one now; look at it again",
            ));
        }
        self.destroy_all().await
    }

    pub(crate) async fn destroy_all(&mut self) -> Result<(), ClientError> {
        self.rows.mark_wiping().await?;
        // Keys and entries leave the memory before the first of them leaves the store.
        self.phase = Phase::Locked;
        carry_out(&mut self.rows, &self.device_key).await?;
        self.phase = Phase::New;
        Ok(())
    }
}

/// Everything after the mark. Each step may have been done before.
pub(super) async fn carry_out<S: RowStore, K: DeviceKeyStore>(
    rows: &mut SealedRows<S>,
    device_key: &K,
) -> Result<(), ClientError> {
    device_key.destroy().await?;
    rows.erase().await
}
