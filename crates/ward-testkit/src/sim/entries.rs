//! What people write in a schedule. Each text bears a mark of its own, so that it is found again
//! wherever it ends up, and by whatever name.

use super::generate::Dice;
use super::schedule::Entry;
use crate::limits::LONG_NOTE_BYTES;
use crate::{START, diary_answers, diary_response};
use ward_crypto::Role;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    AlertAcknowledgement, Appointment, AppointmentId, AppointmentStatus, ChartView, Dose, DoseOutcome, Draft,
    MedicationId, MedicationPlanField, Note, Payload, ProfileField, SetChange, SignedEntry, may_write,
};

/// The mark of the n-th entry of a schedule; long enough that no key or hash bears it by chance.
pub(super) fn mark(number: u64) -> String {
    format!("<{number:06}>")
}

/// Whether an entry bears a mark: in what it says, or in why it was written.
pub(super) fn bears(entry: &SignedEntry, mark: &str) -> bool {
    let body = entry.body();
    let said = body.payload.windows(mark.len()).any(|part| part == mark.as_bytes());
    said || body.reason.as_deref() == Some(mark)
}

/// What is written, as the person sees the chart. What the role may not write becomes a note.
pub(super) fn draft(
    view: Option<&ChartView<'_>>,
    (role, entry): (Role, Entry),
    (number, now): (u64, TimestampMs),
    dice: &mut Dice,
) -> Draft {
    let mark = mark(number);
    let wanted = view.and_then(|view| wanted(view, entry, &mark, now, dice));
    wanted
        .filter(|draft| may_write(role, &draft.payload))
        .unwrap_or_else(|| Draft::new(Note { text: mark, supersedes: Vec::new() }))
}

fn wanted(
    view: &ChartView<'_>,
    entry: Entry,
    mark: &str,
    now: TimestampMs,
    dice: &mut Dice,
) -> Option<Draft> {
    let day = START.utc_day() + i64::try_from(dice.below(5)).unwrap_or(0);
    Some(match entry {
        Entry::Note => Draft::new(note(mark.to_owned(), Vec::new())),
        Entry::LongNote => Draft::new(note(format!("{mark}{}", "-".repeat(LONG_NOTE_BYTES)), Vec::new())),
        Entry::NoteEdit => {
            let newest = view.notes().last()?;
            Draft::new(note(mark.to_owned(), newest.current_ids()))
        }
        Entry::Dose => Draft::new(dose(mark, now)),
        Entry::DoseAmended => {
            let newest = view.doses().last()?.current.last()?.id();
            Draft::amending(dose(mark, now), newest, "it was another hour")
        }
        Entry::Response => Draft::new(response(day, mark, dice)),
        Entry::ResponseAmended => {
            let newest = view.responses().values().next_back()?.last()?.current.last()?.id();
            Draft::amending(response(day, mark, dice), newest, "a wrong key")
        }
        Entry::Plan => Draft::new(plan(view, mark, dice)),
        Entry::Appointment => Draft::new(appointment(view, mark, now, dice)),
        Entry::Profile => {
            let field = ["phone", "address"].get(usize::try_from(dice.below(2)).unwrap_or(0))?;
            let known = view.profile().get(*field);
            Draft::new(ProfileField {
                field: (*field).to_owned(),
                value: mark.to_owned(),
                supersedes: known.map(ward_sync::Thread::current_ids).unwrap_or_default(),
            })
        }
        Entry::Acknowledgement => Draft::new(AlertAcknowledgement {
            item: "nausea".to_owned(),
            entries: view
                .responses()
                .values()
                .flatten()
                .flat_map(ward_sync::Thread::current_ids)
                .take(3)
                .collect(),
            action: mark.to_owned(),
        }),
        Entry::SetAdd => {
            let element = ["fatigue", "nausea", "fever"].get(usize::try_from(dice.below(3)).unwrap_or(0))?;
            Draft::because(SetChange::adding(SET, *element), mark)
        }
        Entry::SetRemove => {
            let elements: Vec<&String> = view.sets().get(SET)?.elements.keys().collect();
            let place = usize::try_from(dice.below(elements.len() as u64)).unwrap_or(0);
            let additions = view.sets().get(SET)?.additions_of(elements.get(place)?);
            Draft::because(SetChange::removing(SET, additions), mark)
        }
        // These have calls of their own.
        Entry::Resolve
        | Entry::Void
        | Entry::Text
        | Entry::TextCut
        | Entry::TextSign
        | Entry::Attachment
        | Entry::Checkpoint
        | Entry::Adopt
        | Entry::Decline => return None,
    })
}

/// The set that everybody changes.
const SET: &str = "tags";

const fn note(text: String, supersedes: Vec<EntryId>) -> Note {
    Note { text, supersedes }
}

fn dose(mark: &str, now: TimestampMs) -> Dose {
    Dose {
        medication: MedicationId::new("capecitabine"),
        due_at: now,
        outcome: DoseOutcome::Taken,
        at: now,
        note: Some(mark.to_owned()),
    }
}

fn response(day: i64, mark: &str, dice: &mut Dice) -> Payload {
    let grade = |dice: &mut Dice| u8::try_from(dice.below(5)).unwrap_or(0);
    let answers = diary_answers((grade(dice), grade(dice)), grade(dice), dice.below(2) == 0, mark);
    diary_response(day, &answers).into()
}

fn plan(view: &ChartView<'_>, mark: &str, dice: &mut Dice) -> MedicationPlanField {
    let medication = MedicationId::new(if dice.below(2) == 0 { "capecitabine" } else { "oxaliplatin" });
    let field = "dose".to_owned();
    let known = view.medication_plan().get(&(medication.clone(), field.clone()));
    MedicationPlanField {
        medication,
        field,
        value: Some(mark.to_owned()),
        unit: Some("mg".to_owned()),
        supersedes: known.map(ward_sync::Thread::current_ids).unwrap_or_default(),
    }
}

fn appointment(view: &ChartView<'_>, mark: &str, now: TimestampMs, dice: &mut Dice) -> Appointment {
    let appointment = AppointmentId([u8::try_from(dice.below(3)).unwrap_or(0); 16]);
    let known = view.appointments().get(&appointment);
    Appointment {
        appointment,
        status: AppointmentStatus::Booked,
        starts_at: now.plus_ms(86_400_000),
        minutes: 30,
        place: "room 4".to_owned(),
        purpose: mark.to_owned(),
        supersedes: known.map(ward_sync::Thread::current_ids).unwrap_or_default(),
    }
}
