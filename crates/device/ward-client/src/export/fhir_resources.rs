//! One FHIR R4 resource for each kind of value.

use super::fhir_ndjson::{ENTRY_SYSTEM, ResourceWriter, Surroundings};
use super::fhir_trail::{Facts, person, who_wrote};
use crate::views::calendar::fhir_instant;
use crate::views::{ChartForms, answered_by_code, status_code};
use serde_json::{Value, json};
use ward_crypto::Role;
use ward_sync::{
    Appointment, AppointmentStatus, Consent, ConsentStatus, DataChoice, Dose, DoseOutcome,
    MedicationPlanField, Note, Response, Written,
};

/// The answers as the author's device wrote them, with Ward's facts added. Answers that cannot be
/// read become an `OperationOutcome`: they are named, not dropped.
pub(super) fn questionnaire_response(
    forms: &ChartForms,
    around: &Surroundings<'_>,
    written: &Written<'_, Response>,
) -> Value {
    let value = written.value;
    let stored = forms.answers_of(value).ok().map(|response| response.to_value());
    let Some(Value::Object(stored)) = stored else { return unreadable(forms, around, written) };
    let mut meta = stored.get("meta").and_then(Value::as_object).cloned().unwrap_or_default();
    meta.insert("versionId".to_owned(), json!(written.id().to_string()));
    let mut extensions = stored.get("extension").and_then(Value::as_array).cloned().unwrap_or_default();
    let facts = Facts::of(written)
        .text("occurrence", Some(value.occurrence().as_str()))
        .text("answeredBy", Some(answered_by_code(value.answered_by())))
        .text("conflict", around.conflict_note().as_deref());
    extensions.push(facts.extension());
    let named = stored.get("questionnaire").and_then(Value::as_str).map(str::to_owned);
    let named = named.unwrap_or_else(|| format!("{}|{}", forms.name_of(value).0, forms.name_of(value).1));
    let authored =
        stored.get("authored").cloned().or_else(|| fhir_instant(written.captured_at()).map(Value::from));
    let source = (written.author.role == Role::Patient).then(|| around.subject());
    ResourceWriter::of(stored)
        .set("id", around.id(written))
        .set("meta", meta)
        .set("extension", extensions)
        .set("questionnaire", named)
        .set("status", status_code(value.status()))
        .set("subject", around.subject())
        .set("authored", authored)
        .set("source", source)
        .done()
}

fn unreadable(forms: &ChartForms, around: &Surroundings<'_>, written: &Written<'_, Response>) -> Value {
    let value = written.value;
    let (url, version) = forms.name_of(value);
    let what = format!(
        "The answers to {url}|{version} for {} cannot be read. They are kept in the chart.",
        value.occurrence()
    );
    ResourceWriter::new("OperationOutcome", &around.id(written))
        .set("extension", vec![Facts::of(written).extension()])
        .set("issue", json!([{"severity": "error", "code": "structure", "diagnostics": what}]))
        .done()
}

/// One field of one medication of the plan.
pub(super) fn medication_field(
    around: &Surroundings<'_>,
    written: &Written<'_, MedicationPlanField>,
) -> Value {
    let value = written.value;
    let amount = value.value.as_deref().map(|amount| match value.unit.as_deref() {
        Some(unit) if !unit.is_empty() => format!("{amount} {unit}"),
        _ => amount.to_owned(),
    });
    let says = amount.as_ref().map(|amount| json!([{"text": format!("{}: {amount}", value.field)}]));
    let cleared = amount.is_none().then(|| format!("The field “{}” was cleared.", value.field));
    let notes: Vec<Value> =
        around.conflict_note().into_iter().chain(cleared.clone()).map(|text| json!({"text": text})).collect();
    let status = match (around.is_conflict(), &cleared) {
        (true, _) => "unknown",
        (false, Some(_)) => "stopped",
        (false, None) => "active",
    };
    let facts = Facts::of(written)
        .text("field", Some(&value.field))
        .text("value", value.value.as_deref())
        .text("unit", value.unit.as_deref())
        .text("conflict", around.conflict_note().as_deref());
    // Each current field is a resource of its own, so its own entry names it.
    ResourceWriter::new("MedicationRequest", &written.id().to_string())
        .set("extension", vec![facts.extension()])
        .set("identifier", json!([{"system": ENTRY_SYSTEM, "value": written.id().to_string()}]))
        .set("status", status)
        .set("intent", "plan")
        .set("medicationCodeableConcept", json!({"text": value.medication.as_str()}))
        .set("subject", around.subject())
        .instant("authoredOn", written.captured_at())
        .set("requester", person(&written.author))
        .set("note", notes)
        .set("dosageInstruction", says)
        .done()
}

