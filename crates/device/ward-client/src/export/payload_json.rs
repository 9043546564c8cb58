//! The payload of an entry as JSON, for readers without a CBOR decoder.

use super::place_words::{participation_words, purpose_words};
use crate::views::calendar::{iso_day, iso_instant};
use crate::views::{ChartForms, answered_by_code, schedule_of, status_code};
use serde_json::{Value, json};
use ward_forms::JsonDigits;
use ward_id::hex_encode;
use ward_sync::{
    AppointmentStatus, CarryReason, ConsentStatus, DataChoice, Decoded, DoseOutcome, EntryBody,
    InstrumentSchedule, Payload, Resolution, Response,
};
use ward_text::{TextEdit, TextRun};

/// What an entry says. One that this version cannot read is given as its bytes.
///
/// Bound answers are given as the FHIR response that they stand for, if the chart holds their
/// questionnaire, and as their bytes in any case.
pub(super) fn payload_json(forms: &ChartForms, body: &EntryBody) -> Value {
    match body.decode_payload() {
        Decoded::Known(payload) => known(forms, &payload),
        Decoded::Unknown => json!({"unknown": hex_encode(&body.payload)}),
        Decoded::Invalid(error) => json!({"invalid": hex_encode(&body.payload), "why": error.to_string()}),
    }
}

/// How the numbers of the JSON inside a payload were written, within what [`payload_json`] gives.
pub(super) fn payload_digits(body: &EntryBody) -> JsonDigits {
    match body.decode_payload() {
        Decoded::Known(Payload::Response(Response::General(p))) => {
            JsonDigits::of(&p.response).under("response")
        }
        Decoded::Known(Payload::Instrument(p)) => JsonDigits::of(&p.questionnaire).under("questionnaire"),
        _ => JsonDigits::default(),
    }
}

/// JSON inside a payload: as JSON if it is some, else as the text it is.
fn inner_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(bytes)))
}

fn known(forms: &ChartForms, payload: &Payload) -> Value {
    match payload {
        Payload::Response(response @ Response::Dense(p)) => json!({
            "instrument": p.instrument, "instrument_url": forms.name_of(response).0,
            "instrument_version": forms.name_of(response).1, "occurrence": p.occurrence.as_str(),
            "status": status_code(p.status), "answered_by": answered_by_code(p.answered_by),
            "answers": hex_encode(&p.answers),
            "response": forms.answers_of(response).ok().map(|answers| answers.to_value()),
        }),
        Payload::Response(Response::General(p)) => json!({
            "instrument_url": p.instrument_url, "instrument_version": p.instrument_version,
            "occurrence": p.occurrence.as_str(), "status": status_code(p.status),
            "answered_by": answered_by_code(p.answered_by), "response": inner_json(&p.response),
        }),
        Payload::Instrument(p) => match &p.schedule {
            InstrumentSchedule::EveryDays { first_day, every_days, days } => json!({
                "url": p.url, "version": p.version, "first_day": iso_day(*first_day),
                "every_days": every_days, "days": days, "questionnaire": inner_json(&p.questionnaire),
            }),
            InstrumentSchedule::Planned(bytes) => json!({
                "url": p.url, "version": p.version, "questionnaire": inner_json(&p.questionnaire),
                "schedule": schedule_of(p).map_or_else(|_| json!(hex_encode(bytes)), |one| one.to_json()),
            }),
        },
        Payload::IncarnationOpen(p) => json!({
            "old_incarnation": p.old_incarnation.0.to_string(), "old_seq": p.old_seq, "old_entry": p.old_entry,
        }),
        Payload::Carry(p) => json!({
            "frame": hex_encode(&p.frame), "sig_alg": p.sig_alg, "capture_sig": hex_encode(p.capture_sig.as_bytes()),
            "why": match p.why {
                CarryReason::Adopt => "adopt",
                CarryReason::Reauthor => "reauthor",
                CarryReason::Transfer => "transfer",
                CarryReason::Decline => "decline",
                CarryReason::GiveBack => "give-back",
            },
        }),
        Payload::DeviceClosed(p) => json!({
            "device": p.device, "incarnation": p.incarnation.0.to_string(), "final_seq": p.final_seq,
            "final_entry": p.final_entry,
        }),
        Payload::Incident(p) => json!({
            "what": p.what.name(), "event": hex_encode(&p.event), "device": p.device,
            "incarnation": p.incarnation.map(|life| life.0.to_string()), "seq": p.seq, "count": p.count,
            "evidence": p.evidence.as_deref().map(hex_encode),
        }),
        Payload::Opened(p) => json!({"chains": p.chains.iter().map(|chain| json!({
            "device": chain.device, "incarnation": chain.incarnation.0.to_string(), "seq": chain.seq,
            "entry": chain.entry,
        })).collect::<Vec<_>>()}),
        Payload::TextBurst(p) => json!({
            "document": hex_encode(&p.document.0), "parents": p.parents, "runs": runs_json(&p.edit),
        }),
        Payload::TextSignature(p) => json!({
            "document": hex_encode(&p.document.0), "frontier": p.frontier, "meaning": p.meaning,
        }),
        other => care(forms, other),
    }
}

