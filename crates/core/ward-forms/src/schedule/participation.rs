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
    /// None are expected yet.
    NotYet,
    /// Answers are expected.
    Active,
    /// None are expected for now.
    Paused,
    /// None are expected any more.
    Ended(EndReason),
}

/// The standing of a participant over time. Before the first word about it they are active, once they
/// could be asked at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Participation {
    changes: Vec<(TimestampMs, Standing)>,
    /// From when they could be asked, if not always.
    begins: Option<TimestampMs>,
}

impl Participation {
    /// The standings from the instants on which they begin. Of several on one instant the last given
    /// holds.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = (TimestampMs, Standing)>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|(from, _)| *from);
        Self { changes, begins: None }
    }

    /// The same of somebody who could not be asked before an instant: they had no device, and nobody
    /// interviewed them.
    #[must_use]
    pub const fn beginning(mut self, at: TimestampMs) -> Self {
        self.begins = Some(at);
        self
    }

    /// Since when somebody of an instant could be asked and took part; `None` for always. For one at which
    /// they do not take part yet, the end of time.
    #[must_use]
    pub fn asked_since(&self, at: TimestampMs) -> Option<TimestampMs> {
        let known = self.changes.partition_point(|(from, _)| *from <= at);
        let (mut since, mut is_waiting) = (None, false);
        for (from, standing) in self.changes.iter().take(known) {
            let waits = *standing == Standing::NotYet;
            if is_waiting && !waits {
                since = Some(*from);
            }
            is_waiting = waits;
        }
        if is_waiting { Some(TimestampMs(i64::MAX)) } else { since.max(self.begins) }
    }

    /// The same with a pause: until an instant, or until further notice.
    #[must_use]
    pub fn pausing(self, from: TimestampMs, to: Option<TimestampMs>) -> Self {
        let after = to.map(|to| (to, Standing::Active));
        self.and([(from, Standing::Paused)].into_iter().chain(after))
    }

    /// The same with an end.
    #[must_use]
    pub fn ending(self, at: TimestampMs, reason: EndReason) -> Self {
        self.and([(at, Standing::Ended(reason))])
    }

    fn and(self, more: impl IntoIterator<Item = (TimestampMs, Standing)>) -> Self {
        let Self { changes, begins } = self;
        Self { begins, ..Self::new(changes.into_iter().chain(more)) }
    }

    /// The standing at an instant.
    #[must_use]
    pub fn at(&self, at: TimestampMs) -> Standing {
        if self.begins.is_some_and(|begins| at < begins) {
            return Standing::NotYet;
        }
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
        let enrolled = told.clone().beginning(at(15));
        assert_eq!(
            [14, 15, 20].map(|ms| enrolled.at(at(ms))),
            [Standing::NotYet, Standing::Paused, Standing::Active]
        );
        assert_eq!((enrolled.asked_since(at(40)), told.asked_since(at(40))), (Some(at(15)), None));
        let screened = Participation::new([(at(5), Standing::NotYet), (at(20), Standing::Active)]);
        let since = [4, 5, 19, 20, 50].map(|ms| screened.asked_since(at(ms)));
        let never = Some(at(i64::MAX));
        assert_eq!(since, [None, never, never, Some(at(20)), Some(at(20))], "who was asked before still was");
        assert_eq!(screened.beginning(at(30)).asked_since(at(50)), Some(at(30)));
        let twice = Participation::new([(at(5), Standing::Paused), (at(5), Standing::Active)]);
        assert_eq!(twice.at(at(5)), Standing::Active);
    }
}
