//! The names of planned times: what an answer names, for ever.

use crate::date_time::{date_from_days, days_from_epoch, days_in_month};
use std::fmt;
use ward_id::TimestampMs;

use super::participation::EndReason;

/// The name of a planned time of one questionnaire.
///
/// Repeats are named by their day, whichever item of whichever schedule planned it: no amendment can
/// ask twice for the diary of one day. Visits are named by their item, and by the cycle in which they
/// stand: they keep their name when their anchor is moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OccurrenceName {
    /// `2026-03-02`, or `2026-03-02/2` for the second time of that day.
    Day {
        /// The day.
        day: i64,
        /// Which time of the day, from 1.
        slot: u8,
    },
    /// `baseline`.
    Visit {
        /// The item.
        item: String,
    },
    /// `day-8/3`: in cycle 3.
    Cycle {
        /// The item.
        item: String,
        /// The cycle, from 1.
        cycle: u16,
    },
}

impl OccurrenceName {
    /// Reads a name; `None` for a text that no schedule makes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (head, number) = match text.split_once('/') {
            Some((head, number)) => (head, Some(plain_number(number)?)),
            None => (text, None),
        };
        if let Some(day) = parse_day(head) {
            return match number {
                None => Some(Self::Day { day, slot: 1 }),
                Some(slot) => {
                    u8::try_from(slot).ok().filter(|slot| *slot > 1).map(|slot| Self::Day { day, slot })
                }
            };
        }
        is_name(head).then(|| match number {
            None => Self::Visit { item: head.to_owned() },
            Some(cycle) => Self::Cycle { item: head.to_owned(), cycle },
        })
    }
}

impl fmt::Display for OccurrenceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day { day, slot } => {
                let (year, month, day) = date_from_days(*day);
                write!(f, "{year:04}-{month:02}-{day:02}")?;
                if *slot > 1 { write!(f, "/{slot}") } else { Ok(()) }
            }
            Self::Visit { item } => f.write_str(item),
            Self::Cycle { item, cycle } => write!(f, "{item}/{cycle}"),
        }
    }
}

/// Whether a text may name an item or an anchor: small letters, digits and hyphens, a letter first.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= crate::limits::SCHEDULE_MAX_NAME_BYTES
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Digits that do not begin with 0: one number has one spelling.
fn plain_number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

/// The day that `YYYY-MM-DD` names.
pub(super) fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| is_plain)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let exists = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    exists.then(|| i32::try_from(year).ok()).flatten().map(|year| days_from_epoch(year, month, day))
}

/// Why nothing is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Excuse {
    /// The participant did not take part yet, or could not be asked.
    NotYet,
    /// The participant paused.
    Paused,
    /// The participant left or finished.
    Ended(EndReason),
    /// Its window holds no moment: the day does not exist where the participant was.
    NoTime,
    /// It was over, or nearly, when the participant could first know of it.
    PlannedTooLate,
    /// The schedule that planned it was declared void while it could still be answered.
    TakenBack,
    /// An answer to it is kept aside, and nobody has said yet whether it counts.
    KeptAside,
}

/// Where a planned time stands at an instant. Each is in exactly one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OccurrenceState {
    /// Its window has not opened.
    Upcoming,
    /// It may be answered, in time.
    Open,
    /// It may be answered, late.
    Late,
    /// Its window closed without an answer.
    Missed,
    /// Answered in time: the place of the answer among those given.
    Completed(usize),
    /// Answered late, or even after the window had closed.
    CompletedLate {
        /// The place of the answer among those given.
        answer: usize,
        /// Whether the window had closed.
        after_close: bool,
    },
    /// Not answered, and not owed.
    NotOwed(Excuse),
}

impl OccurrenceState {
    /// Whether an answer is asked for now.
    #[must_use]
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Open | Self::Late)
    }

    /// The place of the answer among those given.
    #[must_use]
    pub const fn answer(self) -> Option<usize> {
        match self {
            Self::Completed(answer) | Self::CompletedLate { answer, .. } => Some(answer),
            _ => None,
        }
    }
}

/// A planned time with its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its name.
    pub name: OccurrenceName,
    /// The revision that decides about it: its place in the course.
    pub revision: usize,
    /// The item of that revision that planned it.
    pub item: String,
    /// The planned day.
    pub planned_day: i64,
    /// From when it may be answered.
    pub opens_at: TimestampMs,
    /// From when an answer is late.
    pub due_until: TimestampMs,
    /// From when it counts as missed.
    pub closes_at: TimestampMs,
    /// Why it is not owed, if it is not. What was answered all the same is not counted.
    pub excuse: Option<Excuse>,
    /// Where it stands.
    pub state: OccurrenceState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_spelling() {
        for text in ["2026-03-02", "2026-03-02/2", "baseline", "day-8/3", "2024-02-29", "c/200"] {
            let name = OccurrenceName::parse(text).map(|name| name.to_string());
            assert_eq!(name.as_deref(), Some(text));
        }
        let odd = ["", "2026-02-30", "2026-3-2", "2026-03-02/1", "2026-03-02/02", "Baseline", "a/0", "a/1/2"];
        let also = ["a b", "-a", "a/", "/1", "2026-03-02/300", "a/70000", "2026-00-01"];
        for text in odd.into_iter().chain(also) {
            assert_eq!(OccurrenceName::parse(text), None, "{text}");
        }
    }
}
