//! Schedules in a chart: what is due, missed and reminded of, and what an amendment changes.

use crate::builder::*;
use ward_client::views::{AdherenceCounts, Planning, Urgency, adherence, due, missed, worklist};
use ward_forms::schedule::Schedule;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{Instrument, InstrumentSchedule};

/// A diary on two days of the week with a day of grace, a visit a week after surgery, and reminders.
const PLAN: &str = r#"{"format": "ward/schedule", "version": 1, "revision": 1,
    "anchors": [{"name": "start", "date": "2026-03-02"}, {"name": "surgery", "date": "2026-03-04"}],
    "items": [
        {"id": "diary", "anchor": "start", "repeat": {"weekdays": ["mon", "thu"], "days": 28},
         "window": {"due": 0, "closes": 1}},
        {"id": "week-1", "anchor": "surgery", "day": 7, "window": {"opens": -1, "due": 0, "closes": 2}}],
    "reminders": {"times": ["19:00"], "perDay": 2, "escalateAfterMissed": 3}}"#;

fn plan() -> Schedule {
    Schedule::parse(PLAN.as_bytes()).unwrap()
}

fn planned(schedule: &Schedule) -> Instrument {
    Instrument { schedule: InstrumentSchedule::Planned(schedule.to_bytes()), ..diary(DAY, 1, 1) }
}

fn with_plan() -> (TestChart, EntryId) {
    let mut chart = TestChart::empty(1);
    let entry = chart.write(Who::Coordinator, day(0), planned(&plan()));
    // The phone is in Vienna, an hour ahead of UTC.
    chart.write(Who::Phone, day(0), note("here"));
    (chart, entry)
}

fn names(chart: &TestChart, number: i64) -> Vec<(String, bool)> {
    let listed = due(&chart.view(), day(number));
    listed.into_iter().map(|one| (one.occurrence, one.is_late)).collect()
}

#[test]
fn what_is_due_is_named_and_what_is_late_says_so() {
    let (mut chart, entry) = with_plan();
    assert_eq!(names(&chart, 0), [("2026-03-02".to_owned(), false)]);
    assert_eq!(names(&chart, 1), [("2026-03-02".to_owned(), true)], "a day of grace");
    assert_eq!(names(&chart, 2), []);
    assert_eq!(names(&chart, 8), [("2026-03-09".to_owned(), true), ("week-1".to_owned(), false)]);
    chart.report_at(day(1), 0, &Answers::of(&[]));
    assert_eq!(names(&chart, 1), []);
    let view = chart.view();
    assert_eq!(due(&view, day(8))[0].entry, entry);
    let late = AdherenceCounts { expected: 3, completed: 1, late: 1, after_close: 0, missed: 2 };
    assert_eq!(adherence(&view, day(9))[0].total, late, "the 2nd late, the 5th and the 9th missed");
}

#[test]
fn what_was_missed_is_listed_with_its_times_and_the_site_is_told_as_the_schedule_says() {
    let (chart, _) = with_plan();
    let view = chart.view();
    let listed = missed(&view, day(9));
    let names: Vec<&str> = listed.iter().map(|one| one.occurrence.as_str()).collect();
    assert_eq!(names, ["2026-03-02", "2026-03-05", "2026-03-09"]);
    let midnight = |number: i64| TimestampMs(((DAY + number) * 24 - 1) * HOUR_MS);
    assert_eq!((listed[1].planned_at, listed[1].missed_at), (midnight(3), midnight(5)));
    let told = |now| {
        let items = chart.with_named(|named| worklist(std::slice::from_ref(named), now));
        items
            .into_iter()
            .filter(|item| item.urgency == Urgency::Notice)
            .map(|item| item.since)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(day(8)), [], "two in a row are not three");
    assert_eq!(told(day(9)), [listed[2].missed_at], "since the row is as long");
    let plan = Planning::of(&view).reminders(day(8), 3);
    assert_eq!(plan.escalations.len(), 1);
    assert_eq!(plan.escalations[0].at, listed[2].missed_at);
    let reminders: Vec<String> = plan
        .reminders
        .iter()
        .map(|one| format!("{} {}", (one.at.0 - midnight(8).0) / HOUR_MS, one.occurrence))
        .collect();
    let evenings = ["19 2026-03-09", "19 week-1", "43 week-1", "67 2026-03-12", "67 week-1"];
    assert_eq!(reminders, [&evenings[..], &["91 2026-03-12", "91 week-1"]].concat());
}

