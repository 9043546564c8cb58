//! What became of a reminder: the evidence that somebody was reminded, or that the phone was not
//! able to.

use super::reminders::Reminder;
use ward_id::TimestampMs;

/// A step of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReminderStep {
    /// The app planned it.
    Scheduled,
    /// The app handed it to the phone's own notifications. Whether they showed it, no app learns.
    HandedOver,
    /// The person opened it.
    Opened,
    /// The person answered the questionnaire that it was about.
    Answered,
}

/// The steps of one reminder, each with the first instant at which it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReminderEvidence {
    reminder: Reminder,
    scheduled_at: TimestampMs,
    handed_over_at: Option<TimestampMs>,
    opened_at: Option<TimestampMs>,
    answered_at: Option<TimestampMs>,
}

impl ReminderEvidence {
    /// A reminder that was planned.
    #[must_use]
    pub const fn scheduled(reminder: Reminder, at: TimestampMs) -> Self {
        Self { reminder, scheduled_at: at, handed_over_at: None, opened_at: None, answered_at: None }
    }

    /// Notes a step. What was seen twice keeps its first instant: an app that starts again tells the
    /// same once more.
    pub fn note(&mut self, step: ReminderStep, at: TimestampMs) {
        let known = match step {
            ReminderStep::Scheduled => {
                self.scheduled_at = self.scheduled_at.min(at);
                return;
            }
            ReminderStep::HandedOver => &mut self.handed_over_at,
            ReminderStep::Opened => &mut self.opened_at,
            ReminderStep::Answered => &mut self.answered_at,
        };
        *known = Some(known.map_or(at, |first| first.min(at)));
    }

    /// The reminder.
    #[must_use]
    pub const fn reminder(&self) -> &Reminder {
        &self.reminder
    }

    /// When a step was first seen.
    #[must_use]
    pub const fn at(&self, step: ReminderStep) -> Option<TimestampMs> {
        match step {
            ReminderStep::Scheduled => Some(self.scheduled_at),
            ReminderStep::HandedOver => self.handed_over_at,
            ReminderStep::Opened => self.opened_at,
            ReminderStep::Answered => self.answered_at,
        }
    }

    /// The furthest step that was seen. Who answers without opening the reminder has answered.
    #[must_use]
    pub const fn furthest(&self) -> ReminderStep {
        if self.answered_at.is_some() {
            ReminderStep::Answered
        } else if self.opened_at.is_some() {
            ReminderStep::Opened
        } else if self.handed_over_at.is_some() {
            ReminderStep::HandedOver
        } else {
            ReminderStep::Scheduled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{OccurrenceName, ReminderKind};

    #[test]
    fn each_step_keeps_its_first_instant() {
        let reminder = Reminder {
            at: TimestampMs(50),
            instrument: "urn:diary".to_owned(),
            occurrence: OccurrenceName::Day { day: 20_514, slot: 1 },
            kind: ReminderKind::Open,
        };
        let mut evidence = ReminderEvidence::scheduled(reminder, TimestampMs(10));
        assert_eq!(evidence.furthest(), ReminderStep::Scheduled);
        evidence.note(ReminderStep::HandedOver, TimestampMs(50));
        evidence.note(ReminderStep::HandedOver, TimestampMs(60));
        evidence.note(ReminderStep::Scheduled, TimestampMs(40));
        assert_eq!(evidence.at(ReminderStep::HandedOver), Some(TimestampMs(50)));
        assert_eq!(evidence.at(ReminderStep::Scheduled), Some(TimestampMs(10)));
        assert_eq!(evidence.furthest(), ReminderStep::HandedOver);
        evidence.note(ReminderStep::Answered, TimestampMs(70));
        assert_eq!((evidence.furthest(), evidence.at(ReminderStep::Opened)), (ReminderStep::Answered, None));
    }
}
