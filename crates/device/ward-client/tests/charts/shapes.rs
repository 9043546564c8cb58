//! Records declared void, decisions, and answers that were sent twice: what scores, worklist and
//! exports make of them.

use crate::builder::*;
use serde_json::Value;
use ward_client::export::{answers_csv, fhir_ndjson, patient_page};
use ward_client::views::{ChartForms, Urgency, Version, WorkItem, open_conflicts, scores, worklist};
use ward_id::EntryId;
use ward_sync::*;

const RECORD: FieldKey = FieldKey::Record(EntryKind::QUESTIONNAIRE_RESPONSE);

fn work(chart: &TestChart) -> Vec<WorkItem> {
    let mut items = chart.with_named(|named| worklist(std::slice::from_ref(named), day(0)));
    items.retain(|item| item.urgency != Urgency::Notice);
    items
}

fn reasons(chart: &TestChart, urgency: Urgency) -> Vec<String> {
    work(chart).into_iter().filter(|item| item.urgency == urgency).map(|item| item.reason).collect()
}

fn resources(chart: &TestChart, resource_type: &str) -> Vec<Value> {
    let text = chart.with_named(|named| fhir_ndjson(std::slice::from_ref(named)));
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|resource| resource["resourceType"] == resource_type).collect()
}

fn fact(resource: &Value, name: &str) -> Option<String> {
    let facts = resource["extension"].as_array()?.iter().flat_map(|one| one["extension"].as_array());
    let fact = facts.flatten().find(|fact| fact["url"] == name)?;
    fact["valueString"].as_str().map(str::to_owned)
}

/// The last column of each row of the table.
fn standings(chart: &TestChart) -> Vec<String> {
    let text = chart.with_named(|named| answers_csv(std::slice::from_ref(named)));
    let mut out: Vec<String> =
        text.lines().skip(1).map(|row| row.rsplit(',').next().unwrap().to_owned()).collect();
    out.sort();
    out.dedup();
    out
}

fn page(chart: &TestChart) -> String {
    chart.with_named(|named| patient_page(named, day(9)))
}

fn correction(scores: &[(&str, usize)]) -> QuestionnaireResponse {
    response(&occurrence(0), ResponseStatus::Amended, &Answers::of(scores))
}

/// A mild report that was corrected twice in parallel: to a severe one and to a mild one.
fn parallel_corrections(chart: &mut TestChart) -> [EntryId; 3] {
    let first = chart.report(0, &Answers::of(&[]));
    let severe = chart.amend(Who::Phone, day(1), correction(SEVERE), first, "it was worse");
    let mild = chart.amend(Who::Phone, day(1), correction(MILD), first, "it was not that bad");
    [first, severe, mild]
}

#[test]
fn alarms_look_at_every_candidate() {
    let mut chart = TestChart::with_diary(1, 14);
    let [_, severe, mild] = parallel_corrections(&mut chart);
    assert_eq!(reasons(&chart, Urgency::Urgent).len(), 1, "one of two candidates is severe");
    assert_eq!(reasons(&chart, Urgency::Conflict).len(), 1);
    {
        let view = chart.view();
        let scored = scores(&view, &ChartForms::of(&view));
        let series = scored.series_of(URL, "nausea").unwrap();
        assert!(!series.settled, "nobody has chosen");
        assert_eq!((series.baseline, series.worst), (Some(1), Some(3)), "the lowest start, the worst grade");
        assert!(scored.responses.iter().filter(|r| r.version == Version::OneOfSeveral).count() == 2);
    }
    // The mild one is decided: the severe report stays on the list until somebody says what was done.
    chart.decide(Who::Clinician, day(2), Resolve::choosing(RECORD, vec![severe, mild], mild), "asked");
    assert_eq!(reasons(&chart, Urgency::Conflict), Vec::<String>::new());
    let left = reasons(&chart, Urgency::Urgent);
    assert!(left.len() == 1 && left[0].contains("later corrected to grade 1"), "{left:?}");
    let view = chart.view();
    assert!(scores(&view, &ChartForms::of(&view)).series_of(URL, "nausea").unwrap().settled);
}

#[test]
fn a_severe_report_that_is_declared_void_stays_on_the_list() {
    let mut chart = TestChart::with_diary(1, 14);
    let severe = chart.report(0, &Answers::of(SEVERE));
    chart.decide(Who::Phone, day(1), Void { target: severe }, "pressed the wrong button");
    let items = reasons(&chart, Urgency::Urgent);
    assert!(items.len() == 1 && items[0].contains("later declared void"), "{items:?}");
    // The planned time counts as not answered again.
    let view = chart.view();
    assert!(!ward_client::views::due(&view, day(0)).is_empty());
}

