//! Blobs and quotas in memory.

use super::{MemoryStore, State};
use crate::{
    AppendRefusal, BlobError, BlobName, BlobStore, ChunkRead, NEVER_AT_REST, NewChunk, QuotaReached,
    QuotaStore, Quotas, StorageUse, StoreError, blob_state, check_chunk,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use ward_api::BlobState;
use ward_crypto::BlobLayout;
use ward_id::{ChartId, DeviceId, TimestampMs};

/// What one device sent of a blob.
#[derive(Clone)]
pub(super) struct Upload {
    layout: BlobLayout,
    chunks: BTreeMap<u32, Vec<u8>>,
    complete: bool,
    touched_at: TimestampMs,
}

impl Upload {
    fn state(&self) -> BlobState {
        let here: Vec<u32> = self.chunks.keys().copied().collect();
        blob_state(self.layout, &here, self.complete)
    }

    fn has_address(&self, name: BlobName) -> bool {
        let mut hash = Sha256::new();
        self.chunks.values().for_each(|chunk| hash.update(chunk));
        hash.finalize().as_slice() == name.1.as_bytes()
    }
}

/// Bytes used by charts and devices.
#[derive(Clone, Default)]
pub(super) struct Uses {
    charts: BTreeMap<ChartId, StorageUse>,
    devices: BTreeMap<DeviceId, StorageUse>,
}

impl State {
    /// Whether further operations fit, and counts them if they do.
    pub(super) fn take_room_of_operations(
        &mut self,
        chart: ChartId,
        device: DeviceId,
        more: StorageUse,
    ) -> Result<(), AppendRefusal> {
        let of_chart = self.uses.charts.entry(chart).or_default();
        let of_device = self.uses.devices.entry(device).or_default();
        self.quotas.check_operations(*of_chart, *of_device, more)?;
        for used in [of_chart, of_device] {
            used.operations += more.operations;
            used.operation_bytes += more.operation_bytes;
        }
        Ok(())
    }

    fn complete_of(&self, name: BlobName) -> Option<&Upload> {
        self.blobs.get(&name)?.values().find(|upload| upload.complete)
    }

    fn begin_upload(&mut self, new: &NewChunk, layout: BlobLayout) -> Result<(), BlobError> {
        let open = |upload: &&Upload| !upload.complete && upload.touched_at != NEVER_AT_REST;
        let uploads = self.blobs.values().filter_map(|by| by.get(&new.device)).filter(open).count();
        if uploads as u64 >= self.quotas.device_uploads {
            return Err(BlobError::TooManyUploads);
        }
        let bytes = layout.sealed_size();
        let of_chart = self.uses.charts.entry(new.chart).or_default();
        QuotaReached::check(of_chart.blob_bytes, bytes, self.quotas.chart_blob_bytes)?;
        let of_device = self.uses.devices.entry(new.device).or_default();
        QuotaReached::check(of_device.blob_bytes, bytes, self.quotas.device_blob_bytes)?;
        of_chart.blob_bytes += bytes;
        of_device.blob_bytes += bytes;
        let upload = Upload { layout, chunks: BTreeMap::new(), complete: false, touched_at: new.received_at };
        self.blobs.entry((new.chart, new.address)).or_default().insert(new.device, upload);
        Ok(())
    }

    fn drop_uploads(&mut self, goes: impl Fn(BlobName, DeviceId, &Upload) -> bool) -> u64 {
        let mut dropped = 0;
        let Self { blobs, uses, .. } = self;
        for (name, uploads) in blobs.iter_mut() {
            uploads.retain(|device, upload| {
                if !goes(*name, *device, upload) {
                    return true;
                }
                let bytes = upload.layout.sealed_size();
                for used in [uses.charts.get_mut(&name.0), uses.devices.get_mut(device)].into_iter().flatten()
                {
                    used.blob_bytes -= bytes;
                }
                dropped += 1;
                false
            });
        }
        blobs.retain(|_, uploads| !uploads.is_empty());
        dropped
    }
}

impl BlobStore for MemoryStore {
    async fn put_chunk(&self, new: NewChunk) -> Result<BlobState, BlobError> {
        let layout = check_chunk(&new)?;
        let mut state = self.write()?;
        let name = (new.chart, new.address);
        if let Some(complete) = state.complete_of(name) {
            return if complete.layout == layout { Ok(complete.state()) } else { Err(BlobError::Shape) };
        }
        let begun = state.blobs.get(&name).and_then(|by| by.get(&new.device)).map(|upload| upload.layout);
        match begun {
            Some(begun) if begun != layout => return Err(BlobError::Shape),
            Some(_) => {}
            None => state.begin_upload(&new, layout)?,
        }
        let upload = state.blobs.get_mut(&name).and_then(|by| by.get_mut(&new.device));
        let upload = upload.ok_or(BlobError::Shape)?;
        upload.touched_at = upload.touched_at.max(new.received_at);
        upload.chunks.entry(new.chunk).or_insert(new.bytes);
        Ok(upload.state())
    }

    async fn finish_blob(&self, name: BlobName, device: DeviceId) -> Result<BlobState, BlobError> {
        let mut state = self.write()?;
        if let Some(complete) = state.complete_of(name) {
            return Ok(complete.state());
        }
        let upload = state.blobs.get_mut(&name).and_then(|by| by.get_mut(&device));
        let upload = upload.filter(|upload| upload.state().missing.is_empty()).ok_or(BlobError::Shape)?;
        let fits = upload.has_address(name);
        upload.complete = fits;
        let done = upload.state();
        state.drop_uploads(|of, by, upload| of == name && if fits { !upload.complete } else { by == device });
        if fits { Ok(done) } else { Err(BlobError::Mismatch) }
    }

    async fn recheck_blob(&self, name: BlobName, device: DeviceId) -> Result<bool, StoreError> {
        let mut state = self.write()?;
        let uploads = state.blobs.get_mut(&name).into_iter().flat_map(BTreeMap::values_mut);
        let damaged = |upload: &&mut Upload| upload.complete && !upload.has_address(name);
        let Some(upload) = uploads.into_iter().find(damaged) else { return Ok(false) };
        (upload.complete, upload.touched_at) = (false, NEVER_AT_REST);
        state.drop_uploads(|of, by, upload| (of, by) == (name, device) && !upload.complete);
        Ok(true)
    }

    async fn blob_state(&self, name: BlobName, device: DeviceId) -> Result<Option<BlobState>, StoreError> {
        let state = self.read()?;
        let own = state.blobs.get(&name).and_then(|by| by.get(&device));
        Ok(state.complete_of(name).or(own).map(Upload::state))
    }

    async fn blob_chunk(&self, name: BlobName, chunk: u32) -> Result<ChunkRead, StoreError> {
        let state = self.read()?;
        if let Some(complete) = state.complete_of(name) {
            let bytes = complete.chunks.get(&chunk).cloned();
            return Ok(bytes.map_or(ChunkRead::Unknown, ChunkRead::Chunk));
        }
        Ok(if state.blobs.contains_key(&name) { ChunkRead::Incomplete } else { ChunkRead::Unknown })
    }

    async fn purge_uploads(&self, before: TimestampMs) -> Result<u64, StoreError> {
        Ok(self.write()?.drop_uploads(|_, _, upload| !upload.complete && upload.touched_at <= before))
    }
}

impl QuotaStore for MemoryStore {
    fn set_quotas(&self, quotas: Quotas) {
        // A store that ended takes no more requests, whatever its limits.
        if let Ok(mut state) = self.read() {
            state.quotas = quotas;
        }
    }

    async fn chart_use(&self, chart: ChartId) -> Result<StorageUse, StoreError> {
        Ok(self.read()?.uses.charts.get(&chart).copied().unwrap_or_default())
    }

    async fn device_use(&self, device: DeviceId) -> Result<StorageUse, StoreError> {
        Ok(self.read()?.uses.devices.get(&device).copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::BlobAddress;

    #[tokio::test]
    async fn a_complete_blob_that_lost_its_address_is_taken_again_from_whoever_has_it() {
        for by in [1, 2] {
            let store = MemoryStore::new();
            let bytes = vec![7; 100];
            let address = BlobAddress::from_bytes(Sha256::digest(&bytes).into());
            let name = (ChartId::from_bytes([1; 16]), address);
            let chunk = |by: u8| NewChunk {
                chart: name.0,
                address,
                device: DeviceId::from_bytes([by; 16]),
                sealed_size: 100,
                chunk: 0,
                bytes: bytes.clone(),
                received_at: TimestampMs(1),
            };
            let device = DeviceId::from_bytes([by; 16]);
            store.put_chunk(chunk(1)).await.unwrap();
            store.finish_blob(name, DeviceId::from_bytes([1; 16])).await.unwrap();
            assert!(!store.recheck_blob(name, device).await.unwrap(), "it is sound");
            for upload in store.write().unwrap().blobs.get_mut(&name).unwrap().values_mut() {
                upload.chunks.get_mut(&0).unwrap()[5] ^= 1;
            }
            assert!(store.recheck_blob(name, device).await.unwrap());
            assert_eq!(store.blob_chunk(name, 0).await.unwrap() == ChunkRead::Unknown, by == 1);
            let long_after = TimestampMs(1 << 50);
            assert_eq!(store.purge_uploads(long_after).await.unwrap(), 0, "it may be the only copy");
            store.put_chunk(chunk(by)).await.unwrap();
            assert!(store.finish_blob(name, device).await.unwrap().complete);
            assert_eq!(store.blob_chunk(name, 0).await.unwrap(), ChunkRead::Chunk(bytes.clone()));
            assert_eq!(store.chart_use(name.0).await.unwrap().blob_bytes, 100, "its room is counted once");
        }
    }
}
