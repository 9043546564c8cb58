//! What several test programs share: a slow document to compare with, and random histories.
#![allow(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helper functions of tests")]

pub mod gunzip;
pub mod history;
pub mod slow_document;
