//! How a schedule can fail.

use super::words::worded;
use std::fmt;

worded! {
    /// The promise that was broken.
    Verdict {
        /// An entry that was confirmed to a person is nowhere.
        Lost = "lost",
        /// Two members see different charts.
        Diverged = "diverged",
        /// The site does not come to rest by itself.
        Stuck = "stuck",
        /// The places of entries do not add up.
        Unaccounted = "unaccounted",
        /// A place of a chain was given twice.
        PlaceTwice = "place-twice",
        /// Of two values that hold, one was hidden.
        SilentWinner = "silent-winner",
        /// An inspector finds faults, or the server's store does.
        Audit = "audit",
        /// Something does not work that always must.
        Broken = "broken",
        /// The program gave up.
        Panicked = "panicked",
    }
}

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub verdict: Verdict,
    /// After how many steps it was seen; all of them for what is seen at the end.
    pub step: usize,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after step {}: {}", self.verdict.word(), self.step, self.what)
    }
}

/// What a check gives: nothing, or the promise that does not hold.
pub(super) type Checked<T = ()> = Result<T, (Verdict, String)>;
