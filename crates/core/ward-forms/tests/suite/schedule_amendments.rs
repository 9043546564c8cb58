//! Schedules that are amended, written late or declared void, and participants who could not know.

use jiff::Timestamp;
use serde_json::{Value, json};
use ward_forms::schedule::{
    Course, DueList, Excuse, Given, LocalCalendar, Moment, OccurrenceState, Participation, Schedule,
    Situation, Standing, TimeZone, WrittenSchedule, adherence,
};
use ward_id::TimestampMs;

fn ms(text: &str) -> TimestampMs {
    TimestampMs(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn day(date: &str) -> i64 {
    ms(&format!("{date}T00:00:00Z")).utc_day()
}

fn moment(at: &str) -> Moment {
    Moment { at: ms(at), day: ms(at).utc_day() }
}

fn plan(anchors: &[(&str, &str)], items: Value, from: &str) -> Schedule {
    let anchors: Vec<Value> =
        anchors.iter().map(|(name, date)| json!({"name": name, "date": date})).collect();
    let file = json!({"format": "ward/schedule", "version": 1, "revision": 1, "from": from,
        "anchors": anchors, "items": items});
    Schedule::parse(file.to_string().as_bytes()).unwrap()
}

fn repeat(first: &str, every: u16, times: Value) -> Schedule {
    let items = json!([{"id": "diary", "anchor": "start", "repeat": {"everyDays": every, "days": 84, "times": times}}]);
    plan(&[("start", first)], items, first)
}

fn at(schedule: Schedule, written: &str) -> WrittenSchedule {
    WrittenSchedule { schedule, written: Some(moment(written)), voided: None }
}

fn answers(given: &[(&str, &str)]) -> Vec<Given> {
    let one = |(name, at): &(&str, &str)| Given { occurrence: (*name).to_owned(), at: ms(at), zone: None };
    given.iter().map(one).collect()
}

/// What a participant in UTC sees.
fn list(course: &Course, participation: &Participation, given: &[(&str, &str)], now: &str) -> DueList {
    let given = answers(given);
    let calendar = LocalCalendar::of_zone(TimeZone::UTC);
    let situation = Situation { calendar: &calendar, participation, given: &given };
    course.due_list(&situation, ms(now), 0)
}

fn state(list: &DueList, name: &str) -> Option<OccurrenceState> {
    list.occurrences.iter().find(|one| one.name.to_string() == name).map(|one| one.state)
}

fn missed(list: &DueList) -> u32 {
    adherence(list).total.missed
}

#[test]
fn nothing_is_owed_before_the_participant_could_be_asked() {
    // Invited on Monday the 2nd; the phone is enrolled on Thursday at 10:00.
    let daily = Course::new([repeat("2026-03-02", 1, json!([]))]);
    let enrolled = Participation::default().beginning(ms("2026-03-05T10:00:00Z"));
    let list_of = |participation: &Participation, now| list(&daily, participation, &[], now);
    let friday = list_of(&enrolled, "2026-03-06T08:00:00Z");
    let first: Vec<OccurrenceState> = friday.occurrences.iter().map(|one| one.state).collect();
    let not_yet = OccurrenceState::NotOwed(Excuse::NotYet);
    assert_eq!(first, [not_yet, not_yet, not_yet, OccurrenceState::Missed, OccurrenceState::Open]);
    // Enrolled shortly before midnight: the diary of that day is asked for, and not held against anybody.
    let late = Participation::default().beginning(ms("2026-03-05T23:50:00Z"));
    assert_eq!(state(&list_of(&late, "2026-03-05T23:55:00Z"), "2026-03-05"), Some(OccurrenceState::Open));
    assert_eq!(missed(&list_of(&late, "2026-03-06T08:00:00Z")), 0);
    // Somebody who was screened only owes nothing, however long.
    let screened = Participation::new([(ms("2026-03-02T09:00:00Z"), Standing::NotYet)]);
    let month = list_of(&screened, "2026-04-20T08:00:00Z");
    assert_eq!((adherence(&month).total.expected, month.due().count()), (0, 0));
}

#[test]
fn an_amendment_changes_no_day_that_has_begun() {
    // Three times a day; in the afternoon of the 4th it becomes two, from that day on.
    let thrice = repeat("2026-03-02", 1, json!(["08:00", "14:00", "20:00"]));
    let twice = repeat("2026-03-02", 1, json!(["08:00", "20:00"])).revised(2, day("2026-03-04"));
    let course = Course::of([at(thrice, "2026-03-01T10:00:00Z"), at(twice, "2026-03-04T15:00:00Z")]);
    let given = [("2026-03-04", "2026-03-04T08:30:00Z"), ("2026-03-04/2", "2026-03-04T14:30:00Z")];
    let evening = list(&course, &Participation::default(), &given, "2026-03-04T20:30:00Z");
    assert_eq!(state(&evening, "2026-03-04/2"), Some(OccurrenceState::Completed(1)), "that of 14:00");
    assert_eq!(state(&evening, "2026-03-04/3"), Some(OccurrenceState::Open), "the evening is asked once");
    let next = list(&course, &Participation::default(), &given, "2026-03-05T21:00:00Z");
    assert_eq!(state(&next, "2026-03-05/2"), Some(OccurrenceState::Open));
    assert_eq!(state(&next, "2026-03-05/3"), None);
}

#[test]
fn a_backdated_amendment_judges_no_answer_that_came_before_it() {
    let grace = json!([{"id": "diary", "anchor": "start", "repeat": {"everyDays": 2, "days": 28},
        "window": {"due": 1, "closes": 1}}]);
    let two_days = plan(&[("start", "2026-03-02")], grace, "2026-03-02");
    let strict = repeat("2026-03-02", 2, json!([])).revised(2, day("2026-03-02"));
    let course = Course::of([at(two_days, "2026-03-01T10:00:00Z"), at(strict, "2026-03-06T10:00:00Z")]);
    let given = [("2026-03-02", "2026-03-03T09:00:00Z")];
    let now = list(&course, &Participation::default(), &given, "2026-03-07T09:00:00Z");
    assert_eq!(state(&now, "2026-03-02"), Some(OccurrenceState::Completed(0)));
}

#[test]
fn what_arrives_late_plans_no_day_anew_and_what_follows_a_void_one_neither() {
    let names = |course: &Course, now: &str| -> Vec<String> {
        let list = list(course, &Participation::default(), &[], now);
        list.occurrences.iter().map(|one| one.name.to_string()).collect()
    };
    let daily = at(repeat("2026-03-02", 1, json!([])), "2026-03-01T10:00:00Z");
    // It names the 3rd, and is known on the 5th.
    let weekly = repeat("2026-03-02", 7, json!([])).revised(2, day("2026-03-03"));
    let late = Course::of([daily.clone(), at(weekly.clone(), "2026-03-05T10:00:00Z")]);
    let days = ["2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05", "2026-03-09"];
    assert_eq!(names(&late, "2026-03-10T10:00:00Z"), days);
    // Declared void on the 5th, and followed on the 7th by one that names the 3rd.
    let voided = WrittenSchedule { voided: Some(moment("2026-03-05T12:00:00Z")), ..daily.clone() };
    let followed = Course::of([voided, at(weekly.clone(), "2026-03-07T10:00:00Z")]);
    assert_eq!(names(&followed, "2026-03-10T10:00:00Z"), days);
    assert_eq!(followed.free_from(moment("2026-03-08T10:00:00Z")), Some(day("2026-03-09")));
    // Where nothing was followed, a schedule holds from the day that it names.
    let first = Course::of([at(weekly, "2026-03-07T10:00:00Z")]);
    assert_eq!(names(&first, "2026-03-10T10:00:00Z"), ["2026-03-09"]);
    assert_eq!(Course::of([daily]).free_from(moment("2026-02-01T10:00:00Z")), None);
    // One that stands before it in the order and arrived after it takes no day that ran by it.
    let offline = at(repeat("2026-03-02", 7, json!([])), "2026-03-06T10:00:00Z");
    let twice = repeat("2026-03-04", 1, json!(["08:00", "20:00"]));
    let both = Course::of([offline, at(twice, "2026-03-04T07:00:00Z")]);
    let given = [("2026-03-04", "2026-03-04T09:00:00Z"), ("2026-03-04/2", "2026-03-04T21:00:00Z")];
    let now = list(&both, &Participation::default(), &given, "2026-03-07T10:00:00Z");
    assert_eq!(state(&now, "2026-03-04/2"), Some(OccurrenceState::Completed(1)));
}

#[test]
fn an_answer_after_the_close_to_what_was_taken_back_does_not_count() {
    let wide = json!([{"id": "diary", "anchor": "start", "repeat": {"everyDays": 7, "days": 7}, "window": {"due": 2}}]);
    let wide = plan(&[("start", "2026-03-02")], wide, "2026-03-02");
    let voided =
        WrittenSchedule { voided: Some(moment("2026-03-03T09:00:00Z")), ..at(wide, "2026-03-01T10:00:00Z") };
    let course = Course::of([voided]);
    for (given, expected) in
        [("2026-03-02T09:00:00Z", 1), ("2026-03-04T09:00:00Z", 1), ("2026-03-09T09:00:00Z", 0)]
    {
        let now = list(&course, &Participation::default(), &[("2026-03-02", given)], "2026-03-10T09:00:00Z");
        assert_eq!(adherence(&now).total.expected, expected, "{given}");
    }
}

#[test]
fn who_begins_to_take_part_later_owes_what_was_before() {
    // Asked from the 2nd on, screened only from the 4th to the 6th.
    let daily = Course::new([repeat("2026-03-02", 1, json!([]))]);
    let late = Participation::new([
        (ms("2026-03-04T09:00:00Z"), Standing::NotYet),
        (ms("2026-03-06T23:00:00Z"), Standing::Active),
    ]);
    let days = list(&daily, &late, &[], "2026-03-08T08:00:00Z");
    let states: Vec<OccurrenceState> = days.occurrences.iter().map(|one| one.state).collect();
    let not_yet = OccurrenceState::NotOwed(Excuse::NotYet);
    let too_late = OccurrenceState::NotOwed(Excuse::PlannedTooLate);
    let (missed, open) = (OccurrenceState::Missed, OccurrenceState::Open);
    assert_eq!(states, [missed, missed, not_yet, not_yet, too_late, missed, open]);
}

fn follow_up(end: &str, from: &str) -> Schedule {
    let items = json!([{"id": "follow-up", "anchor": "end", "day": 30, "window": {"opens": -7, "due": 7, "closes": 14}}]);
    plan(&[("end", end)], items, from)
}

#[test]
fn a_visit_whose_window_is_open_is_asked_for_though_its_anchor_came_late() {
    // On 20 April the site enters that treatment ended on 15 March: planned for 14 April, to the 28th.
    let course = Course::of([at(follow_up("2026-03-15", "2026-04-21"), "2026-04-20T09:00:00Z")]);
    let on = |now| state(&list(&course, &Participation::default(), &[], now), "follow-up");
    assert_eq!(on("2026-04-20T10:00:00Z"), Some(OccurrenceState::Open));
    assert_eq!(on("2026-04-22T10:00:00Z"), Some(OccurrenceState::Late));
    assert_eq!(on("2026-04-29T10:00:00Z"), Some(OccurrenceState::Missed));
    // Entered when its time was over, it is in time for as long as it can be answered.
    let later = Course::of([at(follow_up("2026-03-15", "2026-04-26"), "2026-04-25T09:00:00Z")]);
    let given = [("follow-up", "2026-04-27T09:00:00Z")];
    let answered = list(&later, &Participation::default(), &given, "2026-05-01T09:00:00Z");
    assert_eq!(state(&answered, "follow-up"), Some(OccurrenceState::Completed(0)));
    // Entered when it was over, it is not owed.
    let over = Course::of([at(follow_up("2026-03-15", "2026-05-02"), "2026-05-01T09:00:00Z")]);
    let shown = list(&over, &Participation::default(), &[], "2026-05-01T10:00:00Z");
    assert_eq!(state(&shown, "follow-up"), Some(OccurrenceState::NotOwed(Excuse::PlannedTooLate)));
}

#[test]
fn a_visit_that_was_moved_is_answered_where_it_was_asked() {
    // Planned for 1 May; on 1 April it turns out that it is open now. It is answered the same day.
    let course = Course::of([
        at(follow_up("2026-04-01", "2026-03-01"), "2026-03-01T09:00:00Z"),
        at(follow_up("2026-03-02", "2026-04-02").revised(2, day("2026-04-02")), "2026-04-01T09:00:00Z"),
    ]);
    let given = [("follow-up", "2026-04-01T11:00:00Z")];
    let now = list(&course, &Participation::default(), &given, "2026-04-01T12:00:00Z");
    assert_eq!(state(&now, "follow-up"), Some(OccurrenceState::Completed(0)));
    assert!(now.early.is_empty());
}

#[test]
fn an_answer_long_before_its_time_completes_nothing() {
    let daily = Course::new([repeat("2026-03-02", 1, json!([]))]);
    // The phone's clock is a week ahead on the 2nd.
    let given = [("2026-03-09", "2026-03-02T10:00:00Z"), ("2026-03-03", "2026-03-03T10:00:00Z")];
    let on_the_day = list(&daily, &Participation::default(), &given, "2026-03-09T10:00:00Z");
    assert_eq!(state(&on_the_day, "2026-03-09"), Some(OccurrenceState::Open), "it is asked for all the same");
    assert_eq!((on_the_day.early.as_slice(), on_the_day.unplanned.len()), (&[0_usize][..], 0));
    // The answer of the day itself counts, though another came first.
    let both = [("2026-03-09", "2026-03-02T10:00:00Z"), ("2026-03-09", "2026-03-09T11:00:00Z")];
    let answered = list(&daily, &Participation::default(), &both, "2026-03-09T12:00:00Z");
    assert_eq!(state(&answered, "2026-03-09"), Some(OccurrenceState::Completed(1)));
}

#[test]
fn an_answer_that_is_in_time_where_it_was_given_is_in_time() {
    // The calendar is that of Berlin, where the 2nd is over; in New York it is 20:00 of the 2nd.
    let daily = Course::new([repeat("2026-03-02", 1, json!([]))]);
    let given = |zone: &str| {
        let zone = Some(TimeZone::get(zone).unwrap());
        [Given { occurrence: "2026-03-02".to_owned(), at: ms("2026-03-03T01:00:00Z"), zone }]
    };
    let calendar = LocalCalendar::of_zone(TimeZone::get("Europe/Berlin").unwrap());
    let participation = Participation::default();
    let state_of = |given: &[Given]| {
        let situation = Situation { calendar: &calendar, participation: &participation, given };
        state(&daily.due_list(&situation, ms("2026-03-04T01:00:00Z"), 0), "2026-03-02")
    };
    assert_eq!(state_of(&given("America/New_York")), Some(OccurrenceState::Completed(0)));
    let late = OccurrenceState::CompletedLate { answer: 0, after_close: true };
    assert_eq!(state_of(&given("Europe/Berlin")), Some(late));
}

#[test]
fn a_schedule_that_is_declared_void_governs_until_that_day() {
    let daily = at(repeat("2026-02-20", 1, json!([])), "2026-02-19T10:00:00Z");
    let weekly = repeat("2026-03-01", 7, json!([])).revised(2, day("2026-03-01"));
    let voided = WrittenSchedule {
        voided: Some(moment("2026-03-20T09:00:00Z")),
        ..at(weekly, "2026-02-25T10:00:00Z")
    };
    let course = Course::of([daily, voided]);
    let now = list(&course, &Participation::default(), &[], "2026-03-22T09:00:00Z");
    let march: Vec<String> = now
        .occurrences
        .iter()
        .filter(|one| one.planned_day >= day("2026-03-01"))
        .map(|one| one.name.to_string())
        .collect();
    let weeks = ["2026-03-01", "2026-03-08", "2026-03-15"];
    assert_eq!(march, [&weeks[..], &["2026-03-21", "2026-03-22"]].concat(), "then it is daily again");
    // What was open when it was declared void is not asked for any more.
    let wide = json!([{"id": "diary", "anchor": "start", "repeat": {"everyDays": 7, "days": 28}, "window": {"due": 6}}]);
    let wide = plan(&[("start", "2026-03-01")], wide, "2026-03-01");
    let wide =
        WrittenSchedule { voided: Some(moment("2026-03-03T09:00:00Z")), ..at(wide, "2026-02-25T10:00:00Z") };
    let open = list(&Course::of([wide]), &Participation::default(), &[], "2026-03-03T10:00:00Z");
    assert_eq!(state(&open, "2026-03-01"), Some(OccurrenceState::NotOwed(Excuse::TakenBack)));
}
