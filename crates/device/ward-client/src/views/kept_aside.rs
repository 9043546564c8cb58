//! Answers and schedules that take no part in a chart, because their device was lost or revoked, or the
//! questionnaire that they answer is kept aside itself; and words about participation. Nothing of them counts as
//! said; but what was answered was not missed, and what was planned does not end without a word.

use super::planned_answers::{PlannedAnswer, planned_answer};
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::schedule::Given;
use ward_id::EntryId;
use ward_sync::{
    ChartTimes, ChartView, Decoded, EntryKind, Payload, Place, QuarantineReason, Response, ResponseStatus,
    TimelineItem,
};

/// Why answers and schedules may be kept aside.
const ALL: [QuarantineReason; 3] =
    [QuarantineReason::ToBeAdopted, QuarantineReason::Severed, QuarantineReason::InstrumentAside];
/// Those for which they may still come to count. What comes of a device that is not trusted any more silences
/// nothing.
const WAITING: [QuarantineReason; 2] = [QuarantineReason::ToBeAdopted, QuarantineReason::InstrumentAside];
/// That of a device that is not trusted any more.
const SEVERED: [QuarantineReason; 1] = [QuarantineReason::Severed];

/// Answers that are kept aside because a device was revoked, theirs or that of their questionnaire. Those that
/// staff declined were looked at.
pub(super) fn answers_aside(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    aside(view, EntryKind::QUESTIONNAIRE_RESPONSE, &ALL).map(|item| item.entry.id()).collect()
}

/// Answers of a device that is not trusted any more.
pub(super) fn answers_not_trusted(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    aside(view, EntryKind::QUESTIONNAIRE_RESPONSE, &SEVERED).map(|item| item.entry.id()).collect()
}

/// Questionnaires with their schedules that are kept aside because a device was revoked.
pub(super) fn instruments_aside(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    aside(view, EntryKind::INSTRUMENT, &ALL).map(|item| item.entry.id()).collect()
}

/// Words about participation that are kept aside because a device was revoked.
pub(super) fn participation_aside(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    aside(view, EntryKind::PARTICIPATION, &ALL).map(|item| item.entry.id()).collect()
}

/// What of the site's own words on who is asked and when is being checked: staff will say whether it counts.
pub(super) fn plans_being_checked(view: &ChartView<'_>) -> Vec<EntryId> {
    plans_aside(view, &WAITING).map(|item| item.entry.id()).collect()
}

/// What of the site's words on who is asked and when does not count, because their device is not trusted any more:
/// staff must plan again. What they wrote since settles it.
pub(super) fn plans_not_trusted(view: &ChartView<'_>) -> Vec<EntryId> {
    let is_settled = |item: &TimelineItem<'_>| {
        let after = |order: (u64, EntryId)| order.0 > item.entry.body().lamport;
        match item.entry.body().decode_payload() {
            Decoded::Known(Payload::Instrument(aside)) => {
                let mut standing = view.instruments().iter().flat_map(|thread| &thread.current);
                standing.any(|written| written.value.url == aside.url && after(written.order()))
            }
            _ => {
                let mut standing = view.participation().iter().flat_map(|thread| &thread.current);
                standing.any(|written| written.author.role.is_staff() && after(written.order()))
            }
        }
    };
    plans_aside(view, &SEVERED).filter(|item| !is_settled(item)).map(|item| item.entry.id()).collect()
}

fn plans_aside<'v, 'a>(
    view: &'v ChartView<'a>,
    reasons: &'static [QuarantineReason],
) -> impl Iterator<Item = &'v TimelineItem<'a>> {
    let of_staff = |item: &&TimelineItem<'_>| item.author.is_some_and(|author| author.role.is_staff());
    let kinds = [EntryKind::INSTRUMENT, EntryKind::PARTICIPATION];
    kinds.into_iter().flat_map(move |kind| aside(view, kind, reasons)).filter(of_staff)
}

fn aside<'v, 'a>(
    view: &'v ChartView<'a>,
    kind: EntryKind,
    reasons: &'static [QuarantineReason],
) -> impl Iterator<Item = &'v TimelineItem<'a>> {
    let declined = view.declined();
    let is_aside = move |item: &&TimelineItem<'_>| {
        item.entry.body().kind == kind
            && reasons.iter().any(|reason| item.place == Place::Quarantined(*reason))
            && !declined.contains(&item.entry.id())
    };
    view.timeline().iter().filter(is_aside)
}

/// The finished answers that wait to be taken over, by the address of their questionnaire.
pub(super) fn answers_waiting(
    view: &ChartView<'_>,
    times: &ChartTimes<'_>,
) -> BTreeMap<String, Vec<(Given, PlannedAnswer)>> {
    let mut out: BTreeMap<String, Vec<(Given, PlannedAnswer)>> = BTreeMap::new();
    // A questionnaire that is aside too is read once, however many answers it has.
    let mut urls: BTreeMap<EntryId, Option<String>> = BTreeMap::new();
    for item in aside(view, EntryKind::QUESTIONNAIRE_RESPONSE, &WAITING) {
        let Decoded::Known(Payload::Response(response)) = item.entry.body().decode_payload() else {
            continue;
        };
        let url = match &response {
            Response::General(response) => Some(response.instrument_url.clone()),
            Response::Dense(response) => {
                let bound = response.instrument;
                urls.entry(bound).or_insert_with(|| url_of(bound, view)).clone()
            }
        };
        let Some(url) = url else { continue };
        if response.status() == ResponseStatus::Draft {
            continue;
        }
        let answer = planned_answer(&url, (item.entry, item.arrival), &response, times);
        out.entry(url).or_default().push(answer);
    }
    out
}

/// The address of a questionnaire, wherever it stands.
fn url_of(bound: EntryId, view: &ChartView<'_>) -> Option<String> {
    if let Some(instrument) = view.instrument(bound) {
        return Some(instrument.url.clone());
    }
    let item = view.timeline().iter().find(|item| item.entry.id() == bound)?;
    match item.entry.body().decode_payload() {
        Decoded::Known(Payload::Instrument(instrument)) => Some(instrument.url),
        _ => None,
    }
}
