//! Tiles of hashes (C2SP tlog-tiles, height 8): written as leaves are appended, read for proofs.

use crate::hash::{NodeHash, empty_root, leaf_hash};
use crate::limits::{TILE_HEIGHT, TILE_WIDTH};
use crate::tile_path::{TileKind, TilePath};
use crate::tree::{CompactTree, MemoryTree, MissingNode, NodeSource, fold_from_right, root_at};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use ward_id::TreeRoot;

/// Stored tiles that do not carry a tree of the wanted size. Whoever runs the store must rebuild it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// A tile is missing or has another length than its width asks for.
    #[error("the tile {path} is missing or has a wrong length")]
    Missing {
        /// Which tile.
        path: TilePath,
    },
}

/// Stored tiles. `width` is 256 for a full tile; a source may also hand out fewer widths than it
/// once had, because a partial tile may be deleted once the full one exists.
pub trait TileSource {
    /// The bytes of a tile of hashes, or `None`.
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>>;
}

/// A tile to be written: its path and its hashes, one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it goes.
    pub path: TilePath,
    /// Its hashes, 32 bytes each.
    pub bytes: Vec<u8>,
}

/// One level of the growing edge: the hashes of its last, partial tile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct EdgeLevel {
    /// Full tiles before it.
    full: u64,
    hashes: Vec<NodeHash>,
    /// The subtree over those hashes.
    tree: CompactTree,
}

/// The growing edge of a tiled log: the partial tiles of all levels. Enough to append leaves, to
/// write the tiles that they change, and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TileEdge {
    levels: Vec<EdgeLevel>,
}

impl TileEdge {
    /// The edge of the tree without leaves.
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Reads the edge of the tree of `size` leaves from stored tiles.
    ///
    /// # Errors
    /// [`TileError::Missing`].
    pub fn from_tiles(source: &impl TileSource, size: u64) -> Result<Self, TileError> {
        let mut levels = Vec::new();
        let mut in_level = size;
        let mut level = 0u8;
        while in_level > 0 {
            let (full, partial) = (in_level / u64::from(TILE_WIDTH), in_level % u64::from(TILE_WIDTH));
            let mut edge = EdgeLevel { full, ..EdgeLevel::default() };
            if let Some(path) = tile_path(level, full, partial) {
                edge.hashes = read_tile(source, path)?;
                edge.hashes.iter().for_each(|hash| edge.tree.append(*hash));
            }
            levels.push(edge);
            (in_level, level) = (full, level.saturating_add(1));
        }
        Ok(Self { levels })
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |edge| edge.full * u64::from(TILE_WIDTH) + edge.hashes.len() as u64)
    }

    /// The root over all leaves.
    pub fn root(&self) -> TreeRoot {
        let from_right = self.levels.iter().flat_map(|edge| edge.tree.frontier().iter().rev().copied());
        fold_from_right(from_right).map_or_else(empty_root, NodeHash::to_root)
    }

    /// Appends one leaf hash; tiles that it fills are added to `filled`.
    pub fn append(&mut self, leaf: NodeHash, filled: &mut Vec<Tile>) {
        let mut carried = leaf;
        for level in 0..=u8::MAX {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(EdgeLevel::default());
            }
            let Some(edge) = self.levels.get_mut(usize::from(level)) else { return };
            edge.hashes.push(carried);
            edge.tree.append(carried);
            if edge.hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            filled.extend(edge_tile(level, edge));
            // A full tile is one complete subtree, so its frontier is its root alone.
            carried = NodeHash::from(edge.tree.root());
            *edge = EdgeLevel { full: edge.full + 1, ..EdgeLevel::default() };
        }
    }

    /// Appends leaves and returns every tile that they changed: the full ones first, then one
    /// partial tile for each level that moved.
    pub fn append_leaves(&mut self, leaves: &[impl AsRef<[u8]>]) -> Vec<Tile> {
        let before = self.size();
        let mut tiles = Vec::new();
        for leaf in leaves {
            self.append(leaf_hash(leaf.as_ref()), &mut tiles);
        }
        tiles.extend(self.partial_tiles_since(before));
        tiles
    }

    /// The partial tiles that differ between the tree of `before` leaves and this one.
    pub fn partial_tiles_since(&self, before: u64) -> Vec<Tile> {
        let after = self.size();
        (0..u8::MAX)
            .zip(&self.levels)
            .filter(|(level, _)| hashes_at(*level, before) != hashes_at(*level, after))
            .filter_map(|(level, edge)| edge_tile(level, edge))
            .collect()
    }
}

