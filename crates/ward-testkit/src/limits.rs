//! Limits of the test kit.

/// Bytes that an answer of a server in this process may have.
pub const RESPONSE_MAX_BYTES: usize = 64 << 20;
/// Requests per minute that a server under test takes from anybody.
pub const TEST_REQUESTS_PER_MIN: u32 = 1_000_000;
