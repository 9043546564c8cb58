//! The answers to planned times, as their entries say: what they name, when they were given and where.

use super::local_day::rules_of;
use std::collections::BTreeMap;
use ward_forms::schedule::Given;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{
    Arrival, ChartTimes, ChartView, EntryTime, Occurrence, Response, ResponseStatus, SignedEntry, Thread,
};

/// An answer to a planned time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAnswer {
    /// The entry.
    pub entry: EntryId,
    /// The address of the questionnaire.
    pub instrument_url: String,
    /// What it names.
    pub occurrence: String,
    /// Since when it is known here: when it arrived, else when it was written.
    pub since: TimestampMs,
    /// Whether its clock showed a time that cannot be: then it counts by the nearest that can.
    pub is_by_bounds: bool,
}

/// Answers to questionnaires, by address.
pub(super) type AnswersByUrl<'v> = BTreeMap<&'v str, Vec<(Given, PlannedAnswer)>>;

/// The first version of each answer to each planned time that it names, by its author's clock. A clock that
/// shows what cannot be decides nothing: then the nearest time counts that what arrived before and after
/// allows. A later correction does not make an answer late; one that names another time takes nothing from
/// the first.
pub(super) fn answers_by_url<'v>(view: &'v ChartView<'_>, times: &ChartTimes<'_>) -> AnswersByUrl<'v> {
    let mut out = AnswersByUrl::new();
    for ((url, _), threads) in view.responses() {
        // What was declared void answers nothing.
        for thread in threads.iter().filter(|thread| !thread.is_voided()) {
            out.entry(url).or_default().extend(first_versions(url, thread, times));
        }
    }
    out
}

fn first_versions(
    url: &str,
    thread: &Thread<'_, Response>,
    times: &ChartTimes<'_>,
) -> Vec<(Given, PlannedAnswer)> {
    let mut first: BTreeMap<&Occurrence, (Given, PlannedAnswer)> = BTreeMap::new();
    let versions = thread.current.iter().chain(&thread.past);
    for written in versions.filter(|written| written.value.status() != ResponseStatus::Draft) {
        let found = planned_answer(url, (written.entry, written.arrival), written.value, times);
        let occurrence = written.value.occurrence();
        let is_first = first
            .get(occurrence)
            .is_none_or(|known| (found.0.at, found.1.entry) < (known.0.at, known.1.entry));
        if is_first {
            first.insert(occurrence, found);
        }
    }
    first.into_values().collect()
}

/// What an entry with finished answers says of a planned time.
pub(super) fn planned_answer(
    url: &str,
    (entry, arrival): (&SignedEntry, Arrival),
    response: &Response,
    times: &ChartTimes<'_>,
) -> (Given, PlannedAnswer) {
    let (body, time) = (entry.body(), times.get(entry.id()));
    let at = time.map_or(body.captured_at, EntryTime::counted_at);
    let occurrence = response.occurrence().as_str().to_owned();
    let answer = PlannedAnswer {
        entry: entry.id(),
        instrument_url: url.to_owned(),
        occurrence: occurrence.clone(),
        since: arrival.received_at.unwrap_or(body.captured_at),
        is_by_bounds: time.is_some_and(EntryTime::is_outside_bounds),
    };
    (Given { occurrence, at, zone: rules_of(&body.zone) }, answer)
}
