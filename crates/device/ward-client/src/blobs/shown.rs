//! Letting go: the server's word that it has a blob is not signed. Before the only copy that this device
//! knows of may make room for something else, the server must show parts that it could not choose.

use super::chunk_row;
use crate::limits::{CONTENTS_SHOWN_PER_SYNC, OWN_CONTENT_KEPT_MS};
use crate::store::{BLOB_AT_SERVER, BLOB_TO_SEND, Batch, BlobRecord, NOT_DATED_YET, Table};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use rand_core::Rng as _;
use ward_api::{BlobState, paths};
use ward_crypto::BlobLayout;
use ward_id::{BlobAddress, TimestampMs};

/// What came of asking.
enum Shown {
    /// The parts are those that are here.
    Same,
    /// The server has other bytes there, or answers with something else.
    Other {
        /// The first part that differs.
        chunk: u32,
    },
    /// It does not have the content, whatever it said.
    Nothing,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Asks the server to show contents that were captured here so long ago that they may go. What it
    /// shows is let go of; what it does not have is sent again.
    pub(super) async fn let_go_of_shown(&mut self) -> Result<(), ClientError> {
        // Only witnesses tell how old something is: a clock of this device may be ahead, or was behind.
        let Some(now) = self.trusted_now() else { return Ok(()) };
        self.date_captures_ahead(now).await?;
        let open = self.device()?;
        let is_old =
            |blob: &BlobRecord| blob.captured_at.is_some_and(|at| now.since_ms(at) >= OWN_CONTENT_KEPT_MS);
        let due = |id: &Vec<u8>, blob: &BlobRecord| {
            blob.phase == BLOB_AT_SERVER
                && blob.here > 0
                && is_old(blob)
                && !open.contents_asked.contains(id)
                && open.mlog.membership.is_member(blob.chart, open.me.device)
        };
        let due = open.blobs.iter().filter(|(id, blob)| due(id, blob)).take(CONTENTS_SHOWN_PER_SYNC);
        let due: Vec<(Vec<u8>, BlobRecord)> = due.map(|(id, blob)| (id.clone(), blob.clone())).collect();
        let mut first_error = None;
        for (id, record) in due {
            if let Err(error) = self.let_go_of(&id, record, now).await {
                if matches!(error, ClientError::Transport(_)) {
                    return Err(error);
                }
                // It stays here, and stops no other. What does not pass by itself is asked again by the next
                // run of the program.
                if !error.passes_by_itself() {
                    self.device_mut()?.contents_asked.insert(id);
                }
                first_error.get_or_insert(error);
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    /// A content that was captured when the clock was ahead, or when nobody said what time it was, is as new as
    /// what is captured now.
    async fn date_captures_ahead(&mut self, now: TimestampMs) -> Result<(), ClientError> {
        let is_ahead = |blob: &BlobRecord| blob.captured_at.is_some_and(|at| at > now);
        let ahead = self.device()?.blobs.iter().filter(|(_, blob)| is_ahead(blob));
        let ahead: Vec<(Vec<u8>, BlobRecord)> = ahead.map(|(id, blob)| (id.clone(), blob.clone())).collect();
        for (id, mut record) in ahead {
            record.captured_at = Some(now);
            self.keep_record(id, record).await?;
        }
        Ok(())
    }

    /// Has one content shown, and keeps what follows from it.
    async fn let_go_of(
        &mut self,
        id: &[u8],
        mut record: BlobRecord,
        now: TimestampMs,
    ) -> Result<(), ClientError> {
        let Some(address) = record.address else { return Ok(()) };
        match self.shown_by_server(id, &record, address).await? {
            Shown::Same => record.captured_at = None,
            Shown::Nothing => {
                (record.phase, record.sent, record.captured_at) = (BLOB_TO_SEND, 0, Some(now));
            }
            Shown::Other { chunk } => return self.give_again(id, record, address, (chunk, now)).await,
        }
        self.keep_record(id.to_vec(), record).await
    }

    /// The server has other bytes than were captured: it is given one part again, finds that what it has
    /// does not have the address any more, and takes the content anew.
    async fn give_again(
        &mut self,
        id: &[u8],
        mut record: BlobRecord,
        address: BlobAddress,
        (chunk, now): (u32, TimestampMs),
    ) -> Result<(), ClientError> {
        let sealed_size = BlobLayout::of_size(record.size)?.sealed_size();
        let held = self.rows().get_bytes(Table::BlobChunks, &chunk_row(id, chunk)).await?;
        let held = held.ok_or(ClientError::StoreDamaged { table: Table::BlobChunks.name() })?;
        let path = paths::send_blob_chunk(record.chart, address, chunk, sealed_size);
        let state: BlobState = self.wire()?.put_bytes(&path, held.to_vec()).await?;
        if state.complete && !matches!(self.shown_by_server(id, &record, address).await?, Shown::Same) {
            return Err(ClientError::AttachmentDamaged);
        }
        record.captured_at = Some(now);
        if !state.complete {
            (record.phase, record.sent) = (BLOB_TO_SEND, 0);
        }
        self.keep_record(id.to_vec(), record).await?;
        self.send_blob(id).await
    }

    /// Has the server show the last part of a blob, and another one that it cannot guess.
    async fn shown_by_server(
        &mut self,
        id: &[u8],
        record: &BlobRecord,
        address: BlobAddress,
    ) -> Result<Shown, ClientError> {
        let chunks = BlobLayout::of_size(record.size)?.chunks().min(record.here);
        let any =
            u32::try_from(self.environment_mut().rng().next_u64() % u64::from(chunks.max(1))).unwrap_or(0);
        let mut asked = vec![any, chunks.saturating_sub(1)];
        asked.dedup();
        for chunk in asked {
            let held = self.rows().get_bytes(Table::BlobChunks, &chunk_row(id, chunk)).await?;
            // Without it nothing can be compared.
            let held = held.ok_or(ClientError::StoreDamaged { table: Table::BlobChunks.name() })?;
            match self.fetch_chunk(record.chart, address, chunk).await {
                Ok(sealed) if sealed == *held => {}
                Ok(_) => return Ok(Shown::Other { chunk }),
                Err(ClientError::AttachmentNotHere { .. }) => return Ok(Shown::Nothing),
                Err(error) => return Err(error),
            }
        }
        Ok(Shown::Same)
    }

    /// What the server once had and has not any more is here alone, perhaps: it is kept like something new.
    pub(super) async fn keep_as_new(&mut self, id: &[u8]) -> Result<(), ClientError> {
        let now = self.trusted_now().unwrap_or(NOT_DATED_YET);
        let Some(mut record) = self.device()?.blobs.get(id).cloned() else { return Ok(()) };
        let is_whole = record.checked && record.here == BlobLayout::of_size(record.size)?.chunks();
        if record.phase != BLOB_AT_SERVER || !is_whole {
            return Ok(());
        }
        (record.phase, record.sent, record.captured_at) = (BLOB_TO_SEND, 0, Some(now));
        self.keep_record(id.to_vec(), record).await
    }

    async fn keep_record(&mut self, id: Vec<u8>, record: BlobRecord) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.put(Table::Blobs, id.clone(), &record);
        self.commit(batch).await?;
        self.device_mut()?.blobs.insert(id, record);
        self.raise_mark(None).await;
        Ok(())
    }
}
