//! Rows of missed times on the worklist: one order for what was planned, and what stays.

use crate::builder::*;
use crate::rule_sets::*;
use serde_json::json;
use ward_forms::schedule::Schedule;
use ward_id::TimestampMs;
use ward_sync::*;

fn planned(plan: &serde_json::Value) -> Instrument {
    let plan = Schedule::parse(plan.to_string().as_bytes()).unwrap();
    Instrument { schedule: InstrumentSchedule::Planned(plan.to_bytes()), ..diary(DAY, 1, 1) }
}

fn diary_at_eight_in_the_evening() -> Instrument {
    planned(&json!({"format": "ward/schedule", "version": 1, "revision": 1,
        "anchors": [{"name": "start", "date": "2026-03-02"}],
        "items": [{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 14, "times": ["20:00"]},
            "window": {"due": 0, "closes": 0}}]}))
}

/// The rows of missed times, with whether somebody acknowledged them.
fn rows(chart: &TestChart, sets: &[PublishedAlertRules], now: TimestampMs) -> Vec<(String, bool)> {
    let rows = items(chart, sets, now).into_iter().filter(|item| item.id.contains("-missed-"));
    rows.map(|item| (item.reason, item.acknowledged.is_some())).collect()
}

#[test]
fn a_row_of_evenings_far_west_is_neither_cut_nor_joined() {
    // 20:00 in Los Angeles is 04:00 UTC of the next day.
    let evening = |number: i64| day(number).plus_ms(19 * HOUR_MS + HOUR_MS / 2);
    let with = |answered: &[i64]| {
        let mut chart = TestChart::empty(1);
        chart.zone = "America/Los_Angeles".into();
        chart.write(Who::Coordinator, day(0), diary_at_eight_in_the_evening());
        for number in answered {
            chart.report_at(evening(*number), *number, &Answers::of(&[]));
        }
        chart
    };
    let missed = |row: &str| format!("“How have you been?” missed 2 times in a row, since {row}");
    // Missed on the 3rd and 4th, answered on the 5th: one row, which does not vanish with the answer.
    let row = format!("{}; answers came again since", missed("2026-03-03"));
    assert_eq!(rows(&with(&[0, 3]), &[], evening(4)), [(row, false)]);
    // Missed on the 3rd, answered on the 4th, missed on the 5th: no row.
    assert_eq!(rows(&with(&[0, 2]), &[], evening(3).plus_ms(6 * HOUR_MS)), []);
    // A correction on a later day is about the day that it corrects.
    let mut chart = with(&[0, 2]);
    let first = chart.report_at(evening(4), 4, &Answers::of(&[]));
    let fixed = response(&occurrence(4), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, evening(6).plus_ms(6 * HOUR_MS), fixed, first, "late");
    assert_eq!(rows(&chart, &[], evening(7)), [(missed("2026-03-07"), false)]);
}

#[test]
fn a_row_that_was_reached_stays_when_it_is_excused() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[]));
    let row = "“How have you been?” missed 2 times in a row, since 2026-03-03";
    assert_eq!(rows(&chart, &[], day(3)), [(row.to_owned(), false)]);
    // The site says on the fourth day that they left on the first.
    chart.write(
        Who::Coordinator,
        day(3),
        Participation { state: ParticipationState::Withdrawn, from: day(0) },
    );
    assert_eq!(rows(&chart, &[], day(6)), [(format!("{row}; later excused"), false)]);
    // What a participant's own device says reaches back to no day before.
    let mut chart = TestChart::with_diary(3, 14);
    chart.report(0, &Answers::of(&[]));
    chart.write(Who::Phone, day(3), Participation { state: ParticipationState::Withdrawn, from: day(0) });
    assert_eq!(rows(&chart, &[], day(6)), [(row.to_owned(), false)]);
    // What is missed while everybody knows of the pause is no row.
    let mut chart = TestChart::with_diary(2, 14);
    chart.report(0, &Answers::of(&[]));
    chart.write(Who::Coordinator, day(0), Participation { state: ParticipationState::Paused, from: day(0) });
    assert_eq!(rows(&chart, &[], day(6)), []);
}

#[test]
fn an_answer_after_its_close_takes_no_row_back() {
    let mut chart = TestChart::with_diary(1, 30);
    chart.report(0, &Answers::of(&[]));
    let row = "“How have you been?” missed 2 times in a row, since 2026-03-03";
    assert_eq!(rows(&chart, &[], day(3)), [(row.to_owned(), false)]);
    chart.report_at(day(3), 1, &Answers::of(&[]));
    let after = format!("{row}; one answered after its close");
    assert_eq!(rows(&chart, &[], day(3)), [(after, false)]);
    // Who acted has acted on the same row.
    let item = items(&chart, &[], day(3)).into_iter().find(|item| item.id.contains("-missed-")).unwrap();
    chart.write(Who::Clinician, day(3), item.acknowledgement("called"));
    chart.report_at(day(3).plus_ms(HOUR_MS), 2, &Answers::of(&[]));
    let both = format!("{row}; 2 answered after their close");
    assert_eq!(rows(&chart, &[], day(3).plus_ms(2 * HOUR_MS)), [(both, true)]);
    // One in the middle of ten keeps the row as long as it was.
    let mut chart = TestChart::with_diary(2, 30);
    chart.report(0, &Answers::of(&[]));
    chart.report_at(day(11), 5, &Answers::of(&[]));
    let ten = "“How have you been?” missed 10 times in a row, since 2026-03-03; one answered after its close";
    assert_eq!(rows(&chart, &[], day(11)), [(ten.to_owned(), false)]);
    // What was answered in its time and arrived late was not missed.
    let mut chart = TestChart::with_diary(3, 30);
    chart.report(0, &Answers::of(&[]));
    let answers = response(&occurrence(2), ResponseStatus::Completed, &Answers::of(&[]));
    let offline = chart.write_offline(Who::Phone, day(2), answers);
    assert_eq!(rows(&chart, &[], day(3)).len(), 1);
    chart.arrive(offline, day(3));
    assert_eq!(rows(&chart, &[], day(3)), []);
}

