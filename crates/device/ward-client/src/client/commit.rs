//! Writing to the local store: all of a change or nothing, and the mark outside raised after it.

use super::{Client, OpenDevice, Phase};
use crate::store::{Batch, SessionRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, OwnHead, RowStore, RowStoreError, Transport};

pub(crate) const SESSION_ROW: &[u8] = b"refresh";

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Commits a batch. After a failure, unless the store was full, nobody knows how far it came, so the device locks
    /// and reads it again at the next unlock; no place of a chain can be given twice.
    pub(crate) async fn commit(&mut self, mut batch: Batch) -> Result<(), ClientError> {
        if self.rows.is_read_only() {
            return Err(ClientError::StoreIsNewer);
        }
        if let Phase::Ready(open) = &mut self.phase
            && let Some(token) = open.session.take_unsaved_refresh()
        {
            batch.put(Table::Session, SESSION_ROW, &SessionRecord { refresh_token: token });
        }
        if batch.is_empty() {
            return Ok(());
        }
        let done = self.rows.commit(batch, self.env.rng()).await;
        match &done {
            // A full store says that it kept nothing: how far it came is known.
            Err(ClientError::Store(RowStoreError::Full)) => {
                if let Phase::Ready(open) = &mut self.phase {
                    open.session.keep_unsaved();
                }
            }
            Err(_) => self.lock(),
            Ok(()) => {}
        }
        done
    }

    /// Raises the mark outside the store. A mark that lags is harmless: it lets an older store
    /// pass by as much as it lags, so a failure is shown in the status and tried again.
    pub(crate) async fn raise_mark(&mut self, own_head: Option<OwnHead>) {
        let version = self.rows.version();
        let Phase::Ready(open) = &mut self.phase else { return };
        if open.set_back {
            return;
        }
        let OpenDevice { mark, me, .. } = &mut **open;
        mark.device = Some(me.device);
        mark.store_version = mark.store_version.max(version);
        if let Some(head) = own_head {
            mark.own_heads.retain(|known| known.chart != head.chart);
            mark.own_heads.push(head);
        }
        open.mark_behind = self.device_key.set_high_water(&open.mark).await.is_err();
    }
}
