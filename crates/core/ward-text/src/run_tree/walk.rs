//! Going through a tree in order.
#![expect(
    clippy::indexing_slicing,
    reason = "node numbers come from the tree's own lists and never leave it"
)]

use super::{Cursor, Run, RunTree};

impl<R: Run<N>, const N: usize> RunTree<R, N> {
    /// The beginning.
    pub fn start(&self) -> Cursor {
        Cursor { leaf: self.first_leaf(self.root), run: 0, offset: 0 }
    }

    fn first_leaf(&self, branch: u32) -> u32 {
        let mut branch = &self.branches[branch as usize];
        loop {
            let first = branch.children.first().map_or(0, |child| child.node);
            if branch.over_leaves {
                return first;
            }
            branch = &self.branches[first as usize];
        }
    }

    /// The next run: at the same place if the cursor stands between two runs.
    pub fn next_run(&self, at: Cursor) -> Option<Cursor> {
        let runs = &self.leaves[at.leaf as usize].runs;
        if at.offset == 0 && at.run < runs.len() {
            return Some(at);
        }
        if at.run + 1 < runs.len() {
            return Some(Cursor { run: at.run + 1, offset: 0, ..at });
        }
        let mut leaf = self.next_leaf(at.leaf)?;
        while self.leaves[leaf as usize].runs.is_empty() {
            leaf = self.next_leaf(leaf)?;
        }
        Some(Cursor { leaf, run: 0, offset: 0 })
    }

    /// The run behind the one at the cursor.
    pub fn run_behind(&self, at: Cursor) -> Option<Cursor> {
        let offset = self.run(at)?.len();
        self.next_run(Cursor { offset, ..at })
    }

    fn next_leaf(&self, leaf: u32) -> Option<u32> {
        let (mut node, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        loop {
            let branch = &self.branches[parent as usize];
            if let Some(next) = branch.children.get(branch.slot(node) + 1) {
                return Some(if branch.over_leaves { next.node } else { self.first_leaf(next.node) });
            }
            if parent == self.root {
                return None;
            }
            (node, parent) = (parent, branch.parent);
        }
    }

    /// All runs, in order.
    pub fn runs(&self) -> impl Iterator<Item = &R> {
        let mut leaf = Some(self.first_leaf(self.root));
        core::iter::from_fn(move || {
            let here = leaf?;
            leaf = self.next_leaf(here);
            Some(self.leaves[here as usize].runs.iter())
        })
        .flatten()
    }
}
