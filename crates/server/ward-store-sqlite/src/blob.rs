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
    BlobError, BlobName, BlobStore, ChunkRead, NEVER_AT_REST, NewChunk, QuotaReached, Quotas, StorageUse,
    StoreError, blob_state, check_chunk,
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
    let open = single(conn, sql::BLOBS_OPEN_OF, params![device, NEVER_AT_REST.0], |row| uint(row, 0))?;
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
        add(conn, owner, StorageUse { blob_bytes: sealed_size, ..StorageUse::default() })?;
    }
    let size = int(sealed_size, "the size of a blob")?;
    let id: i64 = single(conn, sql::BLOB_NUMBER, [], |row| row.get(0))?;
    let row = params![id, new.chart.as_bytes(), new.address.as_bytes(), device, size, new.received_at.0];
    change(conn, sql::BLOB_INSERT, row)?;
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

/// An upload with those whose room it takes: number, chart, device, size.
type Owned = (i64, [u8; 16], [u8; 16], i64);

/// Drops what was sent. Its room is given back if it was still there.
fn drop_upload(conn: &Connection, (id, chart, device, size): Owned) -> Result<bool, Fault> {
    if change(conn, sql::BLOB_DELETE, params![id, chart, device])? == 0 {
        return Ok(false);
    }
    give_back(conn, Owner::Chart(ChartId::from_bytes(chart)), size)?;
    give_back(conn, Owner::Device(DeviceId::from_bytes(device)), size)?;
    Ok(true)
}

fn drop_all(conn: &Connection, rows: Vec<Owned>) -> Result<u64, Fault> {
    let mut count = 0;
    for row in rows {
        count += u64::from(drop_upload(conn, row)?);
    }
    Ok(count)
}

