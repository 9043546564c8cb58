//! What the site writes and others learn late, or by the server's word alone, and what is kept aside: no day that
//! ran is planned anew, and no row of missed times goes without a word.

use crate::builder::*;
use crate::rule_sets::*;
use serde_json::json;
use ward_client::views::{
    NamedChart, Planning, RuleBook, SetAside, Urgency, adherence, due, missed, set_aside_work,
};
use ward_forms::schedule::Schedule;
use ward_id::TimestampMs;
use ward_sync::*;

const LOS_ANGELES: &str = "America/Los_Angeles";
const AUCKLAND: &str = "Pacific/Auckland";

/// A time of a day of the story, in UTC.
fn clock(number: i64, hour: i64, minute: i64) -> TimestampMs {
    TimestampMs(((DAY + number) * 24 + hour) * HOUR_MS).plus_ms(minute * 60_000)
}

/// The diary every so many days from day 0 on, at times of the day.
fn planned(revision: u32, from: i64, every_days: u16, times: &[&str]) -> Instrument {
    let plan = json!({"format": "ward/schedule", "version": 1, "revision": revision, "from": occurrence(from),
        "anchors": [{"name": "start", "date": "2026-03-02"}],
        "items": [{"id": "diary", "anchor": "start",
            "repeat": {"everyDays": every_days, "days": 60, "times": times}, "window": {"due": 0, "closes": 0}}]});
    let plan = Schedule::parse(plan.to_string().as_bytes()).unwrap();
    Instrument { schedule: InstrumentSchedule::Planned(plan.to_bytes()), ..diary(DAY, 1, 1) }
}

/// The rows of missed times.
fn rows(chart: &TestChart, now: TimestampMs) -> Vec<String> {
    let rows = items(chart, &[], now).into_iter().filter(|item| item.id.contains("-missed-"));
    rows.map(|item| item.reason).collect()
}

/// Expected, completed and missed; and how many answers count nowhere.
fn counts(chart: &TestChart, now: TimestampMs) -> (u32, u32, u32, usize) {
    let row = adherence(&chart.view(), now).remove(0);
    (row.total.expected, row.total.completed, row.total.missed, row.unplanned.len())
}

fn asked(chart: &TestChart, now: TimestampMs) -> Vec<String> {
    due(&chart.view(), now).into_iter().map(|one| one.occurrence).collect()
}

fn answer(name: &str) -> QuestionnaireResponse {
    response(name, ResponseStatus::Completed, &Answers::of(&[]))
}

const TWO: &str = "“How have you been?” missed 2 times in a row, since 2026-03-04";

#[test]
fn an_amendment_that_was_sent_days_later_plans_no_day_anew_that_ran() {
    let mut chart = TestChart::empty(1);
    chart.write(Who::Coordinator, day(0), planned(1, 0, 1, &[]));
    chart.report(0, &Answers::of(&[]));
    // Weekly instead of daily, written on day 1 and sent on day 4; meanwhile days 2 and 3 are missed.
    let offline = chart.write_offline(Who::Clinician, day(1), planned(2, 2, 7, &[]));
    chart.report(1, &Answers::of(&[]));
    chart.report(4, &Answers::of(&[]));
    let before = rows(&chart, day(5));
    assert_eq!(before, [format!("{TWO}; answers came again since")]);
    chart.arrive(offline, day(4).plus_ms(2 * HOUR_MS));
    assert_eq!(rows(&chart, day(5)), before);
    assert_eq!(counts(&chart, day(5)), (5, 3, 2, 0), "what was answered belongs where it belonged");
    assert_eq!((asked(&chart, day(5)), asked(&chart, day(7))), (vec![], vec![occurrence(7)]), "weekly since");
}

