//! An older app on a newer store, and an app that is too old for what the study asks.

use rusqlite::Connection;
use std::path::Path;
use ward_client::limits::STORE_FORMAT;
use ward_client::{ClientError, RowStoreError};
use ward_crypto::Role;
use ward_sync::limits::READER_LEVEL;
use ward_sync::{
    DataShape, EntryKind, MedicationId, MedicationPlanField, MergeClass, MinReader, Note, SchemaField,
};
use ward_testkit::{START, Site, diary_answers, diary_instrument, diary_response};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

/// The newer app marks its store.
fn mark_newer(path: &Path) {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch(&format!("PRAGMA user_version = {}", STORE_FORMAT + 1)).unwrap();
}

#[tokio::test]
async fn fault_36_an_older_app_reads_and_exports_a_newer_store_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut site = Site::small(36).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    patient.client.capture(chart, note("slept well")).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    let mut app = nurse.moved_to_file(&path).await;
    app.capture(chart, note("not sent yet")).await.unwrap();
    drop(app);
    mark_newer(&path);
    let before = std::fs::read(&path).unwrap();

    let mut older = nurse.opened_on(&path).await.unwrap();
    assert!(older.is_read_only());
    assert_eq!(older.chart(chart).unwrap().notes().len(), 2, "all of it can be read");
    for refused in [
        older.capture(chart, note("from the older app")).await.err(),
        older.sync().await.err(),
        older.void(chart, older.chart(chart).unwrap().notes()[0].current[0].id(), "why").await.err(),
    ] {
        let error = refused.unwrap();
        assert_eq!(error, ClientError::StoreIsNewer);
        assert_eq!(error.code().to_string(), "WARD-6060");
    }
    // What is not sent yet leaves the device all the same.
    let fhir = older.export_fhir(&[chart]).await.unwrap();
    assert!(fhir.contains("slept well") && fhir.contains("not sent yet"), "{fhir}");
    assert!(older.export_csv(&[chart]).await.is_ok() && older.export_html(chart).await.is_ok());
    drop(older);
    assert_eq!(std::fs::read(&path).unwrap(), before, "not a byte of the store changed");

    // The newer app is back: nothing was lost, and the chain goes on where it stood.
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(&format!("PRAGMA user_version = {STORE_FORMAT}")).unwrap();
    drop(raw);
    let mut newer = nurse.opened_on(&path).await.unwrap();
    let report = newer.sync().await.unwrap();
    assert!(report.is_complete() && report.pushed == 1, "{report:?}");
    patient.sync().await;
    assert_eq!(patient.client.chart(chart).unwrap().notes().len(), 2);
}

#[tokio::test]
async fn fault_36_the_store_itself_refuses_every_commit() {
    use ward_client::RowStore as _;
    use ward_client::native::SqliteRowStore;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteRowStore::open(&path).unwrap());
    mark_newer(&path);
    let store = SqliteRowStore::open(&path).unwrap();
    assert_eq!(store.commit(ward_client::WriteBatch::default()).await, Err(RowStoreError::Newer));
}

#[tokio::test]
async fn fault_36_an_app_below_the_min_reader_changes_no_plan_and_still_takes_new_records() {
    let mut site = Site::small(136).await;
    let mut doctor = site.staff("doctor", Role::Investigator).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 14)).await.unwrap();
    site.coordinator.sync().await;
    doctor.sync().await;
    patient.sync().await;
    let dose = |value: &str, supersedes| MedicationPlanField {
        medication: MedicationId::new("ondansetron"),
        field: "dose".to_owned(),
        value: Some(value.to_owned()),
        unit: Some("mg".to_owned()),
        supersedes,
    };
    let first = doctor.client.capture(chart, dose("4", vec![])).await.unwrap();
    let row = |level| {
        [
            (EntryKind::MEDICATION_PLAN_FIELD, "ward/medication-plan"),
            (EntryKind::QUESTIONNAIRE_RESPONSE, "fhir/QuestionnaireResponse"),
        ]
        .map(|(kind, schema)| MinReader { kind, schema: schema.to_owned(), level })
        .to_vec()
    };
    let fields = vec![SchemaField {
        shape: DataShape::Register,
        kind: EntryKind::MEDICATION_PLAN_FIELD,
        name: None,
        class: MergeClass::REVIEW,
        safety: true,
        resolvers: vec![],
    }];
    let admin = &mut site.admins[0].client;
    assert!(admin.publish_study_schema(fields.clone(), row(READER_LEVEL)).await.unwrap().is_done());
    doctor.sync().await;
    let second = doctor.client.capture(chart, dose("6", vec![first])).await.unwrap();
    // Now the study asks for an app that this one is not yet.
    let admin = &mut site.admins[0].client;
    admin.publish_study_schema(fields, row(READER_LEVEL + 1)).await.unwrap();
    doctor.sync().await;
    patient.sync().await;
    let refused = doctor.client.capture(chart, dose("8", vec![second])).await.unwrap_err();
    assert_eq!(
        (refused.clone(), refused.code().to_string()),
        (ClientError::NeedsNewerApp, "WARD-6061".to_owned())
    );
    let view = doctor.client.chart(chart).unwrap();
    let plan = view.medication_plan().values().next().unwrap();
    assert_eq!(plan.single().unwrap().value.value.as_deref(), Some("6"), "it is still read");
    // What a participant enters is taken; only changing what is there is not.
    let answers = || diary_response(START.utc_day(), &diary_answers((1, 0), 0, false, "well"));
    let record = patient.client.capture(chart, answers()).await.unwrap();
    let change = patient.client.amend(chart, record, "typing error", answers()).await;
    assert_eq!(change, Err(ClientError::NeedsNewerApp));
    patient.sync().await;
    // A schema that drops doses in silence is refused before it is sent.
    let lossy = SchemaField {
        shape: DataShape::Register,
        kind: EntryKind::MEDICATION_PLAN_FIELD,
        name: Some("dose".to_owned()),
        class: MergeClass::UI_LWW,
        safety: true,
        resolvers: vec![],
    };
    let refused = site.admins[0].client.publish_study_schema(vec![lossy], vec![]).await.unwrap_err();
    assert!(matches!(&refused, ClientError::SchemaRefused(why) if why.contains("ui-lww")), "{refused}");
}
