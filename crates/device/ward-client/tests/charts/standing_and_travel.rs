//! Participants who travel, who have two devices, who leave, and of whom nobody knows yet.

use crate::builder::*;
use rand_core::Rng as _;
use std::collections::BTreeMap;
use ward_client::views::{ChartForms, Here, Planning, Urgency, WorkItem, adherence, due, missed, worklist};
use ward_forms::schedule::Schedule;
use ward_id::{EntryId, TimestampMs};
use ward_sync::*;

const NEW_YORK: &str = "America/New_York";

/// An hour of a day of the story, in UTC.
fn hour(number: i64, hour: i64) -> TimestampMs {
    TimestampMs(((DAY + number) * 24 + hour) * HOUR_MS)
}

fn in_zones(chart: &TestChart, seen: &[(TimestampMs, &str)]) -> Here {
    let device = chart.pens[&Who::Phone].author.device;
    let seen = seen.iter().map(|(at, zone)| (*at, (*zone).to_owned())).collect();
    Here { device, is_participants: true, seen }
}

/// What the phone asks for, with the end of its time.
fn asked(chart: &TestChart, here: Option<&Here>, now: TimestampMs) -> Vec<(String, TimestampMs)> {
    let view = chart.view();
    let listed = Planning::seen_from(&view, here).due(&ChartForms::of(&view), now);
    listed.into_iter().map(|one| (one.occurrence, one.due_until)).collect()
}

fn states(chart: &TestChart, now: TimestampMs) -> (u32, u32, u32, u32) {
    let total = adherence(&chart.view(), now).remove(0).total;
    (total.expected, total.completed, total.late, total.missed)
}

fn work(chart: &TestChart, now: TimestampMs, matter: &str) -> Vec<WorkItem> {
    let items = chart.with_named(|named| worklist(std::slice::from_ref(named), now));
    items.into_iter().filter(|item| item.id.contains(matter)).collect()
}

fn answer(number: i64) -> QuestionnaireResponse {
    response(&occurrence(number), ResponseStatus::Completed, &Answers::of(&[]))
}

#[test]
fn who_flies_west_has_until_the_midnight_that_their_own_wall_shows() {
    let mut chart = TestChart::with_diary(1, 10);
    chart.write(Who::Phone, hour(0, 8), note("in Vienna"));
    // Day 0, 17:00 in New York, and again at 19:00, when Vienna has the next day.
    let (first, later) = (hour(0, 22), hour(1, 0));
    let midnight = hour(1, 5);
    let told = |now| asked(&chart, Some(&in_zones(&chart, &[(first, NEW_YORK), (now, NEW_YORK)])), now);
    assert_eq!(told(first), [(occurrence(0), midnight)]);
    assert_eq!(told(later), [(occurrence(0), midnight)], "on the same facts");
    // Whoever did not look before is told the same.
    let here = in_zones(&chart, &[(later, NEW_YORK)]);
    assert_eq!(asked(&chart, Some(&here), later), [(occurrence(0), midnight)]);
    // The answer of 20:00 in New York is in time for everybody.
    chart.write_in(NEW_YORK, Who::Phone, hour(1, 1), answer(0));
    assert_eq!(states(&chart, hour(1, 6)), (1, 1, 0, 0));
}

#[test]
fn an_answer_is_in_time_by_the_clock_under_which_it_was_written() {
    let mut chart = TestChart::with_diary(1, 10);
    // Seen in Vienna after midnight, so day 0 is over; then it is written at 22:00 of day 0 in New York.
    chart.write(Who::Phone, hour(0, 23).plus_ms(1_800_000), note("in Vienna, 00:30"));
    chart.write_in(NEW_YORK, Who::Phone, hour(1, 3), answer(0));
    assert_eq!(states(&chart, hour(1, 4)), (1, 1, 0, 0));
}

#[test]
fn a_second_device_in_another_zone_or_without_one_closes_no_day() {
    for zone in ["UTC", "Europe/Berlin", "Etc/Unknown", "Not/A_Zone"] {
        let mut chart = TestChart::with_diary(1, 10);
        chart.write_in(NEW_YORK, Who::Phone, hour(0, 15), note("at home"));
        // 20:05 in New York.
        chart.write_in(zone, Who::LostPhone, hour(1, 0).plus_ms(300_000), note("on the laptop"));
        let here = in_zones(&chart, &[(hour(1, 2), NEW_YORK)]);
        assert_eq!(asked(&chart, Some(&here), hour(1, 2)), [(occurrence(0), hour(1, 5))], "{zone}");
        assert_eq!(states(&chart, hour(1, 4)).3, 0, "{zone}: nobody has missed anything");
        assert_eq!(states(&chart, hour(1, 6)).3, 1, "{zone}");
    }
}