fn owned(row: &Row<'_>) -> rusqlite::Result<Owned> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

/// Drops what rests since an instant.
fn purge(conn: &Connection, before: TimestampMs) -> Result<u64, Fault> {
    drop_all(conn, all(conn, sql::BLOBS_AT_REST, [before.0], owned)?)
}

/// Ends an upload that a reader looked at before: marks the blob as complete and drops what others were
/// sending of it, or drops it if it has another address. Says whether it became complete. What was ended
/// in between, by whomever, is left alone.
fn end(
    conn: &Connection,
    upload: &Upload,
    name: BlobName,
    device: DeviceId,
    fits: bool,
) -> Result<bool, Fault> {
    let (chart, address) = (name.0.as_bytes(), name.1.as_bytes());
    let key = params![upload.id, chart, address, device.as_bytes()];
    if one(conn, sql::BLOB_STILL_SENT, key, |_| Ok(()))?.is_none() {
        return Ok(false);
    }
    if !fits {
        let size = int(upload.sealed_size, "the size of a blob")?;
        drop_upload(conn, (upload.id, *chart, *device.as_bytes(), size))?;
        return Ok(false);
    }
    if change(conn, sql::BLOB_MARK_COMPLETE, [upload.id])? == 0 {
        return Ok(false);
    }
    drop_all(conn, all(conn, sql::BLOBS_INCOMPLETE, params![chart, address], owned)?)?;
    Ok(true)
}

/// A blob that is said to be complete and is not: a chunk of it is gone, or all of them have another address.
fn damaged(conn: &Connection, name: BlobName) -> Result<Option<Upload>, Fault> {
    let key = params![name.0.as_bytes(), name.1.as_bytes()];
    let Some(upload) = one(conn, sql::BLOB_COMPLETE, key, upload)? else { return Ok(None) };
    let here: Vec<u32> = all(conn, sql::BLOB_CHUNKS_HERE, [upload.id], |row| row.get(0))?;
    let whole = here.len() == usize::try_from(layout_of(&upload)?.chunks()).unwrap_or(usize::MAX);
    let sound = whole && digest(conn, &upload)? == *name.1.as_bytes();
    Ok((!sound).then_some(upload))
}

/// Takes the mark of a damaged blob away, and drops it if it is of this device. What another one sent stays
/// until the blob is whole again.
fn leave_damaged(
    conn: &Connection,
    upload: &Upload,
    name: BlobName,
    device: DeviceId,
) -> Result<bool, Fault> {
    if change(conn, sql::BLOB_MARK_DAMAGED, params![upload.id, NEVER_AT_REST.0])? == 0 {
        return Ok(false);
    }
    let size = int(upload.sealed_size, "the size of a blob")?;
    drop_upload(conn, (upload.id, *name.0.as_bytes(), *device.as_bytes(), size))?;
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
        let done = self
            .inner
            .writer
            .write(0, move |conn: &Connection| end(conn, &upload, name, device, fits))
            .await?;
        match (done, fits) {
            (true, _) => Ok(BlobState { complete: true, ..state }),
            (false, false) => Err(BlobError::Mismatch),
            // Somebody else's became complete in between, and this one was dropped.
            (false, true) => self.blob_state(name, device).await?.ok_or(BlobError::Shape),
        }
    }

    async fn recheck_blob(&self, name: BlobName, device: DeviceId) -> Result<bool, StoreError> {
        let found = self.inner.readers.read(move |conn: &Connection| damaged(conn, name)).await?;
        let Some(upload) = found else { return Ok(false) };
        let leave = move |conn: &Connection| leave_damaged(conn, &upload, name, device);
        self.inner.writer.write(0, leave).await
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
        self.inner.writer.write(0, move |conn: &Connection| purge(conn, before)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::migrate;
    use ward_id::BlobAddress;

    fn database() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        migrate(&conn).unwrap();
        conn
    }

    fn name(chart: u8, bytes: &[u8]) -> BlobName {
        (ChartId::from_bytes([chart; 16]), BlobAddress::from_bytes(Sha256::digest(bytes).into()))
    }

    fn device(number: u8) -> DeviceId {
        DeviceId::from_bytes([number; 16])
    }

    /// Sends a blob of one chunk up to its end, which another thread may see before it comes.
    fn sent(conn: &Connection, by: u8, name: BlobName, bytes: &[u8]) -> Upload {
        let chunk = NewChunk {
            chart: name.0,
            address: name.1,
            device: device(by),
            sealed_size: bytes.len() as u64,
            chunk: 0,
            bytes: bytes.to_vec(),
            received_at: TimestampMs(1),
        };
        put(conn, &chunk, &Quotas::default()).unwrap().unwrap();
        find(conn, name, device(by)).unwrap().unwrap()
    }

    fn blob_bytes(conn: &Connection, owner: Owner) -> u64 {
        used(conn, owner).unwrap().blob_bytes
    }

    #[test]
    fn an_upload_that_ends_twice_gives_its_room_back_once_and_takes_nobody_elses_blob() {
        let conn = database();
        let (good, bad) = (name(1, &[1; 100]), name(1, &[9; 100]));
        let first = sent(&conn, 1, good, &[1; 100]);
        assert!(end(&conn, &first, good, device(1), true).unwrap());
        // Bytes that do not have the address; two requests saw them whole.
        let wrong = sent(&conn, 1, bad, &[2; 100]);
        assert!(!end(&conn, &wrong, bad, device(1), false).unwrap());
        let other = name(2, &[3; 100]);
        let honest = sent(&conn, 2, other, &[3; 100]);
        assert!(honest.id != wrong.id, "a number is given once");
        assert!(!end(&conn, &wrong, bad, device(1), false).unwrap());
        assert_eq!(blob_bytes(&conn, Owner::Device(device(1))), 100, "the complete one still counts");
        assert_eq!(blob_bytes(&conn, Owner::Chart(good.0)), 100);
        assert!(find(&conn, other, device(2)).unwrap().is_some(), "the honest one is there");
        assert!(end(&conn, &honest, other, device(2), true).unwrap());
    }

    #[test]
    fn an_upload_that_somebody_else_completed_first_marks_no_other_blob() {
        let conn = database();
        let same = name(1, &[1; 100]);
        let (one, two) = (sent(&conn, 1, same, &[1; 100]), sent(&conn, 2, same, &[1; 100]));
        assert!(end(&conn, &two, same, device(2), true).unwrap());
        let other = name(1, &[5; 100]);
        let unfinished = sent(&conn, 3, other, &[4; 100]);
        assert!(!end(&conn, &one, same, device(1), true).unwrap());
        assert!(!find(&conn, other, device(3)).unwrap().unwrap().complete);
        assert_ne!(unfinished.id, one.id);
        assert_eq!(blob_bytes(&conn, Owner::Device(device(1))), 0, "its room was given back, once");
    }

    #[test]
    fn a_complete_blob_that_rotted_is_complete_no_longer_and_keeps_its_room() {
        let conn = database();
        let good = name(1, &[1; 100]);
        let rot = |sql: &str| assert_eq!(conn.execute(sql, []).unwrap(), 1);
        for (by, sql) in [(1, "UPDATE blob_chunk SET bytes = zeroblob(100)"), (2, "DELETE FROM blob_chunk")] {
            let first = sent(&conn, 1, good, &[1; 100]);
            end(&conn, &first, good, device(1), true).unwrap();
            assert!(damaged(&conn, good).unwrap().is_none(), "it is sound");
            rot(sql);
            let found = damaged(&conn, good).unwrap().unwrap();
            assert!(leave_damaged(&conn, &found, good, device(by)).unwrap());
            assert!(!leave_damaged(&conn, &found, good, device(by)).unwrap(), "once");
            // What another device sent stays with its room until the blob is whole again: it may be the only
            // copy.
            assert_eq!(purge(&conn, TimestampMs(1 << 50)).unwrap(), 0);
            let rest = if by == 1 { 0 } else { 100 };
            assert_eq!(blob_bytes(&conn, Owner::Chart(good.0)), rest);
            let again = sent(&conn, by, good, &[1; 100]);
            assert!(!again.complete && again.id != found.id);
            assert!(end(&conn, &again, good, device(by), true).unwrap());
            assert!(damaged(&conn, good).unwrap().is_none());
            assert_eq!(blob_bytes(&conn, Owner::Chart(good.0)), 100);
            assert_eq!(blob_bytes(&conn, Owner::Device(device(by))), 100);
            conn.execute("DELETE FROM blob", []).unwrap();
            conn.execute("DELETE FROM storage_use", []).unwrap();
        }
    }
}
