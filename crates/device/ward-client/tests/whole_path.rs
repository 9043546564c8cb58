//! The whole path without sockets: a patient writes without a network, and a nurse's device shows
//! the scored answer.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

use ward_client::ClientError;
use ward_client::views::Urgency;
use ward_crypto::Role;
use ward_sync::{FieldKey, MedicationId, MedicationPlanField, Note, Resolve};
use ward_testkit::{START, Site, TestDevice, diary_answers, diary_instrument, diary_response};

/// A patient with a diary, and a nurse who reads it.
async fn site_with_nurse() -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(7).await;
    let nurse = site.staff("nurse", Role::Clinician).await;
    let patient = site.patient("ada").await;
    let chart = patient.chart();
    site.coordinator.client.capture(chart, diary_instrument(START.utc_day(), 14)).await.unwrap();
    site.coordinator.sync().await;
    (site, nurse, patient)
}

#[tokio::test]
async fn an_answer_written_offline_is_scored_on_the_nurses_device() {
    let (site, mut nurse, mut patient) = site_with_nurse().await;
    let chart = patient.chart();
    patient.sync().await;
    patient.relay.set_offline(true);
    let day = START.utc_day();
    let first = diary_response(day, &diary_answers((1, 1), 1, false, "a quiet day"));
    patient.client.capture(chart, first).await.unwrap();
    site.clock.advance_days(1);
    let second = diary_response(day + 1, &diary_answers((4, 4), 2, true, "it got bad"));
    let entry = patient.client.capture(chart, second).await.unwrap();
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.unsent, report.pushed), (2, 0));
    assert!(report.next_attempt_in_ms.is_some());
    assert_eq!(patient.client.status().unwrap().saved_here, 2);

    patient.restart().await;
    patient.relay.set_offline(false);
    let report = patient.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.unsent), (2, 0), "{report:?}");
    assert!(report.problems.is_empty(), "{report:?}");
    assert_eq!(patient.client.status().unwrap().received, 2);

    nurse.sync().await;
    let list = nurse.client.worklist(site.clock.now()).unwrap();
    let urgent = list.first().unwrap();
    assert_eq!(urgent.urgency, Urgency::PatientUrgent);
    assert_eq!(urgent.entries, [entry]);
    let severe = list.iter().find(|item| item.urgency == Urgency::Urgent).unwrap();
    assert_eq!(severe.reason, "nausea: grade 3, on 2026-03-03");
    let compared: Vec<_> = severe.alerts.iter().filter_map(|alert| alert.compared.as_deref()).collect();
    assert!(compared.iter().any(|words| words.contains("1 at the start")), "{:?}", severe.alerts);

    for item in &list {
        nurse.client.acknowledge(&item.id, "called, new antiemetic").await.unwrap();
    }
    nurse.sync().await;
    let list = nurse.client.worklist(site.clock.now()).unwrap();
    assert!(list.iter().all(|item| item.acknowledged.is_some()), "{list:#?}");
    patient.sync().await;
    let status = patient.client.status().unwrap();
    assert_eq!(status.opened_at_site, 2, "{status:?}");
    let delivery = patient.client.delivery(chart).unwrap();
    assert!(delivery.entries.iter().all(|entry| entry.state == ward_sync::DeliveryState::Opened));
    assert_eq!((delivery.oldest_unsent, status.last_full_sync), (None, Some(site.clock.now())));
    assert!(status.fresh && status.stopped_by.is_empty() && !status.independent);
}

