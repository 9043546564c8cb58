//! Who wrote what, when, and in which role: the extension of each resource, and a `Provenance` or
//! an `AuditEvent` for each entry (21 CFR 11.10(e)).

use super::fhir_ndjson::{
    DEVICE_SYSTEM, ENTRY_EXTENSION, ENTRY_SYSTEM, PERSON_SYSTEM, ResourceWriter, Surroundings,
};
use super::place_words::place_code;
use crate::views::calendar::fhir_instant;
use crate::views::role_name;
use serde_json::{Value, json};
use ward_crypto::Role;
use ward_id::{ChartId, TimestampMs};
use ward_sync::{
    Arrival, Author, Decoded, EntryBody, EntryKind, Payload, SignedEntry, TimelineItem, Written,
};

/// What Ward knows of an entry, as the parts of one extension.
pub(super) struct Facts(Vec<Value>);

impl Facts {
    pub(super) fn of<P>(written: &Written<'_, P>) -> Self {
        Self::of_entry(written.entry, Some(&written.author), written.arrival)
    }

    fn of_entry(entry: &SignedEntry, author: Option<&Author>, arrival: Arrival) -> Self {
        let body = entry.body();
        let mut out = Self(Vec::new())
            .text("entry", Some(&entry.id().to_string()))
            .instant("capturedAt", Some(body.captured_at))
            .text("zone", Some(&body.zone))
            .instant("receivedAt", arrival.received_at)
            .text("ologIndex", arrival.olog_index.map(|index| index.to_string()).as_deref())
            .text("device", Some(&entry.frame().device.to_string()));
        if let Some(author) = author {
            out = out
                .text("person", Some(&author.person.to_string()))
                .text("role", Some(role_name(author.role)));
        }
        out.text("amends", body.amends.map(|amends| amends.to_string()).as_deref())
            .text("reason", body.reason.as_deref())
    }

    /// Adds a text; an absent or empty one is left out.
    pub(super) fn text(mut self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0.push(json!({"url": name, "valueString": text}));
        }
        self
    }

    /// Adds an instant; one that FHIR cannot write is added as a text.
    pub(super) fn instant(mut self, name: &str, at: Option<TimestampMs>) -> Self {
        if let Some(at) = at {
            self.0.push(match fhir_instant(at) {
                Some(instant) => json!({"url": name, "valueInstant": instant}),
                None => json!({"url": name, "valueString": crate::views::calendar::iso_instant(at)}),
            });
        }
        self
    }

    pub(super) fn extension(self) -> Value {
        json!({"url": ENTRY_EXTENSION, "extension": self.0})
    }
}

/// A person by pseudonym.
pub(super) fn person(author: &Author) -> Value {
    json!({"identifier": {"system": PERSON_SYSTEM, "value": author.person.to_string()}, "display": role_name(author.role)})
}

/// The participant if they wrote it, else the person by pseudonym.
pub(super) fn who_wrote(around: &Surroundings<'_>, author: &Author) -> Value {
    if author.role == Role::Patient { around.subject() } else { person(author) }
}

/// The agent of a trail: the person in their role, through the device.
fn who(item: &TimelineItem<'_>) -> Value {
    match &item.author {
        Some(author) => person(author),
        None => json!({"display": "a device without a certificate"}),
    }
}

fn device(item: &TimelineItem<'_>) -> Value {
    json!({"identifier": {"system": DEVICE_SYSTEM, "value": item.entry.frame().device.to_string()}})
}

fn agent(part: &str, who: &Value) -> Value {
    json!({
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": part}]},
        "who": who,
    })
}

fn facts(item: &TimelineItem<'_>) -> Value {
    let kind = item.entry.body().kind;
    Facts::of_entry(item.entry, item.author.as_ref(), item.arrival)
        .text("kind", Some(kind.name()))
        .text("standing", Some(place_code(item.place)))
        .text("carriedBy", item.carried_by.map(|carrier| carrier.to_string()).as_deref())
        .text("forked", item.forked.then_some("true"))
        .extension()
}

