//! The trail as FHIR R4 `AuditEvent`s of the IHE profiles for basic audit logs (BALP 1.1.3), one a
//! line. They are made on the device, because only a device knows whose chart it is.
//!
//! An entry that stands is an event of `PatientCreate`, `PatientUpdate` or `PatientRead`. One that is
//! kept aside, unreadable or not permitted had no effect: it is an event without a profile, because
//! the profiles are for what succeeded, with outcome 4 and the reason. What was written is not
//! repeated: an event names the entry, and the entry names what it replaces.

use super::fhir_ndjson::{DEVICE_SYSTEM, ENTRY_SYSTEM, PERSON_SYSTEM, ResourceWriter};
use super::place_words::place_code;
use super::trail::{Trail, TrailEntry, role_words};
use super::trail_words::{bounded_code, claim_code, delivery_code, fault_code, place_words};
use crate::views::calendar::fhir_instant;
use serde_json::{Value, json};
use ward_id::{ChartId, TimestampMs};
use ward_sync::{Decoded, EntryKind, Payload, Place, SignedEntry, TimeClaim};

/// Where the profiles are.
pub const BALP_PROFILES: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
/// The extension with what Ward knows of when an entry was written: `claimedAt`, `claimedLocal`,
/// `zone`, `bootId`, `monotonicMs`, `serverAfter`, `serverBefore`, `witnessesAfter`,
/// `witnessesBefore`, `verdict`, `boundedBy`, `timeSuspect`, `fault` (repeats), `recordedIs`
/// (`receipt`, `claim` or `export`: what `recorded` is).
pub const TIME_EXTENSION: &str = "https://ward.example/fhir/StructureDefinition/audit-time";
/// The extension with where an entry stands: `number`, `place`, `delivery`, `ologIndex`,
/// `placeProved`, `carriedBy`, `forked`, `incarnation`, `seq`, `reason`.
pub const STANDING_EXTENSION: &str = "https://ward.example/fhir/StructureDefinition/audit-standing";
/// The codes of entry kinds.
const KIND_SYSTEM: &str = "https://ward.example/fhir/CodeSystem/entry-kind";
/// The codes of roles.
const ROLE_SYSTEM: &str = "https://ward.example/fhir/CodeSystem/role";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// What an entry did to the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Create,
    Update,
    Read,
}

impl Act {
    const fn of(entry: &TrailEntry) -> Self {
        if entry.is_reading {
            Self::Read
        } else if entry.replaces.is_empty() {
            Self::Create
        } else {
            Self::Update
        }
    }

    const fn profile(self) -> &'static str {
        match self {
            Self::Create => "PatientCreate",
            Self::Update => "PatientUpdate",
            Self::Read => "PatientRead",
        }
    }

    const fn interaction(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Read => "read",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Update => "U",
            Self::Read => "R",
        }
    }
}

/// Whether an entry had an effect.
const fn succeeded(place: Place) -> bool {
    !matches!(place, Place::Quarantined(_) | Place::Invalid(_) | Place::NotPermitted)
}

/// The events of a trail, one a line (NDJSON), in the order of the trail. `server` is the address of
/// the site's server; `entries` gives the entries for what only they say.
pub fn balp_ndjson<'a>(
    trail: &Trail,
    server: &str,
    entries: impl Fn(&TrailEntry) -> Option<&'a SignedEntry>,
) -> String {
    let mut out = String::new();
    for entry in &trail.entries {
        // JSON escapes line ends within texts, so that an event is one line.
        out.push_str(&event(trail, entry, server, entries(entry)).to_string());
        out.push('\n');
    }
    out
}

