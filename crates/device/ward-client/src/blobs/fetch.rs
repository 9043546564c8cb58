//! Reading: chunks are fetched on demand, each is opened and checked as it comes, and the whole is
//! compared with what the entry names before anything of it is shown.

use super::chunk_row;
use crate::limits::BLOB_CHUNKS_AT_A_TIME;
use crate::store::{BLOB_AT_SERVER, BLOB_TO_SEND, Batch, BlobRecord, Table};
use crate::{Client, ClientError, DeviceKeyStore, Environment, Growth, RowStore, Transport};
use std::io::Write;
use ward_api::{ErrorCode, paths};
use ward_crypto::{BlobLayout, BlobOpener, random_bytes};
use ward_id::{BlobAddress, ChartId, EntryId};
use ward_sync::Attachment;

/// Where an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttachmentState {
    /// Saved on this device only.
    SavedHere,
    /// The server has so many of its chunks.
    Sending {
        /// Chunks that the server has.
        sent: u32,
        /// All of them.
        of: u32,
    },
    /// The server has it, and this device too.
    Here,
    /// The server has it; its content was dropped here and can be fetched.
    AtServer,
    /// So many of its chunks were fetched.
    Fetching {
        /// Chunks that are here.
        here: u32,
        /// All of them.
        of: u32,
    },
    /// Only its entry is here. Its author's device may not have sent the content yet.
    Pending,
}

/// An attachment of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentView {
    /// The entry that names it.
    pub entry: EntryId,
    /// What it is.
    pub media_type: String,
    /// What its author calls it.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Where it is.
    pub state: AttachmentState,
}

