//! Tiles and proofs of a log: full tiles come from the store, the right edge is rebuilt from
//! leaves and from the tiles below. Nothing here is trusted: readers check every proof.

use crate::limits::PROOF_FETCH_ROUNDS;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use ward_api::LogName;
use ward_audit::limits::TILE_WIDTH;
use ward_audit::{
    MemoryTree, NodeHash, ProofError, TileReader, TileSource, consistency_proof, inclusion_proof, leaf_hash,
    mlog_leaf,
};
use ward_store::{Store, StoreError};

/// A tile by level, index and width.
pub(crate) type TileName = (u8, u64, u16);

/// Proofs that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogReadError {
    /// The sizes or the index do not lie in the log.
    #[error("the log is not that long")]
    Beyond,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The leaves `from..to` of a log as they stand in its tree; fewer at the log's end.
pub(crate) async fn leaves<S: Store>(
    store: &S,
    log: LogName,
    from: u64,
    to: u64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    Ok(match log {
        LogName::Mlog => {
            let leaves = store.mlog_leaves(from, to).await?;
            leaves.iter().map(|leaf| mlog_leaf(leaf.subject, leaf.entry_hash).to_vec()).collect()
        }
        LogName::Olog => {
            let leaves = store.olog_leaves(from, to).await?;
            leaves.iter().map(|leaf| leaf.as_bytes().to_vec()).collect()
        }
    })
}

/// One tile, if the log reaches that far.
pub(crate) async fn tile<S: Store>(
    store: &S,
    log: LogName,
    name: TileName,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (level, index, width) = name;
    let wanted = usize::from(width) * NodeHash::BYTES;
    if let Some(mut full) = store.tile(log, level, index).await? {
        full.truncate(wanted);
        return Ok((full.len() == wanted).then_some(full));
    }
    let (Some(first), Some(below)) = (index.checked_mul(u64::from(TILE_WIDTH)), level.checked_sub(1)) else {
        return leaf_tile(store, log, index, width).await;
    };
    let mut bytes = Vec::with_capacity(wanted);
    for place in first..first.saturating_add(u64::from(width)) {
        let Some(full) = store.tile(log, below, place).await? else { return Ok(None) };
        bytes.extend_from_slice(tile_root(&full).as_bytes());
    }
    Ok(Some(bytes))
}

async fn leaf_tile<S: Store>(
    store: &S,
    log: LogName,
    index: u64,
    width: u16,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(first) = index.checked_mul(u64::from(TILE_WIDTH)) else { return Ok(None) };
    let leaves = leaves(store, log, first, first.saturating_add(u64::from(width))).await?;
    let complete = leaves.len() == usize::from(width);
    Ok(complete.then(|| leaves.iter().flat_map(|leaf| *leaf_hash(leaf).as_bytes()).collect()))
}

/// The hash that a full tile adds to the level above.
fn tile_root(tile: &[u8]) -> NodeHash {
    let mut tree = MemoryTree::new();
    tile.chunks_exact(NodeHash::BYTES).filter_map(NodeHash::from_slice).for_each(|hash| tree.append(hash));
    NodeHash::from(tree.root())
}

/// Tiles fetched so far. A proof that misses one names it here and is tried again.
#[derive(Default)]
struct Fetched {
    tiles: BTreeMap<TileName, Option<Vec<u8>>>,
    missing: RefCell<BTreeSet<TileName>>,
}

impl TileSource for Fetched {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        match self.tiles.get(&(level, index, width)) {
            Some(known) => known.clone(),
            None => {
                self.missing.borrow_mut().insert((level, index, width));
                None
            }
        }
    }
}

/// Runs `read` until every tile it asks for is at hand.
pub(crate) async fn with_tiles<S: Store, T, E>(
    store: &S,
    log: LogName,
    read: impl Fn(&dyn DynTiles) -> Result<T, E>,
) -> Result<Result<T, E>, StoreError> {
    let mut fetched = Fetched::default();
    for _ in 0..PROOF_FETCH_ROUNDS {
        let outcome = read(&fetched);
        let missing = std::mem::take(&mut *fetched.missing.borrow_mut());
        if missing.is_empty() {
            return Ok(outcome);
        }
        for name in missing {
            let bytes = tile(store, log, name).await?;
            fetched.tiles.insert(name, bytes);
        }
    }
    Ok(read(&fetched))
}

/// [`TileSource`] behind a reference, so that one closure type serves every source.
pub(crate) trait DynTiles {
    /// As [`TileSource::tile`].
    fn get(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>>;
}

impl<T: TileSource> DynTiles for T {
    fn get(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        self.tile(level, index, width)
    }
}

/// Makes a [`TileSource`] of the reference again.
pub(crate) struct Tiles<'a>(pub(crate) &'a dyn DynTiles);

impl TileSource for Tiles<'_> {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        self.0.get(level, index, width)
    }
}

/// The proof that `to` leaves extend `from` leaves (RFC 6962 §2.1.2).
pub(crate) async fn consistency<S: Store>(
    store: &S,
    log: LogName,
    from: u64,
    to: u64,
) -> Result<Vec<NodeHash>, LogReadError> {
    Ok(consistencies(store, log, &[from], to).await?.into_iter().flatten().collect())
}

/// The proofs that `to` leaves extend each of these sizes (RFC 6962 §2.1.2).
pub(crate) async fn consistencies<S: Store>(
    store: &S,
    log: LogName,
    sizes: &[u64],
    to: u64,
) -> Result<Vec<Vec<NodeHash>>, LogReadError> {
    let read = |tiles: &dyn DynTiles| {
        let tiles = Tiles(tiles);
        let reader = TileReader::new(&tiles, to);
        let proof = |from: &u64| match *from {
            0 => Ok(Vec::new()),
            from if from == to => Ok(Vec::new()),
            from => consistency_proof(&reader, from, to),
        };
        all(sizes.iter().map(proof))
    };
    with_tiles(store, log, read).await?.map_err(|_: ProofError| LogReadError::Beyond)
}

/// The audit paths of leaves (RFC 6962 §2.1.1).
pub(crate) async fn inclusions<S: Store>(
    store: &S,
    log: LogName,
    indexes: &[u64],
    size: u64,
) -> Result<Vec<Vec<NodeHash>>, LogReadError> {
    let read = |tiles: &dyn DynTiles| {
        let tiles = Tiles(tiles);
        let reader = TileReader::new(&tiles, size);
        all(indexes.iter().map(|index| inclusion_proof(&reader, *index, size)))
    };
    with_tiles(store, log, read).await?.map_err(|_: ProofError| LogReadError::Beyond)
}

/// Makes every proof even after one failed: each names the tiles that it misses, so that they are
/// fetched together.
fn all<T, E>(proofs: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    proofs.collect::<Vec<_>>().into_iter().collect()
}
