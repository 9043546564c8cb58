//! Where an insert goes among inserts at the same place that its author had not seen.
//!
//! The rule is FugueMax (Weidner and Kleppmann, "The Art of the Fugue"), read on a list: an insert
//! remembers the scalar on its left and the one on its right; of two that share the left one, that
//! with the right one further to the left stands behind, and equals stand by the order of their
//! edits. Nobody's words are woven into somebody else's so.

use super::span::{CURRENT, MERGED, NEVER, SPACE, STANDS, Span, THERE};
use super::{EDGE, Effect, Tracker};
use crate::edit_id::EditId;
use crate::graph::Graph;
use crate::run_tree::Cursor;
use core::cmp::Ordering;

/// The place of a new insert.
struct Gap {
    /// In front of everything that its author had not seen.
    cursor: Cursor,
    left: u32,
    right: u32,
    /// How many scalars stand up to the left one, and in front of the right one.
    left_rank: u32,
    right_rank: u32,
}

impl Tracker {
    /// Puts scalars in; tells where in the merged text, and where among all scalars.
    pub(super) fn insert(
        &mut self,
        edit: u32,
        at: u32,
        unit: u32,
        scalars: u32,
        graph: &Graph,
    ) -> Option<(u32, u32)> {
        let gap = self.gap(at)?;
        let cursor =
            if gap.left_rank == gap.right_rank { gap.cursor } else { self.place_among(&gap, edit, graph)? };
        let place = (self.spans.before(cursor, MERGED), self.spans.before(cursor, SPACE));
        let gone = graph.node(edit).hidden;
        let span = Span { unit, len: scalars, left: gap.left, right: gap.right, state: STANDS, gone };
        self.spans.insert(cursor, span, &mut self.leaves);
        self.between.insert((gap.left, gap.right, graph.id(edit)), unit);
        self.effects.push(Effect::Inserted { unit, scalars });
        Some(place)
    }

    fn gap(&self, at: u32) -> Option<Gap> {
        let (cursor, left) = match at.checked_sub(1) {
            None => (self.spans.start(), EDGE),
            Some(before) => {
                let found = self.spans.find(CURRENT, before)?;
                (Cursor { offset: found.offset + 1, ..found }, self.spans.run(found)?.unit + found.offset)
            }
        };
        let left_rank = self.spans.before(cursor, SPACE);
        if let Some(span) =
            self.spans.run(cursor).filter(|span| cursor.offset > 0 && cursor.offset < span.len)
        {
            // In the middle of scalars that its author saw.
            return Some(Gap {
                cursor,
                left,
                right: span.unit + cursor.offset,
                left_rank,
                right_rank: left_rank,
            });
        }
        let there = self.spans.before(cursor, THERE);
        let next = self.spans.find(THERE, there).and_then(|next| Some((next, self.spans.run(next)?)));
        let (right, right_rank) = match next {
            Some((next, span)) => (span.unit + next.offset, self.spans.before(next, SPACE)),
            None => (EDGE, self.spans.total(SPACE)),
        };
        Some(Gap { cursor, left, right, left_rank, right_rank })
    }

    /// Goes over the inserts that the author had not seen, up to the place.
    fn place_among(&self, gap: &Gap, edit: u32, graph: &Graph) -> Option<Cursor> {
        let mut place = gap.cursor;
        // All between the neighbours is unseen, and what is up to the nearest insert with both of them that
        // comes first stands in front of it: it need not be gone over.
        let mut next = self.between_before(gap, graph.id(edit)).or_else(|| self.spans.next_run(gap.cursor));
        let mut last_passed = EDGE;
        let mut passing = false;
        while let Some((here, other)) = next.and_then(|here| Some((here, self.spans.run(here)?))) {
            if other.state != NEVER {
                break;
            }
            #[cfg(test)]
            self.gone_over.set(self.gone_over.get() + 1);
            match self.compare_left(other, gap, last_passed)? {
                Ordering::Less => break,
                Ordering::Equal => match self.right_rank_of(other, gap)?.cmp(&gap.right_rank) {
                    Ordering::Equal if comes_first(edit, other.unit, graph) => break,
                    Ordering::Less => passing = true,
                    Ordering::Equal | Ordering::Greater => passing = false,
                },
                Ordering::Greater => {}
            }
            last_passed = other.unit + other.len - 1;
            if !passing {
                place = Cursor { offset: other.len, ..here };
            }
            next = self.spans.run_behind(here);
        }
        Some(place)
    }

