//! Lists that a careless rule set cannot make endless: what presses most and is newest is kept, the rest is
//! counted.

/// What is kept of many findings.
pub(super) struct Kept<R, T> {
    most: usize,
    found: Vec<(R, T)>,
    counts: fn(&R) -> bool,
    left_out: LeftOut,
}

/// How many were left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) all: usize,
    /// Those of them whose rank is of interest.
    pub(super) of_interest: usize,
}

impl<R: Ord, T> Kept<R, T> {
    /// Keeps at most so many, those of the highest rank.
    pub(super) const fn at_most(most: usize, of_interest: fn(&R) -> bool) -> Self {
        Self { most, found: Vec::new(), counts: of_interest, left_out: LeftOut { all: 0, of_interest: 0 } }
    }

    pub(super) fn push(&mut self, rank: R, one: T) {
        self.found.push((rank, one));
        if self.found.len() > self.most.saturating_mul(2) {
            self.shrink();
        }
    }

    pub(super) fn finish(mut self) -> (Vec<T>, LeftOut) {
        self.shrink();
        (self.found.into_iter().map(|(_, one)| one).collect(), self.left_out)
    }

    fn shrink(&mut self) {
        if self.found.len() <= self.most {
            return;
        }
        // Of equal ones the earlier found stay: the same whatever the order of the reports.
        self.found.sort_by(|left, right| right.0.cmp(&left.0));
        for (rank, _) in self.found.drain(self.most..) {
            self.left_out.all += 1;
            self.left_out.of_interest += usize::from((self.counts)(&rank));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_are_kept_and_the_others_counted() {
        let mut kept = Kept::at_most(2, |rank| *rank > 2);
        for (rank, name) in [(1, "a"), (9, "b"), (3, "c"), (9, "d"), (2, "e"), (9, "f")] {
            kept.push(rank, name);
        }
        assert_eq!(kept.finish(), (vec!["b", "d"], LeftOut { all: 4, of_interest: 2 }));
        let mut few = Kept::at_most(2, |_| true);
        few.push(1, "a");
        assert_eq!(few.finish(), (vec!["a"], LeftOut::default()));
    }
}
