//! When a participant took part, paused, and why they stopped.

use ward_id::TimestampMs;

/// Why a participant owes no more answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// The participant left, or was taken out.
    Withdrawn,
    /// The participant finished.
    Completed,
}

/// Whether a participant takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Answers are expected.
    Active,
    /// None are expected for now.
    Paused,
    /// None are expected any more.
    Ended(EndReason),
}

/// The standing of a participant over time. Before the first word about it they are active.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participation {
    changes: Vec<(TimestampMs, Standing)>,
}

impl Participation {
    /// The standings from the instants on which they begin. Of several on one instant the last given
    /// holds.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = (TimestampMs, Standing)>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|(from, _)| *from);
        Self { changes }
    }

    /// The same with a pause: until an instant, or until further notice.
    #[must_use]
    pub fn pausing(self, from: TimestampMs, to: Option<TimestampMs>) -> Self {
        let after = to.map(|to| (to, Standing::Active));
        Self::new(self.changes.into_iter().chain([(from, Standing::Paused)]).chain(after))
    }

    /// The same with an end.
    #[must_use]
    pub fn ending(self, at: TimestampMs, reason: EndReason) -> Self {
        Self::new(self.changes.into_iter().chain([(at, Standing::Ended(reason))]))
    }

    /// The standing at an instant.
    #[must_use]
    pub fn at(&self, at: TimestampMs) -> Standing {
        let known = self.changes.partition_point(|(from, _)| *from <= at);
        known
            .checked_sub(1)
            .and_then(|last| self.changes.get(last))
            .map_or(Standing::Active, |change| change.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_holds() {
        let at = TimestampMs;
        let told =
            Participation::default().pausing(at(10), Some(at(20))).ending(at(30), EndReason::Withdrawn);
        let standings: Vec<Standing> = [9, 10, 19, 20, 29, 30].map(|ms| told.at(at(ms))).to_vec();
        let ended = Standing::Ended(EndReason::Withdrawn);
        assert_eq!(
            standings,
            [Standing::Active, Standing::Paused, Standing::Paused, Standing::Active, Standing::Active, ended]
        );
        let twice = Participation::new([(at(5), Standing::Paused), (at(5), Standing::Active)]);
        assert_eq!(twice.at(at(5)), Standing::Active);
    }
}
