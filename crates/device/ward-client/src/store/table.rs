//! The tables of the local store. Their numbers and names are part of each row's seal: they are
//! for ever.

/// What a row is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Table {
    /// The wrapped local key, the one row that the local key does not seal.
    WrappedKey = 0,
    /// The store's version.
    Counter = 1,
    /// Keys and identity, or an enrolment under way.
    Identity = 2,
    /// The refresh token.
    Session = 3,
    /// Leaves and entries of the membership log.
    Mlog = 4,
    /// The newest verified heads of both logs, and trusted time.
    Heads = 5,
    /// Epoch packages and their secrets.
    Epochs = 6,
    /// This device's own chains: where they stand.
    Chains = 7,
    /// This device's own entries.
    Own = 8,
    /// Pages of envelopes received, with what was opened.
    Pages = 9,
    /// How far each chart was read.
    Cursors = 10,
    /// Receipts for own entries.
    Receipts = 11,
    /// Drafts of answers.
    Drafts = 12,
    /// Access receipts that are due.
    Access = 13,
    /// Tickets that this device issued.
    Tickets = 14,
    /// Evidence against the server or a device.
    Evidence = 15,
    /// Places of envelopes in the operation log that were proved.
    Proved = 16,
    /// Blobs: what is known of each.
    Blobs = 28,
    /// Chunks of blobs, sealed once more.
    BlobChunks = 29,
    /// Room that is kept for submissions.
    Reserve = 30,
    /// Entries that were taken over from a file.
    Imported = 31,
    /// Entries that came with a checkpoint.
    CheckpointPages = 32,
    /// Checkpoints: what is known of each chart's.
    Checkpoints = 33,
}

impl Table {
    /// The number that the row store sees.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The name inside the seal.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WrappedKey => "wrapped-key",
            Self::Counter => "counter",
            Self::Identity => "identity",
            Self::Session => "session",
            Self::Mlog => "mlog",
            Self::Heads => "heads",
            Self::Epochs => "epochs",
            Self::Chains => "chains",
            Self::Own => "own",
            Self::Pages => "pages",
            Self::Cursors => "cursors",
            Self::Receipts => "receipts",
            Self::Drafts => "drafts",
            Self::Access => "access",
            Self::Tickets => "tickets",
            Self::Evidence => "evidence",
            Self::Proved => "proved",
            Self::Blobs => "blobs",
            Self::BlobChunks => "blob-chunks",
            Self::Reserve => "reserve",
            Self::Imported => "imported",
            Self::CheckpointPages => "checkpoint-pages",
            Self::Checkpoints => "checkpoints",
        }
    }
}
