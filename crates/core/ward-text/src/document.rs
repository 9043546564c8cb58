//! A document: the edits of one text, and the text they give.

use crate::edit::TextEdit;
use crate::edit_id::EditId;
use crate::graph::{Verdict, Version};
use crate::limits::{DOCUMENT_MAX_EDITS, DOCUMENT_MAX_INSERTED, PARENTS_MAX};
use crate::pieces::Pieces;
use crate::replay::{Replay, Sink};
use crate::trail::Trail;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use ward_id::EntryId;

/// An edit that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The document is full. The person must begin another: no text has that many edits.
    #[error("a document holds {DOCUMENT_MAX_EDITS} edits that insert {DOCUMENT_MAX_INSERTED} characters")]
    Full,
    /// It names more parents than an edit may have. The app that made it is at fault.
    #[error("an edit names at most {PARENTS_MAX} parents")]
    TooManyParents,
}

/// What putting an edit into a document came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It took effect.
    Applied,
    /// It waits for a parent.
    Parked,
    /// It does not fit the text that its author named, and has no effect.
    Invalid,
    /// It was there already.
    Known,
}

/// An edit with its name and the versions it was written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEdit {
    /// Its name.
    pub id: EditId,
    /// The version that its author saw: its newest edits, none for an empty text. One that is an
    /// ancestor of another says that from it on its device's edits were left out of what they saw,
    /// up to the next such one of that device.
    pub parents: Vec<EntryId>,
    /// What it does.
    pub edit: Arc<TextEdit>,
    /// Whether it keeps its place only: its words do not show, what it deleted does, and everything
    /// that was built on it stands where it was written.
    pub hidden: bool,
}

/// A part of the text that one edit inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authored {
    /// Where it begins, in Unicode scalars.
    pub start: u32,
    /// How long it is.
    pub scalars: u32,
    /// Which edit inserted it.
    pub edit: EditId,
}

/// The edits of one text. Edits may come in any order and more than once; the same edits give the
/// same text.
#[derive(Debug, Clone)]
pub struct Document {
    replay: Replay<Pieces>,
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl Document {
    /// A document without edits.
    pub fn new() -> Self {
        Self { replay: Replay::new(Pieces::new()) }
    }

    /// Puts one edit in. An entry's name must always come with the same edit.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn insert(
        &mut self,
        id: EditId,
        parents: &[EntryId],
        edit: TextEdit,
    ) -> Result<Inserted, DocumentError> {
        if self.replay.arrivals.holds(&id.entry) {
            return Ok(Inserted::Known);
        }
        self.insert_all([NewEdit { id, parents: parents.to_vec(), edit: Arc::new(edit), hidden: false }])?;
        let number = self.replay.arrivals.applied(&id.entry);
        Ok(number.map_or(Inserted::Parked, |number| match self.replay.graph.node(number).verdict {
            Verdict::Valid { .. } => Inserted::Applied,
            Verdict::Open | Verdict::Invalid => Inserted::Invalid,
        }))
    }

    /// Puts many edits in at once: much faster than one by one where people wrote apart.
    ///
    /// # Errors
    /// [`DocumentError`] of the first edit that is refused; those before it are in.
    pub fn insert_all(&mut self, edits: impl IntoIterator<Item = NewEdit>) -> Result<(), DocumentError> {
        self.replay.add(edits)
    }

    /// The text.
    pub fn text(&self) -> String {
        self.replay.sink.text()
    }

    /// How long the text is, in Unicode scalars.
    pub fn scalars(&self) -> u32 {
        self.replay.sink.scalars()
    }

    /// How many edits are in the graph.
    pub fn edit_count(&self) -> usize {
        self.replay.graph.nodes().len()
    }

    /// Whether an edit is here, be it parked.
    pub fn holds(&self, entry: &EntryId) -> bool {
        self.replay.arrivals.holds(entry)
    }

    /// The version: the edits that no other one has seen, and what leaves hidden ones out, sorted.
    /// They are the parents of an edit that is written now.
    pub fn frontier(&self) -> Vec<EntryId> {
        let shown = self.replay.graph.shown_version();
        // Where more was hidden than an edit can name, its author sees the rest.
        let room = PARENTS_MAX.saturating_sub(shown.newest.len());
        self.names(shown.newest.iter().chain(shown.markers.iter().take(room)))
    }

