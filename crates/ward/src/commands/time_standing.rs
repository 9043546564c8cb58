//! Where the time stands for which answers are given: in words, and whether it still asks for them.

use super::due::planning_of;
use crate::exit::Failure;
use crate::home::from_client;
use crate::planned_words::planned_words;
use ward_client::native::NativeClient;
use ward_client::views::{ChartForms, PlannedInstrument, Planning};
use ward_client::{DraftKey, Environment as _};
use ward_forms::schedule::{Occurrence, OccurrenceState};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartView, ResponseStatus};

/// Where the time of some answers stands.
pub struct TimeStanding {
    /// Questionnaire, time and standing: `How have you been? for Monday 2 March 2026 (late)`.
    pub words: String,
    /// The answers that are there already.
    pub answered: Option<EntryId>,
    /// Whether nobody waits for answers any more: they are there, or the time has closed or is not planned.
    pub is_over: bool,
}

/// Where the time of some answers stands now. A correction is of answers that are there, and that is no
/// news.
///
/// # Errors
/// When the chart cannot be read.
pub fn time_standing(client: &NativeClient, key: &DraftKey) -> Result<TimeStanding, Failure> {
    let view = client.chart(key.chart).map_err(from_client)?;
    let planning = planning_of(client, &view)?;
    let forms = ChartForms::of(&view);
    let now = client.environment().wall();
    let (remark, answered, is_over) = remark(&planning, &view, key, now);
    let words =
        format!("{} for {}{remark}", forms.title(&key.instrument_url), planned_words(&key.occurrence));
    Ok(TimeStanding { words, answered, is_over })
}

fn remark(
    planning: &Planning<'_>,
    view: &ChartView<'_>,
    key: &DraftKey,
    now: TimestampMs,
) -> (String, Option<EntryId>, bool) {
    let planned = planning.instruments.iter().find(|planned| planned.url == key.instrument_url);
    let found = planned.and_then(|planned| {
        let list = planning.due_list(planned, now, 0).occurrences;
        Some((planned, list.into_iter().find(|one| one.name.to_string() == key.occurrence)?))
    });
    let answered = match &found {
        _ if key.amends.is_some() => None,
        Some((planned, time)) => answer_of(planned, time),
        None => answered_as(view, key),
    };
    if let Some(entry) = answered {
        return (format!(" (answered already as {entry})"), answered, true);
    }
    let (remark, is_over) = match found.map(|(_, one)| (one.state, now >= one.closes_at)) {
        // Without any schedule there is nothing to go by.
        None => (" (it belongs to no planned time)", planned.is_some()),
        Some((OccurrenceState::Late, _)) => (" (late)", false),
        Some((OccurrenceState::Missed, _) | (OccurrenceState::NotOwed(_), true)) => {
            (" (after its close)", true)
        }
        Some((OccurrenceState::Upcoming, _)) => (" (its time has not come)", true),
        Some(_) => ("", false),
    };
    (remark.to_owned(), None, is_over)
}

fn answer_of(planned: &PlannedInstrument<'_>, time: &Occurrence) -> Option<EntryId> {
    planned.answer_of(time).map(|answer| answer.entry)
}

/// The answers that bear the name of a time which nobody planned.
fn answered_as(view: &ChartView<'_>, key: &DraftKey) -> Option<EntryId> {
    let of_form = view.responses().iter().filter(|((url, _), _)| *url == key.instrument_url);
    let mut current = of_form.flat_map(|(_, threads)| threads).flat_map(|thread| &thread.current);
    let found = current.find(|written| {
        let value = written.value;
        value.status() != ResponseStatus::Draft && value.occurrence().as_str() == key.occurrence
    });
    found.map(|written| written.id())
}
