//! What changed since a version: for "changed since signature".

use crate::document::Document;
use crate::edit_id::EditId;
use crate::graph::Verdict;
use crate::replay::Replay;
use crate::trail::Trail;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;
use ward_id::EntryId;

/// What happened to a part of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It was not there.
    Inserted {
        /// How long it is now.
        scalars: u32,
    },
    /// It was there, and this is what it said.
    Deleted {
        /// What was deleted.
        text: String,
    },
}

/// A part of the text that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where it begins in the text of now, or where it would stand.
    pub start: u32,
    /// What happened.
    pub what: What,
    /// Which edit did it. Where several deleted the same, one of them.
    pub edit: EditId,
}

/// What happened since a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// All edits since, sorted: those without a lasting effect too.
    pub edits: Vec<EditId>,
    /// What differs in the text, in its order.
    pub parts: Vec<Changed>,
}

impl Changes {
    /// Whether nobody wrote since.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }
}

impl Document {
    /// What happened since a version; `None` if an edit of the version is not here.
    pub fn changed_since(&self, version: &[EntryId]) -> Option<Changes> {
        if self.is_frontier(version) {
            return Some(Changes::default());
        }
        let (trail, known) = self.trail(version)?;
        let since = |edit: u32| known.get(edit as usize).is_none_or(|known| !known);
        // Hidden, an edit that was seen is taken back, and one that was not is nothing.
        let differs = |edit: &u32| since(*edit) != trail.graph.node(*edit).hidden;
        let numbers = (0..trail.graph.len()).filter(differs);
        let mut edits: Vec<EditId> = numbers.map(|edit| trail.graph.id(edit)).collect();
        edits.sort_unstable();
        if trail.graph.is_uneven() {
            let then = self.at(version)?.standing();
            return Some(Changes { edits, parts: differing_parts(&trail, &then) });
        }
        let mut parts: Vec<Changed> = Vec::new();
        let mut start = 0;
        for trace in trail.sink.traces() {
            match trace.deleted_by {
                None => {
                    if since(trace.inserted_by) {
                        let edit = trail.graph.id(trace.inserted_by);
                        push(
                            &mut parts,
                            Changed { start, what: What::Inserted { scalars: trace.len }, edit },
                        );
                    }
                    start += trace.len;
                }
                Some(deleter) if since(deleter) && !since(trace.inserted_by) => {
                    let text = trail.sink.text_of(trace).to_string();
                    let edit = trail.graph.id(deleter);
                    push(&mut parts, Changed { start, what: What::Deleted { text }, edit });
                }
                Some(_) => {}
            }
        }
        Some(Changes { edits, parts })
    }
}

/// What stands now and did not then, and the other way round, scalar by scalar. Where edits were taken
/// back, neither follows from who wrote last.
fn differing_parts(trail: &Replay<Trail>, then: &BTreeMap<EditId, Vec<Range<u32>>>) -> Vec<Changed> {
    let mut parts: Vec<Changed> = Vec::new();
    let mut start = 0;
    for trace in trail.sink.traces() {
        let author = trail.graph.node(trace.inserted_by);
        let Verdict::Valid { first_unit } = author.verdict else { continue };
        let stood = then.get(&author.id);
        for (offset, scalar) in (trace.unit - first_unit..).zip(trail.sink.text_of(trace).chars()) {
            let stood = stood.is_some_and(|ranges| ranges.iter().any(|range| range.contains(&offset)));
            match (stood, trace.deleted_by) {
                (false, None) => {
                    let what = What::Inserted { scalars: 1 };
                    push(&mut parts, Changed { start, what, edit: author.id });
                }
                (true, Some(deleter)) => {
                    let what = What::Deleted { text: String::from(scalar) };
                    push(&mut parts, Changed { start, what, edit: trail.graph.id(deleter) });
                }
                _ => {}
            }
            start += u32::from(trace.deleted_by.is_none());
        }
    }
    parts
}

/// Appends a change, or makes the one before longer if the two are one.
fn push(parts: &mut Vec<Changed>, next: Changed) {
    if let Some(last) = parts.last_mut().filter(|last| last.edit == next.edit) {
        match (&mut last.what, &next.what) {
            (What::Inserted { scalars }, What::Inserted { scalars: more })
                if last.start + *scalars == next.start =>
            {
                *scalars += more;
                return;
            }
            (What::Deleted { text }, What::Deleted { text: more }) if last.start == next.start => {
                text.push_str(more);
                return;
            }
            _ => {}
        }
    }
    parts.push(next);
}
