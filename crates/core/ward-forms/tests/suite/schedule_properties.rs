//! Schedules against a reference that walks through time in steps of 15 minutes and knows no formula:
//! random schedules, amendments, moved anchors, zones, travels, pauses, answers.

use jiff::Timestamp;
use jiff::civil::date;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::schedule::{
    AdherenceCounts, Course, EndReason, Excuse, Given, LocalCalendar, Occurrence, OccurrenceState,
    Participation, Schedule, Situation, Standing, TimeZone, adherence,
};
use ward_id::TimestampMs;

const STEP_MS: i64 = 15 * 60_000;
const DAY_MS: i64 = 86_400_000;
/// Days of which the reference knows the clock.
const DAYS: i64 = 60;
/// Days before and after those that are planned.
const MARGIN: i64 = 12;
const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Pacific/Honolulu",
];

// ---- the story that is drawn ----

#[derive(Debug, Clone)]
struct Item {
    id: &'static str,
    anchor: usize,
    day: i64,
    timing: Timing,
    window: (i64, i64, i64),
}

#[derive(Debug, Clone)]
enum Timing {
    Visit,
    Cycle { length: i64, count: i64 },
    Every { step: i64, days: i64, times: Vec<&'static str> },
    Weekdays { on: BTreeSet<usize>, days: i64 },
}

#[derive(Debug, Clone)]
struct Revision {
    from: i64,
    anchors: [i64; 2],
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
struct Story {
    first: i64,
    revisions: Vec<Revision>,
    travels: Vec<(i64, usize)>,
    standings: Vec<(i64, Standing)>,
    answers: Vec<(String, i64)>,
}

fn window(is_slots: bool) -> BoxedStrategy<(i64, i64, i64)> {
    let wide = (-2_i64..=1, 0_i64..=2, 0_i64..=2).prop_map(|(opens, due, closes)| {
        let due = opens + due;
        (opens, due, due + closes)
    });
    if is_slots { (0_i64..=2).prop_map(|closes| (0, 0, closes)).boxed() } else { wide.boxed() }
}

fn repeat() -> BoxedStrategy<Item> {
    let times = prop_oneof![
        Just(vec![]),
        Just(vec!["20:00"]),
        Just(vec!["02:15", "02:30"]),
        Just(vec!["00:00", "01:45", "13:00"])
    ];
    let every = (1_i64..5, 1_i64..40, times)
        .prop_flat_map(|(step, days, times)| {
            window(times.len() > 1)
                .prop_map(move |window| (window, Timing::Every { step, days, times: times.clone() }))
        })
        .boxed();
    let weekdays = (proptest::collection::btree_set(0_usize..7, 1..4), 1_i64..40, window(false))
        .prop_map(|(on, days, window)| (window, Timing::Weekdays { on, days }))
        .boxed();
    (prop_oneof![3 => every, 1 => weekdays], 0_usize..2, -3_i64..6)
        .prop_map(|((window, timing), anchor, day)| Item { id: "diary", anchor, day, timing, window })
        .boxed()
}

fn visit(id: &'static str) -> BoxedStrategy<Item> {
    (0_usize..2, -2_i64..30, window(false))
        .prop_map(move |(anchor, day, window)| Item { id, anchor, day, timing: Timing::Visit, window })
        .boxed()
}

fn cycle() -> BoxedStrategy<Item> {
    (0_usize..2, 0_i64..7, 7_i64..12, 1_i64..4, window(false))
        .prop_map(|(anchor, day, length, count, window)| Item {
            id: "cycle",
            anchor,
            day,
            timing: Timing::Cycle { length, count },
            window,
        })
        .boxed()
}

fn revision(first: i64) -> BoxedStrategy<Revision> {
    let some = (
        proptest::option::weighted(0.8, repeat()),
        proptest::option::weighted(0.7, visit("visit-1")),
        proptest::option::weighted(0.5, visit("visit-2")),
        proptest::option::weighted(0.6, cycle()),
    );
    let items = some.prop_map(|(a, b, c, d)| [a, b, c, d].into_iter().flatten().collect::<Vec<_>>());
    let items = items.prop_filter("a schedule has items", |items| !items.is_empty());
    (0_i64..30, 0_i64..15, 0_i64..15, items)
        .prop_map(move |(from, one, other, items)| Revision {
            from: first + from,
            anchors: [first + one, first + other],
            items,
        })
        .boxed()
}

fn story() -> BoxedStrategy<Story> {
    let starts = prop_oneof![
        Just(date(2026, 3, 1)),
        Just(date(2026, 10, 1)),
        Just(date(2011, 12, 15)),
        Just(date(2026, 1, 28))
    ];
    let epoch = date(1970, 1, 1);
    starts
        .prop_map(move |start| i64::from((start - epoch).get_days()))
        .prop_flat_map(|first| {
            let steps = 0_i64..(DAYS * 96);
            let instant = move |step: i64| first * DAY_MS + step * STEP_MS;
            let standing = prop_oneof![
                3 => Just(Standing::Active),
                3 => Just(Standing::Paused),
                1 => Just(Standing::Ended(EndReason::Withdrawn)),
                1 => Just(Standing::Ended(EndReason::Completed))
            ];
            let name = prop_oneof![
                6 => (0_i64..45, 1_u8..4).prop_map(move |(day, slot)| day_name(first + day, slot)),
                2 => prop_oneof![Just("visit-1"), Just("visit-2"), Just("cycle/1"), Just("cycle/2"), Just("cycle/3")]
                    .prop_map(str::to_owned),
                1 => Just("nonsense!".to_owned())
            ];
            (
                vec(revision(first), 1..4),
                vec((steps.clone(), 0..ZONES.len()), 0..4),
                vec((steps.clone(), standing), 0..4),
                vec((name, steps), 0..25),
            )
                .prop_map(move |(revisions, travels, standings, answers)| Story {
                    first,
                    revisions,
                    travels: travels.into_iter().map(|(step, zone)| (instant(step), zone)).collect(),
                    standings: standings.into_iter().map(|(step, standing)| (instant(step), standing)).collect(),
                    answers: answers.into_iter().map(|(name, step)| (name, instant(step))).collect(),
                })
        })
        .boxed()
}

fn day_name(day: i64, slot: u8) -> String {
    let text = date_text(day);
    if slot > 1 { format!("{text}/{slot}") } else { text }
}

fn date_text(day: i64) -> String {
    Timestamp::from_millisecond(day * DAY_MS).unwrap().strftime("%Y-%m-%d").to_string()
}

impl Revision {
    fn schedule(&self) -> Schedule {
        let names = ["one", "other"];
        let item = |item: &Item| {
            let (opens, due, closes) = item.window;
            let mut out = json!({"id": item.id, "anchor": names[item.anchor], "day": item.day,
                "window": {"opens": opens, "due": due, "closes": closes}});
            match &item.timing {
                Timing::Visit => {}
                Timing::Cycle { length, count } => out["cycle"] = json!({"length": length, "count": count}),
                Timing::Every { step, days, times } => {
                    out["repeat"] = json!({"everyDays": step, "days": days});
                    if !times.is_empty() {
                        out["repeat"]["times"] = json!(times);
                    }
                }
                Timing::Weekdays { on, days } => {
                    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                    let on: Vec<&str> = on.iter().map(|day| names[*day]).collect();
                    out["repeat"] = json!({"weekdays": on, "days": days});
                }
            }
            out
        };
        let anchors: Vec<Value> = names
            .iter()
            .zip(self.anchors)
            .map(|(name, day)| json!({"name": name, "date": date_text(day)}))
            .collect();
        let file = json!({"format": "ward/schedule", "version": 1, "revision": 1, "from": date_text(self.from),
            "anchors": anchors, "items": self.items.iter().map(item).collect::<Vec<_>>()});
        Schedule::parse(file.to_string().as_bytes()).unwrap()
    }
}

impl Story {
    fn calendar(&self) -> LocalCalendar {
        let zone = |index: usize| TimeZone::get(ZONES[index]).unwrap();
        if self.travels.is_empty() {
            return LocalCalendar::of_zone(zone(0));
        }
        LocalCalendar::of_travels(self.travels.iter().map(|(at, index)| (TimestampMs(*at), zone(*index))))
    }

