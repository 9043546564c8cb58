//! The pure part of the sequencer: leaves in, tiles and checkpoints out.
//!
//! The one thing a log must never do is to sign two roots for one size, or a smaller size than
//! before. After a crash or a restore the builder therefore starts from the largest head that was
//! ever signed, kept apart from the leaves, and refuses to sign until the leaves fit it again.

use crate::checkpoint::{Checkpoint, CheckpointError, TreeHead, sign_checkpoint};
use crate::hash::leaf_hash;
use crate::key::NoteSigner;
use crate::limits::TREE_SIZE_MAX;
use crate::note::{SignedNote, SignerName};
use crate::tile::{Tile, TileEdge, TileError, TileReader, TileSource};
use crate::tree::{CompactTree, MissingNode, root_at};
use alloc::vec::Vec;
use ward_id::TreeRoot;

/// Why a log does not go on. The operator must act in every case but `TooLarge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogBuilderError {
    /// The leaves give another root than the one that was signed for that size. Do not sign; find
    /// the lost leaves, or open a new log.
    #[error("the leaves give another root at size {size} than was signed")]
    Forked {
        /// Leaves of the signed head.
        size: u64,
        /// The root that was signed.
        signed: TreeRoot,
        /// The root of the leaves at hand.
        rebuilt: TreeRoot,
    },
    /// There are fewer leaves than were signed or are known to a witness. Do not sign; find them.
    #[error("the log has {size} leaves, but {signed_size} were signed")]
    BehindSigned {
        /// Leaves at hand.
        size: u64,
        /// Leaves that were signed or that a witness knows.
        signed_size: u64,
    },
    /// The log would have more leaves than a log may have.
    #[error("the log is full")]
    TooLarge,
    /// Stored tiles do not carry the tree. Rebuild them from the leaves.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// Same, seen while computing an older root.
    #[error(transparent)]
    Node(#[from] MissingNode),
    /// The signer is not that of this log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A log that can grow and sign.
#[derive(Debug, Clone)]
pub struct LogBuilder {
    origin: SignerName,
    edge: TileEdge,
    max_signed: Option<TreeHead>,
    /// Leaves that a witness is known to have seen.
    witnessed_size: u64,
}

impl LogBuilder {
    /// A log without leaves. `max_signed` is the largest head ever signed under this origin; it is
    /// `None` only for an origin that never signed anything.
    ///
    /// # Errors
    /// [`LogBuilderError::Forked`].
    pub fn new(origin: SignerName, max_signed: Option<TreeHead>) -> Result<Self, LogBuilderError> {
        let builder = Self { origin, edge: TileEdge::new(), max_signed, witnessed_size: 0 };
        builder.check_signed()?;
        Ok(builder)
    }

    /// A log of `size` leaves whose tiles are stored. The root at the largest signed head is
    /// computed from the tiles and compared.
    ///
    /// # Errors
    /// [`LogBuilderError::Tile`] or [`LogBuilderError::Forked`].
    pub fn resume(
        origin: SignerName,
        tiles: &impl TileSource,
        size: u64,
        max_signed: Option<TreeHead>,
    ) -> Result<Self, LogBuilderError> {
        let edge = TileEdge::from_tiles(tiles, size)?;
        let builder = Self { origin, edge, max_signed, witnessed_size: 0 };
        builder.check_signed()?;
        if let Some(signed) = max_signed.filter(|signed| signed.size < size) {
            let reader = TileReader::new(tiles, size);
            let rebuilt = root_at(&reader, signed.size)?;
            compare(signed, rebuilt)?;
        }
        Ok(builder)
    }

    /// Which log.
    pub const fn origin(&self) -> &SignerName {
        &self.origin
    }

    /// Size and root of the leaves at hand.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.edge.size(), root: self.edge.root() }
    }

    /// The largest head that was signed, to be kept with the signing key, apart from the leaves.
    pub const fn max_signed(&self) -> Option<TreeHead> {
        self.max_signed
    }

    /// Notes that a witness knows this many leaves; nothing smaller is signed from now on.
    pub fn witnessed(&mut self, size: u64) {
        self.witnessed_size = self.witnessed_size.max(size);
    }

    /// Appends leaves (their data) and returns the tiles that changed. On an error nothing changed.
    ///
    /// # Errors
    /// [`LogBuilderError::TooLarge`], or [`LogBuilderError::Forked`] if the leaves reach the size of
    /// the largest signed head with another root.
    pub fn append(&mut self, leaves: &[impl AsRef<[u8]>]) -> Result<Vec<Tile>, LogBuilderError> {
        let before = self.edge.size();
        let after = before.checked_add(leaves.len() as u64).filter(|after| *after <= TREE_SIZE_MAX);
        let after = after.ok_or(LogBuilderError::TooLarge)?;
        // Only a log that lost leaves passes its largest signed head while appending.
        let passes = self.max_signed.filter(|signed| before < signed.size && signed.size <= after);
        if let Some(signed) = passes {
            let mut edge = self.edge.clone();
            let until = usize::try_from(signed.size - before).map_err(|_| LogBuilderError::TooLarge)?;
            for leaf in leaves.iter().take(until) {
                edge.append(leaf_hash(leaf.as_ref()), &mut Vec::new());
            }
            compare(signed, edge.root())?;
        }
        Ok(self.edge.append_leaves(leaves))
    }

    /// The next checkpoint. It is signed in a second step, after the caller has written down
    /// [`PendingCheckpoint::head`] as the largest signed head.
    ///
    /// # Errors
    /// [`LogBuilderError::BehindSigned`] or [`LogBuilderError::Forked`].
    pub fn prepare_checkpoint(&mut self) -> Result<PendingCheckpoint, LogBuilderError> {
        let head = self.head();
        let signed_size = self.max_signed.map_or(0, |signed| signed.size).max(self.witnessed_size);
        if head.size < signed_size {
            return Err(LogBuilderError::BehindSigned { size: head.size, signed_size });
        }
        self.check_signed()?;
        let checkpoint = Checkpoint::new(self.origin.clone(), head)?;
        // Raised before anything is signed: should writing it down fail, the same head may still
        // be signed later, and no other one of this size.
        self.max_signed = Some(head);
        Ok(PendingCheckpoint { checkpoint })
    }

    /// Refuses leaves that contradict the largest signed head at its size.
    fn check_signed(&self) -> Result<(), LogBuilderError> {
        let at_hand = self.head();
        match self.max_signed.filter(|signed| signed.size == at_hand.size) {
            Some(signed) => compare(signed, at_hand.root),
            None => Ok(()),
        }
    }
}