#[test]
fn times_of_a_day_that_become_fewer_leave_the_answers_of_days_that_ran() {
    let mut chart = TestChart::empty(1);
    chart.write(Who::Coordinator, day(0), planned(1, 0, 1, &["08:00", "20:00"]));
    let offline = chart.write_offline(Who::Clinician, day(0), planned(2, 1, 1, &["19:00"]));
    // 10:00 and 21:00 in Vienna.
    for (number, hour, name) in [(1, 9, "2026-03-03"), (1, 20, "2026-03-03/2"), (2, 9, "2026-03-04")] {
        chart.write(Who::Phone, clock(number, hour, 0), answer(name));
    }
    chart.arrive(offline, clock(2, 12, 0));
    assert_eq!(asked(&chart, clock(2, 20, 0)), ["2026-03-04/2"], "today as it began");
    assert_eq!(asked(&chart, clock(3, 20, 0)), ["2026-03-05"]);
    let row = adherence(&chart.view(), clock(3, 9, 0)).remove(0);
    // Day 0 was missed twice, and the evening of day 2.
    assert_eq!((row.total.completed, row.total.missed, row.unplanned.len()), (3, 3, 0), "{row:?}");
}

#[test]
fn an_author_far_west_changes_no_day_that_has_begun_where_the_participant_is() {
    let mut chart = TestChart::empty(1);
    chart.zone = AUCKLAND.into();
    chart.write_in(
        LOS_ANGELES,
        Who::Coordinator,
        clock(-2, 9, 0),
        planned(1, 0, 1, &["08:00", "14:00", "20:00"]),
    );
    // On Tuesday in Auckland, at 08:30 and 14:30.
    chart.write_in(AUCKLAND, Who::Phone, clock(0, 19, 30), answer("2026-03-03"));
    chart.write_in(AUCKLAND, Who::Phone, clock(1, 1, 30), answer("2026-03-03/2"));
    // At 17:00 there, it is 20:00 of Monday in Los Angeles.
    let twice = planned(2, 1, 1, &["08:00", "20:00"]);
    chart.write_in(LOS_ANGELES, Who::Coordinator, clock(1, 4, 0), twice);
    assert_eq!(asked(&chart, clock(1, 7, 30)), ["2026-03-03/3"], "the evening is asked once");
    assert_eq!(asked(&chart, clock(2, 7, 30)), ["2026-03-04", "2026-03-04/2"], "twice a day since");
    let row = adherence(&chart.view(), clock(1, 12, 0)).remove(0);
    assert!(row.before_their_time.is_empty() && row.unplanned.is_empty(), "{row:?}");
}

#[test]
fn a_second_device_of_the_participant_plans_no_past_day_anew() {
    for (revisions, expected) in [((7, 1), (13, 12, 1, 0)), ((1, 7), (3, 1, 2, 0))] {
        let mut chart = TestChart::empty(1);
        chart.write(Who::Coordinator, day(0), planned(1, 0, revisions.0, &[]));
        chart.report(0, &Answers::of(&[]));
        // Known at 15:00 UTC of day 1, when it is day 2 already in Auckland.
        chart.write(Who::Coordinator, clock(1, 15, 0), planned(2, 0, revisions.1, &[]));
        if revisions.1 == 1 {
            (2..=12).for_each(|number| {
                chart.report(number, &Answers::of(&[]));
            });
        }
        let counted = |chart: &TestChart| counts(chart, clock(if revisions.1 == 1 { 14 } else { 9 }, 3, 0));
        let before = counted(&chart);
        assert_eq!(before, expected, "{revisions:?}");
        chart.write_in(AUCKLAND, Who::LostPhone, day(90), note("on a tablet"));
        assert_eq!(counted(&chart), before, "{revisions:?}");
    }
}

#[test]
fn a_schedule_that_is_declared_void_late_takes_no_day_that_ran() {
    let mut chart = TestChart::empty(1);
    let daily = chart.write(Who::Coordinator, day(0), planned(1, 0, 1, &[]));
    chart.report(0, &Answers::of(&[]));
    let gone = Draft::because(Void { target: daily }, "meant for somebody else");
    let offline = chart.draft_offline(Who::Clinician, day(1), &gone);
    chart.report(1, &Answers::of(&[]));
    chart.report(4, &Answers::of(&[]));
    chart.arrive(offline, day(4).plus_ms(2 * HOUR_MS));
    assert_eq!(counts(&chart, day(6)), (5, 3, 2, 0));
    assert_eq!(rows(&chart, day(6)), [format!("{TWO}; answers came again since")]);
    // What is given instead plans none of these days anew either.
    chart.write(Who::Coordinator, day(6), planned(2, 0, 7, &[]));
    assert_eq!(counts(&chart, day(6)), (5, 3, 2, 0));
    assert_eq!(asked(&chart, day(7)), [occurrence(7)]);
}