    fn given(&self, until: TimestampMs) -> Vec<Given> {
        let known = self.answers.iter().filter(|(_, at)| *at <= until.0);
        known.map(|(name, at)| Given { occurrence: name.clone(), at: TimestampMs(*at), zone: None }).collect()
    }

    fn participation(&self) -> Participation {
        Participation::new(self.standings.iter().map(|(at, standing)| (TimestampMs(*at), *standing)))
    }

    /// What the crate says at an instant, with the answers given by then.
    fn list(&self, now: TimestampMs) -> ward_forms::schedule::DueList {
        let (calendar, participation, given) = (self.calendar(), self.participation(), self.given(now));
        let situation = Situation { calendar: &calendar, participation: &participation, given: &given };
        Course::new(self.revisions.iter().map(Revision::schedule)).due_list(&situation, now, 100)
    }
}

// ---- the reference ----

/// What the wall showed at each step, as milliseconds since 1970 without a zone.
struct Wall {
    begin: i64,
    /// The furthest that was shown up to each step.
    reached: Vec<i64>,
}

/// The zones that may be on the wall: that of the last sighting, and for two days before the next one that
/// of the next as well.
fn zones_at(travels: &[(i64, usize)], at: i64) -> BTreeSet<usize> {
    let before = travels.iter().rposition(|(seen, _)| *seen <= at);
    let Some(before) = before else { return BTreeSet::from([travels.first().map_or(0, |(_, zone)| *zone)]) };
    let (seen, zone) = travels[before];
    let next = travels.get(before + 1).filter(|(next, _)| at > seen && at >= next - 48 * 3_600_000);
    std::iter::once(zone).chain(next.map(|(_, zone)| *zone)).collect()
}

impl Wall {
    fn of(story: &Story) -> Self {
        let begin = (story.first - MARGIN) * DAY_MS;
        let mut travels = story.travels.clone();
        travels.sort_by_key(|(at, _)| *at);
        let zones: Vec<TimeZone> = ZONES.iter().map(|name| TimeZone::get(name).unwrap()).collect();
        // Since the zones that are possible have changed, how far each of them has come.
        let mut possible: BTreeMap<usize, i64> = BTreeMap::new();
        let mut furthest = i64::MIN;
        let reached = (0..(DAYS + 3 * MARGIN) * 96).map(|step| {
            let at = begin + step * STEP_MS;
            let known = zones_at(&travels, at);
            if !known.iter().eq(possible.keys()) {
                possible = known.into_iter().map(|zone| (zone, i64::MIN)).collect();
            }
            for (zone, shown) in &mut possible {
                let offset = zones[*zone].to_offset(Timestamp::from_millisecond(at).unwrap()).seconds();
                *shown = (*shown).max(at + i64::from(offset) * 1_000);
            }
            furthest = furthest.max(*possible.values().min().unwrap());
            furthest
        });
        Self { begin, reached: reached.collect() }
    }

