//! Limits of the test kit.

/// Bytes that an answer of a server in this process may have.
pub const RESPONSE_MAX_BYTES: usize = 64 << 20;
/// Requests per minute that a server under test takes from anybody.
pub const TEST_REQUESTS_PER_MIN: u32 = 1_000_000;

// The simulator.

/// Virtual time in which a healed site must come to rest.
pub const REST_MAX_MS: i64 = 6 * 3_600_000;
/// How often an app looks for news when nothing waits to be sent.
pub const POLL_MS: u64 = 15 * 60_000;
/// Rounds in which everybody meets a restored server before an admin must have let the log go on.
pub const REOPEN_ROUNDS: usize = 8;
/// Schedules with an odd seed leave to staff's own acts what waits for adoption; in the others staff take
/// over everything at the end.
pub const ADOPT_ALL_EVERY: u64 = 2;
/// One schedule in so many has attachments and a checkpoint: they cost more than other entries.
pub const RARE_ONE_IN: u64 = 8;
/// Entries that a schedule must have to count as a whole one.
pub const WHOLE_MIN_ENTRIES: u64 = 30;
/// Faults that must have happened in a whole schedule.
pub const WHOLE_MIN_FAULTS: u64 = 3;
/// Devices that must have acted in a whole schedule.
pub const WHOLE_MIN_DEVICES: usize = 3;
/// Entries that a schedule asks for: some are refused, for instance on a full disk.
pub const ENTRIES: (u64, u64) = (34, 42);
/// Faults that a schedule asks for: some never bite.
pub const FAULTS: (u64, u64) = (5, 9);
/// One schedule in so many ends with an audit package that is checked as an inspector would.
pub const AUDIT_EVERY: u64 = 16;
/// One schedule in so many ends with a restart of every device.
pub const RESTART_EVERY: u64 = 4;
/// Runs that making a failing schedule smaller may take.
pub const SHRINK_MAX_RUNS: usize = 1_500;
/// Words of the text that one cut takes away, at most.
pub const CUT_MAX_WORDS: u64 = 3;
/// One attachment in so many has two chunks.
pub const LARGE_CONTENT_EVERY: u64 = 4;
/// Bytes of such an attachment.
pub const LARGE_CONTENT_BYTES: u64 = 300_000;
/// Bytes of a long note.
pub const LONG_NOTE_BYTES: usize = 6_000;
/// What it takes an operator to start the server on a backup, ms.
pub const RESTORE_TAKES_MS: i64 = 60_000;
