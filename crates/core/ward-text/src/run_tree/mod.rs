//! A B-tree over runs that is counted by several measures at once: it finds the run at a position
//! of one measure and tells the position in another, each in logarithmic time.
//!
//! Runs live in leaves, leaves under branches, all of them in two lists that name one another by
//! index. A leaf or branch that becomes empty is taken out of its parent; others are not joined.
#![expect(
    clippy::indexing_slicing,
    reason = "node numbers come from the tree's own lists and never leave it"
)]

mod nodes;
#[cfg(test)]
mod tests;
mod walk;

use alloc::vec;
use alloc::vec::Vec;
use nodes::{Branch, Leaf};

/// Runs in a leaf and children of a branch, before it is cut into two.
const LEAF_RUNS: usize = 32;
const BRANCH_CHILDREN: usize = 16;

/// Something long that can be cut, and that counts in several measures: in each with its whole
/// length or not at all.
pub(crate) trait Run<const N: usize> {
    /// How long it is.
    fn len(&self) -> u32;
    /// What it counts in each measure.
    fn measure(&self) -> [u32; N];
    /// Cuts off what follows the first `at`.
    fn split_off(&mut self, at: u32) -> Self;
    /// Takes in the run behind it, if the two are one.
    fn absorb(&mut self, next: &Self) -> bool;
}

/// Is told where runs stand, so that they can be found by name.
pub(crate) trait Places<R> {
    /// The run now stands in this leaf.
    fn put(&mut self, run: &R, leaf: u32);
    /// The run was taken in by the one before it.
    fn forget(&mut self, run: &R);
}

/// For trees whose runs are found by position only.
pub(crate) struct Unnamed;

impl<R> Places<R> for Unnamed {
    fn put(&mut self, _: &R, _: u32) {}
    fn forget(&mut self, _: &R) {}
}

/// A place between two units of length. Any change of the tree makes it void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub leaf: u32,
    pub run: usize,
    pub offset: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct RunTree<R, const N: usize> {
    leaves: Vec<Leaf<R>>,
    branches: Vec<Branch<N>>,
    root: u32,
    free_leaves: Vec<u32>,
    free_branches: Vec<u32>,
}

impl<R: Run<N>, const N: usize> RunTree<R, N> {
    pub fn new() -> Self {
        Self {
            leaves: vec![Leaf { parent: 0, runs: Vec::new() }],
            branches: vec![Branch::over_leaf(0)],
            root: 0,
            free_leaves: Vec::new(),
            free_branches: Vec::new(),
        }
    }

    /// What all runs count together.
    pub fn total(&self, measure: usize) -> u32 {
        self.branches[self.root as usize].children.iter().fold(0, |sum, child| sum + child.sum[measure])
    }

    /// The run in which the unit at a position of a measure lies.
    pub fn find(&self, measure: usize, position: u32) -> Option<Cursor> {
        let mut rest = position;
        let mut branch = &self.branches[self.root as usize];
        loop {
            let mut found = None;
            for child in &branch.children {
                if rest < child.sum[measure] {
                    found = Some(child.node);
                    break;
                }
                rest -= child.sum[measure];
            }
            let node = found?;
            if branch.over_leaves {
                return self.find_in_leaf(node, measure, rest);
            }
            branch = &self.branches[node as usize];
        }
    }

    fn find_in_leaf(&self, leaf: u32, measure: usize, position: u32) -> Option<Cursor> {
        let mut rest = position;
        for (run, here) in self.leaves[leaf as usize].runs.iter().enumerate() {
            let counts = here.measure()[measure];
            if rest < counts {
                return Some(Cursor { leaf, run, offset: rest });
            }
            rest -= counts;
        }
        None
    }

    /// The run at a cursor.
    pub fn run(&self, at: Cursor) -> Option<&R> {
        self.leaves[at.leaf as usize].runs.get(at.run)
    }

    /// The cursor of the run in a leaf that `wanted` picks.
    pub fn find_run(&self, leaf: u32, wanted: impl Fn(&R) -> bool) -> Option<Cursor> {
        let run = self.leaves[leaf as usize].runs.iter().position(wanted)?;
        Some(Cursor { leaf, run, offset: 0 })
    }

