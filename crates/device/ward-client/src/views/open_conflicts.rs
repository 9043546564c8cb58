//! Contradictions in words: fields and records in which several values hold and nobody has chosen,
//! with every value and who wrote it.

use super::calendar::{iso_day, plain_minute};
use super::chart_forms::ChartForms;
use super::wording::{one_line, role_name, short_id};
use super::work_item::{Desk, Raised, slug};
use serde::Serialize;
use ward_crypto::Role;
use ward_id::{EntryId, PersonId, TimestampMs};
use ward_sync::{
    Appointment, AppointmentStatus, ChartView, Consent, ConsentStatus, Dose, DoseOutcome, EntryKind,
    FieldKey, FieldState, MedicationPlanField, Participation, ParticipationState, Thread, Value, Written,
};

/// One of the values that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownCandidate {
    /// The entry: what a decision for it names.
    pub entry: EntryId,
    /// What it says, on one line.
    pub value: String,
    /// Who wrote it.
    pub person: PersonId,
    /// In which role, in plain words.
    pub role: &'static str,
    /// When, by the author's clock.
    pub at: TimestampMs,
}

impl ShownCandidate {
    fn of<P>(value: &str, written: &Written<'_, P>) -> Self {
        let (author, at) = (written.author, written.captured_at());
        let role: Role = author.role;
        Self { entry: written.id(), value: one_line(value), person: author.person, role: role_name(role), at }
    }

    /// `4 mg (clinician 2a2a2a2a, 2026-03-02)`.
    pub fn line(&self) -> String {
        let Self { value, person, role, at, .. } = self;
        format!("{value} ({role} {}, {})", short_id(person), iso_day(at.utc_day()))
    }
}

/// A field or record in which several values hold and nobody has chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownConflict {
    /// Which field, or which kind of record.
    pub field: FieldKey,
    /// What it is about, in plain words.
    pub what: String,
    /// Its name within the name of a work item.
    matter: String,
    /// The values, each once.
    pub values: Vec<ShownCandidate>,
    /// Every candidate: what a decision names. Several may say the same.
    pub candidates: Vec<EntryId>,
    /// The candidates with the time at which each became known.
    raised: Vec<Raised<()>>,
}

/// All contradictions of a chart, in an order that is the same on every device.
pub fn open_conflicts(view: &ChartView<'_>) -> Vec<ShownConflict> {
    let forms = ChartForms::of(view);
    shown(view, &forms)
}

fn shown(view: &ChartView<'_>, forms: &ChartForms) -> Vec<ShownConflict> {
    let mut out = Vec::new();
    for ((medication, field), thread) in view.medication_plan() {
        let matter = format!("conflict-{}", slug(&format!("{medication}-{field}")));
        let key = FieldKey::MedicationPlan(medication.clone(), field.clone());
        out.extend(conflict(key, matter, format!("{medication} {field}"), thread, plan_words));
    }
    for (id, thread) in view.appointments() {
        let key = FieldKey::Appointment(*id);
        out.extend(conflict(key, "conflict-visit".into(), "a visit".into(), thread, visit_words));
    }
    for (field, thread) in view.profile() {
        let matter = format!("conflict-{}", slug(&format!("profile-{field}")));
        let key = FieldKey::Profile(field.clone());
        out.extend(conflict(key, matter, field.clone(), thread, |value| value.value.clone()));
    }
    let record = |kind: EntryKind, matter: &str| (FieldKey::Record(kind), matter.to_owned());
    for ((url, occurrence), thread) in
        view.responses().iter().flat_map(|(key, threads)| threads.iter().map(move |thread| (key, thread)))
    {
        let (key, matter) = record(EntryKind::QUESTIONNAIRE_RESPONSE, "conflict-answers");
        let what = format!("“{}” for {occurrence}", forms.title(url));
        out.extend(conflict(key, matter, what, thread, |_| "answers".to_owned()));
    }
    for thread in view.notes() {
        let (key, matter) = record(EntryKind::NOTE, "conflict-note");
        out.extend(conflict(key, matter, "a note".into(), thread, |value| format!("“{}”", value.text)));
    }
    for thread in view.doses() {
        let (key, matter) = record(EntryKind::DOSE, "conflict-dose");
        out.extend(conflict(key, matter, "a dose".into(), thread, dose_words));
    }
    for thread in view.consents() {
        let (key, matter) = record(EntryKind::CONSENT, "conflict-consent");
        out.extend(conflict(key, matter, "consent".into(), thread, consent_words));
    }
    for thread in view.participation() {
        let (key, matter) = record(EntryKind::PARTICIPATION, "conflict-participation");
        out.extend(conflict(key, matter, "participation".into(), thread, participation_words));
    }
    for thread in view.acknowledgements() {
        let (key, matter) = record(EntryKind::ALERT_ACKNOWLEDGEMENT, "conflict-acknowledgement");
        out.extend(conflict(key, matter, "an acknowledgement".into(), thread, |value| value.action.clone()));
    }
    for thread in view.instruments() {
        let (key, matter) = record(EntryKind::INSTRUMENT, "conflict-questionnaire");
        let words = |value: &ward_sync::Instrument| format!("{} {}", value.url, value.version);
        out.extend(conflict(key, matter, "a questionnaire".into(), thread, words));
    }
    out
}

