//! What is wrong with a schedule, before anybody is asked by it.

use super::course::Course;
use super::due::Situation;
use super::local_calendar::LocalCalendar;
use super::local_time::LocalTime;
use super::occurrence::{Occurrence, OccurrenceName, is_name};
use super::participation::Participation;
use super::plan::{Anchor, ReminderRules, RepeatDays, Schedule, ScheduledItem, Timing};
use super::reminders::wishes;
use crate::Severity;
use crate::limits::{
    MAX_MISSED_IN_A_ROW, REMINDERS_MAX_PER_DAY, SCHEDULE_DAYS, SCHEDULE_MAX_ANCHORS, SCHEDULE_MAX_CYCLES,
    SCHEDULE_MAX_DAYS, SCHEDULE_MAX_ITEMS, SCHEDULE_MAX_OCCURRENCES, SCHEDULE_MAX_OPEN,
    SCHEDULE_MAX_STEP_DAYS, SCHEDULE_MAX_TIMES,
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Where an anchor is put for the checks while nobody knows its day: 2026-01-01.
const STAND_IN_DAY: i64 = 20_454;
/// All seven days of the week.
const ALL_WEEKDAYS: u8 = 0b111_1111;

/// What is wrong with a schedule. Its author has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleFault {
    /// More than the named limit, or none where there must be one.
    #[error("{0} are none or too many")]
    Count(&'static str),
    /// A number outside its limits, or a time that no clock shows.
    #[error("{at}: {what} is out of range")]
    Range {
        /// The item, the anchor, or the reminders.
        at: String,
        /// What.
        what: &'static str,
    },
    /// A name that is not small letters, digits and hyphens with a letter first.
    #[error("“{0}” is no name: it needs small letters, digits and hyphens, a letter first")]
    Name(String),
    /// One name for two items or two anchors.
    #[error("“{0}” is the name of two")]
    NameTwice(String),
    /// An anchor that the schedule does not have.
    #[error("{item}: there is no anchor “{anchor}”")]
    UnknownAnchor {
        /// The item.
        item: String,
        /// The anchor.
        anchor: String,
    },
    /// A window that closes before it opens.
    #[error("{0}: its window closes before it opens")]
    ClosesBeforeItOpens(String),
    /// A window whose last day in time lies outside it.
    #[error("{0}: the day on which it is due lies outside its window")]
    DueOutsideWindow(String),
    /// Several times of one day need a window in time of that day alone.
    #[error("{0}: with several times a day, its window can neither open before that day nor be due after it")]
    TimesOverDays(String),
    /// Times of a day that do not ascend.
    #[error("{0}: its times do not ascend")]
    TimesOutOfOrder(String),
    /// More planned times than one schedule may have.
    #[error("it plans {count} times, of at most {SCHEDULE_MAX_OCCURRENCES}")]
    TooManyOccurrences {
        /// How many.
        count: u64,
    },
    /// Two planned times of the questionnaire are in time at once.
    #[error("the windows of {first} and {second} overlap: both would be asked at once")]
    WindowsOverlap {
        /// The one that opens first.
        first: OccurrenceName,
        /// The other.
        second: OccurrenceName,
    },
    /// A visit on a day after its cycle ends.
    #[error("{0}: its day lies outside the cycle")]
    DayOutsideCycle(String),
    /// A later cycle that begins before an earlier one.
    #[error("{0}: its cycles do not begin one after the other")]
    CyclesOutOfOrder(String),
    /// Quiet hours leave no reminder of an item.
    #[error("{0}: quiet hours swallow every reminder")]
    QuietHoursSwallow(String),
    /// No reminder falls into the windows of an item.
    #[error("{0}: no reminder falls into its window")]
    NoReminder(String),
    /// No phone reminds of anything.
    #[error("it has no reminders: no phone will remind of it")]
    NoReminders,
    /// A reminder at the opening of a window that opens at midnight, without quiet hours.
    #[error("{0}: its window opens at midnight, and without quiet hours it is reminded of then")]
    NightReminder(String),
    /// Two items plan the same days; only the first is asked there.
    #[error("{first} and {second} meet on {day}: only {first} is asked then")]
    SameDay {
        /// The item that is asked.
        first: String,
        /// The other.
        second: String,
        /// The first such day.
        day: OccurrenceName,
    },
    /// More planned times of one item wait at once than anybody answers.
    #[error("{item}: up to {count} planned times of it wait at once, of at most {SCHEDULE_MAX_OPEN}")]
    TooManyOpen {
        /// The item.
        item: String,
        /// How many.
        count: u64,
    },
    /// An anchor whose day nobody knows yet: nothing is planned from it.
    #[error("the day of {0} is not set yet: nothing is planned from it")]
    AnchorNotSet(String),
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleFinding {
    /// A schedule with an error is not given to participants.
    pub severity: Severity,
    /// What is wrong.
    pub fault: ScheduleFault,
}

fn error(fault: ScheduleFault) -> ScheduleFinding {
    ScheduleFinding { severity: Severity::Error, fault }
}

fn warning(fault: ScheduleFault) -> ScheduleFinding {
    ScheduleFinding { severity: Severity::Warning, fault }
}

impl Schedule {
    /// Everything that is wrong with the schedule, or worth a second look.
    #[must_use]
    pub fn check(&self) -> Vec<ScheduleFinding> {
        let mut findings = self.faults();
        for anchor in &self.anchors {
            if anchor.day.is_none() {
                findings.push(warning(ScheduleFault::AnchorNotSet(anchor.name.clone())));
            }
        }
        if findings.iter().all(|finding| finding.severity != Severity::Error) {
            let planned = self.with_stand_ins();
            findings.extend(planned.cycle_findings());
            findings.extend(planned.overlaps());
            findings.extend(planned.meetings());
            findings.extend(self.items.iter().filter_map(ScheduledItem::open_finding));
            findings.extend(planned.reminder_findings());
        }
        findings
    }

    /// What no app could follow: stored bytes with any of it are refused.
    pub(super) fn faults(&self) -> Vec<ScheduleFinding> {
        let mut faults = Vec::new();
        if self.items.is_empty() || self.items.len() > SCHEDULE_MAX_ITEMS {
            faults.push(ScheduleFault::Count("the items"));
        }
        if self.anchors.is_empty() || self.anchors.len() > SCHEDULE_MAX_ANCHORS {
            faults.push(ScheduleFault::Count("the anchors"));
        }
        if self.revision == 0 || self.holds_from.is_some_and(|day| !SCHEDULE_DAYS.contains(&day)) {
            faults.push(range("the schedule", "its revision or first day"));
        }
        self.anchors.iter().for_each(|anchor| anchor.faults(&mut faults));
        self.items.iter().for_each(|item| item.faults(self, &mut faults));
        if let Some(rules) = &self.reminders {
            rules.faults(&mut faults);
        }
        let names = [
            self.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(),
            self.anchors.iter().map(|anchor| anchor.name.as_str()).collect(),
        ];
        for names in names {
            let mut known = BTreeSet::new();
            let twice = names.into_iter().filter(|name| !known.insert(*name));
            faults.extend(twice.map(|name| ScheduleFault::NameTwice(name.to_owned())));
        }
        let count = self.items.iter().map(ScheduledItem::count).fold(0, u64::saturating_add);
        if count > SCHEDULE_MAX_OCCURRENCES {
            faults.push(ScheduleFault::TooManyOccurrences { count });
        }
        faults.into_iter().map(error).collect()
    }

    /// The same schedule for ever, with a day for every anchor.
    fn with_stand_ins(&self) -> Self {
        let mut out = Self { holds_from: None, ..self.clone() };
        // An end that nobody knows yet ends nothing.
        let is_set = |name: &String| self.anchor(name).is_some_and(|anchor| anchor.day.is_some());
        out.items.iter_mut().for_each(|item| item.until = item.until.take().filter(is_set));
        out.anchors.iter_mut().for_each(|anchor| anchor.day = anchor.day.or(Some(STAND_IN_DAY)));
        out
    }

    fn cycle_findings(&self) -> Vec<ScheduleFinding> {
        let mut out = Vec::new();
        for item in &self.items {
            let (Timing::Cycle { day, length_days, count }, Some(anchor)) =
                (&item.timing, self.anchor(&item.anchor))
            else {
                continue;
            };
            if *day < 0 || *day >= i32::from(*length_days) {
                out.push(warning(ScheduleFault::DayOutsideCycle(item.id.clone())));
            }
            let starts = (1..=count.unwrap_or(SCHEDULE_MAX_CYCLES))
                .map(|cycle| anchor.cycle_start(cycle, *length_days))
                .collect::<Vec<_>>();
            if !starts.is_sorted_by(|earlier, later| earlier < later) {
                out.push(error(ScheduleFault::CyclesOutOfOrder(item.id.clone())));
            }
        }
        out
    }

    /// Planned times that are in time at once: an error within one item, for then it is always so.
    fn overlaps(&self) -> Vec<ScheduleFinding> {
        let course = Course::new([self.clone()]);
        let visits = course.visits().into_iter().filter_map(|(name, places)| Some((name, *places.first()?)));
        let mut windows: Vec<(i64, i64, usize, OccurrenceName)> = course
            .days(SCHEDULE_DAYS.end)
            .into_iter()
            .chain(visits)
            .filter_map(|(name, place)| {
                let window = course.item(&place)?.window;
                let on = |days: i16| place.day.saturating_add(i64::from(days));
                Some((on(window.opens), on(window.due), place.item, name))
            })
            .collect();
        windows.sort();
        let mut known = BTreeSet::new();
        let mut out = Vec::new();
        // Of each item the window that reaches furthest.
        let mut furthest: BTreeMap<usize, (i64, OccurrenceName)> = BTreeMap::new();
        for (opens, due, item, name) in windows {
            for (other, (until, first)) in &furthest {
                let pair = (*other.min(&item), *other.max(&item));
                if opens <= *until && !is_same_day(first, &name) && known.insert(pair) {
                    let fault = ScheduleFault::WindowsOverlap { first: first.clone(), second: name.clone() };
                    out.push(if *other == item { error(fault) } else { warning(fault) });
                }
            }
            if furthest.get(&item).is_none_or(|(until, _)| due > *until) {
                furthest.insert(item, (due, name));
            }
        }
        out
    }

    /// Repeats that plan the same day: only one of them is asked. With several times of a day that leaves
    /// out some of them and not others.
    fn meetings(&self) -> Vec<ScheduleFinding> {
        let mut asked: BTreeMap<i64, &ScheduledItem> = BTreeMap::new();
        let mut known = BTreeSet::new();
        let mut out = Vec::new();
        for item in &self.items {
            let course = Course::new([Self { items: vec![item.clone()], ..self.clone() }]);
            let days = course.days(SCHEDULE_DAYS.end).into_iter().filter(|(_, place)| place.slot == 0);
            for (name, place) in days {
                let Some(first) = asked.get(&place.day).copied() else {
                    asked.insert(place.day, item);
                    continue;
                };
                if known.insert((first.id.as_str(), item.id.as_str())) {
                    let is_plain = first.slots() == 1 && item.slots() == 1;
                    let (first, second) = (first.id.clone(), item.id.clone());
                    let fault = ScheduleFault::SameDay { first, second, day: name };
                    out.push(if is_plain { warning(fault) } else { error(fault) });
                }
            }
        }
        out
    }

    fn reminder_findings(&self) -> Vec<ScheduleFinding> {
        let Some(rules) = &self.reminders else { return vec![warning(ScheduleFault::NoReminders)] };
        let loud = ReminderRules { quiet: None, ..rules.clone() };
        let calendar = LocalCalendar::of_zone(TimeZone::UTC);
        let end = calendar.start_of(SCHEDULE_DAYS.end);
        // All times of the first day: on every other it is the same.
        let first_of = |item: &ScheduledItem| -> Vec<Occurrence> {
            let alone = Self { items: vec![item.clone()], ..self.clone() };
            let situation =
                Situation { calendar: &calendar, participation: &Participation::default(), given: &[] };
            let course = Course::new([alone]);
            let Some(first) = first_name(&course) else { return Vec::new() };
            let list = course.due_list(&situation, calendar.start_of(first.1), 0);
            let is_first = |one: &Occurrence| one.name == first.0 || is_same_day(&one.name, &first.0);
            list.occurrences.into_iter().filter(is_first).collect()
        };
        let count = |rules: &ReminderRules, one: &Occurrence| {
            wishes(rules, one, &calendar, (SCHEDULE_DAYS.start, end)).len()
        };
        let mut out = Vec::new();
        for item in &self.items {
            let first = first_of(item);
            for one in &first {
                let named = || match first.len() {
                    0 | 1 => item.id.clone(),
                    _ => format!("{} at {}", item.id, calendar.shown_at(one.opens_at).1),
                };
                match (count(rules, one), count(&loud, one)) {
                    (0, 0) => out.push(warning(ScheduleFault::NoReminder(named()))),
                    (0, _) => out.push(error(ScheduleFault::QuietHoursSwallow(named()))),
                    _ => {}
                }
            }
            let at_midnight = |one: &Occurrence| calendar.shown_at(one.opens_at).1 == LocalTime::MIDNIGHT;
            if rules.at_opening && rules.quiet.is_none() && first.iter().any(at_midnight) {
                out.push(error(ScheduleFault::NightReminder(item.id.clone())));
            }
        }
        out
    }
}

/// The first planned time, and a day on which it is planned or that lies before its window.
fn first_name(course: &Course) -> Option<(OccurrenceName, i64)> {
    let visit = course.visits().into_iter().filter_map(|(name, places)| Some((name, places.first()?.day)));
    let days = course.days(SCHEDULE_DAYS.end).into_iter().map(|(name, place)| (name, place.day));
    // The window may open after the planned day.
    let late = i64::from(SCHEDULE_MAX_STEP_DAYS);
    days.chain(visit).min_by_key(|(_, day)| *day).map(|(name, day)| (name, day.saturating_add(late)))
}

fn is_same_day(left: &OccurrenceName, right: &OccurrenceName) -> bool {
    match (left, right) {
        (OccurrenceName::Day { day: left, .. }, OccurrenceName::Day { day: right, .. }) => left == right,
        _ => false,
    }
}

fn range(at: &str, what: &'static str) -> ScheduleFault {
    ScheduleFault::Range { at: at.to_owned(), what }
}

impl Anchor {
    fn faults(&self, faults: &mut Vec<ScheduleFault>) {
        if !is_name(&self.name) {
            faults.push(ScheduleFault::Name(self.name.clone()));
        }
        let days = self.day.iter().chain(self.cycle_starts.iter().map(|start| &start.day));
        if days.into_iter().any(|day| !SCHEDULE_DAYS.contains(day)) {
            faults.push(range(&self.name, "its day"));
        }
        let cycles: Vec<u16> = self.cycle_starts.iter().map(|start| start.cycle).collect();
        let in_order = cycles.is_sorted_by(|earlier, later| earlier < later);
        if !in_order || cycles.iter().any(|cycle| !(1..=SCHEDULE_MAX_CYCLES).contains(cycle)) {
            faults.push(range(&self.name, "a cycle"));
        }
    }
}

impl RepeatDays {
    /// On how many of so many days in a row it falls at most.
    fn hits(self, days: u64) -> u64 {
        match self {
            Self::Every(step) => days.div_ceil(u64::from(step.max(1))),
            Self::Weekdays(on) => days.div_ceil(7).saturating_mul(u64::from(on.count_ones())).min(days),
        }
    }
}

impl ScheduledItem {
    /// How many times it plans at most.
    fn count(&self) -> u64 {
        match &self.timing {
            Timing::Visit { .. } => 1,
            Timing::Cycle { count, .. } => u64::from(count.unwrap_or(SCHEDULE_MAX_CYCLES)),
            Timing::Repeat { on, days, times, .. } => {
                let days = u64::from(days.unwrap_or(SCHEDULE_MAX_DAYS));
                on.hits(days).saturating_mul(times.len().max(1) as u64)
            }
        }
    }

    /// Whether so many of its planned times wait at once that nobody answers them.
    fn open_finding(&self) -> Option<ScheduleFinding> {
        let Timing::Repeat { on, times, .. } = &self.timing else { return None };
        let window = i64::from(self.window.closes) - i64::from(self.window.opens) + 1;
        let window = u64::try_from(window).unwrap_or_default();
        let count = on.hits(window).saturating_mul(times.len().max(1) as u64);
        let fault = ScheduleFault::TooManyOpen { item: self.id.clone(), count };
        (count > SCHEDULE_MAX_OPEN).then(|| error(fault))
    }

    fn faults(&self, schedule: &Schedule, faults: &mut Vec<ScheduleFault>) {
        if !is_name(&self.id) {
            faults.push(ScheduleFault::Name(self.id.clone()));
        }
        for anchor in std::iter::once(&self.anchor).chain(&self.until) {
            if schedule.anchor(anchor).is_none() {
                faults.push(ScheduleFault::UnknownAnchor { item: self.id.clone(), anchor: anchor.clone() });
            }
        }
        let window = self.window;
        let furthest = i32::from(SCHEDULE_MAX_STEP_DAYS);
        if [window.opens, window.due, window.closes].iter().any(|days| i32::from(*days).abs() > furthest) {
            faults.push(range(&self.id, "its window"));
        }
        if window.closes < window.opens {
            faults.push(ScheduleFault::ClosesBeforeItOpens(self.id.clone()));
        } else if window.due < window.opens || window.due > window.closes {
            faults.push(ScheduleFault::DueOutsideWindow(self.id.clone()));
        }
        self.timing_faults(faults);
    }

    fn timing_faults(&self, faults: &mut Vec<ScheduleFault>) {
        let (Timing::Visit { day } | Timing::Cycle { day, .. } | Timing::Repeat { day, .. }) = &self.timing;
        if day.unsigned_abs() > u32::from(SCHEDULE_MAX_DAYS) {
            faults.push(range(&self.id, "its day"));
        }
        let steps = 1..=SCHEDULE_MAX_STEP_DAYS;
        match &self.timing {
            Timing::Visit { .. } => {}
            Timing::Cycle { length_days, count, .. } => {
                if !steps.contains(length_days) {
                    faults.push(range(&self.id, "the length of its cycle"));
                }
                if count.is_some_and(|count| !(1..=SCHEDULE_MAX_CYCLES).contains(&count)) {
                    faults.push(range(&self.id, "the number of its cycles"));
                }
            }
            Timing::Repeat { on, days, times, .. } => {
                let is_on = match on {
                    RepeatDays::Every(step) => (1..=SCHEDULE_MAX_DAYS).contains(step),
                    RepeatDays::Weekdays(days) => (1..=ALL_WEEKDAYS).contains(days),
                };
                if !is_on || days.is_some_and(|days| !(1..=SCHEDULE_MAX_DAYS).contains(&days)) {
                    faults.push(range(&self.id, "its repeat"));
                }
                if times.len() > SCHEDULE_MAX_TIMES || times.iter().any(|time| !time.is_on_a_clock()) {
                    faults.push(range(&self.id, "a time of the day"));
                }
                if !times.is_sorted_by(|earlier, later| earlier < later) {
                    faults.push(ScheduleFault::TimesOutOfOrder(self.id.clone()));
                }
                if times.len() > 1 && (self.window.opens != 0 || self.window.due != 0) {
                    faults.push(ScheduleFault::TimesOverDays(self.id.clone()));
                }
            }
        }
    }
}

impl ReminderRules {
    fn faults(&self, faults: &mut Vec<ScheduleFault>) {
        let at = "the reminders";
        if !self.at_opening && self.times.is_empty() || self.times.len() > SCHEDULE_MAX_TIMES {
            faults.push(ScheduleFault::Count("the times of reminders"));
        }
        if !self.times.is_sorted_by(|earlier, later| earlier < later) {
            faults.push(ScheduleFault::TimesOutOfOrder(at.to_owned()));
        }
        let quiet = self.quiet.iter().flat_map(|quiet| [quiet.from, quiet.to]);
        if self.times.iter().copied().chain(quiet).any(|time| !time.is_on_a_clock()) {
            faults.push(range(at, "a time of the day"));
        }
        if self.quiet.is_some_and(|quiet| quiet.from == quiet.to) {
            faults.push(range(at, "the quiet time"));
        }
        if !(1..=REMINDERS_MAX_PER_DAY).contains(&self.per_day) {
            faults.push(range(at, "the number of a day"));
        }
        if self.escalate_after_missed.is_some_and(|missed| !(1..=MAX_MISSED_IN_A_ROW).contains(&missed)) {
            faults.push(range(at, "the number of missed ones"));
        }
    }
}
