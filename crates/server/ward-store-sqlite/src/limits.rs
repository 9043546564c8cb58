//! Limits of this store.

/// Bytes of a database page. Larger than the usual 4 KiB: an envelope takes most of a kilobyte,
/// and with small pages up to a fifth of each would stay empty.
pub const PAGE_BYTES: u32 = 16 * 1024;
/// Requests that wait for the writer; more wait outside, then get `Busy`.
pub const WRITE_QUEUE: usize = 1_024;
/// How long a request waits for its place in the queue, milliseconds.
pub const WRITE_WAIT_MS: u64 = 5_000;
/// How long one transaction goes on taking requests that have arrived, milliseconds.
pub const GATHER_MS: u64 = 2;
/// Requests in one transaction.
pub const COMMIT_MAX_REQUESTS: usize = 512;
/// Bytes of the requests in one transaction, after which no more is taken.
pub const COMMIT_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Reading connections, if the options say nothing else.
pub const READERS: usize = 4;
/// The most reading connections.
pub const READERS_MAX: usize = 64;
/// How long a read waits for a connection, milliseconds.
pub const READ_WAIT_MS: u64 = 5_000;
/// How long SQLite waits for a lock of another process (a backup tool), milliseconds.
pub const LOCK_WAIT_MS: u64 = 5_000;
/// Pages in the write-ahead file after which it is worked into the database (32 MiB). A push
/// changes the same few pages again and again, so working them in late writes each once.
pub const CHECKPOINT_PAGES: u32 = 2_048;
/// Chains whose newest entry is remembered, about 120 bytes each; beyond that all are forgotten.
pub const HEADS_REMEMBERED_MAX: usize = 32_768;
/// The write-ahead file is cut back to this after it was worked in, bytes.
pub const WAL_KEPT_BYTES: i64 = 64 * 1024 * 1024;
/// Page cache of the writer, KiB.
pub const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// Page cache of one reader, KiB.
pub const READER_CACHE_KIB: i64 = 8 * 1024;
/// Prepared statements kept by one connection: more than there are.
pub const STATEMENTS_KEPT: usize = 128;
/// Parts in which a tile is kept.
pub const TILE_PARTS: usize = 4;
/// Ids are cut out of an envelope if they begin within this: an offset is kept in one byte.
pub const CUT_OFFSET_MAX: usize = 255;
/// SQLite's own end of a database, pages.
pub const SQLITE_PAGES_MAX: u32 = 4_294_967_294;
