//! FHIR R4 resources, one a line (NDJSON).
//!
//! The participant is `Patient/<chart id>`, a pseudonym without a name: profile fields are not
//! exported. Resources hold what is current; where several values are current, each one is a
//! resource of its own with a note that says so. What was declared void is told as entered in error,
//! and answers that were sent twice for one planned time say so. Every entry of the chart, replaced and kept-aside
//! ones too, has a `Provenance` (if a resource comes from it) or an `AuditEvent`, so that who wrote
//! what, when, and in which role is complete. Earlier versions are in the audit package.
//!
//! Ward's own facts stand in one extension of each resource, [`ENTRY_EXTENSION`].

use super::fhir_resources::{appointment, consent, dose, medication_field, note, questionnaire_response};
use super::fhir_text;
use super::fhir_trail::{audit_event, provenance};
use crate::views::calendar::fhir_instant;
use crate::views::{ChartForms, NamedChart, shared_texts};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{ChartId, EntryId, TimestampMs};
use ward_sync::{ChartView, Place, Response, ResponseKey, Thread, Value, Written};

/// The extension with what Ward knows of the entry behind a resource: `entry`, `capturedAt`,
/// `receivedAt`, `ologIndex`, `device`, `person`, `role`, `reason`, `amends`, `standing`, and facts
/// of the resource.
pub const ENTRY_EXTENSION: &str = "https://ward.example/fhir/StructureDefinition/entry";
/// The system of entry names.
pub const ENTRY_SYSTEM: &str = "https://ward.example/fhir/entry";
/// The system of person pseudonyms.
pub const PERSON_SYSTEM: &str = "https://ward.example/fhir/person";
/// The system of device ids.
pub const DEVICE_SYSTEM: &str = "https://ward.example/fhir/device";

/// How an answer that was sent twice is marked.
pub(super) const DUPLICATE: &str = "duplicate-for-review";

/// A resource with the entry that it comes from.
pub(super) struct FromEntry {
    pub(super) entry: EntryId,
    pub(super) resource: Json,
}

/// What surrounds a value: its subject and whether it stands alone.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'r> {
    pub(super) chart: ChartId,
    /// The first write of its thread: the id of the resource as long as it stands alone.
    pub(super) record: EntryId,
    /// How many values are current; who says that none holds counts as one.
    pub(super) current: usize,
    /// Whether they contradict each other.
    pub(super) conflict: bool,
    /// Why somebody says that none holds.
    pub(super) void: Option<&'r str>,
}

impl Surroundings<'_> {
    pub(super) const fn is_conflict(&self) -> bool {
        self.conflict
    }

    /// The participant.
    pub(super) fn subject(&self) -> Json {
        json!({"reference": format!("Patient/{}", self.chart)})
    }

    /// The id of the resource: that of the record, so that it stays when the record is corrected;
    /// where several values hold that of the entry, so that no value overwrites another in the reader's store.
    pub(super) fn id<P>(&self, written: &Written<'_, P>) -> String {
        if self.current > 1 { written.id().to_string() } else { self.record.to_string() }
    }

    /// What a reader must know of a conflict.
    pub(super) fn conflict_note(&self) -> Option<String> {
        let void = self.void.map(|why| format!(" One of them says that it is void: {why}"));
        self.is_conflict().then(|| {
            format!(
                "One of {} values that hold at once. Nobody has chosen between them: do not use one alone.{}",
                self.current,
                void.unwrap_or_default()
            )
        })
    }
}