fn state_of(record: Option<&BlobRecord>, of: u32) -> AttachmentState {
    match record {
        None => AttachmentState::Pending,
        Some(blob) if blob.phase == BLOB_TO_SEND && blob.sent == 0 => AttachmentState::SavedHere,
        Some(blob) if blob.phase == BLOB_TO_SEND => AttachmentState::Sending { sent: blob.sent, of },
        Some(blob) if blob.here == of && blob.checked => AttachmentState::Here,
        Some(blob) if blob.here == 0 => AttachmentState::AtServer,
        Some(blob) => AttachmentState::Fetching { here: blob.here, of },
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The attachments of a chart that hold, and where their contents are.
    ///
    /// # Errors
    /// [`ClientError::UnknownChart`].
    pub fn attachments(&self, chart: ChartId) -> Result<Vec<AttachmentView>, ClientError> {
        let view = self.chart(chart)?;
        let current = view.attachments().iter().flat_map(|thread| &thread.current);
        let shown = |written: &ward_sync::Written<'_, Attachment>| {
            let Attachment { address, size, media_type, name, .. } = written.value;
            let of = BlobLayout::of_size(*size).map_or(0, BlobLayout::chunks);
            let record = self.blob_named(chart, *address).map(|(_, record)| record);
            AttachmentView {
                entry: written.id(),
                media_type: media_type.clone(),
                name: name.clone(),
                size: *size,
                state: state_of(record, of),
            }
        };
        Ok(current.map(shown).collect())
    }

    pub(crate) fn blob_named(&self, chart: ChartId, address: BlobAddress) -> Option<(&Vec<u8>, &BlobRecord)> {
        let open = self.device().ok()?;
        open.blobs.iter().find(|(_, blob)| (blob.chart, blob.address) == (chart, Some(address)))
    }

    /// What an entry says of an attachment; only of entries that the chart shows.
    fn attachment(&self, chart: ChartId, entry: EntryId) -> Result<Attachment, ClientError> {
        let view = self.chart(chart)?;
        let mut all = view.attachments().iter().flat_map(|thread| thread.current.iter().chain(&thread.past));
        let found = all.find(|written| written.id() == entry);
        found.map(|written| written.value.clone()).ok_or(ClientError::Unknown("the attachment"))
    }

    /// Fetches the content of an attachment, from where an earlier try was interrupted. Each chunk is
    /// opened as it comes; a damaged one is not kept.
    ///
    /// # Errors
    /// [`ClientError::AttachmentNotHere`] while the server does not have it whole,
    /// [`ClientError::AttachmentDamaged`], [`ClientError::NoRoom`], [`ClientError::Transport`].
    pub async fn fetch_attachment(&mut self, chart: ChartId, entry: EntryId) -> Result<(), ClientError> {
        let named = self.attachment(chart, entry)?;
        let layout = BlobLayout::of_size(named.size)?;
        let (id, mut record) = match self.blob_named(chart, named.address) {
            Some((id, record)) => (id.clone(), record.clone()),
            None => {
                let id: [u8; 16] = random_bytes(self.environment_mut().rng());
                let (address, size) = (Some(named.address), named.size);
                let phase = BLOB_AT_SERVER;
                let (here, sent, checked) = (0, 0, false);
                let captured_at = None;
                (id.to_vec(), BlobRecord { chart, address, phase, size, here, sent, checked, captured_at })
            }
        };
        self.device_mut()?.blob_in_use = Some(id.clone());
        let fetched = self.fetch_content(chart, &named, layout, &id, &mut record).await;
        if let Ok(open) = self.device_mut() {
            open.blob_in_use = None;
        }
        fetched
    }

    async fn fetch_content(
        &mut self,
        chart: ChartId,
        named: &Attachment,
        layout: BlobLayout,
        id: &[u8],
        record: &mut BlobRecord,
    ) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        while record.here < layout.chunks() {
            let chunk = record.here;
            let sealed = self.fetch_chunk(chart, named.address, chunk).await?;
            named.key.open_chunk(layout, chunk, &sealed).map_err(|_| ClientError::AttachmentDamaged)?;
            batch.put_bytes(Table::BlobChunks, chunk_row(id, chunk), sealed.into());
            record.here += 1;
            if record.here.is_multiple_of(BLOB_CHUNKS_AT_A_TIME) || record.here == layout.chunks() {
                self.keep_blob(id, record, std::mem::take(&mut batch)).await?;
            }
        }
        if record.checked {
            return Ok(());
        }
        if self.read_blob(id, named, &mut std::io::sink()).await.is_err() {
            // Every chunk opened, and together they are something else: nothing of it is kept.
            let mut batch = Batch::default();
            (0..record.here).for_each(|chunk| batch.delete(Table::BlobChunks, chunk_row(id, chunk)));
            record.here = 0;
            self.keep_blob(id, record, batch).await?;
            return Err(ClientError::AttachmentDamaged);
        }
        record.checked = true;
        self.keep_blob(id, record, Batch::default()).await
    }

    /// Stores how far a blob has come, with other changes, in one commit.
    pub(crate) async fn keep_blob(
        &mut self,
        id: &[u8],
        record: &BlobRecord,
        mut batch: Batch,
    ) -> Result<(), ClientError> {
        batch.put(Table::Blobs, id.to_vec(), record);
        self.commit_growth(batch, Growth::Attachment).await?;
        self.device_mut()?.blobs.insert(id.to_vec(), record.clone());
        self.raise_mark(None).await;
        Ok(())
    }

    pub(crate) async fn fetch_chunk(
        &mut self,
        chart: ChartId,
        address: BlobAddress,
        chunk: u32,
    ) -> Result<Vec<u8>, ClientError> {
        match self.wire()?.get_bytes(&paths::blob_chunk(chart, address, chunk)).await {
            Err(error) if error.is(ErrorCode::BlobUnknown) || error.is(ErrorCode::BlobIncomplete) => {
                Err(ClientError::AttachmentNotHere { pending: true })
            }
            fetched => fetched,
        }
    }

    /// Writes the content of an attachment that is here, chunk by chunk. Only when this returns `Ok`
    /// is what was written the attachment that the entry names.
    ///
    /// # Errors
    /// [`ClientError::AttachmentNotHere`], [`ClientError::AttachmentDamaged`], [`ClientError::File`].
    pub async fn read_attachment(
        &self,
        chart: ChartId,
        entry: EntryId,
        out: &mut impl Write,
    ) -> Result<(), ClientError> {
        let named = self.attachment(chart, entry)?;
        let not_here = ClientError::AttachmentNotHere { pending: false };
        let (id, record) = self.blob_named(chart, named.address).ok_or(not_here.clone())?;
        let whole = BlobLayout::of_size(named.size)?.chunks() == record.here && record.checked;
        if whole { self.read_blob(id, &named, out).await } else { Err(not_here) }
    }

    async fn read_blob(
        &self,
        id: &[u8],
        named: &Attachment,
        out: &mut impl Write,
    ) -> Result<(), ClientError> {
        let damaged = |_| ClientError::AttachmentDamaged;
        let mut opener = BlobOpener::new(named.key.clone(), named.blob()).map_err(damaged)?;
        let mut chunk = 0;
        while opener.left() > 0 {
            let sealed = self.rows().get_bytes(Table::BlobChunks, &chunk_row(id, chunk)).await?;
            let sealed = sealed.ok_or(ClientError::StoreDamaged { table: Table::BlobChunks.name() })?;
            let opened = opener.next(&sealed).map_err(damaged)?;
            out.write_all(&opened).map_err(|error| ClientError::File(error.to_string()))?;
            chunk += 1;
        }
        opener.finish().map_err(damaged)
    }
}
