//! The tracker: what every scalar since the last critical version is in the version that one edit
//! was written for, and what it is after everything that was applied.
//!
//! It stands at one version at a time. To apply an edit it goes back over what the edit had not
//! seen and forth over what it had, so that the edit's positions mean what they meant to its
//! author; where they are in the merged text is read off the other measure.

mod integrate;
mod span;

use crate::edit::TextEdit;
use crate::edit_id::EditId;
use crate::graph::Graph;
use crate::run_tree::{Cursor, Places, RunTree};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;
use span::{CURRENT, MERGED, NEVER, SPACE, STANDS, Span, WITHDRAWN};

/// Names of scalars that were there at the critical version: their positions then, above the
/// numbers of all scalars that edits insert.
const BASE: u32 = 1 << 31;
/// In place of a scalar: the beginning or the end of the text.
const EDGE: u32 = u32::MAX;

/// A change of the merged text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Scalars with consecutive numbers go in front of a position; `behind` is how many scalars of
    /// any fate the tracker has in front of them.
    Insert { at: u32, unit: u32, scalars: u32, behind: u32 },
    /// Scalars are taken away.
    Delete { at: u32, scalars: u32 },
    /// Scalars that are gone already are taken away by one more edit: they stood in front of a position,
    /// with so many of any fate in front of them.
    DeleteAgain { at: u32, scalars: u32, behind: u32 },
}

/// What an edit touched, to go back and forth over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Inserted { unit: u32, scalars: u32 },
    Deleted { unit: u32, scalars: u32 },
}

/// In which leaf the span that begins with a scalar stands.
#[derive(Debug, Default)]
struct Leaves(BTreeMap<u32, u32>);

impl Places<Span> for Leaves {
    fn put(&mut self, span: &Span, leaf: u32) {
        self.0.insert(span.unit, leaf);
    }

    fn forget(&mut self, span: &Span) {
        self.0.remove(&span.unit);
    }
}

#[derive(Debug)]
pub(crate) struct Tracker {
    spans: RunTree<Span, 4>,
    leaves: Leaves,
    /// The first scalar of every insert by its left and right neighbour and its edit. Of those that share
    /// both neighbours it is the order in which they stand.
    between: BTreeMap<(u32, u32, EditId), u32>,
    /// The number of the first edit behind the critical version.
    first: u32,
    effects: Vec<Effect>,
    /// Up to where in `effects` each edit reaches.
    reaches: Vec<usize>,
    version: Vec<u32>,
    /// Edits of the version whose effects are left out now.
    withdrawn: Vec<u32>,
    /// Spans gone over to find the places of inserts.
    #[cfg(test)]
    gone_over: core::cell::Cell<usize>,
}

impl Tracker {
    /// Stands at a critical version at which the text had `scalars`.
    pub fn new(critical: Option<u32>, scalars: u32) -> Self {
        let mut new = Self {
            spans: RunTree::new(),
            leaves: Leaves::default(),
            between: BTreeMap::new(),
            first: critical.map_or(0, |edit| edit + 1),
            effects: Vec::new(),
            reaches: Vec::new(),
            version: critical.into_iter().collect(),
            withdrawn: Vec::new(),
            #[cfg(test)]
            gone_over: core::cell::Cell::new(0),
        };
        if scalars > 0 {
            let base = Span { unit: BASE, len: scalars, left: EDGE, right: EDGE, state: STANDS, gone: false };
            new.spans.insert(new.spans.start(), base, &mut new.leaves);
        }
        new
    }

    /// Goes to the version that an edit was written for.
    pub fn go_to_parents_of(&mut self, edit: u32, graph: &Graph) {
        for unseen in core::mem::take(&mut self.withdrawn).into_iter().rev() {
            self.bring_back(unseen);
        }
        let parents = graph.parents(edit);
        let way = graph.difference(&self.version, parents.as_slice());
        for range in way.only_left {
            self.retreat(range);
        }
        for range in way.only_right.into_iter().rev() {
            self.advance(range);
        }
        self.version.clear();
        self.version.extend_from_slice(parents.as_slice());
        self.withdrawn.extend_from_slice(graph.node(edit).unseen());
        for unseen in self.withdrawn.clone() {
            self.withdraw(unseen);
        }
    }

    /// How long the text is at the version.
    pub fn scalars(&self) -> u32 {
        self.spans.total(CURRENT)
    }

    /// Applies the next edit, which fits the version. `changed` hears what it does to the merged
    /// text.
    pub fn apply(&mut self, edit: u32, graph: &Graph, first_unit: u32, mut changed: impl FnMut(Change)) {
        let node = graph.node(edit);
        let content: &TextEdit = &node.edit;
        let mut unit = first_unit;
        for (inserts, at, scalars) in content.steps() {
            if inserts {
                if let Some((place, behind)) = self.insert(edit, at, unit, scalars, graph) {
                    changed(Change::Insert { at: place, unit, scalars, behind });
                    if node.hidden {
                        changed(Change::Delete { at: place, scalars });
                    }
                }
                unit += scalars;
            } else {
                self.delete(at, scalars, node.hidden, &mut changed);
            }
        }
        self.done(edit);
    }

