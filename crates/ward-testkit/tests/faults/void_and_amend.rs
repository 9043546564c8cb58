//! One declares a record void while another corrects it.

use ward_client::views::Urgency;
use ward_crypto::Role;
use ward_id::EntryId;
use ward_sync::{EntryKind, FieldKey, FieldState, Place, Resolve, ResponseStatus};
use ward_testkit::{START, Site, TestDevice, diary_answers, diary_instrument, diary_response};

const DAY_MS: i64 = 86_400_000;

fn place(device: &TestDevice, entry: EntryId) -> Option<Place> {
    let chart = device.client.charts()[0].chart;
    device.client.chart(chart).unwrap().place(entry)
}

async fn void_beside_amend(days_offline: i64) {
    let mut site = Site::small(29 + days_offline.unsigned_abs()).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 60)).await.unwrap();
    site.coordinator.sync().await;
    patient.sync().await;
    let day = START.utc_day();
    let answers = diary_response(day, &diary_answers((1, 1), 0, false, "as it was"));
    let record = patient.client.capture(chart, answers).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    for device in [&patient, &nurse] {
        device.relay.set_offline(true);
    }
    let void = nurse.client.void(chart, record, "answered for somebody else").await.unwrap();
    let mut better = diary_response(day, &diary_answers((4, 4), 0, false, "it was worse"));
    better.status = ResponseStatus::Amended;
    let amended = patient.client.amend(chart, record, "I was too modest", better).await.unwrap();
    assert_eq!(place(&nurse, record), Some(Place::Superseded), "void, as far as the nurse knows");
    site.clock.advance_ms(days_offline * DAY_MS);
    // In whichever order they meet the server, no side wins.
    for device in [&patient, &nurse] {
        device.relay.set_offline(false);
    }
    site.coordinator.sync().await;
    for _ in 0..2 {
        for device in [&mut nurse, &mut patient, &mut site.coordinator] {
            device.sync().await;
        }
    }
    for device in [&nurse, &patient, &site.coordinator] {
        assert_eq!(place(device, void), Some(Place::InConflict));
        assert_eq!(place(device, amended), Some(Place::InConflict));
        assert_eq!(
            place(device, record),
            Some(Place::Superseded),
            "and the first version does not come back"
        );
        let view = device.client.chart(chart).unwrap();
        let thread = &view.responses().values().next().unwrap()[0];
        let FieldState::Conflict(open) = thread.state() else { panic!("{thread:?}") };
        assert_eq!((open.values.len(), open.voids.len()), (1, 1));
    }
    let items = nurse.client.worklist(site.clock.now()).unwrap();
    let item = items.iter().find(|item| item.urgency == Urgency::Conflict).unwrap();
    assert!(item.values.iter().any(|value| value.contains("declared void: answered for somebody else")));
    assert!(items.iter().any(|item| item.urgency == Urgency::Urgent), "the correction raises its alarm");
    // A person decides; nothing else ends it.
    let field = FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE);
    let decision = Resolve::choosing(field, vec![void, amended], void);
    nurse.client.resolve(chart, decision, "the patient confirmed the mix-up").await.unwrap();
    for _ in 0..2 {
        for device in [&mut nurse, &mut patient, &mut site.coordinator] {
            device.sync().await;
        }
    }
    for device in [&nurse, &patient, &site.coordinator] {
        let view = device.client.chart(chart).unwrap();
        assert!(view.responses().values().next().unwrap()[0].is_voided());
        for version in [record, amended] {
            assert_eq!(view.place(version), Some(Place::Superseded));
        }
    }
    // An app that is started again comes to the same.
    nurse.restart().await;
    assert_eq!(place(&nurse, amended), Some(Place::Superseded));
}

#[tokio::test]
async fn fault_29_void_beside_amend_is_a_conflict_and_nothing_comes_back() {
    void_beside_amend(0).await;
}

#[tokio::test]
async fn fault_29_void_beside_amend_is_a_conflict_after_thirty_days_offline() {
    void_beside_amend(30).await;
}
