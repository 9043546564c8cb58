//! What can go wrong in any store.

/// A store that could not do what was asked. Nothing of the request was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk or in the allowance. Reads go on; writes work again when there is room.
    /// The operator must act.
    #[error("the store has no room left; nothing of this request was kept: free or add disk space")]
    StorageFull,
    /// The store can be read and not written, as while its disk is being exchanged. The operator must
    /// act.
    #[error("the store can be read and not written; nothing of this request was kept")]
    ReadOnly,
    /// More requests wait than the store takes. It passes by itself; the caller may try again.
    #[error("the store has more to do than it can; try again")]
    Busy,
    /// What was read is not what was stored. The operator must act: restore from a backup.
    #[error("the store is damaged: {what}; stop the server, check the disk, restore a backup")]
    Corrupt {
        /// What did not fit, without contents.
        what: String,
    },
    /// A write could not be made durable, or the writer ended. Nothing more is written until a
    /// restart, because what the disk holds is not known. The operator must act.
    #[error("the store takes no more writes: {why}; check the disk and restart the server")]
    Stopped {
        /// The cause that ended it.
        why: String,
    },
    /// The operating system refused. The operator must act.
    #[error("the store failed: {what}")]
    Io {
        /// What failed, without contents.
        what: String,
    },
    /// A value is larger than the store takes. The caller must act.
    #[error("{what} is larger than the {limit} that a store takes")]
    TooLarge {
        /// Which value.
        what: &'static str,
        /// The limit, in bytes or rows.
        limit: usize,
    },
    /// This store does not do that. The caller must act.
    #[error("this store cannot do that: {what}")]
    Unsupported {
        /// What, and why.
        what: &'static str,
    },
}
