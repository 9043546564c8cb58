//! Proofs of inclusion and consistency: made from stored nodes, checked from hashes alone.
//!
//! One walk serves all of them. It goes from the root down to the range `start..end` and notes at
//! every step which sibling the proof must hold. An inclusion proof is the walk to a single leaf
//! (RFC 9162 §2.1.3), a consistency proof the walk to `0..old_size` (RFC 9162 §2.1.4), and both
//! are cases of the subtree consistency proof of the Merkle tree certificates draft. The walk
//! fixes the exact length of a proof, so a longer or shorter one is refused before any hashing.

use crate::hash::{NodeHash, empty_root, node_hash};
use crate::tree::{MissingNode, NodeSource, range_hash};
use alloc::vec::Vec;
use ward_id::TreeRoot;

/// A proof that cannot be made or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf lies outside the tree. Whoever asked must act.
    #[error("leaf {index} lies outside a tree of {size} leaves")]
    IndexBeyondSize {
        /// Index of the leaf.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one. Whoever asked must act.
    #[error("the older tree has {old} leaves and the newer one only {new}")]
    SizesOutOfOrder {
        /// Leaves of the older tree.
        old: u64,
        /// Leaves of the newer tree.
        new: u64,
    },
    /// Every tree extends the tree without leaves, so there is nothing to prove.
    #[error("a consistency proof from an empty tree says nothing")]
    EmptyOldTree,
    /// The range is not a subtree: its start must be a multiple of the smallest power of two
    /// that is not smaller than its length. Whoever asked must act.
    #[error("the leaves {start}..{end} are not a subtree")]
    NotASubtree {
        /// First leaf.
        start: u64,
        /// Leaf after the last.
        end: u64,
    },
    /// The proof has too many or too few hashes. The log or the one who passed it on must act.
    #[error("the proof has {got} hashes where exactly {expected} belong")]
    WrongLength {
        /// Hashes that the sizes ask for.
        expected: usize,
        /// Hashes that came.
        got: usize,
    },
    /// The proof does not lead to the older root. The log must answer for it.
    #[error("the proof does not lead to the older root")]
    OldRootMismatch,
    /// The proof does not lead to the root. The log must answer for it.
    #[error("the proof does not lead to the root")]
    RootMismatch,
    /// The node source lacks a node. Whoever runs it must rebuild it.
    #[error(transparent)]
    MissingNode(#[from] MissingNode),
}

/// The way from the root of a tree of `size` leaves down to the range `start..end`.
/// One bit per step, the first step in bit 0.
#[derive(Debug, Clone, Copy)]
struct Walk {
    steps: u32,
    /// The sibling lies to the right: it is younger than the range.
    right: u64,
    /// The sibling lies to the left and belongs to the range: both roots cover it.
    shared: u64,
    /// Where the walk ends.
    start: u64,
    count: u64,
}

/// A sibling on the way: its leaves and its side.
struct Sibling {
    start: u64,
    count: u64,
}

impl Walk {
    /// Requires `start < end <= size` and a subtree range.
    fn new(start: u64, end: u64, size: u64, mut each: impl FnMut(Sibling)) -> Self {
        let mut walk = Self { steps: 0, right: 0, shared: 0, start: 0, count: size };
        let (mut from, to) = (start, end);
        while walk.count > 1 && (from > walk.start || to < walk.start + walk.count) {
            // The largest power of two below the number of leaves (RFC 6962 §2.1).
            let half = 1 << (u64::BITS - 1 - (walk.count - 1).leading_zeros());
            let middle = walk.start + half;
            let bit = 1 << walk.steps;
            if to <= middle {
                walk.right |= bit;
                each(Sibling { start: middle, count: walk.count - half });
                walk.count = half;
            } else {
                if from < middle {
                    walk.shared |= bit;
                    from = middle;
                }
                each(Sibling { start: walk.start, count: half });
                walk.start = middle;
                walk.count -= half;
            }
            walk.steps += 1;
        }
        walk
    }

    /// Whether the proof must begin with the hash where the walk ends: it does unless that hash
    /// is the known root of the range itself.
    const fn brings_seed(&self) -> bool {
        self.shared != 0
    }

    fn length(&self) -> usize {
        self.steps as usize + usize::from(self.brings_seed())
    }

    /// Recomputes (root of the range, root of the tree) from a proof, bottom up.
    fn roots(&self, known: &NodeHash, proof: &[NodeHash]) -> Result<(NodeHash, NodeHash), ProofError> {
        let wrong_length = ProofError::WrongLength { expected: self.length(), got: proof.len() };
        if proof.len() != self.length() {
            return Err(wrong_length);
        }
        let (seed, siblings) =
            if self.brings_seed() { proof.split_first().ok_or(wrong_length)? } else { (known, proof) };
        let (mut older, mut newer) = (*seed, *seed);
        for (step, sibling) in (0..self.steps).rev().zip(siblings) {
            if self.right >> step & 1 == 1 {
                newer = node_hash(&newer, sibling);
            } else {
                if self.shared >> step & 1 == 1 {
                    older = node_hash(sibling, &older);
                }
                newer = node_hash(sibling, &newer);
            }
        }
        Ok((older, newer))
    }
}

/// Refuses ranges that no node of a tree covers (Merkle tree certificates draft, "subtrees").
fn check_subtree(start: u64, end: u64, size: u64) -> Result<(), ProofError> {
    if end > size {
        return Err(ProofError::IndexBeyondSize { index: end, size });
    }
    let not_a_subtree = ProofError::NotASubtree { start, end };
    let count = end.checked_sub(start).filter(|count| *count > 0).ok_or(not_a_subtree)?;
    match count.checked_next_power_of_two() {
        Some(width) if start.is_multiple_of(width) => Ok(()),
        None if start == 0 => Ok(()),
        _ => Err(not_a_subtree),
    }
}

/// The proof that the subtree `start..end` belongs to the tree of `size` leaves.
///
/// # Errors
/// [`ProofError::NotASubtree`], [`ProofError::IndexBeyondSize`] or [`ProofError::MissingNode`].
pub fn subtree_proof(
    source: &impl NodeSource,
    start: u64,
    end: u64,
    size: u64,
) -> Result<Vec<NodeHash>, ProofError> {
    check_subtree(start, end, size)?;
    let mut siblings = Vec::new();
    let walk = Walk::new(start, end, size, |sibling| siblings.push(sibling));
    let seed = walk.brings_seed().then_some(Sibling { start: walk.start, count: walk.count });
    seed.into_iter()
        .chain(siblings.into_iter().rev())
        .map(|range| Ok(range_hash(source, range.start, range.count)?))
        .collect()
}

/// The proof that leaf `index` belongs to the tree of `size` leaves (RFC 9162 §2.1.3.1).
///
/// # Errors
/// [`ProofError::IndexBeyondSize`] or [`ProofError::MissingNode`].
pub fn inclusion_proof(source: &impl NodeSource, index: u64, size: u64) -> Result<Vec<NodeHash>, ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    subtree_proof(source, index, index + 1, size)
}