/// The resources of charts, in the order in which the charts are given; within one chart in the
/// order of its entries' keys. The same charts give the same bytes.
pub fn fhir_ndjson(charts: &[NamedChart<'_>]) -> String {
    let mut out = String::new();
    for chart in charts {
        for resource in resources(chart) {
            // JSON escapes line ends within texts, so that a resource is one line.
            out.push_str(&resource);
            out.push('\n');
        }
    }
    out
}

/// Each resource as a line.
fn resources(chart: &NamedChart<'_>) -> Vec<String> {
    let NamedChart { chart, view, .. } = chart;
    let mut made: Vec<FromEntry> = Vec::new();
    let responses = view.responses().values().flatten();
    let forms = ChartForms::of(view);
    let twice: BTreeSet<&ResponseKey> = view.duplicate_responses().collect();
    let twice: BTreeSet<EntryId> = view
        .responses()
        .iter()
        .filter(|(key, _)| twice.contains(key))
        .flat_map(|(_, threads)| threads.iter().flat_map(Thread::current_ids))
        .collect();
    let response = |around: &Surroundings<'_>, written: &Written<'_, Response>| {
        let resource = questionnaire_response(&forms, around, written);
        if twice.contains(&written.id()) { with_fact(resource, "review", DUPLICATE) } else { resource }
    };
    each(*chart, responses, response, &mut made);
    each(*chart, view.medication_plan().values(), medication_field, &mut made);
    each(*chart, view.doses(), dose, &mut made);
    each(*chart, view.appointments().values(), appointment, &mut made);
    each(*chart, view.consents(), consent, &mut made);
    each(*chart, view.notes(), note, &mut made);
    let mut targets: BTreeMap<EntryId, String> =
        made.iter().map(|from| (from.entry, reference(&from.resource))).collect();
    let mut out = vec![json!({"resourceType": "Patient", "id": chart.to_string()}).to_string()];
    let answers = answers_by_entry(view);
    out.extend(made.iter().map(|from| {
        // 1.50 that a person entered stays 1.50: the digits say how exact it is.
        let response = answers.get(&from.entry).and_then(|response| forms.answers_of(response).ok());
        response.map_or_else(|| from.resource.to_string(), |own| own.write_with_digits(&from.resource))
    }));
    out.extend(notes_of_many(*chart, view, &mut targets).iter().map(Json::to_string));
    out.extend(view.timeline().iter().map(|item| match targets.get(&item.entry.id()) {
        Some(target) => provenance(item, target).to_string(),
        None => audit_event(*chart, item).to_string(),
    }));
    out
}

/// Every version of every response, by its entry.
fn answers_by_entry<'v>(view: &'v ChartView<'_>) -> BTreeMap<EntryId, &'v Response> {
    let versions = view.responses().values().flatten().flat_map(Thread::versions);
    versions.map(|written| (written.id(), written.value)).collect()
}

/// Texts that several people edit. All that was written in one and stands is a part of its resource.
fn notes_of_many(chart: ChartId, view: &ChartView<'_>, targets: &mut BTreeMap<EntryId, String>) -> Vec<Json> {
    let mut out = Vec::new();
    for shared in shared_texts(view) {
        let Some(text) = view.texts().get(&shared.id) else { continue };
        let target = fhir_text::reference(&shared);
        let written = text.bursts().iter().map(Written::id);
        let signed = shared.signatures.iter().map(|signed| signed.entry);
        let stands = |entry: &EntryId| view.place(*entry) == Some(Place::Visible);
        targets.extend(written.chain(signed).filter(stands).map(|entry| (entry, target.clone())));
        if let Some(newest) = text.bursts().last() {
            out.push(fhir_text::shared_note(chart, &shared, newest));
        }
    }
    out
}

fn each<'t, 'v: 't, P: Value + 'v>(
    chart: ChartId,
    threads: impl IntoIterator<Item = &'t Thread<'v, P>>,
    make: impl Fn(&Surroundings<'_>, &Written<'v, P>) -> Json,
    made: &mut Vec<FromEntry>,
) {
    for thread in threads {
        let Some(record) = thread.first().map(Written::id) else { continue };
        let (values, void) = (thread.values(), thread.voids.first());
        let why = void.map(|void| void.entry.body().reason.as_deref().unwrap_or_default());
        let current = values.len() + usize::from(void.is_some());
        let conflict = thread.is_conflict();
        let around = Surroundings { chart, record, current, conflict, void: why };
        for written in &values {
            made.push(FromEntry { entry: written.id(), resource: make(&around, written) });
        }
        // What a receiver may have from before must be told to be void, not just be gone.
        if let (true, Some(last), Some(why)) = (thread.is_voided(), thread.versions().last(), why) {
            let alone = Surroundings { current: 1, ..around };
            made.push(FromEntry { entry: last.id(), resource: voided(make(&alone, last), why) });
        }
    }
}

/// A resource that was entered in error, as FHIR calls it, with the reason.
fn voided(mut resource: Json, why: &str) -> Json {
    if let Some(status) = resource.get_mut("status") {
        *status = json!("entered-in-error");
    }
    with_fact(resource, "void", why)
}

/// A resource with one more of Ward's own facts.
fn with_fact(mut resource: Json, name: &str, text: &str) -> Json {
    let extensions = resource.get_mut("extension").and_then(Json::as_array_mut).into_iter().flatten();
    for extension in extensions.filter(|one| one.get("url").is_some_and(|url| *url == ENTRY_EXTENSION)) {
        if let Some(facts) = extension.get_mut("extension").and_then(Json::as_array_mut) {
            facts.push(json!({"url": name, "valueString": text}));
        }
    }
    resource
}

fn reference(resource: &Json) -> String {
    let part = |name: &str| resource.get(name).and_then(Json::as_str).unwrap_or_default();
    format!("{}/{}", part("resourceType"), part("id"))
}

/// A resource while it is written: fields without content are left out, because FHIR knows no
/// empty ones.
pub(super) struct ResourceWriter(Map<String, Json>);

impl ResourceWriter {
    pub(super) fn new(resource_type: &str, id: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("resourceType".to_owned(), json!(resource_type));
        fields.insert("id".to_owned(), json!(id));
        Self(fields)
    }

    /// Continues a resource that was read.
    pub(super) const fn of(fields: Map<String, Json>) -> Self {
        Self(fields)
    }

    pub(super) fn set(mut self, field: &str, value: impl Into<Json>) -> Self {
        let value = value.into();
        let empty = match &value {
            Json::Null => true,
            Json::String(text) => text.is_empty(),
            Json::Array(list) => list.is_empty(),
            Json::Object(fields) => fields.is_empty(),
            Json::Bool(_) | Json::Number(_) => false,
        };
        if !empty {
            self.0.insert(field.to_owned(), value);
        }
        self
    }

    pub(super) fn instant(self, field: &str, at: TimestampMs) -> Self {
        self.set(field, fhir_instant(at))
    }

    pub(super) fn done(self) -> Json {
        Json::Object(self.0)
    }
}
