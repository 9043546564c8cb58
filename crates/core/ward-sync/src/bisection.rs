//! Finding the first place at which two copies of one chain differ. An entry names the one before,
//! so equal names at a place mean equal chains up to there, and a few questions about spread places
//! find the first difference: [`PLACES_PER_ROUND`] times fewer places are open after each.

use crate::limits::PLACES_PER_ROUND;
use alloc::vec::Vec;
use ward_id::{EntryId, Head};

/// How two copies of one chain differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainDifference {
    /// They are equal.
    Equal,
    /// This side lacks entries from here on.
    WeLack {
        /// The first place.
        from: u64,
    },
    /// The other side lacks entries from here on.
    TheyLack {
        /// The first place.
        from: u64,
    },
    /// Different entries stand at one place: the device signed two histories.
    Forked {
        /// The first place that differs.
        seq: u64,
        /// What the other side has there.
        theirs: EntryId,
    },
}

/// A bisection under way. No I/O: ask for [`Bisection::places`], give the answer to
/// [`Bisection::take`], until it says how the chains differ.
#[derive(Debug, Clone)]
pub struct Bisection {
    /// How far this side holds the chain.
    ours: u64,
    /// The chains are known to be equal up to here.
    equal: u64,
    /// The lowest place known to differ, with the other side's entry there.
    differs: Option<(u64, EntryId)>,
    /// The other side's head, once it answered.
    theirs: Option<Option<Head>>,
}

impl Bisection {
    /// Begins for a chain that this side holds up to a place.
    pub const fn new(ours: u64) -> Self {
        Self { ours, equal: 0, differs: None, theirs: None }
    }

    /// The places to ask for next, rising and spread over those that are open.
    pub fn places(&self) -> Vec<u64> {
        let end = match (self.differs, self.theirs) {
            (Some((seq, _)), _) => seq.saturating_sub(1),
            (None, Some(theirs)) => self.ours.min(theirs.map_or(0, |head| head.seq)),
            (None, None) => self.ours,
        };
        let open = end.saturating_sub(self.equal);
        let parts = open.min(PLACES_PER_ROUND);
        let mut places: Vec<u64> = (1..=parts)
            .filter_map(|part| open.checked_mul(part).map(|all| self.equal + all / parts))
            .collect();
        places.dedup();
        places
    }

    /// Takes the other side's head and its entries at the places that were asked for. `holds` says
    /// whether this side has an entry at a place. Says how the chains differ as soon as that is
    /// known.
    pub fn take(
        &mut self,
        head: Option<Head>,
        entries: &[(u64, EntryId)],
        holds: impl Fn(u64, EntryId) -> bool,
    ) -> Option<ChainDifference> {
        let first = self.theirs.is_none();
        self.theirs = Some(head);
        let theirs = head.map_or(0, |head| head.seq);
        let newest = head.map(|head| (head.seq, head.entry)).filter(|(seq, _)| *seq <= self.ours);
        let mut news = false;
        for (seq, entry) in entries.iter().copied().chain(newest) {
            if holds(seq, entry) {
                news |= seq > self.equal && self.differs.is_none_or(|(at, _)| seq < at);
                self.equal = self.equal.max(seq);
            } else if seq <= self.ours && self.differs.is_none_or(|(at, _)| seq < at) {
                self.differs = Some((seq, entry));
                news = true;
            }
        }
        if let Some((seq, theirs)) = self.differs {
            // A side that answers without sense ends the search where it stands.
            let done = seq <= self.equal.saturating_add(1) || !(news || first);
            return done.then_some(ChainDifference::Forked { seq, theirs });
        }
        let common = self.ours.min(theirs);
        if self.equal < common && (news || first) {
            return None;
        }
        Some(match self.ours.cmp(&theirs) {
            core::cmp::Ordering::Less => ChainDifference::WeLack { from: self.ours.saturating_add(1) },
            core::cmp::Ordering::Greater => ChainDifference::TheyLack { from: theirs.saturating_add(1) },
            core::cmp::Ordering::Equal => ChainDifference::Equal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(branch: u8, seq: u64) -> EntryId {
        let mut bytes = [branch; 32];
        bytes[..8].copy_from_slice(&seq.to_be_bytes());
        EntryId::from_bytes(bytes)
    }

    /// Bisects a chain of `ours` against one of `theirs` that differ from `fork` on; the outcome and
    /// the rounds that it took.
    fn run(ours: u64, theirs: u64, fork: u64) -> (ChainDifference, u32) {
        let at = |seq: u64, side: u8| entry(if seq >= fork { side } else { 0 }, seq);
        let head = (theirs > 0).then(|| Head { seq: theirs, entry: at(theirs, 2) });
        let mut search = Bisection::new(ours);
        for round in 1.. {
            let places = search.places();
            assert!(places.len() as u64 <= PLACES_PER_ROUND && places.is_sorted_by(|a, b| a < b));
            let there = places.into_iter().filter(|seq| *seq <= theirs);
            let entries: Vec<(u64, EntryId)> = there.map(|seq| (seq, at(seq, 2))).collect();
            let holds = |seq, id| seq <= ours && id == at(seq, 1);
            if let Some(found) = search.take(head, &entries, holds) {
                return (found, round);
            }
            assert!(round < 50, "{ours} {theirs} {fork}");
        }
        unreachable!()
    }

    #[test]
    fn the_first_difference_is_found_in_few_rounds() {
        const NEVER: u64 = u64::MAX;
        for ours in [0, 1, 2, 31, 32, 33, 1_000] {
            for theirs in [0, 1, 2, 31, 32, 33, 1_000] {
                let expected = match ours.cmp(&theirs) {
                    core::cmp::Ordering::Less => ChainDifference::WeLack { from: ours + 1 },
                    core::cmp::Ordering::Greater => ChainDifference::TheyLack { from: theirs + 1 },
                    core::cmp::Ordering::Equal => ChainDifference::Equal,
                };
                assert_eq!(run(ours, theirs, NEVER).0, expected, "{ours} {theirs}");
                for fork in 1..=ours.min(theirs).min(40) {
                    let found = run(ours, theirs, fork);
                    let forked = ChainDifference::Forked { seq: fork, theirs: entry(2, fork) };
                    assert_eq!(found.0, forked, "{ours} {theirs} {fork}");
                }
            }
        }
        for fork in [1, 2, 31, 32, 33, 5_000, 99_999, 100_000] {
            let (found, rounds) = run(100_000, 100_000, fork);
            assert_eq!(found, ChainDifference::Forked { seq: fork, theirs: entry(2, fork) });
            // 32^4 places are more than 100,000.
            assert!(rounds <= 5, "{rounds} rounds for place {fork}");
        }
    }

    #[test]
    fn a_side_that_answers_nothing_sensible_ends_the_search() {
        let mut search = Bisection::new(1_000);
        let head = Some(Head { seq: 1_000, entry: entry(2, 1_000) });
        let none = |_, _| false;
        let mut rounds = 0;
        let found = loop {
            rounds += 1;
            if let Some(found) = search.take(head, &[], none) {
                break found;
            }
        };
        assert!(matches!(found, ChainDifference::Forked { .. }) && rounds <= 2);
    }
}
