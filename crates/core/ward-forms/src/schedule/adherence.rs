//! How many of the planned times were answered, and when.
//!
//! A planned time is **expected** if it is owed and either answered or missed: what is still open or to
//! come is not expected yet, and what is not owed never is. It is **completed** if it is answered,
//! **late** if that was after its time, **after its close** if it was even after its window, and
//! **missed** if its window closed without an answer. So expected = completed + missed, and late ones
//! are among the completed. A week is seven days from the first planned day.

use super::due::DueList;
use super::occurrence::{Occurrence, OccurrenceState};

/// Days of a week.
const WEEK_DAYS: i64 = 7;

/// Planned times counted. `expected = completed + missed`; late ones are among the completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct AdherenceCounts {
    /// Planned times that are answered or missed.
    pub expected: u32,
    /// Answered.
    pub completed: u32,
    /// Answered after their time.
    pub late: u32,
    /// Of the late ones, those answered when the window had closed.
    pub after_close: u32,
    /// Not answered.
    pub missed: u32,
}

/// One week of a questionnaire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct AdherenceWeek {
    /// Weeks since the first planned day, from 0.
    pub week: i64,
    /// The counts.
    pub counts: AdherenceCounts,
}

/// The adherence of one questionnaire up to an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adherence {
    /// All weeks together.
    pub total: AdherenceCounts,
    /// Week by week; weeks in which nothing was expected are left out.
    pub weeks: Vec<AdherenceWeek>,
    /// Planned times answered in a row up to now, in time or late.
    pub streak: u32,
    /// Planned times missed in a row up to now: their places in the due list.
    pub missed_row: Vec<usize>,
}

impl AdherenceCounts {
    fn add(&mut self, state: OccurrenceState) {
        self.expected = self.expected.saturating_add(1);
        let OccurrenceState::Missed = state else {
            self.completed = self.completed.saturating_add(1);
            if let OccurrenceState::CompletedLate { after_close, .. } = state {
                self.late = self.late.saturating_add(1);
                self.after_close = self.after_close.saturating_add(u32::from(after_close));
            }
            return;
        };
        self.missed = self.missed.saturating_add(1);
    }
}

impl Occurrence {
    /// Whether it counts: owed, and answered or missed.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        let is_settled = self.state == OccurrenceState::Missed || self.state.answer().is_some();
        self.excuse.is_none() && is_settled
    }
}

/// Counts a due list.
#[must_use]
pub fn adherence(list: &DueList) -> Adherence {
    let planned = || list.occurrences.iter().enumerate();
    let first_day = planned().map(|(_, one)| one.planned_day).min().unwrap_or_default();
    let mut expected: Vec<(usize, &Occurrence)> = planned().filter(|(_, one)| one.is_expected()).collect();
    expected.sort_by_key(|(_, one)| (one.planned_day, one.closes_at, one.opens_at));
    let mut out = Adherence::default();
    for (_, one) in &expected {
        out.total.add(one.state);
        let week = one.planned_day.saturating_sub(first_day) / WEEK_DAYS;
        if out.weeks.last().is_none_or(|last| last.week != week) {
            out.weeks.push(AdherenceWeek { week, counts: AdherenceCounts::default() });
        }
        if let Some(last) = out.weeks.last_mut() {
            last.counts.add(one.state);
        }
    }
    let is_missed = |one: &Occurrence| one.state == OccurrenceState::Missed;
    let row = expected.iter().rev().take_while(|(_, one)| is_missed(one)).map(|(place, _)| *place);
    out.missed_row = row.collect();
    out.missed_row.reverse();
    let streak = expected.iter().rev().take_while(|(_, one)| !is_missed(one)).count();
    out.streak = u32::try_from(streak).unwrap_or(u32::MAX);
    out
}
