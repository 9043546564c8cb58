//! Clocks that are wrong: they order nothing, stall nothing and hide nothing, and they are marked.

use crate::crowd::{Crowd, note};
use ward_client::views::adherence;
use ward_sync::{DeliveryState, Place, TimeClaim, TimeFault};
use ward_testkit::{TestDevice, diary_answers, diary_instrument, diary_response};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// Entries of the patient in the order of a replica, with what is said of their times.
async fn lines(device: &mut TestDevice, of: &TestDevice) -> Vec<(String, TimeClaim, Vec<TimeFault>)> {
    let (chart, author) = (of.chart(), of.device());
    let trail = device.client.read_trail(chart).await.unwrap();
    assert!(trail.accounting.balances());
    let of_author = trail.entries.iter().filter(|entry| entry.author.device == author);
    // After 30 days a checkpoint is due as well; this is about what the person wrote.
    let of_author = of_author.filter(|entry| !entry.kind.is_about_checkpoints());
    of_author
        .map(|entry| {
            assert_eq!(entry.place, Place::Visible, "a clock changes no value");
            let text = entry.changes.first().and_then(|change| change.new.clone()).unwrap_or_default();
            (text, entry.time.claim, entry.time.faults.clone())
        })
        .collect()
}

/// A clock that is set to another time in the middle of a session, with and without a network.
async fn clock_off(seed: u64, devices: usize, days_offline: i64, off_ms: i64) {
    let mut crowd = Crowd::new(seed, devices).await;
    let chart = crowd.patient.chart();
    crowd.site.coordinator.client.capture(chart, note("seen first")).await.unwrap();
    crowd.settle().await;
    crowd.patient.relay.set_offline(true);
    let mut written = Vec::new();
    for (text, off) in [("right", 0), ("wrong", off_ms), ("still wrong", off_ms), ("right again", 0)] {
        crowd.patient.client.environment().set_wall_offset_ms(off);
        crowd.patient.client.capture(chart, note(text)).await.unwrap();
        crowd.site.clock.advance_ms(HOUR_MS);
        written.push(text.to_owned());
    }
    crowd.site.clock.advance_days(days_offline);
    // The clock of one of the staff is wrong too, and so is the patient's when it meets the server.
    crowd.patient.client.environment().set_wall_offset_ms(off_ms);
    crowd.site.coordinator.client.environment().set_wall_offset_ms(-off_ms);
    crowd.patient.relay.set_offline(false);
    crowd.settle().await;
    let mut all = written.clone();
    all.push("seen first".to_owned());
    crowd.agree_on(chart, &all);
    let delivery = crowd.patient.client.delivery(chart).unwrap();
    assert!(delivery.entries.iter().all(|entry| entry.state == DeliveryState::Opened), "{delivery:?}");

    let mut readers = vec![&mut crowd.site.coordinator];
    readers.extend(&mut crowd.staff);
    for reader in readers {
        let lines = lines(reader, &crowd.patient).await;
        let texts: Vec<&str> = lines.iter().map(|(text, ..)| text.as_str()).collect();
        assert_eq!(texts, ["right", "wrong", "still wrong", "right again"], "the order of writing");
        let moved = |faults: &[TimeFault]| {
            faults.iter().find_map(|fault| match fault {
                TimeFault::ClockMoved { by_ms } => Some(*by_ms),
                _ => None,
            })
        };
        assert_eq!((lines[0].1, moved(&lines[0].2)), (TimeClaim::Plausible, None), "{lines:?}");
        assert_eq!(moved(&lines[1].2), Some(off_ms), "the jump shows without any receipt");
        assert_eq!(moved(&lines[2].2), None);
        assert_eq!(moved(&lines[3].2), Some(-off_ms));
        assert!(lines[1].1 == TimeClaim::Suspect && lines[3].1 == TimeClaim::Suspect);
        // What arrived bounds the second one too, unless it lies within days without a network.
        let offline_ms = days_offline * DAY_MS;
        if off_ms < 0 {
            assert!(lines[2].2.contains(&TimeFault::BeforeWhatWasSeen), "{lines:?}");
        } else if off_ms > offline_ms + DAY_MS {
            assert!(lines[2].2.contains(&TimeFault::AfterArrival), "{lines:?}");
        }
    }
}

#[tokio::test]
async fn fault_13_a_clock_a_year_ahead() {
    clock_off(1_301, 1, 0, YEAR_MS).await;
}

#[tokio::test]
async fn fault_13_a_clock_a_year_behind_among_five_devices() {
    clock_off(1_302, 5, 0, -YEAR_MS).await;
}

