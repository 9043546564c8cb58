//! Limits of stores. Those of the interface are in [`ward_api::limits`].

pub use ward_api::limits::{
    CHART_MAX_DROP_BYTES, CHART_MAX_DROPS, DEVICE_MAX_CHAINS, DEVICE_MAX_DROP_BYTES, DEVICE_MAX_DROPS,
    DEVICE_MAX_OPEN_TICKETS, DEVICE_MAX_PROPOSALS, DROP_KEPT_MS, ENROL_BLOB_MAX_BYTES, LEAVES_MAX,
    MLOG_ENTRIES_MAX, MLOG_PAGE_MAX_BYTES, PAGE_MAX_BYTES, PAGE_MAX_OPERATIONS, PROPOSAL_MAX_LIFE_MS,
    SITE_MAX_OPEN_TICKETS, SITE_MAX_PROPOSALS, TICKET_MAX_WRONG_PROOFS,
};

/// A repeat of a refresh by the same key within this time gives the same successor, milliseconds.
pub const REFRESH_REPEAT_MS: i64 = 15_000;
/// Used refresh tokens of a family that are kept, so that reuse is recognised. An older one is
/// unknown and refused like any other unknown one.
pub const REFRESH_KEPT_GENERATIONS: u64 = 32;
/// Bytes of a full tile: 256 hashes of 32 bytes.
pub const TILE_BYTES: usize = 256 * 32;
/// The longest signed note that is kept, bytes: a head and the lines of many witnesses.
pub const NOTE_MAX_BYTES: usize = 64 * 1024;
/// The longest value under a [`crate::MetaKey`], bytes.
pub const META_MAX_BYTES: usize = 1024 * 1024;
/// Findings that one integrity check lists; more are only counted.
pub const FINDINGS_MAX: usize = 100;
