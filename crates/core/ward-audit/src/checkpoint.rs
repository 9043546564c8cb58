//! Checkpoints (C2SP tlog-checkpoint): origin, size and root of a log, signed as a note.

use crate::hash::{NodeHash, empty_root};
use crate::key::{NoteSigner, SignatureKind, VerifierKey, key_id};
use crate::limits::TREE_SIZE_MAX;
use crate::note::{NoteError, NoteSignature, SignedNote, SignerName, base64_hash, base64_text, decimal_u64};
use crate::proof::{ProofError, verify_consistency};
use core::fmt;
use core::str::FromStr;
use minicbor::{Decode, Encode};
use ward_id::TreeRoot;

/// A note that is not a checkpoint of the expected log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note itself is malformed. Whoever sent it must act.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not exactly origin, size and root. Whoever signed it must act.
    #[error("the text is not origin, size and root on three lines")]
    Layout,
    /// Lines follow the root. Ward logs write none, and witnesses would not check them.
    #[error("the checkpoint has extension lines")]
    Extension,
    /// The size is no decimal number, or above [`TREE_SIZE_MAX`].
    #[error("the size of the checkpoint is malformed or too large")]
    Size,
    /// The root is not the base64 of 32 bytes, or size 0 has another than the empty root.
    #[error("the root of the checkpoint is malformed")]
    Root,
    /// The checkpoint belongs to another log. Whoever sent it must act.
    #[error("the checkpoint is of another log")]
    OtherOrigin,
    /// No signature line names the key of the log. Whoever sent it must act.
    #[error("the checkpoint does not bear the signature of its log")]
    NotSigned,
    /// A line names the key of the log, but the signature is wrong. The sender tampered with it.
    #[error("the signature of the log is wrong")]
    BadSignature,
}

/// Size and root of a tree. As CBOR `[size, root]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct TreeHead {
    /// Leaves of the tree.
    #[n(0)]
    pub size: u64,
    /// Its root.
    #[n(1)]
    pub root: TreeRoot,
}

impl TreeHead {
    /// The head of the tree without leaves.
    pub fn empty() -> Self {
        Self { size: 0, root: empty_root() }
    }

    /// Whether the size is within limits and size 0 has the empty root.
    pub fn is_plausible(&self) -> bool {
        self.size <= TREE_SIZE_MAX && (self.size > 0 || self.root == empty_root())
    }

    /// Checks that `newer` extends this tree. From the empty tree the proof must be empty.
    ///
    /// # Errors
    /// As [`verify_consistency`].
    pub fn verify_extended_by(&self, newer: &Self, proof: &[NodeHash]) -> Result<(), ProofError> {
        if self.size == 0 && newer.size > 0 {
            return verify_consistency(0, 0, &self.root, &empty_root(), proof);
        }
        verify_consistency(self.size, newer.size, &self.root, &newer.root, proof)
    }
}

/// What a log says: under this origin, this many leaves have this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: SignerName,
    head: TreeHead,
}

impl Checkpoint {
    /// A checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError::Size`] or [`CheckpointError::Root`].
    pub fn new(origin: SignerName, head: TreeHead) -> Result<Self, CheckpointError> {
        if head.size > TREE_SIZE_MAX {
            return Err(CheckpointError::Size);
        }
        if !head.is_plausible() {
            return Err(CheckpointError::Root);
        }
        Ok(Self { origin, head })
    }

    /// Which log.
    pub const fn origin(&self) -> &SignerName {
        &self.origin
    }

    /// Size and root.
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// Leaves of the tree.
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// Root of the tree.
    pub const fn root(&self) -> TreeRoot {
        self.head.root
    }

    /// Reads the checkpoint in a note after checking the signature of its log.
    ///
    /// # Errors
    /// Any [`CheckpointError`].
    pub fn verify(note: &SignedNote, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != *key.name() {
            return Err(CheckpointError::OtherOrigin);
        }
        let mut lines = note.signatures().iter().filter(|line| key.is_named_by(line)).peekable();
        if key.kind() != SignatureKind::Log || lines.peek().is_none() {
            return Err(CheckpointError::NotSigned);
        }
        if lines.all(|line| key.verifies(note.text().as_bytes(), &line.signature)) {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::BadSignature)
        }
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.head.size, base64_text(self.head.root.as_bytes()))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let body = text.strip_suffix('\n').ok_or(CheckpointError::Layout)?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Layout);
        };
        if lines.next().is_some() {
            return Err(CheckpointError::Extension);
        }
        let size = decimal_u64(size).ok_or(CheckpointError::Size)?;
        let root = TreeRoot::from_bytes(base64_hash(root).ok_or(CheckpointError::Root)?);
        Self::new(origin.parse()?, TreeHead { size, root })
    }
}

/// Signs a checkpoint as its log. A log calls this only through
/// [`LogBuilder`](crate::LogBuilder), which never signs two roots for one size.
///
/// # Errors
/// [`CheckpointError::OtherOrigin`] if the signer is not that log.
pub fn sign_checkpoint(
    checkpoint: &Checkpoint,
    signer: &impl NoteSigner,
) -> Result<SignedNote, CheckpointError> {
    if signer.name() != checkpoint.origin.as_str() {
        return Err(CheckpointError::OtherOrigin);
    }
    let text = alloc::string::ToString::to_string(checkpoint);
    let line = NoteSignature {
        name: checkpoint.origin.clone(),
        key_id: key_id(&checkpoint.origin, SignatureKind::Log, &signer.public_key()),
        signature: signer.sign(text.as_bytes()).to_vec(),
    };
    Ok(SignedNote::new(text, alloc::vec![line])?)
}
