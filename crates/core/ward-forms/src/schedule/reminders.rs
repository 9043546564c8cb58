//! When a device reminds of what is due, and when the site is told that nobody answers: data that the
//! device turns into local notifications.
//!
//! The plan is a function of what is planned and answered. Computed again later it is the same, less
//! what lies in the past; what was answered has no reminders left.
//!
//! Times and quiet hours are those of the newest schedule, whichever planned what waits. A reminder that
//! falls into quiet hours waits until they end, if there can still be an answer then. Where a day has more
//! than its cap, each planned time gets its first reminder before any gets its second, and what is in time
//! comes before what is late. What was reminded of before it was answered counts for the day.

use super::course::Course;
use super::due::{Given, Situation};
use super::local_calendar::{LocalCalendar, MINUTE_MS};
use super::occurrence::{Excuse, Occurrence, OccurrenceName, OccurrenceState};
use super::participation::{Participation, Standing};
use super::plan::{QuietHours, ReminderRules};
use crate::limits::{
    MINUTES_PER_DAY, QUIET_ENDS_TRIED, REMINDER_WAITS_MAX_MS, REMINDERS_MAX_DAYS, REMINDERS_MAX_PER_DAY,
};
use std::collections::{BTreeMap, BTreeSet};
use ward_id::TimestampMs;

/// What a reminder says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReminderKind {
    /// A questionnaire waits.
    Open,
    /// It waits, and this is the last day on which it is in time.
    LastDay,
    /// It is late, and may still be answered.
    Late,
}

impl ReminderKind {
    /// The key of its text in the app's translations.
    #[must_use]
    pub const fn text_key(self) -> &'static str {
        match self {
            Self::Open => "reminder.open",
            Self::LastDay => "reminder.last-day",
            Self::Late => "reminder.late",
        }
    }
}

/// One reminder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reminder {
    /// When.
    pub at: TimestampMs,
    /// The address of the questionnaire.
    pub instrument: String,
    /// The planned time.
    pub occurrence: OccurrenceName,
    /// What it says.
    pub kind: ReminderKind,
}

/// The site is told that so many were missed in a row. It tells of one row once, however long it gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Escalation {
    /// When the row got long enough, or will if nobody answers.
    pub at: TimestampMs,
    /// The address of the questionnaire.
    pub instrument: String,
    /// The first one missed.
    pub since: OccurrenceName,
    /// The one that makes the row long enough.
    pub reached: OccurrenceName,
    /// How many make a row.
    pub missed: u32,
}

impl Escalation {
    /// The key of its text in the app's translations.
    pub const TEXT_KEY: &'static str = "escalation.missed";
}

/// What a device has to do in the coming days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReminderPlan {
    /// Reminders, in order.
    pub reminders: Vec<Reminder>,
    /// Rows of missed ones, in order: those of the past, and those to come if nobody answers.
    pub escalations: Vec<Escalation>,
}

/// A questionnaire of a participant, for reminders.
#[derive(Debug, Clone, Copy)]
pub struct Reminded<'a> {
    /// The address of the questionnaire.
    pub instrument: &'a str,
    /// Its schedules.
    pub course: &'a Course,
    /// The answers to it.
    pub given: &'a [Given],
}

