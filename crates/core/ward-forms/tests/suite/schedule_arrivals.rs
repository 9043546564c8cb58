//! Amendments that arrive late and in any order, drawn at random: what was answered or missed when one of them
//! arrives is planned anew by none.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::json;
use ward_forms::schedule::{
    Course, Given, LocalCalendar, Moment, Occurrence, OccurrenceName, OccurrenceState, Participation,
    Schedule, Situation, TimeZone, WrittenSchedule,
};
use ward_id::TimestampMs;

const HOUR_MS: i64 = 3_600_000;
/// 2026-03-02.
const FIRST: i64 = 20_514;
const ZONES: [&str; 4] = ["America/Los_Angeles", "Europe/Berlin", "Pacific/Auckland", "Australia/Lord_Howe"];

/// A schedule, with the day that it names, and the hour of the story in which it arrives.
#[derive(Debug, Clone)]
struct Drawn {
    from: i64,
    every: i64,
    times: Vec<&'static str>,
    visit: i64,
    arrives: i64,
    /// Where it stands in the order of entries.
    order: u32,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let times =
        Union::new([Just(vec![]), Just(vec!["08:00", "20:00"]), Just(vec!["06:00", "12:00", "18:00"])]);
    (0_i64..20, 1_i64..8, times, 0_i64..25, 0_i64..480, any::<u32>()).prop_map(
        |(from, every, times, visit, arrives, order)| Drawn { from, every, times, visit, arrives, order },
    )
}

fn date(day: i64) -> String {
    OccurrenceName::Day { day: FIRST + day, slot: 1 }.to_string()
}

fn hour(number: i64) -> TimestampMs {
    TimestampMs(FIRST * 24 * HOUR_MS + number * HOUR_MS)
}

impl Drawn {
    fn written(&self, calendar: &LocalCalendar) -> WrittenSchedule {
        let file = json!({"format": "ward/schedule", "version": 1, "revision": 1, "from": date(self.from),
            "anchors": [{"name": "start", "date": date(0)}],
            "items": [{"id": "diary", "anchor": "start",
                    "repeat": {"everyDays": self.every, "days": 60, "times": self.times}},
                {"id": "visit", "anchor": "start", "day": self.visit, "window": {"opens": -1, "due": 1, "closes": 2}}]});
        let schedule = Schedule::parse(file.to_string().as_bytes()).unwrap();
        let at = hour(self.arrives);
        WrittenSchedule {
            schedule,
            written: Some(Moment { at, day: calendar.latest_day_at(at) }),
            voided: None,
        }
    }
}

/// What is settled: answered before its close, or missed.
fn settled(one: &Occurrence) -> bool {
    let is_answered = matches!(
        one.state,
        OccurrenceState::Completed(_) | OccurrenceState::CompletedLate { after_close: false, .. }
    );
    is_answered || one.state == OccurrenceState::Missed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_ran_is_planned_anew(
        mut schedules in vec(drawn(), 2..5),
        zone in 0..ZONES.len(),
        answers in vec((0_i64..22, 1_u8..4, 0_i64..500), 0..20),
    ) {
        let calendar = LocalCalendar::of_zone(TimeZone::get(ZONES[zone]).unwrap());
        let participation = Participation::default();
        let given: Vec<Given> = answers.iter().map(|(day, slot, at)| Given {
            occurrence: OccurrenceName::Day { day: FIRST + day, slot: *slot }.to_string(),
            at: hour(*at),
            zone: None,
        }).collect();
        schedules.sort_by_key(|one| one.order);
        // What is known before an instant.
        let course = |before: TimestampMs| {
            let known = schedules.iter().filter(|one| hour(one.arrives) < before);
            Course::of(known.map(|one| one.written(&calendar)))
        };
        for now in schedules.iter().map(|one| hour(one.arrives)) {
            let known: Vec<Given> = given.iter().filter(|answer| answer.at <= now).cloned().collect();
            let situation = Situation { calendar: &calendar, participation: &participation, given: &known };
            let before = course(now).due_list(&situation, now, 0);
            let after = course(now.plus_ms(1)).due_list(&situation, now, 0);
            for one in before.occurrences.iter().filter(|one| settled(one)) {
                let is = after.occurrences.iter().find(|is| is.name == one.name);
                let is_same = is.is_some_and(|is| is_like(is, one));
                if !matches!(one.name, OccurrenceName::Visit { .. }) {
                    prop_assert!(is_same, "{one:?} became {is:?}");
                    continue;
                }
                // A visit may be moved, and then it says where it was missed; if anybody was told so at the time.
                let when_closed = course(one.closes_at).due_list(&situation, one.closes_at, 0);
                let was_told = when_closed.occurrences.iter().any(|was| is_like(was, one));
                let was_moved = after.moved.iter().any(|is| is_like(is, one));
                prop_assert!(is_same || was_moved || !was_told, "{one:?} became {is:?}");
            }
        }
    }
}

/// Whether a planned time stands at the same place in the same state.
fn is_like(one: &Occurrence, other: &Occurrence) -> bool {
    let place = |one: &Occurrence| (one.name.clone(), one.state, one.opens_at, one.closes_at);
    place(one) == place(other)
}
