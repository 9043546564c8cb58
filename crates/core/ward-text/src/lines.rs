//! Lines of work: the event graph cut into lines each of whose edits has seen the one before, and
//! for every edit how much of each line it has seen. It tells in no time who wrote apart from whom.
#![expect(clippy::indexing_slicing, reason = "numbers of edits and lines come from the graph at hand")]

use crate::graph::Graph;
use crate::limits::REVIEW_LINES_MAX;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// Edits between two critical versions.
#[derive(Debug)]
struct Region {
    first: u32,
    /// The edits of each line, in order.
    lines: Vec<Vec<u32>>,
    /// For each edit and each line, how many edits of it are among the edit and its ancestors.
    /// Empty where there are more lines than [`REVIEW_LINES_MAX`].
    seen: Vec<u32>,
}

/// Where an edit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which edits between two critical versions it is one of.
    pub region: u32,
    /// Which of their lines.
    pub line: u32,
    /// The how manieth of the line, from 0.
    pub index: u32,
}

#[derive(Debug)]
pub(crate) struct Lines {
    regions: Vec<Region>,
    places: Vec<Place>,
}

impl Lines {
    pub fn of(graph: &Graph) -> Self {
        let mut lines = Self { regions: Vec::new(), places: Vec::with_capacity(graph.len() as usize) };
        let mut first = 0;
        for (edit, lowest) in (0..graph.len()).zip(graph.lowest_later(0)) {
            if graph.node(edit).seals && lowest > edit {
                lines.add_region(first..edit, graph);
                lines.add_region(edit..edit + 1, graph);
                first = edit + 1;
            }
        }
        lines.add_region(first..graph.len(), graph);
        lines
    }

    fn add_region(&mut self, edits: Range<u32>, graph: &Graph) {
        if edits.is_empty() {
            return;
        }
        let number = u32::try_from(self.regions.len()).unwrap_or(u32::MAX);
        let mut region = Region { first: edits.start, lines: Vec::new(), seen: Vec::new() };
        for edit in edits.clone() {
            let parents = graph.parents(edit);
            let ends_a_line = |parent: &&u32| {
                let line = self.places.get(**parent as usize).map(|place| place.line as usize);
                **parent >= edits.start && region.lines[line.unwrap_or(0)].last() == Some(*parent)
            };
            let line = match parents.as_slice().iter().find(ends_a_line) {
                Some(parent) => self.places[*parent as usize].line,
                None => {
                    region.lines.push(Vec::new());
                    u32::try_from(region.lines.len() - 1).unwrap_or(u32::MAX)
                }
            };
            let edits_of_line = &mut region.lines[line as usize];
            let index = u32::try_from(edits_of_line.len()).unwrap_or(u32::MAX);
            edits_of_line.push(edit);
            self.places.push(Place { region: number, line, index });
        }
        if region.lines.len() <= REVIEW_LINES_MAX {
            region.seen = self.seen(&region, edits, graph);
        }
        self.regions.push(region);
    }

    fn seen(&self, region: &Region, edits: Range<u32>, graph: &Graph) -> Vec<u32> {
        let width = region.lines.len();
        let mut seen = vec![0; edits.len() * width];
        for edit in edits.clone() {
            let row = (edit - edits.start) as usize * width;
            for parent in graph.parents(edit).as_slice().iter().filter(|parent| **parent >= edits.start) {
                let other = (parent - edits.start) as usize * width;
                for line in 0..width {
                    seen[row + line] = seen[row + line].max(seen[other + line]);
                }
            }
            let place = self.places[edit as usize];
            seen[row + place.line as usize] = place.index + 1;
        }
        seen
    }

    pub fn place(&self, edit: u32) -> Place {
        self.places[edit as usize]
    }

    /// Whether anybody may have written apart from this edit.
    pub fn is_apart(&self, edit: u32) -> bool {
        self.regions[self.place(edit).region as usize].lines.len() > 1
    }

    /// How many edits of a line, of the same region, an edit has seen.
    fn seen_by(&self, edit: u32, line: u32) -> Option<u32> {
        let place = self.places[edit as usize];
        let region = &self.regions[place.region as usize];
        let row = (edit - region.first) as usize * region.lines.len();
        region.seen.get(row + line as usize).copied()
    }

    /// The part of a line, of the same region, that was written apart from an edit.
    pub fn apart(&self, edit: u32, line: u32) -> Range<u32> {
        let place = self.places[edit as usize];
        let edits = &self.regions[place.region as usize].lines[line as usize];
        if line == place.line {
            return 0..0;
        }
        let from = self.seen_by(edit, line).unwrap_or(0);
        let has_not_seen =
            |later: &u32| self.seen_by(*later, place.line).is_none_or(|seen| seen <= place.index);
        let to = edits.partition_point(has_not_seen);
        from..u32::try_from(to).unwrap_or(u32::MAX)
    }
}