/// Plans the reminders from `now` to the end of the day that is so many days ahead, over all
/// questionnaires of a participant.
#[must_use]
pub fn plan_reminders(
    reminded: &[Reminded<'_>],
    calendar: &LocalCalendar,
    participation: &Participation,
    now: TimestampMs,
    days: u16,
) -> ReminderPlan {
    let days = days.min(REMINDERS_MAX_DAYS);
    let today = calendar.day_at(now);
    let end = calendar.start_of(today.saturating_add(i64::from(days)).saturating_add(1));
    let mut plan = ReminderPlan::default();
    let mut days_wanted: BTreeMap<i64, DayWishes> = BTreeMap::new();
    for (number, one) in reminded.iter().enumerate() {
        let Some(rules) = one.course.newest().and_then(|schedule| schedule.reminders()) else { continue };
        let situation = Situation { calendar, participation, given: one.given };
        // One day more: what opens after it may be reminded of in its first minutes.
        let list = one.course.due_list(&situation, now, days.saturating_add(1));
        plan.escalations.extend(escalations(one.instrument, rules, &list.occurrences, end));
        for occurrence in list.occurrences.iter().filter(|occurrence| may_wish(occurrence)) {
            let answer = occurrence.state.answer().and_then(|place| one.given.get(place));
            let until = answer.map_or(end, |answer| answer.at.min(end));
            // From yesterday on, with what closed or was answered since then: so the cap of a day is spent
            // alike whenever on that day it is computed.
            let wishes = wishes(rules, occurrence, calendar, (today.saturating_sub(1), until));
            for wish in wishes.into_iter().filter(|wish| participation.at(wish.at) == Standing::Active) {
                let day = days_wanted.entry(calendar.day_at(wish.at)).or_default();
                day.take(number, rules.per_day, wish);
            }
        }
    }
    for day in days_wanted.into_values() {
        let of_day = day.first_ones().filter(|(_, wish)| wish.at > now && wish.at < end);
        plan.reminders.extend(of_day.filter_map(|(number, wish)| {
            let Wish { at, occurrence, kind, .. } = wish;
            Some(Reminder { at, instrument: reminded.get(number)?.instrument.to_owned(), occurrence, kind })
        }));
    }
    plan.reminders.sort();
    plan.escalations.sort();
    plan
}

/// Whether a planned time is, or was, reason for reminders.
const fn may_wish(occurrence: &Occurrence) -> bool {
    let is_answered = occurrence.state.answer().is_some();
    match occurrence.excuse {
        None => true,
        // Nobody owes it, and it is asked for while it can be answered.
        Some(Excuse::PlannedTooLate) => !matches!(occurrence.state, OccurrenceState::NotOwed(_)),
        Some(_) => is_answered,
    }
}

/// A reminder before the cap of its day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    /// Which of its planned time on its day, from 0.
    rank: usize,
    at: TimestampMs,
    due_until: TimestampMs,
    occurrence: OccurrenceName,
    kind: ReminderKind,
}

/// The reminders that are wanted on one day.
#[derive(Default)]
struct DayWishes {
    /// The least cap of those who wish something on this day.
    cap: Option<u8>,
    /// With the number of the questionnaire.
    wishes: Vec<(usize, Wish)>,
}

impl DayWishes {
    fn take(&mut self, number: usize, per_day: u8, wish: Wish) {
        self.cap = Some(self.cap.map_or(per_day, |cap| cap.min(per_day)));
        self.wishes.push((number, wish));
        // More than the highest cap are never shown.
        let most = usize::from(REMINDERS_MAX_PER_DAY);
        if self.wishes.len() > most.saturating_mul(2) {
            self.sort();
            self.wishes.truncate(most);
        }
    }

    fn sort(&mut self) {
        let key = |(number, wish): &(usize, Wish)| {
            (wish.rank, wish.kind == ReminderKind::Late, wish.due_until, wish.at, *number)
        };
        self.wishes.sort_by(|left, right| {
            key(left).cmp(&key(right)).then_with(|| left.1.occurrence.cmp(&right.1.occurrence))
        });
    }

    /// Those that the cap leaves.
    fn first_ones(mut self) -> impl Iterator<Item = (usize, Wish)> {
        self.sort();
        self.wishes.into_iter().take(usize::from(self.cap.unwrap_or_default()))
    }
}

