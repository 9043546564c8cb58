//! When questionnaires are due: schedules, due lists, reminders, adherence.
//!
//! - [`Schedule`] is a questionnaire's schedule for one participant as data: anchors that the site sets
//!   and may move, visits, cycles, repeats, windows, reminders. [`Schedule::check`] says what is wrong
//!   with it before anybody is asked.
//! - [`Course`] puts the schedules of one questionnaire together, each of which amends those before it.
//! - [`Course::due_list`] says where every planned time stands at an instant.
//! - [`plan_reminders`] plans the reminders of the coming days, [`adherence`] counts.
//!
//! All of it is pure: the instant, the zones in which the participant was ([`LocalCalendar`]), whether
//! they took part ([`Participation`]) and what they answered come in as arguments.
//!
//! Windows are whole days of the calendar on the participant's wall. On one wall each instant belongs to
//! exactly one day, whatever the clocks do. Where several zones are possible, a window opens by the first
//! and closes by the last ([`LocalCalendar`]).
//!
//! ```
//! use ward_forms::schedule::{Course, Given, LocalCalendar, OccurrenceState, Participation, Schedule, Situation, TimeZone};
//! use ward_forms::Severity;
//! use ward_id::TimestampMs;
//!
//! let schedule = Schedule::parse(br#"{
//!     "format": "ward/schedule", "version": 1, "revision": 1,
//!     "anchors": [{"name": "enrolment", "date": "2026-03-02"}],
//!     "items": [{"id": "diary", "anchor": "enrolment", "repeat": {"everyDays": 1, "days": 28},
//!                "window": {"closes": 1, "due": 0}}]}"#)?;
//! assert!(schedule.check().iter().all(|finding| finding.severity != Severity::Error));
//!
//! let course = Course::new([schedule]);
//! let noon_of_the_third = TimestampMs(1_772_539_200_000);
//! let situation = Situation {
//!     calendar: &LocalCalendar::of_zone(TimeZone::UTC),
//!     participation: &Participation::default(),
//!     given: &[Given { occurrence: "2026-03-02".to_owned(), at: TimestampMs(1_772_480_000_000), zone: None }],
//! };
//! let list = course.due_list(&situation, noon_of_the_third, 0);
//! let states: Vec<OccurrenceState> = list.occurrences.iter().map(|one| one.state).collect();
//! assert_eq!(states, [OccurrenceState::Completed(0), OccurrenceState::Open]);
//! # Ok::<(), ward_forms::StrictJsonError>(())
//! ```

mod adherence;
mod course;
mod due;
mod given_answers;
mod local_calendar;
mod local_time;
mod occurrence;
mod participation;
mod plan;
mod plan_check;
mod plan_reader;
mod reminder_evidence;
mod reminders;
mod wall;
mod window_times;

pub use adherence::{Adherence, AdherenceCounts, AdherenceWeek, adherence};
pub use course::{Course, Moment, WrittenSchedule};
pub use due::{DueList, Given, Situation};
pub use jiff::tz::TimeZone;
pub use local_calendar::{LocalCalendar, Sightings};
pub use local_time::LocalTime;
pub use occurrence::{Excuse, Occurrence, OccurrenceName, OccurrenceState};
pub use participation::{EndReason, Participation, Standing};
pub use plan::{
    Anchor, CycleStart, QuietHours, ReminderRules, RepeatDays, Schedule, ScheduleError, ScheduledItem,
    Timing, Window,
};
pub use plan_check::{ScheduleFault, ScheduleFinding};
pub use reminder_evidence::{ReminderEvidence, ReminderStep};
pub use reminders::{Escalation, Reminded, Reminder, ReminderKind, ReminderPlan, plan_reminders};
