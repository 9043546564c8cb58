//! The event graph: which edit was written in the knowledge of which others.
//!
//! An edit's number is its place in the order of application, so parents have lower numbers. A
//! stretch of edits each of which knows just the one before is one run, and walks go run by run.
#![expect(clippy::indexing_slicing, reason = "numbers of edits come from this graph only")]

mod difference;
mod unseen;

pub(crate) use unseen::Version;

use crate::edit::TextEdit;
use crate::edit_id::EditId;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

/// What became of an edit at the version it was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not looked at yet.
    Open,
    /// Its inserted scalars have the numbers from this one on.
    Valid {
        /// The first of them.
        first_unit: u32,
    },
    /// A position lies outside of the text, or the text would become too long: no effect.
    Invalid,
}

/// An edit in the graph.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub id: EditId,
    pub edit: Arc<TextEdit>,
    pub verdict: Verdict,
    /// How long the text was after this edit, where it had seen all before it.
    pub length_after: u32,
    /// Whether all edits before it are among its ancestors.
    pub seals: bool,
    /// Whether its words are left out of the merged text, and what it deleted is not.
    pub hidden: bool,
    /// What its author did not see; most saw everything.
    left_out: Option<Box<LeftOut>>,
}

#[derive(Debug, Clone)]
struct LeftOut {
    unseen: Vec<u32>,
    markers: Vec<u32>,
}

impl Node {
    /// Which of its ancestors its author did not see the effects of, by number.
    pub fn unseen(&self) -> &[u32] {
        self.left_out.as_ref().map_or(&[], |left_out| &left_out.unseen)
    }

    /// The parents that say so.
    pub fn markers(&self) -> &[u32] {
        self.left_out.as_ref().map_or(&[], |left_out| &left_out.markers)
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    /// First edit of each run, and the parents of that edit.
    run_starts: Vec<u32>,
    run_parents: Vec<Vec<u32>>,
    frontier: Vec<u32>,
    /// First scalar and number of each edit that inserts, in order.
    authors: Vec<(u32, u32)>,
    /// The first edit from which on the merged text is not the text that an author saw who had seen
    /// every edit.
    first_uneven: Option<u32>,
    /// How many edits are hidden.
    hidden: u32,
}

impl Graph {
    pub fn len(&self) -> u32 {
        number(self.nodes.len())
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn node(&self, edit: u32) -> &Node {
        &self.nodes[edit as usize]
    }

    /// Notes what became of an edit, and how long the text is after it.
    pub fn settle(&mut self, edit: u32, verdict: Verdict, length_after: u32) {
        let node = &mut self.nodes[edit as usize];
        node.verdict = verdict;
        node.length_after = length_after;
        if let Verdict::Valid { first_unit } = verdict
            && node.edit.inserted() > 0
        {
            self.authors.push((first_unit, edit));
        }
    }

    /// Which edit inserted a scalar.
    pub fn author(&self, unit: u32) -> Option<u32> {
        let index = self.authors.partition_point(|(first, _)| *first <= unit).checked_sub(1)?;
        self.authors.get(index).map(|(_, edit)| *edit)
    }

    /// The name of an edit.
    pub fn id(&self, edit: u32) -> EditId {
        self.node(edit).id
    }

    /// The edits that no other one has seen, by number.
    pub fn frontier(&self) -> &[u32] {
        &self.frontier
    }

    /// Appends an edit with its parents, sorted. Parents that are ancestors of others are no parents:
    /// they say what its author did not see.
    pub fn push(&mut self, id: EditId, parents: Vec<u32>, edit: Arc<TextEdit>, hidden: bool) {
        let Version { newest: parents, markers, unseen } = self.version(parents);
        let new = self.len();
        self.hidden += u32::from(hidden);
        if (hidden || !unseen.is_empty()) && self.first_uneven.is_none() {
            self.first_uneven = Some(new);
        }
        for parent in &parents {
            // Sorted: what is appended has the largest number.
            if let Ok(place) = self.frontier.binary_search(parent) {
                self.frontier.remove(place);
            }
        }
        self.frontier.push(new);
        let seals = self.frontier.len() == 1;
        let left_out = (!markers.is_empty()).then(|| Box::new(LeftOut { unseen, markers }));
        let verdict = Verdict::Open;
        let node = Node { id, edit, verdict, length_after: 0, seals, hidden, left_out };
        self.nodes.push(node);
        let goes_on = matches!(parents.as_slice(), [one] if one + 1 == new);
        if !goes_on {
            self.run_starts.push(new);
            self.run_parents.push(parents);
        }
    }

    /// The run of an edit: its index.
    fn run_of(&self, edit: u32) -> usize {
        self.run_starts.partition_point(|start| *start <= edit).saturating_sub(1)
    }

    /// The newest edits that an edit had seen.
    pub fn parents(&self, edit: u32) -> Parents<'_> {
        let run = self.run_of(edit);
        if self.run_starts[run] == edit {
            Parents { one: [0], many: Some(&self.run_parents[run]) }
        } else {
            Parents { one: [edit - 1], many: None }
        }
    }

