//! Where a device was, since when a participant can be asked, and corrections that stay where they belong.

use ward_client::ClientError;
use ward_client::views::{Planning, adherence, occurrence_of};
use ward_sync::{Draft, ResponseStatus};
use ward_testkit::{Site, diary_answers, diary_instrument, diary_response};

const HOUR_MS: i64 = 3_600_000;

#[tokio::test]
async fn a_device_remembers_when_it_first_showed_a_zone() {
    let mut site = Site::small(31).await;
    let mut patient = site.patient("ada").await;
    let begin = site.clock.now();
    patient.client.note_zone().await.unwrap();
    patient.client.note_zone().await.unwrap();
    site.clock.advance_ms(HOUR_MS);
    patient.client.environment().set_zone("America/New_York");
    patient.client.note_zone().await.unwrap();
    site.clock.advance_ms(HOUR_MS);
    patient.restart().await;
    patient.client.environment().set_zone("America/New_York");
    patient.client.note_zone().await.unwrap();
    let here = patient.client.here().unwrap();
    let seen: Vec<(i64, &str)> =
        here.seen.iter().map(|(at, zone)| (at.since_ms(begin) / HOUR_MS, zone.as_str())).collect();
    assert_eq!(
        seen,
        [(0, "Europe/Berlin"), (1, "America/New_York"), (2, "America/New_York")],
        "once each, and where it is now"
    );
    assert!(here.is_participants && here.device == patient.device());
    assert!(!site.coordinator.client.here().unwrap().is_participants);
    assert_eq!(patient.client.clock_is_off_by_ms(), None);
    patient.client.environment().set_wall_offset_ms(-24 * HOUR_MS);
    patient.sync().await;
    assert_eq!(patient.client.clock_is_off_by_ms().map(|ms| ms / HOUR_MS), Some(-24));
}

#[tokio::test]
async fn nothing_is_owed_of_days_before_the_participants_device_was_certified() {
    let mut site = Site::small(32).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let today = site.clock.now().utc_day();
    site.coordinator.sync().await;
    site.coordinator.client.capture(chart, diary_instrument(today - 5, 30)).await.unwrap();
    site.coordinator.sync().await;
    patient.sync().await;
    site.clock.advance_days(3);
    for device in [&patient, &site.coordinator] {
        let view = device.client.chart(chart).unwrap();
        let since = view.participant_since().unwrap();
        assert!((today - 1..=today).contains(&since.utc_day()), "{since:?}");
        let row = adherence(&view, site.clock.now()).remove(0);
        assert!(row.total.missed > 0 && row.total.missed <= 3, "{row:?}");
        assert!(Planning::of(&view).unreadable.is_empty());
    }
}

#[tokio::test]
async fn a_correction_may_not_move_answers_to_another_planned_time() {
    let mut site = Site::small(33).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let today = site.clock.now().utc_day();
    site.coordinator.sync().await;
    site.coordinator.client.capture(chart, diary_instrument(today, 10)).await.unwrap();
    site.coordinator.sync().await;
    patient.sync().await;
    let first = diary_response(today, &diary_answers((1, 1), 1, false, "as ever"));
    let record = patient.client.capture(chart, first.clone()).await.unwrap();
    let mut moved = diary_response(today + 1, &diary_answers((1, 1), 2, false, "worse"));
    moved.status = ResponseStatus::Amended;
    let refused =
        patient.client.capture_draft(chart, Draft::amending(moved.clone(), record, "wrong day")).await;
    assert!(matches!(refused, Err(ClientError::NotAllowed(_))), "{refused:?}");
    moved.occurrence = occurrence_of(today);
    patient.client.capture_draft(chart, Draft::amending(moved, record, "mixed up")).await.unwrap();
}