#[tokio::test]
async fn fault_13_a_clock_25_hours_ahead_offline_for_30_days() {
    clock_off(1_303, 1, 30, 25 * HOUR_MS).await;
}

#[tokio::test]
async fn fault_13_a_clock_25_hours_behind_among_five_devices_offline_for_30_days() {
    clock_off(1_304, 5, 30, -25 * HOUR_MS).await;
}

#[tokio::test]
async fn fault_13_summer_time_leap_seconds_and_a_new_boot_are_no_faults() {
    let mut crowd = Crowd::new(1_305, 1).await;
    let chart = crowd.patient.chart();
    crowd.patient.relay.set_offline(true);
    // The story begins on 2026-03-02; in Berlin summer time begins on 2026-03-29.
    for day in 0..40 {
        crowd.patient.client.capture(chart, note(&format!("day {day}"))).await.unwrap();
        crowd.site.clock.advance_days(1);
        if day == 20 {
            crowd.patient.client.environment().set_wall_offset_ms(1_000);
        }
        if day == 30 {
            crowd.patient.client.environment().reboot();
        }
    }
    crowd.patient.relay.set_offline(false);
    crowd.settle().await;
    let lines = lines(&mut crowd.site.coordinator, &crowd.patient).await;
    assert_eq!(lines.len(), 40);
    assert!(lines.iter().all(|(_, claim, _)| *claim == TimeClaim::Plausible), "{lines:?}");
    let trail = crowd.site.coordinator.client.read_trail(chart).await.unwrap();
    let zones: Vec<&str> = trail
        .entries
        .iter()
        .filter(|entry| entry.author.device == crowd.patient.device())
        .map(|entry| &entry.time.local[entry.time.local.len() - 6..])
        .collect();
    assert!(
        zones[..27].iter().all(|zone| *zone == "+01:00") && zones[28..].iter().all(|zone| *zone == "+02:00"),
        "{zones:?}"
    );
}

#[tokio::test]
async fn fault_13_a_new_boot_hides_no_clock_that_what_arrived_contradicts() {
    let mut crowd = Crowd::new(1_306, 1).await;
    let chart = crowd.patient.chart();
    crowd.patient.client.capture(chart, note("right")).await.unwrap();
    crowd.settle().await;
    let env = crowd.patient.client.environment();
    env.reboot();
    env.set_wall_offset_ms(-YEAR_MS);
    crowd.site.clock.advance_ms(HOUR_MS);
    crowd.patient.client.capture(chart, note("wrong")).await.unwrap();
    crowd.settle().await;
    let lines = lines(&mut crowd.site.coordinator, &crowd.patient).await;
    assert!(lines[1].2.contains(&TimeFault::BeforeWhatWasSeen), "{lines:?}");
    assert!(!lines[1].2.iter().any(|fault| matches!(fault, TimeFault::ClockMoved { .. })));
    assert!(lines[1].2.contains(&TimeFault::BeforeWitnesses), "the witnesses say so too: {lines:?}");
}

#[tokio::test]
async fn fault_13_the_window_of_a_diary_is_that_of_what_arrived() {
    let mut crowd = Crowd::new(1_307, 1).await;
    let chart = crowd.patient.chart();
    let first_day = crowd.site.clock.now().utc_day();
    crowd.site.coordinator.client.capture(chart, diary_instrument(first_day, 10)).await.unwrap();
    crowd.settle().await;
    let answer = |day: i64| diary_response(first_day + day, &diary_answers((1, 1), 1, false, "as ever"));
    // Day 0, in time, by a clock a year ahead. Day 1 is written on day 3 by a clock that was set back
    // so that it would look in time.
    crowd.patient.client.environment().set_wall_offset_ms(YEAR_MS);
    let ahead = crowd.patient.client.capture(chart, answer(0)).await.unwrap();
    crowd.settle().await;
    crowd.site.clock.advance_days(3);
    crowd.patient.client.environment().set_wall_offset_ms(0);
    crowd.site.coordinator.client.capture(chart, note("how are you?")).await.unwrap();
    crowd.settle().await;
    crowd.patient.client.environment().set_wall_offset_ms(-2 * DAY_MS);
    let back = crowd.patient.client.capture(chart, answer(1)).await.unwrap();
    crowd.settle().await;
    for device in [&crowd.patient, &crowd.site.coordinator] {
        let row = adherence(&device.client.chart(chart).unwrap(), crowd.site.clock.now()).remove(0);
        assert_eq!(row.counted_by_bounds, [ahead, back]);
        assert_eq!((row.total.completed, row.total.late, row.total.missed), (2, 1, 1), "{row:?}");
    }
}
