//! Sending: after the entries, chunk by chunk, from where the server says that it was interrupted.

use super::chunk_row;
use crate::limits::BLOB_CHECKS_PER_SYNC;
use crate::store::{BLOB_AT_SERVER, BLOB_TO_SEND, Batch, BlobRecord, Table};
use crate::{
    Client, ClientError, DeviceKeyStore, Environment, Growth, RowStore, SyncProblem, Transport,
    TransportError,
};
use ward_api::{BlobState, ErrorCode, paths};
use ward_crypto::BlobLayout;
use ward_id::BlobAddress;

fn failed(error: ClientError) -> SyncProblem {
    SyncProblem::of_error("attachments", error)
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Sends what the server lacks of blobs whose charts have no entry left to send.
    pub(crate) async fn send_blobs(&mut self) -> Vec<SyncProblem> {
        if let Err(error) = self.remove_staged().await {
            return vec![failed(error)];
        }
        let Ok(open) = self.device() else { return Vec::new() };
        let membership = &open.mlog.membership;
        let entries_first = |blob: &BlobRecord| {
            let waits = open.charts.get(&blob.chart).is_some_and(|local| local.unsent().next().is_some());
            !waits && membership.is_member(blob.chart, open.me.device)
        };
        let mut checks = 0;
        let mut due = |id: &Vec<u8>, blob: &BlobRecord| {
            // A server that was restored may have lost what it had; this device still has it.
            let again = blob.phase == BLOB_AT_SERVER && blob.here > 0 && !open.blobs_asked.contains(id);
            checks += usize::from(again);
            entries_first(blob) && (blob.phase == BLOB_TO_SEND || again && checks <= BLOB_CHECKS_PER_SYNC)
        };
        let due: Vec<Vec<u8>> =
            open.blobs.iter().filter(|(id, blob)| due(id, blob)).map(|(id, _)| id.clone()).collect();
        let mut problems = Vec::new();
        for id in due {
            match self.send_blob(&id).await {
                Ok(()) => {}
                Err(error) => {
                    let unreachable = matches!(error, ClientError::Transport(TransportError::Unreachable(_)));
                    problems.push(self.blob_problem(&id, error));
                    if unreachable {
                        return problems;
                    }
                }
            }
        }
        problems.extend(self.let_go_of_shown().await.err().map(failed));
        problems
    }

    fn blob_problem(&self, id: &[u8], error: ClientError) -> SyncProblem {
        let chart = self.device().ok().and_then(|open| open.blobs.get(id)).map(|blob| blob.chart);
        SyncProblem::of_quota(chart, &error).unwrap_or_else(|| failed(error))
    }

    pub(super) async fn send_blob(&mut self, id: &[u8]) -> Result<(), ClientError> {
        let Some(record) = self.device()?.blobs.get(id).cloned() else { return Ok(()) };
        let Some(address) = record.address else { return Ok(()) };
        let layout = BlobLayout::of_size(record.size)?;
        let state = self.server_has(&record, address).await?;
        if !state.as_ref().is_some_and(|state| state.complete) {
            self.keep_as_new(id).await?;
        }
        let missing: Vec<u32> = match state {
            Some(state) if state.complete => return self.note_sent(id, layout.chunks(), true).await,
            // All are there, and were not compared yet: the last one again makes the server do it.
            Some(state) if state.missing.is_empty() => vec![layout.chunks() - 1],
            Some(state) => state.missing,
            None => (0..layout.chunks()).collect(),
        };
        if missing.iter().any(|chunk| *chunk >= record.here) {
            return Err(ClientError::AttachmentNotHere { pending: true });
        }
        for chunk in missing {
            let sealed = self.rows().get_bytes(Table::BlobChunks, &chunk_row(id, chunk)).await?;
            let Some(sealed) = sealed else {
                // Nobody has this part any more; the repair that set it aside has counted it.
                self.forget_blob(id, record.here).await?;
                return Err(ClientError::StoreDamaged { table: Table::BlobChunks.name() });
            };
            let path = paths::send_blob_chunk(record.chart, address, chunk, layout.sealed_size());
            let state: BlobState = self.wire()?.put_bytes(&path, sealed.to_vec()).await?;
            let lacks = u32::try_from(state.missing.len()).unwrap_or(u32::MAX);
            self.note_sent(id, layout.chunks().saturating_sub(lacks), state.complete).await?;
            if state.complete {
                break;
            }
        }
        Ok(())
    }

    async fn forget_blob(&mut self, id: &[u8], chunks: u32) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.delete(Table::Blobs, id.to_vec());
        (0..chunks).for_each(|chunk| batch.delete(Table::BlobChunks, chunk_row(id, chunk)));
        self.commit(batch).await?;
        self.device_mut()?.blobs.remove(id);
        self.raise_mark(None).await;
        Ok(())
    }

    /// What the server says that it has of a blob.
    pub(super) async fn server_has(
        &mut self,
        record: &BlobRecord,
        address: BlobAddress,
    ) -> Result<Option<BlobState>, ClientError> {
        match self.wire()?.get::<BlobState>(&paths::blob(record.chart, address)).await {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.is(ErrorCode::BlobUnknown) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn note_sent(&mut self, id: &[u8], sent: u32, complete: bool) -> Result<(), ClientError> {
        let open = self.device_mut()?;
        if complete {
            open.blobs_asked.insert(id.to_vec());
        }
        let Some(mut record) = open.blobs.get(id).cloned() else { return Ok(()) };
        let before = record.clone();
        record.sent = sent;
        record.phase = if complete { BLOB_AT_SERVER } else { BLOB_TO_SEND };
        if record == before {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.put(Table::Blobs, id.to_vec(), &record);
        self.commit_growth(batch, Growth::Submission).await?;
        self.device_mut()?.blobs.insert(id.to_vec(), record);
        self.raise_mark(None).await;
        Ok(())
    }
}
