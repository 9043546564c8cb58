//! Blobs in chunks. They are hashed by a reader, beside the writer, so that a large one holds up
//! nobody's entries.

use crate::SqliteStore;
use crate::columns::{all, change, int, one, single, uint};
use crate::fault::Fault;
use crate::quota::{Owner, add, give_back, used};
use crate::sql;
use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};
use ward_api::BlobState;
use ward_crypto::BlobLayout;
use ward_id::{ChartId, DeviceId, TimestampMs};
use ward_store::{
    BlobError, BlobName, BlobStore, ChunkRead, NewChunk, QuotaReached, Quotas, StorageUse, StoreError,
    blob_state, check_chunk,
};

/// What one device sent of a blob.
struct Upload {
    id: i64,
    sealed_size: u64,
    complete: bool,
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload { id: row.get(0)?, sealed_size: uint(row, 1)?, complete: row.get(2)? })
}

/// The complete blob, or else what this device sent of it.
fn find(conn: &Connection, name: BlobName, device: DeviceId) -> Result<Option<Upload>, Fault> {
    let (chart, address) = (name.0.as_bytes(), name.1.as_bytes());
    let complete = one(conn, sql::BLOB_COMPLETE, params![chart, address], upload)?;
    match complete {
        Some(complete) => Ok(Some(complete)),
        None => one(conn, sql::BLOB_OF_DEVICE, params![chart, address, device.as_bytes()], upload),
    }
}

fn layout_of(upload: &Upload) -> Result<BlobLayout, Fault> {
    BlobLayout::of_sealed_size(upload.sealed_size).map_err(|_| Fault::corrupt("a blob has no blob's size"))
}

fn state(conn: &Connection, upload: &Upload) -> Result<BlobState, Fault> {
    let layout = layout_of(upload)?;
    let here: Vec<u32> = if upload.complete {
        Vec::new()
    } else {
        all(conn, sql::BLOB_CHUNKS_HERE, [upload.id], |row| row.get(0))?
    };
    Ok(blob_state(layout, &here, upload.complete))
}

/// Makes room for a blob and begins it.
fn begin(
    conn: &Connection,
    new: &NewChunk,
    layout: BlobLayout,
    quotas: &Quotas,
) -> Result<Result<Upload, BlobError>, Fault> {
    let device = new.device.as_bytes();
    let open = single(conn, sql::BLOBS_OPEN_OF, [device], |row| uint(row, 0))?;
    if open >= quotas.device_uploads {
        return Ok(Err(BlobError::TooManyUploads));
    }
    let sealed_size = layout.sealed_size();
    let (of_chart, of_device) = (Owner::Chart(new.chart), Owner::Device(new.device));
    let fits = QuotaReached::check(used(conn, of_chart)?.blob_bytes, sealed_size, quotas.chart_blob_bytes);
    let of = used(conn, of_device)?.blob_bytes;
    let fits = fits.and_then(|()| QuotaReached::check(of, sealed_size, quotas.device_blob_bytes));
    if let Err(reached) = fits {
        return Ok(Err(BlobError::Quota(reached)));
    }
    for owner in [of_chart, of_device] {
        add(conn, owner, StorageUse { operation_bytes: 0, blob_bytes: sealed_size })?;
    }
    let size = int(sealed_size, "the size of a blob")?;
    let row = params![new.chart.as_bytes(), new.address.as_bytes(), device, size, new.received_at.0];
    let id = single(conn, sql::BLOB_INSERT, row, |row| row.get(0))?;
    Ok(Ok(Upload { id, sealed_size, complete: false }))
}

fn put(conn: &Connection, new: &NewChunk, quotas: &Quotas) -> Result<Result<BlobState, BlobError>, Fault> {
    let layout = match check_chunk(new) {
        Ok(layout) => layout,
        Err(error) => return Ok(Err(error)),
    };
    let upload = match find(conn, (new.chart, new.address), new.device)? {
        Some(upload) if layout_of(&upload)? != layout => return Ok(Err(BlobError::Shape)),
        Some(upload) => upload,
        None => match begin(conn, new, layout, quotas)? {
            Ok(upload) => upload,
            Err(error) => return Ok(Err(error)),
        },
    };
    if !upload.complete {
        change(conn, sql::BLOB_CHUNK_INSERT, params![upload.id, new.chunk, new.bytes])?;
        change(conn, sql::BLOB_TOUCH, params![upload.id, new.received_at.0])?;
    }
    state(conn, &upload).map(Ok)
}

/// The hash of all chunks, read one at a time.
fn digest(conn: &Connection, upload: &Upload) -> Result<[u8; 32], Fault> {
    let mut hash = Sha256::new();
    for chunk in 0..layout_of(upload)?.chunks() {
        let bytes = one(conn, sql::BLOB_CHUNK, params![upload.id, chunk], |row| row.get::<_, Vec<u8>>(0))?;
        hash.update(bytes.ok_or_else(|| Fault::corrupt("a chunk of a blob is gone"))?);
    }
    Ok(hash.finalize().into())
}

