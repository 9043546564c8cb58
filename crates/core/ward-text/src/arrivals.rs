//! Edits as they arrive: which are known, which wait for whom, and in which order they are applied.
//!
//! Every entry that came or that is named as a parent gets a small number of its own, so that its
//! long name is looked up once.
#![expect(clippy::indexing_slicing, reason = "the numbers of slots, edges and edits are made here")]

use crate::document::NewEdit;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ward_id::EntryId;

const NONE: u32 = u32::MAX;

/// What is known of an entry.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// Its number in the graph.
    applied: u32,
    /// Where it is held, while it waits.
    held: u32,
    /// The first edge to an edit that waits for it.
    first_edge: u32,
}

/// An edit that is not in the graph yet.
#[derive(Debug, Clone)]
struct Held {
    slot: u32,
    edit: NewEdit,
    parents: Vec<u32>,
    missing: u32,
}

/// An edit that waits, and the next one that waits for the same.
#[derive(Debug, Clone, Copy)]
struct Edge {
    held: u32,
    next: u32,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals {
    slots: Vec<Slot>,
    by_name: BTreeMap<EntryId, u32>,
    held: Vec<Option<Held>>,
    held_count: usize,
    edges: Vec<Edge>,
    /// Edits whose parents are all applied; the next one is the last.
    ready: Vec<u32>,
}

impl Arrivals {
    /// The number of an entry in the graph.
    pub fn applied(&self, entry: &EntryId) -> Option<u32> {
        let slot = self.slots.get(*self.by_name.get(entry)? as usize)?;
        (slot.applied != NONE).then_some(slot.applied)
    }

    /// Whether an edit came.
    pub fn holds(&self, entry: &EntryId) -> bool {
        self.by_name.get(entry).is_some_and(|slot| self.came(*slot))
    }

    pub fn held_count(&self) -> usize {
        self.held_count
    }

    /// Edits that wait, in no order.
    pub fn waiting(&self) -> impl Iterator<Item = &NewEdit> {
        self.held.iter().flatten().map(|held| &held.edit)
    }

    fn came(&self, slot: u32) -> bool {
        let slot = &self.slots[slot as usize];
        slot.applied != NONE || slot.held != NONE
    }

    fn slot(&mut self, entry: EntryId) -> u32 {
        let next = number(self.slots.len());
        let slot = *self.by_name.entry(entry).or_insert(next);
        if slot == next {
            self.slots.push(Slot { applied: NONE, held: NONE, first_edge: NONE });
        }
        slot
    }

    /// Takes an edit in; a known one changes nothing.
    pub fn add(&mut self, edit: NewEdit) {
        let slot = self.slot(edit.id.entry);
        if self.came(slot) {
            return;
        }
        let mut parents: Vec<u32> = edit.parents.iter().map(|parent| self.slot(*parent)).collect();
        parents.sort_unstable();
        parents.dedup();
        let held = number(self.held.len());
        let mut missing = 0;
        for parent in &parents {
            let parent = &mut self.slots[*parent as usize];
            if parent.applied == NONE {
                self.edges.push(Edge { held, next: parent.first_edge });
                parent.first_edge = number(self.edges.len() - 1);
                missing += 1;
            }
        }
        if missing == 0 {
            self.ready.push(held);
        }
        self.slots[slot as usize].held = held;
        self.held.push(Some(Held { slot, edit, parents, missing }));
        self.held_count += 1;
    }

    /// All edits of a batch are here: the first that came is the first to be applied.
    pub fn begin(&mut self) {
        self.ready.reverse();
    }

    /// The next edit to apply, with the numbers of its parents in the graph. A branch is followed to
    /// its end before the next one: going back and forth between branches is what costs time.
    pub fn next(&mut self, number_in_graph: u32) -> Option<(NewEdit, Vec<u32>)> {
        let Some(Held { slot, edit, mut parents, .. }) =
            self.ready.pop().and_then(|held| self.held[held as usize].take())
        else {
            self.tidy();
            return None;
        };
        self.held_count -= 1;
        for parent in &mut parents {
            *parent = self.slots[*parent as usize].applied;
        }
        parents.sort_unstable();
        let slot = &mut self.slots[slot as usize];
        slot.applied = number_in_graph;
        slot.held = NONE;
        let mut edge = core::mem::replace(&mut slot.first_edge, NONE);
        while let Some(Edge { held, next }) = self.edges.get(edge as usize).copied() {
            if let Some(child) = &mut self.held[held as usize] {
                child.missing -= 1;
                if child.missing == 0 {
                    self.ready.push(held);
                }
            }
            edge = next;
        }
        Some((edit, parents))
    }

    fn tidy(&mut self) {
        if self.held_count == 0 {
            self.held.clear();
            self.edges.clear();
        }
    }
}

/// Documents hold far fewer edits than a number counts.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}
