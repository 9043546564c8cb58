//! The merged text together with everything that was ever taken out of it.

use crate::pieces::place_of;
use crate::replay::Sink;
use crate::run_tree::{Run, RunTree, Unnamed};
use crate::tracker::Change;
use crate::unit_text::UnitText;
use alloc::vec::Vec;

/// Scalars with consecutive numbers and one fate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace {
    pub unit: u32,
    pub len: u32,
    pub inserted_by: u32,
    /// The first edit, in the order of replay, that deleted them.
    pub deleted_by: Option<u32>,
    /// The last of those that deleted them once more, as a link of the trail.
    again: Option<u32>,
}

/// One more edit that deleted what was gone, and the link before it.
#[derive(Debug, Clone, Copy)]
struct Again {
    edit: u32,
    before: Option<u32>,
}

/// Measures: scalars that stand, and scalars of any fate.
const STANDING: usize = 0;
const ALL: usize = 1;

impl Run<2> for Trace {
    fn len(&self) -> u32 {
        self.len
    }

    fn measure(&self) -> [u32; 2] {
        [if self.deleted_by.is_none() { self.len } else { 0 }, self.len]
    }

    fn split_off(&mut self, at: u32) -> Self {
        let tail = Self { unit: self.unit + at, len: self.len - at, ..*self };
        self.len = at;
        tail
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let is_one = next.unit == self.unit + self.len
            && (next.inserted_by, next.deleted_by) == (self.inserted_by, self.deleted_by)
            && next.again == self.again;
        if is_one {
            self.len += next.len;
        }
        is_one
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Trail {
    tree: RunTree<Trace, 2>,
    store: UnitText,
    again: Vec<Again>,
    /// Whether every change comes from a tracker that began at the beginning, so that what was deleted
    /// stands exactly where it stood among what was not.
    exact: bool,
}

impl Trail {
    pub fn new(exact: bool) -> Self {
        Self { tree: RunTree::new(), store: UnitText::default(), again: Vec::new(), exact }
    }

    /// Everything, in order of the text.
    pub fn traces(&self) -> impl Iterator<Item = &Trace> {
        self.tree.runs()
    }

    /// All edits that deleted a trace.
    pub fn deleters(&self, trace: &Trace) -> impl Iterator<Item = u32> {
        let link = |link: u32| self.again.get(link as usize).copied();
        let again = core::iter::successors(trace.again.and_then(link), move |one| one.before.and_then(link));
        trace.deleted_by.into_iter().chain(again.map(|one| one.edit))
    }

    /// Notes that an edit deleted so many scalars that are gone, from a position of the whole on.
    fn note_again(&mut self, from: u32, scalars: u32, edit: u32) {
        let (mut at, mut rest) = (from, scalars);
        while let Some(cursor) = self.tree.find(ALL, at).filter(|_| rest > 0) {
            let Some(trace) = self.tree.run(cursor).copied().filter(|trace| trace.deleted_by.is_some())
            else {
                return;
            };
            let taken = rest.min(trace.len - cursor.offset);
            let Ok(link) = u32::try_from(self.again.len()) else { return };
            self.again.push(Again { edit, before: trace.again });
            self.tree.change(cursor, taken, |trace| trace.again = Some(link), &mut Unnamed);
            (at, rest) = (at + taken, rest - taken);
        }
    }

    /// Where what is gone between the standing scalars around a position begins.
    fn gone_before(&self, at: u32) -> Option<u32> {
        let first = self.tree.next_run(place_of(&self.tree, STANDING, at))?;
        Some(self.tree.before(first, ALL))
    }

    /// The scalars of a trace.
    pub fn text_of(&self, trace: &Trace) -> &str {
        self.store.slice(trace.unit, trace.len)
    }
}

impl Sink for Trail {
    fn scalars(&self) -> u32 {
        self.tree.total(STANDING)
    }

    fn store(&mut self, text: &str) {
        self.store.push(text);
    }

    fn change(&mut self, change: Change, edit: u32) {
        match change {
            Change::Insert { at, unit, scalars, behind } => {
                let place = if self.exact {
                    place_of(&self.tree, ALL, behind)
                } else {
                    place_of(&self.tree, STANDING, at)
                };
                let trace = Trace { unit, len: scalars, inserted_by: edit, deleted_by: None, again: None };
                self.tree.insert(place, trace, &mut Unnamed);
            }
            Change::Delete { at, scalars } => {
                let mut rest = scalars;
                while let Some(cursor) = self.tree.find(STANDING, at).filter(|_| rest > 0) {
                    let Some(trace) = self.tree.run(cursor) else { return };
                    let taken = rest.min(trace.len - cursor.offset);
                    let delete = |trace: &mut Trace| trace.deleted_by = Some(edit);
                    self.tree.change(cursor, taken, delete, &mut Unnamed);
                    rest -= taken;
                }
            }
            Change::DeleteAgain { at, scalars, behind } => {
                // Which of those in the gap is not always known; all of it is one place of the text.
                let from = if self.exact { Some(behind) } else { self.gone_before(at) };
                if let Some(from) = from {
                    self.note_again(from, scalars, edit);
                }
            }
        }
    }
}
