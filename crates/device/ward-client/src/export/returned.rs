//! Entries that came into an operation log after it was opened again. A restored server notes the
//! time at which an entry came *back*, so the trail says that this is no time of writing or of first
//! arrival, who gave entries back, and what is held of the first arrival.

use super::trail::TrailAuthor;
use std::collections::BTreeMap;
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartView, IncidentKind, TimelineItem};

/// An operation log that follows one that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReopenedLog {
    /// Its origin.
    pub origin: String,
    /// Its first place, counted through all logs of the site.
    pub begin: u64,
    /// How the incidents about it are named.
    pub event: [u8; 32],
    /// When the last head of the log before was attested by its witnesses.
    pub ended_at: TimestampMs,
}

/// A receipt of a log that ended, for an entry that stands in a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierReceipt {
    /// The log that gave it.
    pub origin: String,
    /// The place that it promised there.
    pub index: u64,
    /// When the server had received the entry then.
    pub received_at: TimestampMs,
}

/// What is known of an entry that stands in a log that was opened again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The log in which it stands now.
    pub log: String,
    /// Whether the time of arrival is that of its return: it was written, by its claim, before the
    /// log ended, and came after.
    pub came_after: bool,
    /// Who wrote down that they gave this log entries of an earlier one, each once, where it came
    /// after: one of them relayed it, or its author sent it again.
    pub by: Vec<TrailAuthor>,
    /// A receipt of an earlier log that this device holds.
    pub receipt: Option<EarlierReceipt>,
}

/// What the trail needs to know of logs that were opened again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reopenings {
    /// The logs that follow others, in order.
    pub logs: Vec<ReopenedLog>,
    /// Receipts of earlier logs, the earliest for each entry.
    pub receipts: BTreeMap<EntryId, EarlierReceipt>,
}

impl Reopenings {
    /// What must be said of one entry; nothing of one that stands in the first log, or that came as
    /// it was kept or for the first time.
    pub(super) fn returned(
        &self,
        view: &ChartView<'_>,
        item: &TimelineItem<'_>,
        author: impl Fn(&TimelineItem<'_>) -> TrailAuthor,
    ) -> Option<Returned> {
        let index = item.arrival.olog_index?;
        let log = self.logs.iter().rev().find(|log| log.begin <= index)?;
        let receipt = self.receipts.get(&item.entry.id()).cloned();
        let after = |at: TimestampMs| at > log.ended_at;
        let came_after = item.arrival.received_at.is_some_and(after) && !after(item.entry.body().captured_at);
        if !came_after && receipt.is_none() {
            return None;
        }
        let by = if came_after { givers(view, log, index, author) } else { Vec::new() };
        Some(Returned { log: log.origin.clone(), came_after, by, receipt })
    }
}

/// Who wrote, behind a place of a log, that they gave it entries back: the incident of a device comes
/// after everything that it relayed.
fn givers(
    view: &ChartView<'_>,
    log: &ReopenedLog,
    index: u64,
    author: impl Fn(&TimelineItem<'_>) -> TrailAuthor,
) -> Vec<TrailAuthor> {
    let mut out: Vec<TrailAuthor> = Vec::new();
    for incident in view.incidents().iter().flat_map(|thread| &thread.current) {
        let said = incident.value;
        let later = incident.arrival.olog_index.is_none_or(|place| place > index);
        if (said.what, said.event) != (IncidentKind::LogReopened, log.event) || !later {
            continue;
        }
        let item = view.timeline().iter().find(|item| item.entry.id() == incident.id());
        let by = item.map(&author);
        out.extend(by.filter(|by| !out.contains(by)));
    }
    out
}
