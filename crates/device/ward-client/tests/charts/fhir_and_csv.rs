//! FHIR and the table.

use crate::builder::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use ward_client::export::{CSV_COLUMNS, ENTRY_EXTENSION, answers_csv, fhir_ndjson};
use ward_client::views::NamedChart;
use ward_id::TimestampMs;
use ward_sync::*;

const HOSTILE: &str = "=cmd|'/C calc'!A0\", \"x\"\r\n{\"resourceType\":\"Patient\"}\u{2028}\u{0}";

fn fhir(chart: &TestChart) -> (String, Vec<Value>) {
    let text = chart.with_named(|named| fhir_ndjson(std::slice::from_ref(named)));
    assert!(text.ends_with('\n'));
    let resources = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (text, resources)
}

fn of_type<'a>(resources: &'a [Value], resource_type: &str) -> Vec<&'a Value> {
    resources.iter().filter(|resource| resource["resourceType"] == resource_type).collect()
}

fn facts(resource: &Value) -> BTreeMap<String, String> {
    let extensions = resource["extension"].as_array().unwrap();
    let ours = extensions.iter().find(|extension| extension["url"] == ENTRY_EXTENSION).unwrap();
    let fact = |part: &Value| {
        let value = part.as_object().unwrap().iter().find(|(name, _)| name.starts_with("value")).unwrap().1;
        (part["url"].as_str().unwrap().to_owned(), value.as_str().unwrap().to_owned())
    };
    ours["extension"].as_array().unwrap().iter().map(fact).collect()
}

#[test]
fn numbers_leave_with_the_digits_that_they_had() {
    let mut chart = TestChart::with_diary(1, 14);
    let mut given = response(&occurrence(0), ResponseStatus::Completed, &Answers::of(&[]));
    given.response = br#"{"resourceType": "QuestionnaireResponse", "status": "completed", "item": [
        {"linkId": "dose", "answer": [{"valueDecimal": 1.50}]},
        {"linkId": "weight", "answer": [{"valueQuantity": {"value": 70.00, "code": "kg"}}]}]}"#
        .to_vec();
    chart.write(Who::Phone, day(0), given);
    let text = chart.with_named(|named| fhir_ndjson(std::slice::from_ref(named)));
    assert!(text.contains("\"valueDecimal\":1.50") && text.contains("\"value\":70.00"), "{text}");
}

/// A chart with one of everything.
fn full_chart() -> TestChart {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Coordinator, day(0), profile("name", "Secret Name"));
    let first = chart.report(0, &Answers { note: Some(HOSTILE), ..Answers::of(SEVERE) });
    let fixed = response(
        &occurrence(0),
        ResponseStatus::Amended,
        &Answers { note: Some(HOSTILE), ..Answers::of(MILD) },
    );
    chart.amend(Who::Phone, day(1), fixed, first, HOSTILE);
    chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    let dose = Dose {
        medication: MedicationId::new("ondansetron"),
        due_at: day(0),
        outcome: DoseOutcome::Skipped,
        at: day(0).plus_ms(HOUR_MS),
        note: Some(HOSTILE.into()),
    };
    chart.write(Who::Phone, day(0), dose);
    let visit = Appointment {
        appointment: AppointmentId([1; 16]),
        status: AppointmentStatus::Booked,
        starts_at: day(5),
        minutes: 30,
        place: "room 1".into(),
        purpose: String::new(),
        supersedes: Vec::new(),
    };
    chart.write(Who::Coordinator, day(0), visit);
    chart.write(Who::Clinician, day(0), note(HOSTILE));
    chart.write(
        Who::Phone,
        day(0),
        Consent { consent_version: "v3".into(), status: ConsentStatus::Given, choice: None },
    );
    chart.write(Who::Coordinator, day(0), Participation { state: ParticipationState::Active, from: day(0) });
    let receipt =
        AccessReceipt { purpose: AccessPurpose::Care, day: DAY, first_at: day(0), last_at: day(0), count: 1 };
    chart.write(Who::Clinician, day(0), receipt);
    chart.write(Who::Pretender, day(0), diary(DAY, 1, 3));
    chart
}