    /// The first step at which the wall has shown a time of a day, or a later one.
    fn first_at(&self, day: i64, clock: &str) -> i64 {
        let (hour, minute) = clock.split_once(':').unwrap();
        let minutes = hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap();
        let wanted = day * DAY_MS + minutes * 60_000;
        self.begin + self.reached.iter().position(|shown| *shown >= wanted).unwrap() as i64 * STEP_MS
    }

    fn day_at(&self, at: i64) -> i64 {
        let step = usize::try_from((at - self.begin) / STEP_MS).unwrap();
        self.reached[step].div_euclid(DAY_MS)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Naive {
    day: i64,
    times: (i64, i64, i64),
    state: OccurrenceState,
    excuse: Option<Excuse>,
}

struct Reference<'a> {
    story: &'a Story,
    wall: Wall,
}

impl Reference<'_> {
    /// The revision that governs a day: the last written one that had begun.
    fn governing(&self, day: i64) -> Option<usize> {
        self.story.revisions.iter().rposition(|revision| revision.from <= day)
    }

    fn all(&self, now: i64) -> BTreeMap<String, Naive> {
        let mut out = BTreeMap::new();
        for day in self.story.first - MARGIN..self.story.first + 60 {
            let Some(number) = self.governing(day) else { continue };
            for item in &self.story.revisions[number].items {
                let first = self.story.revisions[number].anchors[item.anchor] + item.day;
                let weekday = (day + 3).rem_euclid(7) as usize;
                let (hits, times) = match &item.timing {
                    Timing::Every { step, days, times } => {
                        ((first..first + days).contains(&day) && (day - first) % step == 0, times.clone())
                    }
                    Timing::Weekdays { on, days } => {
                        ((first..first + days).contains(&day) && on.contains(&weekday), vec![])
                    }
                    _ => (false, vec![]),
                };
                for slot in 0..if hits { times.len().max(1) } else { 0 } {
                    let name = day_name(day, slot as u8 + 1);
                    let answers = self.answers_to(&name, now).into_iter().map(Some);
                    let judged =
                        answers.map(|answer| self.judge(item, day, &times, slot, answer, i64::MIN, now));
                    let found = judged.into_iter().find(|one| one.state.answer().is_some());
                    let nobody = || self.judge(item, day, &times, slot, None, i64::MIN, now);
                    out.insert(name, found.unwrap_or_else(nobody));
                }
            }
        }
        let named = ["visit-1", "visit-2", "cycle/1", "cycle/2", "cycle/3"];
        out.extend(named.into_iter().filter_map(|name| Some((name.to_owned(), self.visit(name, now)?))));
        out
    }

