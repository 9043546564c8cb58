//! FHIR audit events against the rules of their profiles (IHE BALP 1.1.3), written from the
//! published profiles PatientCreate, PatientUpdate and PatientRead, and against FHIR R4.

use crate::builder::*;
use crate::trail::{story, trail_of};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ward_client::export::{BALP_PROFILES, STANDING_EXTENSION, TIME_EXTENSION, balp_ndjson};
use ward_sync::{Place, SignedEntry};

const SERVER: &str = "https://ward.test";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

fn events(chart: &TestChart) -> Vec<Value> {
    let view = chart.view();
    let entries: BTreeMap<_, &SignedEntry> =
        view.timeline().iter().map(|item| (item.entry.id(), item.entry)).collect();
    let lines = balp_ndjson(&trail_of(chart), SERVER, |entry| entries.get(&entry.entry).copied());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn has_coding(concept: &Value, system: &str, code: &str) -> bool {
    list(concept, "coding").iter().any(|coding| coding["system"] == system && coding["code"] == code)
}

/// What breaks a rule of FHIR R4 `AuditEvent`.
fn r4_faults(event: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            faults.push(what.to_owned());
        }
    };
    expect(event["resourceType"] == "AuditEvent", "resourceType");
    let id = event["id"].as_str().unwrap_or_default();
    let id_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    expect((1..=64).contains(&id.len()) && id.chars().all(id_char), "id");
    expect(event["type"]["system"].is_string() && event["type"]["code"].is_string(), "type 1..1");
    let instant = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z'))
    };
    expect(instant(&event["recorded"]), "recorded 1..1 instant");
    expect(["C", "R", "U", "D", "E"].iter().any(|code| event["action"] == *code), "action code");
    expect(["0", "4", "8", "12"].iter().any(|code| event["outcome"] == *code), "outcome code");
    expect(!list(event, "agent").is_empty(), "agent 1..*");
    for agent in list(event, "agent") {
        expect(agent["requestor"].is_boolean(), "agent.requestor 1..1");
        if !agent["network"].is_null() {
            let kinds = ["1", "2", "3", "4", "5"];
            expect(kinds.iter().any(|kind| agent["network"]["type"] == *kind), "agent.network.type code");
        }
    }
    let requestors = list(event, "agent").iter().filter(|agent| agent["requestor"] == true).count();
    expect(requestors <= 1, "at most one requestor");
    expect(event["source"]["observer"].is_object(), "source.observer 1..1");
    for entity in list(event, "entity") {
        expect(!(entity["name"].is_string() && entity["query"].is_string()), "sev-1");
        for detail in list(entity, "detail") {
            let valued = detail["valueString"].is_string() || detail["valueBase64Binary"].is_string();
            expect(detail["type"].is_string() && valued, "entity.detail");
        }
    }
    fn no_empty(value: &Value) -> bool {
        match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty() && items.iter().all(no_empty),
            Value::Object(fields) => !fields.is_empty() && fields.values().all(no_empty),
            _ => true,
        }
    }
    expect(no_empty(event), "no empty elements");
    faults
}

/// What breaks a rule of the profile that an event claims; `None` for an event without one.
fn profile_faults(event: &Value) -> Option<Vec<String>> {
    let profile = event["meta"]["profile"][0].as_str()?;
    let name = profile.strip_prefix(BALP_PROFILES).unwrap_or("another");
    let mut faults = Vec::new();
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            faults.push(format!("{name}: {what}"));
        }
    };
    let (action, interaction) = match name {
        "PatientCreate" => ("C", "create"),
        "PatientUpdate" => ("U", "update"),
        "PatientRead" => ("R", "read"),
        _ => ("?", "?"),
    };
    let reads = action == "R";
    let audit_type = "http://terminology.hl7.org/CodeSystem/audit-event-type";
    expect(event["type"]["system"] == audit_type && event["type"]["code"] == "rest", "type is rest");
    let of_rest = list(event, "subtype")
        .iter()
        .filter(|subtype| {
            subtype["system"] == "http://hl7.org/fhir/restful-interaction" && subtype["code"] == interaction
        })
        .count();
    expect(of_rest == 1, "subtype slice 1..1");
    expect(event["action"] == action, "action");
    expect(event["recorded"].is_string(), "recorded 1..1");
    expect(event["outcome"] == "0", "outcome is success");
    let agents = list(event, "agent");
    expect(agents.len() >= 2, "agent 2..*");
    let slice = |code: &str| -> Vec<&Value> {
        agents.iter().filter(|agent| has_coding(&agent["type"], DCM, code)).collect()
    };
    let (client, server) = if reads { ("110152", "110153") } else { ("110153", "110152") };
    for (code, what) in [(client, "client"), (server, "server")] {
        let found = slice(code);
        expect(found.len() == 1, &format!("agent:{what} 1..1"));
        for agent in found {
            expect(agent["who"].is_object(), &format!("agent:{what}.who 1..1"));
            expect(agent["network"].is_object(), &format!("agent:{what}.network 1..1"));
            expect(agent["media"].is_null(), &format!("agent:{what}.media 0..0"));
        }
    }
    let participation = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    let user_codes: &[&str] = if reads { &["IRCP"] } else { &["AUT", "INF", "CST"] };
    let users: Vec<&Value> = agents
        .iter()
        .filter(|agent| user_codes.iter().any(|code| has_coding(&agent["type"], participation, code)))
        .collect();
    expect(users.len() <= 1, "agent:user 0..1");
    for user in users {
        expect(user["who"].is_object() && user["requestor"] == true, "agent:user.who 1..1, requestor");
        expect(user["network"].is_null() && user["media"].is_null(), "agent:user.network, media 0..0");
    }
    expect(event["source"].is_object(), "source");
    let entities = list(event, "entity");
    expect(entities.len() >= 2, "entity 2..*");
    let entity_type = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    let object_role = "http://terminology.hl7.org/CodeSystem/object-role";
    let of_type = |code: &str| -> Vec<&Value> {
        entities
            .iter()
            .filter(|entity| entity["type"]["system"] == entity_type && entity["type"]["code"] == code)
            .collect()
    };
    let patients = of_type("1");
    expect(patients.len() == 1, "entity:patient 1..1");
    for patient in patients {
        let role = &patient["role"];
        expect(role["system"] == object_role && role["code"] == "1", "entity:patient.role");
        let reference = patient["what"]["reference"].as_str().unwrap_or_default();
        expect(reference.starts_with("Patient/"), "entity:patient.what only a Patient");
    }
    let data = of_type("2");
    expect(data.len() == 1, "entity:data 1..1");
    for data in data {
        let role = &data["role"];
        let allowed = ["4", "3", "20"].iter().any(|code| role["code"] == *code);
        expect(role["system"] == object_role && allowed, "entity:data.role from RestObjectRoles");
        expect(data["what"].is_object(), "entity:data.what 1..1");
    }
    Some(faults)
}

