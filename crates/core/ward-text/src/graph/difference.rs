//! What one version has and another has not.
#![expect(clippy::indexing_slicing, reason = "numbers of edits come from this graph only")]

use super::Graph;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::ops::Range;

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const BOTH: u8 = LEFT | RIGHT;

/// Ranges of edits, the newest first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub only_left: Vec<Range<u32>>,
    pub only_right: Vec<Range<u32>>,
}

impl Graph {
    /// Walks back from the newest edits of two versions, until only edits of both are left.
    pub fn difference(&self, left: &[u32], right: &[u32]) -> Difference {
        let mut out = Difference::default();
        if left == right {
            return out;
        }
        let mut heads: BinaryHeap<(u32, u8)> = BinaryHeap::with_capacity(left.len() + right.len());
        heads.extend(left.iter().map(|edit| (*edit, LEFT)));
        heads.extend(right.iter().map(|edit| (*edit, RIGHT)));
        let mut on_one_side = heads.len();
        while on_one_side > 0 {
            let Some((edit, mut side)) = heads.pop() else { break };
            on_one_side -= usize::from(side != BOTH);
            while let Some((_, other)) = heads.peek().copied().filter(|(next, _)| *next == edit) {
                heads.pop();
                on_one_side -= usize::from(other != BOTH);
                side |= other;
            }
            let run = self.run_of(edit);
            let start = self.run_starts[run];
            let next = heads.peek().map_or(start, |(next, _)| (next + 1).max(start));
            match side {
                LEFT => out.only_left.push(next..edit + 1),
                RIGHT => out.only_right.push(next..edit + 1),
                _ => {}
            }
            if next > start {
                heads.push((next - 1, side));
                on_one_side += usize::from(side != BOTH);
            } else {
                for parent in &self.run_parents[run] {
                    heads.push((*parent, side));
                    on_one_side += usize::from(side != BOTH);
                }
            }
        }
        out
    }
}