    /// How far back an edit looks: one more than the lowest number among its parents, 0 if it has
    /// none; and not beyond what its author did not see.
    pub fn lowest_parent(&self, edit: u32) -> u32 {
        let lowest = self.parents(edit).as_slice().first().map_or(0, |lowest| lowest + 1);
        self.node(edit).unseen().first().map_or(lowest, |unseen| lowest.min(*unseen))
    }

    /// Whether the merged text after an edit is what its author saw and wrote.
    pub fn is_critical(&self, edit: u32) -> bool {
        self.node(edit).seals && self.first_uneven.is_none_or(|uneven| edit < uneven)
    }

    /// Lets no version of this graph, which has no edit yet, be critical.
    pub const fn replay_whole(&mut self) {
        self.first_uneven = Some(0);
    }

    /// Whether any edit is hidden, or was written without the effects of one of its ancestors.
    pub const fn is_uneven(&self) -> bool {
        self.first_uneven.is_some()
    }

    /// Those of some edits, sorted, that are no ancestors of others of them.
    pub fn newest(&self, edits: Vec<u32>) -> Vec<u32> {
        let [rest @ .., last] = edits.as_slice() else { return edits };
        if rest.is_empty() {
            return edits;
        }
        let mut out = vec![*last];
        for edit in rest.iter().rev() {
            if !self.has_seen(&out, *edit) {
                out.push(*edit);
            }
        }
        out.sort_unstable();
        out
    }

    /// Whether an edit is one of a version's, which its newest edits name.
    pub fn has_seen(&self, version: &[u32], edit: u32) -> bool {
        self.difference(&[edit], version).only_left.is_empty()
    }

    /// For every edit whether it belongs to a version.
    pub fn ancestors(&self, version: &[u32]) -> Vec<bool> {
        let mut within = vec![false; self.nodes.len()];
        for edit in version {
            within[*edit as usize] = true;
        }
        for edit in (0..self.len()).rev().filter(|_| !version.is_empty()) {
            if within[edit as usize] {
                for parent in self.parents(edit).as_slice() {
                    within[*parent as usize] = true;
                }
            }
        }
        within
    }

    /// For every edit whether it has seen this one.
    pub fn descendants(&self, edit: u32) -> Vec<bool> {
        let mut after = vec![false; self.nodes.len()];
        after[edit as usize] = true;
        for later in edit + 1..self.len() {
            after[later as usize] =
                self.parents(later).as_slice().iter().any(|parent| after[*parent as usize]);
        }
        after
    }

    /// For every edit from one on, the lowest of the parents of all later ones, as
    /// [`Graph::lowest_parent`] counts.
    pub fn lowest_later(&self, from: u32) -> Vec<u32> {
        let mut lowest = u32::MAX;
        let mut out: Vec<u32> = (from..self.len())
            .rev()
            .map(|edit| {
                let later = lowest;
                lowest = lowest.min(self.lowest_parent(edit));
                later
            })
            .collect();
        out.reverse();
        out
    }

    /// The last critical version before an edit: an edit that has seen all before it and that all
    /// after it have seen. `None` stands for the empty text at the beginning.
    pub fn last_critical(&self, before: u32, lowest: u32) -> Option<u32> {
        let mut lowest = lowest;
        for edit in (0..before).rev() {
            if lowest > edit && self.is_critical(edit) {
                return Some(edit);
            }
            lowest = lowest.min(self.lowest_parent(edit));
            if lowest == 0 {
                return None;
            }
        }
        None
    }
}

/// The parents of an edit, sorted.
pub(crate) struct Parents<'a> {
    one: [u32; 1],
    many: Option<&'a [u32]>,
}

impl Parents<'_> {
    pub fn as_slice(&self) -> &[u32] {
        self.many.unwrap_or(&self.one)
    }
}

/// Documents hold far fewer edits than a number counts.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
