//! A schedule as data: anchors, items, windows, reminders.

use super::local_time::LocalTime;
use super::plan_check::ScheduleFault;
use crate::limits::{SCHEDULE_FORMAT, SCHEDULE_MAX_BYTES};
use minicbor::{Decode, Encode};
use ward_id::{Canonical, CborError};

/// When one questionnaire is due for one participant.
///
/// Days are counted from 1970-01-01, as the participant's own calendar shows them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Schedule {
    #[n(0)]
    pub(super) format: u8,
    #[n(1)]
    pub(super) revision: u32,
    #[n(2)]
    pub(super) holds_from: Option<i64>,
    #[n(3)]
    pub(super) anchors: Vec<Anchor>,
    #[n(4)]
    pub(super) items: Vec<ScheduledItem>,
    #[n(5)]
    pub(super) reminders: Option<ReminderRules>,
}

/// A day that the site sets, from which others are counted: enrolment, surgery, day 1 of cycle 1.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Anchor {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// The day; absent until the site knows it. Nothing is planned from a day that nobody knows.
    #[n(1)]
    pub day: Option<i64>,
    /// Cycles that began on another day than planned. Later ones are counted from there.
    #[n(2)]
    pub cycle_starts: Vec<CycleStart>,
}

/// The day on which a cycle began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CycleStart {
    /// The cycle, from 1.
    #[n(0)]
    pub cycle: u16,
    /// The day.
    #[n(1)]
    pub day: i64,
}

/// One visit, or a row of planned times.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScheduledItem {
    /// Its name. It stays the same when the schedule is amended: answers name it.
    #[n(0)]
    pub id: String,
    /// The anchor from which it is counted.
    #[n(1)]
    pub anchor: String,
    /// On which days.
    #[n(2)]
    pub timing: Timing,
    /// When it may be answered.
    #[n(3)]
    pub window: Window,
    /// An anchor that ends it: nothing is planned from that day on.
    #[n(4)]
    pub until: Option<String>,
}

/// On which days an item is planned. `day` is counted from the anchor, or from the cycle's first day: 0
/// is that day itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub enum Timing {
    /// Once.
    #[n(1)]
    Visit {
        /// The day.
        #[n(0)]
        day: i32,
    },
    /// Once in each cycle.
    #[n(2)]
    Cycle {
        /// The day of the cycle.
        #[n(0)]
        day: i32,
        /// Days from one cycle to the next.
        #[n(1)]
        length_days: u16,
        /// How many cycles; absent for as long as the participant takes part.
        #[n(2)]
        count: Option<u16>,
    },
    /// Again and again, on days of the calendar.
    #[n(3)]
    Repeat {
        /// The first day.
        #[n(0)]
        day: i32,
        /// Which of the days after it.
        #[n(1)]
        on: RepeatDays,
        /// Over how many days; absent for as long as the participant takes part.
        #[n(2)]
        days: Option<u16>,
        /// The times of a day at which it is asked, ascending; none for once a day, at any time.
        #[n(3)]
        times: Vec<LocalTime>,
    },
}

/// The days of a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum RepeatDays {
    /// The first one, and then each so many days later.
    #[n(1)]
    Every(#[n(0)] u16),
    /// Days of the week: bit 0 is Monday, bit 6 Sunday.
    #[n(2)]
    Weekdays(#[n(0)] u8),
}

/// When an occurrence may be answered, in whole days around the planned one, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Window {
    /// The first day, such as -3.
    #[n(0)]
    pub opens: i16,
    /// The last day on which it is in time.
    #[n(1)]
    pub due: i16,
    /// The last day on which it is asked for; after `due` it is late.
    #[n(2)]
    pub closes: i16,
}

/// When a device reminds of what is due.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReminderRules {
    /// Whether there is one when the window opens.
    #[n(0)]
    pub at_opening: bool,
    /// Times of each day on which something waits.
    #[n(1)]
    pub times: Vec<LocalTime>,
    /// When nobody is disturbed.
    #[n(2)]
    pub quiet: Option<QuietHours>,
    /// Most reminders of a day, over everything that is due.
    #[n(3)]
    pub per_day: u8,
    /// After so many missed in a row the site is told.
    #[n(4)]
    pub escalate_after_missed: Option<u32>,
}

/// Hours in which nobody is disturbed; over midnight where `from` is later than `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct QuietHours {
    /// The first minute.
    #[n(0)]
    pub from: LocalTime,
    /// The first minute after them.
    #[n(1)]
    pub to: LocalTime,
}