/// A chart with a daily diary of which the server says that it arrived on day 9.
fn with_diary_that_is_said_to_be_late() -> TestChart {
    let mut chart = TestChart::empty(1);
    let diary = chart.write_offline(Who::Coordinator, day(0), diary(DAY, 1, 30));
    chart.arrive(diary, day(9));
    chart
}

#[test]
fn that_a_schedule_arrived_late_is_not_believed_against_entries_that_followed_it() {
    let mut chart = with_diary_that_is_said_to_be_late();
    chart.write(Who::Phone, day(0), note("seen"));
    assert_eq!(counts(&chart, day(9)), (9, 0, 9, 0));
    assert_eq!(rows(&chart, day(9)), ["“How have you been?” missed 9 times in a row, since 2026-03-02"]);
    // Nor against answers that somebody else wrote down.
    let mut chart = with_diary_that_is_said_to_be_late();
    let interview = QuestionnaireResponse { answered_by: AnsweredBy::Interview, ..answer(&occurrence(1)) };
    chart.write(Who::Coordinator, day(1), interview);
    assert_eq!(counts(&chart, day(9)), (8, 1, 7, 0), "days 1 to 8");
}

#[test]
fn a_row_stays_where_only_the_server_says_that_nobody_could_know() {
    let chart = with_diary_that_is_said_to_be_late();
    assert_eq!(counts(&chart, day(9)).0, 0, "nothing is held against anybody");
    // Nobody has seen them: day 8 is not over everywhere.
    let row = "“How have you been?” missed 8 times in a row, since 2026-03-02; later excused";
    assert_eq!(rows(&chart, day(9)), [row]);
}

#[test]
fn a_clock_that_is_behind_makes_nothing_known_before_it_was_written() {
    let mut chart = TestChart::empty(1);
    chart.write(Who::Phone, day(0), note("here"));
    let offline = chart.write_offline(Who::Coordinator, day(3), diary(DAY, 1, 30));
    chart.arrive(offline, day(3));
    chart.write_off(Who::Phone, day(5), -365 * 24 * HOUR_MS, note("a year ago, by this clock"));
    assert_eq!(counts(&chart, day(5)), (2, 0, 2, 0), "days 3 and 4");
    // Nor does it make an amendment that arrived late hold earlier.
    let mut chart = TestChart::empty(2);
    chart.write(Who::Coordinator, day(0), planned(1, 0, 1, &[]));
    chart.write(Who::Phone, day(0), note("here"));
    let offline = chart.write_offline(Who::Clinician, day(1), planned(2, 2, 7, &[]));
    chart.arrive(offline, day(4));
    chart.write_off(Who::Phone, day(5), -365 * 24 * HOUR_MS, note("a year ago, by this clock"));
    assert_eq!(counts(&chart, day(5)), (5, 0, 5, 0), "daily to day 4");
}

#[test]
fn answers_that_are_kept_aside_were_not_missed() {
    let mut chart = TestChart::with_diary(1, 30);
    chart.report(0, &Answers::of(&[]));
    for number in 1..=5 {
        chart.write(Who::LostPhone, day(number), answer(&occurrence(number)));
    }
    chart.lose_phone();
    assert_eq!(rows(&chart, day(6)), [""; 0]);
    let row = adherence(&chart.view(), day(6)).remove(0);
    assert_eq!((row.total.expected, row.total.missed, row.kept_aside.len()), (1, 0, 5), "{row:?}");
    assert!(missed(&chart.view(), day(6)).is_empty());
    assert_eq!(asked(&chart, day(5)), [occurrence(5)], "it may be answered again");
    // What was missed really is a row of its own, as it was before the phone was lost.
    let row = "“How have you been?” missed 2 times in a row, since 2026-03-08";
    assert_eq!(rows(&chart, day(8)), [format!("{row}; counted with 5 answers kept aside")]);
}