    /// Those of a version's names that leave edits out; none if an edit of it is not here.
    pub fn left_out_by(&self, version: &[EntryId]) -> Vec<EntryId> {
        let read = self.version(version);
        read.map_or_else(Vec::new, |read| self.names(&read.markers))
    }

    /// How many edits wait for a parent.
    pub fn parked_count(&self) -> usize {
        self.replay.arrivals.held_count()
    }

    /// Edits that wait for a parent, sorted.
    pub fn parked(&self) -> Vec<EditId> {
        let mut parked: Vec<EditId> = self.replay.arrivals.waiting().map(|edit| edit.id).collect();
        parked.sort_unstable();
        parked
    }

    /// Edits that do not fit the text for which they were written, sorted. They have no effect.
    pub fn invalid(&self) -> Vec<EditId> {
        let invalid = self.replay.graph.nodes().iter().filter(|node| node.verdict == Verdict::Invalid);
        let mut invalid: Vec<EditId> = invalid.map(|node| node.id).collect();
        invalid.sort_unstable();
        invalid
    }

    /// All edits that took effect or are invalid, sorted.
    pub fn edits(&self) -> Vec<EditId> {
        let mut edits: Vec<EditId> = self.replay.graph.nodes().iter().map(|node| node.id).collect();
        edits.sort_unstable();
        edits
    }

    /// The document as its author saw it at a version; `None` if an edit of it is not here.
    pub fn at(&self, version: &[EntryId]) -> Option<Self> {
        let read = self.version(version)?;
        let (mut within, _) = self.divide(&read);
        for edit in &mut within {
            edit.hidden =
                self.replay.arrivals.applied(&edit.id.entry).is_some_and(|it| read.unseen.contains(&it));
        }
        let mut then = Self::new();
        // What a part of the edits holds fits where all of them fit.
        then.insert_all(within).ok()?;
        Some(then)
    }

    /// The text as it was at a version; `None` if an edit of it is not here.
    pub fn text_at(&self, version: &[EntryId]) -> Option<String> {
        if self.is_frontier(version) {
            return Some(self.text());
        }
        self.at(version).map(|then| then.text())
    }

    /// How many edits a version has; `None` if one that it names is not here.
    pub fn version_size(&self, version: &[EntryId]) -> Option<usize> {
        let read = self.version(version)?;
        let within = self.replay.graph.ancestors(&read.newest);
        Some(within.into_iter().filter(|within| *within).count().saturating_sub(read.unseen.len()))
    }

    /// Whether a version is the newest one.
    pub fn is_frontier(&self, version: &[EntryId]) -> bool {
        self.version(version).is_some_and(|read| {
            let shown = self.replay.graph.shown_version();
            (read.newest, read.unseen) == (shown.newest, shown.unseen)
        })
    }

    fn version(&self, named: &[EntryId]) -> Option<Version> {
        Some(self.replay.graph.version(self.replay.numbers(named)?))
    }

    /// Which edit inserted what, from the beginning of the text to its end.
    pub fn authorship(&self) -> Vec<Authored> {
        let graph = &self.replay.graph;
        let mut out: Vec<Authored> = Vec::new();
        let mut start = 0;
        for piece in self.replay.sink.pieces() {
            let (mut unit, end) = (piece.unit, piece.unit + piece.len);
            while unit < end {
                let Some(author) = graph.author(unit) else { break };
                let Verdict::Valid { first_unit } = graph.node(author).verdict else { break };
                let to = end.min(first_unit.saturating_add(graph.node(author).edit.inserted())).max(unit + 1);
                let (edit, scalars) = (graph.id(author), to - unit);
                match out.last_mut().filter(|last| last.edit == edit) {
                    Some(last) => last.scalars += scalars,
                    None => out.push(Authored { start, scalars, edit }),
                }
                start += scalars;
                unit = to;
            }
        }
        out
    }

    /// Whether neither of two edits had seen the other; `None` if one is not here.
    pub fn are_concurrent(&self, one: &EntryId, other: &EntryId) -> Option<bool> {
        let graph = &self.replay.graph;
        let (one, other) = (self.replay.arrivals.applied(one)?, self.replay.arrivals.applied(other)?);
        let way = graph.difference(&[one], &[other]);
        Some(!way.only_left.is_empty() && !way.only_right.is_empty())
    }

