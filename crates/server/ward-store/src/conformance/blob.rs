//! Blobs and quotas.

use super::samples::{NOW, chart, device, operation, push};
use crate::{
    AppendError, AppendRefusal, BlobError, BlobName, ChunkRead, NewChunk, QuotaReached, Quotas, StorageUse,
    Store,
};
use ward_api::limits::{BLOB_CHUNK_MAX_BYTES, UPLOAD_MAX_REST_MS};
use ward_crypto::{BlobLayout, sha256};
use ward_id::BlobAddress;

/// Ciphertext of a blob of so many full chunks and a rest.
struct Sample {
    chunks: Vec<Vec<u8>>,
    name: BlobName,
}

fn sample(of_chart: u8, seed: u8, full: usize, rest: usize) -> Sample {
    let mut chunks: Vec<Vec<u8>> =
        (0..full).map(|n| vec![seed.wrapping_add(n as u8); BLOB_CHUNK_MAX_BYTES]).collect();
    chunks.push(vec![seed; rest]);
    let address = BlobAddress::from_bytes(sha256(&chunks.concat()));
    Sample { chunks, name: (chart(of_chart), address) }
}

impl Sample {
    fn sealed_size(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.len() as u64).sum()
    }

    fn chunk(&self, by: u8, n: u32) -> NewChunk {
        NewChunk {
            chart: self.name.0,
            address: self.name.1,
            device: device(by),
            sealed_size: self.sealed_size(),
            chunk: n,
            bytes: self.chunks[n as usize].clone(),
            received_at: NOW,
        }
    }

    async fn send<S: Store>(&self, store: &S, by: u8) {
        for n in 0..self.chunks.len() as u32 {
            store.put_chunk(self.chunk(by, n)).await.unwrap();
        }
        assert!(store.finish_blob(self.name, device(by)).await.unwrap().complete);
    }
}

/// Chunks come in any order and more than once; only the whole blob can be read.
pub async fn a_blob_is_read_once_it_is_whole<S: Store>(store: S) {
    let blob = sample(1, 3, 2, 100);
    assert_eq!(store.blob_state(blob.name, device(1)).await.unwrap(), None);
    assert_eq!(store.blob_chunk(blob.name, 0).await.unwrap(), ChunkRead::Unknown);
    let state = store.put_chunk(blob.chunk(1, 2)).await.unwrap();
    assert_eq!((state.chunks, state.missing.as_slice(), state.complete), (3, &[0, 1][..], false));
    store.put_chunk(blob.chunk(1, 0)).await.unwrap();
    assert_eq!(store.put_chunk(blob.chunk(1, 0)).await.unwrap().missing, [1]);
    assert_eq!(store.blob_chunk(blob.name, 0).await.unwrap(), ChunkRead::Incomplete);
    assert_eq!(store.finish_blob(blob.name, device(1)).await, Err(BlobError::Shape), "one is missing");
    assert!(store.put_chunk(blob.chunk(1, 1)).await.unwrap().missing.is_empty());
    assert!(store.finish_blob(blob.name, device(1)).await.unwrap().complete);
    for (n, chunk) in (0..).zip(&blob.chunks) {
        assert_eq!(store.blob_chunk(blob.name, n).await.unwrap(), ChunkRead::Chunk(chunk.clone()));
    }
    assert_eq!(store.blob_chunk(blob.name, 3).await.unwrap(), ChunkRead::Unknown);
    let again = store.put_chunk(blob.chunk(2, 0)).await.unwrap();
    assert!(again.complete, "nobody need send it again");
    assert!(!store.recheck_blob(blob.name, device(2)).await.unwrap(), "nothing is wrong with it");
    assert!(store.blob_state(blob.name, device(2)).await.unwrap().unwrap().complete);
    let elsewhere = (chart(2), blob.name.1);
    assert!(!store.recheck_blob(elsewhere, device(1)).await.unwrap(), "there is none");
    assert_eq!(store.blob_chunk(elsewhere, 0).await.unwrap(), ChunkRead::Unknown, "another chart has it not");
}

