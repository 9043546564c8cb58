//! What the file holds, item by item, inside the sealed stream of chunks.
//!
//! ```text
//! plaintext = item || item || …      item = u32 BE length || dCBOR(UnsentItem)
//! ```
//! The last item is `End` with the number of those before it: a file without it was cut off.

use crate::ClientError;
use crate::limits::{UNSENT_ITEM_MAX_BYTES, UNSENT_ITEMS_MAX};
use crate::store::Bytes;
use minicbor::{Decode, Encode};
use std::io::{Read, Write};
use ward_crypto::limits::{SEALED_CHUNK_BYTES, SEALED_HEADER_BYTES, TAG_BYTES};
use ward_crypto::{EncKey, FileOpener, FileSealer};
use ward_id::{BlobAddress, Canonical as _, ChartId};
use zeroize::Zeroizing;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) enum UnsentItem {
    /// The first item: `H(front)`, so that nothing before the sealed part can be changed.
    #[n(0)]
    Front(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// An entry: `dCBOR([frame, sig_alg, capture_sig])`.
    #[n(1)]
    Entry(#[n(0)] Bytes),
    /// A draft of answers.
    #[n(2)]
    Draft(#[n(0)] UnsentDraft),
    /// A blob begins: its chart, its address, its bytes of plaintext.
    #[n(3)]
    Blob(#[n(0)] ChartId, #[n(1)] BlobAddress, #[n(2)] u64),
    /// The next sealed chunk of the blob that began last.
    #[n(4)]
    Chunk(#[n(0)] Bytes),
    /// That was all: so many items.
    #[n(5)]
    End(#[n(0)] u64),
}

/// A draft on its way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct UnsentDraft {
    #[n(0)]
    pub(super) chart: ChartId,
    #[n(1)]
    pub(super) instrument_url: String,
    #[n(2)]
    pub(super) instrument_version: String,
    #[n(3)]
    pub(super) occurrence: String,
    #[n(4)]
    pub(super) response: Bytes,
    #[n(5)]
    pub(super) amends: Option<ward_id::EntryId>,
}

pub(super) fn file_error(error: &std::io::Error) -> ClientError {
    ClientError::File(error.to_string())
}

/// Seals items into a file; holds at most one chunk and one item.
pub(super) struct ItemWriter<W> {
    out: W,
    sealer: FileSealer,
    pending: Zeroizing<Vec<u8>>,
    count: u64,
}

impl<W: Write> ItemWriter<W> {
    pub(super) fn begin(mut out: W, sealer: FileSealer, start: &[u8]) -> Result<Self, ClientError> {
        out.write_all(start).map_err(|error| file_error(&error))?;
        Ok(Self { out, sealer, pending: Zeroizing::default(), count: 0 })
    }

    pub(super) fn put(&mut self, item: &UnsentItem) -> Result<(), ClientError> {
        let bytes = Zeroizing::new(item.to_canonical());
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.pending.extend_from_slice(&length.to_be_bytes());
        self.pending.extend_from_slice(&bytes);
        self.count += 1;
        // A full chunk is sealed only once it is known that something follows.
        while self.pending.len() > SEALED_CHUNK_BYTES {
            let rest = self.pending.split_off(SEALED_CHUNK_BYTES);
            let sealed = self.sealer.next(&self.pending)?;
            self.out.write_all(&sealed).map_err(|error| file_error(&error))?;
            self.pending = Zeroizing::new(rest);
        }
        Ok(())
    }

    pub(super) fn end(mut self) -> Result<W, ClientError> {
        self.put(&UnsentItem::End(self.count))?;
        let sealed = self.sealer.last(&self.pending)?;
        self.out.write_all(&sealed).map_err(|error| file_error(&error))?;
        self.out.flush().map_err(|error| file_error(&error))?;
        Ok(self.out)
    }
}

/// Opens the items of a file; holds at most two chunks and one item.
pub(super) struct ItemReader<R> {
    file: R,
    opener: Option<FileOpener>,
    /// The next sealed chunk, read ahead to know whether it is the last.
    ahead: Vec<u8>,
    opened: Zeroizing<Vec<u8>>,
    count: u64,
}

const CUT_OFF: ClientError = ClientError::NotAnExport("it is cut off or damaged");

impl<R: Read> ItemReader<R> {
    pub(super) fn begin(mut file: R, key: &EncKey) -> Result<Self, ClientError> {
        let start = read_upto(&mut file, SEALED_HEADER_BYTES)?;
        let opener = FileOpener::start(key, &start).map_err(|_| CUT_OFF)?;
        let ahead = read_upto(&mut file, SEALED_CHUNK_BYTES + TAG_BYTES)?;
        Ok(Self { file, opener: Some(opener), ahead, opened: Zeroizing::default(), count: 0 })
    }

    fn open_next(&mut self) -> Result<(), ClientError> {
        let mut opener = self.opener.take().ok_or(CUT_OFF)?;
        let next = read_upto(&mut self.file, SEALED_CHUNK_BYTES + TAG_BYTES)?;
        let sealed = std::mem::replace(&mut self.ahead, next);
        let opened = if self.ahead.is_empty() {
            opener.last(&sealed).map_err(|_| CUT_OFF)?
        } else {
            let opened = opener.next(&sealed).map_err(|_| CUT_OFF)?;
            self.opener = Some(opener);
            opened
        };
        self.opened.extend_from_slice(&opened);
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        while self.opened.len() < bytes {
            self.open_next()?;
        }
        let rest = self.opened.split_off(bytes);
        Ok(std::mem::replace(&mut self.opened, Zeroizing::new(rest)))
    }

    /// The next item.
    pub(super) fn next(&mut self) -> Result<UnsentItem, ClientError> {
        let length = self.take(4)?;
        let length = <[u8; 4]>::try_from(length.as_slice()).map(u32::from_be_bytes).map_err(|_| CUT_OFF)?;
        let length = length as usize;
        if length > UNSENT_ITEM_MAX_BYTES || self.count >= UNSENT_ITEMS_MAX {
            return Err(CUT_OFF);
        }
        let item = UnsentItem::from_canonical(&self.take(length)?).map_err(|_| CUT_OFF)?;
        self.count += 1;
        Ok(item)
    }

    /// Whether the last item said how many came before it, and nothing follows.
    pub(super) fn is_at_end(&self, said: u64) -> bool {
        said.saturating_add(1) == self.count && self.opened.is_empty() && self.opener.is_none()
    }
}

pub(super) fn read_upto(file: &mut impl Read, bytes: usize) -> Result<Vec<u8>, ClientError> {
    let mut out = Vec::with_capacity(bytes);
    let limit = bytes as u64;
    file.by_ref().take(limit).read_to_end(&mut out).map_err(|error| file_error(&error))?;
    Ok(out)
}