fn event(trail: &Trail, entry: &TrailEntry, server: &str, signed: Option<&SignedEntry>) -> Value {
    let act = Act::of(entry);
    let holds = succeeded(entry.place);
    let profile = format!("{BALP_PROFILES}{}", act.profile());
    let meta = holds.then(|| json!({"profile": [profile]}));
    let (recorded, recorded_is) = recorded(trail, entry);
    let reading = signed.and_then(reading_of);
    let subtype = json!([
        {"system": "http://hl7.org/fhir/restful-interaction", "code": act.interaction(), "display": act.interaction()},
        {"system": KIND_SYSTEM, "code": entry.kind.name()},
    ]);
    let why_not = (!holds).then(|| place_words(entry.place));
    ResourceWriter::new("AuditEvent", &entry.entry.to_string())
        .set("meta", meta)
        .set("extension", vec![time_extension(entry, recorded_is), standing_extension(entry)])
        .set(
            "type",
            json!({
                "system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest",
                "display": "RESTful Operation",
            }),
        )
        .set("subtype", subtype)
        .set("action", act.action())
        .set("period", reading.as_ref().and_then(|reading| reading.period.clone()))
        .set("recorded", recorded)
        .set("outcome", if holds { "0" } else { "4" })
        .set("outcomeDesc", why_not)
        .set("purposeOfEvent", reading.map(|reading| vec![reading.purpose]))
        .set("agent", agents(entry, act, server))
        .set("source", source(entry))
        .set("entity", vec![patient(trail.chart), data(entry)])
        .done()
}

/// When the server took the entry; else when its author says that it was written; else, for a claim
/// that FHIR cannot write, when the trail was made. The second value says which.
fn recorded(trail: &Trail, entry: &TrailEntry) -> (String, &'static str) {
    let known = [(entry.time.latest, "receipt"), (Some(entry.time.claimed), "claim")];
    let found = known.into_iter().find_map(|(at, is)| Some((fhir_instant(at?)?, is)));
    found.unwrap_or_else(|| (crate::views::calendar::iso_instant(trail.made_at), "export"))
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({"coding": [{"system": system, "code": code, "display": display}]})
}

/// Client, server and user. For what is written the client is the source, for what is read the
/// server. Ward keeps no network address of devices: the device's name stands in its place.
fn agents(entry: &TrailEntry, act: Act, server: &str) -> Vec<Value> {
    let source = coding(DCM, "110153", "Source Role ID");
    let destination = coding(DCM, "110152", "Destination Role ID");
    let (of_client, of_server) = if act == Act::Read { (destination, source) } else { (source, destination) };
    let device = entry.author.device.to_string();
    let client = json!({
        "type": of_client,
        "who": {"identifier": {"system": DEVICE_SYSTEM, "value": device}},
        "requestor": false,
        "network": {"address": format!("{DEVICE_SYSTEM}/{device}"), "type": "5"},
    });
    let server = json!({
        "type": of_server,
        "who": {"display": server},
        "requestor": false,
        "network": {"address": server, "type": "5"},
    });
    let mut out = vec![client, server];
    if let Some(person) = entry.author.person {
        let part = if act == Act::Read {
            coding(PARTICIPATION, "IRCP", "information recipient")
        } else {
            coding(PARTICIPATION, "AUT", "author (originator)")
        };
        let role = role_words(&entry.author);
        out.push(json!({
            "type": part,
            "role": [{"coding": [{"system": ROLE_SYSTEM, "code": role.replace(' ', "-")}], "text": role}],
            "who": {"identifier": {"system": PERSON_SYSTEM, "value": person.to_string()}},
            "requestor": true,
        }));
    }
    out
}

fn source(entry: &TrailEntry) -> Value {
    json!({
        "observer": {"identifier": {"system": DEVICE_SYSTEM, "value": entry.author.device.to_string()}},
        "type": [{
            "system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "1",
            "display": "User Device",
        }],
    })
}

fn patient(chart: ChartId) -> Value {
    json!({
        "what": {"reference": format!("Patient/{chart}"), "type": "Patient"},
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "1", "display": "Person",
        },
        "role": {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient"},
    })
}

fn data(entry: &TrailEntry) -> Value {
    let replaces: Vec<Value> = entry
        .replaces
        .iter()
        .map(|replaced| json!({"type": "replaces", "valueString": replaced.to_string()}))
        .collect();
    let mut out = json!({
        "what": {"identifier": {"system": ENTRY_SYSTEM, "value": entry.entry.to_string()}},
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type", "code": "2",
            "display": "System Object",
        },
        "role": {
            "system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "4", "display": "Domain Resource",
        },
    });
    if let (Some(fields), false) = (out.as_object_mut(), replaces.is_empty()) {
        fields.insert("detail".to_owned(), Value::Array(replaces));
    }
    out
}