/// The reminders of one planned time, from a day on to an instant.
pub(super) fn wishes(
    rules: &ReminderRules,
    occurrence: &Occurrence,
    calendar: &LocalCalendar,
    (first_day, end): (i64, TimestampMs),
) -> Vec<Wish> {
    let mut instants: BTreeSet<TimestampMs> = BTreeSet::new();
    let window = occurrence.opens_at..occurrence.closes_at.min(end);
    let mut add = |at: TimestampMs| {
        if window.contains(&at) {
            let moved = after_quiet(at, rules.quiet, calendar);
            instants.extend(moved.filter(|moved| window.contains(moved)));
        }
    };
    if rules.at_opening {
        add(occurrence.opens_at);
    }
    let mut day = calendar.day_at(occurrence.opens_at).max(first_day);
    while calendar.start_of(day) < window.end {
        rules.times.iter().for_each(|time| add(calendar.first_at(day, *time)));
        day = day.saturating_add(1);
    }
    let mut ranks: BTreeMap<i64, usize> = BTreeMap::new();
    let wish = |at: TimestampMs| {
        let rank = ranks.entry(calendar.day_at(at)).or_default();
        let wish = Wish {
            rank: *rank,
            at,
            due_until: occurrence.due_until,
            occurrence: occurrence.name.clone(),
            kind: kind_at(at, occurrence, calendar),
        };
        *rank = rank.saturating_add(1);
        wish
    };
    instants.into_iter().map(wish).collect()
}

fn kind_at(at: TimestampMs, occurrence: &Occurrence, calendar: &LocalCalendar) -> ReminderKind {
    if at >= occurrence.due_until {
        ReminderKind::Late
    } else if calendar.day_at(at) == calendar.day_at(occurrence.due_until.plus_ms(-1)) {
        ReminderKind::LastDay
    } else {
        ReminderKind::Open
    }
}

/// The instant itself, or the end of the quiet hours in which it lies; `None` if no end comes soon.
fn after_quiet(at: TimestampMs, quiet: Option<QuietHours>, calendar: &LocalCalendar) -> Option<TimestampMs> {
    let mut moved = at;
    for _ in 0..QUIET_ENDS_TRIED {
        let (day, time) = calendar.shown_at(moved);
        let Some(quiet) = quiet.filter(|quiet| quiet.hold(time)) else {
            return (moved.since_ms(at) <= REMINDER_WAITS_MAX_MS).then_some(moved);
        };
        // Quiet hours end later on the same day, or on the next.
        let day = if quiet.to <= time { day.saturating_add(1) } else { day };
        let end = calendar.first_at(day, quiet.to);
        // A clock that shows an hour again comes to the end a second time.
        let wait_minutes = (quiet.to.minutes() + MINUTES_PER_DAY - time.minutes()) % MINUTES_PER_DAY;
        let into_minute_ms = moved.0.rem_euclid(MINUTE_MS);
        let again =
            moved.plus_ms(i64::from(wait_minutes).saturating_mul(MINUTE_MS).saturating_sub(into_minute_ms));
        moved = if end > moved { end } else { again };
    }
    None
}

/// The rows of missed ones up to an instant, as if nobody answered any more.
fn escalations(
    instrument: &str,
    rules: &ReminderRules,
    occurrences: &[Occurrence],
    end: TimestampMs,
) -> Vec<Escalation> {
    let Some(limit) = rules.escalate_after_missed else { return Vec::new() };
    let mut expected: Vec<&Occurrence> = occurrences.iter().filter(|one| one.excuse.is_none()).collect();
    expected.sort_by_key(|one| (one.planned_day, one.closes_at, one.opens_at));
    let mut out = Vec::new();
    let mut row: Vec<&Occurrence> = Vec::new();
    for occurrence in expected {
        match occurrence.state {
            OccurrenceState::Completed(_) | OccurrenceState::CompletedLate { after_close: false, .. } => {
                row.clear();
            }
            // What was answered after its close was missed until then.
            _ => row.push(occurrence),
        }
        let is_reached = u32::try_from(row.len()).is_ok_and(|length| length == limit);
        let (Some(first), true) = (row.first(), is_reached && occurrence.closes_at <= end) else { continue };
        out.push(Escalation {
            at: occurrence.closes_at,
            instrument: instrument.to_owned(),
            since: first.name.clone(),
            reached: occurrence.name.clone(),
            missed: limit,
        });
    }
    out
}
