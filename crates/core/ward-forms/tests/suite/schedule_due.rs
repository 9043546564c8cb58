//! Where planned times stand: windows, late answers, pauses, amendments, moved anchors.

use jiff::Timestamp;
use serde_json::{Value, json};
use ward_forms::schedule::{
    AdherenceCounts, Course, DueList, EndReason, Excuse, Given, LocalCalendar, Occurrence, OccurrenceState,
    Participation, Schedule, Situation, TimeZone, adherence,
};
use ward_id::TimestampMs;

fn ms(text: &str) -> TimestampMs {
    TimestampMs(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn day(date: &str) -> i64 {
    ms(&format!("{date}T00:00:00Z")).utc_day()
}

fn schedule(anchors: &[(&str, &str)], items: Value) -> Schedule {
    let anchors: Vec<Value> =
        anchors.iter().map(|(name, date)| json!({"name": name, "date": date})).collect();
    let file =
        json!({"format": "ward/schedule", "version": 1, "revision": 1, "anchors": anchors, "items": items});
    Schedule::parse(file.to_string().as_bytes()).unwrap()
}

fn diary(first: &str, days: u16, closes: i16) -> Schedule {
    let item = json!([{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": days},
                       "window": {"due": 0, "closes": closes}}]);
    schedule(&[("start", first)], item)
}

/// A participant in UTC.
#[derive(Default)]
struct Person {
    participation: Participation,
    given: Vec<Given>,
}

impl Person {
    fn answered(mut self, occurrence: &str, at: &str) -> Self {
        self.given.push(Given { occurrence: occurrence.to_owned(), at: ms(at), zone: None });
        self
    }

    fn list(&self, schedules: &[Schedule], now: &str) -> DueList {
        let calendar = LocalCalendar::of_zone(TimeZone::UTC);
        let situation =
            Situation { calendar: &calendar, participation: &self.participation, given: &self.given };
        Course::new(schedules.iter().cloned()).due_list(&situation, ms(now), 1)
    }
}

fn states(list: &DueList) -> Vec<(String, OccurrenceState)> {
    list.occurrences.iter().map(|one| (one.name.to_string(), one.state)).collect()
}

fn state(list: &DueList, name: &str) -> Option<OccurrenceState> {
    list.occurrences.iter().find(|one| one.name.to_string() == name).map(|one| one.state)
}

#[test]
fn a_diary_is_upcoming_open_late_and_missed() {
    let one = [diary("2026-03-02", 1, 1)];
    let at = |now| state(&Person::default().list(&one, now), "2026-03-02");
    assert_eq!(at("2026-03-01T23:59:59Z"), Some(OccurrenceState::Upcoming));
    assert_eq!(at("2026-03-02T00:00:00Z"), Some(OccurrenceState::Open));
    assert_eq!(at("2026-03-02T23:59:59.999Z"), Some(OccurrenceState::Open));
    assert_eq!(at("2026-03-03T00:00:00Z"), Some(OccurrenceState::Late));
    assert_eq!(at("2026-03-03T23:59:59.999Z"), Some(OccurrenceState::Late));
    assert_eq!(at("2026-03-04T00:00:00Z"), Some(OccurrenceState::Missed));
    assert_eq!(at("2026-02-20T00:00:00Z"), None, "beyond the horizon");
    let answered = |at| {
        state(&Person::default().answered("2026-03-02", at).list(&one, "2026-03-09T00:00:00Z"), "2026-03-02")
    };
    let late = |after_close| Some(OccurrenceState::CompletedLate { answer: 0, after_close });
    assert_eq!(answered("2026-03-02T23:59:59.999Z"), Some(OccurrenceState::Completed(0)));
    assert_eq!(answered("2026-03-03T00:00:00Z"), late(false));
    assert_eq!(answered("2026-03-04T00:00:00Z"), late(true));
    assert_eq!(
        answered("2026-03-01T23:10:00Z"),
        Some(OccurrenceState::Completed(0)),
        "clocks differ a little"
    );
    assert_eq!(answered("2026-03-01T22:50:00Z"), Some(OccurrenceState::Missed), "that was before its time");
}

#[test]
fn each_time_of_a_day_is_its_own() {
    let twice = schedule(
        &[("start", "2026-03-02")],
        json!([{"id": "pain", "anchor": "start", "repeat": {"everyDays": 1, "days": 1, "times": ["08:00", "20:00"]}}]),
    );
    let person = Person::default().answered("2026-03-02", "2026-03-02T09:00:00Z");
    let twice = [twice];
    assert_eq!(
        states(&person.list(&twice, "2026-03-02T19:59:00Z")),
        [
            ("2026-03-02".into(), OccurrenceState::Completed(0)),
            ("2026-03-02/2".into(), OccurrenceState::Upcoming)
        ]
    );
    let nobody = Person::default();
    let evening = states(&nobody.list(&twice, "2026-03-02T20:00:00Z"));
    assert_eq!(
        evening,
        [("2026-03-02".into(), OccurrenceState::Late), ("2026-03-02/2".into(), OccurrenceState::Open)]
    );
    assert_eq!(
        state(&nobody.list(&twice, "2026-03-02T07:59:00Z"), "2026-03-02"),
        Some(OccurrenceState::Upcoming)
    );
}

#[test]
fn the_first_answer_counts_and_what_names_nothing_is_kept_aside() {
    let person = Person::default()
        .answered("2026-03-02", "2026-03-05T09:00:00Z")
        .answered("2026-03-02", "2026-03-02T09:00:00Z")
        .answered("2026-02-01", "2026-03-02T10:00:00Z")
        .answered("Tuesday", "2026-03-02T11:00:00Z");
    let list = person.list(&[diary("2026-03-02", 2, 0)], "2026-03-09T00:00:00Z");
    assert_eq!(state(&list, "2026-03-02"), Some(OccurrenceState::Completed(1)));
    assert_eq!(list.unplanned, [2, 3]);
    let counts = adherence(&list).total;
    assert_eq!(
        counts,
        AdherenceCounts { expected: 2, completed: 1, missed: 1, ..AdherenceCounts::default() }
    );
}

#[test]
fn nothing_is_owed_while_pausing_or_after_the_end() {
    let week = [diary("2026-03-02", 7, 0)];
    let participation = Participation::default()
        .pausing(ms("2026-03-03T12:00:00Z"), Some(ms("2026-03-05T12:00:00Z")))
        .ending(ms("2026-03-07T12:00:00Z"), EndReason::Withdrawn);
    let person = Person { participation, ..Person::default() };
    let person =
        person.answered("2026-03-07", "2026-03-07T08:00:00Z").answered("2026-03-04", "2026-03-04T08:00:00Z");
    let list = person.list(&week, "2026-03-20T00:00:00Z");
    let paused = OccurrenceState::NotOwed(Excuse::Paused);
    let ended = OccurrenceState::NotOwed(Excuse::Ended(EndReason::Withdrawn));
    let all: Vec<OccurrenceState> = states(&list).into_iter().map(|(_, state)| state).collect();
    let missed = OccurrenceState::Missed;
    assert_eq!(
        all,
        [missed, paused, OccurrenceState::Completed(1), missed, missed, OccurrenceState::Completed(0), ended],
        "the 2nd missed, the 3rd paused, the 4th answered all the same, the 7th answered before leaving"
    );
    let counts = adherence(&list).total;
    let expected = AdherenceCounts { expected: 4, completed: 1, missed: 3, ..AdherenceCounts::default() };
    assert_eq!(counts, expected, "what was answered in a pause is shown and not counted");
    let during = person.list(&week, "2026-03-05T09:00:00Z");
    assert_eq!(state(&during, "2026-03-05"), Some(paused), "nothing is asked for in a pause");
    let after = person.list(&week, "2026-03-05T12:00:00Z");
    assert_eq!(state(&after, "2026-03-05"), Some(OccurrenceState::Open));
}

#[test]
fn an_amendment_holds_from_its_day_and_never_asks_twice_for_a_day() {
    let daily = diary("2026-03-02", 14, 1);
    let weekly = schedule(
        &[("start", "2026-03-02")],
        json!([{"id": "weekly", "anchor": "start", "repeat": {"everyDays": 3, "days": 28}}]),
    )
    .revised(2, day("2026-03-06"));
    let person = Person::default().answered("2026-03-05", "2026-03-06T08:00:00Z");
    let list = person.list(&[daily, weekly], "2026-03-12T10:00:00Z");
    let names: Vec<String> = states(&list).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-08", "2026-03-11"],
        "daily up to the 5th, then each third day"
    );
    assert_eq!(
        state(&list, "2026-03-05"),
        Some(OccurrenceState::CompletedLate { answer: 0, after_close: false }),
        "by the window of the schedule that planned it"
    );
    assert_eq!(list.unplanned, [0_usize; 0]);
}

fn visits(surgery: &str) -> Schedule {
    let window = json!({"opens": -1, "due": 1, "closes": 2});
    schedule(
        &[("surgery", surgery)],
        json!([{"id": "week-1", "anchor": "surgery", "day": 7, "window": window},
               {"id": "week-2", "anchor": "surgery", "day": 14, "window": window}]),
    )
}

#[test]
fn a_visit_keeps_its_name_and_its_answer_when_the_anchor_is_moved() {
    let first = visits("2026-03-02");
    // On the 10th the site learns that surgery was on the 5th.
    let moved = visits("2026-03-05").revised(2, day("2026-03-10"));
    let both = [first.clone(), moved.clone()];
    let person = Person::default().answered("week-1", "2026-03-09T10:00:00Z");
    let list = person.list(&both, "2026-03-14T10:00:00Z");
    assert_eq!(state(&list, "week-1"), Some(OccurrenceState::Completed(0)), "in time as it was planned then");
    assert_eq!(list.occurrences[0].planned_day, day("2026-03-09"));
    assert_eq!(list.occurrences.len(), 1, "week-2 is beyond the horizon");
    // Without an answer it is asked for on the new day.
    let open = Person::default().list(&both, "2026-03-12T10:00:00Z");
    assert_eq!(state(&open, "week-1"), Some(OccurrenceState::Open));
    assert_eq!(open.occurrences[0].planned_day, day("2026-03-12"));
    // Answered after the amendment, it is judged by the new window.
    let after =
        Person::default().answered("week-1", "2026-03-13T10:00:00Z").list(&both, "2026-03-20T10:00:00Z");
    assert_eq!(state(&after, "week-1"), Some(OccurrenceState::Completed(0)));
    assert_eq!(adherence(&after).total.expected, 1);
}

#[test]
fn a_visit_that_was_over_before_anybody_was_asked_is_not_owed() {
    let late = visits("2026-02-20").revised(1, day("2026-03-02"));
    let list = Person::default().list(std::slice::from_ref(&late), "2026-03-02T10:00:00Z");
    assert_eq!(state(&list, "week-1"), Some(OccurrenceState::NotOwed(Excuse::PlannedTooLate)));
    let answered =
        Person::default().answered("week-1", "2026-03-02T10:00:00Z").list(&[late], "2026-03-02T10:00:00Z");
    let state = state(&answered, "week-1");
    assert_eq!(state, Some(OccurrenceState::CompletedLate { answer: 0, after_close: true }));
}

#[test]
fn a_visit_that_an_amendment_leaves_out_stays_where_it_is_past_and_goes_where_it_was_to_come() {
    let only_later =
        schedule(&[("surgery", "2026-03-02")], json!([{"id": "month-1", "anchor": "surgery", "day": 30}]))
            .revised(2, day("2026-03-12"));
    let both = [visits("2026-03-02"), only_later];
    let list = Person::default().list(&both, "2026-03-20T10:00:00Z");
    assert_eq!(states(&list), [("week-1".into(), OccurrenceState::Missed)]);
    // Answered all the same: it is kept with its own window.
    let answered =
        Person::default().answered("week-2", "2026-03-16T10:00:00Z").list(&both, "2026-03-20T10:00:00Z");
    assert_eq!(state(&answered, "week-2"), Some(OccurrenceState::Completed(0)));
}

#[test]
fn cycles_are_counted_from_the_last_one_whose_day_is_known() {
    let cycles = schedule(
        &[("chemo", "2026-03-02")],
        json!([{"id": "day-1", "anchor": "chemo", "cycle": {"length": 21, "count": 4}}]),
    );
    let delayed = cycles.clone().with_cycle_start("chemo", 3, day("2026-04-20")).unwrap();
    let days = |schedule: &Schedule| {
        let list = Person::default().list(std::slice::from_ref(schedule), "2026-07-01T00:00:00Z");
        let name = |one: &Occurrence| (one.name.to_string(), one.planned_day - day("2026-03-02"));
        list.occurrences.iter().map(name).collect::<Vec<_>>()
    };
    let expected =
        |days: [i64; 4]| (1..=4).zip(days).map(|(n, day)| (format!("day-1/{n}"), day)).collect::<Vec<_>>();
    assert_eq!(days(&cycles), expected([0, 21, 42, 63]));
    assert_eq!(days(&delayed), expected([0, 21, 49, 70]));
}

#[test]
fn an_item_ends_with_its_anchor_and_begins_with_none_that_is_not_set() {
    let file = json!({"format": "ward/schedule", "version": 1, "revision": 1,
        "anchors": [{"name": "start", "date": "2026-03-02"}, {"name": "stop"}],
        "items": [{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1}, "until": "stop"},
                  {"id": "after", "anchor": "stop", "day": 2}]});
    let open_ended = Schedule::parse(file.to_string().as_bytes()).unwrap();
    let count =
        |schedule: Schedule| Person::default().list(&[schedule], "2026-03-31T10:00:00Z").occurrences.len();
    assert_eq!(count(open_ended.clone()), 31, "to the 1st of April: one day ahead");
    let stopped = open_ended.with_anchor("stop", day("2026-03-12")).unwrap();
    let list = Person::default().list(&[stopped], "2026-03-31T10:00:00Z");
    assert_eq!(list.occurrences.len(), 11);
    assert_eq!(state(&list, "after"), Some(OccurrenceState::Missed));
}

