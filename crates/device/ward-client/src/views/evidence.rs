//! From when a participant could know of what the site wrote, by all evidence that there is.
//!
//! What nobody could know is not owed, and that something arrived late is the word of the server alone. So
//! nothing counts as known later than something that was written by somebody who had seen it: an entry of the
//! participant's own devices, or answers to that very questionnaire. Nor earlier than it was written.

use super::causes::causes_of;
use super::standing_words::counted_at;
use std::collections::BTreeMap;
use ward_crypto::Role;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartTimes, ChartView, EntryTime, Instrument, Response, ResponseStatus, Written};

/// When what was written in a chart can have been known.
pub(super) struct Evidence<'v, 't> {
    times: &'t ChartTimes<'v>,
    /// By when somebody had certainly seen an entry.
    seen: BTreeMap<EntryId, TimestampMs>,
}

impl<'v, 't> Evidence<'v, 't> {
    pub(super) fn of(view: &'v ChartView<'_>, times: &'t ChartTimes<'v>) -> Self {
        let mut seen: BTreeMap<EntryId, TimestampMs> = BTreeMap::new();
        let brought = brought_first(view);
        let answers = view.responses().values().flatten();
        for written in answers.flat_map(|thread| thread.past.iter().chain(&thread.current)) {
            if let Some(instrument) = answered(written, &brought) {
                note(&mut seen, instrument, counted_at(written, times));
            }
        }
        // Causes come before effects in the timeline.
        for item in view.timeline().iter().rev() {
            let id = item.entry.id();
            let is_own = item.author.is_some_and(|author| author.role == Role::Patient);
            let own = times.get(id).filter(|_| is_own).map(EntryTime::counted_at);
            let known = own.into_iter().chain(seen.get(&id).copied()).min();
            let Some(known) = known else { continue };
            causes_of(item.entry).for_each(|cause| note(&mut seen, cause, known));
        }
        Self { times, seen }
    }

    /// From when it could be known: it had arrived, or somebody had seen it.
    pub(super) fn known_at<P>(&self, written: &Written<'_, P>) -> TimestampMs {
        let time = self.times.get(written.id());
        let arrived = time.into_iter().flat_map(|time| time.latest.into_iter().chain(time.witnessed_before));
        let known = arrived.chain(self.seen.get(&written.id()).copied()).min();
        let known = known.unwrap_or_else(|| counted_at(written, self.times));
        known.max(self.written_at(written))
    }

    /// When it was written, at the earliest: by its author's clock, or by what is known beside it. Where all
    /// receipts are late, as after a restore, the clock alone says so.
    pub(super) fn written_at<P>(&self, written: &Written<'_, P>) -> TimestampMs {
        counted_at(written, self.times).min(written.captured_at())
    }
}

fn note(seen: &mut BTreeMap<EntryId, TimestampMs>, entry: EntryId, at: TimestampMs) {
    let known = seen.entry(entry).or_insert(at);
    *known = at.min(*known);
}

/// The entry that brought each version of a questionnaire first: who answers it has seen that one.
fn brought_first<'v>(view: &'v ChartView<'_>) -> BTreeMap<(&'v str, &'v str), EntryId> {
    let mut instruments: Vec<&Written<'_, Instrument>> =
        view.instruments().iter().flat_map(|thread| thread.versions()).collect();
    instruments.sort_by_key(|written| written.order());
    let mut first = BTreeMap::new();
    for written in instruments {
        let Instrument { url, version, .. } = written.value;
        first.entry((url.as_str(), version.as_str())).or_insert_with(|| written.id());
    }
    first
}

/// The entry with the questionnaire that finished answers have certainly seen.
fn answered(written: &Written<'_, Response>, brought: &BTreeMap<(&str, &str), EntryId>) -> Option<EntryId> {
    if written.value.status() == ResponseStatus::Draft {
        return None;
    }
    match written.value {
        Response::Dense(response) => Some(response.instrument),
        Response::General(response) => {
            brought.get(&(response.instrument_url.as_str(), response.instrument_version.as_str())).copied()
        }
    }
}
