//! The rule at work: commits that make room first, and the reserve.

use super::{Growth, StorageFacts, StorageStep, next_step};
use crate::client::OpenDevice;
use crate::limits::{ATTACHMENT_LEAVES_BYTES, RESERVE_ROW_BYTES, RESERVE_ROWS, TEXT_LEAVES_BYTES};
use crate::store::{BLOB_AT_SERVER, Batch, BlobRecord, Table, row_id};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, RowStoreError, Transport};
use ward_crypto::limits::BLOB_CHUNK_BYTES;
use ward_sync::{Payload, PayloadRoom};
use zeroize::Zeroizing;

const ROW_BYTES: u64 = RESERVE_ROW_BYTES as u64;

/// How much room this device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomStatus {
    /// Bytes that the store takes, if it can tell.
    pub used_bytes: Option<u64>,
    /// Bytes that it may still take, if it can tell.
    pub free_bytes: Option<u64>,
    /// Bytes that are kept for submissions.
    pub reserve_bytes: u64,
    /// Bytes of blobs that can be dropped, since the server has them.
    pub cached_blob_bytes: u64,
    /// The reserve is touched: what was not sent should be exported now.
    pub export_advised: bool,
}

impl OpenDevice {
    /// Whether the content of a blob can go: the server has it, and nobody is at work on it here. What was
    /// captured here stays for a while all the same, and until the server has shown it: its word for a
    /// blob is not signed, and a backup that is restored lacks the newest.
    fn is_cached(&self, id: &[u8], blob: &BlobRecord) -> bool {
        let at_server = blob.phase == BLOB_AT_SERVER && blob.here > 0;
        at_server && blob.captured_at.is_none() && self.blob_in_use.as_deref() != Some(id)
    }
}

impl Growth {
    /// What an entry with this payload is.
    pub(crate) const fn of(payload: &Payload) -> Self {
        match payload.room() {
            PayloadRoom::Submission => Self::Submission,
            PayloadRoom::Text => Self::Text,
            PayloadRoom::Attachment => Self::Attachment,
        }
    }
}

