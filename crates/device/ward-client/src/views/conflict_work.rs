//! Work that contradictions raise: fields and records in which several values hold and nobody has
//! chosen. An item names every value with who wrote it; only a decision ends it.

use super::calendar::{iso_day, plain_minute};
use super::chart_forms::ChartForms;
use super::unsettled_work::raised;
use super::wording::{one_line, role_name, short_id};
use super::work_item::{Desk, Raised, Urgency, known_at, slug};
use ward_sync::{
    Appointment, AppointmentStatus, ChartView, Conflict, Consent, ConsentStatus, Dose, DoseOutcome,
    FieldState, MedicationPlanField, Participation, ParticipationState, Thread, Value, Written,
};

/// Registers and records with several current values that differ.
pub(super) fn conflict_work(desk: &mut Desk<'_>, view: &ChartView<'_>, forms: &ChartForms) {
    for ((medication, field), thread) in view.medication_plan() {
        let matter = format!("conflict-{}", slug(&format!("{medication}-{field}")));
        conflict(desk, &matter, &format!("{medication} {field}"), thread, plan_words);
    }
    for thread in view.appointments().values() {
        conflict(desk, "conflict-visit", "a visit", thread, visit_words);
    }
    for thread in view.notes() {
        conflict(desk, "conflict-note", "a note", thread, |value| format!("“{}”", value.text));
    }
    for (field, thread) in view.profile() {
        let matter = format!("conflict-{}", slug(&format!("profile-{field}")));
        conflict(desk, &matter, field, thread, |value| value.value.clone());
    }
    for thread in view.doses() {
        conflict(desk, "conflict-dose", "a dose", thread, dose_words);
    }
    for thread in view.consents() {
        conflict(desk, "conflict-consent", "consent", thread, consent_words);
    }
    for thread in view.participation() {
        conflict(desk, "conflict-participation", "participation", thread, participation_words);
    }
    answer_conflicts(desk, view, forms);
}

fn answer_conflicts(desk: &mut Desk<'_>, view: &ChartView<'_>, forms: &ChartForms) {
    for ((url, occurrence), threads) in view.responses() {
        for thread in threads {
            let FieldState::Conflict(found) = thread.state() else { continue };
            let mut reason = format!(
                "{} corrections of “{}” for {occurrence} hold at once; nobody has chosen",
                found.values.len(),
                forms.title(url)
            );
            if !found.voids.is_empty() {
                reason = format!(
                    "“{}” for {occurrence} was corrected and declared void at the same time; nobody has chosen",
                    forms.title(url)
                );
            }
            let said = said(&found, |_| "answers".to_owned());
            desk.contradiction("conflict-answers", &candidates(thread), reason, said);
        }
    }
}

fn conflict<P: Value>(
    desk: &mut Desk<'_>,
    matter: &str,
    what: &str,
    thread: &Thread<'_, P>,
    value: impl Fn(&P) -> String,
) {
    let FieldState::Conflict(found) = thread.state() else { return };
    let said = said(&found, |written| value(written.value));
    let count = match said.len() {
        2 => "two".to_owned(),
        3 => "three".to_owned(),
        more => more.to_string(),
    };
    let reason = format!("{count} values for {what}: {}; nobody has chosen", said.join(", "));
    desk.contradiction(matter, &candidates(thread), reason, said);
}

/// Each value with who wrote it and when, on one line each.
fn said<P>(found: &Conflict<'_, '_, P>, value: impl Fn(&Written<'_, P>) -> String) -> Vec<String> {
    let values = found.values.iter().map(|written| by(&value(written), written));
    let voids = found.voids.iter().map(|written| {
        let why = written.entry.body().reason.as_deref().unwrap_or_default();
        by(&format!("declared void: {why}"), written)
    });
    values.chain(voids).collect()
}

fn by<P>(value: &str, written: &Written<'_, P>) -> String {
    let (role, day) = (role_name(written.author.role), iso_day(written.captured_at().utc_day()));
    format!("{} ({role} {}, {day})", one_line(value), short_id(&written.author.person))
}

fn candidates<P>(thread: &Thread<'_, P>) -> Vec<Raised<()>> {
    let voids = thread.voids.iter();
    let voids = voids.map(|void| Raised { entry: void.id(), since: known_at(void), detail: () });
    raised(&thread.current).into_iter().chain(voids).collect()
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