#[test]
fn every_entry_leaves_a_trail_and_every_line_is_a_resource() {
    let chart = full_chart();
    let (text, resources) = fhir(&chart);
    assert_eq!(text, fhir(&chart).0, "the same chart gives the same bytes");
    assert!(!text.contains("Secret Name"), "the participant is a pseudonym");
    assert_eq!(resources[0]["id"], chart.id.to_string());
    let trail: BTreeSet<String> = ["Provenance", "AuditEvent"]
        .iter()
        .flat_map(|kind| of_type(&resources, kind))
        .map(|resource| facts(resource)["entry"].clone())
        .collect();
    let entries: BTreeSet<String> =
        chart.view().timeline().iter().map(|item| item.entry.id().to_string()).collect();
    assert_eq!(trail, entries);
    let ids: BTreeSet<(String, String)> =
        resources.iter().map(|r| (r["resourceType"].to_string(), r["id"].to_string())).collect();
    assert_eq!(ids.len(), resources.len(), "no id stands twice");
    for resource in &resources {
        let id = resource["id"].as_str().unwrap();
        let fits = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        assert!(fits, "{id}");
        assert_no_empty(resource);
    }
    for provenance in of_type(&resources, "Provenance") {
        let target = provenance["target"][0]["reference"].as_str().unwrap();
        let there = |r: &&Value| {
            format!("{}/{}", r["resourceType"].as_str().unwrap(), r["id"].as_str().unwrap()) == target
        };
        assert!(resources.iter().any(|r| there(&r)), "{target}");
    }
}

/// FHIR knows no empty strings, arrays or objects.
fn assert_no_empty(value: &Value) {
    match value {
        Value::Array(list) => {
            assert!(!list.is_empty());
            list.iter().for_each(assert_no_empty);
        }
        Value::Object(fields) => {
            assert!(!fields.is_empty());
            fields.values().for_each(assert_no_empty);
        }
        Value::String(text) => assert!(!text.is_empty()),
        Value::Null => panic!("FHIR knows no null outside arrays"),
        _ => {}
    }
}

#[test]
fn a_response_keeps_its_content_and_gains_its_facts() {
    let chart = full_chart();
    let (_, resources) = fhir(&chart);
    let responses = of_type(&resources, "QuestionnaireResponse");
    assert_eq!(responses.len(), 1, "what a correction replaced is in the trail only");
    let response = responses[0];
    let view = chart.view();
    let thread = &view.responses().values().next().unwrap()[0];
    assert_eq!(response["id"], thread.first().unwrap().id().to_string(), "the id stays when it is corrected");
    assert_eq!(response["meta"]["versionId"], thread.current[0].id().to_string());
    assert_eq!(response["status"], "amended");
    assert_eq!(response["subject"]["reference"], format!("Patient/{}", chart.id));
    assert_eq!(response["questionnaire"], format!("{URL}|{VERSION}"));
    let facts = facts(response);
    assert_eq!(facts["capturedAt"], "2026-03-03T09:00:00.000Z");
    assert_eq!(facts["receivedAt"], "2026-03-03T09:01:00.000Z");
    assert_eq!(facts["occurrence"], "2026-03-02");
    assert_eq!((facts["role"].as_str(), facts["answeredBy"].as_str()), ("participant", "self"));
    assert_eq!((facts["ologIndex"].as_str(), facts["reason"].as_str()), ("3", HOSTILE));
    let forms = ward_client::views::ChartForms::of(&view);
    let stored: Value = serde_json::from_slice(&forms.json_of(thread.current[0].value).unwrap()).unwrap();
    assert_eq!(response["item"], stored["item"], "the answers are as they were signed");
}

#[test]
fn a_conflict_is_several_resources_that_say_so() {
    let mut chart = TestChart::with_diary(1, 14);
    chart.write(Who::Clinician, day(0), plan_field(Some("4"), vec![]));
    let (_, resources) = fhir(&chart);
    let single = of_type(&resources, "MedicationRequest")[0].clone();
    assert_eq!((single["status"].as_str(), single.get("note")), (Some("active"), None));
    chart.write(Who::OtherClinician, day(0), plan_field(Some("8"), vec![]));
    let (_, resources) = fhir(&chart);
    let fields = of_type(&resources, "MedicationRequest");
    let doses: Vec<_> =
        fields.iter().map(|field| field["dosageInstruction"][0]["text"].as_str().unwrap()).collect();
    assert_eq!(doses.iter().collect::<BTreeSet<_>>(), BTreeSet::from([&"dose: 4 mg", &"dose: 8 mg"]));
    for field in fields {
        assert_eq!(field["status"], "unknown");
        assert!(field["note"][0]["text"].as_str().unwrap().starts_with("One of 2 values that hold at once."));
    }
    let first = chart.report(0, &Answers::of(MILD));
    for note in ["a", "b"] {
        let fixed = response(
            &occurrence(0),
            ResponseStatus::Amended,
            &Answers { note: Some(note), ..Answers::default() },
        );
        chart.amend(Who::Phone, day(1), fixed, first, "more");
    }
    let (_, resources) = fhir(&chart);
    let responses = of_type(&resources, "QuestionnaireResponse");
    assert_eq!(responses.len(), 2);
    assert_ne!(responses[0]["id"], responses[1]["id"]);
    assert!(responses.iter().all(|response| facts(response).contains_key("conflict")));
}