/// The tiles that a log of `new` leaves has and a log of `old` leaves lacks: at each level the
/// tiles filled in between and the partial one at the end.
pub fn tiles_for_growth(old: u64, new: u64) -> Vec<TilePath> {
    let mut paths = Vec::new();
    for level in 0..=u8::MAX {
        let (before, after) = (hashes_at(level, old), hashes_at(level, new));
        if after <= before {
            break;
        }
        let width = u64::from(TILE_WIDTH);
        paths.extend((before / width..after / width).filter_map(|full| tile_path(level, full, width)));
        paths.extend(tile_path(level, after / width, after % width));
    }
    paths
}

/// Nodes read from stored tiles, for a tree of a fixed size. A tile is read and hashed once.
pub struct TileReader<'a, T: TileSource> {
    source: &'a T,
    size: u64,
    read: RefCell<BTreeMap<TilePath, Option<MemoryTree>>>,
}

impl<'a, T: TileSource> TileReader<'a, T> {
    /// A reader for the tree of `size` leaves.
    pub const fn new(source: &'a T, size: u64) -> Self {
        Self { source, size, read: RefCell::new(BTreeMap::new()) }
    }

    /// Leaves of the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    ///
    /// # Errors
    /// [`MissingNode`] if a tile is missing.
    pub fn root(&self) -> Result<TreeRoot, MissingNode> {
        root_at(self, self.size)
    }
}

impl<T: TileSource> NodeSource for TileReader<'_, T> {
    fn node(&self, level: u32, index: u64) -> Option<NodeHash> {
        let tile_level = u8::try_from(level / TILE_HEIGHT).ok()?;
        let within = level % TILE_HEIGHT;
        let first = index.checked_mul(1 << within)?;
        let in_level = hashes_at(tile_level, self.size);
        let width = u64::from(TILE_WIDTH);
        let tile_index = first / width;
        let path = tile_path(tile_level, tile_index, in_level.checked_sub(tile_index * width)?.min(width))?;
        let mut read = self.read.borrow_mut();
        let tile = read.entry(path).or_insert_with(|| {
            let mut nodes = MemoryTree::new();
            read_tile(self.source, path).ok()?.into_iter().for_each(|hash| nodes.append(hash));
            Some(nodes)
        });
        tile.as_ref()?.node(within, (first % width) >> within)
    }
}

/// Hashes that a tile level of a tree has: complete subtrees of `256^level` leaves.
fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * TILE_HEIGHT).unwrap_or(0)
}

/// The path of a tile of hashes; `None` for a tile without hashes.
fn tile_path(level: u8, index: u64, width: u64) -> Option<TilePath> {
    TilePath::new(TileKind::Hashes(level), index, u16::try_from(width).ok()?).ok()
}

fn edge_tile(level: u8, edge: &EdgeLevel) -> Option<Tile> {
    let path = tile_path(level, edge.full, edge.hashes.len() as u64)?;
    Some(Tile { path, bytes: edge.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect() })
}

/// Reads a tile; a deleted partial tile is taken from the front of the full one.
fn read_tile(source: &impl TileSource, path: TilePath) -> Result<Vec<NodeHash>, TileError> {
    let missing = TileError::Missing { path };
    let TileKind::Hashes(level) = path.kind() else { return Err(missing) };
    let wanted = usize::from(path.width()) * NodeHash::BYTES;
    let exact = |bytes: &Vec<u8>, width: u16| bytes.len() == usize::from(width) * NodeHash::BYTES;
    let bytes = source
        .tile(level, path.index(), path.width())
        .filter(|bytes| exact(bytes, path.width()))
        .or_else(|| source.tile(level, path.index(), TILE_WIDTH).filter(|bytes| exact(bytes, TILE_WIDTH)))
        .ok_or(missing)?;
    let hashes = bytes.get(..wanted).ok_or(missing)?.chunks_exact(NodeHash::BYTES);
    hashes.map(|hash| NodeHash::from_slice(hash).ok_or(missing)).collect()
}
