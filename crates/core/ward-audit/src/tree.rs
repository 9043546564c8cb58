//! Trees: the frontier that is enough to append, and nodes of complete subtrees.

use crate::hash::{NodeHash, empty_root, node_hash};
use alloc::vec::Vec;
use ward_id::TreeRoot;

/// Hashes of complete subtrees of a log. Level 0 holds leaf hashes; the node `(level, index)`
/// covers the leaves `index * 2^level .. (index + 1) * 2^level`.
pub trait NodeSource {
    /// The hash of a complete subtree, or `None` if the source does not have it.
    fn node(&self, level: u32, index: u64) -> Option<NodeHash>;
}

/// A serialised frontier that does not fit its size. Whoever stored or sent it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompactTreeError {
    /// The number of hashes is not the number of ones in the size.
    #[error("a tree of {size} leaves has {expected} frontier hashes, not {got}")]
    WrongCount {
        /// Leaves of the tree.
        size: u64,
        /// Hashes that belong to that size.
        expected: usize,
        /// Hashes that were given.
        got: usize,
    },
}

/// A node that a source does not have. Whoever runs the source must rebuild it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node at level {level}, index {index} is missing")]
pub struct MissingNode {
    /// Level, counted from the leaves.
    pub level: u32,
    /// Index within the level.
    pub index: u64,
}

/// The frontier of a tree: the roots of its complete subtrees, largest first. Enough to append
/// leaves and to compute the root, in at most 64 hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactTree {
    size: u64,
    frontier: Vec<NodeHash>,
}

impl CompactTree {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { size: 0, frontier: Vec::new() }
    }

    /// A tree from its size and frontier.
    ///
    /// # Errors
    /// [`CompactTreeError::WrongCount`] if the two do not fit.
    pub fn from_parts(size: u64, frontier: Vec<NodeHash>) -> Result<Self, CompactTreeError> {
        let expected = size.count_ones() as usize;
        if frontier.len() != expected {
            return Err(CompactTreeError::WrongCount { size, expected, got: frontier.len() });
        }
        Ok(Self { size, frontier })
    }

    /// The frontier of the tree of `size` leaves in `source`.
    ///
    /// # Errors
    /// [`MissingNode`].
    pub fn from_source(source: &impl NodeSource, size: u64) -> Result<Self, MissingNode> {
        let frontier = complete_subtrees(0, size)
            .map(|(level, index)| source.node(level, index).ok_or(MissingNode { level, index }))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { size, frontier })
    }

    /// Leaves so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, largest first.
    pub fn frontier(&self) -> &[NodeHash] {
        &self.frontier
    }

    /// Appends the hash of the next leaf.
    pub fn append(&mut self, leaf: NodeHash) {
        let mut carried = leaf;
        // One subtree is completed for every trailing one of the size.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                carried = node_hash(&left, &carried);
            }
        }
        self.frontier.push(carried);
        self.size = self.size.saturating_add(1);
    }

    /// The root (RFC 6962 §2.1).
    pub fn root(&self) -> TreeRoot {
        fold_from_right(self.frontier.iter().rev().copied()).map_or_else(empty_root, NodeHash::to_root)
    }
}

impl<C> minicbor::Encode<C> for CompactTree {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u64(self.size)?;
        self.frontier.encode(e, ctx)
    }
}

impl<'b, C> minicbor::Decode<'b, C> for CompactTree {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        if d.array()? != Some(2) {
            return Err(minicbor::decode::Error::message("expected an array of two"));
        }
        let size = d.u64()?;
        let frontier = minicbor::Decode::decode(d, ctx)?;
        Self::from_parts(size, frontier)
            .map_err(|_| minicbor::decode::Error::message("frontier and size differ"))
    }
}

/// A tree that keeps every node in memory, for logs that fit there.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<NodeHash>>,
}

impl MemoryTree {
    /// The tree without leaves.
    pub const fn new() -> Self {
        Self { levels: Vec::new() }
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends the hash of the next leaf.
    pub fn append(&mut self, leaf: NodeHash) {
        let mut carried = leaf;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(nodes) = self.levels.get_mut(level) else { return };
            nodes.push(carried);
            match nodes.as_slice() {
                [.., left, right] if nodes.len() % 2 == 0 => carried = node_hash(left, right),
                _ => return,
            }
        }
    }

    /// The root over all leaves.
    pub fn root(&self) -> TreeRoot {
        root_at(self, self.size()).unwrap_or_else(|_| empty_root())
    }
}

impl NodeSource for MemoryTree {
    fn node(&self, level: u32, index: u64) -> Option<NodeHash> {
        self.levels.get(level as usize)?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The root of the first `size` leaves in `source`.
///
/// # Errors
/// [`MissingNode`].
pub fn root_at(source: &impl NodeSource, size: u64) -> Result<TreeRoot, MissingNode> {
    if size == 0 {
        return Ok(empty_root());
    }
    range_hash(source, 0, size).map(NodeHash::to_root)
}

/// The hash over the `count` leaves from `start`, where `start` is a multiple of every complete
/// subtree in the range.
pub(crate) fn range_hash(source: &impl NodeSource, start: u64, count: u64) -> Result<NodeHash, MissingNode> {
    let mut acc = None;
    for (level, index) in complete_subtrees(start, count).rev() {
        let left = source.node(level, index).ok_or(MissingNode { level, index })?;
        acc = Some(acc.map_or(left, |right| node_hash(&left, &right)));
    }
    acc.ok_or(MissingNode { level: 0, index: start })
}

/// Folds subtree roots, given from the right end of the tree to the left.
pub(crate) fn fold_from_right(hashes: impl Iterator<Item = NodeHash>) -> Option<NodeHash> {
    hashes.reduce(|right, left| node_hash(&left, &right))
}

/// The complete subtrees `(level, index)` of a range, left to right: one for every one in `count`.
fn complete_subtrees(start: u64, count: u64) -> impl DoubleEndedIterator<Item = (u32, u64)> {
    (0..u64::BITS).rev().filter(move |level| count >> level & 1 == 1).map(move |level| {
        let leaves_before = start + (count & !(u64::MAX >> (u64::BITS - 1 - level)));
        (level, leaves_before >> level)
    })
}