#[test]
fn every_event_keeps_the_rules_of_its_profile_and_of_fhir() {
    let chart = story();
    let trail = trail_of(&chart);
    let events = events(&chart);
    assert_eq!(events.len(), trail.entries.len(), "every entry has its event");
    let mut profiles: BTreeMap<String, usize> = BTreeMap::new();
    for (event, entry) in events.iter().zip(&trail.entries) {
        assert_eq!(r4_faults(event), Vec::<String>::new(), "{event:#}");
        let stands = !matches!(entry.place, Place::Quarantined(_) | Place::Invalid(_) | Place::NotPermitted);
        match profile_faults(event) {
            Some(faults) => {
                assert_eq!(faults, Vec::<String>::new(), "{event:#}");
                assert!(stands, "what had no effect claims no success");
                *profiles.entry(event["meta"]["profile"][0].as_str().unwrap().to_owned()).or_default() += 1;
            }
            None => {
                assert!(!stands && event["outcome"] == "4" && event["outcomeDesc"].is_string(), "{event:#}");
            }
        }
        assert_eq!(event["id"], json!(entry.entry));
    }
    assert_eq!(profiles.len(), 3, "created, updated and read: {profiles:?}");
}

#[test]
fn what_ward_adds_stands_in_two_extensions() {
    let chart = story();
    let trail = trail_of(&chart);
    let part = |event: &Value, url: &str, name: &str| -> Option<Value> {
        let extension = list(event, "extension").iter().find(|extension| extension["url"] == url)?;
        list(extension, "extension").iter().find(|part| part["url"] == name).cloned()
    };
    for (event, entry) in events(&chart).iter().zip(&trail.entries) {
        let suspect = part(event, TIME_EXTENSION, "timeSuspect").unwrap();
        assert_eq!(suspect["valueBoolean"], !entry.time.faults.is_empty());
        assert_eq!(part(event, TIME_EXTENSION, "recordedIs").unwrap()["valueString"], "receipt");
        assert_eq!(part(event, TIME_EXTENSION, "zone").unwrap()["valueString"], json!(entry.time.zone));
        assert_eq!(
            part(event, STANDING_EXTENSION, "number").unwrap()["valueString"],
            entry.number.to_string()
        );
    }
    let text = serde_json::to_string(&events(&chart)).unwrap();
    for word in ["Ada Example", "from the lost phone", "Room 12"] {
        assert!(!text.contains(word), "{word}: an event names an entry and does not repeat it");
    }
}

/// What is broken, and how.
type Broken = (&'static str, fn(&mut Value));

/// The checks above must be able to fail.
#[test]
fn a_broken_event_is_found() {
    let chart = story();
    let sound = events(&chart).into_iter().find(|event| event["action"] == "U").unwrap();
    let broken: [Broken; 9] = [
        ("another action", |event| event["action"] = json!("C")),
        ("no server", |event| {
            event["agent"].as_array_mut().unwrap().remove(1);
        }),
        ("no patient", |event| {
            event["entity"].as_array_mut().unwrap().remove(0);
        }),
        ("two patients", |event| {
            let patient = event["entity"][0].clone();
            event["entity"].as_array_mut().unwrap().push(patient);
        }),
        ("no network", |event| {
            event["agent"][0].as_object_mut().unwrap().remove("network");
        }),
        ("a user with a network", |event| {
            event["agent"][2]["network"] = json!({"type": "5", "address": "x"})
        }),
        ("another outcome", |event| event["outcome"] = json!("8")),
        ("another subtype", |event| event["subtype"][0]["code"] = json!("read")),
        ("a group as patient", |event| event["entity"][0]["what"]["reference"] = json!("Group/1")),
    ];
    for (what, change) in broken {
        let mut event = sound.clone();
        change(&mut event);
        assert!(!profile_faults(&event).unwrap().is_empty(), "{what} was not found");
    }
    let broken: [Broken; 4] = [
        ("no recorded", |event| event["recorded"] = Value::Null),
        ("no observer", |event| event["source"] = json!({})),
        ("no requestor", |event| event["agent"][0]["requestor"] = Value::Null),
        ("an empty text", |event| event["outcomeDesc"] = json!("")),
    ];
    for (what, change) in broken {
        let mut event = sound.clone();
        change(&mut event);
        assert!(!r4_faults(&event).is_empty(), "{what} was not found");
    }
}