#[test]
fn before_anything_was_written_staff_wait_until_the_day_is_over_everywhere() {
    let chart = TestChart::with_diary(1, 10);
    let is_missed = |now| !missed(&chart.view(), now).is_empty();
    assert!(!is_missed(hour(1, 11)) && is_missed(hour(1, 12)));
    assert_eq!(asked(&chart, None, hour(0, 9)).len(), 1);
    // Their own device knows where it is.
    let here = in_zones(&chart, &[(hour(0, 9), NEW_YORK)]);
    assert_eq!(asked(&chart, Some(&here), hour(0, 9)), [(occurrence(0), hour(1, 5))]);
    // That of the site counts only for somebody whom nobody has seen.
    let site = Here { is_participants: false, ..in_zones(&chart, &[(hour(0, 9), "Europe/Vienna")]) };
    assert_eq!(asked(&chart, Some(&site), hour(0, 9)), [(occurrence(0), hour(0, 23))]);
    let mut seen = TestChart::with_diary(2, 10);
    seen.write_in(NEW_YORK, Who::Phone, hour(0, 8), note("here"));
    assert_eq!(asked(&seen, Some(&site), hour(0, 9)), [(occurrence(0), hour(1, 5))]);
}

/// A deadline that was shown is shown again, as long as nothing new is known: in 200 journeys.
#[test]
fn no_deadline_moves_forward_because_somebody_looks_again() {
    let zones = ["Europe/Vienna", NEW_YORK, "Pacific/Auckland", "America/Los_Angeles"];
    let mut chart = TestChart::with_diary(3, 10);
    chart.write(Who::Phone, hour(0, 6), note("in Vienna"));
    let mut dice = ward_testkit::SeededRng::new(1, "journeys");
    let mut below = |most: u64| dice.next_u64() % most;
    let mut seen_again = 0;
    for _ in 0..200 {
        let mut steps: Vec<(TimestampMs, &str)> =
            (0..=below(3)).map(|_| (hour(0, 7 + below(96) as i64), zones[below(4) as usize])).collect();
        steps.sort_by_key(|(at, _)| *at);
        let mut looks: Vec<TimestampMs> = (0..5).map(|_| hour(0, 7 + below(120) as i64)).collect();
        looks.sort_unstable();
        let remembers = below(2) == 0;
        let mut shown: BTreeMap<String, (TimestampMs, &str)> = BTreeMap::new();
        for now in looks {
            let mut seen: Vec<_> = steps.iter().filter(|(at, _)| *at <= now).copied().collect();
            let zone = seen.last().map_or("Europe/Vienna", |(_, zone)| zone);
            // Without its memory a device knows only where it is now.
            if !remembers {
                seen.clear();
            }
            seen.push((now, zone));
            for (name, until) in asked(&chart, Some(&in_zones(&chart, &seen)), now) {
                // Who lands further east has a new fact; the same zone again is none.
                if let Some((before, _)) = shown.get(&name).filter(|(_, known)| *known == zone) {
                    assert!(
                        *before <= until || *before <= now,
                        "{name}: {before:?}, then {until:?} at {now:?}"
                    );
                    seen_again += 1;
                }
                shown.insert(name, (until, zone));
            }
        }
    }
    assert!(seen_again > 50, "{seen_again}");
}

fn told(state: ParticipationState, from: TimestampMs) -> Participation {
    Participation { state, from }
}