/// Acts about other entries.
fn about_entries(forms: &ChartForms, payload: &Payload) -> Value {
    match payload {
        Payload::Resolve(p) => {
            let (chosen, value) = match &p.resolution {
                Resolution::Candidate(chosen) => (Some(chosen), None),
                Resolution::Value(value) => (None, Some(known(forms, value))),
            };
            json!({
                "field": p.field.to_string(), "field_kind": p.field.kind().name(), "candidates": p.candidates,
                "chosen": chosen, "value": value,
            })
        }
        Payload::Void(p) => json!({"target": p.target}),
        Payload::SetChange(p) => json!({"set": p.set, "add": p.add, "removes": p.removes}),
        _ => Value::Null,
    }
}

fn care(forms: &ChartForms, payload: &Payload) -> Value {
    match payload {
        Payload::MedicationPlanField(p) => json!({
            "medication": p.medication.as_str(), "field": p.field, "value": p.value, "unit": p.unit,
            "supersedes": p.supersedes,
        }),
        Payload::Dose(p) => json!({
            "medication": p.medication.as_str(), "due_at": iso_instant(p.due_at), "at": iso_instant(p.at),
            "outcome": match p.outcome { DoseOutcome::Taken => "taken", DoseOutcome::Skipped => "skipped" },
            "note": p.note,
        }),
        Payload::Appointment(p) => json!({
            "appointment": hex_encode(&p.appointment.0), "starts_at": iso_instant(p.starts_at), "minutes": p.minutes,
            "status": match p.status { AppointmentStatus::Booked => "booked", AppointmentStatus::Cancelled => "cancelled" },
            "place": p.place, "purpose": p.purpose, "supersedes": p.supersedes,
        }),
        Payload::Note(p) => json!({"text": p.text, "supersedes": p.supersedes}),
        Payload::ProfileField(p) => json!({"field": p.field, "value": p.value, "supersedes": p.supersedes}),
        Payload::AlertAcknowledgement(p) => json!({"item": p.item, "entries": p.entries, "action": p.action}),
        Payload::Consent(p) => json!({
            "consent_version": p.consent_version,
            "status": match p.status { ConsentStatus::Given => "given", ConsentStatus::Withdrawn => "withdrawn" },
            "choice": p.choice.map(|choice| match choice { DataChoice::Keep => "keep", DataChoice::Erase => "erase" }),
        }),
        Payload::DropDeclined(p) => json!({"device": p.device, "entry": p.entry}),
        Payload::Participation(p) => {
            json!({"state": participation_words(p.state), "from": iso_instant(p.from)})
        }
        Payload::AccessReceipt(p) => json!({
            "purpose": purpose_words(p.purpose), "day": iso_day(p.day), "first_at": iso_instant(p.first_at),
            "last_at": iso_instant(p.last_at), "count": p.count,
        }),
        Payload::Resolve(_) | Payload::Void(_) | Payload::SetChange(_) => about_entries(forms, payload),
        Payload::Attachment(p) => json!({
            "address": p.address, "size": p.size, "plain_hash": hex_encode(&p.plain_hash),
            "media_type": p.media_type, "name": p.name,
        }),
        Payload::Checkpoint(p) => json!({
            "upto": p.upto, "count": p.count, "entries_root": p.entries_root, "places_root": p.places_root,
            "state_root": p.state_root, "closed_root": p.closed_root, "address": p.address, "size": p.size,
        }),
        Payload::CheckpointCosignature(p) => json!({"checkpoint": p.checkpoint}),
        // The other kinds have their own shape above.
        Payload::Response(_)
        | Payload::Instrument(_)
        | Payload::IncarnationOpen(_)
        | Payload::Carry(_)
        | Payload::DeviceClosed(_)
        | Payload::Incident(_)
        | Payload::Opened(_)
        | Payload::TextBurst(_)
        | Payload::TextSignature(_) => Value::Null,
    }
}

/// What a burst of writing did, step by step; positions count Unicode scalars.
fn runs_json(edit: &TextEdit) -> Value {
    let run = |run| match run {
        TextRun::Insert { at, text } => json!({"at": at, "insert": text}),
        TextRun::Delete { at, count } => json!({"at": at, "delete": count}),
    };
    edit.runs().map(run).collect()
}