fn conflict<P: Value>(
    field: FieldKey,
    matter: String,
    what: String,
    thread: &Thread<'_, P>,
    words: impl Fn(&P) -> String,
) -> Option<ShownConflict> {
    let FieldState::Conflict(found) = thread.state() else { return None };
    let mut values: Vec<ShownCandidate> =
        found.values.iter().map(|written| ShownCandidate::of(&words(written.value), written)).collect();
    values.extend(found.voids.iter().map(|void| {
        let why = void.entry.body().reason.as_deref().unwrap_or_default();
        ShownCandidate::of(&format!("declared void: {why}"), void)
    }));
    let raised = thread.current.iter().map(Raised::of).chain(thread.voids.iter().map(Raised::of)).collect();
    Some(ShownConflict { field, what, matter, values, candidates: thread.current_ids(), raised })
}

/// The work that contradictions raise. An item names every value; only a decision ends it.
pub(super) fn conflict_work(desk: &mut Desk<'_>, view: &ChartView<'_>, forms: &ChartForms) {
    for found in shown(view, forms) {
        let said: Vec<String> = found.values.iter().map(ShownCandidate::line).collect();
        let count = match said.len() {
            2 => "two".to_owned(),
            3 => "three".to_owned(),
            more => more.to_string(),
        };
        let reason = format!("{count} values for {}: {}; nobody has chosen", found.what, said.join(", "));
        desk.contradiction(&found.matter, &found.raised, reason, said);
    }
}

fn plan_words(value: &MedicationPlanField) -> String {
    let unit = value.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    value.value.as_ref().map_or_else(|| "removed".to_owned(), |value| format!("{value}{unit}"))
}

fn visit_words(value: &Appointment) -> String {
    let cancelled = if value.status == AppointmentStatus::Cancelled { "cancelled, " } else { "" };
    let at = plain_minute(value.starts_at);
    format!("{cancelled}{at}, {} min, {} {}", value.minutes, value.place, value.purpose)
}

fn dose_words(value: &Dose) -> String {
    let outcome = if value.outcome == DoseOutcome::Taken { "taken" } else { "skipped" };
    format!("{} {outcome}, {}", value.medication, plain_minute(value.at))
}

fn consent_words(value: &Consent) -> String {
    let status = if value.status == ConsentStatus::Given { "given" } else { "withdrawn" };
    format!("version {} {status}", value.consent_version)
}

fn participation_words(value: &Participation) -> String {
    let state = match value.state {
        ParticipationState::Screened => "screened",
        ParticipationState::Active => "active",
        ParticipationState::Paused => "paused",
        ParticipationState::Withdrawn => "withdrawn",
        ParticipationState::Completed => "completed",
    };
    format!("{state} from {}", plain_minute(value.from))
}