    /// The edits that were written apart from one, sorted; `None` if it is not here.
    pub fn concurrent_with(&self, entry: &EntryId) -> Option<Vec<EditId>> {
        let graph = &self.replay.graph;
        let edit = self.replay.arrivals.applied(entry)?;
        let related = graph.ancestors(&[edit]).into_iter().zip(graph.descendants(edit));
        let apart = graph.nodes().iter().zip(related).filter(|(_, (before, after))| !before && !after);
        let mut apart: Vec<EditId> = apart.map(|(node, _)| node.id).collect();
        apart.sort_unstable();
        Some(apart)
    }

    fn names<'n>(&self, numbers: impl IntoIterator<Item = &'n u32>) -> Vec<EntryId> {
        let mut names: Vec<EntryId> =
            numbers.into_iter().map(|edit| self.replay.graph.id(*edit).entry).collect();
        names.sort_unstable();
        names
    }

    /// The edits of a version, those that it leaves out among them, and all others, each sorted.
    fn divide(&self, version: &Version) -> (Vec<NewEdit>, Vec<NewEdit>) {
        let graph = &self.replay.graph;
        let within = graph.ancestors(&version.newest);
        let mut parts = (Vec::new(), Vec::new());
        for (number, (node, within)) in (0..).zip(graph.nodes().iter().zip(within)) {
            let parents = self.names(graph.parents(number).as_slice().iter().chain(node.markers()));
            let edit = NewEdit { id: node.id, parents, edit: Arc::clone(&node.edit), hidden: node.hidden };
            if within { parts.0.push(edit) } else { parts.1.push(edit) }
        }
        parts.0.sort_unstable_by_key(|edit| edit.id);
        parts.1.sort_unstable_by_key(|edit| edit.id);
        parts
    }

    /// Everything replayed with what was deleted, a version first: in an order that is the same on
    /// every replica. Also tells of each edit whether whoever saw the version saw it.
    pub(crate) fn trail(&self, version: &[EntryId]) -> Option<(Replay<Trail>, Vec<bool>)> {
        let read = self.version(version)?;
        let (within, since) = self.divide(&read);
        let exact = self.is_uneven() || !read.unseen.is_empty();
        let mut trail = Replay::new(Trail::new(exact));
        if exact {
            trail.graph.replay_whole();
        }
        trail.add(within).ok()?;
        let mut known: Vec<bool> = (0..trail.graph.len()).map(|_| true).collect();
        trail.add(since).ok()?;
        known.resize(trail.graph.len() as usize, false);
        for unseen in read.unseen {
            let number = trail.arrivals.applied(&self.replay.graph.id(unseen).entry);
            if let Some(seen) = number.and_then(|number| known.get_mut(number as usize)) {
                *seen = false;
            }
        }
        Some((trail, known))
    }

    /// What stands of each edit: where in what it inserted, from and to.
    pub(crate) fn standing(&self) -> BTreeMap<EditId, Vec<Range<u32>>> {
        let graph = &self.replay.graph;
        let mut out: BTreeMap<EditId, Vec<Range<u32>>> = BTreeMap::new();
        for piece in self.replay.sink.pieces() {
            let (mut unit, end) = (piece.unit, piece.unit + piece.len);
            while unit < end {
                let Some(author) = graph.author(unit) else { break };
                let Verdict::Valid { first_unit } = graph.node(author).verdict else { break };
                let to = end.min(first_unit.saturating_add(graph.node(author).edit.inserted())).max(unit + 1);
                out.entry(graph.id(author)).or_default().push(unit - first_unit..to - first_unit);
                unit = to;
            }
        }
        out
    }

    /// Whether any edit is hidden, or was written without the effects of one of its ancestors.
    pub(crate) const fn is_uneven(&self) -> bool {
        self.replay.graph.is_uneven()
    }

    /// Whether all edits of a version are here.
    pub(crate) fn has_version(&self, version: &[EntryId]) -> bool {
        self.replay.numbers(version).is_some()
    }

    pub(crate) fn has_concurrent_edits(&self) -> bool {
        self.replay.graph.nodes().iter().any(|node| !node.seals)
    }
}
