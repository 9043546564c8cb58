//! Limits of logs, notes and receipts. Each is tested at the limit and one past it.

/// Leaves that a log may have. Below this size every consistency proof fits into
/// [`PROOF_MAX_HASHES`] hashes.
pub const TREE_SIZE_MAX: u64 = 1 << 62;
/// Hashes in a proof on the wire (C2SP tlog-witness: at most 63 proof lines).
pub const PROOF_MAX_HASHES: usize = 63;

/// Levels of the tree that one tile spans (C2SP tlog-tiles).
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u16 = 256;
/// Highest tile level that a path may name (C2SP tlog-tiles).
pub const TILE_LEVEL_MAX: u8 = 63;
/// Bytes of one log entry: its length is written in 16 bits.
pub const ENTRY_MAX_BYTES: usize = 65_535;

/// Bytes of a whole signed note.
pub const NOTE_MAX_BYTES: usize = 65_536;
/// Signatures in one note (C2SP signed-note: at least 16 must be accepted).
pub const NOTE_MAX_SIGNATURES: usize = 16;
/// Bytes of one signature in a note, its key id not counted; leaves room for lattice signatures.
pub const NOTE_SIGNATURE_MAX_BYTES: usize = 5_000;
/// Bytes of the name of a log or a witness.
pub const SIGNER_NAME_MAX_BYTES: usize = 255;
/// Latest time that a cosignature may state (C2SP tlog-cosignature: 2^63 - 1).
pub const COSIGNATURE_TIME_MAX_S: u64 = i64::MAX as u64;

/// Bytes of a request to a witness: old size, proof lines and a note.
pub const ADD_CHECKPOINT_MAX_BYTES: usize = NOTE_MAX_BYTES + 4_096;
/// Witnesses that one policy may name.
pub const POLICY_MAX_WITNESSES: usize = 15;
/// Statements of time that one check looks at.
pub const TIME_MAX_STATEMENTS: usize = POLICY_MAX_WITNESSES;

/// Envelopes that one receipt may promise: one push.
pub const RECEIPT_MAX_ENVELOPES: usize = 256;
/// Logs that follow one another under one first origin.
pub const REOPENED_LOGS_MAX: u32 = 32;
/// Time that a log has to bring a promised envelope under a cosigned head.
pub const RECEIPT_GRACE_S: u64 = 3_600;