#[test]
fn a_row_says_only_of_answers_kept_aside_that_touch_it() {
    let mut chart = TestChart::with_diary(1, 30);
    // Days 1 to 3 are missed between answers; one answer is kept aside long after, with its correction.
    chart.report(0, &Answers::of(&[]));
    chart.report(4, &Answers::of(&[]));
    let first = chart.write(Who::LostPhone, day(6), answer(&occurrence(6)));
    let again = response(&occurrence(6), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::LostPhone, day(6).plus_ms(HOUR_MS), again, first, "a slip");
    chart.report(5, &Answers::of(&[]));
    chart.lose_phone();
    let old = "“How have you been?” missed 3 times in a row, since 2026-03-03; answers came again since";
    let new =
        "“How have you been?” missed 2 times in a row, since 2026-03-09; counted with 1 answer kept aside";
    let mut listed = rows(&chart, day(9));
    listed.sort_unstable();
    assert_eq!(listed, [new, old]);
}

#[test]
fn the_site_is_told_as_the_schedule_says_whatever_is_kept_aside_or_answered_after_its_close() {
    let plan = json!({"format": "ward/schedule", "version": 1, "revision": 1, "from": "2026-03-02",
        "anchors": [{"name": "start", "date": "2026-03-02"}],
        "items": [{"id": "diary", "anchor": "start", "repeat": {"everyDays": 1, "days": 14},
            "window": {"due": 0, "closes": 0}}],
        "reminders": {"times": ["19:00"], "perDay": 1, "escalateAfterMissed": 3}});
    let plan = Schedule::parse(plan.to_string().as_bytes()).unwrap();
    let told = |chart: &TestChart, number: i64| -> Vec<String> {
        let view = chart.view();
        let plan = Planning::of(&view).reminders(day(number), 0);
        plan.escalations.into_iter().map(|one| one.since.to_string()).collect()
    };
    let mut chart = TestChart::empty(1);
    let instrument =
        Instrument { schedule: InstrumentSchedule::Planned(plan.to_bytes()), ..diary(DAY, 1, 1) };
    chart.write(Who::Coordinator, day(0), instrument);
    chart.report(0, &Answers::of(&[]));
    for number in 1..=3 {
        chart.write(Who::LostPhone, day(number), answer(&occurrence(number)));
    }
    chart.lose_phone();
    assert_eq!((told(&chart, 5), rows(&chart, day(5))), (vec![], vec![]));
    // Days 4 to 6 are missed, and the middle one is answered later.
    chart.report_at(day(7), 5, &Answers::of(&[]));
    assert_eq!(told(&chart, 7), ["2026-03-06"]);
    assert_eq!(rows(&chart, day(7)).len(), 1);
}

#[test]
fn what_a_revoked_device_writes_silences_nothing() {
    let mut chart = TestChart::with_diary(1, 30);
    chart.report(0, &Answers::of(&[]));
    for number in 1..=5 {
        chart.write(Who::LostPhone, day(number), answer(&occurrence(number)));
    }
    chart.distrust(Who::LostPhone);
    assert_eq!(rows(&chart, day(6)), ["“How have you been?” missed 5 times in a row, since 2026-03-03"]);
}