/// When a trail was recorded: when the server took the entry, else when it was written.
fn recorded(item: &TimelineItem<'_>) -> Option<String> {
    let received = item.arrival.received_at.and_then(fhir_instant);
    received.or_else(|| fhir_instant(item.entry.body().captured_at))
}

/// Where a resource comes from.
pub(super) fn provenance(item: &TimelineItem<'_>, target: &str) -> Value {
    let body = item.entry.body();
    let agent = json!([agent("author", &who(item)), agent("assembler", &device(item))]);
    let entity = json!([{"role": "source", "what": {
        "identifier": {"system": ENTRY_SYSTEM, "value": item.entry.id().to_string()},
    }}]);
    let reason =
        body.reason.as_ref().filter(|reason| !reason.is_empty()).map(|reason| json!([{"text": reason}]));
    ResourceWriter::new("Provenance", &item.entry.id().to_string())
        .set("extension", vec![facts(item)])
        .set("target", json!([{"reference": target}]))
        .instant("occurredDateTime", body.captured_at)
        .set("recorded", recorded(item))
        .set("reason", reason)
        .set("activity", json!({"text": activity(body)}))
        .set("agent", agent)
        .set("entity", entity)
        .done()
}

const fn activity(body: &EntryBody) -> &'static str {
    match body.kind {
        EntryKind::RESOLVE => "decide",
        _ if body.amends.is_some() => "amend",
        _ => "write",
    }
}

/// An entry that no resource comes from: an access, an acknowledgement, an earlier version, an
/// entry that is kept aside. Its content is not repeated here.
pub(super) fn audit_event(chart: ChartId, item: &TimelineItem<'_>) -> Value {
    let kind = item.entry.body().kind;
    let action = if kind == EntryKind::ACCESS_RECEIPT { "R" } else { "C" };
    let event_type = json!({
        "system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110110", "display": "Patient Record",
    });
    let subtype = json!([{"system": "https://ward.example/fhir/CodeSystem/entry-kind", "code": kind.name()}]);
    let agent = json!([{"who": who(item), "requestor": true}]);
    ResourceWriter::new("AuditEvent", &item.entry.id().to_string())
        .set("extension", vec![facts(item)])
        .set("type", event_type)
        .set("subtype", subtype)
        .set("action", action)
        .set("period", accessed(item))
        .set("recorded", recorded(item))
        .set("outcomeDesc", outcome(item))
        .set("purposeOfEvent", purpose(item))
        .set("agent", agent)
        .set("source", json!({"observer": device(item)}))
        .set("entity", json!([{"what": {"reference": format!("Patient/{chart}")}}]))
        .done()
}

fn accessed(item: &TimelineItem<'_>) -> Option<Value> {
    let Decoded::Known(Payload::AccessReceipt(receipt)) = item.entry.body().decode_payload() else {
        return None;
    };
    Some(json!({"start": fhir_instant(receipt.first_at)?, "end": fhir_instant(receipt.last_at)?}))
}

fn purpose(item: &TimelineItem<'_>) -> Option<Value> {
    let Decoded::Known(Payload::AccessReceipt(receipt)) = item.entry.body().decode_payload() else {
        return None;
    };
    Some(json!([{"text": super::place_words::purpose_words(receipt.purpose)}]))
}

/// What was done about an alert, or where the participant stands: what a trail needs and no other
/// resource says.
fn outcome(item: &TimelineItem<'_>) -> Option<String> {
    match item.entry.body().decode_payload() {
        Decoded::Known(Payload::AlertAcknowledgement(ack)) => Some(format!("{}: {}", ack.item, ack.action)),
        Decoded::Known(Payload::Participation(participation)) => {
            Some(super::place_words::participation_words(participation.state).to_owned())
        }
        Decoded::Known(Payload::Resolve(resolve)) => {
            let count = resolve.candidates.len();
            Some(format!("decided about {} between {count} values", resolve.field))
        }
        Decoded::Known(Payload::Void(void)) => Some(format!("declared {} void", void.target)),
        Decoded::Known(Payload::SetChange(change)) => Some(match &change.add {
            Some(element) => format!("put “{element}” into “{}”", change.set),
            None => format!("took {} additions out of “{}”", change.removes.len(), change.set),
        }),
        _ => None,
    }
}