#[tokio::test]
async fn two_editors_offline_keep_both_values_until_somebody_resolves() {
    let (mut site, mut nurse, patient) = site_with_nurse().await;
    let chart = patient.chart();
    let mut doctor = site.staff("doctor", Role::Investigator).await;
    site.coordinator.sync().await;
    nurse.sync().await;
    doctor.sync().await;
    let field = |value: &str, supersedes| MedicationPlanField {
        medication: MedicationId::new("ondansetron"),
        field: "dose".to_owned(),
        value: Some(value.to_owned()),
        unit: Some("mg".to_owned()),
        supersedes,
    };
    nurse.client.capture(chart, field("4", vec![])).await.unwrap();
    doctor.client.capture(chart, field("8", vec![])).await.unwrap();
    nurse.sync().await;
    doctor.sync().await;
    nurse.sync().await;
    for device in [&nurse, &doctor] {
        let view = device.client.chart(chart).unwrap();
        let thread = view.medication_plan().values().next().unwrap();
        assert_eq!(thread.current.len(), 2, "both values are kept");
        let list = device.client.worklist(site.clock.now()).unwrap();
        let item = list.iter().find(|item| item.urgency == Urgency::Conflict).unwrap();
        assert!(item.reason.contains("ondansetron"), "{}", item.reason);
    }
    let both = nurse.client.chart(chart).unwrap().medication_plan().values().next().unwrap().current_ids();
    let further = nurse.client.capture(chart, field("6", both.clone())).await.unwrap();
    let all: Vec<_> = both.into_iter().chain([further]).collect();
    let key = FieldKey::MedicationPlan(MedicationId::new("ondansetron"), "dose".to_owned());
    let stale = Resolve::choosing(key.clone(), all[..2].to_vec(), all[0]);
    assert_eq!(
        nurse.client.resolve(chart, stale, "asked both").await,
        Err(ClientError::ConflictMoved),
        "an ordinary write ends nothing, and a decision names all"
    );
    let view = nurse.client.chart(chart).unwrap();
    let current = &view.medication_plan().values().next().unwrap().current;
    let four = current.iter().find(|written| written.value.value.as_deref() == Some("4")).unwrap().id();
    nurse.client.resolve(chart, Resolve::choosing(key, all, four), "asked both").await.unwrap();
    nurse.sync().await;
    doctor.sync().await;
    let view = doctor.client.chart(chart).unwrap();
    assert_eq!(
        view.medication_plan().values().next().unwrap().single().unwrap().value.value.as_deref(),
        Some("4")
    );
}

#[tokio::test]
async fn a_revoked_device_reads_nothing_new() {
    let (mut site, mut nurse, mut patient) = site_with_nurse().await;
    let chart = patient.chart();
    let note = |text: &str| Note { text: text.to_owned(), supersedes: vec![] };
    patient.client.capture(chart, note("before")).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    let before = nurse.client.chart(chart).unwrap().notes().len();
    assert_eq!(before, 1);

    let admin = &mut site.admins[0];
    let done =
        admin.client.revoke(nurse.device(), ward_sync::RevokePolicy::Salvage, "left the site").await.unwrap();
    assert!(done.is_done());
    patient.client.capture(chart, note("after")).await.unwrap();
    let report = patient.client.sync().await.unwrap();
    assert_eq!(
        report.rotated.len(),
        1,
        "the patient's device makes the next epoch before it seals: {report:?}"
    );
    assert!(report.is_complete(), "{report:?}");

    let report = nurse.client.sync().await.unwrap();
    assert!(report.problems.contains(&ward_client::SyncProblem::Revoked), "{report:?}");
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), before);
    // Not trusted any more: then it shows nothing at all.
    let admin = &mut site.admins[0];
    let done = admin.client.revoke(nurse.device(), ward_sync::RevokePolicy::Sever, "turned").await.unwrap();
    assert!(done.is_done());
    nurse.client.sync().await.unwrap();
    assert_eq!(nurse.client.chart(chart).err(), Some(ward_client::ClientError::Severed));
    site.coordinator.sync().await;
    assert_eq!(site.coordinator.client.chart(chart).unwrap().notes().len(), 2);
}

#[tokio::test]
async fn a_lost_phone_is_replaced_by_two_members_of_staff() {
    let (mut site, mut nurse, mut lost) = site_with_nurse().await;
    let (chart, person) = (lost.chart(), lost.person());
    let note = |text: &str| Note { text: text.to_owned(), supersedes: vec![] };
    lost.client.capture(chart, note("from the old phone")).await.unwrap();
    lost.sync().await;
    let mut phone = site.device("new phone").await;
    let invite = ward_client::NewInvite {
        person,
        role: Role::Patient,
        chart: Some(chart),
        not_after: None,
        server: None,
    };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    phone.begin(&ticket.to_text()).await;
    let outcome = site
        .coordinator
        .client
        .recover(ward_client::RecoverRequest {
            ticket: ticket.ticket,
            chart,
            lost: vec![],
            reason: "the phone was lost on a train".to_owned(),
            comparison: ward_client::Comparison::Same,
        })
        .await
        .unwrap();
    assert!(!outcome.is_done(), "one signature is not enough");
    let waiting = nurse.client.proposals().await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].summary.contains("the phone was lost on a train"));
    assert!(nurse.client.cosign(waiting[0].hash).await.unwrap().is_done());
    site.coordinator.sync().await;
    phone.finish().await;
    phone.sync().await;
    assert_eq!(phone.client.chart(chart).unwrap().notes().len(), 1, "history opens on the new phone");
    phone.client.capture(chart, note("from the new phone")).await.unwrap();
    phone.sync().await;
    let report = lost.client.sync().await.unwrap();
    assert!(report.problems.contains(&ward_client::SyncProblem::Revoked), "{report:?}");
    nurse.sync().await;
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 2);
}

