//! The tables of the local store. Their numbers and names are part of each row's seal: they are
//! for ever.

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $number:literal, $name:literal;)*) => {
        /// What a row is about.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum Table {
            $($(#[$doc])* $table = $number,)*
        }

        impl Table {
            /// Every table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$table),*];

            /// The number that the row store sees.
            pub(crate) const fn number(self) -> u8 {
                self as u8
            }

            /// The name inside the seal.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$table => $name,)*
                }
            }
        }
    };
}

tables! {
    /// The wrapped local key, the one row that the local key does not seal.
    WrappedKey = 0, "wrapped-key";
    /// The store's version.
    Counter = 1, "counter";
    /// Keys and identity, or an enrolment under way.
    Identity = 2, "identity";
    /// The refresh token.
    Session = 3, "session";
    /// Leaves and entries of the membership log.
    Mlog = 4, "mlog";
    /// The newest verified heads of both logs, and trusted time.
    Heads = 5, "heads";
    /// Epoch packages and their secrets.
    Epochs = 6, "epochs";
    /// This device's own chains: where they stand.
    Chains = 7, "chains";
    /// This device's own entries.
    Own = 8, "own";
    /// Pages of envelopes received, with what was opened.
    Pages = 9, "pages";
    /// How far each chart was read.
    Cursors = 10, "cursors";
    /// Receipts for own entries.
    Receipts = 11, "receipts";
    /// Drafts of answers.
    Drafts = 12, "drafts";
    /// Access receipts that are due.
    Access = 13, "access";
    /// Tickets that this device issued.
    Tickets = 14, "tickets";
    /// Evidence against the server or a device.
    Evidence = 15, "evidence";
    /// Places of envelopes in the operation log that were proved.
    Proved = 16, "proved";
    /// Proofs that a device signed two histories.
    Forks = 20, "forks";
    /// Own entries that were handed to the drop box.
    Dropped = 24, "dropped";
    /// Entries of others that wait in the drop box.
    Drops = 25, "drops";
    /// Own entries that the person marked urgent.
    Urgent = 26, "urgent";
    /// What stands against this device, and when the server last answered it.
    Orders = 27, "orders";
    /// Blobs: what is known of each.
    Blobs = 28, "blobs";
    /// Chunks of blobs, sealed once more.
    BlobChunks = 29, "blob-chunks";
    /// Room that is kept for submissions.
    Reserve = 30, "reserve";
    /// Entries that were taken over from a file.
    Imported = 31, "imported";
    /// Entries that came with a checkpoint.
    CheckpointPages = 32, "checkpoint-pages";
    /// Checkpoints: what is known of each chart's.
    Checkpoints = 33, "checkpoints";
    /// What the last sync came to, when witnesses signed which head, and what was lost.
    Memory = 36, "memory";
    /// Rows that could not be opened any more, as they were found.
    Damaged = 37, "damaged";
    /// Bursts of writing in texts that were not handed over yet.
    TextBursts = 38, "text-bursts";
}