#[test]
fn nothing_is_owed_by_somebody_who_could_not_be_asked() {
    // Invited on day 0, enrolled on day 3; the alert of two in a row hears of nothing.
    let mut chart = TestChart::with_diary(1, 14);
    chart.enrolled_at(None);
    assert_eq!((states(&chart, day(9)), due(&chart.view(), day(3)).len()), ((0, 0, 0, 0), 0));
    chart.enrolled_at(Some(day(3)));
    chart.write(Who::Phone, day(3), note("here"));
    assert_eq!(states(&chart, day(5)), (2, 0, 0, 2), "days 3 and 4");
    // Screened only, however long.
    let mut screened = TestChart::with_diary(2, 14);
    screened.write(Who::Coordinator, day(0), told(ParticipationState::Screened, day(0)));
    assert_eq!(states(&screened, day(12)), (0, 0, 0, 0));
    screened.write(Who::Coordinator, day(12), told(ParticipationState::Active, day(12)));
    screened.write(Who::Phone, day(12), note("here"));
    assert_eq!(states(&screened, day(20)), (2, 0, 0, 2), "days 12 and 13");
    // Who answers takes part, though the site writes it down later.
    let mut late = TestChart::with_diary(3, 14);
    late.report(0, &Answers::of(&[]));
    late.write(Who::Coordinator, day(4), told(ParticipationState::Active, day(4)));
    assert_eq!(states(&late, day(3)), (3, 1, 0, 2));
}

#[test]
fn the_first_word_about_them_excuses_nothing_that_was_before_it() {
    let row = "missed 5 times in a row, since 2026-03-02";
    for state in [ParticipationState::Active, ParticipationState::Screened] {
        let mut chart = TestChart::with_diary(1, 60);
        chart.write(Who::Phone, day(0), note("here, and silent"));
        assert!(work(&chart, day(5), "-missed-")[0].reason.contains(row));
        chart.write(Who::Coordinator, day(5), told(state, day(5)));
        assert_eq!(states(&chart, day(5)), (5, 0, 0, 5), "{state:?}");
        let listed = work(&chart, day(5), "-missed-");
        assert!(listed.len() == 1 && listed[0].reason.ends_with(row), "{listed:?}");
    }
    // A first “screened” about somebody who answers counts from then on.
    let mut chart = TestChart::with_diary(2, 60);
    for number in [0, 1, 4] {
        chart.report(number, &Answers::of(&[]));
    }
    chart.write(Who::Coordinator, day(5), told(ParticipationState::Screened, day(5)));
    assert_eq!(states(&chart, day(9)), (5, 3, 0, 2));
    assert!(due(&chart.view(), day(6)).is_empty());
    assert!(work(&chart, day(9), "-missed-")[0].reason.contains("missed 2 times in a row, since 2026-03-04"));
    // From when they take part they are asked again, and what is nearly over then is not held against them.
    chart.write(Who::Coordinator, hour(10, 22), told(ParticipationState::Active, hour(10, 22)));
    assert_eq!(due(&chart.view(), hour(10, 22)).len(), 1);
    assert_eq!(states(&chart, day(12)), (6, 3, 0, 3), "day 11, and not day 10");
}

#[test]
fn a_word_that_is_declared_void_or_replaced_held_until_then() {
    // Written down by mistake on day 2, and declared void on day 5.
    let mut chart = TestChart::with_diary(1, 60);
    chart.write(Who::Phone, day(0), note("here"));
    let gone = chart.write(Who::Coordinator, day(2), told(ParticipationState::Withdrawn, day(2)));
    assert!(due(&chart.view(), day(4)).is_empty());
    chart.decide(Who::Coordinator, day(5), Void { target: gone }, "somebody else");
    assert_eq!(due(&chart.view(), day(5).plus_ms(ARRIVES_AFTER_MS)).len(), 1, "they are asked again");
    assert_eq!(states(&chart, day(7)), (4, 0, 0, 4), "days 0, 1, 5 and 6: nobody was asked between");
    // That a pause had ended is declared void, or replaced: what was missed since stays.
    for is_void in [true, false] {
        let mut chart = TestChart::with_diary(2, 60);
        chart.report(0, &Answers::of(&[]));
        chart.write(Who::Coordinator, day(1), told(ParticipationState::Paused, day(1)));
        let resumed = chart.write(Who::Coordinator, day(3), told(ParticipationState::Active, day(3)));
        let row = "missed 3 times in a row, since 2026-03-05";
        assert!(work(&chart, day(6), "-missed-")[0].reason.contains(row));
        if is_void {
            chart.decide(Who::Coordinator, day(6), Void { target: resumed }, "they pause still");
        } else {
            let paused = told(ParticipationState::Paused, day(3));
            chart.amend(Who::Coordinator, day(6), paused, resumed, "they pause still");
        }
        let listed = work(&chart, day(7), "-missed-");
        assert!(listed.len() == 1 && listed[0].reason.contains(row), "{is_void}: {listed:?}");
        assert_eq!(listed[0].reason.ends_with("; later excused"), !is_void);
        assert!(due(&chart.view(), day(7)).is_empty(), "{is_void}");
    }
}