fn compare(signed: TreeHead, rebuilt: TreeRoot) -> Result<(), LogBuilderError> {
    if signed.root == rebuilt {
        Ok(())
    } else {
        Err(LogBuilderError::Forked { size: signed.size, signed: signed.root, rebuilt })
    }
}

/// A checkpoint that may be signed once its head is written down as the largest signed one.
#[derive(Debug)]
#[must_use = "write the head down, then call persisted"]
pub struct PendingCheckpoint {
    checkpoint: Checkpoint,
}

impl PendingCheckpoint {
    /// The head to write down.
    pub const fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// Signs the checkpoint. Call it only after the head is safely stored.
    ///
    /// # Errors
    /// [`CheckpointError::OtherOrigin`] if the signer is not this log.
    pub fn persisted(self, signer: &impl NoteSigner) -> Result<SignedNote, CheckpointError> {
        sign_checkpoint(&self.checkpoint, signer)
    }
}

/// A log whose leaves do not give its checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyLogError {
    /// There are more or fewer leaves than the checkpoint says. The operator must answer for it.
    #[error("the checkpoint says {expected} leaves, there are {got}")]
    Size {
        /// Leaves in the checkpoint.
        expected: u64,
        /// Leaves at hand.
        got: u64,
    },
    /// The leaves give another root: at least one was changed, removed, added or moved.
    #[error("the leaves give another root than the checkpoint")]
    Root {
        /// The root in the checkpoint.
        expected: TreeRoot,
        /// The root of the leaves.
        got: TreeRoot,
    },
}

/// Rebuilds a whole log from its leaves and compares it with a checkpoint.
///
/// # Errors
/// [`VerifyLogError::Size`] or [`VerifyLogError::Root`].
pub fn verify_log<L: AsRef<[u8]>>(
    leaves: impl IntoIterator<Item = L>,
    checkpoint: &Checkpoint,
) -> Result<(), VerifyLogError> {
    let mut tree = CompactTree::new();
    for leaf in leaves {
        tree.append(leaf_hash(leaf.as_ref()));
    }
    let (expected, got) = (checkpoint.head(), TreeHead { size: tree.size(), root: tree.root() });
    if expected.size != got.size {
        return Err(VerifyLogError::Size { expected: expected.size, got: got.size });
    }
    if expected.root != got.root {
        return Err(VerifyLogError::Root { expected: expected.root, got: got.root });
    }
    Ok(())
}
