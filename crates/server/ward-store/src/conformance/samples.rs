//! Values that the suite stores.

use crate::NewOperation;
use sha2::{Digest, Sha256};
use ward_id::{ChartId, DeviceId, EntryId, EnvelopeHash, Incarnation, MlogEntryHash, TimestampMs, TreeRoot};

/// An instant to begin at.
pub(super) const NOW: TimestampMs = TimestampMs(1_800_000_000_000);
/// One second.
pub(super) const SECOND_MS: i64 = 1_000;

/// The chart with this number.
pub fn chart(n: u8) -> ChartId {
    ChartId::from_bytes([n; 16])
}

/// The device with this number.
pub fn device(n: u8) -> DeviceId {
    DeviceId::from_bytes([n; 16])
}

pub(super) fn root(n: u8) -> TreeRoot {
    TreeRoot::from_bytes([n; 32])
}

pub(super) fn mlog_hash(bytes: &[u8]) -> MlogEntryHash {
    MlogEntryHash::from_bytes(Sha256::digest(bytes).into())
}

/// An operation of chart `c`, device `d`, first life, at `seq`; `salt` makes another entry. The
/// bytes begin like an envelope of the protocol: a header with the ids in clear.
pub fn operation(c: u8, d: u8, seq: u64, salt: u8, size_bytes: usize) -> NewOperation {
    let entry_id = Sha256::new().chain_update([c, d, salt]).chain_update(seq.to_be_bytes()).finalize();
    let mut bytes = vec![0x85, 0xab, 0x00, 0x01, 0x01, 0x01, 0x02, 0x50];
    bytes.extend_from_slice(&[0x51; 16]);
    bytes.extend_from_slice(&[0x03, 0x50]);
    bytes.extend_from_slice(chart(c).as_bytes());
    bytes.extend_from_slice(&[0x04, 0x00, 0x05, 0x50]);
    bytes.extend_from_slice(device(d).as_bytes());
    bytes.extend_from_slice(&[0x06, 0x01, 0x07, 0x01, 0x08, 0x58, 0x20]);
    bytes.extend_from_slice(&entry_id);
    let mut block = Sha256::digest([b"body", entry_id.as_slice()].concat());
    while bytes.len() < size_bytes {
        bytes.extend_from_slice(&block);
        block = Sha256::digest(block);
    }
    bytes.truncate(size_bytes);
    NewOperation {
        chart: chart(c),
        device: device(d),
        incarnation: Incarnation(1),
        seq,
        entry_id: EntryId::from_bytes(entry_id.into()),
        envelope_hash: EnvelopeHash::from_bytes(Sha256::digest(&bytes).into()),
        epoch: 0,
        bytes,
    }
}

/// Operations `seqs` of chart `c` and device `d`, 300 bytes each.
pub fn push(c: u8, d: u8, seqs: std::ops::RangeInclusive<u64>) -> Vec<NewOperation> {
    seqs.map(|seq| operation(c, d, seq, 0, 300)).collect()
}