#[test]
fn the_example_of_the_sdk_runs_and_is_short() {
    let source = include_str!("../examples/first_sync.rs");
    assert!(source.lines().count() <= 60, "an example that is read in one go");
    // Examples are built with the tests, beside them.
    let here = std::env::current_exe().unwrap();
    let example = here.ancestors().nth(2).unwrap().join("examples/first_sync");
    let out = std::process::Command::new(&example)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; build it with --examples", example.display()));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    for line in ["the phone is enrolled: true", "saved on the phone, not sent: 1", "Urgent: nausea: grade 3"]
    {
        assert!(text.contains(line), "{text}");
    }
}

#[tokio::test]
async fn exports_hold_the_answers_and_leave_a_receipt() {
    let (site, mut nurse, mut patient) = site_with_nurse().await;
    let chart = patient.chart();
    patient.sync().await;
    let answers = diary_answers((2, 3), 1, false, "=cmd <b>bold</b>");
    patient.client.capture(chart, diary_response(START.utc_day(), &answers)).await.unwrap();
    patient.sync().await;
    nurse.sync().await;

    // The diary is in the chart, so the answers are bound to it, and come out as they went in.
    let view = nurse.client.chart(chart).unwrap();
    let written = view.responses().values().flatten().next().unwrap().single().unwrap();
    assert!(matches!(written.value, ward_sync::Response::Dense(_)), "{:?}", written.value);
    let forms = ward_client::views::ChartForms::of(&view);
    assert_eq!(*forms.json_of(written.value).unwrap(), *answers.to_string().into_bytes());
    drop(view);

    let fhir = nurse.client.export_fhir(&[chart]).await.unwrap();
    let resources: Vec<serde_json::Value> =
        fhir.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(resources.iter().any(|resource| resource["resourceType"] == "QuestionnaireResponse"));
    let csv = nurse.client.export_csv(&[chart]).await.unwrap();
    assert!(csv.lines().count() > 5 && !csv.contains(",=cmd"), "{csv}");
    let page = patient.client.export_html(chart).await.unwrap();
    assert!(page.contains("&lt;b&gt;bold") && !page.contains("<b>bold"), "somebody's words are text");
    let package = nurse.client.export_audit(chart).await.unwrap();
    let names: Vec<&str> = package.iter().map(|(name, _)| name.as_str()).collect();
    for name in
        ["index.html", "entries.json", "olog-checkpoint.txt", "mlog-checkpoint.txt", "root-policy.cbor"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.iter().filter(|name| name.ends_with(".tlog-proof")).count() >= 2, "{names:?}");

    nurse.sync().await;
    patient.sync().await;
    let view = patient.client.chart(chart).unwrap();
    let receipts: Vec<_> = view.access_receipts().iter().flat_map(|thread| &thread.current).collect();
    assert_eq!(receipts.len(), 3, "each export of staff leaves one, the participant's own none");
    assert!(receipts.iter().all(|receipt| receipt.author.person == nurse.person()));
    drop(view);

    nurse.client.note_access(chart, ward_sync::AccessPurpose::Care).await.unwrap();
    nurse.client.note_access(chart, ward_sync::AccessPurpose::Care).await.unwrap();
    nurse.restart().await;
    nurse.sync().await;
    site.clock.advance_days(1);
    nurse.sync().await;
    nurse.sync().await;
    let view = nurse.client.chart(chart).unwrap();
    let care: Vec<_> = view
        .access_receipts()
        .iter()
        .flat_map(|thread| &thread.current)
        .filter(|receipt| receipt.value.purpose == ward_sync::AccessPurpose::Care)
        .collect();
    assert_eq!(care.len(), 1, "one for the day");
    assert_eq!(care[0].value.count, 2);
}