/// A dose, as somebody stated it.
pub(super) fn dose(around: &Surroundings<'_>, written: &Written<'_, Dose>) -> Value {
    let value = written.value;
    let status = match value.outcome {
        DoseOutcome::Taken => "completed",
        DoseOutcome::Skipped => "not-taken",
    };
    let notes: Vec<Value> = around
        .conflict_note()
        .into_iter()
        .chain(value.note.clone())
        .filter(|text| !text.is_empty())
        .map(|text| json!({"text": text}))
        .collect();
    let facts = Facts::of(written)
        .instant("dueAt", Some(value.due_at))
        .text("conflict", around.conflict_note().as_deref());
    ResourceWriter::new("MedicationStatement", &around.id(written))
        .set("extension", vec![facts.extension()])
        .set("status", status)
        .set("medicationCodeableConcept", json!({"text": value.medication.as_str()}))
        .set("subject", around.subject())
        .instant("effectiveDateTime", value.at)
        .instant("dateAsserted", written.captured_at())
        .set("informationSource", who_wrote(around, &written.author))
        .set("note", notes)
        .done()
}

/// A visit.
pub(super) fn appointment(around: &Surroundings<'_>, written: &Written<'_, Appointment>) -> Value {
    let value = written.value;
    let status = match value.status {
        AppointmentStatus::Booked => "booked",
        AppointmentStatus::Cancelled => "cancelled",
    };
    let mut participants = vec![json!({"actor": around.subject(), "status": "accepted"})];
    if !value.place.is_empty() {
        participants
            .push(json!({"actor": {"type": "Location", "display": value.place}, "status": "accepted"}));
    }
    let ends_at = value.starts_at.plus_ms(i64::from(value.minutes) * 60_000);
    let minutes = (value.minutes > 0).then_some(value.minutes);
    let facts = Facts::of(written).text("conflict", around.conflict_note().as_deref());
    ResourceWriter::new("Appointment", &around.id(written))
        .set("extension", vec![facts.extension()])
        .set("status", status)
        .set("description", value.purpose.as_str())
        .instant("start", value.starts_at)
        .instant("end", ends_at)
        .set("minutesDuration", minutes)
        .set("comment", around.conflict_note())
        .set("participant", participants)
        .done()
}

/// Consent to take part, given or withdrawn.
pub(super) fn consent(around: &Surroundings<'_>, written: &Written<'_, Consent>) -> Value {
    let value = written.value;
    let (status, provision) = match value.status {
        ConsentStatus::Given => ("active", "permit"),
        ConsentStatus::Withdrawn => ("inactive", "deny"),
    };
    let choice = value.choice.map(|choice| match choice {
        DataChoice::Keep => "keep",
        DataChoice::Erase => "erase",
    });
    let facts = Facts::of(written)
        .text("consentVersion", Some(&value.consent_version))
        .text("dataChoice", choice)
        .text("conflict", around.conflict_note().as_deref());
    let scope = json!({"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research", "display": "Research",
    }]});
    let category = json!([{"coding": [{
        "system": "http://loinc.org", "code": "59284-0", "display": "Consent Document",
    }]}]);
    ResourceWriter::new("Consent", &around.id(written))
        .set("extension", vec![facts.extension()])
        .set("status", status)
        .set("scope", scope)
        .set("category", category)
        .set("patient", around.subject())
        .instant("dateTime", written.captured_at())
        .set("policyRule", json!({"text": value.consent_version}))
        .set("provision", json!({"type": provision}))
        .done()
}

/// A note in the chart.
pub(super) fn note(around: &Surroundings<'_>, written: &Written<'_, Note>) -> Value {
    let facts = Facts::of(written).text("conflict", around.conflict_note().as_deref());
    let texts: Vec<Value> = Some(written.value.text.as_str())
        .filter(|text| !text.is_empty())
        .map(|text| json!({"contentString": text}))
        .into_iter()
        .collect();
    let warning: Vec<Value> = around.conflict_note().map(|text| json!({"text": text})).into_iter().collect();
    ResourceWriter::new("Communication", &around.id(written))
        .set("extension", vec![facts.extension()])
        .set("status", "completed")
        .set("subject", around.subject())
        .instant("sent", written.captured_at())
        .set("sender", who_wrote(around, &written.author))
        .set("payload", texts)
        .set("note", warning)
        .done()
}