#[test]
fn a_lost_device_of_the_site_ends_no_row_and_no_schedule_without_a_word() {
    let mut chart = TestChart::with_diary(1, 30);
    chart.report(0, &Answers::of(&[]));
    let before = rows(&chart, day(4));
    assert_eq!(before.len(), 1);
    chart.lose(Who::Coordinator);
    assert_eq!(rows(&chart, day(4)), [""; 0], "nothing is planned");
    let aside = |now| {
        let (view, trusted) = (chart.view(), chart.trusted_view());
        let kept = SetAside::of(&view);
        assert_eq!(kept.instruments.len(), 1);
        set_aside_work(&RuleBook::built_in(), &NamedChart::new(chart.id, &view), &trusted, &kept, now)
    };
    let listed = aside(day(4));
    let notices: Vec<&str> = listed.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(notices, [format!("from a device that was revoked, kept aside: {}", before[0])]);
    assert!(listed.iter().all(|item| item.urgency == Urgency::Notice && item.closable));
    let view = chart.view();
    assert_eq!(Planning::of(&view).being_checked.len(), 1, "the phone can say so");
    // A pause whose end such a device wrote down: the row stays, and the phone can say that it is being checked.
    let mut paused = TestChart::empty(3);
    paused.write(Who::Clinician, day(0), diary(DAY, 1, 30));
    paused.report(0, &Answers::of(&[]));
    let word = |state, number| Participation { state, from: day(number) };
    paused.write(Who::Clinician, day(1), word(ParticipationState::Paused, 1));
    paused.write(Who::Coordinator, day(2), word(ParticipationState::Active, 2));
    let before = rows(&paused, day(5));
    assert_eq!(before, ["“How have you been?” missed 3 times in a row, since 2026-03-04"]);
    paused.lose(Who::Coordinator);
    let (view, trusted) = (paused.view(), paused.trusted_view());
    let named = NamedChart::new(paused.id, &view);
    let listed = set_aside_work(&RuleBook::built_in(), &named, &trusted, &SetAside::of(&view), day(5));
    assert_eq!(rows(&paused, day(5)), [""; 0]);
    assert!(listed.len() == 1 && listed[0].reason.ends_with(&before[0]), "{listed:#?}");
    assert_eq!(Planning::of(&view).being_checked.len(), 1);
    // A row that no schedule of that device planned is listed where it stands, and only there.
    let mut other = TestChart::empty(2);
    other.write(Who::Clinician, day(0), diary(DAY, 1, 30));
    other.report(0, &Answers::of(&[]));
    other.write(Who::Coordinator, day(0), Instrument { url: "urn:other".into(), ..diary(DAY + 20, 1, 3) });
    other.lose(Who::Coordinator);
    assert_eq!(rows(&other, day(4)).len(), 1);
    let (view, trusted) = (other.view(), other.trusted_view());
    let named = NamedChart::new(other.id, &view);
    let listed = set_aside_work(&RuleBook::built_in(), &named, &trusted, &SetAside::of(&view), day(4));
    assert!(listed.is_empty(), "{listed:#?}");
}

/// The reasons of what is kept aside.
fn aside(chart: &TestChart, now: TimestampMs) -> Vec<String> {
    let (view, trusted) = (chart.view(), chart.trusted_view());
    let (named, kept) = (NamedChart::new(chart.id, &view), SetAside::of(&view));
    let listed = set_aside_work(&RuleBook::built_in(), &named, &trusted, &kept, now);
    listed.into_iter().map(|item| item.reason).collect()
}

#[test]
fn what_staff_declined_and_what_is_not_trusted_hides_no_row_that_is_kept_aside() {
    let row = "from a device that was revoked, kept aside: “How have you been?” missed 3 times in a row, since 2026-03-03";
    // A lost laptop planned the diary, and said that the participant had left.
    let mut chart = TestChart::with_diary(1, 30);
    chart.report(0, &Answers::of(&[]));
    let left = Participation { state: ParticipationState::Withdrawn, from: day(0).plus_ms(HOUR_MS) };
    let left = chart.write(Who::Coordinator, day(0).plus_ms(HOUR_MS), left);
    chart.lose(Who::Coordinator);
    assert_eq!(aside(&chart, day(4)), [""; 0], "nobody has said yet that it is false");
    let device = chart.pens[&Who::Coordinator].author.device;
    chart.decide(Who::Clinician, day(4), DropDeclined { device, entry: left }, "they never left");
    assert_eq!(aside(&chart, day(4)), [row]);
    // Somebody answers on a stolen phone while the diary waits.
    let mut chart = TestChart::with_diary(2, 30);
    chart.report(0, &Answers::of(&[]));
    for number in 1..=3 {
        chart.write(Who::LostPhone, day(number), answer(&occurrence(number)));
    }
    chart.lose(Who::Coordinator);
    chart.distrust(Who::LostPhone);
    assert_eq!(aside(&chart, day(4)), [row]);
}

#[test]
fn that_a_plan_is_gone_with_a_device_that_is_not_trusted_is_said() {
    let mut chart = TestChart::with_diary(1, 30);
    chart.distrust(Who::Coordinator);
    let view = chart.view();
    let planning = Planning::of(&view);
    assert!(planning.instruments.is_empty() && planning.being_checked.is_empty());
    assert_eq!(planning.not_trusted.len(), 1);
    // Until the site has planned again.
    chart.write(Who::Clinician, day(1), diary(DAY + 1, 1, 30));
    assert_eq!(Planning::of(&chart.view()).not_trusted, []);
}