#[test]
fn a_moved_anchor_moves_what_is_to_come_and_keeps_what_was_answered() {
    let (mut chart, _) = with_plan();
    let answers = |name: &str| response(name, ward_sync::ResponseStatus::Completed, &Answers::of(&[]));
    chart.write(Who::Phone, day(9), answers("week-1"));
    let moved = plan().with_anchor("surgery", DAY + 6).unwrap().revised(2, DAY + 10);
    chart.write(Who::Coordinator, day(10), planned(&moved));
    assert!(names(&chart, 13).iter().all(|(name, _)| name != "week-1"), "it is answered");
    let (mut other, _) = with_plan();
    other.write(Who::Coordinator, day(10), planned(&moved));
    assert!(names(&other, 13).contains(&("week-1".to_owned(), false)), "it is asked for on the new day");
    let view = chart.view();
    let planning = Planning::of(&view);
    let list = planning.due_list(&planning.instruments[0], day(20), 0);
    let visits = list.occurrences.iter().filter(|one| one.name.to_string() == "week-1").count();
    assert_eq!((visits, list.unplanned.len()), (1, 0));
}

#[test]
fn a_visit_that_was_missed_stays_on_the_list_when_it_is_moved() {
    let with = |answered: Option<i64>| {
        let mut chart = TestChart::empty(1);
        let visit = |date: &str, revision: u32, from: i64| {
            let file = serde_json::json!({"format": "ward/schedule", "version": 1, "revision": revision,
                "from": occurrence(from), "anchors": [{"name": "surgery", "date": date}],
                "items": [{"id": "week-1", "anchor": "surgery", "day": 7, "window": {"opens": 0, "due": 0, "closes": 1}}],
                "reminders": {"times": ["19:00"], "perDay": 1, "escalateAfterMissed": 1}});
            planned(&Schedule::parse(file.to_string().as_bytes()).unwrap())
        };
        chart.write(Who::Coordinator, day(0), visit("2026-03-02", 1, 0));
        chart.write(Who::Phone, day(0), note("here"));
        if let Some(number) = answered {
            let answers = response("week-1", ward_sync::ResponseStatus::Completed, &Answers::of(&[]));
            chart.write(Who::Phone, day(number), answers);
        }
        let listed = |chart: &TestChart, number: i64| -> Vec<String> {
            let items = chart.with_named(|named| worklist(std::slice::from_ref(named), day(number)));
            let rows = items.into_iter().filter(|item| item.id.contains("-missed-"));
            rows.map(|item| item.reason).collect()
        };
        let before = listed(&chart, 10);
        chart.write(Who::Coordinator, day(10), visit("2026-03-12", 2, 11));
        (before, listed(&chart, 11), names(&chart, 17))
    };
    let row = "“How have you been?” missed once, on week-1".to_owned();
    let again = vec![("week-1".to_owned(), false)];
    assert_eq!(with(None), (vec![row.clone()], vec![format!("{row}; later excused")], again));
    assert_eq!(with(Some(7)), (vec![], vec![], vec![]), "it was answered where it stood");
}

#[test]
fn a_schedule_that_cannot_be_followed_ends_nothing_and_is_shown() {
    let mut chart = TestChart::with_diary(1, 10);
    chart.write(Who::Phone, day(0), note("in Vienna"));
    let newer =
        Instrument { schedule: InstrumentSchedule::Planned(vec![0xa1, 0x00, 0x02]), ..diary(DAY, 1, 1) };
    let entry = chart.write(Who::Coordinator, day(1), newer);
    assert_eq!(names(&chart, 2), [("2026-03-04".to_owned(), false)], "the diary goes on");
    let view = chart.view();
    let planning = Planning::of(&view);
    assert_eq!(planning.unreadable.iter().map(|(entry, _)| *entry).collect::<Vec<_>>(), [entry]);
    let items = chart.with_named(|named| worklist(std::slice::from_ref(named), day(2)));
    let shown = items.iter().find(|item| item.entries.contains(&entry)).unwrap();
    assert_eq!(shown.urgency, Urgency::Unusable);
    assert!(shown.reason.contains("cannot be followed"), "{}", shown.reason);
    // Days that no calendar has are no schedule either, and stop nothing.
    chart.write(Who::Coordinator, day(2), diary(i64::MAX, 1, 10));
    assert_eq!(names(&chart, 3), [("2026-03-05".to_owned(), false)]);
}

#[test]
fn the_trail_tells_of_a_schedule_in_words() {
    let (chart, _) = with_plan();
    let table = ward_client::export::trail_csv(&crate::trail::trail_of(&chart));
    assert!(table.contains("schedule 1: diary, week-1; start 2026-03-02, surgery 2026-03-04"), "{table}");
}
