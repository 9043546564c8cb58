//! The instants of a window: from when a planned time may be answered, is late, and is over.

use super::course::Place;
use super::local_calendar::LocalCalendar;
use super::local_time::LocalTime;
use super::plan::{ScheduledItem, Timing};
use ward_id::TimestampMs;

/// The instants of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) opens: TimestampMs,
    pub(super) due: TimestampMs,
    pub(super) closes: TimestampMs,
}

impl Times {
    pub(super) fn are_empty(&self) -> bool {
        self.closes <= self.opens
    }
}

/// The window of a planned time on a calendar.
pub(super) fn times_of(item: &ScheduledItem, place: &Place, calendar: &LocalCalendar) -> Times {
    let on = |days: i16| place.day.saturating_add(i64::from(days));
    let slots: &[LocalTime] = match &item.timing {
        Timing::Repeat { times, .. } => times,
        Timing::Visit { .. } | Timing::Cycle { .. } => &[],
    };
    let opens = match slots.get(place.slot) {
        Some(time) => calendar.first_at(on(item.window.opens), *time),
        None => calendar.start_of(on(item.window.opens)),
    };
    // The next one of the same day ends the time of this one.
    let due = match slots.get(place.slot.saturating_add(1)) {
        Some(next) => calendar.over_at(on(item.window.due), *next),
        None => calendar.end_of(on(item.window.due)),
    };
    let closes = calendar.end_of(on(item.window.closes));
    // Where the clock skips its whole time, it is in time for as long as it can be answered.
    let due = if due <= opens { closes } else { due };
    Times { opens, due, closes: closes.max(due) }
}
