//! One log as its server keeps it: the tree's edge in memory, tiles and heads in the store.
//!
//! Everything here is derived from committed leaves and can be built again. The one promise that
//! cannot be rebuilt is the newest signed head: it is read at start and written before a newer one
//! is signed, and a log that lacks leaves under it refuses to go on.

use crate::limits::REBUILD_CHUNK_LEAVES;
use crate::log_signer::NamedSigner;
use crate::log_tiles::{DynTiles, Tiles, leaves, with_tiles};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use ward_api::LogName;
use ward_audit::limits::TILE_WIDTH;
use ward_audit::{LogBuilder, LogBuilderError, NoteError, SignedNote, SignerName, Tile, TileKind, TreeHead};
use ward_crypto::SignKey;
use ward_id::TimestampMs;
use ward_store::{
    CheckpointError, CheckpointKind, SavedCheckpoint, Store, StoreError, StoredTile, TileError,
};

/// Why a log does not go on. The operator must act unless the store says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum LogDeskError {
    /// The store holds fewer leaves than its own log has signed.
    #[error(
        "the {log} holds {size} leaves, but {signed_size} were signed: the database was set back; \
         restore the newest backup, never go on with this one",
        log = log.as_str()
    )]
    Behind {
        /// The log.
        log: LogName,
        /// Leaves at hand.
        size: u64,
        /// Leaves of the newest signed head.
        signed_size: u64,
    },
    /// The leaves give another root than was signed.
    #[error("the leaves of the {log} were changed: {source}", log = log.as_str())]
    Changed {
        /// The log.
        log: LogName,
        /// What differs.
        source: LogBuilderError,
    },
    /// The origin in the manifest cannot stand in a note.
    #[error("the origin of the log cannot be used: {0}")]
    Origin(#[from] NoteError),
    /// The note could not be signed with the log key.
    #[error("the checkpoint cannot be signed: {0}")]
    Sign(#[from] ward_audit::CheckpointError),
    /// The store refused a head that goes back.
    #[error(transparent)]
    Head(#[from] CheckpointError),
    /// The store refused a tile that differs.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The newest head that a quorum of witnesses signed.
#[derive(Debug, Clone)]
pub(crate) struct CosignedNote {
    pub(crate) head: TreeHead,
    pub(crate) text: String,
    /// Newest cosignature, by the witnesses' clocks; decides when to ask again.
    pub(crate) cosigned_at: TimestampMs,
}

#[derive(Default)]
struct Published {
    signed: Option<TreeHead>,
    cosigned: Option<Arc<CosignedNote>>,
}

/// One log.
pub(crate) struct LogDesk<S> {
    log: LogName,
    origin: SignerName,
    store: S,
    key: Arc<SignKey>,
    builder: tokio::sync::Mutex<LogBuilder>,
    published: RwLock<Published>,
    size: AtomicU64,
}

impl<S: Store> LogDesk<S> {
    /// Rebuilds the log's edge from the store and compares it with the newest signed head.
    pub(crate) async fn open(
        store: S,
        log: LogName,
        origin: &str,
        key: Arc<SignKey>,
    ) -> Result<Self, LogDeskError> {
        let origin: SignerName = origin.parse()?;
        let signed = store.checkpoint(log, CheckpointKind::Signed).await?;
        let max_signed = signed.map(|saved| TreeHead { size: saved.size, root: saved.root });
        // Tiles are written before a head is signed, so they are complete up to the last full
        // tile under it; the leaves after that are read again.
        let tiled = max_signed.map_or(0, |head| head.size - head.size % u64::from(TILE_WIDTH));
        let resume =
            |tiles: &dyn DynTiles| LogBuilder::resume(origin.clone(), &Tiles(tiles), tiled, max_signed);
        let resumed = with_tiles(&store, log, resume).await?;
        let builder = match resumed {
            Ok(builder) => builder,
            // A missing tile is no damage: everything can be built from the leaves.
            Err(LogBuilderError::Tile(_)) => LogBuilder::new(origin.clone(), max_signed)
                .map_err(|source| LogDeskError::Changed { log, source })?,
            Err(source) => return Err(LogDeskError::Changed { log, source }),
        };
        let cosigned = store.checkpoint(log, CheckpointKind::Cosigned).await?.map(|saved| {
            let head = TreeHead { size: saved.size, root: saved.root };
            let text = String::from_utf8_lossy(&saved.note).into_owned();
            Arc::new(CosignedNote { head, text, cosigned_at: crate::cosigning::never() })
        });
        let published = RwLock::new(Published { signed: max_signed, cosigned });
        let size = AtomicU64::new(0);
        let desk =
            Self { log, origin, store, key, builder: tokio::sync::Mutex::new(builder), published, size };
        let head = desk.catch_up(&mut *desk.builder.lock().await).await?;
        let signed_size = max_signed.map_or(0, |signed| signed.size);
        if head.size < signed_size {
            return Err(LogDeskError::Behind { log, size: head.size, signed_size });
        }
        Ok(desk)
    }

    /// The log's origin line.
    pub(crate) fn origin(&self) -> &SignerName {
        &self.origin
    }

    /// Which log this is.
    pub(crate) const fn log(&self) -> LogName {
        self.log
    }

    /// Notes that leaves were committed.
    pub(crate) fn grew_to(&self, size: u64) {
        self.size.fetch_max(size, Ordering::AcqRel);
    }

    /// Committed leaves, as far as this node knows.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// The newest signed head; the empty one before the first.
    pub(crate) fn signed_head(&self) -> TreeHead {
        let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
        published.signed.unwrap_or_else(TreeHead::empty)
    }

    /// The newest cosigned note.
    pub(crate) fn cosigned(&self) -> Option<Arc<CosignedNote>> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).cosigned.clone()
    }

    /// Reads what was committed since, keeps full tiles, and signs the head if it is new. The
    /// head is in the store before its signature exists.
    pub(crate) async fn sign_head(&self) -> Result<(TreeHead, SignedNote), LogDeskError> {
        let log = self.log;
        let mut builder = self.builder.lock().await;
        let head = self.catch_up(&mut builder).await?;
        let pending = builder.prepare_checkpoint().map_err(|source| match source {
            LogBuilderError::BehindSigned { size, signed_size } => {
                LogDeskError::Behind { log, size, signed_size }
            }
            source => LogDeskError::Changed { log, source },
        })?;
        let known = self.signed_head() == head && head.size > 0;
        if !known {
            self.save(CheckpointKind::Signed, head, Vec::new()).await?;
        }
        let note = pending.persisted(&NamedSigner::new(self.origin.as_str(), &self.key))?;
        if !known {
            self.save(CheckpointKind::Signed, head, note.to_string().into_bytes()).await?;
            self.published.write().unwrap_or_else(PoisonError::into_inner).signed = Some(head);
        }
        Ok((head, note))
    }

    /// Keeps a head that a quorum has signed.
    pub(crate) async fn publish(&self, note: CosignedNote) -> Result<Arc<CosignedNote>, LogDeskError> {
        self.save(CheckpointKind::Cosigned, note.head, note.text.clone().into_bytes()).await?;
        let note = Arc::new(note);
        self.published.write().unwrap_or_else(PoisonError::into_inner).cosigned = Some(Arc::clone(&note));
        Ok(note)
    }

    async fn save(&self, kind: CheckpointKind, head: TreeHead, note: Vec<u8>) -> Result<(), LogDeskError> {
        let checkpoint = SavedCheckpoint { size: head.size, root: head.root, note };
        Ok(self.store.save_checkpoint(self.log, kind, checkpoint).await?)
    }

    /// Appends committed leaves to the tree. The builder moves only after its tiles are kept.
    async fn catch_up(&self, builder: &mut LogBuilder) -> Result<TreeHead, LogDeskError> {
        loop {
            let from = builder.head().size;
            let leaves =
                leaves(&self.store, self.log, from, from.saturating_add(REBUILD_CHUNK_LEAVES)).await?;
            if leaves.is_empty() {
                self.grew_to(from);
                return Ok(builder.head());
            }
            let mut next = builder.clone();
            let tiles =
                next.append(&leaves).map_err(|source| LogDeskError::Changed { log: self.log, source })?;
            let full: Vec<_> = tiles.into_iter().filter_map(stored_tile).collect();
            if !full.is_empty() {
                self.store.save_tiles(self.log, full).await?;
            }
            *builder = next;
        }
    }
}

/// Only full tiles are kept: partial ones are outdated by the next leaf.
fn stored_tile(tile: Tile) -> Option<StoredTile> {
    match tile.path.kind() {
        TileKind::Hashes(level) if tile.path.is_full() => {
            Some(StoredTile { level, index: tile.path.index(), bytes: tile.bytes })
        }
        _ => None,
    }
}
