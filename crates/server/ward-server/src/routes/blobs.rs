//! Blobs: chunks of ciphertext come and go; the hash of all of them is their name.

use crate::App;
use crate::call::{Answer, Call, answer, answer_cbor, path_id};
use crate::limits::BLOB_RECHECK_EVERY_MS;
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::push_desk::quota_reached;
use crate::store_problem::store_failed;
use ward_api::limits::DEVICE_MAX_UPLOADS;
use ward_api::{BlobState, ErrorCode, ProblemMembers};
use ward_id::TimestampMs;
use ward_store::{BlobError, BlobName, ChunkRead, NewChunk, Store};

fn name(call: &Call) -> Result<BlobName, Refusal> {
    Ok((call.chart()?, path_id(&call.path, "address")?))
}

fn place(call: &Call) -> Result<u32, Refusal> {
    let text = call.path_text("chunk");
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain);
    number.ok_or_else(|| refuse(ErrorCode::BadPath, "`chunk` is written as a decimal number, from 0."))
}

fn unknown() -> Refusal {
    refuse(ErrorCode::BlobUnknown, "Its author's device may not have sent it yet; try again later.")
}

/// What the server has of a blob: for the sender the chunks that are missing.
pub(super) async fn state<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let found = app.store().blob_state(name(call)?, call.caller()?.device).await.map_err(store_failed)?;
    answer_cbor(call.spec, &found.ok_or_else(unknown)?)
}

pub(super) async fn read<S: Store>(app: &App<S>, call: &Call) -> Answer {
    match app.store().blob_chunk(name(call)?, place(call)?).await.map_err(store_failed)? {
        ChunkRead::Chunk(bytes) => answer(call.spec, bytes),
        ChunkRead::Incomplete => {
            Err(refuse(ErrorCode::BlobIncomplete, "It can be read once its last chunk has come."))
        }
        ChunkRead::Unknown => Err(unknown()),
    }
}

/// Keeps a chunk. With the last missing one, all are hashed. A blob that was complete and whose bytes have
/// changed since is taken again.
pub(super) async fn write<S: Store>(app: &App<S>, call: &Call) -> Answer {
    let (chart, address) = name(call)?;
    let device = call.caller()?.device;
    let (chunk, sealed_size) = (place(call)?, call.query.required("sealed_size")?);
    let new = || NewChunk {
        chart,
        address,
        device,
        sealed_size,
        chunk,
        bytes: call.body.to_vec(),
        received_at: call.now,
    };
    let mut state: BlobState = app.store().put_chunk(new()).await.map_err(refused)?;
    if state.complete && is_damaged(app, call, chunk).await? {
        state = app.store().put_chunk(new()).await.map_err(refused)?;
    }
    if !state.complete && state.missing.is_empty() {
        state = app.store().finish_blob((chart, address), device).await.map_err(refused)?;
    }
    answer_cbor(call.spec, &state)
}

/// Whether a complete blob, of which a device sends other bytes than are here, does not have its address any
/// more. To hash it takes long, so each is looked at once in a while.
async fn is_damaged<S: Store>(app: &App<S>, call: &Call, chunk: u32) -> Result<bool, Refusal> {
    let name = name(call)?;
    let held = app.store().blob_chunk(name, chunk).await.map_err(store_failed)?;
    if matches!(&held, ChunkRead::Chunk(bytes) if *bytes == call.body) {
        return Ok(false);
    }
    let memo = app.blobs_rechecked();
    let due = |at: TimestampMs| call.now.since_ms(at) >= BLOB_RECHECK_EVERY_MS;
    if !memo.get(&name).is_none_or(due) {
        return Ok(false);
    }
    memo.put(name, call.now);
    let device = call.caller()?.device;
    app.store().recheck_blob(name, device).await.map_err(store_failed)
}

fn refused(error: BlobError) -> Refusal {
    match error {
        BlobError::Shape => refuse(
            ErrorCode::BlobShape,
            "Cut the blob into chunks of 262,160 bytes of ciphertext and a rest; name the same size with each.",
        ),
        BlobError::TooManyUploads => {
            let members =
                ProblemMembers { limit: Some(DEVICE_MAX_UPLOADS as u64), ..ProblemMembers::default() };
            refuse_with(ErrorCode::TooManyUploads, "End one of them first.", members)
        }
        BlobError::Quota(reached) => quota_reached(reached),
        BlobError::Mismatch => {
            refuse(ErrorCode::BlobMismatch, "They were dropped; send the blob again from its first chunk.")
        }
        BlobError::Store(error) => store_failed(error),
    }
}