#[test]
fn an_answer_that_belongs_to_no_planned_time_ends_no_row() {
    let mut chart = TestChart::empty(1);
    chart.write(Who::Coordinator, day(0), diary(DAY, 7, 60));
    chart.report(0, &Answers::of(&[]));
    // Days 7 and 14 are missed; between them comes one that nobody planned.
    chart.report(10, &Answers::of(&[]));
    let row = "“How have you been?” missed 2 times in a row, since 2026-03-09";
    assert_eq!(rows(&chart, &[], day(15)), [(row.to_owned(), false)]);
    // After it, nothing came again.
    chart.report(17, &Answers::of(&[]));
    assert_eq!(rows(&chart, &[], day(18)), [(row.to_owned(), false)]);
}

#[test]
fn answers_for_days_to_come_hide_no_missed_day() {
    let mut chart = TestChart::with_diary(1, 30);
    for number in 0..7 {
        chart.report(number, &Answers::of(&[]));
    }
    // A clock that is ahead, or a lost phone: three answers for days that have not come.
    for number in 7..10 {
        chart.report_at(day(6), number, &Answers::of(&[]));
    }
    let found = rows(&chart, &[], day(10));
    let row = "“How have you been?” missed 3 times in a row, since 2026-03-09";
    assert_eq!(found, [(row.to_owned(), false)]);
}

#[test]
fn a_schedule_that_is_declared_void_leaves_the_row_that_it_told_of() {
    let mut chart = TestChart::empty(1);
    let plan = planned(&json!({"format": "ward/schedule", "version": 1, "revision": 1, "from": "2026-03-02",
        "anchors": [{"name": "start", "date": "2026-03-02"}],
        "items": [{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 14},
            "window": {"due": 0, "closes": 0}}],
        "reminders": {"times": ["19:00"], "perDay": 1, "escalateAfterMissed": 3}}));
    let diary = chart.write(Who::Coordinator, day(0), plan);
    chart.report(0, &Answers::of(&[]));
    let before = rows(&chart, &[], day(4));
    assert_eq!(before.len(), 1, "{before:?}");
    chart.decide(Who::Coordinator, day(4), Void { target: diary }, "never answered");
    assert_eq!(rows(&chart, &[], day(5)).len(), 1);
}

#[test]
fn a_schedule_that_tells_the_site_later_takes_no_row_back() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.report(0, &Answers::of(&[]));
    let before = rows(&chart, &[], day(4));
    assert_eq!(before.len(), 1);
    let plan = planned(&json!({"format": "ward/schedule", "version": 1, "revision": 2, "from": "2026-03-06",
        "anchors": [{"name": "start", "date": "2026-03-02"}],
        "items": [{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 14},
            "window": {"due": 0, "closes": 0}}],
        "reminders": {"times": ["19:00"], "perDay": 1, "escalateAfterMissed": 5}}));
    chart.write(Who::Coordinator, day(4), plan);
    assert_eq!(rows(&chart, &[], day(4)), before);
    // What the new schedule plans is told of as it says.
    chart.report(4, &Answers::of(&[]));
    assert_eq!(rows(&chart, &[], day(9)).len(), 1, "four missed are not five");
    let has = |now, row: &str| rows(&chart, &[], now).iter().any(|(known, _)| known.starts_with(row));
    let five = "“How have you been?” missed 5 times in a row, since 2026-03-07";
    assert!(has(day(10), five), "{:?}", rows(&chart, &[], day(10)));
    // It stays when answers come again.
    chart.report(10, &Answers::of(&[]));
    let after = rows(&chart, &[], day(11));
    assert!(after.iter().any(|(row, _)| *row == format!("{five}; answers came again since")), "{after:?}");
}

#[test]
fn a_rule_about_rows_ends_for_rows_that_came_up_after_the_next_revision() {
    let missed =
        |in_a_row: u8| json!([{"id": "m", "kind": "missed", "severity": "notice", "inARow": in_a_row}]);
    let sets = [set(1, 10, missed(2)), set(2, 20, missed(4))];
    let mut chart = TestChart::empty(1);
    chart.sealed_at = Some(11);
    chart.write(Who::Coordinator, day(0), diary(DAY, 1, 14));
    chart.report(0, &Answers::of(&[]));
    let row = "“How have you been?” missed 2 times in a row, since 2026-03-03";
    assert_eq!(rows(&chart, &sets[..1], day(3)), [(row.to_owned(), false)]);
    assert_eq!(rows(&chart, &sets, day(3)), [(row.to_owned(), false)], "it could have been shown before");
    // After an answer that was sealed under the second revision, rows are judged by that one.
    chart.sealed_at = Some(21);
    chart.report(3, &Answers::of(&[]));
    let after: Vec<String> = rows(&chart, &sets, day(7)).into_iter().map(|(reason, _)| reason).collect();
    assert_eq!(after, [format!("{row}; answers came again since")], "three missed since are no row of four");
    assert_eq!(rows(&chart, &sets, day(8)).len(), 2);
}
