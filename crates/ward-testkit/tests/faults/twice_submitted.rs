//! One planned time is answered on the phone and on the tablet.

use serde_json::Value;
use ward_client::views::Urgency;
use ward_crypto::Role;
use ward_sync::{Place, Void};
use ward_testkit::{START, Site, diary_answers, diary_instrument, diary_response};

const DAY_MS: i64 = 86_400_000;

async fn phone_and_tablet(days_offline: i64) {
    let mut site = Site::small(27 + days_offline.unsigned_abs()).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut phone = site.patient("ada").await;
    let chart = phone.chart();
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 60)).await.unwrap();
    site.coordinator.sync().await;
    phone.sync().await;
    let day = START.utc_day();
    // The tablet answers in an interview: another device, the same planned time.
    let mut tablet = site.staff("tablet at the clinic", Role::Coordinator).await;
    tablet.sync().await;
    for device in [&phone, &tablet] {
        device.relay.set_offline(true);
    }
    let own = diary_response(day, &diary_answers((1, 1), 0, false, "on the phone"));
    let mut asked = diary_response(day, &diary_answers((4, 4), 0, false, "at the clinic"));
    asked.answered_by = ward_sync::AnsweredBy::Interview;
    let first = phone.client.capture(chart, own).await.unwrap();
    let second = tablet.client.capture(chart, asked).await.unwrap();
    site.clock.advance_ms(days_offline * DAY_MS);
    for device in [&phone, &tablet] {
        device.relay.set_offline(false);
    }
    site.coordinator.sync().await;
    for _ in 0..2 {
        for device in [&mut phone, &mut tablet, &mut nurse] {
            device.sync().await;
        }
    }
    for device in [&phone, &tablet, &nurse] {
        let view = device.client.chart(chart).unwrap();
        assert_eq!(view.duplicate_responses().count(), 1);
        for entry in [first, second] {
            assert_eq!(view.place(entry), Some(Place::Visible), "neither is hidden");
        }
        assert!(view.accounting().balances());
    }
    let items = nurse.client.worklist(site.clock.now()).unwrap();
    let duplicate = items.iter().find(|item| item.urgency == Urgency::Duplicate).unwrap();
    assert_eq!(duplicate.entries.len(), 2);
    assert!(items.iter().any(|item| item.urgency == Urgency::Urgent), "alarms look at both");
    let fhir = nurse.client.export_fhir(&[chart]).await.unwrap();
    let resources = fhir.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let responses: Vec<Value> =
        resources.filter(|resource| resource["resourceType"] == "QuestionnaireResponse").collect();
    assert_eq!(responses.len(), 2);
    assert!(responses.iter().all(|one| one.to_string().contains("duplicate-for-review")));
    let csv = nurse.client.export_csv(&[chart]).await.unwrap();
    assert!(csv.contains("on the phone") && csv.contains("at the clinic"));
    assert!(csv.lines().skip(1).all(|row| row.ends_with("duplicate-for-review")), "{csv}");
    // Whoever answered twice by mistake says so; the trail keeps what was sent.
    tablet
        .client
        .capture_draft(chart, ward_sync::Draft::because(Void { target: second }, "asked twice"))
        .await
        .unwrap();
    tablet.sync().await;
    nurse.sync().await;
    let view = nurse.client.chart(chart).unwrap();
    assert_eq!(view.duplicate_responses().count(), 0);
    assert_eq!(view.place(second), Some(Place::Superseded));
}

#[tokio::test]
async fn fault_27_both_submissions_of_one_visit_are_kept_and_flagged() {
    phone_and_tablet(0).await;
}

#[tokio::test]
async fn fault_27_both_submissions_are_kept_after_thirty_days_offline() {
    phone_and_tablet(30).await;
}