/// The proof that the tree of `new` leaves begins with the tree of `old` leaves
/// (RFC 9162 §2.1.4.1). Empty when the sizes are equal.
///
/// # Errors
/// [`ProofError::SizesOutOfOrder`], [`ProofError::EmptyOldTree`] or [`ProofError::MissingNode`].
pub fn consistency_proof(source: &impl NodeSource, old: u64, new: u64) -> Result<Vec<NodeHash>, ProofError> {
    match old {
        _ if old > new => Err(ProofError::SizesOutOfOrder { old, new }),
        _ if old == new => Ok(Vec::new()),
        0 => Err(ProofError::EmptyOldTree),
        _ => subtree_proof(source, 0, old, new),
    }
}

/// Checks that the leaf with this hash is leaf `index` of the tree (RFC 9162 §2.1.3.2).
///
/// # Errors
/// [`ProofError::IndexBeyondSize`], [`ProofError::WrongLength`] or [`ProofError::RootMismatch`].
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &NodeHash,
    root: &TreeRoot,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexBeyondSize { index, size });
    }
    let walk = Walk::new(index, index + 1, size, |_| ());
    let (_, newer) = walk.roots(leaf, proof)?;
    if newer.to_root() == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// Checks that the tree `(new, new_root)` begins with the tree `(old, old_root)`
/// (RFC 9162 §2.1.4.2).
///
/// # Errors
/// [`ProofError::SizesOutOfOrder`], [`ProofError::EmptyOldTree`], [`ProofError::WrongLength`],
/// [`ProofError::OldRootMismatch`] or [`ProofError::RootMismatch`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &TreeRoot,
    new_root: &TreeRoot,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::SizesOutOfOrder { old, new });
    }
    if old == 0 && new > 0 {
        return Err(ProofError::EmptyOldTree);
    }
    if old == 0 {
        return verify_empty(old_root, Some(new_root), proof);
    }
    verify_subtree_consistency(0, old, new, old_root, new_root, proof)
}

/// Checks that `subtree_root` is the root over the leaves `start..end` of the tree. The range
/// without leaves has the empty root and no proof.
///
/// # Errors
/// [`ProofError::NotASubtree`], [`ProofError::IndexBeyondSize`], [`ProofError::WrongLength`],
/// [`ProofError::OldRootMismatch`] or [`ProofError::RootMismatch`].
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree_root: &TreeRoot,
    root: &TreeRoot,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    if start == end && end <= size {
        return verify_empty(subtree_root, None, proof);
    }
    check_subtree(start, end, size)?;
    let walk = Walk::new(start, end, size, |_| ());
    let (older, newer) = walk.roots(&NodeHash::from(*subtree_root), proof)?;
    if older.to_root() != *subtree_root {
        return Err(ProofError::OldRootMismatch);
    }
    if newer.to_root() != *root {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}

/// Checks that the leaf with this hash is leaf `index` of the log, under the root of the subtree
/// `start..end`.
///
/// # Errors
/// As [`verify_inclusion`], and [`ProofError::NotASubtree`].
pub fn verify_subtree_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: &NodeHash,
    subtree_root: &TreeRoot,
    proof: &[NodeHash],
) -> Result<(), ProofError> {
    check_subtree(start, end, end)?;
    let within = index.checked_sub(start).ok_or(ProofError::IndexBeyondSize { index, size: end })?;
    verify_inclusion(within, end - start, leaf, subtree_root, proof)
}

fn verify_empty(old: &TreeRoot, new: Option<&TreeRoot>, proof: &[NodeHash]) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::WrongLength { expected: 0, got: proof.len() });
    }
    if *old != empty_root() {
        return Err(ProofError::OldRootMismatch);
    }
    if new.is_some_and(|new| *new != empty_root()) {
        return Err(ProofError::RootMismatch);
    }
    Ok(())
}
