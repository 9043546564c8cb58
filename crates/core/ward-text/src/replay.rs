//! Replay: edits in, in any order; changes of the merged text out.
//!
//! An edit waits until its parents are here. Where history is a line, edits apply as they are. From
//! the last critical version on, an edit that has seen all before it and that all after it have
//! seen, concurrent edits go through a [`Tracker`].

use crate::arrivals::Arrivals;
use crate::document::{DocumentError, NewEdit};
use crate::edit::TextEdit;
use crate::graph::{Graph, Verdict};
use crate::limits::{DOCUMENT_MAX_EDITS, DOCUMENT_MAX_INSERTED, DOCUMENT_MAX_SCALARS, PARENTS_MAX};
use crate::tracker::{Change, Tracker};
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_id::EntryId;

/// Takes the changes of the merged text.
pub(crate) trait Sink {
    /// How long the merged text is.
    fn scalars(&self) -> u32;
    /// The scalars that the next edit inserts, in order.
    fn store(&mut self, text: &str);
    /// A change that an edit makes.
    fn change(&mut self, change: Change, edit: u32);
}

#[derive(Debug, Clone)]
pub(crate) struct Replay<S> {
    pub graph: Graph,
    pub sink: S,
    pub arrivals: Arrivals,
    next_unit: u32,
    /// Scalars that all edits insert, those that wait among them.
    inserted: u32,
}

impl<S: Sink> Replay<S> {
    pub fn new(sink: S) -> Self {
        Self { graph: Graph::default(), sink, arrivals: Arrivals::default(), next_unit: 0, inserted: 0 }
    }

    /// The numbers of some edits, sorted; `None` if one is not applied.
    pub fn numbers(&self, entries: &[EntryId]) -> Option<Vec<u32>> {
        let mut numbers: Vec<u32> =
            entries.iter().map(|entry| self.arrivals.applied(entry)).collect::<Option<_>>()?;
        numbers.sort_unstable();
        numbers.dedup();
        Some(numbers)
    }

    /// Takes edits in, in any order; known ones change nothing. Those before one that is refused
    /// are taken in.
    pub fn add(&mut self, edits: impl IntoIterator<Item = NewEdit>) -> Result<(), DocumentError> {
        let mut refused = Ok(());
        for edit in edits {
            if self.arrivals.holds(&edit.id.entry) {
                continue;
            }
            if let Err(error) = self.admit(&edit) {
                refused = Err(error);
                break;
            }
            self.arrivals.add(edit);
        }
        self.arrivals.begin();
        let from = self.graph.len();
        while let Some((edit, parents)) = self.arrivals.next(self.graph.len()) {
            self.graph.push(edit.id, parents, edit.edit, edit.hidden);
        }
        self.settle(from);
        refused
    }

    fn admit(&mut self, edit: &NewEdit) -> Result<(), DocumentError> {
        let held = self.arrivals.held_count().saturating_add(self.graph.len() as usize);
        let inserted = self.inserted.saturating_add(edit.edit.inserted());
        if edit.parents.len() > PARENTS_MAX {
            return Err(DocumentError::TooManyParents);
        }
        if held >= DOCUMENT_MAX_EDITS || inserted > DOCUMENT_MAX_INSERTED {
            return Err(DocumentError::Full);
        }
        self.inserted = inserted;
        Ok(())
    }

    /// Applies the edits from a number on.
    fn settle(&mut self, from: u32) {
        if from == self.graph.len() {
            return;
        }
        let lowest_later = self.graph.lowest_later(from);
        let mut tracker = self.tracker_before(from, &lowest_later);
        for (edit, lowest) in (from..).zip(lowest_later) {
            let verdict = if self.graph.is_critical(edit) && lowest > edit {
                // A critical version: nothing that comes looks behind it.
                tracker = None;
                self.apply_as_it_is(edit)
            } else {
                let critical = edit.checked_sub(1);
                let scalars = self.sink.scalars();
                let tracker = tracker.get_or_insert_with(|| Tracker::new(critical, scalars));
                self.apply_tracked(edit, tracker)
            };
            self.graph.settle(edit, verdict, self.sink.scalars());
        }
    }

    /// A tracker that has replayed what is concurrent to edits from a number on; `None` if the
    /// version before is critical.
    fn tracker_before(&self, from: u32, lowest_later: &[u32]) -> Option<Tracker> {
        let lowest = lowest_later.first().copied().unwrap_or(u32::MAX).min(self.graph.lowest_parent(from));
        let before = from.checked_sub(1)?;
        if lowest >= from && self.graph.is_critical(before) {
            return None;
        }
        let critical = self.graph.last_critical(from, lowest);
        let scalars = critical.map_or(0, |edit| self.graph.node(edit).length_after);
        let mut tracker = Tracker::new(critical, scalars);
        for edit in critical.map_or(0, |edit| edit + 1)..from {
            tracker.go_to_parents_of(edit, &self.graph);
            match self.graph.node(edit).verdict {
                Verdict::Valid { first_unit } => tracker.apply(edit, &self.graph, first_unit, |_| ()),
                Verdict::Open | Verdict::Invalid => tracker.skip(edit),
            }
        }
        Some(tracker)
    }

    /// What an edit comes to in a text of a length.
    fn judge(&mut self, edit: &TextEdit, scalars: u32) -> Verdict {
        let fits = |after: u32| after <= DOCUMENT_MAX_SCALARS || after <= scalars;
        if !edit.length_after(scalars).is_some_and(fits) {
            return Verdict::Invalid;
        }
        let first_unit = self.next_unit;
        self.next_unit += edit.inserted();
        self.sink.store(edit.text());
        Verdict::Valid { first_unit }
    }

    /// Its author had seen everything: positions are those of the merged text.
    fn apply_as_it_is(&mut self, number: u32) -> Verdict {
        let edit = Arc::clone(&self.graph.node(number).edit);
        let verdict = self.judge(&edit, self.sink.scalars());
        if let Verdict::Valid { first_unit: mut unit } = verdict {
            for (inserts, at, scalars) in edit.steps() {
                if inserts {
                    self.sink.change(Change::Insert { at, unit, scalars, behind: at }, number);
                    unit += scalars;
                } else {
                    self.sink.change(Change::Delete { at, scalars }, number);
                }
            }
        }
        verdict
    }

    fn apply_tracked(&mut self, number: u32, tracker: &mut Tracker) -> Verdict {
        tracker.go_to_parents_of(number, &self.graph);
        let edit = Arc::clone(&self.graph.node(number).edit);
        let verdict = self.judge(&edit, tracker.scalars());
        match verdict {
            Verdict::Valid { first_unit } => {
                let sink = &mut self.sink;
                tracker.apply(number, &self.graph, first_unit, |change| sink.change(change, number));
            }
            Verdict::Open | Verdict::Invalid => tracker.skip(number),
        }
        verdict
    }
}