#[test]
fn words_that_are_declared_void_held_until_that_could_be_known() {
    // Two that overlap: they were asked nothing up to day 7.
    let mut chart = TestChart::with_diary(1, 60);
    chart.write(Who::Phone, day(0), note("here"));
    let left = chart.write(Who::Coordinator, day(2), told(ParticipationState::Withdrawn, day(2)));
    let paused = chart.write(Who::Coordinator, day(3), told(ParticipationState::Paused, day(3)));
    chart.decide(Who::Coordinator, day(5), Void { target: left }, "somebody else");
    chart.decide(Who::Coordinator, day(8), Void { target: paused }, "somebody else");
    assert_eq!(states(&chart, day(10)), (4, 0, 0, 4), "days 0, 1, 8 and 9");
    assert_eq!(due(&chart.view(), day(8).plus_ms(ARRIVES_AFTER_MS)).len(), 1);
    // One that was declared void without a network on day 3, and arrived on day 5.
    let mut chart = TestChart::with_diary(2, 60);
    chart.write(Who::Phone, day(0), note("here"));
    let left = chart.write(Who::Coordinator, day(2), told(ParticipationState::Withdrawn, day(2)));
    let void = Draft::because(Void { target: left }, "somebody else");
    let offline = chart.draft_offline(Who::Coordinator, day(3), &void);
    chart.write(Who::Phone, day(4), note("they believe that they are out"));
    chart.arrive(offline, day(5));
    assert_eq!(states(&chart, day(7)), (4, 0, 0, 4), "days 0, 1, 5 and 6");
}

#[test]
fn an_end_stays_an_end_until_staff_who_knew_of_it_say_otherwise() {
    let mut chart = TestChart::with_diary(1, 60);
    chart.write(Who::Coordinator, day(0), told(ParticipationState::Active, day(0)));
    // The end of a pause is entered ahead, and the participant leaves meanwhile.
    chart.write(Who::Coordinator, day(4), told(ParticipationState::Paused, day(5)));
    chart.write(Who::Coordinator, day(4), told(ParticipationState::Active, day(20)));
    chart.write(Who::Phone, day(10), told(ParticipationState::Withdrawn, day(10)));
    assert!(due(&chart.view(), day(25)).is_empty());
    chart.write(Who::Coordinator, day(30), told(ParticipationState::Active, day(30)));
    assert_eq!(due(&chart.view(), day(31)).len(), 1, "they came back");
}

#[test]
fn a_withdrawal_counts_though_its_clock_was_wrong_and_staff_wrote_beside_it() {
    let year_ms = 365 * 24 * HOUR_MS;
    for off_ms in [-45 * 60_000, -year_ms, year_ms] {
        let mut chart = TestChart::with_diary(1, 60);
        chart.write(Who::Coordinator, day(0), told(ParticipationState::Active, day(0)));
        let before = chart.chart.have();
        chart.write(Who::Coordinator, day(5), told(ParticipationState::Active, day(5)));
        let left = told(ParticipationState::Withdrawn, day(5).plus_ms(HOUR_MS / 2 + off_ms));
        if off_ms > -HOUR_MS && off_ms < 0 {
            chart.write_beside(Who::Phone, day(5).plus_ms(HOUR_MS / 2 + off_ms), &before, left);
        } else {
            chart.write_off(Who::Phone, day(5).plus_ms(HOUR_MS / 2), off_ms, left);
        }
        assert!(due(&chart.view(), day(6)).is_empty(), "{off_ms}");
    }
    // Nobody withdraws from the past: what was missed stays missed.
    let mut chart = TestChart::with_diary(2, 60);
    chart.write(Who::Phone, day(0), note("here"));
    chart.write(Who::Phone, day(5), told(ParticipationState::Withdrawn, TimestampMs(0)));
    assert_eq!(states(&chart, day(9)), (5, 0, 0, 5));
}