/// Empty and exactly full blobs.
pub async fn blobs_at_the_edges<S: Store>(store: S) {
    for (seed, full, rest) in [(1, 0, 16), (2, 0, BLOB_CHUNK_MAX_BYTES), (3, 1, BLOB_CHUNK_MAX_BYTES)] {
        let blob = sample(1, seed, full, rest);
        assert!(BlobLayout::of_sealed_size(blob.sealed_size()).is_ok());
        blob.send(&store, 1).await;
    }
    let blob = sample(1, 9, 1, 100);
    let short = NewChunk { bytes: vec![9; 99], ..blob.chunk(1, 1) };
    assert_eq!(store.put_chunk(short).await, Err(BlobError::Shape));
    let beyond = NewChunk { chunk: 2, ..blob.chunk(1, 1) };
    assert_eq!(store.put_chunk(beyond).await, Err(BlobError::Shape));
    store.put_chunk(blob.chunk(1, 0)).await.unwrap();
    let other = sample(1, 9, 1, 200);
    let grown = NewChunk { address: blob.name.1, ..other.chunk(1, 1) };
    assert_eq!(store.put_chunk(grown).await, Err(BlobError::Shape), "begun with another size");
    let none = NewChunk { sealed_size: 15, bytes: vec![0; 15], ..blob.chunk(1, 0) };
    assert_eq!(store.put_chunk(none).await, Err(BlobError::Shape));
}

/// Chunks that do not have the address are dropped, with their room; what others send stays.
pub async fn a_spoilt_blob_is_dropped_and_spoils_no_other<S: Store>(store: S) {
    let blob = sample(1, 3, 1, 100);
    let spoilt = NewChunk { bytes: vec![0xee; 100], ..blob.chunk(2, 1) };
    store.put_chunk(blob.chunk(1, 0)).await.unwrap();
    store.put_chunk(blob.chunk(2, 0)).await.unwrap();
    store.put_chunk(spoilt).await.unwrap();
    assert_eq!(store.finish_blob(blob.name, device(2)).await, Err(BlobError::Mismatch));
    assert_eq!(store.blob_state(blob.name, device(2)).await.unwrap(), None);
    assert_eq!(store.device_use(device(2)).await.unwrap(), StorageUse::default());
    store.put_chunk(blob.chunk(1, 1)).await.unwrap();
    assert!(store.finish_blob(blob.name, device(1)).await.unwrap().complete);
    assert_eq!(store.chart_use(chart(1)).await.unwrap().blob_bytes, blob.sealed_size());
}

/// The room of a chart and of a device ends, at the byte; a refused blob takes none.
pub async fn blobs_have_their_room<S: Store>(store: S) {
    let (one, two, three) = (sample(1, 1, 0, 1_000), sample(1, 2, 0, 1_000), sample(1, 3, 0, 1_001));
    let quotas = Quotas { chart_blob_bytes: 3_000, device_blob_bytes: 2_000, ..Quotas::default() };
    store.set_quotas(quotas);
    one.send(&store, 1).await;
    let reached = QuotaReached { used: 1_000, limit: 2_000 };
    assert_eq!(store.put_chunk(three.chunk(1, 0)).await, Err(BlobError::Quota(reached)));
    two.send(&store, 1).await;
    let reached = QuotaReached { used: 2_000, limit: 3_000 };
    assert_eq!(store.put_chunk(three.chunk(2, 0)).await, Err(BlobError::Quota(reached)));
    assert_eq!(store.chart_use(chart(1)).await.unwrap().blob_bytes, 2_000);
    assert_eq!(store.device_use(device(2)).await.unwrap(), StorageUse::default());
    sample(1, 4, 0, 1_000).send(&store, 2).await;
}

