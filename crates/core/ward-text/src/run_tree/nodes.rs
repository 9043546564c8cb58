//! The nodes of the tree: cutting full ones, dropping empty ones, and counting.
#![expect(
    clippy::indexing_slicing,
    reason = "node numbers come from the tree's own lists and never leave it"
)]

use super::{BRANCH_CHILDREN, LEAF_RUNS, Places, Run, RunTree};
use alloc::vec;
use alloc::vec::Vec;

#[derive(Debug, Clone)]
pub(super) struct Leaf<R> {
    pub parent: u32,
    pub runs: Vec<R>,
}

#[derive(Debug, Clone)]
pub(super) struct Branch<const N: usize> {
    pub parent: u32,
    pub over_leaves: bool,
    pub children: Vec<Child<N>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Child<const N: usize> {
    pub node: u32,
    pub sum: [u32; N],
}

impl<const N: usize> Branch<N> {
    pub fn over_leaf(leaf: u32) -> Self {
        Self { parent: 0, over_leaves: true, children: vec![Child { node: leaf, sum: [0; N] }] }
    }

    pub fn slot(&self, node: u32) -> usize {
        self.children.iter().position(|child| child.node == node).unwrap_or(0)
    }

    fn sum(&self) -> [u32; N] {
        let mut sum = [0; N];
        for child in &self.children {
            add(&mut sum, &child.sum);
        }
        sum
    }
}

fn add<const N: usize>(sum: &mut [u32; N], more: &[u32; N]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.wrapping_add(*more);
    }
}

fn subtract<const N: usize>(sum: &mut [u32; N], less: &[u32; N]) {
    for (sum, less) in sum.iter_mut().zip(less) {
        *sum = sum.wrapping_sub(*less);
    }
}

impl<R: Run<N>, const N: usize> RunTree<R, N> {
    /// Counts in all branches above a leaf that a run of it changed.
    pub(super) fn count(&mut self, leaf: u32, old: [u32; N], new: [u32; N]) {
        if old == new {
            return;
        }
        let (mut node, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        loop {
            let branch = &mut self.branches[parent as usize];
            let slot = branch.slot(node);
            let sum = &mut branch.children[slot].sum;
            add(sum, &new);
            subtract(sum, &old);
            if parent == self.root {
                return;
            }
            (node, parent) = (parent, branch.parent);
        }
    }

    pub(super) fn cut_leaf_if_full(&mut self, leaf: u32, places: &mut impl Places<R>) {
        let here = &mut self.leaves[leaf as usize];
        if here.runs.len() <= LEAF_RUNS {
            return;
        }
        let parent = here.parent;
        // Room for what comes before it is cut itself.
        let mut upper = Vec::with_capacity(LEAF_RUNS + 3);
        upper.extend(here.runs.drain(here.runs.len() / 2..));
        let mut sum = [0; N];
        for run in &upper {
            add(&mut sum, &run.measure());
        }
        let new = Leaf { parent, runs: upper };
        let number = match self.free_leaves.pop() {
            Some(free) => {
                self.leaves[free as usize] = new;
                free
            }
            None => {
                self.leaves.push(new);
                number_of(self.leaves.len() - 1)
            }
        };
        for run in &self.leaves[number as usize].runs {
            places.put(run, number);
        }
        self.add_sibling(parent, leaf, Child { node: number, sum });
    }

    /// Hangs a child into a branch, behind the one that it was cut from.
    fn add_sibling(&mut self, parent: u32, node: u32, child: Child<N>) {
        let branch = &mut self.branches[parent as usize];
        let slot = branch.slot(node);
        subtract(&mut branch.children[slot].sum, &child.sum);
        branch.children.insert(slot + 1, child);
        if branch.children.len() > BRANCH_CHILDREN {
            self.cut_branch(parent);
        }
    }

    fn cut_branch(&mut self, number: u32) {
        if number == self.root {
            let sum = self.branches[number as usize].sum();
            let above = Branch { parent: 0, over_leaves: false, children: vec![Child { node: number, sum }] };
            self.root = self.new_branch(above);
            self.branches[number as usize].parent = self.root;
        }
        let branch = &mut self.branches[number as usize];
        let (parent, over_leaves) = (branch.parent, branch.over_leaves);
        let children = branch.children.split_off(branch.children.len() / 2);
        let new = Branch { parent, over_leaves, children };
        let sum = new.sum();
        let behind = self.new_branch(new);
        for slot in 0..self.branches[behind as usize].children.len() {
            let child = self.branches[behind as usize].children[slot].node;
            if over_leaves {
                self.leaves[child as usize].parent = behind;
            } else {
                self.branches[child as usize].parent = behind;
            }
        }
        self.add_sibling(parent, number, Child { node: behind, sum });
    }

    fn new_branch(&mut self, branch: Branch<N>) -> u32 {
        if let Some(free) = self.free_branches.pop() {
            self.branches[free as usize] = branch;
            return free;
        }
        self.branches.push(branch);
        number_of(self.branches.len() - 1)
    }

    /// Takes an empty leaf out, and branches that became empty with it. The last leaf stays.
    pub(super) fn drop_leaf_if_empty(&mut self, leaf: u32) {
        if !self.leaves[leaf as usize].runs.is_empty() {
            return;
        }
        let mut parent = self.leaves[leaf as usize].parent;
        if parent == self.root && self.branches[parent as usize].children.len() == 1 {
            return;
        }
        let mut node = leaf;
        self.free_leaves.push(leaf);
        loop {
            let branch = &mut self.branches[parent as usize];
            let slot = branch.slot(node);
            branch.children.remove(slot);
            if !branch.children.is_empty() {
                return;
            }
            let above = branch.parent;
            if parent == self.root {
                // The tree is empty: one leaf under one branch, as at the beginning.
                *self = Self::new();
                return;
            }
            self.free_branches.push(parent);
            (node, parent) = (parent, above);
        }
    }
}

/// Trees hold far fewer nodes than a number counts: each has a run of its own.
fn number_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
