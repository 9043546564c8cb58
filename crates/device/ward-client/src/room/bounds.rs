//! The rule, as a pure function: what to do next so that something fits.
//!
//! The order is: blobs that the server has too go first, then history that is covered by a
//! checkpoint that two people signed. Then attachments are refused, then texts. What a patient
//! submits is refused last, after a reserve that nothing else may touch.

use crate::limits::{ATTACHMENT_LEAVES_BYTES, SUBMISSION_LEAVES_BYTES, TEXT_LEAVES_BYTES};
use std::fmt;

/// What wants to grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Growth {
    /// Answers, doses, consent and everything else that a person reports or decides, and what the
    /// store needs to note that the server has it.
    Submission,
    /// Notes, drafts, received pages.
    Text,
    /// Blobs, captured or fetched.
    Attachment,
}

impl Growth {
    /// What it leaves free for those that come before it.
    const fn leaves_bytes(self) -> u64 {
        match self {
            Self::Submission => SUBMISSION_LEAVES_BYTES,
            Self::Text => TEXT_LEAVES_BYTES,
            Self::Attachment => ATTACHMENT_LEAVES_BYTES,
        }
    }
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Submission => "what you want to submit",
            Self::Text => "a new text",
            Self::Attachment => "an attachment",
        })
    }
}

/// What the rule looks at. Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageFacts {
    /// What is free; `None` if the store cannot tell.
    pub free_bytes: Option<u64>,
    /// What is needed now.
    pub needed_bytes: u64,
    /// Chunks of blobs that the server has whole.
    pub cached_blob_bytes: u64,
    /// History under a checkpoint that two people signed.
    pub history_bytes: u64,
    /// What the reserve still holds.
    pub reserve_bytes: u64,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageStep {
    /// It fits: write.
    Write,
    /// Drop cached blobs, then ask again.
    DropBlobs,
    /// Drop covered history, then ask again.
    DropHistory,
    /// Write, and give up as much of the reserve in the same commit.
    UseReserve,
    /// There is no room.
    Refuse,
}

/// The next step towards room for something.
pub const fn next_step(growth: Growth, facts: &StorageFacts) -> StorageStep {
    let Some(free) = facts.free_bytes else { return StorageStep::Write };
    if free >= facts.needed_bytes.saturating_add(growth.leaves_bytes()) {
        return StorageStep::Write;
    }
    if facts.cached_blob_bytes > 0 {
        return StorageStep::DropBlobs;
    }
    if facts.history_bytes > 0 {
        return StorageStep::DropHistory;
    }
    match growth {
        Growth::Submission if facts.reserve_bytes >= facts.needed_bytes && facts.reserve_bytes > 0 => {
            StorageStep::UseReserve
        }
        Growth::Submission | Growth::Text | Growth::Attachment => StorageStep::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: StorageFacts = StorageFacts {
        free_bytes: Some(0),
        needed_bytes: 1_000,
        cached_blob_bytes: 5,
        history_bytes: 5,
        reserve_bytes: 2 << 20,
    };

    #[test]
    fn the_order_is_blobs_history_refusals_reserve_block() {
        for growth in [Growth::Submission, Growth::Text, Growth::Attachment] {
            assert_eq!(next_step(growth, &FULL), StorageStep::DropBlobs);
            let facts = StorageFacts { cached_blob_bytes: 0, ..FULL };
            assert_eq!(next_step(growth, &facts), StorageStep::DropHistory);
        }
        let bare = StorageFacts { cached_blob_bytes: 0, history_bytes: 0, ..FULL };
        assert_eq!(next_step(Growth::Attachment, &bare), StorageStep::Refuse);
        assert_eq!(next_step(Growth::Text, &bare), StorageStep::Refuse);
        assert_eq!(next_step(Growth::Submission, &bare), StorageStep::UseReserve);
        let last = StorageFacts { reserve_bytes: 1_000, ..bare };
        assert_eq!(next_step(Growth::Submission, &last), StorageStep::UseReserve);
        let spent = StorageFacts { reserve_bytes: 999, ..bare };
        assert_eq!(next_step(Growth::Submission, &spent), StorageStep::Refuse);
    }

    #[test]
    fn each_leaves_room_for_those_before_it() {
        let with = |free: u64| StorageFacts {
            free_bytes: Some(free),
            cached_blob_bytes: 0,
            history_bytes: 0,
            ..FULL
        };
        for (growth, leaves) in [
            (Growth::Submission, SUBMISSION_LEAVES_BYTES),
            (Growth::Text, TEXT_LEAVES_BYTES),
            (Growth::Attachment, ATTACHMENT_LEAVES_BYTES),
        ] {
            assert_eq!(next_step(growth, &with(1_000 + leaves)), StorageStep::Write);
            assert_ne!(next_step(growth, &with(999 + leaves)), StorageStep::Write);
        }
        const {
            assert!(
                SUBMISSION_LEAVES_BYTES < TEXT_LEAVES_BYTES && TEXT_LEAVES_BYTES < ATTACHMENT_LEAVES_BYTES
            )
        };
    }

    #[test]
    fn a_store_that_cannot_tell_is_tried() {
        let facts = StorageFacts { free_bytes: None, ..FULL };
        assert_eq!(next_step(Growth::Attachment, &facts), StorageStep::Write);
    }
}
