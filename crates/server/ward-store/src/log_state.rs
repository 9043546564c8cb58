//! What is derived from the logs: heads and tiles.
//! Heads never move back: a guard in the store itself keeps a bug above it from rewriting history.

use crate::StoreError;
use crate::limits::{NOTE_MAX_BYTES, TILE_BYTES};
use std::future::Future;
use ward_api::LogName;
use ward_id::TreeRoot;

/// Which head of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckpointKind {
    /// Signed by the log.
    Signed,
    /// Signed by the log and by a quorum of witnesses.
    Cosigned,
}

/// A head of a log with the note that states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCheckpoint {
    /// Leaves.
    pub size: u64,
    /// Root of the tree over them.
    pub root: TreeRoot,
    /// The signed note.
    pub note: Vec<u8>,
}

/// A head that was not kept. A log that would sign it would break its promise, so whoever made it
/// must stop; the operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is smaller than the one kept.
    #[error("the head has {size} leaves, the one kept has {kept}")]
    Backwards {
        /// Its leaves.
        size: u64,
        /// Leaves of the one kept.
        kept: u64,
    },
    /// It has another root at the same size.
    #[error("the head has another root than the one kept, at {size} leaves")]
    OtherRoot {
        /// Leaves of both.
        size: u64,
    },
    /// It has more leaves than the log, or more than the signed head if it is cosigned.
    #[error("the head has {size} leaves, the log has {log_size}")]
    BeyondLog {
        /// Its leaves.
        size: u64,
        /// Leaves there are.
        log_size: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A full tile: 256 hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTile {
    /// Level, from 0 at the leaves.
    pub level: u8,
    /// Place within the level.
    pub index: u64,
    /// [`crate::limits::TILE_BYTES`] bytes.
    pub bytes: Vec<u8>,
}

/// Tiles that were not kept; none of the call's was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A tile has not [`crate::limits::TILE_BYTES`] bytes. The caller must act.
    #[error("tile {index} of level {level} is not full")]
    NotFull {
        /// Its level.
        level: u8,
        /// Its index.
        index: u64,
    },
    /// Another tile stands at its place: the log was changed. The operator must act.
    #[error("another tile stands at place {index} of level {level}")]
    Differs {
        /// Its level.
        level: u8,
        /// Its index.
        index: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SavedCheckpoint {
    /// The guard that every store applies before it keeps a head: `kept` is the one it has,
    /// `log_size` how many leaves this head may have at most.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn check_follows(&self, kept: Option<(u64, TreeRoot)>, log_size: u64) -> Result<(), CheckpointError> {
        if self.note.len() > NOTE_MAX_BYTES {
            return Err(StoreError::TooLarge { what: "a signed note", limit: NOTE_MAX_BYTES }.into());
        }
        if self.size > log_size {
            return Err(CheckpointError::BeyondLog { size: self.size, log_size });
        }
        match kept {
            Some((kept, _)) if self.size < kept => Err(CheckpointError::Backwards { size: self.size, kept }),
            Some((kept, root)) if self.size == kept && self.root != root => {
                Err(CheckpointError::OtherRoot { size: self.size })
            }
            _ => Ok(()),
        }
    }
}

impl StoredTile {
    /// The guard that every store applies before it keeps a tile.
    ///
    /// # Errors
    /// [`TileError::NotFull`].
    pub const fn check_full(&self) -> Result<(), TileError> {
        if self.bytes.len() == TILE_BYTES {
            Ok(())
        } else {
            Err(TileError::NotFull { level: self.level, index: self.index })
        }
    }
}

/// Heads and tiles.
pub trait LogStateStore: Clone + Send + Sync + 'static {
    /// The newest head of a kind.
    ///
    /// # Errors
    /// [`StoreError`].
    fn checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
    ) -> impl Future<Output = Result<Option<SavedCheckpoint>, StoreError>> + Send;

    /// Keeps a head if it extends the kept one or is the same (then the note is replaced: more
    /// witnesses may have signed). A head has at most as many leaves as the log; a cosigned head
    /// at most as many as the signed one.
    ///
    /// # Errors
    /// [`CheckpointError`].
    fn save_checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
        checkpoint: SavedCheckpoint,
    ) -> impl Future<Output = Result<(), CheckpointError>> + Send;

    /// Keeps full tiles. The same tile again changes nothing.
    ///
    /// # Errors
    /// [`TileError`].
    fn save_tiles(
        &self,
        log: LogName,
        tiles: Vec<StoredTile>,
    ) -> impl Future<Output = Result<(), TileError>> + Send;

    /// One full tile.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tile(
        &self,
        log: LogName,
        level: u8,
        index: u64,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
}