    fn visit(&self, name: &str, now: i64) -> Option<Naive> {
        let (id, cycle) = match name.split_once('/') {
            Some((id, cycle)) => (id, cycle.parse::<i64>().unwrap()),
            None => (name, 1),
        };
        let place = |revision: &Revision| {
            let item = revision.items.iter().find(|item| item.id == id)?.clone();
            let length = match item.timing {
                Timing::Cycle { length, count } if cycle <= count => length,
                Timing::Visit => 0,
                _ => return None,
            };
            Some((revision.anchors[item.anchor] + item.day + (cycle - 1) * length, item))
        };
        let places: Vec<(usize, (i64, Item))> = self
            .story
            .revisions
            .iter()
            .map(place)
            .enumerate()
            .filter_map(|(n, place)| Some((n, place?)))
            // A revision that never held puts nothing anywhere.
            .filter(|(n, _)| {
                self.story.revisions[n + 1..].iter().all(|later| later.from > self.story.revisions[*n].from)
            })
            .collect();
        let from = |n: usize| self.story.revisions[n].from;
        let window_end = |(_, (day, item)): &(usize, (i64, Item))| {
            let (mut day, mut ends) = (*day, (0, 0));
            for _ in 0..3 {
                ends = (
                    self.wall.first_at(day + item.window.0, "00:00"),
                    self.wall.first_at(day + item.window.2 + 1, "00:00"),
                );
                if ends.1 > ends.0 {
                    break;
                }
                day += 1;
            }
            ends.1
        };
        // The newest one of those that hold puts it there, or its window was open still when it began.
        let stands = |place: &(usize, (i64, Item)), holds: &dyn Fn(usize) -> bool| {
            let (n, (day, _)) = place;
            let governing = (0..self.story.revisions.len()).rev().find(|m| holds(*m) && from(*m) <= *day);
            let begins = self.wall.first_at(from(*n), "00:00");
            governing == Some(*n) || (*day < from(*n) && begins < window_end(place))
        };
        let named: Vec<(usize, i64)> = self.answers_to(name, now);
        for answer in named {
            let answered = self.wall.day_at(answer.1);
            let held = |n: usize| from(n) <= answered;
            let known: Vec<_> = places.iter().rev().filter(|(n, _)| held(*n)).collect();
            let stood = known.iter().find(|place| stands(place, &held)).or(known.first()).copied();
            let all = stood.or(places.first()).into_iter().chain(places.iter().rev());
            for place in all {
                let found = self.at_place(place, Some(answer), now);
                if found.state.answer().is_some() {
                    return Some(found);
                }
            }
        }
        let standing = places.iter().rev().find(|place| stands(place, &|_| true));
        let newest = places.last()?;
        let over = (newest.1.0 < from(newest.0)).then_some(newest);
        Some(self.at_place(standing.or(over)?, None, now))
    }