/// So many at a time, and what rests too long is dropped with its room.
pub async fn unfinished_blobs_run_out<S: Store>(store: S) {
    store.set_quotas(Quotas { device_uploads: 2, ..Quotas::default() });
    let blobs: Vec<Sample> = (1..=3).map(|seed| sample(1, seed, 1, 100)).collect();
    for blob in &blobs[..2] {
        store.put_chunk(blob.chunk(1, 0)).await.unwrap();
    }
    assert_eq!(store.put_chunk(blobs[2].chunk(1, 0)).await, Err(BlobError::TooManyUploads));
    store.put_chunk(blobs[2].chunk(2, 0)).await.unwrap();
    let later = NewChunk { received_at: NOW.plus_ms(1), ..blobs[1].chunk(1, 1) };
    store.put_chunk(later).await.unwrap();
    assert_eq!(store.purge_uploads(NOW.plus_ms(-UPLOAD_MAX_REST_MS)).await.unwrap(), 0);
    assert_eq!(store.purge_uploads(NOW).await.unwrap(), 2);
    assert_eq!(store.blob_state(blobs[0].name, device(1)).await.unwrap(), None);
    assert!(store.finish_blob(blobs[1].name, device(1)).await.unwrap().complete);
    assert_eq!(store.purge_uploads(NOW.plus_ms(9)).await.unwrap(), 0, "a complete blob stays");
    assert_eq!(store.chart_use(chart(1)).await.unwrap().blob_bytes, blobs[1].sealed_size());
}

/// Envelopes have their room: a push that does not fit is refused whole, a repeat takes no room, and
/// the room of one chart is not that of another.
pub async fn operations_have_their_room<S: Store>(store: S) {
    let size = operation(1, 1, 1, 0, 5_000).bytes.len() as u64;
    store.append_operations(push(1, 1, 1..=1), NOW).await.unwrap();
    let used = store.chart_use(chart(1)).await.unwrap().operation_bytes;
    assert!(used > 0 && used == store.device_use(device(1)).await.unwrap().operation_bytes);
    let limit = used + 2 * size;
    store.set_quotas(Quotas { chart_bytes: limit, ..Quotas::default() });
    let of = |seq| operation(1, 1, seq, 0, 5_000);
    let refused = store.append_operations(vec![of(2), of(3), of(4)], NOW).await;
    let reached = QuotaReached { used, limit };
    assert_eq!(refused, Err(AppendError::Refused(AppendRefusal::Quota(reached))));
    assert_eq!(store.olog_size().await.unwrap(), 1, "nothing of it was kept");
    store.append_operations(vec![of(2), of(3)], NOW).await.unwrap();
    store.append_operations(vec![of(2), of(3)], NOW).await.unwrap();
    assert_eq!(store.chart_use(chart(1)).await.unwrap().operation_bytes, limit, "a repeat takes no room");
    assert!(store.append_operations(vec![of(4)], NOW).await.is_err());
    store.append_operations(push(2, 1, 1..=1), NOW).await.unwrap();
    let used = store.device_use(device(1)).await.unwrap().operation_bytes;
    store.set_quotas(Quotas { device_bytes: used, ..Quotas::default() });
    let reached = QuotaReached { used, limit: used };
    let refused = store.append_operations(vec![of(4)], NOW).await;
    assert_eq!(refused, Err(AppendError::Refused(AppendRefusal::Quota(reached))));
    store.append_operations(push(1, 2, 1..=1), NOW).await.unwrap();
}

/// A chart and a device hold so many operations, however small; nothing of a push that passes that is
/// kept, and a repeat counts once.
pub async fn operations_are_counted<S: Store>(store: S) {
    let refused = |held, limit| Err(AppendError::Refused(AppendRefusal::TooManyOperations { held, limit }));
    store.set_quotas(Quotas { chart_operations: 3, ..Quotas::default() });
    store.append_operations(push(1, 1, 1..=2), NOW).await.unwrap();
    store.append_operations(push(1, 1, 1..=2), NOW).await.unwrap();
    assert_eq!(store.chart_use(chart(1)).await.unwrap().operations, 2);
    assert_eq!(store.append_operations(push(1, 1, 3..=4), NOW).await, refused(2, 3));
    store.append_operations(push(1, 2, 1..=1), NOW).await.unwrap();
    assert_eq!(store.append_operations(push(1, 1, 3..=3), NOW).await, refused(3, 3));
    store.set_quotas(Quotas { device_operations: 3, ..Quotas::default() });
    store.append_operations(push(2, 1, 1..=1), NOW).await.unwrap();
    assert_eq!(store.append_operations(push(1, 1, 3..=3), NOW).await, refused(3, 3), "over all charts");
    assert_eq!(store.olog_size().await.unwrap(), 4);
}