/// Drops what was sent and gives its room back.
fn drop_upload(
    conn: &Connection,
    id: i64,
    chart: [u8; 16],
    device: [u8; 16],
    size: i64,
) -> Result<(), Fault> {
    change(conn, sql::BLOB_DELETE, [id])?;
    give_back(conn, Owner::Chart(ChartId::from_bytes(chart)), size)?;
    give_back(conn, Owner::Device(DeviceId::from_bytes(device)), size)
}

fn drop_all(conn: &Connection, rows: Vec<(i64, [u8; 16], [u8; 16], i64)>) -> Result<u64, Fault> {
    let count = rows.len() as u64;
    for (id, chart, device, size) in rows {
        drop_upload(conn, id, chart, device, size)?;
    }
    Ok(count)
}

fn owned(row: &Row<'_>) -> rusqlite::Result<(i64, [u8; 16], [u8; 16], i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Marks a blob as complete, if it is still there, and drops what others were sending of it.
fn complete(conn: &Connection, id: i64, name: BlobName) -> Result<bool, Fault> {
    if change(conn, sql::BLOB_MARK_COMPLETE, [id])? == 0 {
        return Ok(false);
    }
    let key = params![name.0.as_bytes(), name.1.as_bytes()];
    drop_all(conn, all(conn, sql::BLOBS_INCOMPLETE, key, owned)?)?;
    Ok(true)
}

impl BlobStore for SqliteStore {
    async fn put_chunk(&self, chunk: NewChunk) -> Result<BlobState, BlobError> {
        let quotas = self.quotas();
        self.inner.writer.write(chunk.bytes.len(), move |conn| put(conn, &chunk, &quotas)).await?
    }

    async fn finish_blob(&self, name: BlobName, device: DeviceId) -> Result<BlobState, BlobError> {
        let read = move |conn: &Connection| {
            let Some(upload) = find(conn, name, device)? else { return Ok(None) };
            let state = state(conn, &upload)?;
            let whole = !upload.complete && state.missing.is_empty();
            let fits = if whole { digest(conn, &upload)? == *name.1.as_bytes() } else { false };
            Ok(Some((upload, state, whole, fits)))
        };
        let found = self.inner.readers.read(read).await?.ok_or(BlobError::Shape)?;
        let (upload, state, whole, fits) = found;
        if state.complete {
            return Ok(state);
        }
        if !whole {
            return Err(BlobError::Shape);
        }
        let (id, size) = (upload.id, int(upload.sealed_size, "the size of a blob")?);
        let end = move |conn: &Connection| {
            if fits {
                return complete(conn, id, name);
            }
            drop_upload(conn, id, *name.0.as_bytes(), *device.as_bytes(), size).map(|()| false)
        };
        let done = self.inner.writer.write(0, end).await?;
        match (done, fits) {
            (true, _) => Ok(BlobState { complete: true, ..state }),
            (false, false) => Err(BlobError::Mismatch),
            // Somebody else's became complete in between, and this one was dropped.
            (false, true) => self.blob_state(name, device).await?.ok_or(BlobError::Shape),
        }
    }

    async fn blob_state(&self, name: BlobName, device: DeviceId) -> Result<Option<BlobState>, StoreError> {
        let read =
            move |conn: &Connection| find(conn, name, device)?.map(|upload| state(conn, &upload)).transpose();
        self.inner.readers.read(read).await
    }

    async fn blob_chunk(&self, name: BlobName, chunk: u32) -> Result<ChunkRead, StoreError> {
        let read = move |conn: &Connection| {
            let key = params![name.0.as_bytes(), name.1.as_bytes()];
            let Some(upload) = one(conn, sql::BLOB_COMPLETE, key, upload)? else {
                let begun = one(conn, sql::BLOB_BEGUN, key, |_| Ok(()))?;
                return Ok(if begun.is_some() { ChunkRead::Incomplete } else { ChunkRead::Unknown });
            };
            let bytes = one(conn, sql::BLOB_CHUNK, params![upload.id, chunk], |row| row.get(0))?;
            Ok(bytes.map_or(ChunkRead::Unknown, ChunkRead::Chunk))
        };
        self.inner.readers.read(read).await
    }

    async fn purge_uploads(&self, before: TimestampMs) -> Result<u64, StoreError> {
        let purge = move |conn: &Connection| {
            let rows = all(conn, sql::BLOBS_AT_REST, [before.0], owned)?;
            drop_all(conn, rows)
        };
        self.inner.writer.write(0, purge).await
    }
}
