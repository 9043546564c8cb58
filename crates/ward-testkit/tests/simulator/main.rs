//! The simulator on a few schedules: those that once failed, and the partition matrix.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot set up its world has failed"
)]

mod kept;
mod partitions;