    /// A visit at one of its places, on the first day that exists.
    fn at_place(&self, place: &(usize, (i64, Item)), answer: Option<(usize, i64)>, now: i64) -> Naive {
        let (number, (day, item)) = place;
        let from = self.story.revisions[*number].from;
        // Nobody knew of what lies before its revision earlier than that began.
        let known = if *day < from { self.wall.first_at(from, "00:00") } else { i64::MIN };
        let mut out = self.judge(item, *day, &[], 0, answer, known, now);
        for later in 1..3 {
            if out.times.2 <= out.times.0 {
                out = self.judge(item, day + later, &[], 0, answer, known, now);
            }
        }
        out
    }

    /// The answers to a planned time, the first first.
    fn answers_to(&self, name: &str, now: i64) -> Vec<(usize, i64)> {
        let known = self.story.answers.iter().filter(|(_, at)| *at <= now).enumerate();
        let mut named: Vec<(usize, i64)> =
            known.filter(|(_, (named, _))| named == name).map(|(place, (_, at))| (place, *at)).collect();
        named.sort_by_key(|(place, at)| (*at, *place));
        named
    }

    fn judge(
        &self,
        item: &Item,
        day: i64,
        times: &[&str],
        slot: usize,
        answer: Option<(usize, i64)>,
        known: i64,
        now: i64,
    ) -> Naive {
        let (opens, due, closes) = item.window;
        let opens_at = self.wall.first_at(day + opens, times.get(slot).unwrap_or(&"00:00"));
        let closes_at = self.wall.first_at(day + closes + 1, "00:00");
        let mut due_until = match times.get(slot + 1) {
            Some(next) => self.wall.first_at(day + due, next),
            None => self.wall.first_at(day + due + 1, "00:00"),
        };
        if due_until <= opens_at {
            due_until = closes_at;
        }
        if known > i64::MIN && due_until <= known {
            due_until = closes_at;
        }
        // Long before its window it is no answer to it.
        let answer = answer.filter(|(_, at)| *at >= opens_at - 3_600_000);
        let standing = |at: i64| {
            let mut known = self.story.standings.clone();
            known.sort_by_key(|(from, _)| *from);
            known.into_iter().take_while(|(from, _)| *from <= at).last().map_or(Standing::Active, |(_, s)| s)
        };
        let as_excuse = |standing| match standing {
            Standing::Active => None,
            Standing::NotYet => Some(Excuse::NotYet),
            Standing::Paused => Some(Excuse::Paused),
            Standing::Ended(reason) => Some(Excuse::Ended(reason)),
        };
        let took_part = answer.is_some_and(|(_, at)| at < closes_at && standing(at) == Standing::Active);
        let late_known = known > i64::MIN && due_until < known + 6 * 3_600_000;
        let excuse = if closes_at <= opens_at {
            Some(Excuse::NoTime)
        } else if took_part && due_until > known {
            None
        } else {
            as_excuse(standing(due_until - 1)).or(late_known.then_some(Excuse::PlannedTooLate))
        };
        let is_asked = excuse == Some(Excuse::PlannedTooLate) && now < closes_at && known < due_until;
        let state = if let Some((answer, at)) = answer {
            if at < due_until {
                OccurrenceState::Completed(answer)
            } else {
                OccurrenceState::CompletedLate { answer, after_close: at >= closes_at }
            }
        } else if let Some(excuse) = excuse.filter(|_| !is_asked) {
            OccurrenceState::NotOwed(excuse)
        } else if now < opens_at {
            OccurrenceState::Upcoming
        } else if now >= closes_at {
            OccurrenceState::Missed
        } else {
            match (as_excuse(standing(now)), now < due_until) {
                (None, true) => OccurrenceState::Open,
                (None, false) => OccurrenceState::Late,
                (Some(Excuse::Ended(_)), false) => OccurrenceState::Missed,
                (Some(excuse), _) => OccurrenceState::NotOwed(excuse),
            }
        };
        Naive { day, times: (opens_at, due_until, closes_at), state, excuse }
    }
}

fn shown(occurrence: &Occurrence) -> (String, Naive) {
    let Occurrence { planned_day, opens_at, due_until, closes_at, state, excuse, .. } = occurrence;
    let times = (opens_at.0, due_until.0, closes_at.0);
    (occurrence.name.to_string(), Naive { day: *planned_day, times, state: *state, excuse: *excuse })
}

// ---- what must hold ----

/// How far a state is; what is further never goes back.
fn rank(state: OccurrenceState) -> u8 {
    match state {
        OccurrenceState::Upcoming => 0,
        OccurrenceState::Open | OccurrenceState::NotOwed(Excuse::Paused) => 1,
        OccurrenceState::Late => 2,
        OccurrenceState::NotOwed(_) => 3,
        OccurrenceState::Missed => 4,
        OccurrenceState::Completed(_) | OccurrenceState::CompletedLate { .. } => 5,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn due_lists_and_adherence_agree_with_a_walk_through_time(story in story(), step in 0_i64..(DAYS * 96)) {
        let now = TimestampMs(story.first * DAY_MS + step * STEP_MS);
        let list = story.list(now);
        let reference = Reference { story: &story, wall: Wall::of(&story) };
        let expected = reference.all(now.0);
        let is: BTreeMap<String, Naive> = list.occurrences.iter().map(shown).collect();
        prop_assert_eq!(is.len(), list.occurrences.len(), "each planned time stands once");
        prop_assert_eq!(&is, &expected);

        // Every answer belongs to one planned time, or is one of several to it, or is kept aside.
        let given = story.given(now);
        for (place, answer) in given.iter().enumerate() {
            let planned = expected.contains_key(&answer.occurrence);
            let aside = list.unplanned.contains(&place) || list.early.contains(&place);
            let first = given.iter().filter(|other| other.occurrence == answer.occurrence).map(|other| other.at).min();
            prop_assert!(planned || aside || first != Some(answer.at), "{:?}", answer);
            prop_assert!(!(planned && list.unplanned.contains(&place)), "{:?}", answer);
        }

        let mut counts = AdherenceCounts::default();
        for one in expected.values().filter(|one| one.excuse.is_none()) {
            let (completed, late, after, missed) = match one.state {
                OccurrenceState::Completed(_) => (1, 0, 0, 0),
                OccurrenceState::CompletedLate { after_close, .. } => (1, 1, u32::from(after_close), 0),
                OccurrenceState::Missed => (0, 0, 0, 1),
                _ => (0, 0, 0, 0),
            };
            counts.expected += completed + missed;
            counts.completed += completed;
            counts.late += late;
            counts.after_close += after;
            counts.missed += missed;
        }
        let counted = adherence(&list);
        prop_assert_eq!(counted.total, counts);
        let sum = |part: fn(&AdherenceCounts) -> u32| counted.weeks.iter().map(|week| part(&week.counts)).sum::<u32>();
        prop_assert_eq!(sum(|counts| counts.expected), counts.expected);
        prop_assert_eq!(sum(|counts| counts.missed), counts.missed);
        prop_assert_eq!(sum(|counts| counts.late), counts.late);
    }

    #[test]
    fn what_is_missed_never_opens_again(story in story(), steps in vec(0_i64..(DAYS * 96), 2..8)) {
        let mut steps = steps;
        steps.sort_unstable();
        // Without amendments: those may move a visit.
        let mut story = story;
        story.revisions.truncate(1);
        let mut known: BTreeMap<String, u8> = BTreeMap::new();
        for step in steps {
            let now = TimestampMs(story.first * DAY_MS + step * STEP_MS);
            for one in story.list(now).occurrences {
                let is = rank(one.state);
                let was = known.insert(one.name.to_string(), is).unwrap_or_default();
                // Late may be paused for a while; what is missed or answered stays so.
                prop_assert!(is >= was || was == 2 && is == 1, "{} went from {} to {:?}", one.name, was, one.state);
            }
        }
    }

    #[test]
    fn every_instant_belongs_to_one_day_and_days_follow_one_another(story in story(), step in 0_i64..(DAYS * 96), off_ms in 0..STEP_MS) {
        let calendar = story.calendar();
        let at = TimestampMs(story.first * DAY_MS + step * STEP_MS + off_ms);
        let day = calendar.day_at(at);
        prop_assert!(calendar.start_of(day) <= at);
        prop_assert!(at < calendar.start_of(day + 1));
        prop_assert!(calendar.start_of(day) < calendar.start_of(day + 1));
        prop_assert!(calendar.start_of(day - 1) <= calendar.start_of(day));
    }
}