    /// Notes that an edit has no effect.
    pub fn skip(&mut self, edit: u32) {
        self.done(edit);
    }

    fn done(&mut self, edit: u32) {
        self.reaches.push(self.effects.len());
        self.version.clear();
        self.version.push(edit);
    }

    fn delete(&mut self, at: u32, scalars: u32, hidden: bool, changed: &mut impl FnMut(Change)) {
        let mut rest = scalars;
        while let Some(cursor) = self.spans.find(CURRENT, at).filter(|_| rest > 0) {
            let Some(span) = self.spans.run(cursor) else { return };
            let taken = rest.min(span.len - cursor.offset);
            let unit = span.unit + cursor.offset;
            if !hidden {
                let (at, scalars) = (self.spans.before(cursor, MERGED), taken);
                let behind = self.spans.before(cursor, SPACE);
                changed(if span.gone {
                    Change::DeleteAgain { at, scalars, behind }
                } else {
                    Change::Delete { at, scalars }
                });
            }
            self.effects.push(Effect::Deleted { unit, scalars: taken });
            let delete = |span: &mut Span| {
                span.state += 1;
                span.gone |= !hidden;
            };
            self.spans.change(cursor, taken, delete, &mut self.leaves);
            rest -= taken;
        }
    }

    fn effects_of(&self, edits: Range<u32>) -> Range<usize> {
        let reach = |edit: u32| {
            let index = edit.checked_sub(self.first).and_then(|index| index.checked_sub(1));
            index.and_then(|index| self.reaches.get(index as usize)).copied().unwrap_or(0)
        };
        reach(edits.start)..reach(edits.end)
    }

    fn retreat(&mut self, edits: Range<u32>) {
        for index in self.effects_of(edits).rev() {
            match self.effects.get(index).copied() {
                Some(Effect::Inserted { unit, scalars }) => self.set(unit, scalars, |_| NEVER),
                Some(Effect::Deleted { unit, scalars }) => self.set(unit, scalars, |state| state - 1),
                None => {}
            }
        }
    }

    fn advance(&mut self, edits: Range<u32>) {
        for index in self.effects_of(edits) {
            match self.effects.get(index).copied() {
                Some(Effect::Inserted { unit, scalars }) => self.set(unit, scalars, |_| STANDS),
                Some(Effect::Deleted { unit, scalars }) => self.set(unit, scalars, |state| state + 1),
                None => {}
            }
        }
    }

    /// Leaves the effects of an edit out, though later ones of the version stay.
    fn withdraw(&mut self, edit: u32) {
        for index in self.effects_of(edit..edit + 1) {
            match self.effects.get(index).copied() {
                Some(Effect::Inserted { unit, scalars }) => {
                    self.set(unit, scalars, |state| state | WITHDRAWN)
                }
                Some(Effect::Deleted { unit, scalars }) => self.set(unit, scalars, |state| state - 1),
                None => {}
            }
        }
    }

    fn bring_back(&mut self, edit: u32) {
        for index in self.effects_of(edit..edit + 1).rev() {
            match self.effects.get(index).copied() {
                Some(Effect::Inserted { unit, scalars }) => {
                    self.set(unit, scalars, |state| state & !WITHDRAWN)
                }
                Some(Effect::Deleted { unit, scalars }) => self.set(unit, scalars, |state| state + 1),
                None => {}
            }
        }
    }

    fn set(&mut self, unit: u32, scalars: u32, new: impl Fn(u32) -> u32) {
        let (mut unit, mut rest) = (unit, scalars);
        while let Some(cursor) = self.locate(unit).filter(|_| rest > 0) {
            let Some(span) = self.spans.run(cursor) else { return };
            let taken = rest.min(span.len - cursor.offset);
            self.spans.change(cursor, taken, |span| span.state = new(span.state), &mut self.leaves);
            unit += taken;
            rest -= taken;
        }
    }

    /// Where a scalar stands.
    fn locate(&self, unit: u32) -> Option<Cursor> {
        let (_, leaf) = self.leaves.0.range(..=unit).next_back()?;
        let holds = |span: &Span| unit >= span.unit && unit - span.unit < span.len;
        let cursor = self.spans.find_run(*leaf, holds)?;
        let offset = unit - self.spans.run(cursor)?.unit;
        Some(Cursor { offset, ..cursor })
    }

    /// How many scalars, of any state, stand in front of one.
    fn rank(&self, unit: u32) -> Option<u32> {
        Some(self.spans.before(self.locate(unit)?, SPACE))
    }
}
