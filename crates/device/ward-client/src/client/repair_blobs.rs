//! Repair of what belongs to blobs and checkpoints. What the server has is fetched again; an
//! attachment that it was not known to have is counted as lost, and what is left of it is still sent:
//! the server may have just the part that is lost here.

use super::Client;
use crate::store::{BLOB_AT_SERVER, BaseStateRecord, Batch, BlobRecord, Table};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;

/// Bytes of the random id of a blob, with which the ids of its chunks begin.
const BLOB_ID_BYTES: usize = 16;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Puts blobs in order of which the record or a chunk, named by its row, is damaged. Gives the
    /// number of those that may be lost.
    pub(super) async fn mend_blobs(
        &self,
        damaged: &BTreeSet<Vec<u8>>,
        batch: &mut Batch,
    ) -> Result<u64, ClientError> {
        let blobs: BTreeSet<&[u8]> = damaged.iter().filter_map(|id| id.get(..BLOB_ID_BYTES)).collect();
        let mut lost = 0;
        for blob in blobs {
            let record: Option<BlobRecord> = self.rows.get(Table::Blobs, blob).await.ok().flatten();
            let at_server = record.as_ref().is_some_and(|record| record.phase == BLOB_AT_SERVER);
            lost += u64::from(!at_server);
            if record.is_some() && !at_server {
                continue;
            }
            // Without its record nobody knows what the chunks are; with it they can be fetched again.
            for id in self.rows.ids(Table::BlobChunks).await? {
                if id.starts_with(blob) {
                    batch.delete(Table::BlobChunks, id);
                }
            }
            if let Some(mut record) = record {
                (record.here, record.checked) = (0, false);
                batch.put(Table::Blobs, blob, &record);
            }
        }
        Ok(lost)
    }

    /// Forgets what charts began with, unless this device has verified all of it: a part of it cannot
    /// be compared with what was signed.
    pub(super) async fn forget_bases(
        &self,
        charts: &BTreeSet<Vec<u8>>,
        batch: &mut Batch,
    ) -> Result<(), ClientError> {
        for chart in charts {
            let state: Option<BaseStateRecord> =
                self.rows.get(Table::Checkpoints, chart).await.ok().flatten();
            if state.is_some_and(|state| state.complete) {
                continue;
            }
            batch.delete(Table::Checkpoints, chart.clone());
            for id in self.rows.ids(Table::CheckpointPages).await? {
                if id.starts_with(chart) {
                    batch.delete(Table::CheckpointPages, id);
                }
            }
        }
        Ok(())
    }
}