/// Whether dropping something made room. A disk without room for the dropping itself gave none.
fn gave_room(dropped: Result<u64, ClientError>) -> Result<bool, ClientError> {
    match dropped {
        Ok(dropped) => Ok(dropped > 0),
        Err(ClientError::Store(RowStoreError::Full)) => Ok(false),
        Err(error) => Err(error),
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// How much room this device has.
    ///
    /// # Errors
    /// [`ClientError::Locked`], [`ClientError::NotEnrolled`], [`ClientError::Store`].
    pub async fn room(&self) -> Result<RoomStatus, ClientError> {
        let facts = self.storage_facts(0, false).await?;
        let space = self.rows().space().await?;
        Ok(RoomStatus {
            used_bytes: space.used_bytes,
            free_bytes: space.free_bytes,
            reserve_bytes: facts.reserve_bytes,
            cached_blob_bytes: facts.cached_blob_bytes,
            export_advised: self.device()?.reserve_touched,
        })
    }

    async fn storage_facts(&self, needed_bytes: u64, full: bool) -> Result<StorageFacts, ClientError> {
        let open = self.device()?;
        let cached = open.blobs.iter().filter(|(id, blob)| open.is_cached(id, blob));
        let cached_blob_bytes = cached.map(|(_, blob)| u64::from(blob.here) * BLOB_CHUNK_BYTES as u64).sum();
        let free_bytes = if full { Some(0) } else { self.rows().space().await?.free_bytes };
        let reserve_bytes = u64::from(open.reserve_rows) * ROW_BYTES;
        // Charts are looked through only where room may lack.
        let may_lack =
            free_bytes.is_some_and(|free| free < needed_bytes.saturating_add(ATTACHMENT_LEAVES_BYTES));
        let history_bytes = if may_lack { self.droppable_history_bytes() } else { 0 };
        Ok(StorageFacts { free_bytes, needed_bytes, cached_blob_bytes, history_bytes, reserve_bytes })
    }

    /// Commits a batch after having made room for it. Nothing is confirmed to a person before this
    /// returns.
    ///
    /// # Errors
    /// [`ClientError::NoRoom`]: nothing was changed; and what a commit can fail with.
    pub(crate) async fn commit_growth(&mut self, batch: Batch, growth: Growth) -> Result<(), ClientError> {
        let needed = batch.bytes();
        let (mut full, mut blobs_gone, mut history_gone) = (false, false, false);
        loop {
            let mut facts = self.storage_facts(needed, full).await?;
            // A step that gave nothing is not tried again: the next one in the order is.
            if blobs_gone {
                facts.cached_blob_bytes = 0;
            }
            if history_gone {
                facts.history_bytes = 0;
            }
            match next_step(growth, &facts) {
                StorageStep::Write => match self.commit(batch.clone()).await {
                    // The store could not tell before; now it has told.
                    Err(ClientError::Store(RowStoreError::Full)) if !full => {
                        full = true;
                        continue;
                    }
                    done => return done,
                },
                StorageStep::UseReserve => return self.commit_from_reserve(batch, needed).await,
                StorageStep::Refuse => return Err(ClientError::NoRoom(growth)),
                StorageStep::DropBlobs => blobs_gone = !gave_room(self.drop_cached_blobs().await)?,
                StorageStep::DropHistory => history_gone = !gave_room(self.drop_history().await)?,
            }
            full = false;
        }
    }

    /// Writes a submission in place of a part of the reserve.
    async fn commit_from_reserve(&mut self, batch: Batch, needed: u64) -> Result<(), ClientError> {
        let rows = self.device()?.reserve_rows;
        let used = u8::try_from(needed.div_ceil(ROW_BYTES)).unwrap_or(u8::MAX).min(rows);
        let mut given = Batch::default();
        for row in rows.saturating_sub(used)..rows {
            given.delete(Table::Reserve, [row]);
        }
        match self.commit(batch.after(given)).await {
            Err(ClientError::Store(RowStoreError::Full)) => Err(ClientError::NoRoom(Growth::Submission)),
            Err(error) => Err(error),
            Ok(()) => {
                let open = self.device_mut()?;
                open.reserve_rows = rows.saturating_sub(used);
                open.reserve_touched = true;
                Ok(())
            }
        }
    }

    /// Fills the reserve where there is room for it and more. It does not matter much when that
    /// fails: it is tried again at every sync.
    pub(crate) async fn keep_reserve(&mut self) {
        let Ok(open) = self.device() else { return };
        let rows = open.reserve_rows;
        let lacking = u64::from(RESERVE_ROWS.saturating_sub(rows)) * ROW_BYTES;
        if lacking == 0 {
            return;
        }
        let free = self.rows().space().await.ok().and_then(|space| space.free_bytes);
        if free.is_some_and(|free| free < lacking.saturating_add(2 * TEXT_LEAVES_BYTES)) {
            return;
        }
        let mut batch = Batch::default();
        for row in rows..RESERVE_ROWS {
            batch.put_bytes(Table::Reserve, [row], Zeroizing::new(vec![0; RESERVE_ROW_BYTES]));
        }
        if self.commit(batch).await.is_ok() {
            if let Ok(open) = self.device_mut() {
                open.reserve_rows = RESERVE_ROWS;
                open.reserve_touched = false;
            }
            self.raise_mark(None).await;
        }
    }

    /// Drops the content of blobs that the server has whole; they can be fetched again. Gives the
    /// number of chunks.
    async fn drop_cached_blobs(&mut self) -> Result<u64, ClientError> {
        let mut batch = Batch::default();
        let (mut dropped, mut changed) = (0, Vec::new());
        let open = self.device()?;
        for (id, blob) in &open.blobs {
            if !open.is_cached(id, blob) {
                continue;
            }
            for chunk in 0..blob.here {
                batch.delete(Table::BlobChunks, row_id(&[id, &chunk.to_be_bytes()]));
            }
            dropped += u64::from(blob.here);
            let mut record = blob.clone();
            (record.here, record.checked) = (0, false);
            batch.put(Table::Blobs, id.clone(), &record);
            changed.push((id.clone(), record));
        }
        self.commit(batch).await?;
        self.device_mut()?.blobs.extend(changed);
        self.raise_mark(None).await;
        Ok(dropped)
    }
}
