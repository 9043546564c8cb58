//! Review marks: paragraphs in which people wrote close to one another without having seen it. The
//! merge is the same everywhere, but only a person can say whether it makes sense.

use crate::document::Document;
use crate::edit_id::EditId;
use crate::limits::REVIEW_DISTANCE_CHARS;
use crate::lines::{Lines, Place};
use crate::replay::Replay;
use crate::trail::Trail;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::ops::Range;
use ward_id::EntryId;

/// A paragraph to look at: "merged, please review".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewMark {
    /// Where the paragraph begins in the text, in Unicode scalars.
    pub start: u32,
    /// Where it ends: at the end of its line.
    pub end: u32,
    /// Who wrote on the left of the first such place.
    pub left: EditId,
    /// Who wrote on the right of it.
    pub right: EditId,
    /// All edits that stand close to one that was written apart, sorted.
    pub edits: Vec<EditId>,
}

impl Document {
    /// The paragraphs in which edits stand within [`REVIEW_DISTANCE_CHARS`] of one another that
    /// were written apart, unless both are among the edits of `reviewed`, a version that somebody
    /// looked at. `None` if an edit of that version is not here.
    pub fn review_marks(&self, reviewed: &[EntryId]) -> Option<Vec<ReviewMark>> {
        if !(self.has_concurrent_edits() || self.is_uneven()) || self.is_frontier(reviewed) {
            return self.has_version(reviewed).then(Vec::new);
        }
        let (trail, known) = self.trail(reviewed)?;
        let lines = Lines::of(&trail.graph);
        let left_out = left_out(&trail);
        let touches = touches(&trail, |edit| lines.is_apart(edit) || left_out.contains_key(&edit));
        let paragraphs = paragraphs(&trail);
        let mut marks = Marks { trail: &trail, paragraphs, found: BTreeMap::new() };
        let sweep = Sweep { lines: &lines, known: &known };
        sweep.run(touches.iter().copied(), |touch, close| {
            let side = Side { edit: touch.edit, at: touch.start };
            marks.add(side, close, true);
        });
        sweep.run(touches.iter().rev().map(|touch| touch.mirrored()), |touch, close| {
            let side =
                Side { edit: touch.edit, at: mirror(touch.start).saturating_sub(1).max(mirror(touch.end)) };
            marks.add(side, close, false);
        });
        let new = |one: u32, other: u32| !(sweep.is_known(one) && sweep.is_known(other));
        marks.add_left_out(&touches, &left_out, new);
        Some(marks.into_marks())
    }
}

/// Edits that show, though an edit that descends from them was written by somebody from whom they were
/// hidden: for each, those of the other side. To people they were written apart.
fn left_out(trail: &Replay<Trail>) -> BTreeMap<u32, BTreeSet<u32>> {
    let mut out: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (edit, node) in (0..).zip(trail.graph.nodes()).filter(|(_, node)| !node.hidden) {
        for unseen in node.unseen().iter().filter(|unseen| !trail.graph.node(**unseen).hidden) {
            out.entry(edit).or_default().insert(*unseen);
            out.entry(*unseen).or_default().insert(edit);
        }
    }
    out
}

/// A place in the text where an edit did something.
#[derive(Debug, Clone, Copy)]
struct Touch {
    start: u32,
    end: u32,
    edit: u32,
}

const fn mirror(position: u32) -> u32 {
    u32::MAX - position
}

impl Touch {
    /// The same, seen from the end of the text.
    const fn mirrored(self) -> Self {
        Self { start: mirror(self.end), end: mirror(self.start), edit: self.edit }
    }
}

/// What stands of edits that others wrote apart from, and where they deleted what others wrote.
fn touches(trail: &Replay<Trail>, is_apart: impl Fn(u32) -> bool) -> Vec<Touch> {
    let mut out: Vec<Touch> = Vec::new();
    // What deleted in front of the next scalar that stands.
    let (mut at, mut here) = (0, BTreeSet::new());
    for trace in trail.sink.traces() {
        if trace.deleted_by.is_none() {
            here.clear();
            if is_apart(trace.inserted_by) {
                let edit = trace.inserted_by;
                match out.last_mut().filter(|last| last.edit == edit && last.end == at) {
                    Some(last) => last.end += trace.len,
                    None => out.push(Touch { start: at, end: at + trace.len, edit }),
                }
            }
            at += trace.len;
            continue;
        }
        // What never showed to anybody else is deleted by its author only.
        let is_hidden = trail.graph.node(trace.inserted_by).hidden;
        let deleters = trail.sink.deleters(trace).filter(|edit| *edit != trace.inserted_by && !is_hidden);
        let new = deleters.filter(|edit| is_apart(*edit) && here.insert(*edit));
        out.extend(new.map(|edit| Touch { start: at, end: at, edit }));
    }
    out
}

/// The paragraphs of the merged text, without the ends of their lines.
fn paragraphs(trail: &Replay<Trail>) -> Vec<Range<u32>> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    for trace in trail.sink.traces().filter(|trace| trace.deleted_by.is_none()) {
        for c in trail.sink.text_of(trace).chars() {
            if c == '\n' {
                out.push(start..at);
                start = at + 1;
            }
            at += 1;
        }
    }
    out.push(start..at);
    out
}