#[test]
fn exports_tell_what_was_declared_void() {
    let mut chart = TestChart::with_diary(1, 14);
    let answers = chart.report(0, &Answers::of(MILD));
    let taken = Dose {
        medication: MedicationId::new("ondansetron"),
        due_at: day(0),
        outcome: DoseOutcome::Taken,
        at: day(0),
        note: None,
    };
    let dose = chart.write(Who::Phone, day(0), taken);
    chart.decide(Who::Phone, day(1), Void { target: answers }, "wrong day");
    chart.decide(Who::Coordinator, day(1), Void { target: dose }, "wrong chart");
    let response = &resources(&chart, "QuestionnaireResponse")[0];
    assert_eq!(response["status"], "entered-in-error");
    assert_eq!(fact(response, "void").as_deref(), Some("wrong day"));
    assert_eq!(resources(&chart, "MedicationStatement")[0]["status"], "entered-in-error");
    assert_eq!(standings(&chart), ["void"]);
    let page = page(&chart);
    assert!(page.contains("These answers do not hold, says you: <bdi>wrong day</bdi>"), "{page}");
    let events = resources(&chart, "AuditEvent");
    assert!(events.iter().any(|event| event["outcomeDesc"] == format!("declared {answers} void")));
}

#[test]
fn void_beside_a_correction_is_shown_everywhere_and_one_decision_ends_it() {
    let mut chart = TestChart::with_diary(1, 14);
    let first = chart.report(0, &Answers::of(MILD));
    let corrected = chart.amend(Who::Phone, day(1), correction(SEVERE), first, "worse");
    let void = chart.decide(Who::Coordinator, day(1), Void { target: first }, "wrong patient");
    let found = {
        let view = chart.view();
        open_conflicts(&view)
    };
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].field, found[0].candidates.as_slice()), (&RECORD, [corrected, void].as_slice()));
    assert!(found[0].values[1].value.contains("declared void: wrong patient"));
    assert_eq!(reasons(&chart, Urgency::Urgent).len(), 1, "alarms look at the correction");
    let responses = resources(&chart, "QuestionnaireResponse");
    assert_eq!(responses.len(), 1);
    assert!(
        fact(&responses[0], "conflict").unwrap().contains("One of them says that it is void: wrong patient")
    );
    assert_eq!(standings(&chart), ["conflict", "conflict-void"]);
    assert!(page(&chart).contains("Your team has not chosen between them"));
    let decision = Resolve::choosing(RECORD, vec![corrected, void], corrected);
    chart.decide(Who::Coordinator, day(2), decision, "it was the right patient");
    assert_eq!(standings(&chart), ["current"]);
    let responses = resources(&chart, "QuestionnaireResponse");
    assert_eq!((responses.len(), fact(&responses[0], "conflict")), (1, None));
    assert_eq!(fact(&responses[0], "reason").as_deref(), Some("it was the right patient"));
    assert!(page(&chart).contains("as your team decided"));
}

#[test]
fn answers_sent_twice_are_marked_in_every_export() {
    let mut chart = TestChart::with_diary(1, 14);
    let a = chart.report(0, &Answers::of(MILD));
    let b = chart.report(0, &Answers::of(SEVERE));
    assert_eq!(standings(&chart), ["duplicate-for-review"]);
    let responses = resources(&chart, "QuestionnaireResponse");
    assert_eq!(responses.len(), 2, "neither is hidden");
    for response in &responses {
        assert_eq!(fact(response, "review").as_deref(), Some("duplicate-for-review"));
    }
    assert_eq!(reasons(&chart, Urgency::Duplicate).len(), 1);
    assert!(page(&chart).contains("more than one set of answers for this day"));
    // Declaring one of them void settles it, and the trail keeps it.
    chart.decide(Who::Phone, day(1), Void { target: b }, "answered on both devices");
    assert_eq!(standings(&chart), ["current", "void"]);
    assert_eq!(reasons(&chart, Urgency::Duplicate), Vec::<String>::new());
    assert!(!page(&chart).contains("more than one set of answers for this day"));
    assert_eq!(chart.view().place(a), Some(Place::Visible));
}

#[test]
fn a_decision_about_a_dose_is_one_resource_with_its_reason() {
    let mut chart = TestChart::with_diary(1, 14);
    let a = chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    let b = chart.write(Who::OtherClinician, day(0), plan_field(Some("8"), vec![]));
    assert_eq!(resources(&chart, "MedicationRequest").len(), 2);
    assert!(page(&chart).contains("your team is deciding between <bdi>4 mg</bdi> and <bdi>8 mg</bdi>"));
    let key = FieldKey::MedicationPlan(MedicationId::new("ondansetron"), "dose".into());
    let decision = chart.decide(Who::Clinician, day(1), Resolve::choosing(key, vec![a, b], b), "weight");
    let requests = resources(&chart, "MedicationRequest");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["dosageInstruction"][0]["text"], "dose: 8 mg");
    assert_eq!((requests[0]["status"].as_str(), fact(&requests[0], "conflict")), (Some("active"), None));
    assert_eq!(requests[0]["id"], decision.to_string());
    let provenance = resources(&chart, "Provenance");
    let of_decision = provenance.iter().find(|one| one["id"] == decision.to_string()).unwrap();
    assert_eq!(of_decision["activity"]["text"], "decide");
    assert_eq!(of_decision["reason"][0]["text"], "weight");
}

#[test]
fn a_plan_that_a_newer_app_changed_says_so() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    assert!(!page(&chart).contains("too old to read"));
    chart.write_raw(Who::Clinician, day(1), 7, |body| {
        (body.kind, body.version) = (EntryKind::MEDICATION_PLAN_FIELD, 2);
        body.schema = "ward/medication-plan".into();
    });
    assert!(page(&chart).contains("changes that this app is too old to read"));
    assert_eq!(chart.view().unreadable(EntryKind::MEDICATION_PLAN_FIELD), 1);
}
