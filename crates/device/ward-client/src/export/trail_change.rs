//! What an entry changed: field by field, with what stood there before. One mechanism for every
//! kind: an entry says fields and values, and names the entries that it replaces or amends; the old
//! values are what those said.

use super::answers::answer_rows;
use super::payload_json::payload_json;
use super::place_words::{participation_words, purpose_words};
use crate::views::calendar::{iso_day, plain_minute};
use crate::views::{ChartForms, answered_by_code, schedule_of, status_code};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{EntryId, hex_encode};
use ward_sync::{
    AppointmentStatus, CarryReason, ConsentStatus, DataChoice, Decoded, DoseOutcome, EntryBody, Instrument,
    InstrumentSchedule, Payload, Response, SignedEntry,
};

/// One field that an entry wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The field, in words.
    pub field: String,
    /// What stood there in the entries that this one replaces; several after a conflict.
    pub old: Vec<String>,
    /// What stands there now; `None` if it was taken away.
    pub new: Option<String>,
}

/// A field and its value, as one entry says it.
type Said = (String, Option<String>);

/// The entries that an entry replaces or amends, sorted.
pub(super) fn replaces(entry: &SignedEntry) -> Vec<EntryId> {
    let body = entry.body();
    let mut out: BTreeSet<EntryId> = body.amends.into_iter().collect();
    if let Decoded::Known(payload) = body.decode_payload() {
        out.extend(payload.supersedes());
    }
    out.into_iter().collect()
}

/// What an entry changed. Fields of a correction that stayed as they were are left out.
pub(super) fn changes(
    forms: &ChartForms,
    entry: &SignedEntry,
    entries: &BTreeMap<EntryId, &SignedEntry>,
) -> Vec<Change> {
    let now = said(forms, entry.body());
    let replaced: Vec<Vec<Said>> = replaces(entry)
        .into_iter()
        .filter_map(|id| entries.get(&id))
        .map(|old| said(forms, old.body()))
        .collect();
    let old_of = |field: &str| -> Vec<String> {
        let mut old: Vec<String> = Vec::new();
        for (_, value) in replaced.iter().flatten().filter(|(known, _)| known == field) {
            let value = value.clone().unwrap_or_default();
            if !value.is_empty() && !old.contains(&value) {
                old.push(value);
            }
        }
        old
    };
    let mut out: Vec<Change> = now
        .iter()
        .map(|(field, new)| Change { field: field.clone(), old: old_of(field), new: new.clone() })
        .collect();
    let fields: BTreeSet<&String> = now.iter().map(|(field, _)| field).collect();
    let mut gone: Vec<&String> = Vec::new();
    for (field, _) in replaced.iter().flatten() {
        if !fields.contains(field) && !gone.contains(&field) {
            gone.push(field);
        }
    }
    out.extend(gone.into_iter().map(|field| Change { field: field.clone(), old: old_of(field), new: None }));
    let stayed = |change: &Change| change.new.as_ref().is_some_and(|new| change.old == [new.clone()]);
    // A correction says what is different; if nothing is, all of it stands.
    if out.iter().any(|change| !stayed(change)) {
        out.retain(|change| !stayed(change));
    }
    out
}

/// The fields and values of an entry.
fn said(forms: &ChartForms, body: &EntryBody) -> Vec<Said> {
    match body.decode_payload() {
        Decoded::Known(Payload::Response(response)) => answers(forms, &response),
        Decoded::Known(payload) => known(&payload).unwrap_or_else(|| by_name(&payload_json(forms, body))),
        Decoded::Unknown => {
            vec![("content".to_owned(), Some("needs a newer version of the program".to_owned()))]
        }
        Decoded::Invalid(error) => vec![("content".to_owned(), Some(format!("cannot be read: {error}")))],
    }
}

fn answers(forms: &ChartForms, response: &Response) -> Vec<Said> {
    let (url, version) = forms.name_of(response);
    let mut out = vec![
        ("questionnaire".to_owned(), Some(format!("{url} {version}").trim().to_owned())),
        ("planned for".to_owned(), Some(response.occurrence().to_string())),
        ("status".to_owned(), Some(status_code(response.status()).to_owned())),
        ("answered by".to_owned(), Some(answered_by_code(response.answered_by()).to_owned())),
    ];
    let Ok(read) = forms.answers_of(response) else {
        out.push(("answers".to_owned(), Some("cannot be read with the questionnaire at hand".to_owned())));
        return out;
    };
    let mut rows: Vec<(String, String)> = Vec::new();
    for row in answer_rows(forms.form_of(response).ok(), &read) {
        let field = format!("{} [{}]", row.question, row.link_id);
        match rows.iter_mut().find(|(known, _)| *known == field) {
            Some((_, answer)) => {
                answer.push_str("; ");
                answer.push_str(&row.answer);
            }
            None => rows.push((field, row.answer)),
        }
    }
    out.extend(rows.into_iter().map(|(field, answer)| (field, Some(answer))));
    out
}

