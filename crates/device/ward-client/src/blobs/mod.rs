//! Attachments: sealed into the local store when they are captured, sent after the entries, fetched
//! on demand. Nothing of them ever holds an entry up.

mod attach;
mod fetch;
mod send;
mod shown;

pub use fetch::{AttachmentState, AttachmentView};

use crate::store::row_id;

/// The row of a chunk.
fn chunk_row(blob: &[u8], chunk: u32) -> Vec<u8> {
    row_id(&[blob, &chunk.to_be_bytes()])
}