#[test]
fn other_values_have_their_resources() {
    let (_, resources) = fhir(&full_chart());
    let dose = of_type(&resources, "MedicationStatement")[0];
    assert_eq!(
        (dose["status"].as_str(), dose["note"][0]["text"].as_str()),
        (Some("not-taken"), Some(HOSTILE))
    );
    let visit = of_type(&resources, "Appointment")[0];
    assert_eq!(visit["start"], "2026-03-07T09:00:00.000Z");
    assert_eq!(visit["end"], "2026-03-07T09:30:00.000Z");
    assert_eq!(visit.get("description"), None, "an empty purpose is left out");
    assert_eq!(of_type(&resources, "Consent")[0]["status"], "active");
    assert_eq!(of_type(&resources, "Communication")[0]["payload"][0]["contentString"], HOSTILE);
    let events = of_type(&resources, "AuditEvent");
    let read = events.iter().find(|event| event["action"] == "R").unwrap();
    assert_eq!(read["purposeOfEvent"][0]["text"], "to care for the participant");
    let refused = events.iter().find(|event| facts(event)["standing"] == "not-permitted").unwrap();
    assert_eq!(facts(refused)["kind"], "instrument");
}

#[test]
fn what_cannot_be_read_or_written_is_named() {
    let mut chart = TestChart::with_diary(1, 14);
    let broken = QuestionnaireResponse {
        response: b"{".to_vec(),
        ..response("x", ResponseStatus::Completed, &Answers::default())
    };
    chart.write(Who::Phone, TimestampMs(i64::MAX / 2), broken);
    let (_, resources) = fhir(&chart);
    let outcome = of_type(&resources, "OperationOutcome")[0];
    assert!(outcome["issue"][0]["diagnostics"].as_str().unwrap().contains("cannot be read"));
    assert!(facts(outcome)["capturedAt"].starts_with('+'), "a claim that FHIR cannot write as an instant");
}

/// A small reader of RFC 4180.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the last row ends");
    rows
}

#[test]
fn a_row_for_each_answer() {
    let chart = full_chart();
    let text = chart.with_named(|named| answers_csv(std::slice::from_ref(named)));
    let rows = read_csv(&text);
    assert_eq!(rows[0], CSV_COLUMNS);
    assert!(rows.iter().all(|row| row.len() == CSV_COLUMNS.len()));
    assert!(!text.contains("Secret Name"));
    let column = |name: &str| CSV_COLUMNS.iter().position(|column| *column == name).unwrap();
    let row = |link_id: &str| rows.iter().find(|row| row[column("link_id")] == link_id).unwrap();
    let severity = row("nausea-severity");
    for (name, value) in [
        ("chart", chart.id.to_string().as_str()),
        ("occurrence", "2026-03-02"),
        ("instrument", URL),
        ("version", VERSION),
        ("question", "When you felt sick, how bad was it at its worst?"),
        ("answer_code", "severity-1"),
        ("answer", "A little bad"),
        ("captured_at", "2026-03-03T09:00:00.000Z"),
        ("received_at", "2026-03-03T09:01:00.000Z"),
        ("answered_by", "self"),
        ("status", "amended"),
        ("author_role", "participant"),
        ("standing", "current"),
    ] {
        assert_eq!(severity[column(name)], value, "{name}");
    }
    assert_eq!(row("note")[column("answer")], format!("'{HOSTILE}"), "a formula is a text");
    assert_eq!(severity[column("amended_reason")], format!("'{HOSTILE}"));
    for row in &rows {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    }
}

#[test]
fn charts_follow_one_another_and_problems_have_a_row() {
    let (mut a, mut b) = (TestChart::with_diary(1, 14), TestChart::with_diary(2, 14));
    a.report(0, &Answers::of(&[]));
    let broken = QuestionnaireResponse {
        response: b"{".to_vec(),
        ..response("x", ResponseStatus::Completed, &Answers::default())
    };
    b.write(Who::Phone, day(0), broken);
    let (view_a, view_b) = (a.view(), b.view());
    let charts = [NamedChart::new(b.id, &view_b), NamedChart::new(a.id, &view_a)];
    let rows = read_csv(&answers_csv(&charts));
    assert_eq!((rows[1][0].as_str(), rows[1][15].as_str()), (b.id.to_string().as_str(), "unreadable"));
    assert_eq!(rows[2][0], a.id.to_string());
    assert_eq!(rows.len(), 2 + 9, "nothing but the nine first questions was asked");
    assert_eq!(fhir_ndjson(&charts).matches("\"resourceType\":\"Patient\"").count(), 2);
}