#[test]
fn who_withdraws_consent_is_not_asked_any_more() {
    let mut chart = TestChart::with_diary(1, 60);
    let consent = |status, choice| Consent { consent_version: "1".into(), status, choice };
    chart.write(Who::Phone, day(0), consent(ConsentStatus::Given, None));
    assert_eq!(due(&chart.view(), day(2)).len(), 1);
    chart.write(Who::Phone, day(3), consent(ConsentStatus::Withdrawn, Some(DataChoice::Keep)));
    assert!(due(&chart.view(), day(4)).is_empty());
    assert_eq!(states(&chart, day(9)), (3, 0, 0, 3), "days 0 to 2");
    chart.write(Who::Phone, day(10), consent(ConsentStatus::Given, None));
    assert!(due(&chart.view(), day(11)).is_empty(), "staff say whether they take part again");
    chart.write(Who::Coordinator, day(11), told(ParticipationState::Active, day(11)));
    assert_eq!(due(&chart.view(), day(12)).len(), 1);
}

#[test]
fn answers_that_belong_nowhere_or_came_too_early_are_shown() {
    let mut chart = TestChart::with_diary(1, 10);
    let stray = chart.write(Who::Phone, day(2), answer(40));
    let early = chart.write(Who::Phone, day(2).plus_ms(1), answer(9));
    let row = adherence(&chart.view(), day(3)).remove(0);
    assert_eq!((row.unplanned, row.before_their_time), (vec![stray], vec![early]));
    assert!(due(&chart.view(), day(9)).iter().any(|one| one.occurrence == occurrence(9)), "it is asked for");
    let reasons = |matter: &str| -> Vec<(Urgency, Vec<EntryId>, String)> {
        work(&chart, day(3), matter)
            .into_iter()
            .map(|item| (item.urgency, item.entries, item.reason))
            .collect()
    };
    let (urgency, entries, reason) = reasons("unplanned").remove(0);
    assert_eq!((urgency, entries), (Urgency::Unusable, vec![stray]));
    assert!(reason.contains("belongs to no planned time") && reason.contains("2026-04-11"), "{reason}");
    assert_eq!(reasons("before-its-time").remove(0).1, [early]);
}

#[test]
fn a_correction_that_names_another_time_takes_nothing_from_the_first() {
    let mut chart = TestChart::with_diary(1, 10);
    let first = chart.report(0, &Answers::of(&[]));
    let moved = response(&occurrence(1), ResponseStatus::Amended, &Answers::of(MILD));
    chart.amend(Who::Phone, day(3), moved, first, "the other day");
    // Day 0 as it was answered; day 1 when its answer came.
    assert_eq!(states(&chart, day(2)), (2, 2, 1, 0));
}

#[test]
fn schedules_that_were_written_side_by_side_are_shown_and_end_with_a_later_one() {
    let plan = |date: &str| {
        let file = serde_json::json!({"format": "ward/schedule", "version": 1, "revision": 2,
            "anchors": [{"name": "surgery", "date": date}], "items": [{"id": "week-1", "anchor": "surgery", "day": 7}]});
        let schedule = Schedule::parse(file.to_string().as_bytes()).unwrap();
        Instrument { schedule: InstrumentSchedule::Planned(schedule.to_bytes()), ..diary(DAY, 1, 1) }
    };
    let mut chart = TestChart::with_diary(1, 10);
    let before = chart.chart.have();
    let one = chart.write(Who::Coordinator, day(1), plan("2026-03-10"));
    let other = chart.write_beside(Who::Clinician, day(1).plus_ms(1), &before, plan("2026-03-12"));
    let item = work(&chart, day(2), "schedules").remove(0);
    assert_eq!((item.urgency, item.entries.len()), (Urgency::Conflict, 2), "{}", item.reason);
    assert!(item.entries.contains(&one) && item.entries.contains(&other));
    chart.write(Who::Coordinator, day(2), plan("2026-03-12"));
    assert!(work(&chart, day(3), "schedules").is_empty());
}

#[test]
fn an_instrument_that_is_declared_void_leaves_the_past_as_it_was() {
    let mut chart = TestChart::with_diary(1, 60);
    chart.write(Who::Phone, day(0), note("in Vienna"));
    let weekly = chart.write(Who::Coordinator, day(1), diary(DAY + 2, 7, 60));
    let thread_gone = Void { target: weekly };
    chart.decide(Who::Coordinator, day(20), thread_gone, "meant for somebody else");
    let row = adherence(&chart.view(), day(22)).remove(0);
    // Days 0 and 1, then 2, 9, 16, and 21 daily again.
    assert_eq!(row.total.expected, 6, "{row:?}");
    assert_eq!(due(&chart.view(), day(22)).len(), 1);
}