/// Edits in reach, by region and line: for each place on the line how many touches it has.
#[derive(Default)]
struct Window(BTreeMap<(u32, u32), BTreeMap<u32, (u32, u32)>>);

impl Window {
    fn add(&mut self, edit: u32, place: Place) {
        let line = self.0.entry((place.region, place.line)).or_default();
        line.entry(place.index).or_insert((0, edit)).0 += 1;
    }

    fn take(&mut self, place: Place) {
        let Some(line) = self.0.get_mut(&(place.region, place.line)) else { return };
        if let Some((count, _)) = line.get_mut(&place.index) {
            *count -= 1;
            if *count == 0 {
                line.remove(&place.index);
            }
        }
        if line.is_empty() {
            self.0.remove(&(place.region, place.line));
        }
    }

    /// An edit in reach that was written apart from this one.
    fn close_to(&self, edit: u32, place: Place, lines: &Lines) -> Option<u32> {
        let of_region = self.0.range((place.region, 0)..=(place.region, u32::MAX));
        of_region.filter(|((_, line), _)| *line != place.line).find_map(|((_, line), edits)| {
            let apart = lines.apart(edit, *line);
            if apart.is_empty() {
                return None;
            }
            edits.range(apart).next_back().map(|(_, (_, other))| *other)
        })
    }
}

/// Goes over the touches once, in one direction.
struct Sweep<'a> {
    lines: &'a Lines,
    /// Which edits were reviewed.
    known: &'a [bool],
}

impl Sweep<'_> {
    fn is_known(&self, edit: u32) -> bool {
        self.known.get(edit as usize).copied().unwrap_or(false)
    }

    fn run(&self, touches: impl Iterator<Item = Touch>, mut found: impl FnMut(Touch, u32)) {
        let (mut all, mut new) = (Window::default(), Window::default());
        let mut reach: VecDeque<Touch> = VecDeque::new();
        for touch in touches {
            let place = self.lines.place(touch.edit);
            while let Some(old) = reach
                .front()
                .filter(|old| old.end.saturating_add(REVIEW_DISTANCE_CHARS) < touch.start)
                .copied()
            {
                reach.pop_front();
                all.take(self.lines.place(old.edit));
                if !self.is_known(old.edit) {
                    new.take(self.lines.place(old.edit));
                }
            }
            // Two edits that somebody reviewed together need no second look.
            let window = if self.is_known(touch.edit) { &new } else { &all };
            if let Some(close) = window.close_to(touch.edit, place, self.lines) {
                found(touch, close);
            }
            reach.push_back(touch);
            all.add(touch.edit, place);
            if !self.is_known(touch.edit) {
                new.add(touch.edit, place);
            }
        }
    }
}

/// An edit at a place.
#[derive(Debug, Clone, Copy)]
struct Side {
    edit: u32,
    at: u32,
}

struct Found {
    left: u32,
    right: u32,
    edits: BTreeSet<EditId>,
}

struct Marks<'a> {
    trail: &'a Replay<Trail>,
    paragraphs: Vec<Range<u32>>,
    /// By the index of the paragraph.
    found: BTreeMap<usize, Found>,
}

impl Marks<'_> {
    fn add(&mut self, side: Side, close: u32, close_is_left: bool) {
        let index = self.paragraphs.partition_point(|paragraph| paragraph.end < side.at);
        let (left, right) = if close_is_left { (close, side.edit) } else { (side.edit, close) };
        let found = self.found.entry(index).or_insert_with(|| Found { left, right, edits: BTreeSet::new() });
        found.edits.insert(self.trail.graph.id(side.edit));
        found.edits.insert(self.trail.graph.id(close));
    }

    /// Touches close to those of edits that were hidden from their author, or the other way round. There
    /// are few such edits: each pair is looked at.
    fn add_left_out(
        &mut self,
        touches: &[Touch],
        left_out: &BTreeMap<u32, BTreeSet<u32>>,
        new: impl Fn(u32, u32) -> bool,
    ) {
        for (index, touch) in touches.iter().enumerate() {
            let Some(others) = left_out.get(&touch.edit) else { continue };
            let before = touches.iter().take(index).rev();
            let close = before
                .filter(|left| left.end.saturating_add(REVIEW_DISTANCE_CHARS) >= touch.start)
                .find(|left| others.contains(&left.edit) && new(left.edit, touch.edit));
            if let Some(left) = close {
                self.add(Side { edit: touch.edit, at: touch.start }, left.edit, true);
                let end = left.end.saturating_sub(1).max(left.start);
                self.add(Side { edit: left.edit, at: end }, touch.edit, false);
            }
        }
    }

    fn into_marks(self) -> Vec<ReviewMark> {
        let Self { trail, paragraphs, found } = self;
        let mark = |(index, found): (usize, Found)| {
            let paragraph = paragraphs.get(index)?;
            Some(ReviewMark {
                start: paragraph.start,
                end: paragraph.end,
                left: trail.graph.id(found.left),
                right: trail.graph.id(found.right),
                edits: found.edits.into_iter().collect(),
            })
        };
        found.into_iter().filter_map(mark).collect()
    }
}