/// The parts of an extension while it is written.
struct Parts(Vec<Value>);

impl Parts {
    fn text(mut self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.0.push(json!({"url": name, "valueString": text}));
        }
        self
    }

    fn instant(self, name: &str, at: Option<TimestampMs>) -> Self {
        let Some(at) = at else { return self };
        match fhir_instant(at) {
            Some(instant) => {
                let mut out = self;
                out.0.push(json!({"url": name, "valueInstant": instant}));
                out
            }
            None => self.text(name, Some(&crate::views::calendar::iso_instant(at))),
        }
    }

    fn flag(mut self, name: &str, flag: bool) -> Self {
        self.0.push(json!({"url": name, "valueBoolean": flag}));
        self
    }

    fn at(self, url: &str) -> Value {
        json!({"url": url, "extension": self.0})
    }
}

fn time_extension(entry: &TrailEntry, recorded_is: &str) -> Value {
    let time = &entry.time;
    let parts = Parts(Vec::new())
        .instant("claimedAt", Some(time.claimed))
        .text("claimedLocal", Some(&time.local))
        .text("zone", Some(&time.zone))
        .text("bootId", Some(&format!("{:016x}", time.evidence.boot_id)))
        .text("monotonicMs", Some(&time.evidence.monotonic_ms.to_string()))
        .instant("serverAfter", time.earliest)
        .instant("serverBefore", time.latest)
        .instant("witnessesAfter", time.witnessed_after)
        .instant("witnessesBefore", time.witnessed_before)
        .text("verdict", Some(claim_code(time.claim)))
        .text("boundedBy", Some(bounded_code(time.bounded_by)))
        .flag("timeSuspect", time.claim == TimeClaim::Suspect)
        .text("recordedIs", Some(recorded_is));
    let parts = match &entry.returned {
        Some(returned) => parts
            .text("returnedTo", returned.came_after.then_some(returned.log.as_str()))
            .instant("earlierReceipt", returned.receipt.as_ref().map(|receipt| receipt.received_at)),
        None => parts,
    };
    time.faults
        .iter()
        .fold(parts, |parts, fault| parts.text("fault", Some(fault_code(*fault))))
        .at(TIME_EXTENSION)
}

fn standing_extension(entry: &TrailEntry) -> Value {
    Parts(Vec::new())
        .text("number", Some(&entry.number.to_string()))
        .text("place", Some(place_code(entry.place)))
        .text("delivery", Some(delivery_code(entry.delivery)))
        .text("ologIndex", entry.olog_index.map(|index| index.to_string()).as_deref())
        .flag("placeProved", entry.place_proved)
        .text("carriedBy", entry.carried_by.as_ref().map(|(carrier, _)| carrier.to_string()).as_deref())
        .flag("forked", entry.forked)
        .text("incarnation", Some(&entry.incarnation.0.to_string()))
        .text("seq", Some(&entry.seq.to_string()))
        .text("reason", entry.reason.as_deref())
        .at(STANDING_EXTENSION)
}

/// What a reading was for, and when.
struct Reading {
    purpose: Value,
    period: Option<Value>,
}

fn reading_of(entry: &SignedEntry) -> Option<Reading> {
    use ward_sync::AccessPurpose;
    if entry.body().kind != EntryKind::ACCESS_RECEIPT {
        return None;
    }
    let Decoded::Known(Payload::AccessReceipt(receipt)) = entry.body().decode_payload() else { return None };
    let words = super::place_words::purpose_words(receipt.purpose);
    let coded = match receipt.purpose {
        AccessPurpose::Care => Some(("TREAT", "treatment")),
        AccessPurpose::BreakGlass => Some(("BTG", "break the glass")),
        AccessPurpose::Export | AccessPurpose::Verify => None,
    };
    let purpose = match coded {
        Some((code, display)) => {
            json!({"coding": [{"system": ACT_REASON, "code": code, "display": display}], "text": words})
        }
        None => json!({"text": words}),
    };
    let period = fhir_instant(receipt.first_at)
        .zip(fhir_instant(receipt.last_at))
        .map(|(start, end)| json!({"start": start, "end": end}));
    Some(Reading { purpose, period })
}
