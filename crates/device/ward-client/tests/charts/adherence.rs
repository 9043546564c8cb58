//! Adherence and what is due.

use crate::builder::*;
use ward_client::views::{AdherenceCounts, adherence, due};
use ward_id::TimestampMs;
use ward_sync::{Instrument, Participation, ParticipationState, ResponseStatus};

fn counts(expected: u32, completed: u32, late: u32, missed: u32) -> AdherenceCounts {
    // A diary of one day closes with that day: what is late is after its close, too.
    AdherenceCounts { expected, completed, late, after_close: late, missed }
}

fn total(chart: &TestChart, now: TimestampMs) -> AdherenceCounts {
    adherence(&chart.view(), now)[0].total
}

#[test]
fn planned_times_are_counted_when_their_day_is_over() {
    let mut chart = TestChart::with_diary(1, 10);
    assert_eq!(total(&chart, day(0)), counts(0, 0, 0, 0), "today is not over");
    chart.report(0, &Answers::of(&[]));
    assert_eq!(total(&chart, day(0)), counts(1, 1, 0, 0));
    // The phone is in Vienna, an hour ahead of UTC: its days end an hour before those of UTC.
    chart.report_at(TimestampMs((DAY + 2) * 24 * HOUR_MS - HOUR_MS - 1), 1, &Answers::of(&[]));
    chart.report_at(TimestampMs((DAY + 3) * 24 * HOUR_MS - HOUR_MS), 2, &Answers::of(&[]));
    let row = adherence(&chart.view(), day(8)).remove(0);
    assert_eq!(row.total, counts(8, 3, 1, 5), "the last moment is in time, the next is late");
    assert_eq!((row.streak, row.missed_in_a_row), (0, 5));
    assert_eq!(row.missed_since.map(|first| (first.occurrence, first.day)), Some((occurrence(3), DAY + 3)));
    assert_eq!(
        row.weeks.iter().map(|week| (week.week, week.counts)).collect::<Vec<_>>(),
        [(0, counts(7, 3, 1, 4)), (1, counts(1, 0, 0, 1)),]
    );
    assert_eq!(row.title, "How have you been?");
    assert_eq!(total(&chart, day(99)).expected, 10, "a schedule ends");
}

#[test]
fn a_correction_does_not_make_an_answer_late_and_a_draft_is_no_answer() {
    let mut chart = TestChart::with_diary(1, 10);
    let first = chart.report(0, &Answers::of(&[]));
    let fixed = response(&occurrence(0), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, day(5), fixed, first, "forgot");
    chart.write(Who::Phone, day(1), response(&occurrence(1), ResponseStatus::Draft, &Answers::of(&[])));
    assert_eq!(total(&chart, day(2)), counts(2, 1, 0, 1));
}

#[test]
fn nothing_is_expected_while_pausing_or_after_the_end() {
    let mut chart = TestChart::with_diary(1, 30);
    let mut state = |number: i64, state| {
        chart.write(Who::Coordinator, day(number), Participation { state, from: day(number) });
    };
    state(0, ParticipationState::Active);
    state(2, ParticipationState::Paused);
    state(5, ParticipationState::Active);
    state(8, ParticipationState::Withdrawn);
    // The phone is in Vienna. Days 0, 1 and 5, 6, 7 are expected.
    chart.write(Who::Phone, day(0), note("here"));
    let row = adherence(&chart.view(), day(20)).remove(0);
    assert_eq!(row.total, counts(5, 0, 0, 5));
    let is_due = |number| !due(&chart.view(), day(number)).is_empty();
    let days: Vec<bool> = (0..10).map(is_due).collect();
    assert_eq!(days, [true, true, false, false, false, true, true, true, false, false]);
}

#[test]
fn due_names_what_an_answer_must_name() {
    let mut chart = TestChart::empty(1);
    assert_eq!(due(&chart.view(), day(0)), []);
    chart.write(Who::Coordinator, day(0), diary(DAY, 7, 14));
    let once = Instrument { url: "urn:once".into(), questionnaire: b"{".to_vec(), ..diary(DAY, 0, 0) };
    let once = chart.write(Who::Coordinator, day(0), once);
    let listed = due(&chart.view(), day(0));
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (listed[0].title.as_str(), listed[0].occurrence.as_str()),
        ("How have you been?", "2026-03-02")
    );
    assert_eq!((listed[1].title.as_str(), listed[1].entry), ("urn:once", once));
    let newer = Instrument { version: "1.1.0".into(), ..diary(DAY, 7, 14) };
    chart.write(Who::Coordinator, day(0), newer);
    assert_eq!(due(&chart.view(), day(0))[0].instrument_version, "1.0.0", "today is asked as it began");
    chart.report(0, &Answers::of(&[]));
    assert_eq!(due(&chart.view(), day(0)).len(), 1);
    assert_eq!(due(&chart.view(), day(1)), []);
    assert_eq!(due(&chart.view(), day(7))[0].instrument_version, "1.1.0", "the newer version is asked");
    assert_eq!(due(&chart.view(), day(14)), []);
}

#[test]
fn answers_in_a_row_are_a_streak() {
    let mut chart = TestChart::with_diary(1, 10);
    for number in [0, 2, 3, 4] {
        chart.report(number, &Answers::of(&[]));
    }
    let row = adherence(&chart.view(), day(5)).remove(0);
    assert_eq!((row.streak, row.missed_in_a_row, row.missed_since), (3, 0, None));
}

#[test]
fn a_later_assignment_ends_the_earlier_one_on_its_first_day() {
    let mut chart = TestChart::with_diary(1, 10);
    chart.write(Who::Phone, day(0), note("in Vienna"));
    // Every day for ten days; from the fifth day on once a week only.
    chart.write(Who::Coordinator, day(4), diary(DAY + 5, 7, 14));
    let row = adherence(&chart.view(), day(30)).remove(0);
    assert_eq!(row.total.expected, 7, "days 0 to 4, then 5 and 12");
    let due_days: Vec<i64> = (0..20).filter(|number| !due(&chart.view(), day(*number)).is_empty()).collect();
    assert_eq!(due_days, [0, 1, 2, 3, 4, 5, 12]);
}

#[test]
fn an_answer_whose_clock_cannot_be_right_counts_by_what_arrived_and_is_flagged() {
    let mut chart = TestChart::with_diary(1, 10);
    let year_ms = 365 * 24 * HOUR_MS;
    let answers = || response(&occurrence(3), ResponseStatus::Completed, &Answers::of(&[]));
    // Written on day 3 with a clock a year ahead: it had arrived by then, so it was in time.
    let ahead = chart.write_off(Who::Phone, day(3), year_ms, answers());
    // Written on day 6 for day 4 with a clock a year behind: it knew of something that arrived on
    // day 6, so it was late.
    chart.write(Who::Coordinator, day(6), note("seen before it was answered"));
    let late = response(&occurrence(4), ResponseStatus::Completed, &Answers::of(&[]));
    let behind = chart.write_off(Who::Phone, day(6).plus_ms(HOUR_MS), -year_ms, late);
    // A clock that is off by less than what is known allows decides as ever.
    let shifted = response(&occurrence(5), ResponseStatus::Completed, &Answers::of(&[]));
    chart.write_off(Who::Phone, day(7), -2 * 60_000, shifted);
    let row = adherence(&chart.view(), day(8)).remove(0);
    assert_eq!(row.counted_by_bounds, [ahead, behind]);
    assert_eq!(row.total, counts(8, 3, 2, 5), "day 3 in time, days 4 and 5 late");
    assert!(due(&chart.view(), day(3)).is_empty(), "it is answered, whatever its clock showed");
}