/// Kinds with words of their own. Others are shown by the names of their fields.
fn known(payload: &Payload) -> Option<Vec<Said>> {
    let one = |field: String, value: Option<String>| Some(vec![(field, value)]);
    match payload {
        Payload::MedicationPlanField(p) => {
            let unit = p.unit.as_deref().unwrap_or_default();
            let value = p.value.as_ref().map(|value| format!("{value} {unit}").trim().to_owned());
            one(format!("{} {}", p.medication, p.field), value)
        }
        Payload::Dose(p) => {
            let what = match p.outcome {
                DoseOutcome::Taken => "taken",
                DoseOutcome::Skipped => "not taken",
            };
            let note = p.note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
            one(
                format!("{} due {}", p.medication, plain_minute(p.due_at)),
                Some(format!("{what} {}{note}", plain_minute(p.at))),
            )
        }
        Payload::Note(p) => one("note".to_owned(), Some(p.text.clone())),
        Payload::ProfileField(p) => one(p.field.clone(), Some(p.value.clone())),
        Payload::AlertAcknowledgement(p) => one(format!("alert {}", p.item), Some(p.action.clone())),
        Payload::Appointment(p) => Some(appointment(p)),
        Payload::Consent(p) => {
            let what = match (p.status, p.choice) {
                (ConsentStatus::Given, _) => "given",
                (ConsentStatus::Withdrawn, Some(DataChoice::Erase)) => "withdrawn; data to be erased",
                (ConsentStatus::Withdrawn, _) => "withdrawn; data stay",
            };
            one(format!("consent {}", p.consent_version), Some(what.to_owned()))
        }
        Payload::Participation(p) => one(
            "participation".to_owned(),
            Some(format!("{} from {}", participation_words(p.state), plain_minute(p.from))),
        ),
        Payload::AccessReceipt(p) => one(
            "chart read".to_owned(),
            Some(format!(
                "{}; {} on {}, from {} to {}",
                purpose_words(p.purpose),
                if p.count == 1 { "once".to_owned() } else { format!("{} times", p.count) },
                iso_day(p.day),
                plain_minute(p.first_at),
                plain_minute(p.last_at)
            )),
        ),
        other => technical(other),
    }
}

fn appointment(p: &ward_sync::Appointment) -> Vec<Said> {
    let status = match p.status {
        AppointmentStatus::Booked => "booked",
        AppointmentStatus::Cancelled => "cancelled",
    };
    vec![
        ("visit".to_owned(), Some(hex_encode(&p.appointment.0))),
        ("visit status".to_owned(), Some(status.to_owned())),
        ("visit begins".to_owned(), Some(plain_minute(p.starts_at))),
        ("visit minutes".to_owned(), Some(p.minutes.to_string())),
        ("visit place".to_owned(), Some(p.place.clone())),
        ("visit purpose".to_owned(), Some(p.purpose.clone())),
    ]
}

/// When a questionnaire is due, in words.
fn schedule_words(instrument: &Instrument) -> String {
    match &instrument.schedule {
        InstrumentSchedule::EveryDays { first_day, every_days, days } => {
            format!("from {}, every {every_days} days for {days} days", iso_day(*first_day))
        }
        InstrumentSchedule::Planned(_) => match schedule_of(instrument) {
            Err(error) => error.to_string(),
            Ok(schedule) => {
                let from = schedule.holds_from().map(|day| format!(" from {}", iso_day(day)));
                let items: Vec<&str> = schedule.items().iter().map(|item| item.id.as_str()).collect();
                let day = |day: Option<i64>| day.map_or_else(|| "not set".to_owned(), iso_day);
                let anchors: Vec<String> = schedule
                    .anchors()
                    .iter()
                    .map(|anchor| format!("{} {}", anchor.name, day(anchor.day)))
                    .collect();
                let (revision, from) = (schedule.revision(), from.unwrap_or_default());
                format!("schedule {revision}{from}: {}; {}", items.join(", "), anchors.join(", "))
            }
        },
    }
}

fn technical(payload: &Payload) -> Option<Vec<Said>> {
    let one = |field: &str, value: String| Some(vec![(field.to_owned(), Some(value))]);
    match payload {
        Payload::Instrument(p) => {
            one("questionnaire and schedule", format!("{} {}; {}", p.url, p.version, schedule_words(p)))
        }
        Payload::IncarnationOpen(p) => one(
            "store of the device",
            format!("begins anew after place {} (entry {})", p.old_seq, p.old_entry),
        ),
        Payload::Carry(p) => one(
            "entry of another author",
            match p.why {
                CarryReason::Adopt => "taken over unchanged by staff".to_owned(),
                CarryReason::Reauthor => "kept unchanged from a copied store".to_owned(),
                CarryReason::Transfer => "kept unchanged from another site".to_owned(),
                CarryReason::Decline => "not taken over; kept for what was written on top of it".to_owned(),
                CarryReason::GiveBack => "given back unchanged; the server had lost it".to_owned(),
            },
        ),
        Payload::Opened(p) => Some(
            p.chains
                .iter()
                .map(|chain| {
                    let field = format!("opened of device {}", chain.device);
                    (field, Some(format!("up to place {} (entry {})", chain.seq, chain.entry)))
                })
                .collect(),
        ),
        _ => None,
    }
}

/// The fields of a payload without words of its own, by their names.
fn by_name(content: &Value) -> Vec<Said> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    match content {
        Value::Object(fields) => {
            // What it replaces stands beside the change.
            let named = fields.iter().filter(|(name, _)| name.as_str() != "supersedes");
            named.map(|(name, value)| (name.clone(), text(value))).collect()
        }
        other => vec![("content".to_owned(), text(other))],
    }
}