    /// The position of a cursor in a measure.
    pub fn before(&self, at: Cursor, measure: usize) -> u32 {
        let leaf = &self.leaves[at.leaf as usize];
        let mut sum: u32 = leaf.runs.iter().take(at.run).map(|run| run.measure()[measure]).sum();
        if leaf.runs.get(at.run).is_some_and(|run| run.measure()[measure] > 0) {
            sum += at.offset;
        }
        let (mut node, mut parent) = (at.leaf, leaf.parent);
        loop {
            let branch = &self.branches[parent as usize];
            for child in branch.children.iter().take_while(|child| child.node != node) {
                sum += child.sum[measure];
            }
            if parent == self.root {
                return sum;
            }
            (node, parent) = (parent, branch.parent);
        }
    }

    /// Puts a run at a cursor, cutting the one that is there.
    pub fn insert(&mut self, at: Cursor, run: R, places: &mut impl Places<R>) {
        let runs = &mut self.leaves[at.leaf as usize].runs;
        let mut index = at.run;
        if at.offset > 0 {
            index += 1;
            if let Some(tail) = runs
                .get_mut(at.run)
                .filter(|here| at.offset < here.len())
                .map(|here| here.split_off(at.offset))
            {
                places.put(&tail, at.leaf);
                runs.insert(index, tail);
            }
        }
        let sum = run.measure();
        let taken_in = index > 0 && runs.get_mut(index - 1).is_some_and(|before| before.absorb(&run));
        if !taken_in {
            places.put(&run, at.leaf);
            runs.insert(index, run);
        }
        self.count(at.leaf, [0; N], sum);
        self.cut_leaf_if_full(at.leaf, places);
    }

    /// Changes `len` units of the run at a cursor, and joins them with what stands beside them.
    pub fn change(&mut self, at: Cursor, len: u32, change: impl FnOnce(&mut R), places: &mut impl Places<R>) {
        let runs = &mut self.leaves[at.leaf as usize].runs;
        let mut index = at.run;
        if at.offset > 0 {
            let tail = runs[index].split_off(at.offset);
            index += 1;
            places.put(&tail, at.leaf);
            runs.insert(index, tail);
        }
        if len < runs[index].len() {
            let tail = runs[index].split_off(len);
            places.put(&tail, at.leaf);
            runs.insert(index + 1, tail);
        }
        let old = runs[index].measure();
        change(&mut runs[index]);
        let new = runs[index].measure();
        join(runs, index, places);
        if index > 0 {
            join(runs, index - 1, places);
        }
        self.count(at.leaf, old, new);
        self.cut_leaf_if_full(at.leaf, places);
    }

    /// Takes away `len` units from a position of a measure on, all of which count in it.
    pub fn remove(&mut self, measure: usize, position: u32, len: u32) {
        let mut rest = len;
        while let Some(at) = self.find(measure, position).filter(|_| rest > 0) {
            let runs = &mut self.leaves[at.leaf as usize].runs;
            let whole = runs[at.run].len();
            let taken = rest.min(whole - at.offset);
            let mut middle = if at.offset > 0 { Some(runs[at.run].split_off(at.offset)) } else { None };
            let part = middle.as_mut().unwrap_or(&mut runs[at.run]);
            let tail = (at.offset + taken < whole).then(|| part.split_off(taken));
            let sum = part.measure();
            match (tail, at.offset > 0) {
                (Some(tail), true) => runs.insert(at.run + 1, tail),
                (Some(tail), false) => runs[at.run] = tail,
                (None, true) => {}
                (None, false) => {
                    runs.remove(at.run);
                }
            }
            self.count(at.leaf, sum, [0; N]);
            self.cut_leaf_if_full(at.leaf, &mut Unnamed);
            self.drop_leaf_if_empty(at.leaf);
            rest -= taken;
        }
    }
}

/// Joins a run with the one behind it, if they are one.
fn join<R: Run<N>, const N: usize>(runs: &mut Vec<R>, index: usize, places: &mut impl Places<R>) {
    let (before, behind) = runs.split_at_mut(index + 1);
    let (Some(run), Some(next)) = (before.last_mut(), behind.first()) else { return };
    if run.absorb(next) {
        places.forget(next);
        runs.remove(index + 1);
    }
}