impl QuietHours {
    /// Whether a time lies in them.
    #[must_use]
    pub fn hold(&self, time: LocalTime) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

/// Why stored bytes are no schedule that this version can follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The app that wrote them is at fault.
    #[error("the schedule does not decode: {0}")]
    Encoding(#[from] CborError),
    /// Written by a newer app; this one must be updated.
    #[error("the schedule has format {0}, which needs a newer app")]
    Format(u8),
    /// The app that wrote them is at fault.
    #[error("the schedule breaks its rules: {0}")]
    Fault(ScheduleFault),
    /// The app that wrote them is at fault.
    #[error("the schedule is larger than {SCHEDULE_MAX_BYTES} bytes")]
    Size,
}

impl Schedule {
    /// A schedule of one questionnaire once a day on any time of the day: its first day and then each
    /// so many days, for so many days; 0 `every_days` is once.
    #[must_use]
    pub fn every_days(first_day: i64, every_days: u16, days: u16) -> Self {
        let days = if every_days == 0 { 1 } else { days.max(1) };
        let timing = Timing::Repeat {
            day: 0,
            on: RepeatDays::Every(every_days.max(1)),
            days: Some(days),
            times: Vec::new(),
        };
        let anchor = Anchor { name: "start".to_owned(), day: Some(first_day), cycle_starts: Vec::new() };
        let item = ScheduledItem {
            id: "repeat".to_owned(),
            anchor: anchor.name.clone(),
            timing,
            window: Window::default(),
            until: None,
        };
        Self {
            format: SCHEDULE_FORMAT,
            revision: 1,
            holds_from: Some(first_day),
            anchors: vec![anchor],
            items: vec![item],
            reminders: None,
        }
    }

    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_canonical()
    }

    /// Reads the canonical bytes.
    ///
    /// # Errors
    /// [`ScheduleError`]; never for what [`Schedule::check`] only warns of.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ScheduleError> {
        if bytes.len() > SCHEDULE_MAX_BYTES {
            return Err(ScheduleError::Size);
        }
        let format = format_of(bytes)?;
        if format != SCHEDULE_FORMAT {
            return Err(ScheduleError::Format(format));
        }
        Self::from_canonical(bytes)?.valid()
    }

    /// The schedule, if it can be followed.
    ///
    /// # Errors
    /// [`ScheduleError::Fault`]; never for what [`Schedule::check`] only warns of.
    pub fn valid(self) -> Result<Self, ScheduleError> {
        match self.faults().into_iter().next() {
            None => Ok(self),
            Some(finding) => Err(ScheduleError::Fault(finding.fault)),
        }
    }

    /// Which revision it is, from 1. People count by it; what holds is decided by
    /// [`Schedule::holds_from`] and by the order in which schedules were written.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// The first day that it governs; absent for all.
    #[must_use]
    pub const fn holds_from(&self) -> Option<i64> {
        self.holds_from
    }

    /// The anchors.
    #[must_use]
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[ScheduledItem] {
        &self.items
    }

    /// When devices remind.
    #[must_use]
    pub const fn reminders(&self) -> Option<&ReminderRules> {
        self.reminders.as_ref()
    }

    /// The same schedule as a revision that holds from a day.
    #[must_use]
    pub fn revised(self, revision: u32, holds_from: i64) -> Self {
        Self { revision, holds_from: Some(holds_from), ..self }
    }

    /// The same schedule with an anchor on a day, which is the first of its first cycle as well; `None` for
    /// an anchor that it does not have.
    #[must_use]
    pub fn with_anchor(mut self, name: &str, day: i64) -> Option<Self> {
        let anchor = self.anchors.iter_mut().find(|anchor| anchor.name == name)?;
        anchor.day = Some(day);
        anchor.cycle_starts.retain(|start| start.cycle != 1);
        Some(self)
    }

    /// The schedule as days at one distance, if it says no more than [`Schedule::every_days`]: its first
    /// day, the days from one to the next, and the days over which it is repeated. Its number is lost.
    #[must_use]
    pub fn as_every_days(&self) -> Option<(i64, u16, u16)> {
        let ([anchor], [item]) = (self.anchors.as_slice(), self.items.as_slice()) else { return None };
        let Timing::Repeat { on: RepeatDays::Every(step), days: Some(days), .. } = item.timing else {
            return None;
        };
        let same = Self { revision: self.revision, ..Self::every_days(anchor.day?, step, days) };
        (*self == same).then_some((anchor.day?, step, days))
    }

    /// The same schedule with a cycle that began on a day; `None` for an anchor that it does not have.
    #[must_use]
    pub fn with_cycle_start(mut self, name: &str, cycle: u16, day: i64) -> Option<Self> {
        let starts = &mut self.anchors.iter_mut().find(|anchor| anchor.name == name)?.cycle_starts;
        starts.retain(|start| start.cycle != cycle);
        starts.push(CycleStart { cycle, day });
        starts.sort_by_key(|start| start.cycle);
        Some(self)
    }

    pub(super) fn anchor(&self, name: &str) -> Option<&Anchor> {
        self.anchors.iter().find(|anchor| anchor.name == name)
    }
}

impl Anchor {
    /// The first day of a cycle: counted from the last one before it whose day is known.
    #[must_use]
    pub fn cycle_start(&self, cycle: u16, length_days: u16) -> Option<i64> {
        let known = self.cycle_starts.iter().filter(|start| start.cycle <= cycle);
        let known = known.max_by_key(|start| start.cycle).map(|start| (start.cycle, start.day));
        let (from, day) = known.or_else(|| Some((1, self.day?)))?;
        let cycles = i64::from(cycle.saturating_sub(from));
        Some(day.saturating_add(cycles.saturating_mul(i64::from(length_days))))
    }
}

/// The format that stands first in the bytes.
fn format_of(bytes: &[u8]) -> Result<u8, ScheduleError> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let malformed = |_| ScheduleError::Encoding(CborError::Malformed);
    decoder.map().map_err(malformed)?;
    let key = decoder.u8().map_err(malformed)?;
    let format = decoder.u8().map_err(malformed)?;
    if key == 0 { Ok(format) } else { Err(ScheduleError::Encoding(CborError::Malformed)) }
}