#[test]
fn a_visit_on_a_day_that_does_not_exist_stands_on_the_next_and_a_diary_of_it_is_not_owed() {
    let apia = LocalCalendar::of_zone(TimeZone::get("Pacific/Apia").unwrap());
    let both = schedule(
        &[("start", "2011-12-29")],
        json!([{"id": "visit", "anchor": "start", "day": 1},
               {"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 3}}]),
    );
    let situation = Situation { calendar: &apia, participation: &Participation::default(), given: &[] };
    let list = Course::new([both]).due_list(&situation, ms("2012-01-05T00:00:00Z"), 0);
    let visit = list.occurrences.iter().find(|one| one.name.to_string() == "visit").unwrap();
    assert_eq!((visit.planned_day, visit.state), (day("2011-12-31"), OccurrenceState::Missed));
    assert_eq!(state(&list, "2011-12-29"), Some(OccurrenceState::Missed));
    assert_eq!(state(&list, "2011-12-30"), Some(OccurrenceState::NotOwed(Excuse::NoTime)));
    assert_eq!(state(&list, "2011-12-31"), Some(OccurrenceState::Missed));
}

#[test]
fn what_was_missed_is_listed_with_the_time_from_which_it_counts() {
    let person = Person::default().answered("2026-03-03", "2026-03-03T08:00:00Z");
    let list = person.list(&[diary("2026-03-02", 4, 1)], "2026-03-09T00:00:00Z");
    let missed: Vec<(String, TimestampMs)> =
        list.missed().into_iter().map(|one| (one.name.to_string(), one.closes_at)).collect();
    assert_eq!(
        missed,
        [
            ("2026-03-02".into(), ms("2026-03-04T00:00:00Z")),
            ("2026-03-04".into(), ms("2026-03-06T00:00:00Z")),
            ("2026-03-05".into(), ms("2026-03-07T00:00:00Z")),
        ]
    );
    let counted = adherence(&list);
    assert_eq!((counted.streak, counted.missed_row.len()), (0, 2));
    assert_eq!(list.occurrences[counted.missed_row[0]].name.to_string(), "2026-03-04");
}
