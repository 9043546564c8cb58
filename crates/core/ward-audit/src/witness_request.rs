//! The request to a witness (C2SP tlog-witness, `add-checkpoint`).

use crate::hash::NodeHash;
use crate::limits::{ADD_CHECKPOINT_MAX_BYTES, PROOF_MAX_HASHES};
use crate::note::{NoteError, SignedNote, base64_hash, base64_text, decimal_u64};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Text that is no request. The log that sent it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// Longer than [`ADD_CHECKPOINT_MAX_BYTES`].
    #[error("the request has {bytes} bytes; at most 69,632 are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The first line is not `old` and a decimal number.
    #[error("the first line is not the old size")]
    OldSize,
    /// A proof line is not the base64 of a hash, or no empty line follows the proof.
    #[error("the proof lines are malformed")]
    ProofLine,
    /// More than [`PROOF_MAX_HASHES`] proof lines.
    #[error("the proof has more than 63 lines")]
    ProofTooLong,
    /// What follows is not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A log asks a witness to cosign a checkpoint that extends the one of `old_size` leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Leaves of the checkpoint that the witness cosigned last, as far as the log knows; 0 if none.
    pub old_size: u64,
    /// Consistency proof from there to the checkpoint.
    pub proof: Vec<NodeHash>,
    /// The checkpoint.
    pub note: SignedNote,
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        for hash in &self.proof {
            writeln!(f, "{}", base64_text(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for AddCheckpoint {
    type Err = AddCheckpointError;

    fn from_str(text: &str) -> Result<Self, AddCheckpointError> {
        if text.len() > ADD_CHECKPOINT_MAX_BYTES {
            return Err(AddCheckpointError::TooLong { bytes: text.len() });
        }
        let (first, mut rest) = text.split_once('\n').ok_or(AddCheckpointError::OldSize)?;
        let old_size = first.strip_prefix("old ").and_then(decimal_u64).ok_or(AddCheckpointError::OldSize)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(AddCheckpointError::ProofLine)?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() == PROOF_MAX_HASHES {
                return Err(AddCheckpointError::ProofTooLong);
            }
            let hash = base64_hash(line).ok_or(AddCheckpointError::ProofLine)?;
            proof.push(NodeHash::from_bytes(hash));
        }
        Ok(Self { old_size, proof, note: rest.parse()? })
    }
}
