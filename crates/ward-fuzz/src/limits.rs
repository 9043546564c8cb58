//! How much a target does with one input, and how much an answer to it may say.

/// Most answers that a walk through a form gives.
pub const WALK_MAX_STEPS: usize = 48;
/// Most reports in the history that alert rules run over.
pub const REPORTS_MAX: usize = 6;
/// Most edits of one text.
pub const EDITS_MAX: usize = 24;
/// Most values of a result that are compared one by one.
pub const COMPARED_VALUES_MAX: usize = 256;

/// Findings that one byte of input may give. An item has at least twenty bytes, and each of its parts
/// that can be wrong has some more.
pub const FINDINGS_PER_BYTE_MAX: usize = 1;
/// Bytes that the message of one finding may have: texts from the input stand in it cut short or not at
/// all, but for names of items, of which a loop lists some.
pub const MESSAGE_MAX_BYTES: usize = 16 * 1024;
/// Alerts that one rule may raise on one report.
pub const ALERTS_PER_REPORT_MAX: usize = 64;

/// Levels of objects that the changes to an object of a cluster are merged into; below, they take its place.
pub const PATCH_MAX_DEPTH: usize = 16;
/// Bytes of a word that the fuzzer makes inputs of. It passes over longer ones without a word.
pub const WORD_MAX_BYTES: usize = 64;
