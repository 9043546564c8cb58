//! Work that the chart itself raises: answers given twice, entries to be taken over, entries that cannot be used.

use super::chart_forms::ChartForms;
use super::schedule::Planning;
use super::wording::counted;
use super::work_item::{Desk, Raised, Urgency};
use std::collections::BTreeMap;
use ward_sync::{
    ChartView, EntryKind, Place, QuarantineReason, Response, ResponseStatus, Thread, TimelineItem, Written,
};

/// What stands before the words where nobody knows what answers say.
pub(super) const MAY_HIDE: &str = "alerts may be hidden: ";

fn raised<P>(writes: &[Written<'_, P>]) -> Vec<Raised<()>> {
    writes.iter().map(Raised::of).collect()
}

/// Planned times that were answered more than once.
pub(super) fn duplicate_work(desk: &mut Desk<'_>, view: &ChartView<'_>, forms: &ChartForms) {
    let is_finished = |written: &Written<'_, Response>| written.value.status() != ResponseStatus::Draft;
    for ((url, occurrence), threads) in view.responses() {
        let finished: Vec<&Thread<'_, Response>> =
            threads.iter().filter(|thread| thread.current.iter().any(is_finished)).collect();
        if finished.len() < 2 {
            continue;
        }
        let current: Vec<_> = finished.iter().flat_map(|thread| thread.current.iter().copied()).collect();
        let reason = format!(
            "“{}” for {occurrence} was sent {} times; all are kept, none is chosen",
            forms.title(url),
            finished.len()
        );
        desk.standing(Urgency::Duplicate, &["duplicate"], &raised(&current), reason);
    }
}

/// Entries of lost devices that staff may take over.
pub(super) fn adoption_work(desk: &mut Desk<'_>, view: &ChartView<'_>) {
    let declined = view.declined();
    let waiting = view.to_adopt().filter(|item| !declined.contains(&item.entry.id()));
    let waiting: Vec<_> = waiting.map(raised_item).collect();
    let what = counted(waiting.len(), "entry of a lost device waits", "entries of a lost device wait");
    // It ends when somebody takes them over or declines them: nobody may put them away unread.
    desk.unanswerable(Urgency::ToAdopt, "adopt", &waiting, format!("{what} to be taken over"));
}

/// Entries that are kept but take no part in the chart's values.
pub(super) fn unusable_work(
    desk: &mut Desk<'_>,
    view: &ChartView<'_>,
    forms: &ChartForms,
    planning: &Planning<'_>,
) {
    let mut by_cause: BTreeMap<(&'static str, bool), Vec<Raised<()>>> = BTreeMap::new();
    let (mut waiting, mut answers_wait) = (Vec::new(), false);
    for item in view.timeline() {
        let is_answer = item.entry.body().kind == EntryKind::QUESTIONNAIRE_RESPONSE;
        match item.place {
            Place::Parked => {
                answers_wait |= is_answer;
                waiting.push(raised_item(item));
            }
            place => {
                if let Some(cause) = cause_of(place) {
                    let hides = is_answer && hides_alerts(cause);
                    by_cause.entry((cause, hides)).or_default().push(raised_item(item));
                }
            }
        }
    }
    for ((cause, hides), raised) in by_cause {
        if hides {
            answers_work(desk, cause, raised);
            continue;
        }
        desk.recurring(Urgency::Unusable, &[cause], raised, |raised| {
            format!("{} kept aside: {}", counted(raised.len(), "entry is", "entries are"), why(cause))
        });
    }
    let twice = view.instruments().iter().flat_map(|thread| thread.past.iter().chain(&thread.current));
    let twice: Vec<_> =
        twice.filter(|written| forms.contradictions().contains(&written.id())).copied().collect();
    desk.recurring(Urgency::Unusable, &["form-changed"], raised(&twice), |_| {
        "a questionnaire was changed without a new version; the first one is used".to_owned()
    });
    let unreadable: Vec<_> = view
        .instruments()
        .iter()
        .flat_map(|thread| &thread.current)
        .filter(|written| planning.unreadable.iter().any(|(entry, _)| *entry == written.id()))
        .copied()
        .collect();
    desk.recurring(Urgency::Unusable, &["schedule"], self::raised(&unreadable), |_| {
        "a schedule cannot be followed by this version; what was planned before goes on".to_owned()
    });
    // To name an entry that waits would make the acknowledgement wait too.
    let reason = format!(
        "{} for others that have not arrived; the chart is incomplete",
        counted(waiting.len(), "entry waits", "entries wait")
    );
    if answers_wait {
        desk.unanswerable(Urgency::Concern, "waiting", &waiting, format!("{MAY_HIDE}{reason}"));
    } else {
        desk.unanswerable(Urgency::Unusable, "waiting", &waiting, reason);
    }
}

/// Answers on which no rule is judged: a severe symptom may be among them.
fn answers_work(desk: &mut Desk<'_>, cause: &'static str, raised: Vec<Raised<()>>) {
    let matter = format!("{cause}-answers");
    let reason = |count: usize| {
        let what = counted(count, "set of answers is", "sets of answers are");
        format!("{MAY_HIDE}{what} kept aside: {}", why(cause))
    };
    // What comes to an end by itself stays until then; else somebody must be able to say that they looked.
    if ["newer-app", "instrument-aside"].contains(&cause) {
        let reason = reason(raised.len());
        desk.unanswerable(Urgency::Concern, &matter, &raised, reason);
    } else {
        desk.recurring(Urgency::Concern, &[matter], raised, |raised| reason(raised.len()));
    }
}

/// Whether no rule is judged on answers that are kept aside for this. Those of a severed device are judged
/// (`set_aside_work`).
fn hides_alerts(cause: &str) -> bool {
    cause != "severed"
}

fn raised_item(item: &TimelineItem<'_>) -> Raised<()> {
    let since = item.arrival.received_at.unwrap_or(item.entry.body().captured_at);
    Raised { entry: item.entry.id(), since, detail: () }
}

/// The name of what keeps an entry out, if something that somebody should look at does.
fn cause_of(place: Place) -> Option<&'static str> {
    match place {
        Place::NotPermitted => Some("not-permitted"),
        Place::Invalid(_) => Some("invalid"),
        Place::UnknownKind => Some("newer-app"),
        Place::Quarantined(QuarantineReason::NoCertificate) => Some("no-certificate"),
        Place::Quarantined(QuarantineReason::Severed) => Some("severed"),
        Place::Quarantined(QuarantineReason::BrokenChain) => Some("broken-chain"),
        Place::Quarantined(QuarantineReason::InstrumentAside) => Some("instrument-aside"),
        Place::Quarantined(QuarantineReason::ChosenDeclined) => Some("chosen-declined"),
        Place::Quarantined(QuarantineReason::ToBeAdopted)
        | Place::Visible
        | Place::Superseded
        | Place::InConflict
        | Place::Parked => None,
    }
}

fn why(cause: &str) -> &'static str {
    match cause {
        "not-permitted" => "the author's role may not write this",
        "invalid" => "the content breaks the rules of its kind",
        "newer-app" => "a newer version of the app is needed to read this",
        "no-certificate" => "the device has no certificate for this chart",
        "severed" => "the device was not trusted any more",
        "chosen-declined" => "the value that it decided for was declined",
        "instrument-aside" => "the questionnaire that it answers is kept aside itself",
        _ => "it does not continue the chain of its device",
    }
}