    /// Of the inserts with the same neighbours, the last one that stands in front of an edit's.
    fn between_before(&self, gap: &Gap, edit: EditId) -> Option<Cursor> {
        let ((left, right, _), unit) = self.between.range(..(gap.left, gap.right, edit)).next_back()?;
        if (*left, *right) == (gap.left, gap.right) { self.locate(*unit) } else { None }
    }

    /// How the left neighbour of another insert stands to that of the new one.
    fn compare_left(&self, other: &Span, gap: &Gap, last_passed: u32) -> Option<Ordering> {
        if other.left == gap.left {
            return Some(Ordering::Equal);
        }
        if other.left == EDGE {
            return Some(Ordering::Less);
        }
        if other.left == last_passed {
            return Some(Ordering::Greater);
        }
        Some((self.rank(other.left)? + 1).cmp(&gap.left_rank))
    }

    fn right_rank_of(&self, other: &Span, gap: &Gap) -> Option<u32> {
        if other.right == gap.right {
            return Some(gap.right_rank);
        }
        if other.right == EDGE { Some(self.spans.total(SPACE)) } else { self.rank(other.right) }
    }
}

/// Whether a new edit stands in front of the one that inserted a scalar.
fn comes_first(edit: u32, unit: u32, graph: &Graph) -> bool {
    graph.author(unit).is_none_or(|author| graph.node(edit).id < graph.node(author).id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Burst;
    use crate::graph::Verdict;
    use alloc::sync::Arc;
    use alloc::vec;
    use alloc::vec::Vec;
    use ward_id::{DeviceId, EntryId, Incarnation};

    const EDITS: u32 = 2_000;

    /// Each writes one scalar at the front, having seen what `parents` says; how many spans were gone over.
    fn gone_over(seq: impl Fn(u32) -> u64, parents: impl Fn(u32) -> Vec<u32>) -> usize {
        let mut burst = Burst::default();
        burst.insert(0, "x").unwrap();
        let edit = Arc::new(burst.finish().unwrap());
        let (mut graph, mut tracker) = (Graph::default(), Tracker::new(None, 0));
        for number in 0..EDITS {
            let (device, incarnation) = (DeviceId::from_bytes([1; 16]), Incarnation(1));
            let entry = EntryId::from_bytes([7; 32]);
            let id = EditId { device, incarnation, seq: seq(number), entry };
            graph.push(id, parents(number), Arc::clone(&edit), false);
            tracker.go_to_parents_of(number, &graph);
            tracker.apply(number, &graph, number, |_| ());
            graph.settle(number, Verdict::Valid { first_unit: number }, 0);
        }
        tracker.gone_over.get()
    }

    #[test]
    fn who_writes_apart_at_one_place_is_not_gone_over_again_and_again() {
        let most = 2 * EDITS as usize;
        let apart = |_: u32| Vec::new();
        assert!(gone_over(u64::from, apart) <= most, "each stands behind all before it");
        assert!(gone_over(|number| u64::from(EDITS - number), apart) <= most, "in front of all");
        let mixed = |number: u32| u64::from(number.wrapping_mul(2_654_435_761) % 65_537);
        assert!(gone_over(mixed, apart) <= most, "in between");
        // Half of them one after the other, each in front; the others knowing nothing of them.
        let line = |number: u32| match number {
            number if number % 2 == 1 || number == 0 => vec![],
            number => vec![number - 2],
        };
        assert!(gone_over(u64::from, line) <= 2 * most, "beside a line written backwards");
    }
}
