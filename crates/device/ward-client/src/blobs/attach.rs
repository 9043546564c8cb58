//! Capturing: the content is sealed chunk by chunk into the store, and with the last chunk the entry
//! that names it is written, in one commit. A crash in between leaves chunks that nobody names; the
//! next sync removes them.

use super::chunk_row;
use crate::limits::BLOB_CHUNKS_AT_A_TIME;
use crate::store::{BLOB_STAGED, BLOB_TO_SEND, Batch, BlobRecord, NOT_DATED_YET, Table};
use crate::{Client, ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::io::Read;
use ward_crypto::limits::BLOB_CHUNK_BYTES;
use ward_crypto::{BlobKey, BlobSealer, HedgedRng, random_bytes};
use ward_id::{ChartId, EntryId};
use ward_sync::{Attachment, Draft, Payload};
use zeroize::Zeroizing;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Attaches a photograph, a letter, a scan. When this returns, content and entry are durable on
    /// this device; syncs send the entry first and then the content, from where they were
    /// interrupted. At most a few chunks of 256 KiB are in memory.
    ///
    /// # Errors
    /// [`ClientError::File`] if the content cannot be read, [`ClientError::Crypto`] for more than
    /// 64 MiB, [`ClientError::NoRoom`], and what [`Client::capture`] can fail with; nothing is kept
    /// of it then.
    pub async fn attach(
        &mut self,
        chart: ChartId,
        content: impl Read,
        media_type: &str,
        name: &str,
    ) -> Result<EntryId, ClientError> {
        self.may_capture(chart)?;
        self.remove_staged().await?;
        let (open, env) = self.device_and_env()?;
        let blob: [u8; 16] = random_bytes(env.rng());
        let key = BlobKey::generate(&mut HedgedRng::new(env.rng(), &open.keys.hedge, &blob));
        let captured_at = Some(self.trusted_now().unwrap_or(NOT_DATED_YET));
        let staged = BlobRecord {
            chart,
            address: None,
            phase: BLOB_STAGED,
            size: 0,
            here: 0,
            sent: 0,
            checked: true,
            captured_at,
        };
        let done = self.attach_content(blob.to_vec(), staged, key, content, media_type, name).await;
        if done.is_err() {
            // What was staged goes now, or at the next sync if that fails too.
            let _later = self.remove_staged().await;
        }
        done
    }

    async fn attach_content(
        &mut self,
        blob: Vec<u8>,
        mut record: BlobRecord,
        key: BlobKey,
        mut content: impl Read,
        media_type: &str,
        name: &str,
    ) -> Result<EntryId, ClientError> {
        let mut sealer = BlobSealer::new(key.clone());
        let mut batch = Batch::default();
        let mut current = read_chunk(&mut content)?;
        loop {
            let next = if current.len() == BLOB_CHUNK_BYTES {
                read_chunk(&mut content)?
            } else {
                Zeroizing::default()
            };
            if next.is_empty() {
                break;
            }
            let sealed = sealer.next(&current)?;
            batch.put_bytes(Table::BlobChunks, chunk_row(&blob, record.here), sealed.into());
            record.here += 1;
            if record.here.is_multiple_of(BLOB_CHUNKS_AT_A_TIME) {
                batch.put(Table::Blobs, blob.clone(), &record);
                self.commit_growth(std::mem::take(&mut batch), Growth::Attachment).await?;
                self.device_mut()?.blobs.insert(blob.clone(), record.clone());
                self.raise_mark(None).await;
            }
            current = next;
        }
        let (sealed, named) = sealer.last(&current)?;
        batch.put_bytes(Table::BlobChunks, chunk_row(&blob, record.here), sealed.into());
        record.here += 1;
        (record.address, record.size, record.phase) = (Some(named.address), named.size, BLOB_TO_SEND);
        batch.put(Table::Blobs, blob.clone(), &record);
        let payload = Payload::from(Attachment::of(key, named, media_type, name));
        let entry = self.capture_with(record.chart, Draft::new(payload), batch).await?;
        self.device_mut()?.blobs.insert(blob, record);
        Ok(entry)
    }

    /// Removes what was staged of contents whose capture never ended.
    pub(crate) async fn remove_staged(&mut self) -> Result<(), ClientError> {
        let staged: Vec<(Vec<u8>, u32)> = self
            .device()?
            .blobs
            .iter()
            .filter(|(_, blob)| blob.phase == BLOB_STAGED)
            .map(|(id, blob)| (id.clone(), blob.here))
            .collect();
        for (id, here) in staged {
            let mut batch = Batch::default();
            for chunk in 0..here {
                batch.delete(Table::BlobChunks, chunk_row(&id, chunk));
            }
            batch.delete(Table::Blobs, id.clone());
            self.commit(batch).await?;
            self.device_mut()?.blobs.remove(&id);
            self.raise_mark(None).await;
        }
        Ok(())
    }
}

/// As many bytes as a chunk has, fewer only at the end.
fn read_chunk(content: &mut impl Read) -> Result<Zeroizing<Vec<u8>>, ClientError> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(BLOB_CHUNK_BYTES));
    let limit = BLOB_CHUNK_BYTES as u64;
    content
        .by_ref()
        .take(limit)
        .read_to_end(&mut chunk)
        .map_err(|error| ClientError::File(error.to_string()))?;
    Ok(chunk)
}
