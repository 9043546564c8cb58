//! Two change one dose in parallel, a third decides, a fourth writes beside it.

use ward_client::ClientError;
use ward_client::views::{Urgency, open_conflicts};
use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_sync::{
    Derived, FieldKey, FieldState, MedicationId, MedicationPlanField, Place, Resolve, ResponseStatus,
};
use ward_testkit::{START, Site, TestDevice, diary_answers, diary_instrument, diary_response};

const DAY_MS: i64 = 86_400_000;

fn key() -> FieldKey {
    FieldKey::MedicationPlan(MedicationId::new("ondansetron"), "dose".to_owned())
}

fn dose(value: &str, supersedes: Vec<EntryId>) -> MedicationPlanField {
    MedicationPlanField {
        medication: MedicationId::new("ondansetron"),
        field: "dose".to_owned(),
        value: Some(value.to_owned()),
        unit: Some("mg".to_owned()),
        supersedes,
    }
}

/// The values that stand, sorted, and whether nobody has chosen. What follows from them is not known
/// exactly then.
fn values(device: &TestDevice, chart: ChartId) -> (Vec<String>, bool) {
    let view = device.client.chart(chart).unwrap();
    assert!(view.accounting().balances(), "{:?}", view.accounting());
    let thread = view.medication_plan().values().next().unwrap();
    let open = matches!(thread.state(), FieldState::Conflict(_));
    assert_eq!(thread.derived() == Derived::Indeterminate, open, "never a silent value");
    assert_eq!(view.conflicts().len(), usize::from(open));
    let mut out: Vec<String> =
        thread.values().iter().map(|written| written.value.value.clone().unwrap_or_default()).collect();
    out.sort();
    (out, open)
}

fn current(device: &TestDevice, chart: ChartId) -> Vec<EntryId> {
    let view = device.client.chart(chart).unwrap();
    view.medication_plan().values().next().unwrap().current_ids()
}

/// The conflict as the worklist names it: every value with its author.
fn named(device: &TestDevice, site: &Site) -> Vec<String> {
    let items = device.client.worklist(site.clock.now()).unwrap();
    items.into_iter().filter(|item| item.urgency == Urgency::Conflict).flat_map(|item| item.values).collect()
}

async fn sync_all(devices: &mut [TestDevice]) {
    for _ in 0..2 {
        for device in devices.iter_mut() {
            device.sync().await;
        }
    }
}

/// A site whose four prescribers all read one chart, with a dose of 4 mg.
async fn four_prescribers(seed: u64) -> (Site, Vec<TestDevice>, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut devices = Vec::new();
    for number in 0..4 {
        let role = if number % 2 == 0 { Role::Clinician } else { Role::Investigator };
        devices.push(site.staff(&format!("prescriber {number}"), role).await);
    }
    let patient = site.patient("ada").await;
    let chart = patient.chart();
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 60)).await.unwrap();
    site.coordinator.sync().await;
    sync_all(&mut devices).await;
    devices[0].client.capture(chart, dose("4", vec![])).await.unwrap();
    sync_all(&mut devices).await;
    (site, devices, patient)
}

