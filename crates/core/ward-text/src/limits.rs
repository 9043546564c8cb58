//! Limits of edits and of documents.

/// Runs in one edit. An editor that has collected so many hands them over as one burst.
pub const TEXT_RUNS_MAX: usize = 64;
/// Bytes of text that one edit inserts. Longer texts are pasted as several edits.
pub const EDIT_MAX_BYTES: usize = 32_768;
/// Edits that one edit may name as its parents.
pub const PARENTS_MAX: usize = 64;
/// Unicode scalars of a document at any version. An edit that would make it longer has no effect.
pub const DOCUMENT_MAX_SCALARS: u32 = 1_000_000;
/// Edits of one document, those that wait for their parents among them.
pub const DOCUMENT_MAX_EDITS: usize = 1_000_000;
/// Unicode scalars that all edits of a document together insert: more than any chart has room for.
pub const DOCUMENT_MAX_INSERTED: u32 = 1 << 31;
/// Characters between two concurrent edits up to which a person is asked to look.
pub const REVIEW_DISTANCE_CHARS: u32 = 40;
/// Lines of concurrent work up to which "concurrent" is told exactly. Where more people than a
/// chart has members write apart, all of it counts as concurrent.
pub const REVIEW_LINES_MAX: usize = 64;
