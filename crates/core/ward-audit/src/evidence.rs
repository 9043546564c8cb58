//! Evidence against a log that anybody can check with the log's public key alone.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::VerifierKey;
use crate::note::SignedNote;
use minicbor::{Decode, Encode};

/// Evidence that does not hold. Whoever presents it must act; the log is not accused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// One of the notes is not a checkpoint signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The two notes do not contradict each other in the way that is claimed.
    #[error("the two checkpoints do not contradict each other")]
    NoContradiction,
}

/// Two checkpoints of one log with the same size and different roots: the log shows different
/// histories to different readers. No honest log can be accused by this.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Equivocation {
    /// The checkpoint that was held.
    #[n(0)]
    pub held: SignedNote,
    /// The one that was offered.
    #[n(1)]
    pub offered: SignedNote,
}

impl Equivocation {
    /// Checks the evidence. `Ok` means that the log is forked.
    ///
    /// # Errors
    /// An [`EvidenceError`].
    pub fn verify(&self, log_key: &VerifierKey) -> Result<(), EvidenceError> {
        let held = Checkpoint::verify(&self.held, log_key)?.head();
        let offered = Checkpoint::verify(&self.offered, log_key)?.head();
        if held.size == offered.size && held.root != offered.root {
            Ok(())
        } else {
            Err(EvidenceError::NoContradiction)
        }
    }
}

/// A checkpoint smaller than one that the log signed before. A server restored from an old backup
/// looks like this, and so does a network that replays an old answer: the reader stops until a
/// person has looked at both.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rollback {
    /// The checkpoint that was held.
    #[n(0)]
    pub held: SignedNote,
    /// The smaller one that was offered.
    #[n(1)]
    pub offered: SignedNote,
}

impl Rollback {
    /// Checks that the log signed both and that the offered one is smaller.
    ///
    /// # Errors
    /// An [`EvidenceError`].
    pub fn verify(&self, log_key: &VerifierKey) -> Result<(), EvidenceError> {
        let held = Checkpoint::verify(&self.held, log_key)?;
        let offered = Checkpoint::verify(&self.offered, log_key)?;
        if offered.size() < held.size() { Ok(()) } else { Err(EvidenceError::NoContradiction) }
    }
}