async fn conflict_resolve_conflict(days_offline: i64) {
    let (mut site, mut devices, mut patient) = four_prescribers(26 + days_offline.unsigned_abs()).await;
    let chart = patient.chart();
    let seen = current(&devices[0], chart);
    devices.iter().for_each(|device| device.relay.set_offline(true));
    let a = devices[0].client.capture(chart, dose("8", seen.clone())).await.unwrap();
    let b = devices[1].client.capture(chart, dose("2", seen)).await.unwrap();
    site.clock.advance_ms(days_offline * DAY_MS);
    devices.iter().for_each(|device| device.relay.set_offline(false));
    site.coordinator.sync().await;
    sync_all(&mut devices).await;
    for device in &devices {
        assert_eq!(values(device, chart), (vec!["2".to_owned(), "8".to_owned()], true));
        let said = named(device, &site);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said.iter().any(|one| one.starts_with("8 mg (clinician ")), "{said:?}");
        assert!(said.iter().any(|one| one.starts_with("2 mg (investigator ")), "{said:?}");
    }

    // The third decides while the fourth, who saw the same, writes once more; both are offline.
    for device in &devices[2..] {
        device.relay.set_offline(true);
    }
    let both = current(&devices[2], chart);
    let half = Resolve::choosing(key(), vec![a, a], a);
    assert!(devices[2].client.resolve(chart, half, "quick").await.is_err(), "it names both or nothing");
    let decision = Resolve::choosing(key(), both.clone(), a);
    let decided = devices[2].client.resolve(chart, decision, "spoke with both").await.unwrap();
    assert_eq!(values(&devices[2], chart), (vec!["8".to_owned()], false));
    let further = devices[3].client.capture(chart, dose("6", both.clone())).await.unwrap();
    assert_eq!(values(&devices[3], chart).0.len(), 3, "an ordinary write chooses nothing");
    for device in &devices[2..] {
        device.relay.set_offline(false);
    }
    devices[2].sync().await;
    devices[0].sync().await;
    assert_eq!(
        values(&devices[0], chart),
        (vec!["8".to_owned()], false),
        "decided, as far as this one knows"
    );
    sync_all(&mut devices).await;
    patient.sync().await;
    for device in devices.iter().chain([&patient]) {
        assert_eq!(values(device, chart), (vec!["6".to_owned(), "8".to_owned()], true), "opened again");
        let mut open = current(device, chart);
        open.sort();
        let mut expected = vec![decided, further];
        expected.sort();
        assert_eq!(open, expected, "the chosen value and the new write");
        let view = device.client.chart(chart).unwrap();
        assert_eq!(view.place(b), Some(Place::Superseded), "what was decided against is in the trail");
    }
    // A decision that does not know of the new write is refused where it is known.
    let stale = Resolve::choosing(key(), both, a);
    assert_eq!(devices[0].client.resolve(chart, stale, "again").await, Err(ClientError::ConflictMoved));
    let open = current(&devices[1], chart);
    devices[1].client.resolve(chart, Resolve::choosing(key(), open, further), "agreed").await.unwrap();
    sync_all(&mut devices).await;
    patient.sync().await;
    for device in devices.iter().chain([&patient]) {
        assert_eq!(values(device, chart), (vec!["6".to_owned()], false));
        assert!(named(device, &site).is_empty());
    }
}

#[tokio::test]
async fn fault_26_a_dose_conflict_is_decided_and_opened_again_at_once() {
    conflict_resolve_conflict(0).await;
}

#[tokio::test]
async fn fault_26_a_dose_conflict_is_decided_and_opened_again_after_thirty_days_offline() {
    conflict_resolve_conflict(30).await;
}

#[tokio::test]
async fn fault_26_alarms_fire_on_each_candidate() {
    let (site, mut devices, mut patient) = four_prescribers(226).await;
    let chart = patient.chart();
    patient.sync().await;
    let day = START.utc_day();
    let first = diary_response(day, &diary_answers((0, 0), 0, false, ""));
    let record = patient.client.capture(chart, first).await.unwrap();
    patient.sync().await;
    // The phone and a copy of it on a tablet of the same person correct the answers in parallel.
    let corrected = |answers| {
        let mut response = diary_response(day, &answers);
        response.status = ResponseStatus::Amended;
        response
    };
    let severe = corrected(diary_answers((4, 4), 0, false, ""));
    let mild = corrected(diary_answers((1, 1), 0, true, ""));
    let one = patient.client.amend(chart, record, "it was bad", severe).await.unwrap();
    let two = patient.client.amend(chart, record, "it was bearable", mild).await.unwrap();
    patient.sync().await;
    sync_all(&mut devices).await;
    for device in &devices {
        let items = device.client.worklist(site.clock.now()).unwrap();
        let open = |urgency| items.iter().filter(|item| item.urgency == urgency).count();
        assert_eq!((open(Urgency::Urgent), open(Urgency::PatientUrgent)), (1, 1), "{items:#?}");
        assert_eq!(open(Urgency::Conflict), 1);
        let view = device.client.chart(chart).unwrap();
        let found = open_conflicts(&view);
        let mut candidates = found[0].candidates.clone();
        candidates.sort();
        let mut expected = vec![one, two];
        expected.sort();
        assert_eq!(candidates, expected);
    }
}
